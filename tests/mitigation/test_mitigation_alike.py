"""What performs hardly better than one decision for everybody is neither chosen nor recommended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import AuditOptions
from evenhand.errors import InputError
from evenhand.keys import Key
from evenhand.mitigation import Candidate, mitigated
from evenhand.mitigation.alike import alike
from evenhand.mitigation.trying import COUNTED, Court
from evenhand.report.mitigated import left_out
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.mitigation.alike import Alike
    from evenhand.subjects import Subject

GAP: dict[str, Any] = {"selection_rate_difference[sex]": {"at_most": 0.1}}
ROLES: dict[str, Any] = {
    "label": "paid", "sensitive_features": "sex", "audits": ["performance"], "footprint": False, "explain": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 6_000
    score, sex = rng.random(n), rng.choice(["f", "m"], n)
    paid = (rng.random(n) < 0.1 + 0.6 * score).astype(int)
    return pd.DataFrame({"score": score, "shifted": score + 0.4 * (sex == "m") - 0.2, "sex": sex, "paid": paid})


def model(column: str = "shifted", threshold: float = 0.5) -> Subject:
    return as_subject(
        lambda X: X[column].to_numpy(), features=["score", "shifted"], threshold=threshold, score_kind="ranking",
        name=f"{column} {threshold}",
    )  # fmt: skip


def own(name: str, make: Callable[[], Subject]) -> Candidate:
    return Candidate(name, "own", lambda rows, seed: make())


NOBODY = own("nearly nobody", lambda: model("score", 0.99))
EVEN = own("even", lambda: model("score", 0.66))


def chosen(record: Any) -> str:
    return str(next(each["name"] for each in record.provenance["mitigation"]["candidates"] if each["chosen"]))


def test_what_decides_nearly_alike_for_everybody_is_left_out_though_it_passes_farthest_inside(
    table: pd.DataFrame,
) -> None:
    record = mitigated(model(), table, {"limits": GAP}, candidates=[NOBODY, EVEN], **ROLES).record
    facts = record.provenance["mitigation"]
    by_name = {each["name"]: each for each in facts["candidates"]}
    assert all(limit["status"] == "passed" for limit in by_name["nearly nobody"]["limits"])
    assert [by_name[name]["idle"] for name in ("nearly nobody", "even")] == [True, False]
    assert chosen(record) == "even"
    assert facts["recommended"]
    assert facts["alike"]["positive"] is False
    assert left_out(facts).startswith("1 candidate is left out, as it keeps too little")


def test_where_nothing_else_passes_nothing_is_recommended(table: pd.DataFrame) -> None:
    made = mitigated(model(), table, {"limits": GAP}, candidates=[NOBODY], **ROLES)
    assert chosen(made.record) == "unchanged"
    assert not made.recommended


def test_keep_0_asks_for_any_gain_and_is_judged_by_other_rows(table: pd.DataFrame) -> None:
    hardly = own("hardly", lambda: model("score", 0.985))
    made = mitigated(model(), table, {"limits": GAP}, candidates=[hardly], keep=0.0, **ROLES)
    facts = made.record.provenance["mitigation"]
    if chosen(made.record) == "hardly":
        assert not made.recommended
        assert "one decision for everybody" in str(facts["why"])
    with pytest.raises(InputError, match="keep=: a share from 0 to 1"):
        mitigated(model(), table, {"limits": GAP}, candidates=[hardly], keep=2.0, **ROLES)


def compared(table: pd.DataFrame, performance: str, limits: dict[str, Any], keep: float = 0.5) -> tuple[Alike, Court]:
    rows = eh.read_evaluation_set(table, label="paid", sensitive_features="sex")
    policy = eh.load_policy({"limits": limits})
    court = Court(rows, policy, Key.parse(performance), AuditOptions(intersections=1, explain=False), COUNTED)
    deployed = court.judged(Candidate("unchanged", "unchanged", lambda rows, seed: model()), model())
    found = alike(court, deployed, keep)
    assert found is not None
    return found, court


def test_it_is_the_better_of_the_two_decisions_and_half_of_the_gain_is_needed(table: pd.DataFrame) -> None:
    same, _ = compared(table, "accuracy", GAP)
    share = table["paid"].mean()
    right = ((table["shifted"] >= 0.5) == (table["paid"] == 1)).mean()
    assert same.performance.estimate == pytest.approx(max(share, 1 - share))
    assert same.least == pytest.approx((max(share, 1 - share) + right) / 2)


def test_a_measure_that_is_better_when_lower_is_turned(table: pd.DataFrame) -> None:
    same, court = compared(table, "false_discovery_rate", GAP)
    assert same.positive
    assert same.performance.estimate == pytest.approx(1 - table["paid"].mean())
    for threshold in (0.05, 0.5, 0.66):
        tried = court.judged(Candidate("own", "own", lambda rows, seed: model()), model("score", threshold))
        assert tried.performance is not None
        assert tried.performance.estimate is not None
        assert same.leaves_out(tried) == (tried.performance.estimate > same.least)


def test_a_decision_for_everybody_that_the_policy_rules_out_is_no_choice(table: pd.DataFrame) -> None:
    limits = {"selection_rate[sex=f]": {"at_least": 0.2}}
    same, _ = compared(table, "accuracy", limits)
    assert same.positive


def test_a_decision_for_everybody_is_compared_with_where_these_rows_rule_it_out(table: pd.DataFrame) -> None:
    limits = {"accuracy": {"at_least": 0.7}}
    same, court = compared(table, "balanced_accuracy", {"accuracy": {"at_least": 0.3}})
    strict = Court(court.rows, eh.load_policy({"limits": limits}), court.performance, court.options, COUNTED)
    assert same.is_beaten(model("score", 0.5), court.rows, strict)


def test_rows_that_show_a_gain_row_by_row_show_it(table: pd.DataFrame) -> None:
    same, court = compared(table, "accuracy", GAP)
    rows = court.rows
    assert same.is_beaten(model("score", 0.66), rows, court)
    assert not same.is_beaten(model("score", 1.01), rows, court)
    same, court = compared(table, "balanced_accuracy", GAP)  # without a paired interval
    assert same.is_beaten(model("score", 0.66), rows, court)
    assert not same.is_beaten(model("score", 1.01), rows, court)
