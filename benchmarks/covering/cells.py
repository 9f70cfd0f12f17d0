"""What a simulation of coverage is made of: cells, by topic, each with the share of rounds in which either end errs."""

from __future__ import annotations

import ast
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

ROOT: Final = Path(__file__).parents[2]
SIDE: Final = 0.035
"""The most that either end may err."""
COVERED: Final = 0.93
"""The least that both ends must cover."""
ROUNDING: Final = 1e-9
MOSTLY: Final = 0.5
"""From this share of marked rounds on, a cell counts as marked: limits there mostly rest on nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often an interval erred. A round in which the finding is marked as not covered errs nowhere: no limit rests
    on it."""

    above: float
    """The share of rounds whose low end is above the truth."""
    below: float
    """The share of rounds whose high end is below the truth."""
    marked: float = 0.0
    """The share of rounds in which the finding is marked as not covered."""
    width: float | None = None
    """The mean width."""
    rounds: int = 0
    """How many rounds; 0 where every outcome was listed and weighted by its chance."""

    @property
    def met(self) -> bool:
        """Whether it is as good as is wanted, or marked."""
        return self._within(0)

    @property
    def near(self) -> bool:
        """Whether it is as good as is wanted but for two standard errors of the simulation, or marked."""
        return self._within(2)

    def _within(self, errors: float) -> bool:
        def allowed(most: float) -> float:
            noise = math.sqrt(most * (1 - most) / self.rounds) if self.rounds else 0.0
            return most + errors * noise + ROUNDING

        good = max(self.above, self.below) <= allowed(SIDE) and self.above + self.below <= allowed(1 - COVERED)
        return good or self.marked >= MOSTLY


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting."""

    name: str
    """The metric and the setting: ``recall, 50 persons, a tenth with 10 times the rows, .05``."""
    run: Callable[[np.random.Generator, int], Outcome]
    """From random numbers and a number of rounds to what was found, through the public functions."""
    rounds: int = 4_000


@dataclass(frozen=True, slots=True)
class Topic:
    """Cells of one kind."""

    name: str
    methods: tuple[str, ...]
    """The files, from the root, that hold the methods: their hash is kept beside the figures."""
    cells: tuple[Cell, ...]

    def seeded(self, cell: Cell, seed: int = 0) -> np.random.Generator:
        """Return the random numbers of a cell: of one seed always the same ones; those of 0 are committed."""
        own = zlib.crc32(f"{self.name}/{cell.name}".encode())
        return np.random.default_rng([seed, own] if seed else own)


def outcome(
    low: ArrayLike, high: ArrayLike, truth: ArrayLike, marked: ArrayLike = False, slack: float = 1e-9
) -> Outcome:
    """Return the outcome of rounds, each with its ends; an end that is nan is open.

    Parameters
    ----------
    low, high : (rounds,)
    truth : (rounds,) or number
    marked : (rounds,), optional
        Whether the finding is marked as not covered.
    slack : float
        By how much an end may be beyond the truth without an error: rounding.
    """
    ends = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    counts = ~np.broadcast_to(np.asarray(marked, dtype=bool), ends[0].shape)
    above, below = (counts & (ends[0] > truth + slack)), (counts & (ends[1] < truth - slack))
    width = (ends[1] - ends[0])[counts & np.isfinite(ends[1] - ends[0])]
    mean = float(width.mean()) if len(width) else None
    return Outcome(float(above.mean()), float(below.mean()), float(1 - counts.mean()), mean, len(counts))


def hashes(files: tuple[str, ...]) -> dict[str, str]:
    """Return the sha256 of the code of each file, without docstrings, lines that are comments, and blank lines."""
    texts = {name: _code((ROOT / name).read_text(encoding="utf-8")) for name in sorted(files)}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def _code(text: str) -> str:
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = (line.rstrip() for at, line in enumerate(text.splitlines(), 1) if at not in prose)
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
