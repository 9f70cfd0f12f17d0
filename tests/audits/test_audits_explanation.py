"""What carries a gap: the parts add up, a planted proxy is named, and a fair model's parts are nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data import EvaluationSet, read_evaluation_set
from evenhand.errors import InputError
from evenhand.report.figures.explained import explained_scale
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding


def applicants(n: int = 600, proxy: float = 1.5, seed: int = 0) -> EvaluationSet:
    """Two groups that differ in `district` by `proxy`, and in nothing else that the model reads."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b"], n)
    table = pd.DataFrame(
        {
            "group": group,
            "district": rng.normal(size=n) + proxy * (group == "b"),
            "income": rng.normal(size=n),
            "noise": rng.normal(size=n),
        }
    )
    table["paid"] = (table["income"] + 0.3 * rng.normal(size=n) > 0).astype(int)
    return read_evaluation_set(table, label="paid", sensitive_features="group", favourable=1)


def score(X: pd.DataFrame) -> np.ndarray:
    return 1 / (1 + np.exp(-(X["income"].to_numpy() - 0.8 * X["district"].to_numpy())))


def parts(record: AuditRecord) -> dict[str, Finding]:
    return {f.key.columns[0]: f for f in record.findings if f.key.metric == "gap_part"}


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    return eh.audit(score, applicants(), audits=["explanation"])


def test_the_parts_add_up_to_the_gap(record: AuditRecord) -> None:
    gap = record['score_gap[;given="group=b";vs="group=a"]']
    assert gap.estimate == pytest.approx(sum(f.estimate or 0.0 for f in parts(record).values()), abs=1e-9)


def test_a_planted_proxy_is_named(record: AuditRecord) -> None:
    found = parts(record)
    district = found["district"]
    assert district.interval is not None
    assert district.interval.high is not None
    assert district.interval.high < -0.8
    for other in ("income", "noise"):
        interval = found[other].interval
        assert interval is not None
        assert (interval.low or 0) < 0 < (interval.high or 0) or abs(found[other].estimate or 0.0) < 1e-12


@cache
def shares_that_hold_nothing(runs: int) -> dict[str, float]:
    """Return how often the intervals of a fair model's parts hold 0: no feature tells the group, so all parts are 0."""
    held: dict[str, list[bool]] = {"gap_part": [], "selection_gap_part": []}
    for seed in range(runs):
        record = eh.audit(score, applicants(400, 0.0, seed), audits=["explanation"], explain_rows=200, seed=seed)
        for finding in record.findings:
            if finding.key.metric in held and finding.key.columns[0] in ("district", "income"):
                interval = finding.interval
                assert interval is not None and interval.low is not None and interval.high is not None
                held[finding.key.metric].append(interval.low <= 0 <= interval.high)
    # Where both groups are selected equally often there is no pair to compare, which is seldom.
    assert min(len(found) for found in held.values()) >= 1.9 * runs
    return {metric: float(np.mean(found)) for metric, found in held.items()}


@pytest.mark.parametrize("metric", ["gap_part", "selection_gap_part"])
def test_a_fair_models_parts_are_nothing_in_most_audits(metric: str) -> None:
    assert shares_that_hold_nothing(16)[metric] >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["gap_part", "selection_gap_part"])
def test_a_fair_models_intervals_hold_nothing_as_often_as_they_say(metric: str) -> None:
    assert 0.93 <= shares_that_hold_nothing(200)[metric] <= 0.97


def test_a_planted_proxy_carries_the_gap_in_selection(record: AuditRecord) -> None:
    gap = record['selection_gap[;given="group=b";vs="group=a"]']
    found = {f.key.columns[0]: f for f in record.findings if f.key.metric == "selection_gap_part"}
    assert gap.estimate == pytest.approx(sum(f.estimate or 0.0 for f in found.values()), abs=1e-9)
    district = found["district"]
    assert district.interval is not None and district.interval.high is not None
    assert district.interval.high < 0 and (district.estimate or 0) / (gap.estimate or 1) > 0.7
    assert record["attribution_residual[;of=decision]"].estimate == pytest.approx(0.0, abs=1e-9)


def test_cohorts_are_errors_rows_near_the_threshold_and_those_asked_for() -> None:
    record = eh.audit(score, applicants(), audits=["explanation"], cohorts={"rich": "income > 1"})
    cohorts = {f.key.qualifier("cohort") for f in record.findings if f.key.metric == "importance"}
    assert {"errors", "near the threshold", "rich"} <= cohorts
    assert (record["importance[income;cohort=rich]"].estimate or 0) > (record["importance[income]"].estimate or 0)
    with pytest.raises(InputError, match="cannot be asked"):
        eh.audit(score, applicants(), audits=["explanation"], cohorts={"odd": "nothing > 1"})


