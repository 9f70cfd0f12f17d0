"""An answer as it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenhand.findings import Plain
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.predictions import Prediction


def told(made: Prediction, deployed: Deployed, reasons: Plain) -> dict[str, Plain]:
    """Return the answer to one row; what is not known, asked for or noted is left out.

    Parameters
    ----------
    made : Prediction
    deployed : Deployed
        The model that made it.
    reasons : mapping, optional
        The notice of an adverse decision.
    """
    answer: dict[str, Plain] = {"id": made.id, "model": deployed.sha256}
    if made.scores:
        answer["scores"] = dict(zip(deployed.classes, made.scores, strict=True))
    else:
        answer["score"] = made.score
    if made.decision is not None:
        answer["decision"] = made.decision
    row = made.row
    for name, columns in (("unseen", row.unseen), ("outside", row.outside), ("filled", row.filled)):
        if columns:
            answer[name] = list(columns)
    if reasons is not None:
        answer["reasons"] = reasons
    return answer
