"""Bind a subject to the label that it is audited on: its classes decide how the subject's predictions are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import ModelError, argument
from evenhand.subjects.adapter import NOT_KNOWN
from evenhand.subjects.adjusted import AdjustedSubject
from evenhand.subjects.inputs import read_by
from evenhand.subjects.of_task import TaskSubject

if TYPE_CHECKING:
    from evenhand.subjects.protocol import Subject
    from evenhand.subjects.target import Target


def bound(subject: Subject, target: Target) -> Subject:
    """Return a subject that predicts for a label; the one that is given is not changed.

    Raises ModelError when its kind or its classes already say that it does not.
    """
    if isinstance(subject, AdjustedSubject):
        return subject.of(bound(subject.inner, target))
    there = getattr(subject, "bound_there", None)
    if there is not None:  # in a separate process
        made: Subject = there(target)
        return made
    if target.task == "binary":
        again = getattr(subject, "bound", None)
        return subject if again is None else again(target)
    # a model that handles the task itself keeps its metadata
    if getattr(subject, "task", None) == target.task or subject.facts.get("kind") == "predictions":
        return subject
    if target.task == "transcription":
        raise ModelError(
            f"Model '{subject.name}': transcripts are audited as they are, without the system that made them. Name "
            f"their column ({argument('prediction')}), or pass them to audit_predictions as y_pred."
        )
    inner = getattr(subject, "estimator", getattr(subject, "function", subject))
    told = getattr(subject, "reads", None) or read_by(inner)
    known = {fact: subject.facts.get(fact) for fact in (*NOT_KNOWN, "kind", "class", "features")}
    declared = getattr(subject, "declared", None)
    return TaskSubject(inner, target.task, target.classes, subject.name, told, declared, known)
