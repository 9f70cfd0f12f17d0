"""The area under the ROC curve of live scores: inside its bounds at all times, and judged as any other limit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from tests.monitoring.live import baseline, batch, live_rows

import evenhand as eh
from evenhand.findings import Absent, Finding
from evenhand.monitoring import Monitor
from evenhand.monitoring.limits import SELECTIVE
from evenhand.monitoring.ranking import area
from evenhand.timelines import said_of

EDGES = norm.ppf(np.arange(1, 20) / 20) + 0.5
POLICY = {"limits": {"roc_auc": {"at_least": 0.7}}}


def counted(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return bins of scores x (rows, positive ones), the last of missing scores."""
    places, many = np.searchsorted(EDGES, scores), len(EDGES) + 2
    rows = np.bincount(places, minlength=many)
    return np.stack([rows, np.bincount(places[truth == 1], minlength=many)], axis=1)


def drawn(n: int, seed: int, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.4).astype(int)
    return rng.normal(apart * truth, 1), truth


def found_of(counts: np.ndarray, error: float) -> Finding:
    found = area(counts, error)
    assert isinstance(found, Finding)
    return found


@pytest.mark.parametrize("n", [60, 1_000, 50_000])
def test_the_exact_area_is_between_the_ends_and_near_the_estimate(n: int) -> None:
    scores, truth = drawn(n, 1)
    found, exact = found_of(counted(scores, truth), 0.025), roc_auc_score(truth, scores)
    assert found.interval is not None
    assert found.interval.low <= exact <= found.interval.high  # type: ignore[operator]
    assert found.estimate == pytest.approx(exact, abs=0.01)
    assert found.support == n


def test_the_ends_hold_at_all_times_together() -> None:
    """Over 60 series of 20 looks each end leaves the truth behind in fewer than the error allows."""
    truth, missed = float(norm.cdf(1 / np.sqrt(2))), np.zeros(2)
    for seed in range(60):
        scores, labels = drawn(2_000, 100 + seed)
        low, high = 0.0, 1.0
        for end in range(100, 2_001, 100):
            interval = found_of(counted(scores[:end], labels[:end]), 0.1).interval
            assert interval is not None
            low, high = max(low, interval.low or 0.0), min(high, interval.high or 1.0)
        missed += (low > truth, high < truth)
    assert (missed <= 0.1 * 60).all()


def test_the_ends_come_together_as_rows_grow() -> None:
    widths = []
    for n in (1_000, 10_000, 1_000_000):
        interval = found_of(counted(*drawn(n, 3)), 0.025).interval
        assert interval is not None
        widths.append((interval.high or 1) - (interval.low or 0))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.06  # what bins leave open


@pytest.mark.parametrize("counts", [None, np.zeros((21, 2), dtype=int), np.stack([np.full(21, 5)] * 2, axis=1)])
def test_without_scores_of_both_classes_there_is_none(counts: np.ndarray | None) -> None:
    assert isinstance(area(counts, 0.025), Absent)


def test_a_limit_passes_and_fails_once_scores_tell_nothing() -> None:
    own = Monitor(baseline(), eh.load_policy(POLICY))
    state = own.take(own.begin(), batch(live_rows(4_000, 1), "good"))
    timeline = own.timeline(state)
    (series,) = (one for one in timeline.series if one.kind == "limit")
    assert timeline.verdict == "passed"
    assert series.baseline == pytest.approx(series.points[-1].estimate, abs=0.02)
    for at in range(4):
        table = live_rows(4_000, 10 + at)
        table["score"] = table["score"].sample(frac=1, random_state=at).to_numpy()
        state = own.take(state, batch(table, f"noise {at}"))
    assert "roc_auc" in {alarm.key for alarm in state.alarms}


def test_with_labels_of_the_approved_alone_it_cannot_be_known() -> None:
    own, table = Monitor(baseline(), eh.load_policy(POLICY)), live_rows(4_000, 5)
    table["paid"] = table["paid"].astype(object).where(table["score"] >= 0.5, None)
    timeline = own.timeline(own.take(own.begin(), batch(table)))
    (series,) = (one for one in timeline.series if one.kind == "limit")
    assert series.points[-1].status == "undecided"
    assert series.note is not None
    assert str(said_of(series.note)) == str(SELECTIVE)
