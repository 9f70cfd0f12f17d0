"""One order of rows: any permutation of any argument is refused, or is the same audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evenhand as eh
from evenhand.data.aligning import in_other_order, refuse_misaligned
from evenhand.data.lookalikes import skeleton
from evenhand.data.written import as_written
from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

N = 24
RNG = np.random.default_rng(0)
Y = np.tile([1, 0], 12)
PARTS: dict[str, np.ndarray] = {
    "y_true": Y,
    "y_pred": np.where(RNG.random(N) < 0.7, Y, 1 - Y),
    "y_score": RNG.random(N),
    "original_pred": np.where(RNG.random(N) < 0.7, Y, 1 - Y),
    "original_score": RNG.random(N),
    "sensitive_features": np.array(list("aab") * 8),
    "control_features": np.array(list("xxyy") * 6),
    "sample_weight": RNG.integers(1, 4, N),
    "cluster": np.arange(N) // 2,
}


def audit(parts: dict[str, object]) -> AuditRecord:
    kept = dict(parts)
    return eh.audit_predictions(kept.pop("y_true"), kept.pop("y_pred"), **kept)  # type: ignore[arg-type]


ALIGNED = audit(dict(PARTS))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_permutation_of_any_argument_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    """Arrays say nothing of their order, so whatever is permuted is a pandas object that does."""
    parts: dict[str, object] = {}
    permuted = data.draw(st.sampled_from(sorted(PARTS)))
    index = data.draw(st.sampled_from([range(N), range(9, N + 9), [f"r{at}" for at in range(N)]]))
    others = data.draw(st.sampled_from(["arrays", "pandas", "mixed"]))
    if not isinstance(index, range) or index.start:
        others = "pandas"  # labels that are no positions say nothing where no other part has any
    for at, (name, values) in enumerate(PARTS.items()):
        plain = others == "arrays" or (others == "mixed" and at % 2 == 1)
        parts[name] = values if plain else pd.Series(values, index=index)
    order = data.draw(st.permutations(range(N)))
    turned = pd.Series(PARTS[permuted], index=index).iloc[order]
    mapped = data.draw(st.booleans()) and permuted in ("sensitive_features", "control_features")
    parts[permuted] = {f"{permuted[:-1]}_0": turned} if mapped else turned
    try:
        record = audit(parts)
    except InputError as wrong:
        assert list(order) != list(range(N)), wrong
        return
    assert list(order) == list(range(N)), f"{permuted} in another order was audited"
    assert [(f.name, f.estimate) for f in record.findings] == [(f.name, f.estimate) for f in ALIGNED.findings]


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(N)))
def test_all_parts_in_one_other_order_are_the_same_audit(order: list[int]) -> None:
    record = audit({name: pd.Series(values).iloc[order] for name, values in PARTS.items()})
    for found in record.findings:
        before = ALIGNED[found.key].estimate
        assert found.estimate == pytest.approx(before, abs=1e-9) if before is not None else found.estimate is None


def test_polars_and_arrow_columns_have_no_index() -> None:
    polars = pytest.importorskip("polars")
    parts = {name: polars.Series(name, values) for name, values in PARTS.items()}
    assert audit({**parts, "y_pred": pd.Series(PARTS["y_pred"])})["accuracy"] == ALIGNED["accuracy"]
    with pytest.raises(InputError, match="another order"):
        audit({**parts, "y_pred": pd.Series(PARTS["y_pred"])[::-1]})


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ([0, 1, 2], False),
        ([2, 1, 0], True),
        ([0, 2, 1], True),
        ([7, 3, 5], False),
        ([0, 0, 2], False),
        (["b", "a", "c"], False),
        ([1.0, 0.0, 2.0], False),
        ([3, 2, 1], False),
    ],
)
def test_what_numbers_rows_in_another_order(index: list[object], told: bool) -> None:
    assert in_other_order(pd.Index(index)) is told
    assert in_other_order(pd.RangeIndex(2, -1, -1))


def test_parts_within_parts_are_compared() -> None:
    first = pd.Series([1, 2, 3])
    with pytest.raises(InputError, match=r"'b\[c\]\[d\]' and 'a'"):
        refuse_misaligned("rows", {"a": first, "b": {"c": {"d": first.iloc[::-1]}}})


@given(st.lists(st.one_of(st.integers(-(10**17), 10**17).map(str), st.text("01.eE+- TruE", min_size=1)), min_size=1))
def test_reading_a_column_merges_no_texts(texts: list[str]) -> None:
    read = as_written(pd.Series(texts, dtype=object), booleans=True)
    assert read.nunique() == len(set(texts)) or (len(set(texts)) > 20 and read.dtype.kind == "f")


def test_amounts_are_numbers_however_they_are_written() -> None:
    amounts = [f"{value}.50" for value in range(30)] + ["1e1", "2", "2.0"]
    assert as_written(pd.Series(amounts)).dtype.kind == "f"
    assert as_written(pd.Series(amounts[:5])).tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert as_written(pd.Series(["2", "2.0"])).tolist() == ["2", "2.0"]


@given(st.text(max_size=8))
def test_a_look_is_one_whatever_the_case_and_blanks(name: str) -> None:
    assert skeleton(f" {name}\u200b") == skeleton(name)
    assert skeleton(skeleton(name)) == skeleton(name)
