"""Splits are disjoint, complete, alike, repeatable, and tear no cluster apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.data import read_evaluation_set, split
from evenhand.errors import InputError


def make(rows=500, seed=0, **roles):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "row": np.arange(rows),
            "y": (rng.random(rows) < 0.3).astype(int),
            "race": rng.choice(["a", "b", "c"], rows, p=[0.8, 0.18, 0.02]),
            "sex": rng.choice(["F", "M"], rows),
            "house": rng.integers(0, max(rows // 3, 1), rows),
        }
    )
    return read_evaluation_set(table, label="y", sensitive_features=["race", "sex"], **roles)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(60, 400), st.integers(0, 10**6), st.sampled_from([{"a": 0.5, "b": 0.5}, {"a": 0.7, "b": 0.1, "c": 0.2}])
)
def test_disjoint_complete_and_of_exact_size(rows, seed, shares):
    parts = split(make(rows), shares, seed=seed)
    assert list(parts) == list(shares)
    assert sorted(np.concatenate([part.table["row"] for part in parts.values()])) == list(range(rows))
    for name, part in parts.items():
        assert abs(len(part) - shares[name] * rows) < 1
        assert np.array_equal(part.y_true, part.table["y"])


@pytest.mark.parametrize("seed", range(5))
def test_every_cell_is_shared_out(seed):
    data = make(1000)
    parts = split(data, seed=seed)
    cells = data.table.groupby(["y", "race", "sex"]).size()
    for name, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
        found = parts[name].table.groupby(["y", "race", "sex"]).size().reindex(cells.index, fill_value=0)
        assert (found - share * cells).abs().max() <= 2
        assert parts[name].roles == data.roles


def test_seeds():
    data = make()
    first, again, other = (split(data, seed=seed)["test"].table["row"].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first == sorted(first)


def test_every_row_is_as_likely_as_its_share():
    data = make(60)
    chosen = np.zeros(60)
    for seed in range(400):
        chosen[split(data, {"train": 0.7, "test": 0.3}, seed=seed)["test"].table["row"]] += 1
    assert np.abs(chosen / 400 - 0.3).max() < 0.12  # five standard errors


@pytest.mark.parametrize("role", ["cluster", "id"])
def test_what_belongs_together_stays_together(role):
    data = make(600, **{role: "house"})
    parts = split(data)
    houses = [set(part.table["house"]) for part in parts.values()]
    assert not houses[0] & houses[1] and not houses[0] & houses[2] and not houses[1] & houses[2]
    assert sum(map(len, parts.values())) == 600
    assert abs(len(parts["train"]) / 600 - 0.6) < 0.05
    assert abs(parts["test"].y_true.mean() - data.y_true.mean()) < 0.08


def test_unique_ids_are_single_rows():
    data = make(500, id="row")
    assert {name: len(part) for name, part in split(data).items()} == {"train": 300, "validation": 100, "test": 100}


def test_provenance_and_name():
    part = split(make(500, name="credit.csv"), seed=4)["validation"]
    assert part.name == "credit.csv (validation)"
    assert part.provenance["split"] == {"part": "validation", "share": 0.2, "seed": 4, "of_rows": 500}
    assert part.provenance["rows"] == 100


@pytest.mark.parametrize(
    "shares", [{}, {"a": 0.5}, {"a": 1.2, "b": -0.2}, {"a": 1, "b": 0}, {"a": float("nan"), "b": 1}]
)
def test_shares_add_up(shares):
    with pytest.raises(InputError, match="shares of a split are above 0 and add up to 1"):
        split(make(), shares)


def test_parts_have_both_classes():
    data = read_evaluation_set({"y": [0] * 20 + [1], "a": range(21)}, label="y")
    with pytest.raises(InputError, match=r"with 21 rows, 1 of them positive, the split leaves .* without rows of both"):
        split(data)
