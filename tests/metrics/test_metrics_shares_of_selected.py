"""Shares of the selected where rows are weighted or alike within clusters."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.metrics import Tally
from evenhand.metrics.comparisons.group_inequality import share_of_selected

STUDIES, CLUSTERS, EACH = 200, 30, 20


def test_shares_of_clusters_cover_and_those_of_rows_would_not() -> None:
    """Hospitals are of one group each and select more or fewer: limits of as many rows apart held in 0.46."""
    chance = np.random.default_rng(0)
    cluster = np.repeat(np.arange(CLUSTERS), EACH)
    held = {"clusters": 0, "rows": 0}
    for _ in range(STUDIES):
        group = chance.integers(0, 2, CLUSTERS)[cluster]
        selected = (chance.random(len(cluster)) < chance.beta(2, 3, CLUSTERS)[cluster]).astype(int)
        for name, alike in (("clusters", cluster), ("rows", None)):
            found = share_of_selected(Tally.count(np.zeros_like(group), selected, group, 2, clusters=alike))
            assert found.estimate[1] == pytest.approx(group[selected == 1].mean())
            held[name] += int(found.low[1] <= 0.5 <= found.high[1])
    assert held["clusters"] >= 0.94 * STUDIES
    assert held["rows"] <= 0.6 * STUDIES


def test_shares_of_weighted_rows_are_of_sums_of_weights_and_less_sure() -> None:
    chance = np.random.default_rng(1)
    group, selected, weight = chance.integers(0, 3, 600), chance.integers(0, 2, 600), chance.exponential(1, 600) ** 2
    truth = np.zeros_like(group)
    found = share_of_selected(Tally.count(truth, selected, group, 3, weight))
    plain = share_of_selected(Tally.count(truth, selected, group, 3))
    sums = np.bincount(group, weight * selected, 3)
    assert found.estimate.tolist() == pytest.approx((sums / sums.sum()).tolist())
    assert found.rows.tolist() == plain.rows.tolist() == np.bincount(group).tolist()
    assert found.support.tolist() == plain.support.tolist() == [int(selected.sum())] * 3
    assert (found.high - found.low > 1.5 * (plain.high - plain.low)).all()


def test_nobody_selected_has_no_share_whatever_the_weights() -> None:
    group, none = np.array([0, 1]), np.zeros(2, dtype=int)
    found = share_of_selected(Tally.count(none, none, group, 2, np.ones(2), clusters=np.arange(2)))
    assert not found.defined.any()
    assert set(found.reason) == {"No row is selected."}
