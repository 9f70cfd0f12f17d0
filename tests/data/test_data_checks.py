"""Planted leaks are found, and clean tables are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data.checks import (
    conflicts,
    constants,
    disagreements,
    evaluated_before,
    hash_near,
    label_copies,
    lookalike_columns,
    missing_columns,
    naming_columns,
    near_texts,
    order_told,
    repeated_persons,
    repeats,
    sentinels,
    target_encodings,
    telling,
    time_columns,
    times_of,
    twins,
    unit_slips,
)
from evenhand.data.checks.coding import MOST_CODES, code
from evenhand.data.hashing import hash_rows
from evenhand.headlines import alarms

SHARED = Path(__file__).parents[3] / "shared" / "data"
N = 4_000


def clean(seed: int, n: int = N) -> pd.DataFrame:
    """People whose outcome depends on some columns, as it honestly does."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n),
            "income": np.round(rng.lognormal(10, 0.7, n), 2),
            "height": rng.normal(170, 8, n),
            "hours": rng.choice([20, 35, 40, 40, 60], n),
            "job": rng.choice(["cook", "clerk", "nurse", "driver", "teacher"], n),
            "town": rng.choice([f"town {at}" for at in range(40)], n),
            "children": rng.poisson(1.2, n),
            "savings": np.where(rng.random(n) < 0.4, 0.0, np.round(rng.lognormal(8, 1.2, n), 2)),
            "sex": rng.choice(["f", "m"], n),
        }
    )
    logit = 0.9 * np.log(rows["income"] / 22_000) + 0.02 * (rows["age"] - 45) + 0.2 * (rows["job"] == "nurse")
    rows["paid"] = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return rows


def loans() -> pd.DataFrame:
    """Real decisions, as a table."""
    return eh.load_loanapp().table.drop(columns=[]).reset_index(drop=True)


def audited(rows: pd.DataFrame, label: str = "paid", **more: object) -> eh.AuditRecord:
    more.setdefault("sensitive_features", ["sex"])
    return eh.audit_data(rows, label=label, missing="group", **more)  # type: ignore[arg-type]


def noted(record: eh.AuditRecord) -> dict[str, str]:
    return {found.name: str(found.note) for found in record.of_audit("data_quality") if found.note}


TABLES = {"people": (clean(1), "paid"), "loans": (loans(), "approve")}


@pytest.mark.parametrize("name", TABLES)
def test_a_recoded_label_is_found(name: str) -> None:
    rows, label = TABLES[name]
    record = audited(rows.assign(state=rows[label].map({0: "closed", 1: "open"})), label)
    assert "label_copy_auc[;feature=state]" in noted(record)
    assert record["label_copies"].estimate == 1


@pytest.mark.parametrize("name", TABLES)
def test_a_label_with_noise_is_found(name: str) -> None:
    rows, label = TABLES[name]
    noise = np.random.default_rng(2).normal(0, 0.15, len(rows))
    record = audited(rows.assign(index_value=3 * rows[label] + noise * 3), label)
    assert "label_copy_auc[;feature=index_value]" in noted(record)


def test_a_column_that_is_only_known_of_one_outcome_is_found() -> None:
    rows = TABLES["people"][0]
    day = np.random.default_rng(3).integers(0, 900, len(rows)).astype(float)
    rows = rows.assign(closed_on=np.where(rows["paid"] == 1, day, np.nan))
    assert "label_copy_auc[;feature=closed_on]" in noted(audited(rows))


def test_a_copy_that_goes_up_and_down_is_found() -> None:
    rows = TABLES["people"][0]
    codes = np.where(rows["paid"] == 1, np.arange(len(rows)) % 3 * 2, np.arange(len(rows)) % 3 * 2 + 1)
    (found,) = label_copies(rows.assign(code=codes), ["age", "code"], rows["paid"].to_numpy(), "binary")
    assert found.column == "code"
    assert found.told[0].auc == 1


def test_copies_of_classes_and_of_numbers_are_found() -> None:
    rows = TABLES["people"][0]
    classes = pd.factorize(rows["job"])[0]
    found = label_copies(rows, ["age", "town", "job"], classes, "multiclass")
    assert [copy.column for copy in found] == ["job"]
    record = eh.audit_data(rows.assign(cents=rows["income"] * 100 + 3), label="income", task="regression")
    assert "label_copy_correlation[;feature=cents]" in noted(record)


@pytest.mark.parametrize("name", TABLES)
def test_repeated_rows_are_found_and_counted(name: str) -> None:
    rows, label = TABLES[name]
    again = pd.concat([rows, rows.sample(500, random_state=1)], ignore_index=True)
    record = audited(again, label)
    assert "duplicate_excess_share" in noted(record)
    assert record["duplicate_share"].estimate == pytest.approx(500 / len(again))


