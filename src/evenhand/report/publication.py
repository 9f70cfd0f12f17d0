"""What a copy for publication says of a verdict, and of itself."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, Final

from evenhand.messages import Message, message

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Verdict
    from evenhand.provenance import Provenance

SIZES: Final = ("rows_per_group",)
"""The requirement whose judgement tells the rows of groups."""
STATUSES: Final = {"failed": 0, "undecided": 1, "passed": 2}
"""The order of statuses."""


def suppressed_verdict(verdict: Verdict, copy: AuditRecord) -> Verdict:
    """Return the verdict for a suppressed copy: every status, and only the figures that are shown."""
    told = [_judgement(judgement, copy) for judgement in verdict.judgements]
    judgements = tuple(sorted(told, key=_order))
    return replace(verdict, judgements=judgements, sentence=verdict.tally, remarks=(withheld_words(copy.provenance),))


def withheld_words(provenance: Provenance) -> Message:
    """Return the notice of a copy for publication: by which rule, and how much is withheld."""
    below, cells = provenance["suppressed_below"], provenance.get("withheld_figures")
    if cells is None:
        return message(
            "Figures that rest on fewer than {below} rows are withheld, and others that would give them away. "
            "This copy is for publication; the gate judges the full record.",
            below=below,
        )
    groups = len(provenance.get("withheld_groups", []))
    said: dict[str, Any] = {"below": below, "cells": cells, "groups": groups}
    if provenance.get("published_before"):
        return message(
            "This copy is for publication: {cells:,} figures and the sizes of {groups:,} groups are withheld, because "
            "they rest on fewer than {below} rows, would give such figures away, or changed by fewer than {below} "
            "people since the copy that was published before. The gate judges the full record.",
            **said,
        )
    return message(
        "This copy is for publication: {cells:,} figures and the sizes of {groups:,} groups are withheld, because they "
        "rest on fewer than {below} rows or would give such figures away. A later copy has to be made with this one. "
        "The gate judges the full record.",
        **said,
    )


def _judgement(judgement: Judgement, copy: AuditRecord) -> Judgement:
    if judgement.limit.required and judgement.key.columns != SIZES:
        return judgement
    finding = judgement.finding and copy.get(judgement.finding.key)
    if finding is not None and finding.estimate is not None:
        if copy.provenance["withheld_figures"]:  # what would decide, and whom it burdens, may be told of other groups
            return replace(judgement, finding=finding, advice=None, burden=())
        return replace(judgement, finding=finding)
    below = copy.provenance["suppressed_below"]
    words = message("Its figures are withheld: they rest on fewer than {below} rows.", below=below)
    return replace(judgement, finding=finding, reason=words, advice=None, evidence=None, burden=(), severity=inf)


def _order(judgement: Judgement) -> tuple[bool, int, bool, str]:
    """Order by what stops, then those with figures as they were; of others none tells how far a limit is missed."""
    shown = judgement.finding is not None and judgement.finding.estimate is not None
    first = judgement.limit.advisory, STATUSES[judgement.status], not judgement.stops
    return *first, "" if shown else str(judgement.key)
