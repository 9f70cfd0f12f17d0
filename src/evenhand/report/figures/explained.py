"""The scale on which a model was explained, as the name of an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

LOG_ODDS: Final = message("log-odds")
PROBABILITY: Final = message("the probability")
PREDICTION: Final = message("the prediction")
SCORE: Final = message("the score")


def explained_scale(record: AuditRecord) -> str:
    """Return what attributions and effects of a record are counted in: log-odds, a probability, prediction or score."""
    if record.provenance.get("data", {}).get("task") == "regression":
        return PREDICTION
    note = next((finding.note for finding in record.findings if finding.key.metric == "importance"), "")
    return LOG_ODDS if "log-odds" in note else PROBABILITY if "probability scale" in note else SCORE
