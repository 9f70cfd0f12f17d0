"""Verdicts on gaps of evenhand, fairpipe, Fairlearn's bootstrap and a gate on point values, on the same draws.

Needs fairpipe beside evenhand: pip install fairpipe==0.12.0. Writes benchmarks/results/verdicts.json and the tables of
docs/peers.md. Run it with: python benchmarks/verdicts.py
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from interval_coverage import GRID, write_between
from measuring import RESULTS, machine
from scipy.stats import binom

from evenhand.metrics import Tally, disparity

if TYPE_CHECKING:
    from collections.abc import Callable

    Ends = tuple[float, float]

PAGE: Final = Path(__file__).parents[1] / "docs" / "peers.md"
ROUNDS: Final = 2_000
REPLICATES: Final = 500
SIDE: Final = 0.035
"""The most that either end may err."""
COVERED: Final = 0.93
"""The least that both ends must cover."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Groups with their true rates, and the limit on their gap."""

    name: str
    sizes: tuple[int, ...]
    rates: tuple[float, ...]
    limit: float

    @property
    def gap(self) -> float:
        """The true gap."""
        return max(self.rates) - min(self.rates)

    @property
    def at_limit(self) -> bool:
        """Whether the true gap is the limit."""
        return abs(self.gap - self.limit) < 1e-9


def lower(groups: int, rate: float, by: float) -> tuple[float, ...]:
    """Return equal rates, of which the last is lower."""
    return (*([rate] * (groups - 1)), rate - by)


ZIPF: Final = tuple(max(8, round(4_000 / at)) for at in range(1, 41))
SETTINGS: Final = (
    Setting("60 and 540 rows, .7 and .6", (60, 540), (0.7, 0.6), 0.2),
    Setting("60 and 540 rows, .8 and .6", (60, 540), (0.8, 0.6), 0.2),
    Setting("100 and 100 rows, .3 and .2", (100, 100), (0.3, 0.2), 0.1),
    Setting("100 and 100 rows, .45 and .15", (100, 100), (0.45, 0.15), 0.1),
    Setting("500 and 500 rows, .3 both", (500, 500), (0.3, 0.3), 0.1),
    Setting("10 and 1,000 rows, .11 and .01", (10, 1_000), (0.11, 0.01), 0.1),
    Setting("1,000 and 10 rows, .11 and .01", (1_000, 10), (0.11, 0.01), 0.1),
    Setting("30 and 30 rows, .99 and .94", (30, 30), (0.99, 0.94), 0.05),
    Setting("30 and 30 rows, .01 and .96", (30, 30), (0.01, 0.96), 0.95),
    Setting("5 groups of 200, one lower by .1", (200,) * 5, lower(5, 0.4, 0.1), 0.1),
    Setting("5 groups of 200, one lower by .25", (200,) * 5, lower(5, 0.45, 0.25), 0.1),
    Setting("12 groups of 150, equal", (150,) * 12, lower(12, 0.3, 0.0), 0.1),
    Setting("12 groups of 1,000, equal", (1_000,) * 12, lower(12, 0.3, 0.0), 0.1),
    Setting("12 groups of 1,000, one lower by .1", (1_000,) * 12, lower(12, 0.3, 0.1), 0.1),
    Setting("40 groups by Zipf's law, equal", ZIPF, lower(40, 0.3, 0.0), 0.1),
    Setting("40 groups by Zipf's law, one lower by .1", ZIPF, (0.3, *lower(39, 0.3, 0.1)[::-1]), 0.1),
)


LISTED: Final = ((10, 10), (30, 30), (100, 100), (10, 300))
"""Sizes of two groups of which all outcomes are listed."""


def evenhand(hits: np.ndarray, sizes: np.ndarray) -> Ends:
    """Return our interval."""
    cells = np.zeros((len(sizes), 2, 2), dtype=np.int64)
    cells[:, 0, 1], cells[:, 0, 0] = hits, sizes - hits
    found = disparity("selection_rate_difference", Tally(cells))
    assert found.low is not None, "every group has rows"
    assert found.high is not None, "every group has rows"
    return found.low, found.high


def fairpipe(hits: np.ndarray, sizes: np.ndarray) -> Ends:
    """Return fairpipe's interval: Agresti-Caffo of every pair, Bonferroni."""
    from fairpipe.stats.gap_intervals import binary_gap_interval

    low, high = binary_gap_interval(hits.astype(float), sizes.astype(float))
    return float(low), float(high)


