"""The balance of clusters: known answers, invariances, and how often its ends cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.metrics.comparisons.balance import Assigned, cluster_balance, cluster_representation

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLES = st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=2, max_size=4)


def assigned(table: object, together: NDArray[np.int64] | None = None) -> Assigned:
    """Return rows of a table of counts, group by cluster."""
    counts = np.asarray(table)
    cell = np.repeat(np.arange(counts.size), counts.ravel())
    clusters = counts.shape[1]
    return Assigned(cell % clusters, cell // clusters, clusters, len(counts), None, together)


def test_known_answers() -> None:
    rows = assigned([[30, 20], [60, 25]])
    found = cluster_balance(rows)
    assert (found.found.estimate, found.cluster) == (pytest.approx(0.5), 0)
    assert found.found.values.estimate.tolist() == pytest.approx([1 / 3, 2 / 3])
    assert found.found.pair == (0, 1), "the rarer group first"
    # 50 of 135 rows are of the first group, a third of cluster 0 and four ninths of cluster 1
    assert cluster_representation(rows).found.estimate == pytest.approx((20 / 45) ** -1 * (50 / 135))


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_both_are_what_their_definitions_say(table: list[list[int]]) -> None:
    counts = np.array(table, dtype=float)
    if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
        return
    share, whole = counts / counts.sum(axis=0), counts.sum(axis=1) / counts.sum()
    with np.errstate(divide="ignore"):
        relative = np.minimum(share / whole[:, None], whole[:, None] / share)
    rows = assigned(table)
    assert cluster_representation(rows).found.estimate == pytest.approx(relative.min())
    pairs = [
        min(one, other) / max(one, other)
        for column in counts.T for a, one in enumerate(column) for other in column[a + 1 :] if max(one, other) > 0
    ]  # fmt: skip
    found = cluster_balance(rows).found
    assert found.estimate == pytest.approx(min(pairs))
    assert found.low <= found.estimate <= found.high <= 1


def test_a_group_that_a_cluster_lacks_makes_it_0_and_not_certainly() -> None:
    found = cluster_balance(assigned([[0, 20], [6, 20]])).found
    assert (found.estimate, found.low) == (0.0, 0.0)
    assert found.high == 1.0, "six rows do not show that the group is never there"
    assert cluster_balance(assigned([[0, 200], [600, 200]])).found.high < 0.02


def test_groups_without_rows_in_a_cluster_leave_the_low_end_open() -> None:
    found = cluster_balance(assigned([[9, 0], [9, 0], [9, 9]])).found
    assert found.estimate == 0.0
    assert cluster_balance(assigned([[9, 9], [0, 0]])).found.reason.startswith("There are fewer than 2 groups")


def test_names_and_order_do_not_matter_and_clusters_of_rows_widen() -> None:
    rng = np.random.default_rng(0)
    cluster, codes = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
    plain = cluster_balance(Assigned(cluster, codes, 3, 3)).found
    order, names = rng.permutation(300), np.array([2, 0, 1])
    turned = cluster_balance(Assigned(names[cluster][order], names[codes][order], 3, 3)).found
    assert (turned.estimate, turned.low, turned.high) == (
        pytest.approx(plain.estimate), pytest.approx(plain.low), pytest.approx(plain.high),
    )  # fmt: skip
    persons = np.arange(300)
    for measured in (cluster_balance, cluster_representation):
        one = measured(Assigned(cluster, codes, 3, 3)).found
        thrice = Assigned(np.tile(cluster, 3), np.tile(codes, 3), 3, 3, None, np.tile(persons, 3))
        again = measured(thrice).found
        assert again.estimate == pytest.approx(one.estimate)
        assert again.low <= one.low + 1e-3, "rows that are repeated tell no more"
        assert measured(Assigned(cluster, codes, 3, 3, np.full(300, 2.0))).found.estimate == pytest.approx(one.estimate)


def coverage(groups: int, clusters: int, rows: int, rounds: int, seed: int) -> tuple[float, float]:
    """Return how often the intervals of both cover, of random populations."""
    rng, inside = np.random.default_rng(seed), np.zeros(2)
    for _ in range(rounds):
        shares = rng.dirichlet(np.full(groups, 4.0))[:, None] * rng.dirichlet(np.full(clusters, 6.0))
        shares *= np.exp(0.4 * rng.normal(size=shares.shape))
        shares /= shares.sum()
        relative = shares / shares.sum(axis=0) / shares.sum(axis=1)[:, None]
        truths = (
            min((shares[a] / shares[b]).min() for a in range(groups) for b in range(groups) if a != b),
            np.minimum(relative, 1 / relative).min(),
        )
        cell = rng.choice(shares.size, size=rows, p=shares.ravel())
        drawn = Assigned(cell % clusters, cell // clusters, clusters, groups)
        for at, measured in enumerate((cluster_balance, cluster_representation)):
            found = measured(drawn).found
            inside[at] += found.low <= truths[at] <= found.high
    return tuple(inside / rounds)


def test_ends_cover() -> None:
    assert min(coverage(3, 3, 300, 60, 0)) > 0.93


@pytest.mark.slow
@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("clusters", [2, 8])
@pytest.mark.parametrize("rows", [150, 1_000])
def test_ends_cover_at_many_settings(groups: int, clusters: int, rows: int) -> None:
    assert min(coverage(groups, clusters, rows, 300, 1)) > 0.93
