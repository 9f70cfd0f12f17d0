"""Keys answered from the counts of evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.messages import message
from evenhand.metrics import Tally
from evenhand.metrics.answers.answering import Answers
from evenhand.metrics.answers.counts import split, threshold_if, threshold_probability
from evenhand.metrics.answers.questions import NO_ORIGINAL, NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.evidence.evidence import Evidence
    from evenhand.metrics.answers.counts import Columns, Labels
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.provenance import SubjectFacts


class EvidenceCounts:
    """The counts of evidence, computed on demand."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence, self._data = evidence, evidence.data
        self.classes: Sequence[str | None] = class_names(evidence.data)
        self.favourable = evidence.data.roles.favourable_is_positive
        self.truth = evidence.data.task != "clustering"

    def groups(self, columns: Columns) -> Labels:
        """Return the groups of columns."""
        return self._data.grouping(*columns).labels if columns else ((),)

    def tally(self, columns: Columns, model: str = "subject") -> Tally:
        """Return the counts of truth x decision of a model."""
        self._need_original(model)
        found = self._evidence.tally(self._grouping(columns), model)
        return replace(found, threshold=self._threshold) if model == "subject" else found

    @property
    def _threshold(self) -> float | None:
        """The probability from which on the model decides positive."""
        subject = self._evidence.subject
        told = {**subject.facts, "threshold": float(subject.threshold), "score_kind": subject.score_kind}
        return threshold_probability(cast("SubjectFacts", told))

    def tally_at(self, columns: Columns, threshold: float) -> Tally:
        """Return the counts of the decisions at a threshold."""
        data, said = self._data, self._evidence.predictions
        if data.task != "binary" or said.y_score is None:
            raise NoAnswerError(message("There are no scores of two classes to decide by at another threshold."))
        if threshold == self._threshold:
            return self.tally(columns)
        codes, size = (None, 1) if not columns else (data.grouping(*columns).codes, len(data.grouping(*columns)))
        worth = (data.sample_weight, data.frequency, data.clusters)
        at = threshold_if(threshold, said.kind == "probability")
        decided = (said.y_score >= threshold).astype(np.int8)
        return Tally.count(data.y_true, decided, codes, size, *worth, squared_weight=data.squared_weight, threshold=at)

    def joint(self, columns: Columns, view: str | int) -> JointTally:
        """Return the joint counts of both models."""
        self._need_original("joint")
        return self._evidence.joint_tally(self._grouping(columns), view)

    def strata(self, columns: Columns, control: str) -> tuple[Sequence[str], Sequence[Tally]]:
        """Return the tally of each stratum, counted in one pass; each has all groups, some perhaps without rows."""
        data, strata, groups = self._data, self._data.grouping(control), self._data.grouping(*columns)
        codes = strata.codes.astype(np.int64) * len(groups) + groups.codes
        weights = (data.sample_weight, data.frequency, data.clusters)
        decided, size = self._evidence.predictions.y_pred, len(groups) * len(strata)
        whole = Tally.count(
            data.y_true, decided, codes, size, *weights, squared_weight=data.squared_weight, threshold=self._threshold
        )
        return [label[0] for label in strata.labels], split(whole, len(strata))

    def _need_original(self, model: str) -> None:
        if model != "subject" and self._evidence.original is None:
            raise NoAnswerError(NO_ORIGINAL)

    def _grouping(self, columns: Columns) -> Grouping | None:
        return self._data.grouping(*columns) if columns else None


def class_names(data: EvaluationSet) -> tuple[str, ...]:
    """Return the classes of an evaluation set as it names them, in the order of their codes."""
    if data.task != "binary":
        return tuple(str(name) for name in data.classes)
    other = next((name for name in data.classes if name != data.roles.positive), None)
    return (str(other) if other is not None else "0", str(data.roles.positive))


def answers(evidence: Evidence, audit: str) -> Answers:
    """Return what answers keys from the counts of evidence, at its level, in the name of an audit."""
    return Answers(EvidenceCounts(evidence), evidence.options.level, audit)
