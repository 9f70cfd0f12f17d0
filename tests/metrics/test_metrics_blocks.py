"""Means over templates: what is compared, and that ends err no more often than is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from evenhand.metrics.inference.blocks import apart_within, difference_ends, score_ends, share_ends, turned_within
from evenhand.metrics.inference.intervals import sidak_z, z_of

ROUNDS = 200


def test_identities_are_compared_within_templates_that_have_them() -> None:
    values = np.array([[1.0, 0.0, 0.0], [0.0, np.nan, 1.0], [np.nan, np.nan, 1.0]])
    apart = apart_within(values)
    np.testing.assert_allclose(apart, [[1, -0.5, -0.5], [-1, np.nan, 1], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(turned_within(values), [[1, 0.5, 0.5], [1, np.nan, 1], [np.nan, np.nan, np.nan]])
    assert not apart_within(np.full((4, 7), 0.1)).any(), "rounding is no difference"


def test_ends_are_no_point_where_all_templates_agree() -> None:
    z = z_of(0.95)
    same = np.zeros(20)
    assert difference_ends(same, z) == pytest.approx((-difference_ends(same, z)[1], difference_ends(same, z)[1]))
    assert 0.1 < difference_ends(same, z)[1] < 0.3
    assert difference_ends(np.ones(20), z)[1] == 1.0
    assert share_ends(same, z) == pytest.approx((0.0, 1 - 0.025 ** (1 / 20)))
    assert score_ends(same, z, 1.0) == pytest.approx((-(1 - 0.025 ** (1 / 20)), 1 - 0.025 ** (1 / 20)))
    assert np.isnan(score_ends(same, z, None)).all()


@pytest.mark.parametrize("number", [12, 36])
@pytest.mark.parametrize(
    "rates", [(0.1,) * 8, (0.5,) * 8, (0.9,) + (0.2,) * 7, (0.1,) + (0.01,) * 7], ids=["rare", "even", "one", "rarest"]
)
def test_intervals_of_all_identities_hold_together(number: int, rates: tuple[float, ...]) -> None:
    """Each template has a part of its own, so answers within it are alike; a fault of 7.5 % is told from 5 %."""
    rng = np.random.default_rng(0)
    cut, z = norm.ppf(rates) * np.sqrt(2), sidak_z(len(rates), 0.95)
    many = rng.normal(size=(20_000, 1))
    truth = np.array(rates) - (sum(rates) - np.array(rates)) / (len(rates) - 1)
    meant = apart_within(norm.cdf((cut - many + 0.5 * rng.normal(size=(20_000, len(rates)))) * 0.7)).mean(axis=0)
    wrong = np.zeros(2)
    for _ in range(ROUNDS):
        own = rng.normal(size=(number, 1))
        decided = (own + rng.normal(size=(number, len(rates))) < cut).astype(float)
        scores = norm.cdf((cut - own + 0.5 * rng.normal(size=decided.shape)) * 0.7)
        for which, (values, true) in enumerate(((decided, truth), (scores, meant))):
            parts = apart_within(values)
            ends = [
                (difference_ends if which == 0 else lambda part, z: score_ends(part, z, 1.0))(parts[:, at], z)
                for at in range(len(rates))
            ]
            wrong[which] += any(low > at + 1e-9 or high < at - 1e-9 for (low, high), at in zip(ends, true, strict=True))
    assert (wrong / ROUNDS <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / ROUNDS)).all(), wrong / ROUNDS
