"""Evidence: what an audit may look at, computed once.

A subject predicts an evaluation set; the predictions are counted into tallies. Every audit reads the same predictions,
the same counts and the same attributions, so no audit calls the model again and none needs another audit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face

if TYPE_CHECKING:
    from evenhand.evidence.evidence import Evidence
    from evenhand.evidence.options import EvidenceOptions
    from evenhand.evidence.origin import provenance
    from evenhand.evidence.predictions import Predictions

__all__ = [
    "Evidence", "EvidenceOptions", "Predictions", "provenance",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "evidence": "Evidence", "options": "EvidenceOptions", "predictions": "Predictions", "origin": "provenance",
})  # fmt: skip
