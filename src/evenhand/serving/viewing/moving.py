"""A record at other thresholds, for everybody or for each group, from the counts by score that it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.errors import InputError, did_you_mean, quoted
from evenhand.findings import AuditRecord, GroupCounts
from evenhand.metrics import METRICS, parse_disparity
from evenhand.metrics.counts.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evenhand.metrics.counts.arrays import Ints
    from evenhand.provenance import Provenance

AXES = ("group", "true", "predicted")


def edges(record: AuditRecord) -> tuple[float, ...]:
    """Return the thresholds at which a record has counts, in order; none where it has no counts by score."""
    there = any(part.model == "scores" for part in record.tallies)
    return tuple(record.provenance.get("score_edges", ())) if there else ()


def nearest_edge(places: Sequence[float], threshold: float) -> int:
    """Return the position of the threshold that is nearest to the wanted one.

    Examples
    --------
    >>> nearest_edge([0.1, 0.5, 0.9], 0.45), nearest_edge([0.1, 0.5, 0.9], 7)
    (1, 2)
    """
    return min(range(len(places)), key=lambda at: (abs(places[at] - threshold), at))


def at_thresholds(
    record: AuditRecord, threshold: float | None, split: str = "", each: Mapping[str, float] | None = None
) -> AuditRecord:
    """Return the record decided at other thresholds: its counts there, and the findings that no threshold changes.

    Parameters
    ----------
    record : AuditRecord
        With counts by score.
    threshold : float, optional
        Of everybody without a threshold of their group; that of the audit when absent.
    split : str
        The feature whose groups have thresholds.
    each : mapping, optional
        Those thresholds.

    Returns
    -------
    AuditRecord
        With counts of truth and decision at the nearest thresholds that it knows. Where groups have thresholds, a
        grouping without that feature is summed over a crossing with it; where there is none, it is left out.

    Raises
    ------
    InputError
        When there are no counts by score, or no such feature or group.
    """
    places = edges(record)
    if not places:
        raise InputError("This record has no counts by score, so it cannot be decided at another threshold.")
    usual = record.provenance.get("subject", {}).get("threshold") if threshold is None else threshold
    scores = {part.columns: part for part in record.tallies if part.model == "scores"}
    found = scores.get((split,))
    if each and found is None:
        raise InputError(f"There are no scores by {quoted(split)} in this record.")
    names = [] if found is None else [group[0] for group in found.groups]
    for name in each or ():
        if name not in names:
            raise InputError(f"No row is of the group {quoted(name)} of {quoted(split)}.{did_you_mean(name, names)}")
    if usual is None and set(each or ()) != set(names):
        raise InputError("This record names no threshold of its own: give one for everybody, too.")
    at = {name: nearest_edge(places, value) for name, value in (each or {}).items()}
    everybody = nearest_edge(places, usual if usual is not None else places[0])
    moved = (_moved(part, scores, everybody, split, at) for part in scores.values())
    kept = tuple(finding for finding in record.findings if of_scores(finding.key.metric))
    subject = dict(record.provenance.get("subject", {}))
    subject |= {"other_decisions": 1} if at else {"threshold": places[everybody]}  # groups' own are no one threshold
    provenance = cast("Provenance", {**record.provenance, "subject": subject})
    tallies = tuple(part for part in moved if part is not None)
    return replace(record, findings=kept, tallies=tallies, provenance=provenance)


def of_scores(metric: str) -> bool:
    """Whether a metric, or its disparity, is one of the scores themselves, which no threshold changes."""
    split = parse_disparity(metric)
    entry = METRICS.get(metric if split is None else split[0])
    return entry is not None and entry.kind == "score"


def _moved(
    part: GroupCounts,
    scores: Mapping[tuple[str, ...], GroupCounts],
    everybody: int,
    split: str,
    each: Mapping[str, int],
) -> GroupCounts | None:
    if not each:
        tally = decided(_counts(part), [everybody] * len(part.groups))
    elif split in part.columns:
        tally = _decided(part, everybody, split, each)
    else:
        crossed = scores.get(tuple(sorted((*part.columns, split))))
        if crossed is None:
            return None
        tally = _summed(_decided(crossed, everybody, split, each), crossed, part)
    return GroupCounts("subject", part.columns, part.groups, AXES, tally.counts.tolist())


def _decided(part: GroupCounts, everybody: int, split: str, each: Mapping[str, int]) -> Tally:
    column = part.columns.index(split)
    return decided(_counts(part), [each.get(group[column], everybody) for group in part.groups])


def _summed(tally: Tally, crossed: GroupCounts, part: GroupCounts) -> Tally:
    """Return the counts of a crossing, summed over the groups of the other feature."""
    kept = [crossed.columns.index(column) for column in part.columns]
    place = {group: at for at, group in enumerate(part.groups)}
    to = np.array([place[tuple(group[at] for at in kept)] for group in crossed.groups], dtype=np.intp)
    return tally.select(to, len(part.groups))


def decided(counts: Ints, places: Iterable[int]) -> Tally:
    """Return the tally of decisions in which each group has a threshold, by its position.

    Parameters
    ----------
    counts : (G, 2, B + 1) array
        Counts of [group, truth, how many of the B thresholds the score reaches].
    places : G positions
    """
    reached = np.arange(counts.shape[2])[None, None, :] > np.asarray(list(places))[:, None, None]
    positive = np.where(reached, counts, 0).sum(axis=2)
    return Tally(np.stack([counts.sum(axis=2) - positive, positive], axis=2))


def _counts(part: GroupCounts) -> Ints:
    return np.asarray(part.counts, dtype=np.int64)
