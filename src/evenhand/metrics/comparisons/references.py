"""Compare groups with all rows, the rows of the other groups, or a reference group.

Against all rows a group is compared with a whole that it is a part of: with w its share of the denominator,
rate - overall = (1 - w) (rate - rest), and rate / overall = q / (w q + 1 - w) for q = rate / rest. So every comparison
comes down to two independent rates, and its interval to theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import names, parse_disparity
from evenhand.metrics.comparisons.disparities import Disparity
from evenhand.metrics.comparisons.sequences import of_curves, pair_highs, pair_lows
from evenhand.metrics.comparisons.share_pairs import SCORE
from evenhand.metrics.inference.intervals import ratio_interval, share_difference_interval, z_of
from evenhand.metrics.inference.two_shares import Pair, share_interval
from evenhand.metrics.values.rates import Measured, measure

if TYPE_CHECKING:
    from evenhand.metrics.comparisons.disparities import Measuring
    from evenhand.metrics.counts.arrays import Floats, Marks, Side
    from evenhand.metrics.counts.tally import Tally
    from evenhand.metrics.inference.two_shares import How

    Ends: TypeAlias = tuple[Floats, Floats]

Reference: TypeAlias = "Literal['overall', 'rest'] | int"
"""All rows, the rows of the other groups, or the position of a reference group."""


def disparity_to(
    name: str, tally: Tally, to: Reference = "overall", level: float = 0.95, by: Measuring = measure
) -> Disparity:
    """Compare each group's rate with one reference; the widest gap, or the least ratio, counts.

    A ratio above 1 is turned over, so that 1 is equality and less is worse, whichever side the group is on.

    Parameters
    ----------
    name : str
        The difference or ratio of a rate, such as ``recall_difference``.
    tally : Tally
        G groups.
    to : "overall", "rest" or int
        What each group is compared with.
    level : float
        Two-sided confidence. The end that fails a limit holds for all groups at once (Sidak 1967, for correlated
        comparisons too), the one that passes it is unadjusted.
    by : callable
        What measures the rates: `measure`, or `measure_always` for intervals that hold at all times.

    Returns
    -------
    Disparity

    Raises
    ------
    InputError
        When the name is not a difference or ratio of a rate, or there is no such group.

    Examples
    --------
    >>> from evenhand.metrics import Tally
    >>> tally = Tally.count([1, 1, 1, 1], [1, 1, 1, 0], codes=[0, 0, 1, 1], n_groups=2)
    >>> disparity_to("recall_difference", tally, "rest").estimate
    0.5
    """
    metric, how = _parsed(name)
    values = by(metric, tally, level)
    if isinstance(to, int) and not 0 <= to < len(values.estimate):
        raise InputError(f"There is no group {to}; there are {len(values.estimate)}.")
    return between(how, sides_of(metric, values, tally, to, level, by), level)


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Each group's rate and that of what it is compared with, independent of each other."""

    mine: Measured
    other: Measured
    weight: Floats
    """(G,) the group's share of the denominator where it is a part of its reference, else 0."""
    itself: int | None = None
    """The reference group, which is not compared with itself."""
    found: dict[tuple[str, tuple[float, ...]], list[Ends]] = field(default_factory=dict)
    """Ends by way of comparing and critical values: with all rows they are those with the other groups, drawn in."""

    @property
    def compared(self) -> Marks:
        """(G,) the groups that are compared."""
        compared = np.ones(len(self.mine.estimate), dtype=bool)
        if self.itself is not None:
            compared[self.itself] = False
        return compared

    @property
    def known(self) -> Marks:
        """(G,) those of them that have a value on both sides."""
        return self.compared & self.mine.defined & self.other.defined

    def within_all(self, metric: str, tally: Tally) -> Sides:
        """Return the sides, of the other groups' rows, as a comparison with all rows."""
        size = np.asarray(sum(tally.mass[:, t, p] for t, p in METRICS[metric].denominator), dtype=np.float64)
        return replace(self, weight=size / max(float(size.sum()), 1e-300))

    def ends(self, how: How, zs: tuple[float, ...]) -> list[Ends]:
        """Return the ends of each known group's comparison with the other side, for each critical value."""
        if (how, zs) not in self.found:
            self.found[how, zs] = self._ends(how, zs)
        return self.found[how, zs]

    def _ends(self, how: How, zs: tuple[float, ...]) -> list[Ends]:
        known, one, other = self.known, self.mine.binomial, self.other.binomial
        if of_curves(self.mine, self.other):
            return [self._at_all_times(how, z, known) for z in zs]
        if one is None or other is None:
            interval = share_difference_interval if how == "difference" else ratio_interval
            return [interval(*self._at(z, known)) for z in zs]
        pair = Pair(*(np.tile(part[known], len(zs)) for part in (*one, *other)))
        low, high = (ends.reshape(len(zs), -1) for ends in share_interval(how, pair, np.repeat(zs, known.sum())))
        return list(zip(low, high, strict=True))

    def _at_all_times(self, how: How, z: float, known: Marks) -> Ends:
        groups, error = np.flatnonzero(known), NormalDist().cdf(-z)
        first, second = (self.mine.sequence, groups), (self.other.sequence, groups)
        return pair_lows(how, first, second, error), pair_highs(how, first, second, error)  # type: ignore[arg-type]  # curves both

    def _at(self, z: float, known: Marks) -> tuple[Side, Side]:
        """Return estimate, low and high end of both sides for the known groups."""
        sides = (self.mine, self.other)
        mine, other = (np.array([one.estimate, *one.ends(z * self.mine.apart)])[:, known] for one in sides)
        return (mine[0], mine[1], mine[2]), (other[0], other[1], other[2])

    def method(self, how: Literal["mover", "mover-r"]) -> str:
        """Return the name of the method."""
        if self.mine.sequence is not None:
            return self.mine.method
        counted = self.mine.binomial is not None and self.other.binomial is not None
        return SCORE if counted else f"{how}, {self.mine.method}"


