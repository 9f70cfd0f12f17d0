"""Swaps with proxies and declared directions: planted effects are found, absent ones are not invented."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import AUDITS, AuditOptions
from evenhand.errors import InputError
from evenhand.evidence import Evidence
from evenhand.probing.swapping import as_another_group
from evenhand.subjects import as_subject


def people(rows: int = 2_000, seed: int = 0, *, read_race: bool = False) -> eh.EvaluationSet:
    """Postcode stands for race; income is honest; the job is a category that stands for race, too."""
    rng = np.random.default_rng(seed)
    race = rng.choice(["a", "b"], rows)
    table = pd.DataFrame(
        {
            "race": race,
            "sex": rng.choice(["f", "m"], rows),
            "postcode": (race == "b") * 1.5 + rng.normal(0, 1, rows),
            "job": np.where(rng.random(rows) < np.where(race == "b", 0.9, 0.1), "manual", "office"),
            "income": rng.normal(0, 1, rows),
        }
    )
    table["paid"] = (table["income"] - table["postcode"] + rng.normal(0, 1, rows) > -0.7).astype(int)
    return eh.read_evaluation_set(
        table, label="paid", favourable=1, sensitive_features=["race", "sex"], use_sensitive=read_race
    )


def by_postcode(rows: pd.DataFrame) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(rows["income"] - rows["postcode"] + 0.7))))


def by_income(rows: pd.DataFrame) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-rows["income"])))


def test_a_model_that_reads_a_proxy_is_found_with_it_and_not_by_the_plain_swap() -> None:
    data = people(read_race=True)
    plain = eh.audit(by_postcode, data, audits=["reliance"], explain=False)
    assert plain["counterfactual_flip_rate[race=b]"].estimate == 0
    record = eh.audit(by_postcode, data, audits=["counterfactual"], counterfactual={"race": ["postcode"]})
    for group in "ab":
        rate = record[f"proxy_flip_rate[race={group}]"].interval
        assert rate is not None
        assert (rate.low or 0) > 0.2
    gains = record["proxy_swap_change[race=b;vs=a]"]
    assert gains.interval is not None
    assert (gains.interval.low or 0) > 0.2
    assert "more favourable" in gains.note
    assert "fewer favourable" in record["proxy_swap_change[race=a;vs=b]"].note
    assert record["proxy_flip_rate[race=a,sex=f;swap=race]"].estimate is not None


def test_a_model_that_reads_no_proxy_never_flips() -> None:
    record = eh.audit(by_income, people(), audits=["counterfactual"], counterfactual={"race": ["postcode", "job"]})
    rates = [f for f in record.findings if f.key.metric == "proxy_flip_rate"]
    assert rates
    assert all(f.estimate == 0 for f in rates)
    assert not any(f.note for f in record.findings if f.key.metric == "proxy_swap_change")


def test_a_category_goes_to_the_place_that_it_has_in_the_other_group() -> None:
    data = people()

    def by_job(rows: pd.DataFrame) -> np.ndarray:
        return np.where(rows["job"] == "office", 0.9, 0.1)

    record = eh.audit(by_job, data, audits=["counterfactual"], counterfactual={"race": "job"})
    office = [(data.table.loc[data.table["race"] == g, "job"] == "office").mean() for g in "ab"]
    change = record["proxy_swap_change[race=b;vs=a]"].estimate
    assert change == pytest.approx(office[0] - office[1], abs=0.01), "as many are clerks then as in the other group"
    assert record["proxy_flip_rate[race=b]"].estimate == pytest.approx(office[0] - office[1], abs=0.01), (
        "and nobody moves who need not"
    )


def test_swapped_numbers_are_distributed_as_in_the_other_group_and_keep_their_order() -> None:
    data = people()
    race, table = data.grouping("race"), data.table
    mine = np.flatnonzero(race.codes == 0)
    changed = as_another_group(table, mine, race, 1, ["postcode"], np.zeros(len(table)))
    assert changed is not None
    theirs = table["postcode"][race.codes == 1]
    for share in (0.1, 0.5, 0.9):
        assert changed["postcode"].quantile(share) == pytest.approx(theirs.quantile(share), abs=0.1)
    order = table["postcode"].iloc[mine].to_numpy().argsort()
    assert (np.diff(changed["postcode"].to_numpy()[order]) >= 0).all()
    assert (changed["race"] == "b").all()
    pd.testing.assert_series_equal(changed["income"], table["income"].iloc[mine])
    few = table.assign(race=np.where(np.arange(len(table)) < 5, "c", "a"))
    third = eh.read_evaluation_set(few, label="paid", sensitive_features="race").grouping("race")
    assert as_another_group(few, mine[:3], third, 1, ["postcode"], np.zeros(len(few))) is None


def test_missing_cells_and_columns_of_whole_numbers_are_swapped() -> None:
    data = people(400)
    table = data.table.assign(points=np.arange(400) % 7, postcode=data.table["postcode"].where(np.arange(400) % 10 > 0))
    again = eh.read_evaluation_set(table, label="paid", favourable=1, sensitive_features="race")
    changed = as_another_group(
        again.table, np.arange(50), again.grouping("race"), 1, ["postcode", "points"], np.zeros(400)
    )
    assert changed is not None
    assert changed["points"].dtype == table["points"].dtype
    assert changed["postcode"].isna().any()


def test_the_change_by_compression_is_paired() -> None:
    data = people()
    record = eh.audit(
        by_income, data, original=by_postcode, audits=["counterfactual"], counterfactual={"race": ["postcode"]}
    )
    change = record["proxy_flip_rate_change[race=b;of=original]"]
    assert change.interval is not None
    assert (change.interval.high or 0) < -0.2


def test_what_was_declared_wrongly_is_all_named() -> None:
    with pytest.raises(InputError, match="postcod") as wrong:
        eh.audit(by_postcode, people(), audits=["counterfactual"], counterfactual={"job": "postcod"})
    assert "no sensitive feature" in str(wrong.value)
    with pytest.raises(InputError, match="incrase") as wrong:
        eh.audit(by_income, people(), audits=["monotonicity"], monotone={"income": "incrase", "job": "increase"})
    assert "no column of numbers" in str(wrong.value)


def test_a_monotone_model_has_no_violation_and_a_bump_is_found_in_its_group() -> None:
    data = people(read_race=True)

    def bumped(rows: pd.DataFrame) -> np.ndarray:
        bump = 0.3 * ((rows["income"] > -0.5) & (rows["income"] < 0.2) & (rows["race"] == "b"))
        return np.asarray(0.9 * by_income(rows) * (1 - bump))

    straight = eh.audit(by_income, data, audits=["monotonicity"], monotone={"income": "increase"})
    assert straight["monotonicity_violations[;feature=income]"].estimate == 0
    assert straight["monotonicity_fall[;feature=income]"].estimate == 0
    fall = straight["monotonicity_fall[;feature=income]"].interval
    assert fall is not None
    assert (fall.high or 0) > 0, "that none fell is no proof that none does"
    turned = eh.audit(by_income, data, audits=["monotonicity"], monotone={"income": "decrease"})
    assert turned["monotonicity_violations[;feature=income]"].estimate == 1
    record = eh.audit(bumped, data, audits=["monotonicity"], monotone={"income": "increase"})
    assert record["monotonicity_violations[race=b;feature=income]"].estimate == 1
    assert record["monotonicity_violations[race=a;feature=income]"].estimate == 0
    gap = record["monotonicity_violations_difference[race;feature=income]"].interval
    assert gap is not None
    assert (gap.low or 0) > 0.9


def test_rounding_of_single_precision_is_no_violation() -> None:
    rng = np.random.default_rng(0)

    def noisy(rows: pd.DataFrame) -> np.ndarray:
        return by_income(rows) + rng.uniform(-1e-8, 1e-8, len(rows))

    record = eh.audit(noisy, people(), audits=["monotonicity"], monotone={"postcode": "increase"})
    assert record["monotonicity_violations[;feature=postcode]"].estimate == 0


def test_they_run_where_they_are_declared_and_on_a_real_table() -> None:
    data = eh.load_loanapp()

    def score(rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-(rows["appinc"] - 80) / 20)))

    def run(**declared: Any) -> set[str]:
        evidence = Evidence(as_subject(score), data, options=AuditOptions(**declared))
        return {name for name in ("counterfactual", "monotonicity", "generalization") if AUDITS[name].wanted(evidence)}

    assert run() == set()
    assert run(counterfactual={"sex": ["appinc"]}) == {"counterfactual"}
    assert run(monotone={"appinc": "increase"}) == {"monotonicity"}
    assert run(domains="sex") == {"generalization"}
    record = eh.audit(
        score, data, audits=["counterfactual", "monotonicity"], counterfactual={"sex": ["appinc"]},
        monotone={"appinc": "increase"},
    )  # fmt: skip
    assert record["monotonicity_violations[;feature=appinc]"].estimate == 0
    assert (record["proxy_flip_rate[sex=female]"].estimate or 0) > 0
    page = eh.render(record)
    assert "What if: another group, another value" in page
    assert "No score moves against a declared direction" in page
