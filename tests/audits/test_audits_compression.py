"""The compression audit: from rows and from counts the same; directions, classes, limits at any confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import audit_given
from evenhand.cli.main import exit_code
from evenhand.evidence.counting import count_files, merge_counts

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

N = 3000


def table(seed: int = 0) -> pd.DataFrame:
    """Scores of two models of the same rows; the second loses the positives of a small group."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"race": rng.choice(["x", "y", "z"], N, p=[0.7, 0.2, 0.1]), "sex": rng.choice(["f", "m"], N)})
    frame["y"] = rng.integers(0, 2, N)
    frame["old"] = np.clip(0.4 * frame["y"] + 0.6 * rng.random(N), 0, 1)
    harmed = (frame["race"] == "z") & (frame["y"] == 1) & (rng.random(N) < 0.6)
    frame["new"] = np.where(harmed, 0.3, np.clip(frame["old"] + 0.01 * rng.normal(size=N), 0, 1))
    return frame


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    frame = table()
    return eh.audit_predictions(
        frame["y"],
        y_score=frame["new"],
        original_score=frame["old"],
        sensitive_features=frame[["race", "sex"]],
        positive=1,
    )


def test_who_lost_is_found_in_every_way(record: AuditRecord) -> None:
    overall, harmed = record["accuracy_change[;of=original]"], record["recall_change[race=z;of=original]"]
    assert (overall.estimate or 0) > -0.045, "the average hides it"
    assert harmed.interval is not None
    assert (harmed.interval.high or 0) < -0.15
    worst = record["recall_change_group_min[race;of=original]"]
    assert worst.groups[0].group == "z"
    assert worst.estimate == harmed.estimate
    assert (record["negative_flip_rate[race=z;of=original]"].estimate or 0) > 0.1
    assert (record["flip_rate[race=z;class=0;of=original]"].estimate or 0) > 10 * (
        record["flip_rate[race=z;class=1;of=original]"].estimate or 0
    )
    assert (record["excess_accuracy_change[race=z;of=original]"].interval.high or 0) < 0  # type: ignore[union-attr]
    lost = record["normalized_recall_change[race=z;class=1;of=original]"]
    assert (lost.interval.high or 0) < 0  # type: ignore[union-attr]
    assert (record["score_shift[race=z;of=original]"].interval.high or 0) < 0  # type: ignore[union-attr]
    assert (record["excess_loss[race=z;of=original]"].interval.low or 0) > 0  # type: ignore[union-attr]
    assert (record["recall_difference_change[race;of=original]"].interval.low or 0) > 0.05  # type: ignore[union-attr]
    assert (record["recall_group_min_change[race;of=original]"].interval.high or 0) < 0  # type: ignore[union-attr]


def test_p_values_of_a_family_are_adjusted_within_it(record: AuditRecord) -> None:
    plain = [record[f"p_value[race={g};of=original;rate=recall]"].estimate or 0.0 for g in "xyz"]
    for name, factor in (("holm", 3), ("benjamini-hochberg", 3)):
        found = [record[f"p_value[race={g};of=original;rate=recall;adjusted={name}]"].estimate or 0.0 for g in "xyz"]
        assert all(value >= before for value, before in zip(found, plain, strict=True))
        assert min(found) == pytest.approx(factor * min(plain))


def test_flips_of_a_direction_add_up(record: AuditRecord) -> None:
    for who in ("", "race=z", "race=x,sex=m"):
        total = record[f"flip_rate[{who};of=original]"].estimate
        parts = [record[f"flip_rate[{who};class={name};of=original]"].estimate for name in "01"]
        right = [record[f"{sign}_flip_rate[{who};of=original]"].estimate for sign in ("negative", "positive")]
        assert sum(parts) == pytest.approx(total)  # type: ignore[arg-type]
        assert sum(right) == pytest.approx(total)  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_joint_counts_of_shards_say_what_the_rows_say(tmp_path: Path, engine: str, record: AuditRecord) -> None:
    pytest.importorskip(engine)
    frame = table()
    frame["o"], frame["p"] = (frame[name].ge(0.5).astype(int) for name in ("old", "new"))
    for at in range(2):
        frame.iloc[at::2].to_csv(tmp_path / f"{at}.csv", index=False)
    whole = [
        count_files(str(tmp_path / f"{at}.csv"), label="y", groups=["race", "sex"], score="new", original_score="old",
                    engine=engine)
        for at in range(2)
    ]  # fmt: skip
    merged = merge_counts(whole)
    assert merged["rows"].sum() == N
    brute = frame.groupby(["race", "sex", "y", "o", "p"]).size()
    for values in merged.itertuples(index=False):
        key = (values.race, values.sex, values.y, values.original_decision, values.decision)
        assert brute[key] == values.rows
    roles = {"label": "y", "positive": 1, "sensitive_features": ["race", "sex"]}
    counted = audit_given(
        eh.read_evaluation_set(  # type: ignore[arg-type]
            merged, **roles, prediction="decision", original_prediction="original_decision", frequency="rows"
        )
    )
    found = [finding for finding in counted.findings if finding.audit == "compression"]
    assert len(found) > 300
    for finding in found:
        other = record[finding.name]
        assert finding.estimate == pytest.approx(other.estimate), finding.name
        assert finding.interval is None or other.interval is None or finding.interval.low == other.interval.low


