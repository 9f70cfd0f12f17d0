"""How many labels decide a limit on a change by compression: far fewer than rows, as only differing rows change it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError
from evenhand.messages import messages
from evenhand.metrics.answers import NoAnswerError
from evenhand.metrics.answers.counts import RecordCounts
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.comparisons.changes import SUFFIX, shares_rows
from evenhand.metrics.inference.labelled import DIFFERING, USUAL

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.keys import Key

OF_GROUPS: Final = ("_difference", "_group_min", "_group_max")


def labels_needed(key: Key, record: AuditRecord, rows: int) -> str:
    """Return in words how many of `rows` more rows need a label; empty where all do, or counts do not tell.

    They are those on which the models differ, and two thirds as many of the others.
    """
    if not _by_differing_rows(key):
        return ""
    counts = RecordCounts(record)
    try:
        joint, groups = counts.joint(key.columns, "decisions"), counts.groups(key.columns)
    except NoAnswerError:
        return ""
    cells = (joint.counts if joint.weights is None else joint.weights).sum(axis=1)
    labels = tuple(group for _, group in key.group)
    if len(labels) == len(key.columns) and labels in groups:
        cells = cells[[groups.index(labels)]]
    differing, total = float(cells[:, DIFFERING].sum()), float(cells.sum())
    wanted = math.ceil(5 / 3 * rows * differing / total) + 2 * USUAL
    if 2 * wanted > rows:
        return ""
    return messages(
        "about {n:,} label is enough for them, as the models differ on {differing:,} of {all:,} rows: evenhand label",
        "about {n:,} labels are enough for them, as the models differ on {differing:,} of {all:,} rows: evenhand label",
        wanted,
        differing=round(differing),
        all=round(total),
    )


def _by_differing_rows(key: Key) -> bool:
    """Whether a key is about a change of a rate that both models have over the same rows."""
    if key.qualifier("of") != "original" or SUFFIX not in key.metric:
        return False
    rate = _plain(_plain(key.metric).removesuffix(SUFFIX))  # a change's gap, or a gap's change
    try:
        return all(map(shares_rows, EQUALIZED_ODDS if rate == "equalized_odds" else (rate,)))
    except InputError:
        return False


def _plain(metric: str) -> str:
    return next((metric.removesuffix(how) for how in OF_GROUPS if metric.endswith(how)), metric)
