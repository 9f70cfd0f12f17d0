"""Extremes over groups: differences, ratios, the worst group; with the interval that a verdict may rest on.

The two ends follow two rules. The end that lets a limit *pass* is the most extreme unadjusted pairwise bound
(intersection-union: the pair that makes the true extreme must be inside, whatever the others do). The end that lets it
*fail* is the most extreme simultaneous bound (union-intersection: some pair must be outside although all were looked
at). So neither the number of groups nor the upward bias of a maximum makes a fair model fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypedDict, Unpack

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import lowered, message, sentences
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS, describe, names, parse_disparity
from evenhand.metrics.comparisons.pairs import difference_of, extreme_pairs
from evenhand.metrics.comparisons.sequences import of_sequences
from evenhand.metrics.comparisons.share_pairs import SCORE, Shares, of_shares
from evenhand.metrics.comparisons.share_pairs import Ends as PairEnds
from evenhand.metrics.inference.contrasts import SELECTING, may_be_extreme
from evenhand.metrics.inference.intervals import ratio_interval, sidak_z, simultaneous_z, z_of
from evenhand.metrics.values.rates import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.counts.arrays import Indices, Marks, Worth
    from evenhand.metrics.counts.tally import Tally

    Measuring: TypeAlias = Callable[[str, Tally, float], Measured]
    """From a metric, a tally and a level to the values of groups."""
    Ends: TypeAlias = tuple[float | None, float | None]
    Groups: TypeAlias = tuple[int, ...]


class _Told(TypedDict, total=False):
    critical: tuple[float, float]
    method: str
    deciding: tuple[Groups, Groups]


@dataclass(frozen=True, slots=True, eq=False)
class Disparity:
    """An extreme over groups.

    See Also
    --------
    evenhand.metrics.disparity : Makes one.
    """

    estimate: float | None
    """Over the groups that have a value; None with fewer than two (for a group's extreme: one) of them."""
    low: float | None
    """The low end a verdict rests on; None is unbounded."""
    high: float | None
    """The high end a verdict rests on; None is unbounded."""
    unadjusted_low: float | None
    """The low end without a correction for the number of groups."""
    unadjusted_high: float | None
    """The high end without a correction for the number of groups."""
    critical: tuple[float, float]
    """Critical values, in standard errors, behind `low` and `high`."""
    pair: tuple[int, int] | None
    """The groups with the least and the greatest value."""
    undefined: tuple[int, ...]
    """Groups without a value; the interval is open on their side."""
    component: str
    """The metric that is compared."""
    method: str
    """How the interval was found."""
    values: Measured
    """The values of the groups."""
    deciding: tuple[Groups, Groups] = ((), ())
    """The groups whose bounds are `low` and `high`, the one with the lesser value first; none where one is open."""
    uncovered: str = ""
    """Why no interval covers for such data; empty where one does."""
    reason: str = ""
    """Why there is no estimate."""

    @classmethod
    def empty(cls, values: Measured, undefined: Marks, z: float) -> Disparity:
        """Return an empty comparison of values; `undefined` (G,) marks groups without one."""
        groups = tuple(np.flatnonzero(undefined).tolist())
        return cls(None, None, None, None, None, (z, z), None, groups, values.metric, "", values)

    def told(self, estimate: float, adjusted: Ends, unadjusted: Ends, **more: Unpack[_Told]) -> Disparity:
        """Return it with an estimate and its ends, low and high, and how they were found."""
        (low, high), (plain_low, plain_high) = adjusted, unadjusted
        return replace(
            self, estimate=estimate, low=low, high=high, unadjusted_low=plain_low, unadjusted_high=plain_high, **more
        )


def disparity(name: str, tally: Tally, level: float = 0.95, by: Measuring = measure) -> Disparity:
    """Compare a count metric between the groups of a tally.

    Parameters
    ----------
    name : str
        Any accepted name, such as ``recall_difference``, ``demographic_parity_ratio``, ``accuracy_group_min``,
        ``equalized_odds_difference``.
    tally : Tally
        G groups, each with at least one row.
    level : float
        Two-sided confidence: (1 - level) / 2 is the chance of an error on either side.
    by : callable
        What measures the values: `measure`, or `measure_always` for intervals that hold at all times.

    Raises
    ------
    InputError
        When there is no such disparity.

    Examples
    --------
    >>> from evenhand.metrics import Tally
    >>> tally = Tally.count([1, 1, 1, 1], [1, 1, 1, 0], codes=[0, 0, 1, 1], n_groups=2)
    >>> disparity("recall_difference", tally).estimate
    0.5
    """
    split = parse_disparity(name)
    if split is None:
        raise InputError(f"'{name}' is no disparity.{did_you_mean(name, names())} See: evenhand list metrics")
    metric, how = split
    if metric == "average_odds":
        return _mean_of([partial(_of_level, name, tally, how, by) for name in EQUALIZED_ODDS], level)
    metrics = EQUALIZED_ODDS if metric == "equalized_odds" else (metric,)
    return worst_of([partial(_of_level, name, tally, how, by) for name in metrics], how, level)


def _of_level(metric: str, tally: Tally, how: How, by: Measuring, level: float) -> Disparity:
    return compare(by(metric, tally, level), how, level)


def compare(values: Measured, how: How, level: float = 0.95) -> Disparity:
    """Compare values that were measured for each group, independent of each other.

    Parameters
    ----------
    values : Measured
        One metric of all groups.
    how : How
        ``difference``, ``ratio``, ``group_min`` or ``group_max``.
    level : float
        Two-sided confidence.

    Examples
    --------
    >>> from evenhand.metrics import mean_score
    >>> compare(mean_score([0, 1, 0, 1], [0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1], 2), "difference").estimate.__round__(2)
    0.4
    """
    chosen = np.flatnonzero(values.defined)
    empty = Disparity.empty(values, ~values.defined, z_of(level))
    least = 1 if how in ("group_min", "group_max") else 2
    if len(chosen) < least:
        reason = message(
            "Fewer than {least} groups have a {metric}, so there is nothing to compare.",
            least=least,
            metric=lowered(describe(values.metric).label),
        )
        return replace(empty, reason=reason)
    estimate = values.estimate[chosen]
    pair = (int(chosen[np.argmin(estimate)]), int(chosen[np.argmax(estimate)]))
    reasons = (values.uncovered[group] for group in chosen) if values.uncovered else iter(())
    uncovered = next(filter(None, reasons), "")
    return _REDUCE[how](replace(empty, pair=pair, uncovered=uncovered), values, chosen, level)


def _difference(found: Disparity, values: Measured, chosen: Indices, level: float) -> Disparity:
    of = _shares(values, chosen)
    if values.sequence is not None:
        ends, method = of_sequences("difference", values, chosen, level), values.method
    elif of is None:
        ends, method = _of_pairs(values, chosen, level), f"mover, {values.method}"
    else:
        ends, method = of_shares("difference", of, level), SCORE
    least, most = describe(values.metric).range
    estimate = values.estimate[chosen]
    widest = None if np.isinf(most - least) else most - least
    top, decides = (widest, ()) if found.undefined else (ends.high.end, ends.high.pair[::-1])
    adjusted, unadjusted = ((max(low.end, 0.0), top) for low in (ends.low, ends.plain_low))
    return found.told(
        float(estimate.max() - estimate.min()), adjusted, unadjusted,
        critical=(ends.critical, z_of(level)), method=method,
        deciding=(ends.low.pair[::-1], decides),
    )  # fmt: skip


def _of_pairs(values: Measured, chosen: Indices, level: float) -> PairEnds:
    adjusted, plain = simultaneous_z(len(chosen), level), z_of(level)
    interval = difference_of(values.metric)
    low = extreme_pairs(values, chosen, adjusted, interval, np.nanargmax)[0]
    return PairEnds(low, *extreme_pairs(values, chosen, plain, interval, np.nanargmax), adjusted)


def _ratio(found: Disparity, values: Measured, chosen: Indices, level: float) -> Disparity:
    estimate = values.estimate[chosen]
    if estimate.min() < 0:
        return replace(found, pair=None, reason=message("A value below 0 has no ratio to another."))
    if estimate.max() <= 0:
        words = lowered(describe(values.metric).label)
        reason = message("The {metric} is 0 in every group: their ratio is 0 of 0.", metric=words)
        return replace(found, pair=None, reason=reason)
    of, method = _shares(values, chosen), f"mover-r, {values.method}"
    if of is None and values.sequence is None:
        adjusted, plain = simultaneous_z(len(chosen), level), z_of(level)
        (high, highest) = extreme_pairs(values, chosen, adjusted, ratio_interval, np.nanargmin)[1]
        (plain_low, lowest), (plain_high, _) = extreme_pairs(values, chosen, plain, ratio_interval, np.nanargmin)
    else:  # of the greater to the lesser, turned over
        ends, method = _greatest_ratio(values, chosen, of, level)
        high, highest, adjusted = _turned(ends.low.end), ends.low.pair[::-1], ends.critical
        plain_low, lowest, plain_high = _turned(ends.high.end), ends.high.pair[::-1], _turned(ends.plain_low.end)
    low, decides = (0.0, ()) if found.undefined else (plain_low, lowest)
    return found.told(
        float(estimate.min() / estimate.max()), (low, min(high, 1.0)), (low, min(plain_high, 1.0)),
        critical=(z_of(level), adjusted), method=method,
        deciding=(decides, highest),
    )  # fmt: skip


def _greatest_ratio(values: Measured, chosen: Indices, of: Shares | None, level: float) -> tuple[PairEnds, str]:
    """Return the ends of the greatest ratio over ordered pairs, and how they were found."""
    if of is None:
        return of_sequences("ratio", values, chosen, level), values.method
    return of_shares("ratio", of, level), SCORE


def _turned(ratio: float) -> float:
    return float("inf") if ratio <= 0 else 1 / ratio


def _shares(values: Measured, chosen: Indices) -> Shares | None:
    """Return the shares of independent rows that are compared; None where the values are something else."""
    if values.binomial is None:
        return None
    events, size = values.binomial
    return Shares(events[chosen], size[chosen], chosen)


def _group_min(found: Disparity, values: Measured, chosen: Indices, level: float) -> Disparity:
    may_be, adjusted = _sidak(values.at(chosen), level, lowest=True)
    strict = values.ends(adjusted)[1][chosen][may_be]
    high, plain_high = float(strict.min()), float(values.high[chosen].min())
    low = describe(values.metric).lowest if found.undefined else float(values.low[chosen].min())
    passes = () if found.undefined else _at(chosen, np.argmin(values.low[chosen]))
    deciding = (passes, _at(chosen[may_be], np.argmin(strict)))
    found = replace(found, critical=(z_of(level), adjusted), method=f"{values.method}; sidak", deciding=deciding)
    return found.told(float(values.estimate[chosen].min()), (low, max(high, plain_high)), (low, plain_high))


def _group_max(found: Disparity, values: Measured, chosen: Indices, level: float) -> Disparity:
    may_be, adjusted = _sidak(values.at(chosen), level, lowest=False)
    strict = values.ends(adjusted)[0][chosen][may_be]
    low, plain_low = float(strict.max()), float(values.low[chosen].max())
    high = describe(values.metric).highest if found.undefined else float(values.high[chosen].max())
    passes = () if found.undefined else _at(chosen, np.argmax(values.high[chosen]))
    deciding = (_at(chosen[may_be], np.argmax(strict)), passes)
    found = replace(found, critical=(adjusted, z_of(level)), method=f"{values.method}; sidak", deciding=deciding)
    return found.told(float(values.estimate[chosen].max()), (min(low, plain_low), high), (plain_low, high))


def _sidak(values: Measured, level: float, *, lowest: bool) -> tuple[Marks, float]:
    """Return the groups that may be extreme, and the critical value at which ends of all of them hold together.

    Of sequences all groups may be: which ones are left would change from one time to the next.
    """
    number = len(values.estimate)
    if values.sequence is not None:
        return np.ones(number, dtype=bool), sidak_z(number, level)
    found = may_be_extreme(values.ends, number, level, SELECTING)
    may_be = found.low if lowest else found.high
    if may_be.all():
        return may_be, sidak_z(number, level)
    return may_be, sidak_z(int(may_be.sum()), 1 - (1 - level) * (1 - SELECTING))


def _at(chosen: Indices, place: np.intp) -> Groups:
    return (int(chosen[place]),)


_REDUCE: dict[How, Callable[[Disparity, Measured, Indices, float], Disparity]] = {
    "difference": _difference,
    "ratio": _ratio,
    "group_min": _group_min,
    "group_max": _group_max,
}


def worst_of(parts: Sequence[Callable[[float], Disparity]], how: How, level: float = 0.95) -> Disparity:
    """Return the worst of several disparities: of two rates, of classes, of the strata of a control feature.

    Any of them may fail the limit, so the side that fails it is shared between them (Bonferroni); the limit passes only
    if all of them do, so the other side is not.

    Parameters
    ----------
    parts : sequence of callables
        From a level to a disparity of the way `how`.
    how : How
        The way of comparing.
    level : float
        Two-sided confidence.
    """
    if len(parts) == 1:
        return parts[0](level)
    plain = [part(level) for part in parts]
    strict = [part(1 - (1 - level) / len(parts)) for part in parts]
    known = [index for index, part in enumerate(plain) if part.estimate is not None]
    if not known:
        return replace(plain[0], reason=sentences(*dict.fromkeys(part.reason for part in plain)))
    sign = -1 if how in ("ratio", "group_min") else 1
    worst = max(known, key=lambda index: sign * (plain[index].estimate or 0.0))
    found, undefined = plain[worst], tuple(sorted({group for part in plain for group in part.undefined}))
    fails, passes = ("low", "high") if sign > 0 else ("high", "low")
    limit = METRICS[found.component].highest if sign > 0 else METRICS[found.component].lowest
    open_end = bool(undefined) or len(known) < len(parts)

    decides = _extreme(strict, known, fails, sign)
    ends = {fails: decides[0], f"unadjusted_{fails}": _extreme(plain, known, f"unadjusted_{fails}", sign)[0]}
    top, let = (limit, ()) if open_end else _extreme(plain, known, passes, sign)
    ends |= dict.fromkeys((passes, f"unadjusted_{passes}"), top)
    critical = (strict[worst].critical[0], found.critical[1])
    if sign < 0:
        critical = (found.critical[0], strict[worst].critical[1])
    deciding = (decides[1], let) if sign > 0 else (let, decides[1])
    return replace(found, undefined=undefined, critical=critical, deciding=deciding, **ends)  # type: ignore[arg-type]


def _extreme(of: list[Disparity], known: list[int], end: str, sign: int) -> tuple[float | None, Groups]:
    """Return the greatest end (the least, where `sign` is -1) and its groups; None where one of them is unbounded."""
    ends = {index: getattr(of[index], end) for index in known}
    if None in ends.values():
        return None, ()
    at = max(ends, key=lambda index: sign * ends[index])
    return ends[at], of[at].deciding[0 if "low" in end else 1]


def _mean_of(parts: Sequence[Callable[[float], Disparity]], level: float) -> Disparity:
    """Return the mean of several differences; both of its ends cover when those of all parts do (Bonferroni)."""
    found = [part(1 - (1 - level) / len(parts)) for part in parts]
    widest = max(found, key=lambda part: part.estimate or 0.0)
    undefined = tuple(sorted({group for part in found for group in part.undefined}))
    if any(part.estimate is None for part in found):
        return replace(widest, estimate=None, reason=sentences(*dict.fromkeys(part.reason for part in found)))

    def mean(end: str) -> float | None:
        values = [getattr(part, end) for part in found]
        return None if None in values else sum(values) / len(parts)

    ends = {end: mean(end) for end in ("estimate", "low", "high", "unadjusted_low", "unadjusted_high")}
    return replace(widest, undefined=undefined, method=f"mean of {len(parts)}, bonferroni; {widest.method}", **ends)  # type: ignore[arg-type]


def score_disparity(
    name: str,
    y_true: ArrayLike,
    score: ArrayLike,
    codes: ArrayLike,
    n_groups: int,
    level: float = 0.95,
    **more: Unpack[Worth],
) -> Disparity:
    """Compare a metric of scores between groups, by the rules of `disparity`.

    Parameters
    ----------
    name : str
        A difference, ratio or extreme of a metric of scores.
    y_true, score, codes : (n,) arrays
        The truth, 0 or 1; the scores; and the group of each row, from 0.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    **more
        ``weight``, ``clusters`` and ``frequency``, as for `means`.

    Raises
    ------
    InputError
        When the name is not a disparity of a metric of scores.

    Examples
    --------
    >>> found = score_disparity("roc_auc_difference", [0, 1, 0, 1], [0.1, 0.9, 0.8, 0.2], [0, 0, 1, 1], 2)
    >>> found.estimate
    1.0
    """
    from evenhand.metrics.values.scores import SCORES

    split = parse_disparity(name)
    if split is None or split[0] not in SCORES:
        raise InputError(f"'{name}' is no disparity of a metric of scores.{did_you_mean(name, names())}")
    return compare(SCORES[split[0]](y_true, score, codes, n_groups, level, **more), split[1], level)
