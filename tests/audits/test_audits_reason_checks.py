"""Reasons and ways out are asked of the model that decides: planted faults are told, and a sound model has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data import EvaluationSet, read_evaluation_set

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ["income", "debt", "years", "rooms", "calls"]
AUDITS = ["reasons", "reason_checks", "recourse"]


def people(rows: int = 300, *, favourable: int = 1) -> EvaluationSet:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(0, 1, (rows, 5)), columns=NAMES)
    table["sex"] = rng.choice(["f", "m"], rows)
    good = table["income"] - table["debt"] + rng.normal(0, 1, rows) > 0
    table["paid"] = good.astype(int) if favourable else (~good).astype(int)
    return read_evaluation_set(table, label="paid", favourable=favourable, sensitive_features="sex")


def model(*weights: float, at: float = 0.0, turned: bool = False) -> Callable[[pd.DataFrame], np.ndarray]:
    """A logistic model; turned round, it gives the chance of the bad outcome."""

    def predict(table: pd.DataFrame) -> np.ndarray:
        chance = 1 / (1 + np.exp(-(table[NAMES].to_numpy() @ np.array(weights) - at)))
        return np.asarray(1 - chance if turned else chance)

    return predict


SOUND = model(2, -2, 0, 0, 0)


def audited(subject: object, data: EvaluationSet, **more: object) -> eh.AuditRecord:
    return eh.audit(subject, data, audits=AUDITS, explain_rows=100, background_rows=40, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pair() -> eh.AuditRecord:
    """The audited model weighs income more than its original did, and is stricter."""
    ways = {"income": "increase"}
    return audited(model(3, -1, 0, 0, 0, at=0.8), people(), original=model(1, -3, 0, 0, 0), actionable=ways)


def test_reasons_of_a_model_that_reads_two_features_move_it_and_others_do_not() -> None:
    found = audited(SOUND, people())
    assert (found["reason_comprehensiveness"].estimate or 0) > 0.2
    assert (found["reason_comprehensiveness[;of=random]"].estimate or 0) < (
        found["reason_comprehensiveness"].estimate or 0
    ) / 2
    assert (found["reason_flip_rate"].estimate or 0) > (found["reason_flip_rate[;of=random]"].estimate or 0)
    few = found["unfaithful_reasons"]
    assert (few.estimate or 0) < 0.1
    assert few.interval is not None and few.interval.method == "clopper-pearson"
    gain, with_them, without = (
        found[key].estimate for key in (
            "reason_comprehensiveness_gain", "reason_comprehensiveness", "reason_comprehensiveness[;of=random]"
        )
    )  # fmt: skip
    assert gain == pytest.approx((with_them or 0) - (without or 0))
    groups = [found[f"unfaithful_reasons[sex={group}]"].support for group in "fm"]
    assert sum(groups) == few.support
    assert "first_reason_change_rate[;of=original]" not in found, "there is no original"


def test_reasons_that_the_model_does_not_use_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def others(values: np.ndarray, **_: object) -> np.ndarray:
        return np.tile([2, 3, -1, -1], (len(values), 1))

    monkeypatch.setattr("evenhand.explaining.reasons.reasons_against", others)
    found = audited(SOUND, people())
    assert (found["unfaithful_reasons"].estimate or 0) > 0.9
    assert found["reason_comprehensiveness"].estimate == pytest.approx(0.0)
    assert found["reason_flip_rate"].estimate == 0.0
    interval = found["reason_comprehensiveness_gain"].interval
    assert interval is not None and interval.high is not None and interval.high < 0.2


def test_the_unfavourable_class_may_be_the_positive_one() -> None:
    found, usual = audited(model(2, -2, 0, 0, 0, turned=True), people(favourable=0)), audited(SOUND, people())
    for key in ("reason_comprehensiveness", "reason_sufficiency", "reason_flip_rate"):
        assert found[key].estimate == pytest.approx(usual[key].estimate or 0, abs=1e-6), key


def test_first_reasons_that_compression_changed_are_counted_over_refusals_by_both(pair: eh.AuditRecord) -> None:
    data = people()
    explained = np.sort(np.random.default_rng(0).choice(300, 100, replace=False))
    rows = data.X.iloc[explained]
    both = (model(3, -1, 0, 0, 0, at=0.8)(rows) < 0.5) & (model(1, -3, 0, 0, 0)(rows) < 0.5)
    usual = data.X.iloc[np.sort(np.random.default_rng(1).choice(300, 40, replace=False))].to_numpy().mean(axis=0)
    parts = [-(rows.to_numpy() - usual) * np.array(w) for w in ([3, -1, 0, 0, 0], [1, -3, 0, 0, 0])]
    first = [part.argmax(axis=1) for part in parts]
    changed = pair["first_reason_change_rate[;of=original]"]
    assert changed.support == both.sum()
    assert changed.estimate == pytest.approx((first[0] != first[1])[both].mean())
    clear = pair["clear_reason_change_rate[;of=original]"].estimate or 0
    assert 0 < clear <= (changed.estimate or 0)
    by_chance = pair["first_reason_change_rate[;of=other background]"].estimate or 0
    assert by_chance < clear, "the models differ by more than halves of the background do"
    for group in "fm":
        assert pair[f"first_reason_change_rate[sex={group};of=original]"].interval is not None
    assert pair["first_reason_change_rate_difference[sex;of=original]"].estimate is not None


def test_a_model_beside_itself_changes_no_reason_and_keeps_every_way_out() -> None:
    found = audited(SOUND, people(), original=SOUND, actionable={"income": "increase"})
    for metric in ("first_reason_change_rate", "clear_reason_change_rate", "reason_set_change_rate"):
        assert found[f"{metric}[;of=original]"].estimate == 0.0
    assert found["recourse_kept_rate[;of=original]"].estimate == 1.0
    assert found["recourse_flip_rate"].estimate == 1.0


def test_a_way_that_holds_in_company_alone_is_told_and_fails_its_limit() -> None:
    def by_batch(table: pd.DataFrame) -> np.ndarray:
        return np.clip(SOUND(table) - (0.2 if len(table) == 1 else 0.0), 0, 1)

    limit = {"limits": {"recourse_flip_rate": {"at_least": 1.0}}}
    ways = {"income": "increase"}
    sound, other = (audited(each, people(), actionable=ways) for each in (SOUND, by_batch))
    assert sound["recourse_flip_rate"].interval is None, "counted, not estimated"
    assert eh.judge(sound, limit).exit_code == 0
    assert (other["recourse_flip_rate"].estimate or 0) < 1
    assert eh.judge(other, limit).exit_code == 1
    assert "asked about each alone" in other["recourse_flip_rate"].note


def test_ways_told_by_a_milder_original_are_counted_by_group(pair: eh.AuditRecord) -> None:
    kept = pair["recourse_kept_rate[;of=original]"]
    assert 0 < (kept.estimate or 0) < 1
    groups = [pair[f"recourse_kept_rate[sex={group};of=original]"] for group in "fm"]
    assert sum(each.support for each in groups) == kept.support
    total = sum((each.estimate or 0) * each.support for each in groups)
    assert total / kept.support == pytest.approx(kept.estimate or 0)
    assert pair["recourse_flip_rate"].estimate == 1.0, "its own ways hold"


def test_without_a_way_out_the_share_that_holds_is_not_defined() -> None:
    found = audited(SOUND, people(), actionable={"years": "any"})
    assert found["no_recourse_rate"].estimate == 1.0
    assert found["recourse_flip_rate"].estimate is None
    assert found["recourse_flip_rate"].undefined == "No way out was found."


def test_a_ranking_score_has_no_bounds_so_no_limit_rests_on_its_mean() -> None:
    from evenhand.subjects import as_subject

    subject = as_subject(lambda X: 2 * X["income"] - 2 * X["debt"], score_kind="ranking", threshold=0.0)
    found = audited(subject, people())
    assert "no bounds" in found["reason_comprehensiveness"].uncovered
    assert not found["reason_flip_rate"].uncovered and not found["unfaithful_reasons"].uncovered


def test_people_at_the_threshold_are_the_reference_of_both_models() -> None:
    found = audited(SOUND, people(), original=model(1, -3, 0, 0, 0), reason_reference="at_threshold")
    assert found["first_reason_change_rate[;of=original]"].estimate is not None
    mean = audited(SOUND, people(), original=model(1, -3, 0, 0, 0))
    assert found["reason_comprehensiveness"].estimate != mean["reason_comprehensiveness"].estimate


def test_few_refusals_and_predictions_without_a_model_say_why_there_is_nothing() -> None:
    few = audited(model(2, -2, 0, 0, 0, at=-9), people())
    said = {section.audit: section.reason for section in few.sections}
    assert "too few to say" in said["reason_checks"]
    scored = people().table.assign(score=0.4)
    given = eh.audit_predictions(scored["paid"], scored["score"] > 0.5, sensitive_features=scored[["sex"]])
    assert not given.of_audit("reason_checks")


def test_rows_of_one_person_count_as_one_cluster() -> None:
    table = people().table
    doubled = pd.concat([table, table], ignore_index=True).assign(person=np.tile(np.arange(300), 2))
    data = read_evaluation_set(doubled, label="paid", favourable=1, sensitive_features="sex", cluster="person")
    once = eh.audit(SOUND, people(), audits=["reason_checks"], explain_rows=300, background_rows=60)
    twice = eh.audit(SOUND, data, audits=["reason_checks"], explain_rows=600, background=people(), background_rows=60)
    spans = [found["reason_flip_rate"].interval for found in (once, twice)]
    assert all(span is not None for span in spans)
    widths = [(span.high or 0) - (span.low or 0) for span in spans if span is not None]
    assert widths[1] == pytest.approx(widths[0], rel=0.25), "the same people twice say no more"


def test_ways_out_are_counted_by_what_each_row_is_worth_and_in_its_cluster() -> None:
    data, way = people(), {"income": "increase"}
    strict = model(2, -2, 0, 0, 0, at=2.0)
    plain = audited(strict, data, actionable=way)["no_recourse_rate"]
    twice = pd.concat([data.X, data.X], ignore_index=True)
    table = twice.assign(paid=np.tile(data.y_true, 2), sex="f", person=np.tile(np.arange(300), 2))
    roles = {"label": "paid", "favourable": 1, "sensitive_features": "sex"}
    clustered = audited(strict, read_evaluation_set(table, cluster="person", **roles), actionable=way)  # type: ignore[arg-type]
    found = clustered["no_recourse_rate"]
    assert 0 < (plain.estimate or 0) < 1
    assert found.interval is not None and "cluster" in found.interval.method
    heavy = data.X.assign(paid=data.y_true, sex="f", weight=np.where(data.X["income"] > 0, 5.0, 1.0))
    weighted = audited(strict, read_evaluation_set(heavy, sample_weight="weight", **roles), actionable=way)  # type: ignore[arg-type]
    assert weighted["no_recourse_rate"].estimate != pytest.approx(plain.estimate or 0)


def test_refusals_with_too_few_other_features_are_said_to_have_no_control() -> None:
    found = audited(model(1, -1, 1, -1, 0), people())
    (section,) = (section for section in found.sections if section.audit == "reason_checks")
    alone = (found["reason_flip_rate"].support or 0) - (found["unfaithful_reasons"].support or 0)
    assert alone > 0
    assert f"For {alone} of them fewer other features are left" in section.reason
