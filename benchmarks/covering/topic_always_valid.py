"""Whether intervals that hold at all times ever err, looked at again and again while rows come in."""

from __future__ import annotations

import math
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import Cell, Outcome, Topic

import evenhand as eh
from evenhand.findings import Finding, Interval
from evenhand.metrics import Tally, means, measured_mean, roc_auc
from evenhand.metrics.answers.stretching import stretched
from evenhand.metrics.comparisons.changes_always import measure_change_always
from evenhand.metrics.comparisons.sequences import pair_highs, pair_lows
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.inference.always_valid import log_evidence_above
from evenhand.metrics.inference.sequences import ALONE, TOGETHER, Shares
from evenhand.metrics.values.sequences import measure_always

if TYPE_CHECKING:
    from evenhand.metrics.inference.two_shares import How

    Ints = np.ndarray
    Marks = np.ndarray

ERROR: Final = 0.025
LOOKS: Final = np.unique(np.geomspace(10, 20_000, 60).astype(int))
"""Rows at each look, of each group: ever more, up to 20,000."""
SHORT: Final = LOOKS[LOOKS <= 3_000][::2]
"""Looks where every row must be drawn."""
FIRST: Final = 100
"""Rows from which on asymptotic intervals are looked at."""


def ever(above: Marks, below: Marks, width: float | None) -> Outcome:
    """Return how many rounds (rounds, looks) erred at any look, and the mean width at the last."""
    return Outcome(float(above.any(axis=1).mean()), float(below.any(axis=1).mean()), 0.0, width, len(above))


def counted(p: float, rng: np.random.Generator, rounds: int) -> Ints:
    """Return (rounds, looks) events so far."""
    steps = np.diff(LOOKS, prepend=0)
    return np.asarray(rng.binomial(steps, p, (rounds, len(steps))).cumsum(axis=1))


