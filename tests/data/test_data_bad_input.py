"""Every complaint about the input is one clear sentence, and all of one input are told together."""

import gzip

import numpy as np
import pandas as pd
import pytest

from evenhand.data import check_scores, evaluation_set_from_arrays, read_evaluation_set
from evenhand.errors import InputError


def table(rows=40):
    at = np.arange(rows)
    return pd.DataFrame({"approve": at % 2, "sex": np.where(at % 3 == 0, "F", "M"), "income": at * 1.5})


def complaints(source, **roles):
    roles = {"label": "approve", "sensitive_features": ["sex"], **roles}
    with pytest.raises(InputError) as caught:
        read_evaluation_set(source, **roles)
    return caught.value.problems


def only(source, **roles):
    problems = complaints(source, **roles)
    assert len(problems) == 1, problems
    return problems[0]


def test_missing_file(tmp_path):
    assert only(tmp_path / "no.csv").endswith("no.csv: there is no such file.")


def test_directory(tmp_path):
    assert "no file but a directory" in only(tmp_path)


def test_unknown_ending(tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"PK")
    assert "ends in one of .csv, .csv.gz" in only(tmp_path / "x.xlsx")


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
@pytest.mark.parametrize("name", ["e.csv", "e.tsv"])
def test_empty_file(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert only(tmp_path / name) == f"{name}: the file is empty."


@pytest.mark.parametrize("name", ["e.parquet", "e.feather", "e.jsonl"])
def test_empty_file_of_another_format(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert only(tmp_path / name) == f"{name}: the file is empty."


def test_header_alone(tmp_path):
    (tmp_path / "h.csv").write_text("approve,sex\n")
    assert only(tmp_path / "h.csv") == "h.csv: there are 2 columns but no rows."


@pytest.mark.parametrize("name", ["b.csv", "b.tsv", "b.parquet", "b.feather", "b.jsonl", "b.csv.gz", "b.jsonl.gz"])
def test_binary_garbage(tmp_path, name):
    if name.endswith(("parquet", "feather")):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(np.random.default_rng(0).bytes(5000))
    problem = only(tmp_path / name)
    assert problem.startswith(f"{name}: ")
    assert " no " in problem or " not " in problem


def test_binary_inside_gzip(tmp_path):
    with gzip.open(tmp_path / "b.csv.gz", "wb") as file:
        file.write(b"a,b\n\0\1\2")
    assert "holds binary data" in only(tmp_path / "b.csv.gz")


def test_truncated_gzip(tmp_path):
    whole = gzip.compress(table(2000).to_csv(index=False).encode())
    (tmp_path / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "no whole gzip file" in only(tmp_path / "t.csv.gz")


def test_latin_1(tmp_path):
    (tmp_path / "l.csv").write_bytes("approve,sex\n1,é\n0,x\n".encode("latin-1"))
    assert "is not UTF-8 text" in only(tmp_path / "l.csv")


def test_row_of_too_many_fields(tmp_path):
    (tmp_path / "r.csv").write_text("approve,sex\n1,F,3\n0,M,4\n")
    assert "do not fit the header of 2 columns" in only(tmp_path / "r.csv")


def test_later_row_of_too_many_fields(tmp_path):
    (tmp_path / "r.csv").write_text("approve,sex\n1,F\n0,M\n1,M,9\n")
    assert "do not fit the header of 2 columns" in only(tmp_path / "r.csv")


@pytest.mark.parametrize("name", ["d.csv", "d.jsonl", "d.feather"])
def test_duplicate_column_names(tmp_path, name):
    if name.endswith("csv"):
        (tmp_path / name).write_text("approve,sex,sex\n1,F,M\n0,M,M\n")
    elif name.endswith("jsonl"):
        (tmp_path / name).write_text('{"approve": 1, "sex": "F", "sex": "M"}\n')
    else:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import feather

        feather.write_feather(pa.table([[1], ["F"], ["M"]], names=["approve", "sex", "sex"]), tmp_path / name)
    assert "more than once: 'sex' (2 times)" in only(tmp_path / name)


def test_duplicate_column_names_in_memory():
    frame = table()
    frame.columns = ["approve", "sex", "sex"]
    assert "'sex' (2 times)" in only(frame)


def test_duplicate_name_hidden_by_a_suffix_is_no_duplicate(tmp_path):
    (tmp_path / "s.csv").write_text("approve,sex,sex.1\n1,F,M\n0,M,M\n")
    assert read_evaluation_set(tmp_path / "s.csv", label="approve", sensitive_features="sex").features == ("sex.1",)


def test_missing_columns_with_did_you_mean():
    problems = complaints(table(), label="aprove", sensitive_features=["sexx", "race"], exclude=["incom"])
    assert problems == (
        "data: there is no label column 'aprove' (label=). Did you mean 'approve'?",
        "data: there is no sensitive feature column 'sexx' (sensitive_features=). Did you mean 'sex'?",
        "data: there is no sensitive feature column 'race' (sensitive_features=). "
        "Its columns are 'approve', 'sex', 'income'.",
        "data: there is no column 'incom' to exclude (exclude=). Did you mean 'income'?",
    )


def test_no_label_named():
    assert "no label column is named; pass label= with one of 'approve', 'sex', 'income'." in only(table(), label=None)


def test_label_with_one_class():
    assert "label 'approve' has one class only, 1;" in only(table().assign(approve=1))


def test_label_with_many_classes():
    assert "has 40 different values (0, 1, 2, " in only(table().assign(approve=range(40)))


def test_missing_label_is_counted():
    frame = table().astype({"approve": float})
    frame.loc[[1, 5, 7], "approve"] = np.nan
    assert only(frame).startswith("data: label 'approve' has no value in 3 of 40 rows.")


def test_all_of_the_label_is_missing():
    assert "no value in 40 of 40 rows" in only(table().assign(approve=np.nan))


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA])
def test_missing_sensitive_values(absent):
    frame = pd.concat([table(2000)], ignore_index=True).astype({"sex": object})
    frame.loc[range(14), "sex"] = absent
    assert only(frame, name="credit_test.csv") == (
        "credit_test.csv: column 'sex' has no value in 14 of 2,000 rows. "
        'Fill them, drop them, or pass missing="group" to count them as a group.'
    )


def test_positive_is_asked_for():
    frame = table().assign(approve=lambda t: t.approve + 1)
    assert only(frame) == (
        "data: label 'approve' has the values 1, 2, and nothing says which is the positive class. "
        "Name it, such as pos_label=2."
    )


def test_positive_is_no_value():
    frame = table().assign(approve=lambda t: t.approve.map({0: "no", 1: "yes"}))
    assert "pos_label=\"yess\" is none of them. Did you mean 'yes'?" in only(frame, positive="yess")
    assert "favourable=1 is none of them." in only(frame, positive="yes", favourable=1)


def test_lengths_differ():
    problem = only({"approve": [0, 1, 1], "sex": ["F", "M"]})
    assert "must be equally long: 'approve' has 3, 'sex' has 2 rows" in problem


def test_numeric_sensitive_feature_needs_edges():
    problem = only(table(400), sensitive_features="income")
    assert "is numeric with 400 different values in 400 rows" in problem
    assert "bins={'income': [150, 300, 450]}" in problem


def test_twenty_numbers_are_groups():
    frame = table(400).assign(age=lambda t: t.index % 20)
    assert len(read_evaluation_set(frame, label="approve", sensitive_features="age").grouping("age")) == 20
    assert "different values" in only(frame.assign(age=frame.index % 21), sensitive_features="age")


def test_too_many_groups():
    frame = table(10001).assign(name=lambda t: [f"n{i}" for i in t.index])
    assert "has 10,001 different values in 10,001 rows; groups can be read up to 10,000" in only(
        frame, sensitive_features="name"
    )


def test_lists_are_no_groups():
    assert "lists or records" in only(table(4).assign(sex=[[1], [2], [1], [2]]))


@pytest.mark.parametrize("edges", [[], [3, 2], [1, 1], [1, np.inf], ["a"], [True]])
def test_bad_edges(edges):
    assert "increasing finite edges" in only(table(), sensitive_features="income", bins={"income": edges})


def test_edges_for_text_and_for_no_feature():
    problems = complaints(table(), bins={"sex": [1], "incme": [1]})
    assert problems == (
        "data: edges are given for 'incme' (bins=), which is no sensitive or control feature.",
        "data: column 'sex' has edges (bins=), but its values are no numbers: 'F', 'M'.",
    )


@pytest.mark.parametrize(
    ("value", "what"), [(np.nan, "has no value in 1 of"), (np.inf, "is infinite in 1 of"), (-1, "is negative in 1 of")]
)
def test_bad_weights(value, what):
    frame = table().assign(w=1.0)
    frame.loc[3, "w"] = value
    assert what in only(frame, sample_weight="w")


def test_weights_of_zero_or_text():
    assert "is 0 in all 40 rows" in only(table().assign(w=0), sample_weight="w")
    assert "is no number: 'a'" in only(table().assign(w="a"), sample_weight="w")


def test_scores_in_a_column():
    frame = table().assign(s=0.5)
    frame.loc[[1, 2], "s"] = [np.nan, np.inf]
    assert complaints(frame, score="s") == (
        "data: scores 's' have no value (NaN) in 1 of 40 rows. Fill them or drop the rows.",
        "data: scores 's' are infinite in 1 of 40 rows; a score is a finite number.",
    )
    assert only(table().assign(s="high"), score="s") == "data: scores 's' are no numbers."


def test_check_scores():
    assert check_scores([0, 0.5, 1]) == ()
    assert check_scores([-3, 12], "ranking") == ()
    assert check_scores([0, 1, 1], "label") == ()
    assert "outside [0, 1] in 2 of 3 rows (from -1 to 7)" in check_scores([-1, 0.5, 7])[0]
    assert "neither 0 nor 1 in 1 of 2 rows" in check_scores([0.5, 1], "label")[0]
    assert "shape (2, 2)" in check_scores([[0, 1], [1, 0]])[0]
    assert len(check_scores([np.nan, np.inf, 2])) == 3


def test_predictions_are_label_values():
    frame = table().assign(p=lambda t: t.approve)
    assert read_evaluation_set(frame, label="approve", prediction="p").features == ("sex", "income")
    assert "hold 0.25 in 1 of 40 rows" in only(frame.assign(p=[0.25, *frame.p[1:]]), prediction="p")
    assert "have no value in 1 of 40" in only(frame.assign(p=[np.nan, *frame.p[1:]]), prediction="p")
    assert "in 38 of 40 rows" in only(frame.assign(p=frame.index.astype(float)), prediction="p")


def test_id_without_value():
    assert "id 'i' has no value in 1 of 40 rows" in only(table().assign(i=[None, *range(39)]), id="i")


def test_the_label_has_no_other_role():
    problems = complaints(table(), sensitive_features=["approve"], score="approve")
    assert "is the label and cannot also make the groups" in problems[0]
    assert "is the label and cannot also be the score" in problems[1]


def test_no_table():
    assert "a int is no table" in only(7)
    assert "column 'approve' is a str" in only({"approve": "yes", "sex": ["F"]})


def test_unknown_missing():
    assert "There is no missing 'drop'; known are error, group." in only(table(), missing="drop")


def test_column_names_of_another_kind():
    assert "sensitive_features must be a list of texts, not 3." in only(table(), sensitive_features=3)


def test_everything_at_once():
    frame = table().assign(w=-1, age=lambda t: t.index * 1.0, approve=1)
    frame.loc[0, "sex"] = None
    problems = complaints(frame, sensitive_features=["sex", "age", "race"], sample_weight="w", score="scor")
    assert len(problems) == 6
    assert all(problem.startswith("data: ") and problem[-1] in ".?" for problem in problems)


def test_arrays_of_other_index_or_length():
    y = pd.Series([0, 1, 1, 0], index=[3, 2, 1, 0])
    with pytest.raises(InputError, match="different indexes, and rows are not aligned silently"):
        evaluation_set_from_arrays(y, sensitive_features=pd.Series(list("aabb")))
    with pytest.raises(InputError, match="the index of 'y_true' numbers the rows in another order"):
        evaluation_set_from_arrays(y, sensitive_features=list("aabb"))
    y = y.to_numpy()
    with pytest.raises(InputError, match="'y_true' has 4, 'sensitive_feature_0' has 3 rows"):
        evaluation_set_from_arrays(y, sensitive_features=list("abc"))
    with pytest.raises(InputError, match="y_true has no rows"):
        evaluation_set_from_arrays([])
    with pytest.raises(InputError, match="same name are given twice: y_true"):
        evaluation_set_from_arrays(y, sensitive_features={"y_true": list("aabb")})
    with pytest.raises(InputError, match="one dimension"):
        evaluation_set_from_arrays(np.zeros((4, 2)))
