"""The principal reasons of adverse decisions, and whether they are fit for a notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import (
    SPARED,
    Audit,
    Statement,
    group_key,
    interval_of,
    labels_of,
    members,
    not_applicable,
    singles,
)
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.inference.intervals import clopper_pearson, z_of
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence

NAME = "reasons"
LEAST = 5
"""The fewest adverse decisions among the explained rows for which reasons are stated."""
REFERENCES: Final = {
    "mean": message("{n} adverse decisions among {rows} explained rows, against the mean of the background."),
    "at_threshold": message("{n} adverse decisions among {rows} explained rows, against people at the threshold."),
}


@dataclass(frozen=True, slots=True)
class ReasonsOptions(Declared):
    """Options of this audit."""

    feature_words: Mapping[str, str] = setting({}, "What a feature is called as a reason in a notice.")


def reasons(evidence: Evidence) -> Statement:
    """State how often each feature is the first reason of an adverse decision, and whether notices can be sent."""
    if not evidence.options.explain or evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Reasons come from explanations, which were not computed.")
    if evidence.spared:
        return not_applicable(SPARED)
    good = 0 if evidence.data.roles.favourable_is_positive is False else 1
    explained = evidence.explained_rows
    adverse = np.flatnonzero(evidence.predictions.y_pred[explained] != good)
    if (n := len(adverse)) < LEAST:
        return not_applicable("{n} of the explained rows were decided against the person: too few to say.", n=n)
    from evenhand.explaining.reasons import reasons_against

    found = reasons_against(evidence.reason_attributions.values[adverse], low_is_bad=good == 1)
    findings = (
        *_first(evidence, found),
        *_of_groups(evidence, found, explained[adverse]),
        *_sensitive(evidence, found, explained[adverse]),
        *_unsure(evidence, adverse, good == 1),
    )
    return Statement(findings, message(REFERENCES[evidence.options.reason_reference], n=n, rows=len(explained)))


def _share(evidence: Evidence, key: Key, hits: int, rows: int, note: str = "") -> Finding:
    level = evidence.options.level
    low, high = clopper_pearson([hits], [rows], z_of(level))
    interval = interval_of(low[0], high[0], level, "clopper-pearson")
    return Finding(key, NAME, hits / rows, interval, support=rows, note=note)


def _worded(evidence: Evidence, name: str) -> str:
    """Return the wording of a reason in the feature dictionary; empty where it has none."""
    said = evidence.options.of(ReasonsOptions).feature_words.get(name)
    return message("In a notice: {words}", words=said) if said else ""


def _counted(evidence: Evidence, found: NDArray[np.int64], most: int | None = None) -> Iterator[tuple[str, int]]:
    """Yield the first reasons of some adverse decisions with their frequencies, most frequent first."""
    names = evidence.attributions.feature_names
    hits = np.bincount(found[:, 0][found[:, 0] >= 0], minlength=len(names))
    yield from ((names[at], int(hits[at])) for at in np.argsort(-hits, kind="stable")[:most] if hits[at])


def _first(evidence: Evidence, found: NDArray[np.int64]) -> Iterator[Finding]:
    for name, hits in _counted(evidence, found):
        yield _share(evidence, Key.of("principal_reason", [name]), hits, len(found), _worded(evidence, name))


def _of_groups(evidence: Evidence, found: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[Finding]:
    for grouping in singles(evidence):
        for group, mine in members(grouping, rows, LEAST):
            named = str(Key.of("g", labels_of(grouping, group)))[2:-1]
            for name, hits in _counted(evidence, found[mine], 3):
                key = Key.of("principal_reason", [name], given=named)
                yield _share(evidence, key, hits, int(mine.sum()))


def _sensitive(evidence: Evidence, found: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[Finding]:
    """State how often a sensitive feature is among the reasons, overall and for each of its groups."""
    names = evidence.attributions.feature_names
    note = message("A notice with this reason is withheld; without it, it would not say the model's reasons.")
    for column in sorted(evidence.data.roles.sensitive_features):
        if column not in names:
            continue
        held = (found == names.index(column)).any(axis=1)
        yield _share(evidence, Key.of("sensitive_reason_share", [column]), int(held.sum()), len(found), note)
        grouping = next(part for part in evidence.groupings if part.columns == (column,))
        for group, mine in members(grouping, rows, LEAST):
            key = group_key("sensitive_reason_share", grouping, group)
            yield _share(evidence, key, int(held[mine].sum()), int(mine.sum()), note)


def _unsure(evidence: Evidence, adverse: NDArray[np.int64], low_is_bad: bool) -> Iterator[Finding]:
    """State how often the first reason is unstable, or the last stated one tied with the next."""
    from evenhand.explaining.reasons import tied, unstable

    attributions = evidence.reason_attributions
    if attributions.block_values is not None and len(attributions.block_values) > 1:
        hits = int(unstable(attributions, adverse, low_is_bad=low_is_bad).sum())
        note = message("The first reason differs between one half of the background and the other.")
        yield _share(evidence, Key.of("unstable_reasons"), hits, len(adverse), note)
        hits = int(tied(attributions, adverse, low_is_bad=low_is_bad).sum())
        note = message("The last stated reason and the first that is not stated lie within two standard errors.")
        yield _share(evidence, Key.of("tied_reasons"), hits, len(adverse), note)


AUDIT: Final = Audit(reasons, of_columns=True, options=ReasonsOptions)
