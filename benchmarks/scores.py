"""Scores by group beside scikit-learn and fairlearn, in one run: CPU seconds, medians, as ratios.

Writes benchmarks/results/scores.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

from functools import partial

import fairlearn.metrics as fair
import numpy as np
import sklearn.metrics as sk
from measuring import machine, middle, peak_megabytes, seconds, write
from sklearn.calibration import calibration_curve

from evenhand.metrics import brier_score, roc_auc
from evenhand.metrics.counts.ordered import bins_of, counts_of, order_scores
from evenhand.metrics.values.ranking_curves import roc_auc_of
from evenhand.metrics.values.scores import BINS, calibration_error_of
from evenhand.metrics.values.thresholds import tallies, thresholds

ROWS, GROUPS = 1_000_000, 100


def rows(n: int, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, scores and group codes."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    return truth, np.clip(0.25 * truth + 0.75 * rng.random(n), 0, 1), rng.integers(0, groups, n).astype(np.int32)


def exact(truth: np.ndarray, score: np.ndarray, codes: np.ndarray) -> object:
    """AUC with DeLong's interval, Brier score, calibration error, and decisions at a hundred thresholds."""
    ordered = order_scores(truth, score, codes, GROUPS)
    tables = [bins_of(group, ordered, BINS) for group in range(GROUPS)]
    return (
        roc_auc_of(ordered),
        brier_score(truth, score, codes, GROUPS),
        calibration_error_of(tables, ordered.rows),
        tallies(counts_of(ordered, thresholds(score))),
    )


def theirs(truth: np.ndarray, score: np.ndarray, codes: np.ndarray) -> object:
    """The same values group by group, without intervals and thresholds."""
    out = []
    for group in range(GROUPS):
        mine = codes == group
        y, p = truth[mine], score[mine]
        out.append((sk.roc_auc_score(y, p), sk.brier_score_loss(y, p), calibration_curve(y, p, n_bins=10)))
    return out


def main() -> None:
    """Run all, write the table and the figures."""
    given = rows(ROWS, GROUPS)
    frame = partial(fair.MetricFrame, metrics=sk.roc_auc_score, y_true=given[0], y_pred=given[1])
    calls = {
        "scikit-learn, group by group": partial(theirs, *given),
        "evenhand, exact": partial(exact, *given),
        "AUC alone: fairlearn's MetricFrame": lambda: frame(sensitive_features=given[2]).by_group,
        "AUC alone: evenhand, exact": partial(roc_auc, *given, GROUPS),
    }
    taken = {name: seconds(call, 3 if "evenhand" not in name else 7) for name, call in calls.items()}
    memory = {name: peak_megabytes(call) for name, call in calls.items()}
    lines = ["| what | seconds | peak MB | peer / this |", "|---|---|---|---|"]
    peers = [name for name in calls if "evenhand" not in name]
    for name, figures in taken.items():
        peer = peers[1] if name.startswith("AUC") else peers[0]
        ratio = "" if name == peer else f"{middle(taken[peer]) / middle(figures):,.1f} x"
        lines.append(f"| {name} | {middle(figures):.3f} | {memory[name]:.0f} | {ratio} |")
    figures = {**machine("scikit-learn", "fairlearn"), "runs": taken, "peak_megabytes": memory}
    write("scores", figures, lines, "Times inner functions of `evenhand.metrics`.")


if __name__ == "__main__":
    main()