def bootstrap(hits: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> Ends:
    """Return the percentiles of the gap over rows drawn again, as Fairlearn gives them.

    Rows drawn again within the whole table are a multinomial draw over the cells of group and decision; see
    `compared_with_fairlearn`.
    """
    cells = np.concatenate([hits, sizes - hits])
    drawn = rng.multinomial(int(cells.sum()), cells / cells.sum(), REPLICATES).reshape(REPLICATES, 2, -1)
    with np.errstate(invalid="ignore"):
        rates = drawn[:, 0] / drawn.sum(axis=1)
    low, high = np.quantile(np.nanmax(rates, axis=1) - np.nanmin(rates, axis=1), [0.025, 0.975])
    return float(low), float(high)


def point(hits: np.ndarray, sizes: np.ndarray) -> Ends:
    """Return the gap itself, twice: a gate that judges by it alone."""
    gap = float(np.ptp(hits / sizes))
    return gap, gap


def compared_with_fairlearn() -> dict[str, list[float]]:
    """Return the percentiles of Fairlearn itself and of the draw over cells, on one table."""
    import pandas as pd
    from fairlearn.metrics import MetricFrame, selection_rate

    hits, sizes = np.array([60, 45, 70]), np.array([200, 200, 200])
    decided = np.concatenate([np.repeat([1, 0], [hit, n - hit]) for hit, n in zip(hits, sizes, strict=True)])
    groups = pd.Series(np.repeat(["a", "b", "c"], sizes))
    frame = MetricFrame(
        metrics=selection_rate, y_true=decided, y_pred=decided, sensitive_features=groups, n_boot=REPLICATES,
        ci_quantiles=[0.025, 0.975], random_state=1,
    )  # fmt: skip
    theirs = [float(end) for end in frame.difference_ci()]
    return {"fairlearn": theirs, "cells": list(bootstrap(hits, sizes, np.random.default_rng(1)))}


def judged(setting: Setting, ends: Callable[[np.ndarray, np.ndarray], Ends], draws: np.ndarray) -> dict[str, float]:
    """Return how often a rule passes and fails, how often its interval errs, and its mean width."""
    sizes = np.asarray(setting.sizes)
    low, high = np.array([ends(hits, sizes) for hits in draws]).T
    return {
        "passes": float((high <= setting.limit + 1e-12).mean()),
        "fails": float((low > setting.limit + 1e-12).mean()),
        "above": float((low > setting.gap + 1e-9).mean()),
        "below": float((high < setting.gap - 1e-9).mean()),
        "width": float((high - low).mean()),
    }


def measured(setting: Setting) -> dict[str, dict[str, float]]:
    """Return every rule on the same draws."""
    rng = np.random.default_rng(zlib.crc32(setting.name.encode()))
    draws = rng.binomial(setting.sizes, setting.rates, (ROUNDS, len(setting.sizes)))
    return {
        "evenhand": judged(setting, evenhand, draws),
        "fairpipe": judged(setting, fairpipe, draws),
        "bootstrap": judged(setting, lambda hits, sizes: bootstrap(hits, sizes, rng), draws[:500]),
        "point": judged(setting, point, draws),
    }


def listed(ends: Callable[[np.ndarray, np.ndarray], Ends], sizes: tuple[int, int]) -> dict[str, object]:
    """Return the worst error of one side and the least coverage over all pairs of true rates; nothing is simulated."""
    outcomes = np.array([(one, other) for one in range(sizes[0] + 1) for other in range(sizes[1] + 1)])
    low, high = np.array([ends(hits, np.asarray(sizes)) for hits in outcomes]).T
    chances = [binom.pmf(np.arange(n + 1)[None], n, GRID[:, None]) for n in sizes]
    worst, covered, where = 0.0, 1.0, (0.0, 0.0)
    for one, p in enumerate(GRID):
        for other, q in enumerate(GRID):
            chance = np.outer(chances[0][one], chances[1][other]).ravel()
            above, below = ((chance * off).sum() for off in (low > abs(p - q) + 1e-9, high < abs(p - q) - 1e-9))
            covered = min(covered, float(1 - above - below))
            if max(above, below) > worst:
                worst, where = float(max(above, below)), (float(p), float(q))
    return {"worst_side": worst, "at": where, "least_coverage": covered}


def lines(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Return the table: one row a setting, pass / fail for every rule; the width of those that are intervals."""
    rows = [
        "| groups and true rates | limit | evenhand | fairpipe 0.12 | percentile bootstrap | point value |",
        "|---|---|---|---|---|---|",
    ]
    for setting in SETTINGS:
        cells = [f"{one['passes']:.3f} / {one['fails']:.3f}{_wide(one)}" for one in found[setting.name].values()]
        mark = " (the true gap)" if setting.at_limit else ""
        rows.append(f"| {setting.name} | {setting.limit:g}{mark} | {' | '.join(cells)} |")
    return rows


def _wide(one: dict[str, float]) -> str:
    return f", {one['width']:.3f}" if one["width"] > 0 else ""


def errs_in(found: dict[str, dict[str, dict[str, float]]], rule: str) -> list[str]:
    """Return the settings in which a rule errs more than it may.

    Of an interval: an end beyond the true gap. Of a point value, which has no ends: a verdict where the limit is true.
    """
    wrong = []
    for setting in SETTINGS:
        one = found[setting.name][rule]
        if rule == "point":
            errors = (one["passes"], one["fails"]) if setting.at_limit else (0.0, 0.0)
        else:
            errors = (one["above"], one["below"])
        if max(errors) > SIDE or sum(errors) > 1 - COVERED:
            wrong.append(setting.name)
    return wrong


def main() -> None:
    """Run every setting, write the figures and the table."""
    found = {}
    for setting in SETTINGS:
        found[setting.name] = measured(setting)
        print(
            setting.name, {rule: (one["passes"], one["fails"]) for rule, one in found[setting.name].items()}, flush=True
        )
    figures = {
        **machine("fairpipe", "fairlearn"),
        "rounds": ROUNDS,
        "settings": found,
        "errs_in": {rule: errs_in(found, rule) for rule in ("evenhand", "fairpipe", "bootstrap", "point")},
        "listed": {
            rule.__name__: {f"{one} and {other}": listed(rule, (one, other)) for one, other in LISTED}
            for rule in (evenhand, fairpipe)
        },
        "percentiles": compared_with_fairlearn(),
    }
    (RESULTS / "verdicts.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write_between(PAGE, "verdicts", lines(found))
    print(json.dumps({name: figures[name] for name in ("errs_in", "listed", "percentiles")}, indent=1))


if __name__ == "__main__":
    main()