def between(how: How, sides: Sides, level: float) -> Disparity:
    """Compare each group with its other side; see `disparity_to`."""
    known = sides.known
    plain, together = z_of(level), together_z(int(known.sum()), level)
    if sides.mine.sequence is not None:  # Sidak's inequality is one of normal distributions
        together = z_of(1 - (1 - level) / (2 * max(int(known.sum()), 1)))
    empty = Disparity.empty(sides.mine, sides.compared & ~known, plain)
    if not known.any():
        return replace(
            empty, reason=message("No group and its reference both have a value, so there is nothing to compare.")
        )
    return (_difference if how == "difference" else _ratio)(empty, sides, plain, together)


def _parsed(name: str) -> tuple[str, How]:
    split = parse_disparity(name)
    if split is None or split[1] not in ("difference", "ratio") or split[0] not in METRICS:
        raise InputError(f"'{name}' is no difference or ratio of a rate.{did_you_mean(name, names())}")
    if METRICS[split[0]].kind != "rate":
        raise InputError(f"'{split[0]}' is no rate, so its value over all rows is no mean of those of the groups.")
    return split[0], "difference" if split[1] == "difference" else "ratio"


def sides_of(
    metric: str, values: Measured, tally: Tally, to: Reference, level: float, by: Measuring = measure
) -> Sides:
    """Return the rates of all groups, and of what each is compared with."""
    nothing = np.zeros(len(values.estimate))
    if isinstance(to, int):
        one = tally.each(lambda cells: None if cells is None else cells[[to] * len(nothing)])
        return Sides(values, by(metric, one, level), nothing, to)
    rest = Sides(values, by(metric, tally.rest(), level), nothing)
    return rest if to == "rest" else rest.within_all(metric, tally)


def together_z(comparisons: int, level: float) -> float:
    """Return the critical value at which all comparisons hold together; their two directions share (1 - level) / 2."""
    inside = (1 - (1 - level) / 2) ** (1 / max(comparisons, 1))
    return NormalDist().inv_cdf((1 + inside) / 2)


def _difference(found: Disparity, sides: Sides, plain: float, together: float) -> Disparity:
    known = sides.known
    scale = 1 - sides.weight[known]
    gap = np.abs(scale * (sides.mine.estimate[known] - sides.other.estimate[known]))
    worst = int(np.flatnonzero(known)[np.argmax(gap)])
    both = sides.ends("difference", (plain, together))
    (low, high), (strict_low, strict_high) = ((scale * low, scale * high) for low, high in both)
    reach = np.maximum(np.abs(low), np.abs(high))
    top = 1.0 if found.undefined else float(reach.max())
    adjusted = float(np.maximum(np.maximum(strict_low, -strict_high), 0.0).max()), top
    unadjusted = float(np.maximum(np.maximum(low, -high), 0.0).max()), top
    groups = np.flatnonzero(known)
    decides = int(groups[np.argmax(np.maximum(strict_low, -strict_high))])
    deciding = ((decides,), () if found.undefined else (int(groups[np.argmax(reach)]),))
    found = replace(found, critical=(together, plain), pair=(worst, worst), method=sides.method("mover"))
    found = replace(found, deciding=deciding)
    return found.told(float(gap.max()), adjusted, unadjusted)


def _ratio(found: Disparity, sides: Sides, plain: float, together: float) -> Disparity:
    known = sides.known
    weight = sides.weight[known]

    def mapped(quotient: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(quotient), _inverse(weight), quotient / (weight * quotient + 1 - weight))

    mine, other = sides.mine.estimate[known], sides.other.estimate[known]
    if mine.max() <= 0 and other.max() <= 0:
        return replace(found, reason=message("The rate is 0 everywhere: the ratio is 0 of 0."))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = mapped(np.where(other > 0, mine / other, np.where(mine > 0, np.inf, 1.0)))
    value = np.minimum(value, _inverse(value))  # whichever is below 1
    both = sides.ends("ratio", (plain, together))
    (low, high), (strict_low, strict_high) = ((mapped(low), mapped(high)) for low, high in both)
    bottom = 0.0 if found.undefined else float(np.minimum(low, _inverse(high)).min())
    worst = int(np.flatnonzero(known)[np.argmin(value)])
    adjusted, unadjusted = ((bottom, float(_best(*ends).min())) for ends in ((strict_low, strict_high), (low, high)))
    groups = np.flatnonzero(known)
    decides = int(groups[np.argmin(_best(strict_low, strict_high))])
    passes = () if found.undefined else (int(groups[np.argmin(np.minimum(low, _inverse(high)))]),)
    found = replace(found, critical=(plain, together), pair=(worst, worst), method=sides.method("mover-r"))
    found = replace(found, deciding=(passes, (decides,)))
    return found.told(float(value.min()), adjusted, unadjusted)


def _inverse(value: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(1 / value)


def _best(low: Floats, high: Floats) -> Floats:
    """Return the greatest folded ratio that an interval allows: 1 where it holds 1."""
    return np.where(high < 1, high, np.where(low > 1, _inverse(low), 1.0))
