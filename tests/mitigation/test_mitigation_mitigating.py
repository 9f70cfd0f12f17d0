"""Candidates fitted, chosen and judged on three parts: what is chosen, what is recommended, and what is told."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError, ModelError, PolicyError
from evenhand.evidence.predictions import predict, proven
from evenhand.mitigation import Candidate, mitigated
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from evenhand.mitigation import Mitigated

POLICY = {"limits": {"demographic_parity_difference[sex]": {"at_most": 0.15}, "accuracy": {"at_least": 0.7}}}
ROLES: dict[str, Any] = {"label": "paid", "pos_label": "yes", "sensitive_features": "sex", "favourable": "yes"}
LIGHT: dict[str, Any] = {"audits": ["performance"], "footprint": False}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 7_000
    sex = rng.choice(["f", "m"], n)
    a, b = rng.normal(size=n) + 0.7 * (sex == "m"), rng.normal(size=n)
    paid = np.where(a + b + rng.normal(size=n) * 0.7 > 0.5, "yes", "no")
    return pd.DataFrame({"a": a, "b": b, "sex": sex, "paid": paid})


@pytest.fixture(scope="module")
def model(table: pd.DataFrame) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(table[["a", "b"]], table.paid)


@pytest.fixture(scope="module")
def made(table: pd.DataFrame, model: Any) -> Mitigated:
    return mitigated(model, table, POLICY, candidates=["threshold", "group_thresholds"], **ROLES, **LIGHT)


def test_a_failed_policy_is_met_and_recommended(made: Mitigated) -> None:
    facts = made.record.provenance["mitigation"]
    assert facts["before"] == "failed"
    assert facts["recommended"]
    assert eh.judge(made.record, POLICY).status == "passed"
    assert facts["candidates"][0]["name"] == "unchanged"
    assert [each["chosen"] for each in facts["candidates"]].count(True) == 1
    assert facts["rows"] == {"fit": 2800, "choose": 2100, "judge": 2100}
    assert made.record.provenance["data"]["rows"] == 2100


def test_the_chosen_one_passes_within_a_standard_error_of_the_best_on_the_second_part(made: Mitigated) -> None:
    tried = made.record.provenance["mitigation"]["candidates"]
    passing = [
        each for each in tried if each["limits"] and all(limit["status"] == "passed" for limit in each["limits"])
    ]
    assert passing
    best = max((each["performance"] for each in passing), key=lambda each: each["estimate"])
    chosen = next(each for each in tried if each["chosen"])
    assert chosen in passing
    error = (best["high"] - best["low"]) / 2 / 1.96
    assert chosen["performance"]["estimate"] >= best["estimate"] - error - 1e-9


def test_who_gains_and_who_loses_are_the_rows_decided_otherwise(made: Mitigated) -> None:
    record = made.record
    groups = record.provenance["mitigation"]["groups"]
    for group in groups:
        key = f"[sex={group['group']};of=original]"
        changed = record[f"flip_rate{key}"].estimate
        assert changed == pytest.approx((group["gained"] + group["lost"]) / group["rows"])
        moved = record[f"selection_rate_change{key}"].estimate
        assert moved == pytest.approx((group["gained"] - group["lost"]) / group["rows"])
    assert {group["group"] for group in groups} == {"f", "m"}


def test_the_winner_is_a_model_that_is_saved_opened_and_audited(
    tmp_path: Path, made: Mitigated, table: pd.DataFrame
) -> None:
    pytest.importorskip("skops")
    assert made.needs_sensitive
    made.save(tmp_path / "fairer.mitigated")
    opened = eh.open_model(tmp_path / "fairer.mitigated")
    data = eh.read_evaluation_set(table, **ROLES)
    one, other = (predict(proven(each, data), data) for each in (made.subject, opened))
    assert (one.y_pred == other.y_pred).all()
    record = eh.audit(opened, data, audits=["performance", "fairness"])
    assert record.provenance["sensitive_inputs"] == ["sex"]


def test_an_audit_knows_the_rows_that_model_and_rule_were_fitted_and_chosen_on(
    tmp_path: Path, made: Mitigated, table: pd.DataFrame
) -> None:
    pytest.importorskip("skops")
    record = made.save(tmp_path / "fairer.mitigated")
    assert record.provenance["subject"]["file_bytes"] == (tmp_path / "fairer.mitigated").stat().st_size
    seen = eh.audit(
        eh.open_model(tmp_path / "fairer.mitigated"), table, audits=["performance"], footprint=False, **ROLES
    )
    assert seen.provenance["rows_seen_in_training"] == 2_800 + 2_100
    assert made.record.provenance["rows_seen_in_training"] == 0


def test_a_record_is_written_and_read_alike(tmp_path: Path, made: Mitigated) -> None:
    eh.write_record(tmp_path / "mitigated.json", made.record)
    assert eh.read_record(tmp_path / "mitigated.json").provenance["mitigation"] == made.record.provenance["mitigation"]


def test_the_same_seed_gives_the_same_record_and_another_other_parts(table: pd.DataFrame, model: Any) -> None:
    from evenhand.records import digest

    def run(seed: int) -> Any:
        return mitigated(model, table, POLICY, candidates=["threshold"], seed=seed, **ROLES, **LIGHT).record

    assert digest(run(1)) == digest(run(1))
    assert run(1).provenance["data"]["content_hash"] != run(2).provenance["data"]["content_hash"]


@pytest.mark.parametrize(
    "kind", ["threshold_optimizer", "exponentiated_gradient", "grid_search", "correlation_remover"]
)
def test_candidates_of_fairlearn_narrow_the_gap_and_can_be_saved(
    tmp_path: Path, table: pd.DataFrame, model: Any, kind: str
) -> None:
    pytest.importorskip("skops")
    made = mitigated(model, table, POLICY, candidates=kind, **ROLES, **LIGHT)
    tried = made.record.provenance["mitigation"]["candidates"]
    assert [each["failure"] for each in tried] == [""] * len(tried)
    gaps = [
        each["limits"][0]["estimate"]
        if "parity" in each["limits"][0]["key"]
        else next(limit["estimate"] for limit in each["limits"] if "selection_rate" in limit["key"])
        for each in tried
    ]
    assert min(gaps[1:]) < gaps[0] - 0.05
    made.save(tmp_path / "it.mitigated")
    data = eh.read_evaluation_set(table, **ROLES)
    one, other = (
        predict(proven(each, data), data) for each in (made.subject, eh.open_model(tmp_path / "it.mitigated"))
    )
    assert (one.y_pred == other.y_pred).all()


def test_what_cannot_be_made_is_a_record_with_a_reason(table: pd.DataFrame, model: Any) -> None:
    def refuse(rows: object, seed: int) -> Any:
        raise ModelError("It takes a network.")

    def break_down(rows: object, seed: int) -> Any:
        raise RuntimeError("out of luck")

    own = [Candidate("refused", "own", refuse), Candidate("broken", "own", break_down)]
    made = mitigated(model, table, POLICY, candidates=own, **ROLES, **LIGHT)
    tried = made.record.provenance["mitigation"]["candidates"]
    assert [each["failure"] for each in tried] == ["", "It takes a network.", "RuntimeError: out of luck"]
    assert not made.recommended
    assert made.record.provenance["subject"]["class"] == "LogisticRegression"
    assert "left as it is" in str(made.record.provenance["mitigation"]["why"])


def test_candidates_see_no_row_that_they_are_chosen_or_judged_on(table: pd.DataFrame, model: Any) -> None:
    seen: list[pd.DataFrame] = []

    def make(rows: Any, seed: int) -> Any:
        seen.append(rows.table)
        return as_subject(lambda X: X["a"] * 0 + 0.4, name="constant", threshold=0.5)

    made = mitigated(model, table, POLICY, candidates=[Candidate("c", "own", make)], **ROLES, **LIGHT)
    assert len(seen) == 1
    assert len(seen[0]) == made.record.provenance["mitigation"]["rows"]["fit"]


def test_group_blind_leaves_out_what_must_be_told_the_group(table: pd.DataFrame, model: Any) -> None:
    kinds = ["threshold", "group_thresholds", "threshold_optimizer"]
    made = mitigated(model, table, POLICY, candidates=kinds, group_blind=True, **ROLES, **LIGHT)
    tried = made.record.provenance["mitigation"]["candidates"]
    assert len(tried) > 1
    assert not any(each["needs_sensitive"] for each in tried)


def test_rows_that_are_passed_as_they_are_need_no_mending(table: pd.DataFrame, model: Any) -> None:
    policy = {"limits": {"accuracy": {"at_least": 0.6}}}
    made = mitigated(model, table, policy, candidates="threshold", **ROLES, **LIGHT)
    assert not made.recommended
    assert made.record.provenance["mitigation"]["before"] == "passed"


def test_what_it_cannot_do_is_said(table: pd.DataFrame, model: Any) -> None:
    with pytest.raises(InputError, match="three shares above 0"):
        eh.mitigate(model, table, POLICY, shares=(0.5, 0.5), **ROLES)
    with pytest.raises(PolicyError, match="limit of it is blocking"):
        eh.mitigate(model, table, {"limits": {"accuracy": {"at_least": 0.5, "advisory": True}}}, **ROLES)
    with pytest.raises(InputError, match="There is no mitigation 'treshold'"):
        eh.mitigate(model, table, POLICY, candidates="treshold", **ROLES)
    numbers = {"label": "a", "task": "regression", "sensitive_features": "sex"}
    with pytest.raises(InputError, match="label of two classes"):
        eh.mitigate(lambda X: X["b"], table, POLICY, **numbers)  # type: ignore[arg-type]


def null() -> Any:
    """The simulation of benchmarks/mitigation_null.py."""
    place = Path(__file__).parents[2] / "benchmarks" / "mitigation_null.py"
    spec = importlib.util.spec_from_file_location("mitigation_null", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_candidates_that_mend_nothing_are_hardly_ever_recommended_in_a_few_runs() -> None:
    runs = 10
    assert sum(null().recommended(0.03, seed) for seed in range(1_000, 1_000 + runs)) <= 2  # 3 of 10: p < .012 at 5 %


@pytest.mark.slow
@pytest.mark.parametrize("gap", [0.03, 0.06])
def test_candidates_that_mend_nothing_are_recommended_in_at_most_one_run_of_twenty(gap: float) -> None:
    assert sum(null().recommended(gap, seed) for seed in range(200)) <= 10