def rate(p: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a rate."""
    events, parts = counted(p, rng, rounds), []
    for at, n in enumerate(LOOKS):
        cells = np.zeros((rounds, 2, 2), dtype=np.int64)
        cells[:, 1, 1], cells[:, 1, 0] = events[:, at], n - events[:, at]
        found = measure_always("recall", Tally(cells), 1 - 2 * ERROR)
        parts.append((found.low, found.high))
    low, high = np.array(parts).transpose(1, 2, 0)
    return ever(low > p + 1e-9, high < p - 1e-9, float((high - low)[:, -1].mean()))


def doubt(events: Ints, n: Ints, p: float, others: Ints, m: Ints, q: float) -> Marks:
    """Return the evidence that one rate is above p or the other below q: no end errs where it is below 1 / error."""
    one, other = log_evidence_above(events, n, p), log_evidence_above(m - others, m, 1 - q)
    alone = np.logaddexp(one, other) + math.log(ALONE)
    return np.asarray(np.logaddexp(one + other + math.log(TOGETHER), alone))


def gap(how: How, rates: tuple[float, ...], rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the greatest difference or ratio over ordered pairs of groups, as a limit on it is judged.

    Ends are looked for only where the evidence against the truth makes an error possible at all.
    """
    events = [counted(p, rng, rounds) for p in rates]
    n = [np.broadcast_to(LOOKS, (rounds, len(LOOKS))) for _ in rates]
    truth = max(rates) - min(rates) if how == "difference" else max(rates) / min(rates)
    pairs = len(rates) * (len(rates) - 1)
    above, below = (np.zeros((rounds, len(LOOKS)), dtype=bool) for _ in range(2))
    for i, j in permutations(range(len(rates)), 2):
        odd = doubt(events[i], n[i], rates[i], events[j], n[j], rates[j]) >= math.log(pairs / ERROR)
        if odd.any():
            curve, at = _pairs(events, n, i, j, odd)
            above[odd] |= pair_lows(how, (curve[0], at), (curve[1], at), ERROR / pairs) > truth + 1e-9
    first, last = int(np.argmax(rates)), int(np.argmin(rates))
    if first != last:  # the pair that makes the truth: its end must be below for that of the extreme to be
        odd = doubt(events[last], n[last], rates[last], events[first], n[first], rates[first]) >= -math.log(ERROR)
        if odd.any():
            highs = []
            for i, j in permutations(range(len(rates)), 2):
                curve, at = _pairs(events, n, i, j, odd)
                highs.append(pair_highs(how, (curve[0], at), (curve[1], at), ERROR))
            below[odd] = np.max(highs, axis=0) < truth - 1e-9
    return ever(above, below, None)


def _pairs(events: list[Ints], n: list[Ints], i: int, j: int, odd: Marks) -> tuple[tuple[Shares, Shares], Ints]:
    one, other = (Shares(events[at][odd].astype(float), n[at][odd].astype(float)) for at in (i, j))
    return (one, other), np.arange(int(odd.sum()))


def change(gained: float, lost: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a paired change."""
    chances, steps = [gained, lost, 1 - gained - lost], np.diff(LOOKS[::4], prepend=0)
    drawn = rng.multinomial(np.broadcast_to(steps, (rounds, len(steps))), chances).cumsum(axis=1)
    ends = []
    for at in range(len(steps)):
        cells = np.zeros((rounds, 2, 2, 2), dtype=np.int64)
        cells[:, 1, 0, 1], cells[:, 1, 1, 0], cells[:, 1, 1, 1] = drawn[:, at].T
        found = measure_change_always("recall", JointTally.of_counts(cells), 1 - 2 * ERROR)
        ends.append((found.low, found.high))
    low, high = np.array(ends).transpose(1, 2, 0)
    truth = gained - lost
    return ever(low > truth + 1e-9, high < truth - 1e-9, float((high - low)[:, -1].mean()))


def composite(name: str, chances: tuple[float, ...], rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a composite of the cells; `chances` are of the cells (truth, decision)."""
    steps = np.diff(LOOKS[::2], prepend=0)
    drawn = rng.multinomial(np.broadcast_to(steps, (rounds, len(steps))), chances).cumsum(axis=1)
    truth = float(measure_always(name, Tally((np.array(chances) * 1e8).astype(np.int64).reshape(1, 2, 2))).estimate[0])
    ends = []
    for at in range(len(steps)):
        found = measure_always(name, Tally(drawn[:, at].reshape(rounds, 2, 2)), 1 - 2 * ERROR)
        open_ended = np.array([bool(why) for why in found.uncovered] or [False] * rounds)
        ends.append([np.where(open_ended, end, own) for end, own in ((-np.inf, found.low), (np.inf, found.high))])
    low, high = np.array(ends).transpose(1, 2, 0)
    return ever(low > truth + 1e-9, high < truth - 1e-9, float((high - low)[:, -1].mean()))


def mean(kind: str, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate a mean absolute error of normal, Laplace or exponential errors."""
    draw = {"normal": rng.normal, "laplace": rng.laplace, "exponential": rng.exponential}[kind]
    errors = np.abs(draw(size=(rounds, int(SHORT[-1]))))
    truth = math.sqrt(2 / math.pi) if kind == "normal" else 1.0
    above, below, width = [], [], 0.0
    for n in SHORT[SHORT >= FIRST]:
        drawn = means(errors[:, :n].ravel(), np.repeat(np.arange(rounds), n), rounds)
        found = measured_mean("mean_absolute_error", drawn, 0.95)
        ends = np.array([_stretched("mean_absolute_error", *each, int(n)) for each in _ends(found)])
        above.append(ends[:, 0] > truth)
        below.append(ends[:, 1] < truth)
        width = float((ends[:, 1] - ends[:, 0]).mean())
    return ever(np.array(above).T, np.array(below).T, width)


def area(apart: float, share: float, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the area under the ROC curve of normal scores."""
    from scipy.special import ndtr

    looks = np.array([100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 2_000])
    y = (rng.random((rounds, 2_000)) < share).astype(int)
    score, truth = rng.normal(apart * y), float(ndtr(apart / math.sqrt(2)))
    above, below, width = [], [], 0.0
    for n in looks:
        found = roc_auc(y[:, :n].ravel(), score[:, :n].ravel(), np.repeat(np.arange(rounds), n), rounds)
        ends = np.array([_stretched("roc_auc", *each, int(n)) for each in _ends(found)])
        above.append(ends[:, 0] > truth)
        below.append(ends[:, 1] < truth)
        width = float((ends[:, 1] - ends[:, 0]).mean())
    return ever(np.array(above).T, np.array(below).T, width)


def _ends(found: object) -> list[tuple[float, float, float]]:
    return list(zip(found.estimate.tolist(), found.low.tolist(), found.high.tolist(), strict=True))  # type: ignore[attr-defined]


def _stretched(name: str, estimate: float, low: float, high: float, n: int) -> tuple[float, float]:
    stated = Finding(eh.Key.parse(name), "simulated", estimate, Interval(low, high, 0.95, "usual"), support=n)
    interval = stretched(stated, 1 - 2 * ERROR).interval
    assert interval is not None
    ends = interval.low, interval.high
    return -math.inf if ends[0] is None else ends[0], math.inf if ends[1] is None else ends[1]


KINDS: Final = ("normal", "laplace", "exponential")
RATES: Final = (0.01, 0.2, 0.5, 0.95)
GROUPS: Final = {
    "two equal": (0.5, 0.5),
    "two, .6 and .5": (0.6, 0.5),
    "two, .99 and .9": (0.99, 0.9),
    "two, .1 and .05": (0.1, 0.05),
    "five equal": (0.3,) * 5,
    "five, one lower": (0.4, 0.4, 0.4, 0.4, 0.3),
    "ten, half lower": (0.6,) * 5 + (0.5,) * 5,
}
TOPIC: Final = Topic(
    "always_valid",
    (
        "src/evenhand/metrics/answers/stretching.py",
        "src/evenhand/metrics/comparisons/changes_always.py",
        "src/evenhand/metrics/comparisons/sequences.py",
        "src/evenhand/metrics/inference/always_valid.py",
        "src/evenhand/metrics/inference/sequences.py",
        "src/evenhand/metrics/values/sequences.py",
    ),
    tuple(Cell(f"recall, {p:g}", partial(rate, p), 400) for p in RATES)
    + tuple(
        Cell(f"recall_{how}, {name}", partial(gap, how, rates), 800 // len(rates))
        for how in ("difference", "ratio")
        for name, rates in GROUPS.items()
    )
    + tuple(
        Cell(f"recall_change, {gained:g} gained and {lost:g} lost", partial(change, gained, lost), 60)
        for gained, lost in ((0.1, 0.1), (0.02, 0.1))
    )
    + tuple(
        Cell(f"{name}, {said}", partial(composite, name, chances), 400)
        for name in ("matthews_correlation",)
        for said, chances in {
            "balanced": (0.35, 0.15, 0.15, 0.35), "rare": (0.9, 0.05, 0.02, 0.03), "good": (0.49, 0.01, 0.01, 0.49),
        }.items()
    )
    + tuple(Cell(f"mean_absolute_error, {kind}", partial(mean, kind), 200) for kind in KINDS)
    + tuple(
        Cell(f"roc_auc, {apart:g} apart, {share:g} positive", partial(area, apart, share), 200)
        for apart, share in ((1.0, 0.5), (2.0, 0.1))
    ),
)  # fmt: skip