def test_people_who_are_alike_by_coincidence_are_no_copies() -> None:
    rng = np.random.default_rng(4)
    coarse = pd.DataFrame({f"c{at}": rng.integers(0, 3, 8_000) for at in range(7)})
    found = repeats(coarse, list(coarse))
    assert found.repeats > 4_000
    assert found.coincidences == pytest.approx(found.repeats, rel=0.15)
    fine = pd.DataFrame({f"c{at}": rng.integers(0, 6, 8_000) for at in range(7)})
    rare = repeats(fine, list(fine))
    assert rare.repeats > 50
    assert rare.excess < 0.5 * rare.repeats
    copied = repeats(pd.concat([fine, fine.iloc[:400]], ignore_index=True), list(fine))
    assert copied.excess == pytest.approx(400, abs=100)


@pytest.mark.parametrize("name", TABLES)
def test_rows_of_test_in_train_are_found(name: str) -> None:
    rows, label = TABLES[name]
    train, test = rows.iloc[::2], rows.iloc[1::2]
    leaked = pd.concat([test, train.iloc[:100]], ignore_index=True)
    assert "seen_excess_share" in noted(audited(leaked, label, members=train))
    assert "seen_excess_share" not in noted(audited(test, label, members=train))


def test_nearly_equal_rows_of_test_in_train_are_found() -> None:
    rows = TABLES["people"][0]
    train, test = rows.iloc[::2], rows.iloc[1::2]
    near = train.iloc[:200].assign(
        income=lambda each: each["income"] + 0.01, job=lambda each: each["job"].str.upper() + " "
    )
    record = audited(pd.concat([test, near], ignore_index=True), members=train)
    assert "seen_excess_share[;how=near]" in noted(record)
    assert record["seen_share"].estimate == 0
    assert "seen_excess_share[;how=near]" not in noted(audited(test, members=train))


def test_nearly_equal_texts_are_found() -> None:
    rng = np.random.default_rng(5)
    words = [f"w{at}" for at in range(400)]
    texts = [" ".join(rng.choice(words, 25)) for _ in range(300)]
    changed = [text.replace(" ", " ", 1).rsplit(" ", 1)[0] + " ending" for text in texts[:40]]
    assert near_texts([*texts[100:], *changed], texts[:100]).tolist() == [False] * 200 + [True] * 40
    assert not near_texts(texts).any()


@pytest.mark.parametrize("name", TABLES)
def test_names_of_rows_among_the_inputs_are_found(name: str) -> None:
    rows, label = TABLES[name]
    numbered = rows.assign(case=np.arange(len(rows)) + 70_000, token=[f"k{at:x}z" for at in range(len(rows))])
    assert list(naming_columns(numbered, [each for each in numbered if each != label])) == ["case", "token"]
    assert "id_columns" in noted(audited(numbered, label))


def test_people_in_several_rows_are_found() -> None:
    rows = TABLES["people"][0]
    person = np.arange(len(rows)) // 2
    (found,) = repeated_persons(rows.assign(patient_nbr=person), [*rows, "patient_nbr"])
    assert (found.column, found.repeats) == ("patient_nbr", len(rows) // 2)
    assert "repeated_id_share[;feature=patient_nbr]" in noted(audited(rows.assign(patient_nbr=person)))


def test_order_that_tells_the_label_is_found() -> None:
    rows = TABLES["people"][0]
    rng = np.random.default_rng(6)
    drifting = rows.iloc[np.argsort(rows["paid"].to_numpy() + rng.normal(0, 0.8, len(rows)))]
    assert "order_auc" in noted(audited(drifting))
    assert order_told(rng.integers(0, 2, N)).auc == pytest.approx(0.5, abs=0.04)


def test_rows_evaluated_before_fitted_ones_are_counted() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=N).strftime("%Y-%m-%d"), name="opened")
    rows = TABLES["people"][0].assign(opened=days)
    assert [name for name, _ in time_columns(rows, rows.columns)] == ["opened"]
    times = times_of(days)
    assert times is not None
    assert evaluated_before(times[:100], times[50:]).early == 100
    record = audited(rows.iloc[:1_000], members=rows.iloc[1_000:])
    assert record["earlier_share[;feature=opened]"].estimate == 1


