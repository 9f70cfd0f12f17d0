"""Groups are those of pandas, in an order a reader expects."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.data import Grouping, read_evaluation_set
from evenhand.data.grouping import bin_labels, encode
from evenhand.errors import InputError

words = st.sampled_from(["", "nan", "a", "B", "ß", "<b>", ", ", "مرحبا", "🙂"])
whole = st.integers(-3, 3)
fractions = st.sampled_from([-1.5, 0.0, -0.0, 0.1, 2.0, 1e20])
kinds = st.sampled_from([words, whole, fractions, st.booleans(), st.none() | words, st.none() | fractions])
columns = kinds.flatmap(lambda kind: st.lists(kind, min_size=1, max_size=30))


@given(columns)
def test_rows_of_a_group_are_those_of_pandas(values):
    column = pd.Series(values)
    groups = encode("c", column)
    expected = sorted(column.groupby(column, dropna=False).size().tolist())
    assert sorted(groups.rows.tolist()) == expected
    assert groups.codes.dtype == np.int32
    assert all(len(set(part)) == 1 for _, part in column.astype(object).fillna("(missing)").groupby(groups.codes))


@given(st.data())
def test_intersections_are_those_of_pandas(data):
    rows = data.draw(st.integers(2, 30))
    frame = pd.DataFrame(
        {c: data.draw(st.lists(kinds.flatmap(lambda k: k), min_size=rows, max_size=rows)) for c in "ab"}
    )
    frame = frame.map(lambda value: None if value is None else str(value)).assign(y=np.arange(rows) % 2)
    groups = read_evaluation_set(frame, label="y", sensitive_features=["a", "b"], missing="group").grouping("a", "b")
    expected = frame.groupby(["a", "b"], dropna=False).size()
    assert sorted(groups.rows.tolist()) == sorted(expected[expected > 0].tolist())
    assert list(groups.labels) == sorted(
        groups.labels, key=lambda pair: tuple(groups.values[at].index(text) for at, text in enumerate(pair))
    )
    assert len(groups.labels) + len(tuple(groups.iter_empty())) == len(groups.values[0]) * len(groups.values[1])
    assert not set(groups.labels) & set(groups.iter_empty())


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([10, 9, 1], ("1", "9", "10")),
        ([1.0, np.nan, -0.5], ("-0.5", "1", "(missing)")),
        (["10", "9", "a"], ("10", "9", "a")),
        ([True, False, True], ("False", "True")),
        (np.array([0.1, 2], dtype=np.float32), ("0.1", "2")),
        (pd.array([2, None, 1], dtype="Int64"), ("1", "2", "(missing)")),
        (pd.Categorical(["lo", "hi"], categories=["lo", "mid", "hi"], ordered=True), ("lo", "hi")),
        (pd.Categorical(["lo", "hi", None], categories=["lo", "hi", "no"]), ("hi", "lo", "(missing)")),
        (pd.to_datetime(["2020-01-02", "2019-01-01"]), ("2019-01-01 00:00:00", "2020-01-02 00:00:00")),
        (pd.Series([1, "1", "b", None], dtype=object), ("1", "b", "(missing)")),
        (pd.Series([10, 2, "1", True], dtype=object), ("True", "2", "10", "1")),
        (pd.Series([None, None], dtype=object), ("(missing)",)),
        (pd.Series(["(missing)", None, "((missing))"]), ("((missing))", "(missing)", "(((missing)))")),
    ],
)
def test_order_and_names(values, names):
    groups = encode("c", pd.Series(values))
    assert groups.names == names
    assert groups.rows.sum() == len(values)
    assert (groups.rows > 0).all()


@pytest.mark.parametrize(
    ("ages", "names"),
    [
        ([18, 25, 39, 40, 59, 60, 99], ("<25", "25-39", "40-59", ">=60")),
        ([18, 60.5, 30], ("<25", "25 to <40", ">=60")),
        ([18.0, np.nan], ("<25", "(missing)")),
    ],
)
def test_bins(ages, names):
    table = {"y": [0, 1, *[0] * (len(ages) - 2)], "age": ages}
    data = read_evaluation_set(table, label="y", sensitive_features="age", bins={"age": [25, 40, 60]}, missing="group")
    assert data.grouping("age").names == names
    assert data.table["age"].tolist()[0] == ages[0]


def test_bin_labels():
    assert bin_labels([1, 2, 4.0], True) == ("<1", "1", "2-3", ">=4")
    assert bin_labels([0.5], False) == ("<0.5", ">=0.5")


def test_groups_are_encoded_once_and_cover_any_column():
    data = read_evaluation_set({"y": [0, 1, 1], "a": list("xyx"), "b": list("uuv")}, label="y", sensitive_features="a")
    assert data.grouping("a") is data.grouping("a")
    assert data.grouping("a", "b") is data.grouping("a", "b")
    assert data.grouping("b", "a").name(0) == "b=u, a=x"
    assert data.grouping().labels == ((),)
    assert tuple(data.grouping("a", "b").iter_empty()) == (("y", "v"),)
    with pytest.raises(InputError, match=r"no column 'aa' to group by. Did you mean 'a'\?"):
        data.grouping("aa")
    with pytest.raises(InputError, match="stands twice"):
        data.grouping("a", "a")


def test_grouping_by_an_undeclared_column_counts_its_missing_values():
    data = read_evaluation_set({"y": [0, 1], "a": ["x", None]}, label="y")
    with pytest.raises(InputError, match="no value in 1 of 2 rows"):
        data.grouping("a")


def test_intersections_of_very_many_values():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"c{i}": rng.integers(0, 1000, 3000).astype(str) for i in range(8)}).assign(
        y=rng.integers(0, 2, 3000)
    )
    data = read_evaluation_set(table, label="y")
    groups = data.grouping(*(f"c{i}" for i in range(8)))
    assert len(groups) == len(table.drop(columns="y").drop_duplicates())
    assert groups.labels[groups.codes[17]] == tuple(table.iloc[17, :8])
    assert list(groups.labels) == sorted(groups.labels)
    assert next(groups.iter_empty()) not in set(groups.labels)
    sparse = data.grouping("c0", "c1", "c2")
    assert list(sparse.labels) == sorted(sparse.labels)
    assert sparse.labels[sparse.codes[5]] == tuple(table.iloc[5, :3])


def test_a_grouping_can_be_made_by_hand():
    groups = Grouping(("sex",), (("F",), ("M",)), np.array([0, 1, 1], dtype=np.int32))
    assert groups.rows.tolist() == [1, 2]
    assert tuple(groups.iter_empty()) == ()


def area_codes(rows: int = 3_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"area code": rng.integers(200, 300, rows), "income": rng.normal(0, 1, rows)})
    return table.assign(paid=rng.integers(0, 2, rows))


def test_whole_numbers_of_many_values_are_groups_where_they_are_said_to_be_codes() -> None:
    table = area_codes()
    with pytest.raises(
        InputError, match=r"if its whole numbers are codes that name groups, pass codes=\['area code'\]"
    ):
        read_evaluation_set(table, label="paid", sensitive_features="area code")
    data = read_evaluation_set(table, label="paid", sensitive_features="area code", codes="area code")
    assert len(data.grouping("area code")) == 100
    assert data.grouping("area code").names[:2] == ("200", "201")
    assert data.roles.to_plain()["codes"] == ["area code"], "it is on record"
    assert "area code" not in data.features


def test_codes_are_whole_numbers_of_a_feature_and_have_no_edges() -> None:
    table = area_codes()
    with pytest.raises(InputError, match="of its 3,000 values are no whole numbers"):
        read_evaluation_set(table, label="paid", sensitive_features="income", codes="income")
    with pytest.raises(InputError, match="no sensitive or control feature"):
        read_evaluation_set(table, label="paid", sensitive_features="area code", codes=["area code", "income"])
    with pytest.raises(InputError, match="Pass one of the two"):
        read_evaluation_set(
            table, label="paid", sensitive_features="area code", codes="area code", bins={"area code": [250]}
        )
    with pytest.raises(InputError) as refused:
        read_evaluation_set(table, label="paid", sensitive_features="income")
    assert "codes" not in str(refused.value), "fractions are no codes"
