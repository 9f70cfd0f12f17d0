"""Evidence: what an audit may look at, computed once.

A subject predicts an evaluation set; the predictions are counted into tallies. Every audit reads the same predictions,
the same counts and the same attributions, so no audit calls the model again and none needs another audit.
"""

from evenhand.evidence.evidence import Evidence
from evenhand.evidence.options import EvidenceOptions
from evenhand.evidence.predictions import Predictions
from evenhand.evidence.provenance import provenance

__all__ = ["Evidence", "EvidenceOptions", "Predictions", "provenance"]