@pytest.mark.parametrize("name", TABLES)
def test_target_encodings_are_found(name: str) -> None:
    rows, label = TABLES[name]
    rng = np.random.default_rng(7)
    town = pd.Series(rng.integers(0, 12, len(rows)).astype(str))
    truth = pd.Series((rng.random(len(rows)) < 0.3 + town.astype(int) / 40).astype(int))
    fold = pd.Series(rng.integers(0, 5, len(rows)))
    whole = truth.groupby(town).transform("mean")
    sums, sizes = truth.groupby([town, fold]).transform("sum"), truth.groupby([town, fold]).transform("size")
    other = (truth.groupby(town).transform("sum") - sums) / (truth.groupby(town).transform("size") - sizes)
    table = rows.drop(columns=label).assign(place=town, whole=whole, other=other)
    found = {(each.column, each.category) for each in target_encodings(table, list(table), truth.to_numpy())}
    assert found == {("whole", "place"), ("other", "place")}
    left = table.drop(columns=["place", "other"])
    assert [each.column for each in target_encodings(left, list(left), truth.to_numpy())] == ["whole"]


@pytest.mark.parametrize("factor", [0.01, 1 / 2.54, 10, 12, 1000])
def test_values_in_another_unit_are_found(factor: float) -> None:
    rows = TABLES["people"][0].copy()
    rows.loc[rows.index[:60], "height"] *= factor
    (found,) = unit_slips(rows, ["age", "income", "height", "savings"])
    assert (found.column, found.rows) == ("height", 60)
    assert found.factor == pytest.approx(factor, rel=0.01)


def test_marks_among_numbers_are_found() -> None:
    rows = TABLES["people"][0].copy()
    rows.loc[rows.index[:20], "age"] = 999
    rows.loc[rows.index[30:60], "children"] = -9
    found = {(each.column, each.mark, each.rows) for each in sentinels(rows, ["age", "children", "income"])}
    assert found == {("age", 999.0, 20), ("children", -9.0, 30)}


def test_values_that_look_alike_constants_and_gaps_are_found() -> None:
    rows = TABLES["people"][0].copy()
    rows.loc[rows.index[:15], "job"] = "Cook "
    rows["country"] = "LU"
    rows.loc[rows.index[:50], "town"] = "?"
    assert [(name, values) for name, values, _ in lookalike_columns(rows, rows.columns)] == [("job", 2)]
    assert [name for name, _ in constants(rows, rows.columns)] == ["country"]
    assert [(name, int(absent.sum())) for name, absent in missing_columns(rows, rows.columns)] == [("town", 50)]


def test_missing_values_that_tell_the_label_are_found_and_counted_by_group() -> None:
    rows = TABLES["people"][0].copy()
    rng = np.random.default_rng(8)
    gone = rng.random(len(rows)) < np.where(rows["paid"] == 1, 0.05, 0.25) * np.where(rows["sex"] == "f", 1.5, 0.5)
    rows.loc[gone, "income"] = np.nan
    record = audited(rows)
    assert "missing_label_gap[;feature=income]" in noted(record)
    gap = record["missing_share_difference[sex;feature=income]"]
    women = rows["sex"] == "f"
    assert gap.estimate == pytest.approx(gone[women].mean() - gone[~women].mean())
    assert gap.interval is not None
    assert (gap.interval.low or 0) > 0
    assert record["missing_share[sex=f;feature=income]"].support == women.sum()


