"""Bad values through Python: each is refused in a sentence, or gives the figure of an oracle."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.data.columns import one_column
from evenhand.errors import EvenhandError, InputError, PolicyError
from evenhand.evidence.counting import count_frame, merge_counts
from evenhand.explaining.proxies import Telling
from evenhand.metrics.values.reliability import reliability
from evenhand.metrics.values.scores import calibration_error
from evenhand.output.printing import open_streams
from evenhand.report.figures.points import _axis
from evenhand.report.figures.scales import scale_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RNG = np.random.default_rng(0)
N = 200
Y, D, G, P = RNG.integers(0, 2, N), RNG.integers(0, 2, N), RNG.choice(["a", "b"], N), RNG.random(N)
ROWS = pd.DataFrame({"y": Y, "d": D, "g": G, "p": P})


def scores(**more: Any) -> eh.AuditRecord:
    return eh.audit_predictions(Y, y_score=P, sensitive_features={"g": G}, **more)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"adjust": "bonf"}, "There is no adjust 'bonf'"),
        ({"slice_by": 5}, "slice_by must be a list of texts"),
        ({"slice_by": [5]}, "slice_by"),
        ({"threshold": "0.5"}, "the threshold is '0.5'"),
        ({"threshold": float("nan")}, "must be a finite number"),
        ({"threshold": float("inf")}, "must be a finite number"),
        ({"threshold": True}, "the threshold is True"),
        ({"threshold": 10**400}, "must be a finite number"),
        ({"threshold": [0.5]}, "the threshold is [0.5]"),
        ({"level": "0.9"}, "level must be a number in (0, 1)"),
        ({"level": 10**400}, "level must be a number in (0, 1)"),
        ({"level": -(10**400)}, "level must be a number in (0, 1)"),
        ({"seed": 10**5_000}, "too large to print"),
        ({"seed": 1 << 63}, "seed must be a whole number"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"intersections": True}, "intersections must be a whole number"),
        ({"individuals": [[0]]}, "individuals"),
        ({"score_kind": "logits"}, "not 'logits'"),
        ({"nothing": 1}, "knows no option 'nothing'"),
        ({"bins": {"g": [1]}}, "no numbers"),
    ],
)
def test_a_keyword_that_is_none(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        scores(**settings)
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 700


@pytest.mark.parametrize("weight", [1e300, 1e200])
def test_weights_whose_squares_do_not_add_up(weight: float) -> None:
    with pytest.raises(InputError, match="Divide the weights by their mean"):
        eh.audit_predictions(Y, D, sample_weight=np.where(np.arange(N) == 3, weight, 1.0))


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"accuracy": {"at_least": 10**400}}, "401 digits"),
        ({"accuracy": {"at_least": 1 << 64}}, "20 digits"),
        ({"accuracy": {"at_least": float("nan")}}, "wrong type"),
        ({"accuracy": {"at_least": "high"}}, "wrong type"),
        ({"accuracy": [[[0.5]]]}, "a limit is a table"),
    ],
)
def test_a_limit_that_is_none(limits: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PolicyError, match=sentence):
        eh.load_policy({"limits": limits})


def test_a_policy_in_itself() -> None:
    endless: dict[str, Any] = {}
    endless["limits"] = endless
    with pytest.raises(PolicyError, match="nested too deeply"):
        eh.load_policy(endless)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({"score": "p", "threshold": float("nan")}, "threshold must be a finite number"),
        ({"score": "p", "threshold": float("inf")}, "threshold must be a finite number"),
        ({"score": "p", "threshold": "0.5"}, "threshold must be a finite number"),
        ({"score": "p", "bins": 1}, "bins must be a whole number from 2"),
        ({"score": "p", "bins": "many"}, "bins must be a whole number from 2"),
        ({"prediction": "d", "bins": 5}, "no column of scores is named"),
        ({"score": "g"}, "numbers are needed"),
        ({"score": "p", "weight": "g"}, "numbers are needed"),
        ({}, "name either the column of decisions"),
    ],
)
def test_what_no_table_can_be_counted_by(what: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        count_frame(ROWS, label="y", groups=("g",), **what)


def counts(rows: pd.DataFrame, **more: Any) -> pd.DataFrame:
    return count_frame(rows, label="y", groups=("g",), score="p", **more)


def test_counts_of_two_thresholds_do_not_add_up() -> None:
    with pytest.raises(InputError, match=r"was counted with threshold = 0\.3, and table 1 with 0\.5"):
        merge_counts([counts(ROWS[:90]), counts(ROWS[90:], threshold=0.3)])


def test_a_sum_remembers_its_shards_however_often_it_is_added_up() -> None:
    parts = [counts(ROWS[start : start + 50]) for start in range(0, N, 50)]
    whole = merge_counts([merge_counts(parts[:2]), merge_counts(parts[2:])])
    pd.testing.assert_frame_equal(whole, counts(ROWS), check_dtype=False)
    with pytest.raises(InputError, match="would count twice"):
        merge_counts([whole, parts[3]])
    assert int(merge_counts([whole, parts[3]], allow_repeated=True)["rows"].sum()) == N + 50


def test_a_repeated_shard_cannot_make_an_undecided_limit_pass(tmp_path: Path) -> None:
    """Three times the rows are three times the certainty."""
    shard = counts(ROWS)
    shard.drop(columns=[]).to_csv(tmp_path / "c1.csv", index=False)  # without the first line, as other tools write it
    with pytest.raises(InputError, match="would count twice"):
        merge_counts([tmp_path / "c1.csv"] * 3)


def test_groups_that_are_numbers_here_and_texts_there_are_one_group(tmp_path: Path) -> None:
    for name, text in (("a", "g,y,decision,rows\n1,0,0,5\n2,1,1,6\n"), ("b", "g,y,decision,rows\n1,0,0,7\nx,1,1,8\n")):
        (tmp_path / f"{name}.csv").write_text(text)
    whole = merge_counts([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert {str(g): int(n) for g, n in zip(whole.g, whole["rows"], strict=True)} == {"1": 12, "2": 6, "x": 8}


@pytest.mark.parametrize("ones", [490, 500, 510, 950, 50])
def test_what_a_column_of_two_values_shares_with_the_group_it_equals(ones: int) -> None:
    member = np.arange(1_000) < ones
    found = Telling(pd.Series(member.astype(int))).shares(member.astype(np.int64), 2)
    exact = mutual_info_score(member, member) / np.log(2)
    assert found == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("shape", ["half zeros", "few values", "ties at both ends", "smooth"])
def test_ties_do_not_hide_what_a_column_shares(shape: str) -> None:
    rng = np.random.default_rng(1)
    member = rng.random(4_000) < 0.5
    noise = rng.random(4_000)
    column = {
        "half zeros": np.where(member, 0.0, 1 + noise),
        "few values": np.where(member, 3.0, rng.integers(0, 3, 4_000)),
        "ties at both ends": np.where(member, 9.0, np.where(noise < 0.8, 0.0, noise)),
        "smooth": member * 10 + noise,
    }[shape]
    found = Telling(pd.Series(column)).shares(member.astype(np.int64), 2)
    assert found == pytest.approx(1.0, abs=0.03), "each value tells the group"


def test_an_axis_of_zeros_alone_is_that_of_shares() -> None:
    scale = scale_of([0.0, 0.0, None])
    assert (scale.low, scale.high) == (0.0, 1.0)
    assert [tick.text for tick in scale.ticks()] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert scale_of([0.0, 1e-7], shares=False).high < 1e-5, "small values keep their axis"
    assert all(len(tick.text) <= 4 for tick in _axis([0.0, 0.0], 0).ticks())


@pytest.mark.parametrize(
    "values",
    [np.where(G == "a", "\ud800", "b"), ["\udfff"] * N, np.array(["\ud800x"] * N, dtype=object)],
    ids=["array", "list", "objects"],
)
def test_half_a_surrogate_pair_as_a_group(values: object) -> None:
    """Refused, or carried through to the page as an escape."""
    try:
        record = eh.audit_predictions(Y, D, sensitive_features={"g": values})
    except InputError as wrong:
        assert "no Unicode text" in str(wrong)
    else:
        assert eh.render(record, None, "html").encode("utf-8", "backslashreplace")


def test_a_network_over_images_that_is_none() -> None:
    training = pytest.importorskip("evenhand.training")
    pytest.importorskip("torch")
    with pytest.raises(InputError, match=r"no network over images 'mlp'.*image_mlp"):
        training.ImagePlan("mlp", (1, 8, 8), 2)


def test_a_search_over_several_classes_takes_the_loss_of_all() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("optuna")
    from evenhand.data import read_evaluation_set
    from evenhand.training import TrainingConfig, tune

    table = pd.DataFrame({"x": RNG.normal(size=90), "c": np.tile(["u", "v", "w"], 30)})
    data = read_evaluation_set(table, label="c", task="multiclass")
    found = tune(data, trials=1, config=TrainingConfig(epochs=1))
    assert 0.5 < found.loss < 3, "near the log of three classes"


@pytest.mark.parametrize("content", [b"this is no database" * 50, b"SQLite format 3\0" + b"\1" * 200])
def test_a_search_in_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("optuna")
    import optuna

    from evenhand.training.searching import _study

    (tmp_path / "s.db").write_bytes(content)
    with pytest.raises(InputError, match="SQLite"):
        _study(optuna, "study", tmp_path / "s.db", 0)
    assert (tmp_path / "s.db").read_bytes() == content


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_name_that_a_terminal_cannot_show(folder: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    rows = pd.read_csv("rows.csv")
    rows["g"] = np.where(rows.g == "a", "女", "Ж")
    rows.to_csv("rows.csv", index=False)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    open_streams()
    assert exit_code(["audit", "rows.csv", "--label", "y", "--score", "p", "--sensitive", "g", "-o", "new.json"]) == 0
    for call in ("gate new.json", "list metrics new.json", "sweep new.json", "compare audit.json new.json --all"):
        assert exit_code(call.split()) in (0, 1, 3), call
    out.flush()
    said = out.buffer.getvalue()  # type: ignore[attr-defined]
    assert b"\\u5973" in said
    err.flush()
    told = err.buffer.getvalue()  # type: ignore[attr-defined]
    assert b"Wrote new.json" in told
    assert b"Traceback" not in told and b"evenhand: " not in told


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_verdict_without_a_stream_is_a_verdict(folder: Path, closed: str) -> None:
    (folder / "policy.toml").write_text('[limits]\n"accuracy" = { at_least = 0.999 }\n')
    command = f"'{sys.executable}' -m evenhand gate audit.json {closed}"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert (folder / "audit.json").read_bytes().startswith(b"{")


@pytest.mark.parametrize("scale", [10**9, 10**12, 2**46])
def test_counts_of_billions_are_audited_without_a_warning(folder: Path, verb: Callable[[str], Any], scale: int) -> None:
    lines = [
        f"{y},{d},{g},{scale + at}" for at, (y, d, g) in enumerate((y, d, g) for y in "01" for d in "01" for g in "ab")
    ]
    (folder / "huge.csv").write_text("y,d,g,rows\n" + "\n".join(lines) + "\n")
    with warnings.catch_warnings():
        assert verb("audit huge.csv --label y --prediction d --frequency rows --sensitive g -o new.json").code == 0
    record = eh.read_record("new.json")
    assert record["accuracy"].estimate == pytest.approx(0.5, abs=1e-6)
    assert record["selection_rate_difference[g]"].estimate == pytest.approx(0.0, abs=1e-6)
    assert issubclass(InputError, EvenhandError)


TRUTH = np.tile([1, 0, 1, 0, 1, 1], 60)
SAID = np.tile([0.9, 0.2, 0.7, 0.6, 0.4, 0.8], 60)
GROUPS = np.tile(["a", "b", "b"], 120)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"y_pred": SAID > 0.5, "sample_weight": np.full(360, 1e-160)}, "so small that squares of weights vanish"),
        ({"y_pred": SAID > 0.5, "sample_weight": np.full(360, 5e-324)}, "so small that squares of weights vanish"),
        ({"y_pred": SAID > 0.5, "sample_weight": np.full(360, 1e160)}, "so great that the sum of squares"),
        ({"y_pred": SAID * 1e200, "task": "regression"}, "cannot be squared and added up"),
        ({"y_pred": SAID > 0.5, "y_score": SAID, "threshold": 0.65}, "differs from y_score at the threshold 0.65"),
        (
            {"y_true": np.c_[TRUTH, TRUTH], "y_pred": np.c_[TRUTH, TRUTH], "y_score": np.c_[SAID, SAID],
             "threshold": 0.3, "task": "multilabel"},
            "differs from y_score at the threshold 0.3",
        ),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_counted_with_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        eh.audit_predictions(given.pop("y_true", TRUTH), sensitive_features=GROUPS, **given)


def test_decisions_of_another_rule_are_audited_where_no_threshold_is_given() -> None:
    record = eh.audit_predictions(TRUTH, 1 - TRUTH, y_score=SAID, sensitive_features=GROUPS)
    assert record["accuracy"].estimate == 0.0


@pytest.mark.parametrize("scale", [1e-100, 1e150])
def test_the_scale_of_weights_changes_nothing(scale: float) -> None:
    weight = 1 + SAID
    plain, scaled = (
        eh.audit_predictions(TRUTH, SAID > 0.5, sensitive_features=GROUPS, sample_weight=weight * by)["accuracy"]
        for by in (1, scale)
    )
    assert plain.interval is not None
    assert scaled.interval is not None
    assert scaled.interval.low == pytest.approx(plain.interval.low, rel=1e-9)
    assert scaled.interval.high == pytest.approx(plain.interval.high, rel=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("weight", [[0.1, 0.2, 0.3], [0.3, 0.3, 0.1], [0.1, 0.7, 0.3], [1.0, 1.0, 1.0]])
def test_a_bin_of_one_cluster_is_worth_one_row(weight: list[float]) -> None:
    """Its residuals add up to 0 but for rounding, which made it worth no row."""
    more: dict[str, Any] = {"weight": np.array(weight), "clusters": np.zeros(3, dtype=int)}
    ((rows, mean, positives, share),) = reliability([1, 0, 1], [0.5] * 3, **more)
    assert (rows, mean, share) == (1.0, 0.5, 1.0)
    assert positives == pytest.approx((weight[0] + weight[2]) / sum(weight))
    assert np.isfinite(calibration_error([1, 0, 1], [0.5] * 3, [0] * 3, **more).estimate).all()


@pytest.mark.parametrize(
    "texts", [["female", "male"], ["a", "a "], ["", "nan", "None"], ["ä", "a\u0308"], ["x" * 70, "y"], ["a\0b", "a"]]
)
def test_arrays_of_texts_are_categories_of_the_column_that_pandas_makes_of_them(texts: list[str]) -> None:
    array = np.random.default_rng(1).choice(texts, 20_000)
    for given in (array, array[::-1], array.astype(array.dtype.newbyteorder())):
        made, plain = one_column(given, "groups"), pd.Series(given.astype(array.dtype))
        assert set(made.cat.categories) == set(plain.unique())
        pd.testing.assert_series_equal(made.astype(plain.dtype), plain)


@pytest.mark.parametrize("way", ["list", "parquet", "jsonl", "polars", "id"])
def test_long_codes_with_a_missing_value_are_not_merged(tmp_path: Path, way: str) -> None:
    codes = [None, *[2**53, 2**53 + 1] * 50]
    table = pd.DataFrame({"y": [1, 0] * 50 + [1], "d": [1, 0] * 50 + [0]})
    source: Any = {**table.to_dict("list"), "g": codes}
    if way == "parquet":
        arrow = pytest.importorskip("pyarrow.parquet")
        source = tmp_path / "rows.parquet"
        arrow.write_table(pytest.importorskip("pyarrow").table({**table.to_dict("list"), "g": codes}), source)
    elif way == "jsonl":
        source = tmp_path / "rows.jsonl"
        lines = table.assign(g=pd.array(codes, dtype="Int64")).to_json(orient="records", lines=True)
        source.write_text(lines)
    elif way == "polars":
        source = pytest.importorskip("polars").DataFrame({**table.to_dict("list"), "g": codes})
    roles: dict[str, Any] = {"id": "g"} if way == "id" else {"sensitive_features": "g", "missing": "group"}
    with pytest.raises(InputError, match="different codes become the same"):
        eh.read_evaluation_set(source, label="y", prediction="d", **roles)
    kept = table.assign(g=pd.array(codes, dtype="Int64"))
    data = eh.read_evaluation_set(kept, label="y", prediction="d", sensitive_features="g", missing="group")
    assert len(data.grouping("g").names) == 3