def test_nobodys_row_is_stated_unless_asked_and_then_without_its_values() -> None:
    plain = eh.audit(score, applicants(), audits=["explanation"])
    assert not [f for f in plain.findings if f.key.qualifier("row") is not None]
    asked = eh.audit(score, applicants(), audits=["explanation"], individuals=(7,))
    steps = [f for f in asked.findings if f.key.qualifier("row") == "7" and f.key.columns]
    ends = {f.key.qualifier("at"): f.estimate for f in asked.findings if f.key.qualifier("row") == "7"}
    assert sum(f.estimate or 0 for f in steps) == pytest.approx((ends["end"] or 0) - (ends["start"] or 0))
    assert {f.note for f in steps} == {"The value is withheld."}
    shown = eh.audit(score, applicants(), audits=["explanation"], individuals=(7,), show_values=True)
    assert "Value: " in shown["attribution[income;row=7]"].note
    with pytest.raises(InputError, match="no row 600"):
        eh.audit(score, applicants(), audits=["explanation"], individuals=(600,))


def test_a_swarm_is_counts_and_holds_every_explained_row(record: AuditRecord) -> None:
    found = next(part for part in record.tallies if part.model == "attributions")
    counts = np.asarray(found.counts)
    assert counts.sum(axis=(1, 2)).tolist() == [200, 200, 200]
    assert [group[0] for group in found.groups] == ["income", "district", "noise"]
    # of district, low values raise the score
    places = np.arange(counts.shape[2])
    assert counts[1, 0] @ places / counts[1, 0].sum() > counts[1, -1] @ places / counts[1, -1].sum()


def test_a_stated_time_is_kept_and_a_stated_error_reached() -> None:
    record = eh.audit(score, applicants(), audits=["explanation"], budget=30.0, precise=True)
    assert record["importance[income]"].estimate is not None
    with pytest.raises(InputError, match="budget must be a number above 0, not -1"):
        eh.audit(score, applicants(), budget=-1)


def test_importance_is_stated_overall_and_in_each_group(record: AuditRecord) -> None:
    assert (record["importance[noise]"].estimate or 0.0) == pytest.approx(0.0, abs=1e-9)
    assert (record["importance[district]"].estimate or 0) > 0.3
    for group in ("a", "b"):
        assert f'importance[income;given="group={group}"]' in record
    assert (record["attribution_residual"].estimate or 0) < 1e-9


def test_a_forest_behind_bins_is_explained_on_its_scale_and_asked_for_few_rows() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import KBinsDiscretizer

    data = applicants(400)
    bins = KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf")
    forest = make_pipeline(bins, RandomForestClassifier(10, max_depth=4, random_state=0)).fit(data.X, data.y_true)
    subject = as_subject(forest)
    asked, predict = [], subject.predict

    def counted(batch: pd.DataFrame) -> np.ndarray:
        asked.append(len(batch))
        return predict(batch)

    subject.predict = counted
    found = eh.audit(subject, data, audits=["explanation"], explain_rows=200)
    assert found["importance[income]"].note == "Mean absolute Shapley value on the probability scale."
    assert explained_scale(found) == "the probability"
    assert (found["attribution_residual"].estimate or 0) < 1e-9
    # All rows to count decisions; the explained rows and their background twice, for score and decision. The 80,000
    # pairs of a row and a background row are no question to the model.
    assert sum(asked) < 400 + 2 * (200 + 400) + 300


def test_predictions_alone_cannot_be_explained() -> None:
    record = eh.audit_predictions([1, 0, 1, 0], [1, 0, 0, 0], sensitive_features={"g": list("aabb")})
    said = {section.audit: section.reason for section in record.sections if not section.ran}
    assert "explanation" in said


def test_a_requested_error_chooses_how_many_rows_are_explained() -> None:
    """More rows for a smaller error, and it is reached; with the bound in the way, the reason says so."""
    data = applicants(4_000)
    rows = {}
    for error in (0.6, 0.15):
        record = eh.audit(score, data, audits=["explanation"], explain_rows=100, explain_error=error)
        ends = [found.interval for found in parts(record).values()]
        assert all(each and (each.high or 0) - (each.low or 0) <= 2 * error * 1.1 for each in ends)
        rows[error] = next(iter(parts(record).values())).support
    assert rows[0.6] < rows[0.15] < 4_000
    record = eh.audit(score, data, audits=["explanation"], explain_rows=100, explain_error=0.01)
    assert "known less closely than to 0.01" in str(record.sections[0].reason)