def test_labels_that_contradict_each_other_are_counted() -> None:
    rows = TABLES["people"][0]
    turned = rows.iloc[:30].assign(paid=lambda each: 1 - each["paid"])
    record = audited(pd.concat([rows, turned], ignore_index=True))
    assert record["conflicting_label_share"].estimate == pytest.approx(60 / (N + 30))
    assert conflicts(np.array([1, 1, 1], dtype=np.uint64), np.array([0, 0, 0])).sum() == 0


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_nothing_is_invented_in_a_clean_table(seed: int) -> None:
    rows = clean(seed)
    train, test = rows.iloc[: N // 2], rows.iloc[N // 2 :]
    for record in (audited(rows), audited(test, members=train)):
        assert noted(record) == {}
        assert alarms(record.findings) == ()
        assert record["label_copies"].estimate == 0


def test_clean_real_decisions_are_left_alone() -> None:
    told = noted(audited(loans(), "approve", sensitive_features=["race", "sex"]))
    assert told == {}


def test_tests_of_columns_seldom_err() -> None:
    """Of 400 columns without a word on the label few have an area whose interval is above one half."""
    rng = np.random.default_rng(9)
    truth = (rng.random(1_500) < 0.3).astype(int)
    areas = [telling(pd.Series(rng.integers(0, 40, 1_500)), truth, seed).auc for seed in range(400)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.004)
    assert max(areas) < 0.62
    numbers = pd.DataFrame({f"x{at}": rng.lognormal(3, rng.uniform(0.1, 1.5), 600) for at in range(300)})
    assert len(list(unit_slips(numbers, numbers.columns))) <= 1
    assert list(sentinels(numbers, numbers.columns)) == []


def test_a_random_split_seldom_looks_leaked() -> None:
    rng = np.random.default_rng(10)
    alarmed = 0
    for _ in range(200):
        rows = pd.DataFrame({f"c{at}": rng.integers(0, 4, 600) for at in range(5)})
        hashes = hash_rows(rows, list(rows), np.zeros(600, dtype=np.int8))
        found = twins(hashes[:300], hashes[300:])
        error = np.sqrt(0.25 / 300 * 2)
        alarmed += found.seen / found.rows - found.alike / found.others > 1.96 * error
    assert alarmed <= 10


def test_codes_keep_what_fills_a_range_apart() -> None:
    amounts = pd.Series(np.r_[np.zeros(500), np.arange(1.0, 1501.0)])
    codes = code(amounts)
    assert len(set(codes[:500])) == 1
    assert codes[0] not in set(codes[500:])
    assert codes.max() < MOST_CODES + 2
    assert set(code(pd.Series([np.nan, 1.0, 2.0]))) == {0, 2, 3}
    assert code(pd.Series([None, "a", "a"], dtype=object)).tolist() == [0, 2, 2]


def test_near_rows_take_their_steps_from_the_others() -> None:
    rows = TABLES["people"][0]
    assert (hash_near(rows, ["age", "job"], rows) == hash_near(rows.copy(), ["age", "job"], rows)).all()


def test_people_who_disagree_are_counted() -> None:
    rows = pd.DataFrame({"a": ["x", "x", "y", None], "b": ["x", "y", "y", None], "c": [None, "y", "y", "x"]})
    found = disagreements(rows, ["a", "b", "c"])
    assert found.several.tolist() == [True, True, True, False]
    assert found.differ.tolist() == [False, True, False, False]
    votes = disagreements(pd.DataFrame({"no": [3, 1, 1], "yes": [0, 2, 0]}), ["no", "yes"], votes=True)
    assert votes.several.tolist() == [True, True, False]
    assert votes.differ.tolist() == [False, True, False]
    with pytest.raises(eh.EvenhandError, match="at least two columns"):
        disagreements(rows, ["a"])
    with pytest.raises(eh.EvenhandError, match="no numbers of people"):
        disagreements(rows, ["a", "b"], votes=True)


def test_labels_that_look_wrong_are_counted_by_group() -> None:
    pytest.importorskip("cleanlab")
    rng = np.random.default_rng(14)
    rows = pd.DataFrame({"x": rng.normal(size=1_500), "sex": rng.choice(["f", "m"], 1_500)})
    rows["paid"] = (rows["x"] > 0).astype(int)
    wrong = (rng.random(1_500) < np.where(rows["sex"] == "f", 0.15, 0.01)) & (rows["x"].abs() > 0.3)
    rows.loc[wrong, "paid"] = 1 - rows.loc[wrong, "paid"]
    record = audited(rows, label_errors=True)
    gap = record["label_error_share_difference[sex]"]
    assert gap.interval is not None
    assert (gap.interval.low or 0) > 0.05
    assert record["label_error_share"].estimate == pytest.approx(wrong.mean(), abs=0.04)


shared = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")


@pytest.mark.shared
@shared
def test_leaks_of_real_tables_are_found_and_others_left_alone() -> None:
    compas = eh.audit_data(
        SHARED / "compas" / "compas-scores-two-years.csv.gz", label="two_year_recid", check_data=False,
        sensitive_features=["race"],
    )  # fmt: skip
    told = noted(compas)
    assert {"label_copy_auc[;feature=is_recid]", "label_copy_auc[;feature=r_charge_degree]"} <= set(told)
    adult = eh.audit_data(
        SHARED / "adult" / "adult_test.csv.gz", members=SHARED / "adult" / "adult_train.csv.gz", label="income",
        pos_label=">50K", sensitive_features=["sex"],
    )  # fmt: skip
    assert {name.partition("[")[0] for name in noted(adult)} <= {"outlier_share", "missing_label_gap"}
    assert alarms(adult.findings) == ()
    messages = eh.audit_data(SHARED / "text_general" / "sms_spam.csv.gz", label="label", favourable="ham")
    assert "duplicate_excess_share" in noted(messages)
    assert messages["duplicate_share"].estimate == pytest.approx(403 / 5_574)
