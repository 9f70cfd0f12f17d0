"""Whatever is given as arrays, tables and columns: refused in a sentence, or measured as its oracle says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import EvenhandError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Ask = Callable[[Sequence[str]], Any]

N = 60
Y = np.tile([1, 0, 1, 0, 1, 0], 10)
D = np.tile([1, 0, 0, 0, 1, 1], 10)
G = np.array(list("ab") * 30)
RIGHT = float((Y == D).mean())
MIXED = np.random.default_rng(0).permutation(N)
SCORES = np.random.default_rng(1).random(N)
LOGITS = np.linspace(-3, 3, N)
ONE = np.arange(N) == 0
CLASSES = np.array(["x", "y", "z"] * 20)
THREE = np.random.default_rng(2).dirichlet([1, 1, 1], N)
SEVERAL = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 15)
TWO = np.random.default_rng(3).random((N, 2))
HUGE = 10**5000


def audit(y: object = Y, d: object = None, groups: object = G, **more: object) -> eh.AuditRecord:
    return eh.audit_predictions(y, d, sensitive_features={"g": groups}, **more)  # type: ignore[arg-type]


def names(record: eh.AuditRecord) -> set[str]:
    (counts,) = [part for part in record.tallies if part.columns == ("g",) and part.model == "subject"]
    return {label[0] for label in counts.groups}


def refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(EvenhandError) as caught:
        call()
    text = str(caught.value)
    assert said in text, text
    assert "bug in evenhand" not in text
    assert all(problem.endswith((".", "?")) or "." in problem for problem in caught.value.problems)


def s(values: object, at: object = None) -> pd.Series:
    return pd.Series(values, index=at)


ORDER = "numbers the rows in another order"
OTHER = "different indexes"
ALIGNMENT: dict[str, tuple[dict[str, Any], str]] = {
    "predictions shuffled": ({"d": s(D)[MIXED], "groups": s(G)}, OTHER),
    "predictions shuffled, arrays else": ({"d": s(D)[MIXED]}, ORDER),
    "predictions upside down": ({"d": s(D)[::-1]}, ORDER),
    "truth shuffled": ({"y": s(Y)[MIXED], "d": D}, ORDER),
    "groups shuffled": ({"d": D, "groups": s(G)[MIXED]}, ORDER),
    "scores shuffled": ({"y_score": s(SCORES)[MIXED], "y": s(Y)}, OTHER),
    "original shuffled": ({"d": D, "original_pred": s(D)[MIXED]}, ORDER),
    "original of other rows": ({"d": s(D), "original_pred": s(D, range(7, N + 7))}, OTHER),
    "original scores shuffled": ({"y_score": SCORES, "original_score": s(SCORES)[MIXED]}, ORDER),
    "weights shuffled": ({"d": s(D), "sample_weight": s(np.ones(N))[MIXED]}, OTHER),
    "clusters shuffled": ({"d": s(D), "cluster": s(np.arange(N))[MIXED]}, OTHER),
    "control shuffled": ({"d": s(D), "control_features": {"c": s(G)[MIXED]}}, OTHER),
    "control table shuffled": ({"d": s(D), "control_features": pd.DataFrame({"c": G}).iloc[MIXED]}, OTHER),
    "probabilities shuffled": (
        {"d": s(D), "group_probabilities": {"r": pd.DataFrame({"p": SCORES, "q": 1 - SCORES}).iloc[MIXED]}}, OTHER),
    "text index": ({"d": s(D, [f"r{at}" for at in MIXED]), "groups": s(G, [f"r{at}" for at in range(N)])}, OTHER),
    "one row more": ({"d": np.append(D, 1)}, "must be equal"),
    "one group less": ({"d": D, "groups": G[1:]}, "equally long"),
    "one score less": ({"y_score": SCORES[1:]}, "must be equal"),
    "one original less": ({"d": D, "original_pred": D[1:]}, "must be equal"),
    "classes shuffled": ({"y": CLASSES, "y_score": pd.DataFrame(THREE).iloc[MIXED]}, ORDER),
    "several labels shuffled": (
        {"y": pd.DataFrame(SEVERAL), "y_score": pd.DataFrame(TWO).iloc[MIXED], "task": "multilabel"}, OTHER),
    "amounts shuffled": ({"y": s(LOGITS), "d": s(LOGITS)[MIXED], "task": "regression"}, OTHER),
}  # fmt: skip


@pytest.mark.parametrize("case", ALIGNMENT)
def test_rows_in_two_orders_are_refused(case: str) -> None:
    given, said = ALIGNMENT[case]
    refused(lambda: audit(**given), said)


@pytest.mark.parametrize(
    "given",
    [
        {"y": s(Y)[MIXED], "d": s(D)[MIXED], "groups": s(G)[MIXED]},
        {"y": s(Y)[MIXED], "d": D[MIXED], "groups": s(G)[MIXED]},
        {"y": s(Y, range(7, N + 7)), "d": D},
        {"y": s(Y, ["same"] * N), "d": s(D, ["same"] * N)},
        {"y": list(Y), "d": tuple(D), "groups": list(G)},
        {"y": Y[:, None], "d": pd.DataFrame({"d": D})},
        {"d": D.astype(float)},
        {"d": D.astype(bool)},
        {"d": np.where(D == 1, "1", "0")},
        {"d": np.where(D == 1, b"1", b"0")},
        {"y": np.where(Y == 1, b"1", b"0"), "d": D},
        {"d": pd.Categorical(D, categories=[0, 1, 2])},
        {"d": pd.array(D, dtype="Int64")},
        {"d": (value for value in D)},
        {"y": Y.astype(float), "d": D},
        {"y": Y.astype(bool), "d": D},
        {"y": np.ma.array(Y, mask=False), "d": np.ma.array(D, mask=np.zeros(N, dtype=bool))},
        {"y_score": np.where(D == 1, 0.9, 0.1)},
        {"y_score": np.where(D == 1, 0.5, 0.4999), "threshold": np.float32(0.5)},
        {"y_score": D.astype(object), "threshold": 1},
        {"y_score": np.where(D == 1, 7, 2), "threshold": 5},
    ],
)
def test_the_same_rows_in_another_form_are_the_same_audit(given: dict[str, Any]) -> None:
    assert audit(**given)["accuracy"].estimate == pytest.approx(RIGHT)


SHAPES: dict[str, tuple[object, str]] = {
    "no dimension": (np.array(1), "has the shape ()"),
    "two dimensions": (np.ones((N, 2)), "has the shape (60, 2)"),
    "ragged": ([[1], [1, 2]] * 30, "lists or records"),
    "nested": ([[1, 2]] * N, "has the shape (60, 2)"),
    "arrays in an array": (np.array([np.zeros(2), None] * 30, dtype=object), "lists or records (ndarray)"),
    "records": ([{"a": 1}] * N, "lists or records (dict)"),
    "an index of pairs": (pd.MultiIndex.from_arrays([G, G]), "lists or records (tuple)"),
    "fields": (np.zeros(N, dtype=[("a", int)]), "pass each of them as a column"),
    "complex": (np.ones(N) * 1j, "complex numbers"),
    "complex objects": ([1j, 0] * 30, "complex numbers"),
    "a text": ("abc", "is a str"),
    "a number": (3, "is a int"),
    "a mapping": ({"a": D}, "is a dict"),
    "thousands of digits": ([HUGE, 1] * 30, "more than 300 digits"),
    "bytes that are no text": (np.array([b"\xff"] * N), "no UTF-8"),
    "half of a pair": (["a\ud800", "b"] * 30, "no Unicode text"),
    "half of a pair in objects": (np.array(["a\ud800", "b"] * 30, dtype=object), ""),
}


@pytest.mark.parametrize("case", SHAPES)
@pytest.mark.parametrize("part", ["y", "d", "groups", "y_score", "sample_weight"])
def test_what_is_no_column_is_refused(case: str, part: str) -> None:
    values, said = SHAPES[case]
    if case == "a mapping" and part in ("y", "sample_weight"):
        pytest.skip("a mapping of one column is a column with a name")
    given = {"d": D} if part not in ("d", "y_score") else {}
    refused(lambda: audit(**{**given, part: values}), said if part == "groups" or "pair" not in case else "")


def masked(values: object) -> np.ma.MaskedArray[Any, Any]:
    return np.ma.array(values, mask=ONE)


MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "truth masked": ({"y": masked(Y), "d": D}, "no value in 1 of 60"),
    "decisions masked": ({"d": masked(D)}, "no value in 1 of 60"),
    "scores masked": ({"y_score": masked(SCORES)}, "no finite number in 1 of 60"),
    "original masked": ({"d": D, "original_pred": masked(D)}, "no value in 1 of 60"),
    "groups masked": ({"d": D, "groups": masked(G)}, "no value in 1 of 60"),
    "weights masked": ({"d": D, "sample_weight": masked(np.ones(N))}, "no value in 1 of 60"),
    "clusters masked": ({"d": D, "cluster": masked(np.arange(N))}, "no value in 1 of 60"),
    "control masked": ({"d": D, "control_features": {"c": masked(G)}}, "no value in 1 of 60"),
    "amounts masked": ({"y": masked(LOGITS), "d": LOGITS, "task": "regression"}, "no finite number in 1"),
    "predicted amounts masked": ({"y": LOGITS, "d": masked(LOGITS), "task": "regression"}, "no finite number in 1"),
    "truth NA": ({"y": pd.array([None, *Y[1:]], dtype="Int64"), "d": D}, "no value in 1 of 60"),
    "decisions NA": ({"d": pd.array([None, *D[1:]], dtype="boolean")}, "no value in 1 of 60"),
    "scores NA": ({"y_score": pd.array([None, *SCORES[1:]], dtype="Float64")}, "no finite number in 1 of 60"),
    "groups NA": ({"d": D, "groups": pd.array([None, *G[1:]], dtype="string")}, "no value in 1 of 60"),
    "truth NaN": ({"y": np.where(ONE, np.nan, Y), "d": D}, "no value in 1 of 60"),
    "weights negative": ({"d": D, "sample_weight": np.where(ONE, -1, 1)}, "is negative in 1"),
    "weights NaN": ({"d": D, "sample_weight": np.where(ONE, np.nan, 1)}, "no value in 1"),
    "weights infinite": ({"d": D, "sample_weight": np.where(ONE, np.inf, 1)}, "is infinite in 1"),
    "weights zero": ({"d": D, "sample_weight": np.zeros(N)}, "is 0 in all 60 rows"),
    "weights beyond": ({"d": D, "sample_weight": np.full(N, 1e200)}, "no finite number"),
    "weights text": ({"d": D, "sample_weight": ["a"] * N}, "is no number"),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_is_never_counted(case: str) -> None:
    given, said = MISSING[case]
    refused(lambda: audit(**given), said)


def test_masked_groups_are_a_group_where_missing_ones_are() -> None:
    record = audit(d=D, groups=masked(G), missing="group")
    assert record["accuracy[g=(missing)]"].support == 1
    assert record["accuracy[g=a]"].support == 29


SCORING: dict[str, tuple[dict[str, Any], str]] = {
    "threshold nan": ({"y_score": LOGITS, "threshold": float("nan")}, "threshold is nan"),
    "threshold inf": ({"y_score": LOGITS, "threshold": float("inf")}, "threshold is inf"),
    "threshold nan beside decisions": ({"d": D, "threshold": float("nan")}, "threshold is nan"),
    "threshold nan for ranks": (
        {"y_score": LOGITS, "threshold": float("nan"), "score_kind": "ranking"}, "threshold is nan"),
    "threshold of another scale": ({"y_score": LOGITS, "threshold": 50}, "all rows are decided alike"),
    "threshold below": ({"y_score": LOGITS, "threshold": -50}, "all rows are decided alike"),
    "threshold above 1": ({"y_score": SCORES, "threshold": 2}, "on one side"),
    "threshold in text": ({"y_score": SCORES, "threshold": "0.5"}, "must be a finite number"),
    "threshold in a list": ({"y_score": SCORES, "threshold": [0.5]}, "must be a finite number"),
    "threshold true": ({"y_score": SCORES, "threshold": True}, "must be a finite number"),
    "logits": ({"y_score": LOGITS}, "outside [0, 1]"),
    "logits at 0.5": ({"y_score": LOGITS, "threshold": 0.5}, "outside [0, 1]"),
    "logits beside decisions": ({"d": D, "y_score": LOGITS}, "outside [0, 1]"),
    "scores infinite": ({"y_score": np.where(ONE, np.inf, SCORES)}, "no finite number in 1"),
    "scores in text": ({"y_score": ["0.5"] * N}, "is no number"),
    "scores of both classes": ({"y_score": np.column_stack([SCORES, 1 - SCORES])}, "scores[:, 1]"),
    "scores as decisions": ({"d": SCORES}, "Scores belong in y_score"),
    "decisions of other classes": ({"d": np.where(D, "yes", "no")}, "no value of the label"),
    "decisions 2": ({"d": D * 2}, "no value of the label"),
    "an unknown kind": ({"y_score": SCORES, "score_kind": "logit"}, "score_kind takes"),
    "logits of classes": ({"y": CLASSES, "y_score": THREE * 9 - 4}, "outside [0, 1]"),
    "classes that do not add up": ({"y": CLASSES, "y_score": THREE / 2}, "does not add up to 1 in 60"),
    "one class too few": ({"y": CLASSES, "y_score": THREE[:, :2]}, "needed is (60, 3)"),
    "names of other classes": ({"y": CLASSES, "y_score": pd.DataFrame(THREE, columns=list("xyw"))}, "needed are"),
    "classes masked": ({"y": CLASSES, "y_score": np.ma.array(THREE, mask=THREE > 0.9)}, "no finite number"),
    "classes in text": ({"y": CLASSES, "y_score": THREE.astype(str)}, "no array of numbers"),
    "classes complex": ({"y": CLASSES, "y_score": THREE * (1 + 0j)}, "no array of numbers"),
    "a threshold for classes": ({"y": CLASSES, "y_score": THREE, "threshold": 0.5}, "nothing is cut"),
    "a class that is none": ({"y": CLASSES, "d": np.where(ONE, "w", CLASSES)}, "no value of the label"),
    "logits of labels": ({"y": SEVERAL, "y_score": TWO * 9 - 4, "task": "multilabel"}, "outside [0, 1]"),
    "labels at nan": (
        {"y": SEVERAL, "y_score": TWO, "threshold": float("nan"), "task": "multilabel"}, "threshold is nan"),
    "labels at 7": ({"y": SEVERAL, "y_score": TWO, "threshold": 7, "task": "multilabel"}, "on one side"),
    "scores as labels": ({"y": SEVERAL, "d": TWO, "task": "multilabel"}, "neither 0 nor 1 in 120 places"),
    "amounts twice": ({"y": LOGITS, "d": LOGITS, "y_score": LOGITS, "task": "regression"}, "give one of both"),
    "amounts infinite": ({"y": LOGITS, "d": np.where(ONE, np.inf, 1), "task": "regression"}, "no finite number in 1"),
    "a threshold for amounts": ({"y": LOGITS, "d": LOGITS, "threshold": 1, "task": "regression"}, "nothing is cut"),
    "classes written in two ways": ({"y": ["yes", "Yes", "no"] * 20, "d": Y}, "look alike"),
    "one class": ({"y": np.ones(N), "d": D}, "one class only"),
    "a column named by half of a pair": (
        {"d": D, "control_features": {"c\ud800": G}}, "no Unicode text"),
}  # fmt: skip


@pytest.mark.parametrize("case", SCORING)
def test_scores_that_decide_nothing_are_refused(case: str) -> None:
    given, said = SCORING[case]
    refused(lambda: audit(**given), said)


@pytest.mark.parametrize("threshold", [0.3, 0.9])
def test_several_labels_are_cut_at_the_threshold(threshold: float) -> None:
    record = audit(SEVERAL, y_score=TWO, threshold=threshold, task="multilabel")
    assert record["hamming_loss"].estimate == pytest.approx(((threshold <= TWO) != SEVERAL).mean())
    ranked = audit(SEVERAL, y_score=TWO * 9 - 4, threshold=threshold * 9 - 4, score_kind="ranking", task="multilabel")
    assert ranked["hamming_loss"].estimate == pytest.approx(record["hamming_loss"].estimate)


def test_named_columns_of_scores_are_put_in_order() -> None:
    right = (np.array(list("xyz"))[THREE.argmax(axis=1)] == CLASSES).mean()
    turned = pd.DataFrame(THREE[:, ::-1], columns=list("zyx"))
    assert audit(CLASSES, y_score=turned)["accuracy"].estimate == pytest.approx(right)
    several = pd.DataFrame(SEVERAL, columns=["p", "q"])
    said = pd.DataFrame(TWO[:, ::-1], columns=["q", "p"])
    record = audit(several, y_score=said, task="multilabel")
    assert record["hamming_loss"].estimate == pytest.approx(((TWO >= 0.5) != SEVERAL).mean())


def test_decisions_given_with_scores_of_classes_are_those_that_count() -> None:
    assert audit(CLASSES, CLASSES, y_score=THREE)["accuracy"].estimate == 1


GROUPS: dict[str, tuple[object, set[str], int]] = {
    "blanks": (["A", "A "] * 30, {"A", "A "}, 2),
    "case": (["TRUE", "true"] * 30, {"TRUE", "true"}, 2),
    "composed": (["\u00e9", "e\u0301"] * 30, {"\u00e9", "e\u0301"}, 2),
    "zero width": (["A", "A\u200b", "B"] * 20, {"A", "A\u200b", "B"}, 2),
    "full width": (["F", "\uff26"] * 30, {"F", "\uff26"}, 2),
    "Cyrillic": (["A", "\u0410"] * 30, {"A", "\u0410"}, 2),
    "blank that does not break": (["a b", "a\u00a0b"] * 30, {"a b", "a\u00a0b"}, 2),
    "control signs": (["A", "A\x07"] * 30, {"A", "A\x07"}, 2),
    "zeros": (["01", "1", "2"] * 20, {"01", "1", "2"}, 2),
    "exponents": (["1e3", "1000"] * 30, {"1e3", "1000"}, 2),
    "a number and its text": ([1, "1", 2] * 20, {"1", "2"}, 2),
    "a number, its text and true": ([1, "1", True] * 20, {"1", "True"}, 3),
    "true and 1": ([True, 1] * 30, {"True", "1"}, 2),
    "1 and 1.0": ([1, 1.0, "x"] * 20, {"1", "x"}, 0),
    "apart": (["A", "B"] * 30, {"A", "B"}, 0),
    "numbers": ([1, 2] * 30, {"1", "2"}, 0),
    "booleans": ([True, False] * 30, {"True", "False"}, 0),
    "bytes": (np.array([b"F", b"M"] * 30), {"F", "M"}, 0),
    "a category without rows": (pd.Categorical(["a", "b"] * 30, categories=["a", "A", "b"]), {"a", "b"}, 0),
}


@pytest.mark.parametrize("case", GROUPS)
def test_groups_that_look_alike_are_apart_and_stated(case: str) -> None:
    values, wanted, alike = GROUPS[case]
    record = audit(d=D, groups=values)
    assert names(record) == wanted
    assert sum(record[eh.Key.of("accuracy", {"g": name})].support for name in wanted) == N
    found = record["lookalike_groups[g]"]
    assert found.estimate == alike
    assert bool(found.note) == (alike > 0)
    policy = eh.load_policy({"limits": {"lookalike_groups[g]": {"at_most": 0}}})
    assert eh.judge(record, policy).status == ("failed" if alike else "passed")


def test_the_order_of_rows_names_no_group() -> None:
    values = np.array([True, 1, "1", 2.0, "x"] * 12, dtype=object)
    there = audit(d=D, groups=values)
    back = audit(Y[::-1], D[::-1], groups=values[::-1])
    assert names(there) == names(back)
    assert [f.estimate for f in there.findings] == pytest.approx([f.estimate for f in back.findings], nan_ok=True)


FILES: dict[str, tuple[list[str], set[str], int]] = {
    "zeros": (["01", "1"], {"01", "1"}, 2),
    "zip codes": (["01234", "90210"], {"01234", "90210"}, 0),
    "exponents": (["1e3", "1000"], {"1e3", "1000"}, 2),
    "case": (["TRUE", "true"], {"TRUE", "true"}, 2),
    "upper case": (["TRUE", "FALSE"], {"TRUE", "FALSE"}, 0),
    "long codes": (["12345678901234567", "12345678901234568"], {"12345678901234567", "12345678901234568"}, 0),
    "longer codes": (["9" * 30 + "1", "9" * 30 + "2"], {"9" * 30 + "1", "9" * 30 + "2"}, 0),
    "points": (["1.0", "1"], {"1.0", "1"}, 2),
    "numbers": (["1", "2"], {"1", "2"}, 0),
    "negative": (["-1", "1"], {"-1", "1"}, 0),
    "signs": (["+1", "1"], {"+1", "1"}, 2),
    "words": (["NA", "None"], {"NA", "None"}, 0),
    "hexadecimal": (["0x10", "16"], {"0x10", "16"}, 0),
    "infinity": (["inf", "nan"], {"inf", "nan"}, 0),
    "underscores": (["1_000", "1000"], {"1_000", "1000"}, 0),
    "blanks": (["a ", "a"], {"a ", "a"}, 2),
}


def write(place: Path, groups: list[str], y: list[str], d: list[str], blank: bool = False) -> Path:
    values = [*groups] * (N // len(groups))
    lines = [f"{a},{b},{c}" for a, b, c in zip(values, y, d, strict=True)]
    if blank:
        lines.append(f",{y[0]},{d[0]}")
    place.write_text("g,y,d\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return place


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("verb", ["audit", "audit --table"])
def test_groups_of_a_file_are_what_is_written(tmp_path: Path, case: str, verb: str) -> None:
    groups, wanted, alike = FILES[case]
    table = write(tmp_path / "t.csv", groups, [*map(str, Y)], [*map(str, D)])
    output = tmp_path / "audit.json"
    asked = ["audit", *(["--table"] if "--table" in verb else []), str(table), "--label", "y", "--prediction", "d"]
    assert exit_code([*asked, "--sensitive", "g", "-o", str(output)]) == 0
    record = eh.read_record(output)
    assert names(record) == wanted
    assert record["accuracy"].estimate == pytest.approx(RIGHT)
    assert record["lookalike_groups[g]"].estimate == alike


@pytest.mark.parametrize("case", FILES)
def test_one_blank_merges_no_groups(tmp_path: Path, case: str) -> None:
    groups, wanted, _ = FILES[case]
    table = write(tmp_path / "t.csv", groups, [*map(str, Y)], [*map(str, D)], blank=True)
    roles = {"label": "y", "prediction": "d", "sensitive_features": "g"}
    data = eh.read_evaluation_set(table, missing="group", **roles)  # type: ignore[arg-type]
    grouping = data.grouping("g")
    assert set(grouping.names) == {*wanted, "(missing)"}
    assert sorted(grouping.rows.tolist()) == [1, 30, 30]


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
@pytest.mark.parametrize("case", ["zeros", "exponents", "case", "long codes", "numbers", "words"])
def test_counting_a_file_sees_the_groups_that_reading_it_does(tmp_path: Path, engine: str, case: str) -> None:
    pytest.importorskip(engine)
    groups, wanted, _ = FILES[case]
    table = write(tmp_path / "t.csv", groups, [*map(str, Y)], [*map(str, D)])
    counts = tmp_path / "counts.csv"
    asked = ["count", str(table), "--label", "y", "--prediction", "d", "--sensitive", "g", "--engine", engine]
    assert exit_code([*asked, "-o", str(counts)]) == 0
    both = tmp_path / "both.csv"
    assert exit_code(["merge", str(counts), "-o", str(both)]) == 0
    read = {"label": "y", "prediction": "d", "sensitive_features": "g", "frequency": "rows"}
    for place in (counts, both):
        data = eh.read_evaluation_set(place, **read)  # type: ignore[arg-type]
        assert set(data.grouping("g").names) == wanted
        assert data.rows == N


@pytest.mark.parametrize(
    ("truth", "said", "code"),
    [
        (("1", "0"), ("1", "0"), 0),
        (("1", "0"), ("1.0", "0.0"), 0),
        (("1.0", "0.0"), ("1", "0"), 0),
        (("1", "0"), ("True", "False"), 0),
        (("TRUE", "FALSE"), ("TRUE", "FALSE"), 0),
        (("true", "false"), ("1", "0"), 0),
        ((" 1", " 0"), ("1", "0"), 0),
        (("1", "-1"), ("1", "-1"), 0),
        (("1", "0"), ("yes", "no"), 2),
        (("1", "0"), ("0.7", "0.2"), 2),
        (("yes", "no"), ("yes", "no"), 0),
        (("good", "bad"), ("good", "bad"), 2),
        (("1", "1.0"), ("1", "0"), 2),
        (("yes", "Yes"), ("yes", "no"), 2),
        (("a", "a "), ("a", "a "), 2),
    ],
)
def test_labels_of_a_file(tmp_path: Path, ask: Ask, truth: tuple[str, str], said: tuple[str, str], code: int) -> None:
    y, d = ([pair[1 - value] for value in values] for pair, values in ((truth, Y), (said, D)))
    table = write(tmp_path / "t.csv", ["a", "b"], y, d)
    asked = ["audit", str(table), "--label", "y", "--prediction", "d", "--sensitive", "g"]
    assert ask([*asked, "-o", str(tmp_path / "audit.json")]).code == code
    if code == 0:
        assert eh.read_record(tmp_path / "audit.json")["accuracy"].estimate == pytest.approx(RIGHT)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"y": ' + "1" * 5000 + ', "g": "a"}\n'),
        ("b.jsonl", '{"y": 1, "g": [1]}\n{"y": 0, "g": [2]}\n'),
        ("c.jsonl", '{"y": 1, "g": "\\ud800"}\n{"y": 0, "g": "b"}\n'),
        ("d.jsonl", '{"y": 1, "g": {"a": 1}}\n{"y": 0, "g": {"a": 1}}\n'),
        ("e.csv", "y,g,g\n1,a,b\n0,a,b\n"),
        ("f.csv", "y,g\n1,a,3\n0,b\n"),
        ("g.csv", "y\n1\n0\n"),
        ("h.csv", "y,g\n1,a\n1,b\n"),
        ("i.csv", "y,g\n,a\n1,b\n0,a\n"),
        ("j.csv", "y,g\n1,\n0,a\n"),
        ("k.csv", "y,g\nyes,a\nYes,b\nno,a\n"),
        ("l.tsv", "y\tg\n1\ta\n"),
        ("m.csv", "y,g\n2020-01-01,a\n2021-01-01,b\n"),
        ("n.jsonl", '{"y": [1, 0], "g": "a"}\n{"y": 0, "g": "b"}\n'),
    ],
)
@pytest.mark.parametrize("verb", ["audit", "train", "init", "score"])
def test_tables_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask, verb: str, name: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    table = tmp_path / name
    table.write_text(text, encoding="utf-8", errors="surrogatepass")
    asked = {
        "audit": ["audit", name, "--label", "y", "--prediction", "y", "--sensitive", "g"],
        "train": ["train", name, "--label", "y", "--sensitive", "g", "--epochs", "1", "-o", "m.safetensors"],
        "init": ["init", name, "--label", "y", "--sensitive", "g"],
        "score": ["score", name, "--model", "m.onnx", "--label", "y", "--sensitive", "g", "-o", "scored.csv"],
    }[verb]
    assert ask(asked).code in ((0, 2) if verb == "init" else (2,))


def test_one_id_five_times_is_one_row_of_evidence() -> None:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 200)
    d = np.where(rng.random(200) < 0.8, y, 1 - y)
    frame = pd.DataFrame({"id": np.arange(200), "y": y, "d": d, "g": np.where(rng.random(200) < 0.5, "a", "b")})
    roles: dict[str, Any] = {"label": "y", "prediction": "d", "sensitive_features": "g", "id": "id"}

    def of(table: pd.DataFrame) -> eh.AuditRecord:
        from evenhand.audits import audit_given

        return audit_given(eh.read_evaluation_set(table, **roles))

    once, again = of(frame), of(pd.concat([frame] * 5))
    assert once.provenance["data"]["repeated_ids"] == 0
    assert again.provenance["data"]["repeated_ids"] == 800
    assert again["accuracy"].estimate == pytest.approx(once["accuracy"].estimate)
    wide, narrow = (float(np.diff([r["accuracy"].interval.low, r["accuracy"].interval.high])[0]) for r in (once, again))
    assert narrow > 0.9 * wide, "five copies of a row are no five rows"
    assert audit(d=D).provenance["data"]["repeated_ids"] is None


def test_the_background_of_a_fitted_model_says_which_rows_it_has_seen() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300), "g": ["a", "b", "c"] * 100})
    frame["y"] = (frame["x"] + rng.normal(size=300) > 0).astype(int)
    train, test = frame.iloc[:200], frame.iloc[200:]
    model = linear.LogisticRegression().fit(train[["x", "z"]], train["y"])
    seen = eh.read_evaluation_set(train, label="y", sensitive_features="g")
    new = eh.read_evaluation_set(test, like=seen)
    both = eh.read_evaluation_set(pd.concat([test, train.iloc[:7]]), like=seen)

    def rows(data: eh.EvaluationSet, background: eh.EvaluationSet | None) -> object:
        record = eh.audit(model, data, background=background, audits=["performance"])
        return record.provenance["rows_seen_in_training"]

    assert rows(seen, seen) == 200
    assert rows(both, seen) == 7
    assert rows(new, seen) is None, "that none is among the background does not say that none is among the others"
    assert rows(seen, None) is None


@pytest.mark.parametrize("kind", ["frame", "path", "mapping", "loader", "dataset", "array", "nothing"])
@pytest.mark.parametrize("call", ["audit", "audit_given", "split", "fit", "tune"])
def test_what_is_no_evaluation_set_is_refused(call: str, kind: str) -> None:
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]))
    value = {
        "frame": pd.DataFrame({"y": [0, 1]}), "path": "rows.csv", "mapping": {"y": [0, 1]}, "dataset": dataset,
        "loader": torch.utils.data.DataLoader(dataset), "array": np.zeros((4, 2)), "nothing": None,
    }[kind]  # fmt: skip

    def run() -> None:
        if call in ("fit", "tune"):
            pytest.importorskip("optuna" if call == "tune" else "torch")
            import evenhand.training as room

            getattr(room, call)(value)
        elif call == "split":
            eh.split(value)  # type: ignore[arg-type]
        elif call == "audit":
            eh.audit(lambda table: np.zeros(len(table)), value)  # type: ignore[arg-type]
        else:
            from evenhand.audits import audit_given

            audit_given(value, D)  # type: ignore[arg-type]

    refused(run, TOLD[kind] if call == "audit" else "takes an EvaluationSet, not a")


TOLD = {
    "frame": "no label column is named; pass label= with one of 'y'", "mapping": "no label column is named",
    "path": "rows.csv: there is no such file", "array": "has no column names", "nothing": "data takes a table",
    "dataset": "pass it as inputs=", "loader": "no names were given",
}  # fmt: skip


def test_rows_of_a_set_are_those_of_the_table_it_was_made_from() -> None:
    from evenhand.audits import audit_given

    frame = pd.DataFrame({"y": Y, "g": G}, index=MIXED + 100)
    data = eh.read_evaluation_set(frame, label="y", sensitive_features="g")
    said = pd.Series(D, index=frame.index)
    for given in (said, D, said.reset_index(drop=True)):
        assert audit_given(data, given)["accuracy"].estimate == pytest.approx(RIGHT)
    refused(lambda: audit_given(data, said[::-1]), "another index than the rows")
    half = data.take(np.arange(0, N, 2))
    assert audit_given(half, said.iloc[::2])["accuracy"].estimate == pytest.approx((Y == D)[::2].mean())
    mixed = eh.read_evaluation_set(pd.DataFrame({"y": Y, "g": G}).iloc[MIXED], label="y", sensitive_features="g")
    refused(lambda: audit_given(mixed, pd.Series(D)), ORDER)
    assert audit_given(mixed, pd.Series(D)[MIXED])["accuracy"].estimate == pytest.approx(RIGHT)


@pytest.mark.parametrize("frequency", [1e19, 1e16, -1, 0.5, np.nan, np.inf, 0])
def test_frequencies_that_count_nothing(frequency: float) -> None:
    frame = pd.DataFrame({"y": [1, 0, 1, 0], "d": [1, 0, 0, 1], "g": list("aabb"), "rows": [frequency] * 4})
    roles: dict[str, Any] = {"label": "y", "prediction": "d", "sensitive_features": "g", "frequency": "rows"}
    with pytest.raises(InputError):
        eh.read_evaluation_set(frame, **roles)


def test_a_limit_over_every_feature_can_refuse_look_alikes(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", ["F", "f"], [*map(str, Y)], [*map(str, D)])
    asked = ["audit", str(table), "--label", "y", "--prediction", "d", "--sensitive", "g"]
    assert exit_code([*asked, "-o", str(tmp_path / "audit.json")]) == 0
    policy = tmp_path / "policy.toml"
    policy.write_text('schema = 1\n[limits]\n"lookalike_groups" = { at_most = 0, over = "features" }\n')
    assert exit_code(["gate", str(tmp_path / "audit.json"), "--policy", str(policy)]) == 1
    found = [f for f in json.loads((tmp_path / "audit.json").read_text())["findings"] if "lookalike" in f["key"]]
    assert [f["estimate"] for f in found] == [2]
