"""Error rates of transcripts, overall and for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import state
from evenhand.audits.quantities import of_transcripts
from evenhand.audits.statement import Audit, Statement
from evenhand.messages import message, sentences
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from evenhand.evidence import Evidence

NAME = "transcripts"
SPELLED: Final = {
    "plain": message("Texts are compared in lower case and without punctuation."),
    "given": message("Texts are compared as they are given, with their capitals and punctuation."),
}
"""How texts were compared, in words."""
COUNTED: Final = message(
    "{errors:,} edits of {words:,} words in {rows:,} utterances: {substituted:,} substitutions, {deleted:,} deletions, "
    "{inserted:,} insertions."
)
SILENT: Final = message(
    "Utterances in which nothing was said: {rows:,}; words heard there, counted among the insertions: {inserted:,}."
)
ALONE: Final = message(
    "Rows of one speaker are not independent; where the speakers are known, name their column with --cluster."
)


def transcripts(evidence: Evidence) -> Statement:
    """State error rates by word and character over all rows and for each group, and the gaps between groups."""
    found = (quantity for metric in stated("transcripts") for quantity in of_transcripts(evidence, metric))
    return Statement(tuple(finding for quantity in found for finding in state(evidence, NAME, quantity)), _of(evidence))


def _of(evidence: Evidence) -> str:
    """Say how texts were compared, and what was counted."""
    counts, data = evidence.predictions.y_pred, evidence.data
    substituted, deleted, inserted, words = counts[:, :4].sum(axis=0).tolist()
    errors = substituted + deleted + inserted
    told = message(
        COUNTED, errors=errors, words=words, rows=len(data), substituted=substituted, deleted=deleted, inserted=inserted
    )
    silent = counts[:, 3] == 0
    said = [SPELLED[data.spelling], told]
    if silent.any():
        said.append(message(SILENT, rows=int(np.sum(silent)), inserted=int(counts[silent, 2].sum())))
    return sentences(*said, *([] if data.roles.cluster else [ALONE]))


AUDIT: Final = Audit(transcripts, frozenset({"transcription"}))