def test_rows_audited_where_they_lie_are_compared_too(tmp_path: Path, record: AuditRecord) -> None:
    pytest.importorskip("duckdb")
    from evenhand.audits import audit_table

    table().to_csv(tmp_path / "scored.csv", index=False)
    found = audit_table(
        str(tmp_path / "scored.csv"), label="y", positive=1, score="new", original_score="old",
        sensitive_features=["race", "sex"],
    )  # fmt: skip
    for key in ("recall_change[race=z;of=original]", "recall_difference_change[race;of=original]"):
        assert found[key].estimate == record[key].estimate
        assert found[key].interval == record[key].interval


def test_the_command_line_counts_both_models_and_audits_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    table().to_csv("scored.csv", index=False)
    asked = "count scored.csv --label y --sensitive race --score new --original-score old -o counts.csv"
    assert exit_code(asked.split()) == 0
    asked = (
        "audit counts.csv --label y --pos-label 1 --sensitive race --prediction decision "
        "--original-prediction original_decision --frequency rows -o audit.json"
    )
    assert exit_code(asked.split()) == 0
    assert "recall_change[race=z;of=original]" in eh.read_record("audit.json")


def test_several_classes_are_compared_too() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 900)
    old = np.where(rng.random(900) < 0.8, truth, rng.integers(0, 3, 900))
    new = np.where((truth == 2) & (rng.random(900) < 0.5), 0, old)
    names = np.array(["a", "b", "c"])
    record = eh.audit_predictions(
        names[truth], names[new], original_pred=names[old], task="multiclass",
        sensitive_features={"sex": rng.choice(["f", "m"], 900)},
    )  # fmt: skip
    assert record["flip_rate[;of=original]"].estimate == pytest.approx(float((old != new).mean()))
    assert record["accuracy_change[;of=original]"].estimate == pytest.approx(
        float((new == truth).mean() - (old == truth).mean())
    )
    change = record["recall_change[;class=c;of=original]"]
    assert change.estimate == pytest.approx(
        float((new == truth)[truth == 2].mean() - (old == truth)[truth == 2].mean())
    )
    assert (record["normalized_recall_change[sex=f;class=c;of=original]"].interval.high or 0) < 0  # type: ignore[union-attr]
    assert (record["flip_rate[;class=a;of=original]"].estimate or 0) > 0.05
    assert "accuracy_change_group_min[sex;of=original]" in record


LIMITS = {
    "accuracy_change[race=*;of=original]": {"at_least": -0.05},
    "recall_change_group_min[race;of=original]": {"at_least": -0.05},
    "false_negative_rate_change[race=*;of=original]": {"at_most": 0.05},
}


def test_a_margin_is_judged_per_group_and_at_any_confidence(record: AuditRecord) -> None:
    for confidence in (0.95, 0.8):
        policy = eh.load_policy({"defaults": {"confidence": confidence}, "limits": LIMITS})
        found = {str(judgement.key): judgement.status for judgement in eh.judge(record, policy).judgements}
        assert found["accuracy_change[race=x;of=original]"] == "passed"
        assert found["accuracy_change[race=z;of=original]"] == "failed"
        assert found["recall_change_group_min[race;of=original]"] == "failed"
        assert found["false_negative_rate_change[race=x;of=original]"] == "passed", "not stated, but counted"
        assert found["false_negative_rate_change[race=z;of=original]"] == "failed"


def test_what_counts_say_again_is_what_was_stated(record: AuditRecord) -> None:
    from evenhand.findings import Finding
    from evenhand.metrics.answers import answers_of

    compared = 0
    for finding in record.of_audit("compression"):
        again = answers_of(record, 0.95)(finding.key)
        if isinstance(again, Finding):
            assert (again.estimate, again.interval, again.support) == (
                finding.estimate, finding.interval, finding.support,
            ), finding.name  # fmt: skip
            compared += 1
    assert compared > 150


def test_not_significant_is_not_harmless() -> None:
    """With few rows nothing is significant, and nothing is shown to be harmless either."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 60)
    old, new = (np.where(rng.random(60) < 0.8, truth, 1 - truth) for _ in range(2))
    record = eh.audit_predictions(truth, new, original_pred=old, sensitive_features={"sex": ["f", "m"] * 30})
    assert min(record[f"p_value[sex={s};of=original;rate=accuracy]"].estimate or 0 for s in "fm") > 0.05
    verdict = eh.judge(record, eh.load_policy({"limits": {"accuracy_change[sex=*;of=original]": {"at_least": -0.02}}}))
    assert verdict.status == "undecided"


def test_weights_are_in_the_intervals_and_named_where_they_are_not() -> None:
    frame, rng = table(3), np.random.default_rng(3)
    settings = {"y_score": frame["new"], "original_score": frame["old"], "sensitive_features": frame[["race"]]}
    plain = eh.audit_predictions(frame["y"], positive=1, **settings)  # type: ignore[arg-type]
    weighted = eh.audit_predictions(
        frame["y"],
        positive=1,
        sample_weight=rng.exponential(size=N),
        **settings,  # type: ignore[arg-type]
    )
    key = "accuracy_change[race=z;of=original]"
    widths = [(r[key].interval.high or 0) - (r[key].interval.low or 0) for r in (plain, weighted)]  # type: ignore[union-attr]
    assert widths[1] > widths[0]
    reasons = {section.audit: section.reason for section in weighted.sections}
    assert "without weights" in reasons["compression"]
    policy = eh.load_policy({"defaults": {"confidence": 0.9}, "limits": {key: {"at_least": -0.6}}})
    assert eh.judge(weighted, policy).status == "passed", "weights stand in the record's joint counts, too"
