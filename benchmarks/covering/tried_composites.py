"""What was tried for functions of cells and left: the delta method and a Dirichlet(1/2) posterior, in the same cells.

Run: python benchmarks/covering/tried_composites.py
"""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import ROOT, outcome
from topic_composites import BASES, RIGHT, SIZES, two

from evenhand.metrics.inference.intervals import scaled_ends
from evenhand.metrics.values.composites import composite

if TYPE_CHECKING:
    from evenhand.metrics.inference.share_functions import ShareFunction

OUT: Final = ROOT / "benchmarks" / "results" / "composites_tried.json"
ROUNDS: Final = 1_000
DRAWS: Final = 1_000


def delta(what: ShareFunction, cells: np.ndarray, lowest: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends by the delta method on a logit scale, with half a row in each cell for the gradient."""
    smooth = cells + 0.5 * cells.sum(axis=0) / (cells.sum(axis=0) + 0.5 * len(cells))
    error = np.sqrt((what.gradient(smooth) ** 2 * smooth).sum(axis=0))
    return scaled_ends(what.value(cells), error, 1.96, lowest, 1.0)


def posterior(what: ShareFunction, cells: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of a Dirichlet(1/2) posterior, from draws."""
    drawn = what.value(rng.standard_gamma(cells[:, None, :] + 0.5, (len(cells), DRAWS, cells.shape[1])))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high


def main() -> None:
    """Simulate every method in every cell of two classes."""
    found: dict[str, dict[str, list[float]]] = {}
    for metric, lowest in (("matthews_correlation", -1.0), ("cohen_kappa", -1.0), ("macro_f1", 0.0)):
        what = composite(metric, 2)
        for n, base, (t, s) in product(SIZES, BASES, RIGHT):
            rng, shares = np.random.default_rng(n), two(base, t, s).ravel()
            kinds, which = np.unique(rng.multinomial(n, shares, ROUNDS), axis=0, return_inverse=True)
            cells, truth = kinds.T.astype(float), float(what.value(1e6 * shares[:, None])[0])
            known, at = np.isfinite(what.value(cells)), which.ravel()
            for name, ends in (("delta", delta(what, cells, lowest)), ("dirichlet", posterior(what, cells, rng))):
                got = outcome(*(np.where(known, end, np.nan)[at] for end in ends), truth)
                key = f"{metric}, {n} rows, base rate {base}, TPR {t}, TNR {s}"
                found.setdefault(name, {})[key] = [got.above, got.below]
    worst = {name: np.max(list(cells.values()), axis=0).tolist() for name, cells in found.items()}
    OUT.write_text(json.dumps({"worst": worst, "cells [above, below]": found}, indent=1) + "\n", encoding="utf-8")
    print(worst)


if __name__ == "__main__":
    main()
