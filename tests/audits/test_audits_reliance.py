"""Proxies, swaps, reasons and ways out: planted ones are found, absent ones are not named."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data import EvaluationSet, read_evaluation_set
from evenhand.errors import InputError
from evenhand.explaining import explain
from evenhand.explaining.proxies import Telling
from evenhand.explaining.reasons import reason_codes, reasons_against
from evenhand.explaining.recourse import recourse
from evenhand.metrics import roc_auc
from evenhand.subjects import as_subject


def people(rows: int = 600, seed: int = 0, *, read_sex: bool = False) -> tuple[pd.DataFrame, EvaluationSet]:
    """Postcode stands for race and is used; the language stands for it, too, and is not used; income is honest."""
    rng = np.random.default_rng(seed)
    race = rng.choice(["a", "b"], rows)
    table = pd.DataFrame(
        {
            "race": race,
            "postcode": (race == "b") * 1.5 + rng.normal(0, 1, rows),
            "language": (race == "b") * 3.0 + rng.normal(0, 1, rows),
            "income": rng.normal(0, 1, rows),
            "sex": rng.integers(0, 2, rows),
        }
    )
    table["paid"] = (table["income"] - table["postcode"] + rng.normal(0, 1, rows) > -0.7).astype(int)
    sensitive = ["race", "sex"]
    data = read_evaluation_set(
        table, label="paid", favourable=1, sensitive_features=sensitive, use_sensitive=read_sex,
        exclude=["race"] if read_sex else [],
    )  # fmt: skip
    return table, data


def model(table: pd.DataFrame) -> np.ndarray:
    """It uses income and postcode, looks at language without using it, and at sex where that is given."""
    bonus = 0.8 * table["sex"] if "sex" in table else 0.0
    return np.asarray(1 / (1 + np.exp(-(table["income"] - table["postcode"] + 0.0 * table["language"] + bonus + 0.7))))


@pytest.fixture(scope="module")
def record() -> eh.AuditRecord:
    _, data = people()
    return eh.audit(model, data, actionable={"income": "increase"}, explain_rows=300, background_rows=100)


def test_a_planted_proxy_is_named_and_one_that_is_not_used_is_not(record: eh.AuditRecord) -> None:
    named = {f.key.qualifier("feature") for f in record.findings if f.key.metric == "proxy_part"}
    assert named == {"postcode"}
    part = record["proxy_part[race;feature=postcode]"]
    assert part.estimate == pytest.approx(1.0, abs=0.2)
    told = record["proxy_auc[race=a;feature=language]"]
    assert (told.estimate or 0) > 0.95, "it tells the group best, and is no proxy: nothing rests on it"
    honest = record["proxy_auc[race=a;feature=income]"].interval
    assert honest is not None
    assert (honest.low or 0) < 0.55
    assert record["mutual_information[race;feature=income]"].estimate == pytest.approx(0.0, abs=0.03)


def test_the_share_of_decisions_that_turn_on_a_sensitive_input_is_exact() -> None:
    table, data = people(read_sex=True)
    found = eh.audit(model, data, audits=["reliance"], explain=False)
    scores = [model(table.assign(sex=value)) >= 0.5 for value in (0, 1)]
    turned = scores[0] != scores[1]
    for value in (0, 1):
        share = turned[table["sex"] == value].mean()
        assert found[f"counterfactual_flip_rate[sex={value}]"].estimate == pytest.approx(share)


def test_reasons_are_counted_and_a_sensitive_one_is_told() -> None:
    _, data = people(read_sex=True)
    found = eh.audit(model, data, explain_rows=200)
    first = {
        f.key.columns[0]: f.estimate
        for f in found.findings
        if f.key.metric == "principal_reason" and f.key.qualifier("given") is None
    }
    assert set(first) <= {"income", "postcode", "sex"}
    assert sum(value or 0 for value in first.values()) == pytest.approx(1.0)
    assert (found["sensitive_reason_share[sex]"].estimate or 0) > 0
    assert "withheld" in found["sensitive_reason_share[sex]"].note


def test_a_notice_with_a_sensitive_reason_is_withheld_and_others_are_in_words() -> None:
    _, data = people(read_sex=True)
    rows = data.X.iloc[:40]
    attributions = explain(as_subject(model), rows, data.X.iloc[40:140])
    notices = reason_codes(
        attributions, model(rows) < 0.5, sensitive=["sex"], words={"income": "Income too low for the loan"}
    )
    assert len(notices) == int((model(rows) < 0.5).sum())
    held = notices["status"].str.startswith("withheld")
    assert held.any()
    assert not held.all()
    assert (notices.loc[held, "reason_1"] == "").all()
    ready = notices[~held]
    assert ready["reason_1"].isin(["Income too low for the loan", "postcode"]).all()
    assert "sex" not in set(ready.filter(like="reason").to_numpy().ravel())


def test_reasons_are_the_greatest_parts_against_the_person() -> None:
    values = np.array([[-1.0, -0.01, 0.5, -2.0], [0.3, 0.2, 0.1, 0.0]])
    assert reasons_against(values).tolist() == [[3, 0, -1, -1], [-1, -1, -1, -1]]
    assert reasons_against(values, low_is_bad=False)[1].tolist() == [0, 1, 2, -1]


def test_the_way_out_is_the_cheapest_of_all_combinations() -> None:
    rng = np.random.default_rng(0)
    usual = pd.DataFrame({"income": rng.normal(0, 1, 400), "debt": rng.normal(0, 1, 400), "age": rng.normal(0, 1, 400)})
    rows = usual.iloc[:60].assign(income=lambda t: t["income"] - 1)

    def accepts(table: pd.DataFrame) -> np.ndarray:
        return np.asarray(table["income"] - table["debt"] + 0.1 * table["age"] > 0.8)

    rows = rows[~accepts(rows)]
    found = recourse(accepts, rows, usual, {"income": "increase", "debt": "decrease"})
    grid = {name: np.unique(np.quantile(usual[name], np.linspace(0, 1, 11), method="inverted_cdf")) for name in usual}

    def place(name: str, value: float) -> float:
        known = np.sort(usual[name])
        return float(np.searchsorted(known, value, "left") + np.searchsorted(known, value, "right")) / 2 / len(known)

    for at, (_, row) in enumerate(rows.iterrows()):
        best = np.inf
        for income, debt in product([row["income"], *grid["income"]], [row["debt"], *grid["debt"]]):
            if income >= row["income"] and debt <= row["debt"] and income - debt + 0.1 * row["age"] > 0.8:
                price = sum(abs(place(n, v) - place(n, row[n])) for n, v in (("income", income), ("debt", debt)))
                best = min(best, price)
        assert found.cost[at] == pytest.approx(best)


def test_ways_out_by_group_and_what_cannot_be_changed(record: eh.AuditRecord) -> None:
    assert (record["recourse_cost[race=b]"].estimate or 0) > (record["recourse_cost[race=a]"].estimate or 0)
    assert record["recourse_cost_difference[race]"].interval is not None
    assert record["no_recourse_rate"].estimate is not None
    with pytest.raises(InputError, match=r"no such column\. Did you mean 'income'"):
        recourse(lambda t: np.ones(len(t)), people()[0][["income"]], people()[0][["income"]], {"incom": "any"})


def test_what_a_column_tells_does_not_come_from_learning_it_by_heart() -> None:
    rng = np.random.default_rng(0)
    member = rng.random(2_000) < 0.5
    names = pd.Series([f"name {at}" for at in rng.integers(0, 1_000, 2_000)])
    found = Telling(names).predicts(member)
    assert found is not None
    assert found.low < 0.55
    same = Telling(pd.Series(np.where(member, "x", "y")))
    told = same.predicts(member)
    assert told is not None
    assert told.auc > 0.99
    assert same.shares(member.astype(int), 2) == pytest.approx(1, abs=0.01)
    assert Telling(names).predicts(np.ones(2_000, dtype=bool)) is None


@pytest.mark.parametrize("kind", ["fractions", "few numbers", "texts", "many texts"])
def test_groups_counted_in_the_order_of_a_column_give_the_area_of_its_rows(kind: str) -> None:
    rng = np.random.default_rng(3)
    codes = rng.choice(4, 3_000, p=[0.6, 0.3, 0.09, 0.01])
    column = {
        "fractions": pd.Series(np.where(rng.random(3_000) < 0.02, np.nan, rng.normal(0, 1, 3_000) + codes / 3)),
        "few numbers": pd.Series(rng.integers(0, 5, 3_000) + codes),
        "texts": pd.Series(rng.integers(0, 4, 3_000) + codes).map("t{}".format),
        "many texts": pd.Series(rng.integers(0, 1_500, 3_000)).map("t{}".format),
    }[kind]
    telling = Telling(column, seed=5)
    for group in range(4):
        member = codes == group
        found, whole = telling.predicts(member), _by_rows(column, member, 5)
        assert found is not None
        assert (found.auc, found.low, found.high) == pytest.approx(whole, rel=1e-10)


def _by_rows(column: pd.Series, member: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Return the area of a column, each row with a score: its number, or the share of the group in other folds."""
    if column.dtype.kind in "if":
        score = column.fillna(column.min() - 1).to_numpy(dtype=float)
    else:
        fold, score = np.random.default_rng(seed).integers(0, 5, len(column)), np.empty(len(column))
        for row, (value, part) in enumerate(zip(column, fold, strict=True)):
            others = fold != part
            alike = member[others & (column == value).to_numpy()]
            score[row] = (alike.sum() + member[others].mean()) / (len(alike) + 1)
    found = roc_auc(member, score, np.zeros(len(member), dtype=int))
    area, low, high = (float(part[0]) for part in (found.estimate, found.low, found.high))
    return (area, low, high) if area >= 0.5 else (1 - area, 1 - high, 1 - low)


