"""Shares of rows of which only some were labelled: all on which two models differ, and a sample of the others.

Both models decide every row, so rows are in four strata by their two decisions, whose sizes are known; in each of them
some rows, drawn at random, have a label. An error then has two parts: the rows are a sample of all people, and the
labelled rows are a sample of these rows. Where a stratum is labelled as a whole the second part is 0, and where all are
the interval is that of fully labelled rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.metrics.counts.arrays import Floats, Ints, Marks

HALF_A_ROW: Final = 0.5
"""Added to both classes of a stratum that is labelled in part: one class alone in a sample is not certain."""

LEAST: Final = 10
"""The fewest labels of a stratum that has as many rows."""
USUAL: Final = 30
"""The fewest labels of a stratum in which the models agree, where no number of labels is given."""
DIFFERING: Final = np.array([[False, True], [True, False]])
"""The strata [original's decision, compressed model's decision] in which the models differ."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """Sums of weights of rows of G groups in the cells of [truth, original's decision, compressed model's decision].

    A row weighs as many rows of its stratum as it was drawn for: their number by that of the labelled ones.
    """

    weights: Floats
    """(G, 2, 2, 2) sums of weights."""
    squared_weights: Floats
    """(G, 2, 2, 2) sums of squared weights."""

    def sizes(self, events: Sequence[Marks], among: Marks) -> tuple[list[Floats], Floats]:
        """Return how many fully labelled rows each of two shares is worth, (G,) each, and their correlation (G,).

        The linearised variance of a share p of `among` is p (1 - p) / A, with A the estimated rows in `among`, and for
        each stratum N (w - 1) q (1 - q) d^2 / A^2: N its rows, w their weight, q its share of positive labels, d the
        difference that a label makes to the residual (Cochran 1977, sections 5.3 and 12.2). The size is that of a
        binomial share of this variance.

        Parameters
        ----------
        events : two (2, 2, 2) arrays
            The cells that each share counts.
        among : (2, 2, 2) array
            The cells that it counts them among.
        """
        rows, weight, positive, smooth = self._strata()
        spread = rows * (weight - 1) * smooth * (1 - smooth)
        inside = among.astype(np.float64)
        total = (self.weights * inside).sum(axis=(1, 2, 3))
        cells = np.stack([1 - smooth, smooth], axis=1) * rows[:, None]
        exact = np.stack([1 - positive, positive], axis=1) * rows[:, None]
        sizes, plain, errors = [], [], []
        with np.errstate(invalid="ignore", divide="ignore"):
            for event in events:
                p = np.minimum((cells * event).sum(axis=(1, 2, 3)) / total, 1.0)
                moved = _moved(event, inside, p)
                one = p * (1 - p)
                variance = one / total + (spread * moved**2).sum(axis=(1, 2)) / total**2
                sizes.append(np.fmin(np.nan_to_num(one / variance, nan=np.inf), total))
                share = (exact * event).sum(axis=(1, 2, 3)) / total
                plain.append(share)
                errors.append(_moved(event, inside, share))
            first, second = plain
            shared = (spread * errors[0] * errors[1]).sum(axis=(1, 2)) / total**2 - first * second / total
            scale = np.prod([np.sqrt(p * (1 - p) / size) for p, size in zip(plain, sizes, strict=True)], axis=0)
            correlation = np.nan_to_num(shared / scale, nan=0.0, posinf=0.0, neginf=0.0)
        return sizes, np.clip(correlation, -1.0, 1.0)

    def _strata(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return of each stratum its rows, their weight, and the share of positive labels, as it is and smoothed."""
        rows = self.weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = np.maximum(np.nan_to_num(self.squared_weights.sum(axis=1) / rows, nan=1.0), 1.0)
            positive = np.nan_to_num(self.weights[:, 1] / rows)
        labelled = rows / weight
        smooth = (positive * labelled + HALF_A_ROW) / (labelled + 2 * HALF_A_ROW)
        return rows, weight, positive, np.where(weight > 1 + 1e-9, smooth, positive)


def _moved(event: Marks, inside: Floats, p: Floats) -> Floats:
    """Return (G, 2, 2) how much greater a row's residual is when its label is positive."""
    residual = event.astype(np.float64) - p[:, None, None, None] * inside
    return np.asarray(residual[:, 1] - residual[:, 0])


def labels_wanted(rows: Ints, known: Ints, most: int | None = None) -> Ints:
    """Return how many rows of each stratum are to be labelled, those that have a label included.

    All on which the models differ: only they change a rate. Of the others a sample, which says how many rows a rate is
    of: in each of the two strata of a group a third as many as its differing rows, and `USUAL` at least.

    Parameters
    ----------
    rows : (G, 2, 2)
        Rows of [group, original's decision, compressed model's decision].
    known : (G, 2, 2)
        Those that have a label.
    most : int, optional
        The most new labels. What is left of them when all differing rows are labelled goes to the others; where they
        are fewer, each stratum gets `LEAST` and the differing ones share the rest.

    Raises
    ------
    InputError
        When there are too few for `LEAST` of each stratum.
    """
    third = np.ceil((rows * DIFFERING).sum(axis=(1, 2), keepdims=True) / 3).astype(np.int64)
    usual = np.where(DIFFERING, rows, np.minimum(rows, np.maximum(USUAL, third)))
    least = np.maximum(known, np.minimum(rows, LEAST))
    whole = np.where(DIFFERING, rows, least)
    if most is None:
        return np.asarray(np.maximum(usual, known))
    if (needed := int((least - known).sum())) > most:
        raise InputError(
            f"{most:,} labels are too few: {LEAST} of each group and each pair of decisions are needed, {needed:,} in "
            "all. Ask for as many, or name fewer sensitive features."
        )
    if (whole - known).sum() <= most:
        return _spread(whole, rows, usual, most + int(known.sum()))
    return _spread(least, np.where(DIFFERING, rows, least), rows, most + int(known.sum()))


def _spread(least: Ints, most: Ints, shape: Ints, total: int) -> Ints:
    """Return whole numbers from `least` to `most` that add up to `total` and are otherwise in proportion to `shape`."""
    if most.sum() <= total:
        return most

    def sized(times: float) -> Floats:
        return np.asarray(np.clip(shape * times, least, most), dtype=np.float64)

    low, high = 0.0, float(most.max()) / float(shape[shape > 0].min())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.floor(sized(middle)).sum() <= total else (low, middle)
    found = np.floor(sized(low)).astype(np.int64).ravel()
    left = np.argsort(-(sized(high).ravel() - found), kind="stable")
    room = left[(found < most.ravel())[left]][: total - int(found.sum())]
    found[room] += 1
    return found.reshape(most.shape)
