"""Other limits of clustered and weighted shares, and how often they err; the figures stand in clusters_tried.json.

python benchmarks/covering/tried_clusters.py
"""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
from cells import ROOT, outcome
from scipy.special import stdtrit
from topic_clusters import MORE, persons
from topic_weights import WEIGHTS, truth_of

from evenhand.metrics.inference.intervals import clopper_pearson, sidak_z, z_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Sums = dict[str, Floats]
    """Over units (rounds, groups): hits, mass, squares of the residuals, of the mass, and how many units."""

OUT: Final = ROOT / "benchmarks" / "results" / "clusters_tried.json"
ROUNDS: Final = 2_000
Z: Final = z_of(0.95)


def sums(hits: Floats, mass: Floats) -> Sums:
    """Return what the methods need of units (..., units)."""
    total, share = mass.sum(axis=-1), hits.sum(axis=-1) / mass.sum(axis=-1)
    squares = ((hits - share[..., None] * mass) ** 2).sum(axis=-1)
    units = np.full(total.shape, float(mass.shape[-1]))
    return {"p": share, "mass": total, "residual": squares, "square": (mass**2).sum(axis=-1), "units": units}


def linearised(of: Sums) -> Floats:
    """Return the size at which the variance between units is a binomial one (Korn and Graubard 1998)."""
    variance = of["residual"] / of["mass"] ** 2 * of["units"] / (of["units"] - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(variance > 1e-15, of["p"] * (1 - of["p"]) / variance, of["units"])


def student(of: Sums, z: float, freedom: Floats) -> Floats:
    """Return by what a size is less for Student's quantile in place of the normal one."""
    return np.asarray((z / stdtrit(np.maximum(freedom, 1e-3), 0.5 + _inside(z) / 2)) ** 2)


def _inside(z: float) -> float:
    from statistics import NormalDist

    return 2 * NormalDist().cdf(z) - 1


def before(of: Sums, z: float) -> Floats:
    """Student's quantile at .975, with the number of units: the method until now."""
    return linearised(of) * student(of, Z, of["units"] - 1)


def effective(of: Sums, z: float) -> Floats:
    """Student's quantile at the level asked, with the effective number of units."""
    return linearised(of) * student(of, z, of["mass"] ** 2 / of["square"] - 1)


def pooled(of: Sums, z: float) -> Floats:
    """The same, and the correlation within units pooled over groups as a floor."""
    binomial, more = of["p"] * (1 - of["p"]), of["square"] - of["mass"]
    number = of["units"] / (of["units"] - 1)
    above = (of["residual"] * number - binomial * of["mass"]).sum(axis=-1)[..., None]
    over = above / np.maximum((binomial * more).sum(axis=-1)[..., None], 1e-12)
    floor = of["mass"] ** 2 / (of["mass"] + np.clip(over, 0, 1) * more)
    return np.minimum(linearised(of), floor) * student(of, z, of["mass"] ** 2 / of["square"] - 1)


def alike(of: Sums, z: float) -> Floats:
    """The effective number of units, as if all rows of one were alike."""
    return of["mass"] ** 2 / of["square"]


def lesser(of: Sums, z: float) -> Floats:
    """The lesser of Kish's and the linearised size: the method for weights until now."""
    less_one = {**of, "units": of["units"] * 1e9}  # no correction for the number of rows
    found = np.where(of["residual"] > 0, linearised(less_one), np.inf)
    return np.minimum(found, of["mass"] ** 2 / of["square"])


CLUSTERS: Final[dict[str, Callable[[Sums, float], Floats]]] = {
    "until now": before, "student of effective clusters": effective, "and a pooled floor": pooled, "as if alike": alike
}  # fmt: skip
PERSONS: Final = (
    (12, 10, "20 rows each", 0.1, 0.3),
    (12, 30, "geometric rows", 0.9, 0.3),
    (1, 50, "a tenth with 10 times the rows", 0.05, 0.3),
    (1, 50, "a tenth with 10 times the rows", 0.9, 0.5),
    (1, 10, "geometric rows", 0.2, 0.5),
    (1, 300, "10 rows each", 0.2, 0.1),
)


def clustered(sized: str, groups: int, number: int, rate: float, within: float) -> dict[str, object]:
    """Return how often each method errs: in a group, or for the least and the greatest of several."""
    rng = np.random.default_rng(1)
    own = persons(rate, within, (ROUNDS, groups, number), rng)
    rows = MORE[sized](own, rng)
    of, z = sums(rng.binomial(rows, own).astype(float), rows.astype(float)), sidak_z(groups, 0.95)
    return {name: asdict(_ends(of, method(of, z), z, rate)) for name, method in CLUSTERS.items()}


def weighted(name: str, number: int, rate: float) -> dict[str, object]:
    """Return how often the method for weights until now errs."""
    rng = np.random.default_rng(1)
    event = (rng.random((ROUNDS, 1, number)) < rate).astype(np.float64)
    weight = WEIGHTS[name][0](event, rng)
    of = sums(event * weight, weight)
    return {"until now": asdict(_ends(of, lesser(of, Z), Z, truth_of(name, rate)))}


def _ends(of: Sums, size: Floats, z: float, rate: float) -> object:
    low, high = clopper_pearson(of["p"] * size, size, z)
    return outcome(low.max(axis=1), high.min(axis=1), rate)


if __name__ == "__main__":
    found = {
        f"{groups} groups of {number} persons, {sized}, {rate:g}, within {within:g}": clustered(
            sized, groups, number, rate, within
        )
        for groups, number, sized, rate, within in PERSONS
    }
    cases = product(WEIGHTS, (10, 100, 1_000), (0.02, 0.1))
    found |= {f"{number} rows, weights {name}, {rate:g}": weighted(name, number, rate) for name, number, rate in cases}
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
