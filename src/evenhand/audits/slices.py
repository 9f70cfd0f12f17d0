"""Subgroups that nobody named: where the model errs more than elsewhere, confirmed on rows that took no part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.audits.statement import Statement, not_applicable
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.metrics import Tally, disparity, measure
from evenhand.metrics.intervals import share_difference_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured
    from evenhand.metrics.lattice import Confirmed

    Side: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

NAME = "slices"
LEAST_ROWS: Final = 200
"""Evaluation rows below which halves are too small to search and to confirm."""


def slices(evidence: Evidence) -> Statement:
    """State the slices whose error rate lies above that of the other rows.

    Half of the rows are searched, over all combinations of up to three features; what is found is counted again on the
    other half, and stated where Fisher's exact test, adjusted for all candidates, confirms it there. So the estimates
    are not those by which the slices were chosen.
    """
    if evidence.data.frequency is not None:
        return not_applicable("Counts cannot be split into a half that is searched and one that confirms.")
    rows = len(evidence.data)
    if rows < LEAST_ROWS:
        return not_applicable(f"{rows} rows are too few to search one half and confirm on the other.")
    groupings = evidence.slicing
    if not groupings:
        return not_applicable("No column is left to slice by.")
    search, found = evidence.found_slices
    level = evidence.options.level
    held = [part for part in found if part.p < (1 - level)]
    findings = tuple(finding for part in held for finding in _state(part, groupings, level))
    words = (
        f"{search.tested:,} slices of up to {search.depth} of {len(groupings)} features were searched on half of the "
        "rows; "
        f"{len(search.slices)} candidates were counted again on the other half, which confirmed {len(held)}."
    )
    return Statement(findings, words)


def _state(part: Confirmed, groupings: tuple[Grouping, ...], level: float) -> Iterator[Finding]:
    """State the error rate of a confirmed slice beside that of the rest, on the confirming rows."""
    tally = _tally(part.counts)
    values = measure("error_rate", tally, level)
    low, high = share_difference_interval(_side(values, 1), _side(values, 0))
    names = {
        groupings[feature].columns[0]: groupings[feature].labels[value][0]
        for feature, value in zip(part.found.features, part.found.values, strict=True)
    }
    shares = [float(value) for value in values.estimate]
    sizes = [int(count) for count in values.support]
    yield Finding(
        Key.of("error_rate", names, vs="rest"),
        NAME,
        shares[1] - shares[0],
        Interval(float(low[0]), float(high[0]), level, disparity("error_rate_difference", tally, level).method),
        support=sum(sizes),
        direction="lower_is_better",
        groups=tuple(
            GroupValue(name, share, size, size)
            for name, share, size in zip(("rest", "slice"), shares, sizes, strict=True)
        ),
        component="error_rate",
        note=f"Found on one half of the rows, confirmed on the other (adjusted p {part.p:.2g}).",
    )


def _side(values: Measured, at: int) -> Side:
    one = slice(at, at + 1)
    return values.estimate[one], values.low[one], values.high[one]


def _tally(counts: NDArray[np.int64]) -> Tally:
    """Return [rest, slice] x [right, wrong] as a tally: a wrong decision is a false positive there."""
    cells = np.zeros((2, 2, 2), dtype=np.int64)
    cells[:, 0, 0], cells[:, 0, 1] = counts[:, 0], counts[:, 1]
    return Tally(cells)
