"""The counts that keys are answered from: those of a record; those of evidence are in `evenhand.evidence`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from evenhand.keys import threshold_text
from evenhand.messages import message
from evenhand.metrics.answers.questions import NO_ORIGINAL, NoAnswerError, NoCountsError
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.values.thresholds import tally_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord, GroupCounts, Plain
    from evenhand.metrics.counts.arrays import Column, Ints
    from evenhand.provenance import DataFacts, SubjectFacts

Labels = tuple[tuple[str, ...], ...]
Columns = tuple[str, ...]


class Counts(Protocol):
    """What keys are answered from. Each method raises `NoAnswerError` where there is nothing to count by."""

    @property
    def classes(self) -> Sequence[str | None]:
        """The classes in the order of their codes; of two, the positive one last; None where its name is not known."""

    @property
    def favourable(self) -> bool | None:
        """Whether the positive outcome is good for the person; None where none was declared."""

    @property
    def truth(self) -> bool:
        """Whether rows have a truth; a clustering has none."""

    def groups(self, columns: Columns) -> Labels:
        """Return the groups of columns, one tuple of values each; one empty tuple for all rows."""

    def tally(self, columns: Columns, model: str = "subject") -> Tally:
        """Return the counts of truth x decision of a model, ``subject`` or ``original``."""

    def tally_at(self, columns: Columns, threshold: float) -> Tally:
        """Return the counts of the decisions that the model would make at a threshold."""

    def joint(self, columns: Columns, view: str | int) -> JointTally:
        """Return the joint counts of both models; the views are those of `Evidence.joint_tally`."""

    def strata(self, columns: Columns, control: str) -> tuple[Sequence[str], Sequence[Tally]]:
        """Return the values of a control feature and, of each, the tally of the same groups."""


class RecordCounts:
    """The counts that a record keeps."""

    def __init__(self, record: AuditRecord) -> None:
        self._data: DataFacts = record.provenance.get("data", {})
        self._edges = record.provenance.get("score_edges", [])
        told = record.provenance.get("subject", {})
        self.threshold = threshold_probability(told)
        """The probability from which on the model decided positive; None where it decided otherwise."""
        self._probable = told.get("score_kind") == "probability"
        self._tallies = record.tallies
        roles = self._data.get("roles")
        clustered = roles is not None and roles.get("cluster") is not None
        self._clustered = clustered and (roles or {}).get("frequency") is None  # a row of counts is in no cluster
        self._made: dict[tuple[str, Columns], Tally] = {}

    @property
    def classes(self) -> Sequence[str | None]:
        """The classes in the order of their codes."""
        named = self._data.get("classes")
        if isinstance(named, list):
            return [str(name) for name in named]
        return [self._data.get("negative"), str(self._data.get("positive"))]

    @property
    def favourable(self) -> bool | None:
        """Whether the positive outcome is good for the person."""
        good = self._data.get("favourable")
        return None if good is None else good == self._data.get("positive")

    @property
    def truth(self) -> bool:
        """Whether rows have a truth."""
        return self._data.get("task") != "clustering"

    def groups(self, columns: Columns) -> Labels:
        """Return the groups of columns."""
        return self._part("subject", columns, ("true", "predicted")).groups

    def tally(self, columns: Columns, model: str = "subject") -> Tally:
        """Return the counts of truth x decision of a model."""
        if (model, columns) not in self._made:
            found = self._counted(self._part(model, columns, ("true", "predicted")))
            self._made[model, columns] = replace(found, threshold=self.threshold) if model == "subject" else found
        return self._made[model, columns]

    def tally_at(self, columns: Columns, threshold: float) -> Tally:
        """Return the counts of the decisions at a threshold: from counts by score, where rows are independent."""
        if threshold == self.threshold:
            return self.tally(columns)
        part = next((part for part in self._tallies if (part.model, part.columns) == ("scores", columns)), None)
        if part is None or threshold not in self._edges or self._clustered:
            raise NoAnswerError(
                message("There are no counts of the decisions at the threshold {at}.", at=threshold_text(threshold))
            )
        found = tally_at(np.asarray(part.counts, dtype=np.int64), self._edges.index(threshold))
        return replace(found, threshold=threshold_if(threshold, self._probable))

    def joint(self, columns: Columns, view: str | int) -> JointTally:
        """Return the joint counts of both models; of several classes a record keeps who was right, and no more."""
        if "classes" in self._data:
            if view != "agreement":
                raise NoAnswerError(message("Of several classes a record counts which model was right, and no more."))
            part = self._part("joint", columns, ("true", "original right", "predicted right"))
            return self._joint(part)
        joint = self._joint(self._part("joint", columns, ("true", "original", "predicted")))
        joint = replace(joint, labelled=(self._data.get("roles") or {}).get("stratum_share") is not None)
        if view == "decisions":
            return joint
        return joint.agreement() if view == "agreement" else joint.agreement_by_class()

    def strata(self, columns: Columns, control: str) -> tuple[Sequence[str], Sequence[Tally]]:
        """Return the tallies within each value of a feature that the columns were crossed with."""
        crossing, axes = tuple(sorted((*columns, control))), ("true", "predicted")
        try:
            part = self._part("strata", (*columns, control), axes)
        except NoCountsError:
            part = self._part("subject", crossing, axes)  # features that were crossed with each other
        groups = self.groups(columns)
        named = [dict(zip(part.columns, labels, strict=True)) for labels in part.groups]
        values = list(dict.fromkeys(labels[-1] for labels in part.groups))
        if part.model == "subject":
            values = [label[0] for label in self.groups((control,))]
        place = [
            values.index(each[control]) * len(groups) + groups.index(tuple(each[column] for column in columns))
            for each in named
        ]
        whole = replace(self._counted(part), threshold=self.threshold)
        return values, split(whole.select(np.asarray(place, dtype=np.intp), len(values) * len(groups)), len(values))

    def _counted(self, part: GroupCounts) -> Tally:
        """Return the tally of a grouping; the clusters of all rows tell how many are in several of its groups."""
        tally = Tally(*arrays(part))  # type: ignore[arg-type]
        return replace(tally, shared=self._shared(part))

    def _shared(self, part: GroupCounts) -> int:
        whole = next((all_of for all_of in self._tallies if (all_of.model, all_of.columns) == ("subject", ())), None)
        if part.clusters is None or whole is None or whole.clusters is None:
            return 0
        own, all_of = (_in_groups(each.clusters).sum() for each in (part, whole))
        return max(int(own - all_of), 0)

    def _joint(self, part: GroupCounts) -> JointTally:
        joint = JointTally.of_counts(*arrays(part))  # type: ignore[arg-type]
        return replace(joint, tally=replace(joint.tally, shared=self._shared(part)))

    def _part(self, model: str, columns: Columns, axes: tuple[str, ...]) -> GroupCounts:
        found = next((part for part in self._tallies if (part.model, part.columns) == (model, columns)), None)
        if found is not None and found.axes[1:] == axes:
            if not self._clustered or found.moments is not None:
                return found
            raise NoCountsError(message("Rows are in clusters, and the record keeps no sums over them."))
        if model in ("original", "joint"):
            raise NoCountsError(NO_ORIGINAL)
        if not columns:
            raise NoCountsError(message("The record has no counts of truth and decision."))
        raise NoCountsError(message("The record has no counts by {columns}.", columns=tuple(columns)))


def threshold_probability(subject: SubjectFacts) -> float | None:
    """Return the probability from which on a model decides positive; None where it decides otherwise.

    Parameters
    ----------
    subject : mapping
        What is on record of the model: its ``threshold``, ``score_kind`` and how it decides.

    Examples
    --------
    >>> threshold_probability({"threshold": 0.2, "score_kind": "probability"})
    0.2
    """
    probable = subject.get("score_kind") == "probability" and not subject.get("other_decisions")
    return threshold_if(subject.get("threshold"), probable)


def threshold_if(threshold: float | None, probable: bool) -> float | None:
    """Return a threshold where it is one of probabilities."""
    return threshold if probable and threshold is not None and 0 < threshold < 1 else None


def split(tally: Tally, parts: int) -> list[Tally]:
    """Return the tally of each stratum, counted one after the other with the same groups."""
    groups = len(tally.counts) // parts
    return [
        tally.each(lambda cells, at=at: None if cells is None else cells[at * groups : (at + 1) * groups])  # type: ignore[misc]
        for at in range(parts)
    ]


def _in_groups(clusters: Plain) -> Ints:
    """Return (G,) the clusters of each group; of joint counts the first column, that of both classes."""
    numbers = np.asarray(clusters, dtype=np.int64)
    return np.asarray(numbers.reshape(len(numbers), -1)[:, 0])


def arrays(part: GroupCounts) -> list[Column | None]:
    """Return counts, weights, squared weights, moments and clusters of a grouping, in the order of a tally."""
    kept = (part.weights, part.squared_weights, part.moments)
    sums = (None if cells is None else np.asarray(cells, dtype=np.float64) for cells in kept)
    clusters = None if part.clusters is None else np.asarray(part.clusters, dtype=np.int64)
    return [np.asarray(cast("list[Plain]", part.counts), dtype=np.int64), *sums, clusters]