def test_swaps_ask_for_a_sample_of_each_group_and_for_no_row_twice_with_its_own_value() -> None:
    _, data = people(rows=900, read_sex=True)
    asked: list[pd.DataFrame] = []

    def watched(rows: pd.DataFrame) -> np.ndarray:
        asked.append(rows)
        return model(rows)

    whole = eh.audit(watched, data, audits=["reliance"], explain=False)
    swaps = [rows for rows in asked if rows["sex"].nunique() == 1 and len(rows) > 1]
    assert sum(map(len, swaps)) == len(data), "every row once, with the value that it has not"
    asked.clear()
    sampled = eh.audit(watched, data, audits=["reliance"], explain=False, swap_rows=100)
    assert sum(len(rows) for rows in asked if rows["sex"].nunique() == 1 and len(rows) > 1) == 200
    for value in (0, 1):
        found = sampled[f"counterfactual_flip_rate[sex={value}]"]
        assert found.support == 100
        assert found.interval is not None
        exact = whole[f"counterfactual_flip_rate[sex={value}]"].estimate
        assert (found.interval.low or 0) <= (exact or 0) <= (found.interval.high or 1)
    said = [section.reason for section in sampled.sections if section.audit == "reliance"]
    assert "at most 100 rows of each group, drawn with the seed" in said[0]
    assert sampled.provenance["options"]["swap_rows"] == 100
    assert sampled.findings == eh.audit(model, data, audits=["reliance"], explain=False, swap_rows=100).findings
