"""Changes where only some rows are labelled: as with all labels where all are, and with errors as stated elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evenhand.errors import InputError
from evenhand.metrics.comparisons.changes import excess_change, flips, measure_change
from evenhand.metrics.comparisons.disparity_changes import disparity_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.inference.labelled import DIFFERING, LEAST, USUAL, labels_wanted

FULL = np.array([[[[300, 9], [14, 60]], [[25, 12], [8, 170]]], [[[80, 0], [3, 20]], [[9, 2], [0, 40]]]])
"""(2, 2, 2, 2) rows of [group, truth, original's decision, compressed model's decision]."""
RATES = ("accuracy", "recall", "false_positive_rate", "specificity", "false_negative_rate")


def labelled(counts: np.ndarray, rows: np.ndarray) -> JointTally:
    """Return the tally of labelled rows of strata of so many rows."""
    weight = (rows / np.maximum(counts.sum(axis=1), 1))[:, None]
    return replace(JointTally.of_counts(counts, counts * weight, counts * weight**2), labelled=True)


@pytest.mark.parametrize("metric", RATES)
def test_with_all_labels_the_interval_is_the_usual_one(metric: str) -> None:
    joint, whole = labelled(FULL, FULL.sum(axis=1)), JointTally.of_counts(FULL)
    found, usual = measure_change(metric, joint), measure_change(metric, whole)
    for part in ("estimate", "low", "high", "support", "rows"):
        np.testing.assert_allclose(getattr(found, part), getattr(usual, part), rtol=1e-12, atol=1e-12)
    gap, usual_gap = (disparity_change(metric, "difference", each) for each in (joint, whole))
    assert gap.estimate == pytest.approx(usual_gap.estimate)


def test_accuracy_and_flips_need_no_label_where_the_models_agree() -> None:
    few = np.where(DIFFERING, FULL, np.minimum(FULL, 3))
    joint, whole = labelled(few, FULL.sum(axis=1)), JointTally.of_counts(FULL)
    pairs = [
        (measure_change("accuracy", joint), measure_change("accuracy", whole)),
        (excess_change("accuracy", joint), excess_change("accuracy", whole)),
        (flips("flip_rate", joint), flips("flip_rate", whole)),
        (flips("negative_flip_rate", joint), flips("negative_flip_rate", whole)),
    ]
    for found, usual in pairs:
        np.testing.assert_allclose(found.low, usual.low, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.high, usual.high, rtol=1e-9, atol=1e-12)


def test_fewer_labels_of_the_others_make_recall_less_sure_and_never_surer() -> None:
    rows = FULL.sum(axis=1)
    widths = []
    for part in (1, 5, 20):
        few = np.where(DIFFERING, FULL, np.maximum(FULL // part, 1))
        found = measure_change("recall", labelled(few, rows))
        widths.append(float(found.high[0] - found.low[0]))
    assert widths == sorted(widths)
    assert widths[-1] > 1.05 * widths[0]


@pytest.mark.parametrize("metric", ["accuracy", "recall"])
@pytest.mark.parametrize("part", [1.0, 0.4])
def test_neither_end_errs_more_than_stated(metric: str, part: float) -> None:
    rng, rounds = np.random.default_rng(5), 3_000
    chances, positive = np.array([[0.55, 0.03], [0.03, 0.39]]), np.array([[0.06, 0.4], [0.6, 0.8]])
    rows = rng.multinomial(2_000, chances.ravel(), rounds).reshape(-1, 2, 2)
    shares = np.where(DIFFERING, part, 0.05)
    number = np.minimum(np.maximum(np.ceil(rows * shares).astype(int), 10), rows)
    hits = rng.binomial(number, positive)
    found = measure_change(metric, labelled(np.stack([number - hits, hits], axis=1), rows))
    cells = np.stack([chances * (1 - positive), chances * positive])[None]
    truth = measure_change(metric, JointTally.of_counts(np.round(cells * 1e9).astype(int))).estimate[0]
    most = 0.025 + 4 * np.sqrt(0.025 * 0.975 / rounds)
    assert (found.low > truth).mean() < most
    assert (found.high < truth).mean() < most
    assert ((found.low > truth) | (found.high < truth)).mean() > 0.005, "so wide that it would say nothing"


def test_all_differing_rows_come_first_and_the_labels_are_as_many_as_asked_for() -> None:
    rows, none = FULL.sum(axis=1), np.zeros((2, 2, 2), dtype=int)
    usual = labels_wanted(rows, none)
    assert (usual[:, DIFFERING] == rows[:, DIFFERING]).all()
    assert (usual <= rows).all()
    assert (usual[:, ~DIFFERING] >= np.minimum(rows[:, ~DIFFERING], USUAL)).all()
    for most in (150, 200, 400):
        found = labels_wanted(rows, none, most)
        assert found.sum() == most
        assert (found[:, DIFFERING] == rows[:, DIFFERING]).all()
    short = labels_wanted(rows, none, 70)
    assert short.sum() == 70
    assert (short >= np.minimum(rows, LEAST)).all()
    assert labels_wanted(rows, none, 10_000).sum() == rows.sum()
    known = np.minimum(rows, 12)
    assert (labels_wanted(rows, known, 1) >= known).all()
    assert labels_wanted(rows, known, 1).sum() == known.sum() + 1
    with pytest.raises(InputError, match="40 labels are too few"):
        labels_wanted(rows, none, 40)
