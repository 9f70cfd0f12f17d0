"""Findings of transcripts: how many more words are wrong with the compressed model, and whose."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from evenhand.audits.by_group import between, over_rows, values
from evenhand.audits.compression.decision_changes import NAME
from evenhand.metrics import METRICS
from evenhand.metrics.catalogue.names import hows_of
from evenhand.metrics.values.transcripts import CHANGED, changed_transcripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding


def transcript_changes(evidence: Evidence) -> Iterator[Finding]:
    """Yield paired changes of error rates, for all rows and each group, and how they differ between groups."""
    before, after, data, level = (
        evidence.original_predictions,
        evidence.predictions,
        evidence.data,
        evidence.options.level,
    )
    assert before is not None  # checked by the audit
    for metric in CHANGED:
        compute = partial(
            changed_transcripts, metric, before.y_pred, after.y_pred,
            level=level, weight=data.sample_weight, clusters=data.clusters,
        )  # fmt: skip
        measured = over_rows(evidence, compute)
        yield from values(NAME, metric, measured(None), None, level, "number", of="original")
        for grouping in evidence.groupings:
            found = measured(grouping)
            yield from values(NAME, metric, found, grouping, level, "number", of="original")
            yield from between(NAME, metric, found, hows_of(METRICS[metric]), grouping, level, "number", of="original")
