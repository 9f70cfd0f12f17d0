"""Groups whose rows are all of one cluster: more of its rows would tell nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.metrics.answers.counts import RecordCounts
from evenhand.metrics.answers.questions import NoAnswerError

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.keys import Key


def in_one_cluster(key: Key, record: AuditRecord) -> bool:
    """Whether the rows that a value is of are all of one cluster; False where the counts of a record do not tell."""
    counts, group = RecordCounts(record), tuple(name for _, name in key.group)
    try:
        tally, groups = counts.tally(key.columns), counts.groups(key.columns)
    except NoAnswerError:
        return False
    if tally.clusters is None or group not in (groups if key.columns else ((),)):
        return False
    at = groups.index(group) if key.columns else 0
    return bool(tally.clusters[at] == 1 and tally.rows[at] > 1)
