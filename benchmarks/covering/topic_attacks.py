"""Attacks on membership: areas, what a group exceeds all others by, advantage, and hits at few false alarms."""

from __future__ import annotations

from functools import partial
from typing import Final
from unittest.mock import patch

import numpy as np
from cells import Cell, Outcome, Topic, outcome
from draws import codes_of, of_groups
from scipy.stats import norm

from evenhand.metrics.values import attacks
from evenhand.metrics.values.attacks import advantage, attack_auc, attack_auc_change, excess, hits_at

KINDS: Final[dict[str, tuple[tuple[tuple[float, float, float], ...], float]]] = {
    "nothing told": (((1, 0, 1),), 0),
    "nothing told, five values": (((1, 0, 1),), 1),
    "a tenth exposed": (((0.9, 0, 1), (0.1, 4, 1)), 0),
    "area .76": (((1, 1, 1),), 0),
    "area .76, five values": (((1, 1, 1),), 1),
    "members alike": (((1, 0.5, 0.3),), 0),
    "area .99": (((1, 3.3, 1),), 0),
    "all told": (((1, 30, 1),), 0),
}
"""Scores of members as a mixture (weight, mean, spread), beside standard normal ones of others; a step of rounding."""


def drawn(kind: str, members: int, others: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return who is a member, and scores."""
    parts, step = KINDS[kind]
    weights, means, spreads = np.array(parts).T
    which = rng.choice(len(parts), members, p=weights)
    scores = np.concatenate([means[which] + spreads[which] * rng.normal(size=members), rng.normal(size=others)])
    if step:
        scores = np.round(scores / step) * step
    return np.repeat([1, 0], (members, others)), scores


def found_from(kind: str, threshold: float, member: bool) -> float:
    """Return the true share of members, or of others, with that score or more."""
    parts, step = KINDS[kind]
    parts = parts if member else ((1, 0, 1),)
    return float(sum(weight * norm.sf((threshold - step / 2 - mean) / spread) for weight, mean, spread in parts))


def area(kind: str) -> float:
    """Return the true area."""
    parts, step = KINDS[kind]
    if not step:
        return float(sum(weight * norm.cdf(mean / np.hypot(1, spread)) for weight, mean, spread in parts))
    values = step * np.arange(-12, 13)
    mine, theirs = (
        -np.diff([found_from(kind, at, member) for at in (*values, values[-1] + step)]) for member in (True, False)
    )
    return float(mine @ (np.cumsum(theirs) - theirs / 2))


def alone(kind: str, members: int, others: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the area of a group."""
    rows = [drawn(kind, members, others, rng) for _ in range(rounds)]
    member, scores = (np.concatenate(part) for part in zip(*rows, strict=True))
    found = attack_auc("membership_auc", member, scores, codes_of(rounds, members + others), rounds)
    return of_groups(found, area(kind))


def beyond(kind: str, own: int, rest: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate by how much the area of a group exceeds that of another, of which nothing is told."""
    ends = []
    for _ in range(rounds):
        sides = drawn(kind, own // 2, own - own // 2, rng), drawn("nothing told", rest // 2, rest - rest // 2, rng)
        member, scores = (np.concatenate(part) for part in zip(*sides, strict=True))
        codes = np.concatenate([np.zeros(own, dtype=np.int32), np.ones(rest, dtype=np.int32)])
        found = excess("membership_excess", member, scores, codes, 2)
        ends.append((found.low[0], found.high[0]))
    return outcome(*np.array(ends).T, area(kind) - 0.5)


def gained(kind: str, members: int, others: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the advantage at the thresholds that were chosen."""
    ends, truths = [], []
    choose = attacks.best_threshold
    for seed in range(rounds):
        chosen: list[float] = []

        def noted(mine: np.ndarray, theirs: np.ndarray, chosen: list[float] = chosen) -> float:
            chosen.append(choose(mine, theirs))
            return chosen[-1]

        member, scores = drawn(kind, members, others, rng)
        with patch.object(attacks, "best_threshold", noted):
            found = advantage("membership_advantage", member, scores, np.zeros(len(member), dtype=np.int32), seed=seed)
        ends.append((found.low[0], found.high[0]))
        truths.append(np.mean([found_from(kind, at, True) - found_from(kind, at, False) for at in chosen]))
    return outcome(*np.array(ends).T, np.array(truths))


def hits(kind: str, at: float, members: int, others: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the share of members above the threshold that leaves so many others above it."""
    truth = found_from(kind, float(norm.isf(at)), member=True)
    found = [hits_at("membership_tpr", at, *drawn(kind, members, others, rng)) for _ in range(rounds)]
    return outcome(*np.array([(each.low[0], each.high[0]) for each in found]).T, truth)


def moved(before: float, noise: float, members: int, others: int, rng: np.random.Generator, rounds: int) -> Outcome:
    """Simulate the change of the area where members' scores fall from `before` to half of it, and all are moved."""
    ends = []
    for _ in range(rounds):
        member, base = np.repeat([1, 0], (members, others)), rng.normal(size=members + others)
        scores = base + before * member, base + before / 2 * member + noise * rng.normal(size=len(member))
        codes = np.zeros(len(member), dtype=np.int32)
        found = attack_auc_change("membership_auc_change", member, *scores, codes, 1, 0.95)
        ends.append((found.low[0], found.high[0]))
    truth = norm.cdf(before / 2 / np.sqrt(2 * (1 + noise**2))) - norm.cdf(before / np.sqrt(2))
    return outcome(*np.array(ends).T, float(truth))


SIZES: Final = ((10, 10), (30, 30), (200, 200), (15, 500), (500, 15))
TOPIC: Final = Topic(
    "attacks",
    (
        "src/evenhand/metrics/inference/intervals.py",
        "src/evenhand/metrics/inference/paired.py",
        "src/evenhand/metrics/inference/skewed.py",
        "src/evenhand/metrics/values/attacks.py",
        "src/evenhand/metrics/values/ranking_curves.py",
    ),
    tuple(
        Cell(f"membership_auc, {kind}, {members} and {others}", partial(alone, kind, members, others), 2_000)
        for kind in KINDS
        for members, others in SIZES
    )
    + tuple(
        Cell(f"membership_excess, {kind}, {own} of {own + rest}", partial(beyond, kind, own, rest), 400)
        for kind in ("nothing told", "area .76", "all told")
        for own, rest in ((20, 980), (200, 200))
    )
    + tuple(
        Cell(f"membership_advantage, {kind}, {members} and {others}", partial(gained, kind, members, others), 800)
        for kind in KINDS
        for members, others in ((10, 10), (30, 30), (200, 200), (1_000, 1_000))
    )
    + tuple(
        Cell(f"membership_tpr at {at:g}, {kind}, {members} and {others}", partial(hits, kind, at, members, others),
             300)
        for kind in KINDS
        if not KINDS[kind][1]  # of few values no threshold has that share of false alarms
        for at, members, others in ((0.01, 20, 1_000), (0.01, 1_000, 1_000), (0.001, 500, 10_000))
    )
    + tuple(
        Cell(f"membership_auc_change, shift {before:g}, noise {noise:g}, {members} and {others}",
             partial(moved, before, noise, members, others), 400)
        for before in (0.0, 1.0, 3.3)
        for noise in (0.01, 0.5)
        for members, others in ((10, 10), (30, 30), (200, 200), (15, 500))
    ),
)  # fmt: skip
