"""Counts by score: exact ones say what scikit-learn says, binned ones lie within their bound."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk

from evenhand.metrics import average_precision, brier_score, calibration_error, log_loss, mean_score, roc_auc
from evenhand.metrics.counts.score_tally import ScoreTally
from evenhand.metrics.values.ranking_curves import average_precision_of_tally, roc_auc_of_tally

METRICS = (roc_auc, average_precision, brier_score, log_loss, mean_score, calibration_error)


def rows(n: int = 4_000, groups: int = 3, ties: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, n)
    score = np.clip(0.3 * truth + 0.7 * rng.random(n), 0, 1)
    return truth, score if ties is None else np.round(score * ties) / ties, rng.integers(0, groups, n)


@pytest.mark.parametrize("ties", [None, 20])
def test_exact_tallies_agree_with_scikit_learn(ties: int | None) -> None:
    truth, score, codes = rows(ties=ties)
    tally = ScoreTally.count(truth, score, codes, 3)
    found = roc_auc_of_tally(tally).estimate, average_precision_of_tally(tally).estimate
    for group in range(3):
        y, p = truth[codes == group], score[codes == group]
        assert found[0][group] == pytest.approx(sk.roc_auc_score(y, p), abs=1e-12)
        assert found[1][group] == pytest.approx(sk.average_precision_score(y, p), abs=1e-12)


def test_intervals_from_tallies_are_those_from_rows() -> None:
    truth, score, codes = rows(ties=50)
    tally, values = roc_auc_of_tally(ScoreTally.count(truth, score, codes, 3)), roc_auc(truth, score, codes, 3)
    np.testing.assert_allclose(tally.low, values.low, atol=1e-12)
    np.testing.assert_allclose(tally.high, values.high, atol=1e-12)


@pytest.mark.parametrize("bins", [20, 1_000])
def test_bins_lie_within_their_bound(bins: int) -> None:
    truth, score, codes = rows()
    cell = codes * bins + np.minimum((score * bins).astype(int), bins - 1)
    counts = np.stack([np.bincount(cell, truth == value, 3 * bins) for value in (0, 1)], axis=1)
    mean = np.bincount(cell, score, 3 * bins) / np.maximum(counts.sum(axis=1), 1)
    told = np.tile([0, 1], 3 * bins), np.repeat(mean, 2), np.repeat(np.arange(3 * bins) // bins, 2), 3
    exact = roc_auc(truth, score, codes, 3).estimate
    off = np.abs(roc_auc(*told, frequency=counts.ravel()).estimate - exact)
    shared, of_group = counts.prod(axis=1).reshape(3, bins).sum(axis=1), counts.reshape(3, bins, 2).sum(axis=1)
    assert (off <= shared / 2 / of_group.prod(axis=1) + 1e-12).all()
    assert off.max() > 0
    brier = brier_score(*told, frequency=counts.ravel()).estimate
    # a bin's mean is that of both truths, so Brier's score moves by less than the width of a bin
    assert np.abs(brier - brier_score(truth, score, codes, 3).estimate).max() <= 1 / bins


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_a_row_that_stands_for_many_counts_as_many(metric: object) -> None:
    truth, score, codes = rows(600, ties=25)
    times = np.random.default_rng(1).integers(0, 5, 600)
    long = [np.repeat(part, times) for part in (truth, score, codes)]
    short, full = metric(truth, score, codes, 3, frequency=times), metric(*long, 3)  # type: ignore[operator]
    for part in ("estimate", "low", "high"):
        np.testing.assert_allclose(getattr(short, part), getattr(full, part), atol=1e-9)
    np.testing.assert_array_equal(short.rows, full.rows)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_the_same_person_twenty_times_is_one_person(metric: object) -> None:
    truth, score, codes = rows(300)
    long = [np.repeat(part, 20) for part in (truth, score, codes, np.arange(300))]
    once, naive = metric(truth, score, codes, 3), metric(*long[:3], 3)  # type: ignore[operator]
    robust = metric(*long[:3], 3, clusters=long[3])  # type: ignore[operator]
    np.testing.assert_allclose(robust.estimate, naive.estimate, atol=1e-12)
    assert (naive.high - naive.low < 0.5 * (once.high - once.low)).all()
    # as wide as that of the persons, up to what n - 1 and bins of equal count differ by
    np.testing.assert_allclose(robust.high - robust.low, once.high - once.low, rtol=0.1)


def test_clustered_areas_cover() -> None:
    rng, missed, rounds, n = np.random.default_rng(5), np.zeros(2), 400, 60
    for _ in range(rounds):
        truth = np.repeat(rng.integers(0, 2, n), 10)
        score = truth + np.repeat(rng.normal(size=n), 10) + rng.normal(size=10 * n)  # area: Phi(1 / 2)
        clusters = np.repeat(np.arange(n), 10)
        for at, given in enumerate((None, clusters)):
            found = roc_auc(truth, score, np.zeros(10 * n, dtype=int), clusters=given)
            missed[at] += not found.low[0] <= 0.691462 <= found.high[0]
    assert missed[0] / rounds > 0.3
    assert missed[1] / rounds < 0.08
