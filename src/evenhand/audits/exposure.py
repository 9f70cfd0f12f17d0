"""What the model exposes without an attack: by its answers, and by training rows that its parts hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.statement import EVERY_TASK, Audit, Statement, not_applicable
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence

NAME = "exposure"
ANSWERS: Final = {
    "label": message("Whoever asks the model learns its decision alone."),
    "probability": message("Whoever asks the model learns probabilities, which tell more of its training rows."),
    "ranking": message("Whoever asks the model learns scores, which tell more of its training rows than decisions."),
    "value": message("Whoever asks the model learns the number that it predicts."),
}
"""What an answer holds, by the kind of the scores."""
PARTS: Final = {
    "support vectors": message("Rows of the training table, as the model prepares them."),
    "kept rows": message("The training rows, as the model prepares them, or a part of them."),
    "explainer backgrounds": message("Rows that an explainer compares with."),
    "leaves of one row": message("Leaves of trees that one row fell into: their value is that row's truth."),
    "words left out": message("Words that were in the training texts and are not used."),
    "words of one row": message("Words that one training text has, and none other."),
    "categories of one row": message("Categories that one training row has, and none other."),
}
"""What each kind of part is."""


def exposure(evidence: Evidence) -> Statement:
    """State what an answer of the model holds, and how many training rows can be read from its parts."""
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, of which nothing could be read.")
    from evenhand.probing.artefacts import stored

    parts = {} if evidence.remote else stored(evidence.subject, evidence.members)
    return Statement((*_answers(evidence), *_parts(parts)))


def _answers(evidence: Evidence) -> Iterator[Finding]:
    said = evidence.predictions
    scores = said.y_score
    numbers = (
        0 if scores is None and said.kind == "label" else 1 if scores is None or scores.ndim == 1 else scores.shape[1]
    )
    yield Finding(
        Key.of("answer_numbers"), NAME, float(numbers), support=len(evidence.data), unit="number",
        note=ANSWERS[said.kind],
    )  # fmt: skip


def _parts(parts: dict[str, int]) -> Iterator[Finding]:
    for kind, number in parts.items():
        key = Key.of("stored_rows", part=kind)
        yield Finding(key, NAME, float(number), direction="lower_is_better", unit="number", note=PARTS[kind])


AUDIT: Final = Audit(
    exposure, EVERY_TASK, wanted=lambda evidence: evidence.members is not None or evidence.options.everything
)
