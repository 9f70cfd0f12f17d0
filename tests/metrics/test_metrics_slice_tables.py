"""Tables that are drawn say of chance what permuted rows say."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.metrics.slices import permuting
from evenhand.metrics.slices.lattice import Rows
from evenhand.metrics.slices.permuting import maxima
from evenhand.metrics.slices.search import weaker, wider
from evenhand.metrics.slices.tables import kinds_of


def few(rng: np.random.Generator, *, groups: bool = False, n: int = 3_000, **more: object) -> Rows:
    """Rows of two features of three and four values."""
    codes = [rng.integers(0, size, n).astype(np.int32) for size in (3, 4)]
    group = rng.random(n) < 0.3 if groups else None
    return Rows(codes, [3, 4], rng.random(n) < 0.2, group=group, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("groups", [False, True])
def test_kinds_are_those_of_a_group_by(groups: bool) -> None:
    rows = few(np.random.default_rng(0), groups=groups)
    kinds = kinds_of(rows)
    assert kinds is not None
    plain: dict[tuple[int, ...], list[int]] = {}
    for row, kind in enumerate(zip(rows.place.tolist(), *(part.tolist() for part in rows.codes), strict=True)):
        plain.setdefault(kind, []).append(row)
    assert kinds.first.tolist() == [found[0] for _, found in sorted(plain.items())]
    assert kinds.rows.tolist() == [len(found) for _, found in sorted(plain.items())]
    assert kinds.place.tolist() == [kind[0] for kind in sorted(plain)]


def test_tables_keep_the_marked_rows_of_each_group_and_the_rows_of_each_kind() -> None:
    rows = few(np.random.default_rng(1), groups=True)
    kinds = kinds_of(rows)
    assert kinds is not None
    (tables,) = kinds.tables(500, np.random.default_rng(2))
    assert tables.shape == (500, 24) and (tables <= kinds.rows).all()
    for group in (0, 1):
        marked = int(rows.marks[rows.place == group].sum())
        assert (tables[:, kinds.place == group].sum(axis=1) == marked).all()
    expected = kinds.rows * kinds.marked[kinds.place] / np.bincount(kinds.place, kinds.rows)[kinds.place]
    assert np.allclose(tables.mean(axis=0), expected, atol=1.0)


@pytest.mark.parametrize("groups", [False, True])
def test_maxima_are_of_the_same_distribution_as_those_of_permuted_rows(
    groups: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permuting, "DRAWS", 2_000)
    rows = few(np.random.default_rng(3), groups=groups)
    statistic = wider if groups else weaker
    by_table = maxima(rows, statistic, 15, 2, 0.025, 4)
    with monkeypatch.context() as plain:
        plain.setattr(permuting, "kinds_of", lambda _: None)
        by_row = maxima(rows, statistic, 15, 2, 0.025, 4)
    assert by_table.rows == by_row.rows == len(rows)
    both = np.sort(np.concatenate([by_table.greatest, by_row.greatest]))
    shares = [np.searchsorted(found.greatest, both, "right") / 2_000 for found in (by_table, by_row)]
    # Kolmogorov and Smirnov's critical value at .001 of two samples of 2,000 is .062.
    assert np.abs(shares[0] - shares[1]).max() < 0.062


def test_no_row_is_moved_where_rows_are_of_few_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(*_: object) -> None:
        raise AssertionError("rows were permuted")

    monkeypatch.setattr(permuting, "_permuted", moved)
    maxima(few(np.random.default_rng(5)), weaker, 15, 2, 0.025, 6)


def test_rows_that_do_not_count_alike_or_are_of_many_kinds_are_permuted() -> None:
    rng = np.random.default_rng(7)
    assert kinds_of(few(rng, weight=rng.random(3_000))) is None
    assert kinds_of(few(rng, clusters=np.arange(3_000) // 2)) is None
    assert kinds_of(few(rng, n=100)) is None, "12 kinds of 100 rows"
