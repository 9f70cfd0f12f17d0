"""Corruptions stay within what is plausible, leave alone what is immutable, and grow with their severity."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenhand.probing.corruption import CORRUPTIONS, SEVERITIES, corruptions_of, learn_ranges, tried
from evenhand.probing.corruption.ranges import layout
from evenhand.subjects import as_subject

TABLES = [each.name for each in corruptions_of("table")]
IMAGES = [each.name for each in corruptions_of("arrays")]


def people(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows),
            "income": np.round(rng.lognormal(10, 0.6, rows), 2),
            "score": rng.normal(0, 1, rows).astype(np.float32),
            "owns": rng.integers(0, 2, rows),
            "job": rng.choice(["clerk", "nurse", "farmer", "driver"], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "grade": pd.Categorical(rng.choice(["a", "b", "c"], rows)),
            "member": rng.random(rows) < 0.3,
            "born": pd.date_range("1950-01-01", periods=rows),
            "sex": rng.choice(["f", "m"], rows),
        }
    )


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(2, 30))
    numbers = st.floats(-1e6, 1e6, allow_nan=False) | st.just(float("nan"))
    return pd.DataFrame(
        {
            "whole": draw(st.lists(st.integers(-(1 << 40), 1 << 40), min_size=rows, max_size=rows)),
            "real": np.array(draw(st.lists(numbers, min_size=rows, max_size=rows))),
            "word": draw(st.lists(st.sampled_from(["", "a", "bb", "ccc"]), min_size=rows, max_size=rows)),
            "kept": draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows)),
        }
    )


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables(), severity=st.sampled_from(SEVERITIES), seed=st.integers(0, 9))
def test_rows_stay_within_ranges_and_immutable_columns_stay(
    name: str, table: pd.DataFrame, severity: int, seed: int
) -> None:
    ranges = learn_ranges(table, immutable=["kept"])
    before = table.copy(deep=True)
    found = CORRUPTIONS["table"][name].apply(table, severity, seed, ranges)
    assert isinstance(found, pd.DataFrame)
    pd.testing.assert_frame_equal(table, before)  # what was given is left as it was
    assert list(found.columns) == list(table.columns)
    assert found.index.equals(table.index)
    pd.testing.assert_series_equal(found["kept"], table["kept"])
    assert found["whole"].dtype == table["whole"].dtype
    assert found["real"].isna().equals(table["real"].isna())
    if name != "units":
        for column in ("whole", "real"):
            values, known = found[column].dropna(), table[column].dropna()
            assert len(known) == 0 or values.between(known.min(), known.max()).all()
    if name != "typos":
        assert set(found["word"]) <= set(table["word"])


@pytest.mark.parametrize("name", TABLES)
def test_kinds_of_columns_stay_what_they_are(name: str) -> None:
    table = people()
    found = CORRUPTIONS["table"][name].apply(table, 3, 0, learn_ranges(table, immutable=["sex"]))
    assert isinstance(found, pd.DataFrame)
    assert found.dtypes.equals(table.dtypes)
    assert found["sex"].equals(table["sex"])
    assert found["born"].equals(table["born"])
    changed = {column for column in table if not found[column].equals(table[column])}
    wanted = {
        "noise": {"age", "income", "score"}, "rounding": {"age", "income", "score"}, "units": {"age", "income"},
        "categories": {"owns", "job", "grade", "member"},
        "missing": {"age", "income", "score", "owns", "job", "grade", "member"}, "typos": set(),
    }  # fmt: skip
    assert changed == wanted[name]


@pytest.mark.parametrize("name", ["missing", "units", "categories"])
def test_a_cell_that_is_hit_mildly_is_hit_at_every_greater_severity(name: str) -> None:
    table = people(2_000)
    corruption, ranges = CORRUPTIONS["table"][name], learn_ranges(table)
    found = [corruption.apply(table, severity, 5, ranges) for severity in SEVERITIES]
    before = np.zeros(len(table), dtype=bool)
    for severity, each in zip(SEVERITIES, found, strict=True):
        assert isinstance(each, pd.DataFrame)
        hit = (each["age" if name == "units" else "job"] != table["age" if name == "units" else "job"]).to_numpy()
        assert (hit >= before).all()
        most = corruption.amounts[severity - 1]
        assert hit.mean() <= most + 3 * np.sqrt(most / len(table))
        before = hit
    assert before.any()


def test_noise_is_as_wide_as_it_says() -> None:
    table = people(20_000)
    found = CORRUPTIONS["table"]["noise"].apply(table, 2, 0, learn_ranges(table))
    assert isinstance(found, pd.DataFrame)
    moved = (found["score"] - table["score"]).std() / table["score"].std()
    assert moved == pytest.approx(0.25, abs=0.01)


def test_what_most_rows_have_is_no_number_with_noise() -> None:
    gain = np.where(np.arange(1_000) % 10 < 8, 0, 1_000 + np.arange(1_000))
    table = pd.DataFrame({"gain": gain})
    found = CORRUPTIONS["table"]["noise"].apply(table, 3, 0, learn_ranges(table))
    assert isinstance(found, pd.DataFrame)
    assert (found["gain"][gain == 0] == 0).all()
    assert (found["gain"][gain > 0] != gain[gain > 0]).mean() > 0.9


def test_categories_are_drawn_as_often_as_training_rows_have_them() -> None:
    table = people(40_000)
    found = CORRUPTIONS["table"]["categories"].apply(table, 3, 0, learn_ranges(table))
    assert isinstance(found, pd.DataFrame)
    other = found["job"][(table["job"] == "clerk") & (found["job"] != "clerk")].value_counts(normalize=True)
    assert other["nurse"] == pytest.approx(0.6, abs=0.02)  # .30 of the .50 that are no clerks
    assert other["driver"] == pytest.approx(0.1, abs=0.02)


def test_ranges_are_those_of_the_rows_that_they_are_learned_from() -> None:
    learned = pd.DataFrame({"age": [30, 40, 50] * 10, "job": ["a", "b"] * 15})
    rows = pd.DataFrame({"age": [31, 45, 70] * 10, "job": ["a", "c"] * 15})
    ranges = learn_ranges(learned)
    found = CORRUPTIONS["table"]["noise"].apply(rows, 3, 0, ranges)
    assert isinstance(found, pd.DataFrame)
    assert found["age"].between(30, 70).all()  # a row beyond the range is not drawn into it, nor farther out
    assert (found["age"][rows["age"] < 50] <= 50).all()
    other = CORRUPTIONS["table"]["categories"].apply(rows, 3, 0, ranges)
    assert isinstance(other, pd.DataFrame)
    assert set(other["job"]) <= {"a", "b", "c"}
    assert (other["job"][rows["job"] == "a"] != "c").all()


def test_whether_a_model_takes_missing_values_is_tried() -> None:
    table = people()[["age", "job"]]
    jobs = {"clerk": 0.1, "nurse": 0.2, "farmer": 0.3, "driver": 0.4}

    def strict(rows: pd.DataFrame) -> pd.Series:
        return rows["age"] / 200 + rows["job"].map(lambda job: jobs[job])

    def lenient(rows: pd.DataFrame) -> pd.Series:
        return rows["age"].fillna(50) / 200 + rows["job"].map(jobs).fillna(0.0)

    found = [tried(as_subject(each), table, learn_ranges(table)) for each in (strict, lenient)]
    assert [sorted(each.takes_missing) for each in found] == [[], ["category", "number"]]
    assert [each.takes_unseen for each in found] == [False, True]
    filled, emptied = (CORRUPTIONS["table"]["missing"].apply(table, 3, 0, each) for each in found)
    assert isinstance(filled, pd.DataFrame)
    assert isinstance(emptied, pd.DataFrame)
    assert filled["job"].notna().all()
    assert set(filled["job"][filled["job"] != table["job"]]) == {"clerk"}
    assert emptied["job"].isna().mean() == pytest.approx(0.3, abs=0.08)
    assert emptied["age"].isna().mean() == pytest.approx(0.3, abs=0.08)
    misspelt = CORRUPTIONS["table"]["typos"].apply(table, 3, 0, found[1])
    assert isinstance(misspelt, pd.DataFrame)
    assert not set(misspelt["job"]) <= set(jobs)
    assert CORRUPTIONS["table"]["typos"].idle(found[0])


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("kind", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(24, 16), (24, 16, 3), (3, 24, 16)])
def test_images_of_every_layout_stay_images(name: str, kind: str, shape: tuple[int, ...]) -> None:
    if name == "jpeg" and importlib.util.find_spec("PIL") is None:
        assert CORRUPTIONS["arrays"][name].idle(learn_ranges(np.zeros((2, 4, 4))))
        return
    rng = np.random.default_rng(1)
    images = rng.random((12, *shape))
    images[:, : shape[0] // 2] *= 0.3
    batch = (images * 255).astype(np.uint8) if kind == "uint8" else images.astype(np.float32)
    before = batch.copy()
    ranges = learn_ranges(batch)
    far = []
    for severity in SEVERITIES:
        found = CORRUPTIONS["arrays"][name].apply(batch, severity, 0, ranges)
        assert isinstance(found, np.ndarray)
        assert (found.shape, found.dtype) == (batch.shape, batch.dtype)
        assert float(found.min()) >= ranges.low
        assert float(found.max()) <= ranges.high
        far.append(float(np.abs(found.astype(np.float64) - before).mean()))
    assert np.array_equal(batch, before)
    assert 0 < far[0] < far[2]


def test_layouts_are_told_apart() -> None:
    assert [layout(shape) for shape in ((5, 8, 8), (5, 8, 8, 3), (5, 1, 8, 8), (5, 784), (5, 4, 8, 8, 3))] == [
        0, 3, 1, None, None,
    ]  # fmt: skip
    flat = np.random.default_rng(0).random((4, 20))
    assert np.array_equal(CORRUPTIONS["arrays"]["blur"].apply(flat, 3, 0, learn_ranges(flat)), flat)


def test_texts_change_as_they_say() -> None:
    texts = ["The film was long, and I LIKED it a lot.", "", "film"] * 50
    ranges = learn_ranges(texts, synonyms={"Film": ("movie",), "long": ("lengthy", "endless")})
    changed = {each.name: each.apply(texts, 3, 0, ranges) for each in corruptions_of("texts")}
    assert all(len(found) == len(texts) for found in changed.values())
    assert all(isinstance(text, str) for found in changed.values() for text in found)
    assert changed["case"][0] == "THE FILM WAS LONG, AND i liked IT A LOT."
    assert changed["synonyms"][0] in {
        "The movie was lengthy, and I LIKED it a lot.", "The movie was endless, and I LIKED it a lot.",
    }  # fmt: skip
    assert changed["synonyms"][2] == "movie"
    assert "".join(changed["spacing"][0].split()) == "".join(texts[0].split())
    letters = sum(map(len, texts))
    off = sum(abs(len(a) - len(b)) + sum(x != y for x, y in zip(a, b, strict=False)) for a, b in zip(
        changed["typos"], texts, strict=True))  # fmt: skip
    assert off / letters > 0.03
    mild = CORRUPTIONS["texts"]["typos"].apply(texts, 1, 0, ranges)
    assert sum(a != b for a, b in zip(mild, texts, strict=True)) < sum(
        a != b for a, b in zip(changed["typos"], texts, strict=True)
    )
    assert CORRUPTIONS["texts"]["synonyms"].idle(learn_ranges(texts))


def test_the_same_seed_gives_the_same_rows() -> None:
    table = people()
    ranges = learn_ranges(table)
    for corruption in corruptions_of("table"):
        one, same, other = (corruption.apply(table, 3, seed, ranges) for seed in (1, 1, 2))
        assert isinstance(one, pd.DataFrame)
        assert isinstance(other, pd.DataFrame)
        pd.testing.assert_frame_equal(one, same)  # type: ignore[arg-type]
        assert corruption.name in ("rounding", "typos") or not one.equals(other)


def test_arrays_without_a_shape_get_noise_and_a_reason_for_the_rest() -> None:
    rows = np.random.default_rng(0).random((20, 64)).astype(np.float32)
    ranges = learn_ranges(rows)
    for each in corruptions_of("arrays"):
        assert bool(each.idle(ranges)) == (each.name != "noise")
    changed = CORRUPTIONS["arrays"]["noise"].apply(rows, 3, 0, ranges)
    assert changed.shape == rows.shape
    assert np.abs(changed - rows).mean() > 0.05
