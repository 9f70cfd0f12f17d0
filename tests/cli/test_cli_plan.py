"""Plans: rows per group before any audit, what given rows can show, and the page of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, PolicyError
from evenhand.metrics import Tally, disparity
from evenhand.metrics.answers.simulated import Table, simulated_ends
from evenhand.policy.advice.assurance import decided

if TYPE_CHECKING:
    from pathlib import Path

RATES = {
    "race": {
        "white": {"share": 0.6, "base_rate": 0.4, "recall": 0.8, "false_positive_rate": 0.2},
        "black": {"share": 0.4, "base_rate": 0.35, "recall": 0.76, "false_positive_rate": 0.19},
    }
}
SELECTED = {"sex": {"f": {"share": 0.4, "selection_rate": 0.34}, "m": {"share": 0.6, "selection_rate": 0.35}}}
GAP = {"limits": {"selection_rate_difference[sex]": {"at_most": 0.1}}}


def test_the_rows_of_a_plan_decide_about_as_often_as_is_said() -> None:
    (one,) = eh.plan(GAP, rates=SELECTED).limits
    rows = dict(one.rows)
    sizes = np.array([rows["sex=f"], rows["sex=m"]])
    selected = np.random.default_rng(0).binomial(sizes, [0.34, 0.35], (300, 2))
    cells = np.zeros((300, 2, 2, 2), dtype=np.int64)
    cells[..., 0, 0], cells[..., 0, 1] = sizes - selected, selected
    table = Table(("sex",), (("f",), ("m",)), ("0", "1"), cells[0])
    hits = decided(simulated_ends(one.key, table, cells, 0.95), one.limit, "simultaneous")
    assert np.mean(hits) == pytest.approx(0.8, abs=0.09)


def test_more_rows_have_a_greater_chance_and_show_stricter_limits() -> None:
    few, many = (eh.plan(GAP, rates=SELECTED, rows=rows).limits[0] for rows in (400, 4_000))
    assert few.chance is not None and many.chance is not None and few.chance < 0.8 < many.chance
    assert few.passes_from is not None and many.passes_from is not None and few.passes_from > 0.1 > many.passes_from
    chances = [chance for _, chance in few.curve]
    assert chances == sorted(chances)


def test_what_so_many_rows_can_show_is_what_most_audits_show() -> None:
    (one,) = eh.plan(GAP, rates=SELECTED, rows=1_000).limits
    sizes = np.array([400, 600])
    selected = np.random.default_rng(1).binomial(sizes, [0.34, 0.35], (200, 2))
    ends = []
    for hits in selected:
        cells = np.stack([np.zeros((2, 2), dtype=np.int64), np.column_stack([sizes - hits, hits])], axis=1)
        ends.append(disparity("selection_rate_difference", Tally(cells)).high)
    assert one.passes_from == pytest.approx(np.quantile(np.array(ends, dtype=float), 0.8), abs=0.012)


def test_a_limit_on_the_assumed_value_has_no_number() -> None:
    (one,) = eh.plan({"limits": {"selection_rate[sex=f]": {"at_least": 0.34}}}, rates=SELECTED).limits
    assert one.rows == () and one.total is None


def test_groups_by_their_shares_need_more_rows_than_chosen_ones() -> None:
    limit = {"limits": {"recall_difference[race]": {"at_most": 0.15}}}
    rare = {"race": {**RATES["race"], "white": {**RATES["race"]["white"], "share": 0.95}}}
    rare["race"]["black"] = {**RATES["race"]["black"], "share": 0.05}
    chosen, natural = (eh.plan(limit, rates=rare, proportional=by).limits[0] for by in (False, True))
    assert chosen.total is not None and natural.total is not None and natural.total > 2 * chosen.total
    assert dict(natural.rows)["race=white"] == pytest.approx(19 * dict(natural.rows)["race=black"], rel=0.1)


def test_each_group_and_all_rows_have_their_own_plan() -> None:
    limits = {"accuracy": {"at_least": 0.7}, "recall[race=*]": {"at_least": 0.7}, "roc_auc": {"at_least": 0.7}}
    found = eh.plan({"limits": limits}, rates=RATES)
    assert [str(one.key) for one in found.limits] == ["accuracy", "recall[race=white]", "recall[race=black]", "roc_auc"]
    assert [group for group, _ in found.limits[1].rows] == ["race=white"]
    assert [group for group, _ in found.limits[0].rows] == [""]
    assert found.limits[3].why and not found.limits[3].rows
    assert {group for group, _ in found.together} == {"race=white", "race=black"}


def test_rows_of_groups_are_rows_of_all_too() -> None:
    limits = {"accuracy": {"at_least": 0.7}, "recall_difference[race]": {"at_most": 0.1}}
    found = eh.plan({"limits": limits}, rates=RATES)
    assert dict(found.limits[0].rows)[""] < sum(dict(found.limits[1].rows).values())
    assert {group for group, _ in found.together} == {"race=white", "race=black"}


def test_one_rate_alone_plans_limits_on_that_rate_only() -> None:
    (one,) = eh.plan({"limits": {"recall_difference[sex]": {"at_most": 0.1}}}, rates=SELECTED).limits
    assert "only the selection_rate" in one.why


def test_a_plan_like_an_audit_allows_for_what_it_did_not_know() -> None:
    """Twenty times the rows behind equal rates make the plan surer, and shorter."""
    sex, decisions, truth = np.repeat(["f", "m"], 100), np.tile([0, 1], 100), np.tile([0, 0, 1, 1], 50)
    few = eh.audit_predictions(truth, decisions, sensitive_features={"sex": sex})
    many = eh.audit_predictions(
        np.tile(truth, 20), np.tile(decisions, 20), sensitive_features={"sex": np.tile(sex, 20)}
    )
    policy = {"limits": {"selection_rate_difference[sex]": {"at_most": 0.15}}}
    one, other = (eh.plan(policy, like=record).limits[0] for record in (few, many))
    assert other.total is not None
    assert one.total is None or one.total > other.total


def test_the_same_seed_gives_the_same_plan() -> None:
    assert eh.plan(GAP, rates=SELECTED, seed=1) == eh.plan(GAP, rates=SELECTED, seed=1)


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ({}, "names no feature"),
        ({"sex": {"f": {"share": 1, "selection_rate": 0.3}}}, "two groups or more"),
        ({"sex": "f"}, "two groups or more"),
        ({"sex": {"f": 1, "m": {"share": 1, "accuracy": 0.3}}}, "a group is a table"),
        ({"sex": {**SELECTED["sex"], "m": {"share": 0.9, "selection_rate": 0.3}}}, "together they are 1"),
        ({"sex": {**SELECTED["sex"], "m": {"share": 0.6, "selection_rate": 30}}}, "between 0 and 1"),
        ({"sex": {**SELECTED["sex"], "m": {"share": True, "selection_rate": 0.3}}}, "between 0 and 1"),
        ({"sex": {**SELECTED["sex"], "m": {"share": 0.6, "selection_rat": 0.3}}}, "selection_rat"),
        ({"sex": {**SELECTED["sex"], "m": {"share": 0.6, "recall": 0.3}}}, "give base_rate"),
        ({"sex": {**SELECTED["sex"], "m": {"share": 0.6, "accuracy": 0.3}}}, "the same rates"),
        ({"sex": {f"g{at}": {"share": 1 / 400, "accuracy": 0.5} for at in range(400)}}, "at most 300"),
    ],
)
def test_rates_that_are_none_are_refused(rates: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        eh.plan(GAP, rates=rates)


def test_a_policy_without_limits_to_plan_for_is_refused() -> None:
    policy = {"limits": {"accuracy": {"at_least": 0.5, "max_drop": 0.1}}}
    assert len(eh.plan(policy, rates=RATES).limits) == 1
    many = {"limits": {f"selection_rate[sex=g{at}]": {"at_least": 0.1} for at in range(51)}}
    with pytest.raises(PolicyError, match="1 to 50"):
        eh.plan(many, rates=SELECTED)


def test_the_verb_prints_rows_json_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, rates, page = tmp_path / "policy.toml", tmp_path / "rates.toml", tmp_path / "plan.html"
    limits = ("accuracy = { at_least = 0.7 }", '"recall_difference[race]" = { at_most = 0.15 }')
    policy.write_text("\n".join(["schema = 1", "[limits]", *limits]))
    rates.write_text(
        "[race]\n"
        "white = { share = 0.6, base_rate = 0.4, recall = 0.8, false_positive_rate = 0.2 }\n"
        "'<b>' = { share = 0.4, base_rate = 0.35, recall = 0.76, false_positive_rate = 0.19 }\n"
    )
    call = ["plan", str(policy), "--rates", str(rates), "--rows", "2000"]
    assert exit_code([*call, "-o", str(page)]) == 0
    said = capsys.readouterr().out
    assert "have a chance of 80 % to decide it" in said and "2,000 rows decide it with a chance of" in said
    text = page.read_text(encoding="utf-8")
    assert text.count("<polyline") == 2 and "<b>" not in text and "script" not in text
    assert exit_code([*call, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["schema"] == "evenhand-plan" and len(plain["limits"]) == 2
    assert plain["limits"][0]["total"] == sum(plain["limits"][0]["rows"].values())


def test_a_page_is_not_written_under_another_kinds_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, rates, page = tmp_path / "policy.toml", tmp_path / "rates.toml", tmp_path / "plan.pdf"
    policy.write_text('[limits]\n"selection_rate_difference[sex]" = { at_most = 0.1 }\n')
    rates.write_text("[sex]\nf = { share = 0.4, selection_rate = 0.34 }\nm = { share = 0.6, selection_rate = 0.35 }\n")
    assert exit_code(["plan", str(policy), "--rates", str(rates), "-o", str(page)]) == 2
    assert "name it .html" in capsys.readouterr().err
    assert not page.exists()


def test_of_a_rate_that_no_row_told_of_there_is_no_plan() -> None:
    """An audit of true objects alone, as of detections, has no false positive rate, and rows drawn like it neither."""
    sex = ["f", "m", "m"] * 20
    record = eh.audit_predictions([1] * 60, [1, 0] * 30, task="binary", sensitive_features={"sex": sex})
    limits = {"false_positive_rate": {"at_most": 0.1}, "recall": {"at_least": 0.2}}
    none, some = sorted(eh.plan({"limits": limits}, like=record).limits, key=lambda one: str(one.key))
    assert none.why == "No row whose truth is negative: false positive rate is 0 of 0."
    assert not none.rows
    assert some.rows
