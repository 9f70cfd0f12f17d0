"""The counts that keys are answered from: those of a record; those of evidence are in `evenhand.evidence`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from evenhand.messages import message
from evenhand.metrics.answers.questions import NO_ORIGINAL, NoAnswerError
from evenhand.metrics.counts.joint import COMPRESSED, ORIGINAL, TRUTH, JointTally
from evenhand.metrics.counts.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evenhand.findings import AuditRecord, GroupCounts, Plain
    from evenhand.metrics.counts.arrays import Column
    from evenhand.provenance import DataFacts

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

    def groups(self, columns: Columns) -> Labels:
        """Return the groups of columns, one tuple of values each; one empty tuple for all rows."""

    def tally(self, columns: Columns, model: str = "subject") -> Tally:
        """Return the counts of truth x decision of a model, ``subject`` or ``original``."""

    def joint(self, columns: Columns, view: str | int) -> JointTally:
        """Return the joint counts of both models; the views are those of `Evidence.joint_tally`."""

    def strata(self, columns: Columns, control: str) -> tuple[Sequence[str], Sequence[Tally]]:
        """Return the values of a control feature and, of each, the tally of the same groups."""


class RecordCounts:
    """The counts that a record keeps."""

    def __init__(self, record: AuditRecord) -> None:
        self._data: DataFacts = record.provenance.get("data", {})
        self._tallies = record.tallies
        roles = self._data.get("roles")
        self._clustered = roles is not None and roles.get("cluster") is not None

    @property
    def classes(self) -> Sequence[str | None]:
        """The classes in the order of their codes."""
        named = self._data.get("classes")
        if isinstance(named, list):
            return [str(name) for name in named]
        return [None, str(self._data.get("positive"))]

    @property
    def favourable(self) -> bool | None:
        """Whether the positive outcome is good for the person."""
        good = self._data.get("favourable")
        return None if good is None else good == self._data.get("positive")

    def groups(self, columns: Columns) -> Labels:
        """Return the groups of columns."""
        return self._part("subject", columns, ("true", "predicted")).groups

    def tally(self, columns: Columns, model: str = "subject") -> Tally:
        """Return the counts of truth x decision of a model."""
        return Tally(*_arrays(self._part(model, columns, ("true", "predicted"))))  # type: ignore[arg-type]

    def joint(self, columns: Columns, view: str | int) -> JointTally:
        """Return the joint counts of both models; of several classes a record keeps who was right, and no more."""
        if "classes" in self._data:
            if view != "agreement":
                raise NoAnswerError(message("Of several classes a record counts which model was right, and no more."))
            part = self._part("joint", columns, ("true", "original right", "predicted right"))
            return JointTally.of_counts(*_arrays(part))  # type: ignore[arg-type]
        parts = _arrays(self._part("joint", columns, ("true", "original", "predicted")))
        if view != "decisions":
            parts = [None if part is None else _agreeing(part, by_class=view == "classes") for part in parts]
        return JointTally.of_counts(*parts)  # type: ignore[arg-type]

    def strata(self, columns: Columns, control: str) -> tuple[Sequence[str], Sequence[Tally]]:
        """Return the tallies within each value of a feature that the columns were crossed with."""
        crossing = tuple(sorted((*columns, control)))
        values = [label[0] for label in self.groups((control,))]
        groups = {labels: at for at, labels in enumerate(self.groups(columns))}
        place = [
            values.index(named[control]) * len(groups) + groups[tuple(named[column] for column in columns)]
            for named in (dict(zip(crossing, labels, strict=True)) for labels in self.groups(crossing))
        ]
        whole = self.tally(crossing).select(np.asarray(place, dtype=np.intp), len(values) * len(groups))
        return values, split(whole, len(values))

    def _part(self, model: str, columns: Columns, axes: tuple[str, ...]) -> GroupCounts:
        if self._clustered:
            raise NoAnswerError(message("Rows are in clusters, so a record's counts do not say how sure they make us."))
        found = next((part for part in self._tallies if (part.model, part.columns) == (model, columns)), None)
        if found is not None and found.axes[1:] == axes:
            return found
        if model != "subject":
            raise NoAnswerError(NO_ORIGINAL)
        if not columns:
            raise NoAnswerError(message("The record has no counts of truth and decision."))
        raise NoAnswerError(message("The record has no counts by {columns}.", columns=tuple(columns)))


def split(tally: Tally, parts: int) -> list[Tally]:
    """Return the tally of each stratum, counted one after the other with the same groups."""
    groups = len(tally.counts) // parts
    return [
        tally.each(lambda cells, at=at: None if cells is None else cells[at * groups : (at + 1) * groups])  # type: ignore[misc]
        for at in range(parts)
    ]


def _arrays(part: GroupCounts) -> list[Column | None]:
    kept = (part.weights, part.squared_weights)
    weights = (None if cells is None else np.asarray(cells, dtype=np.float64) for cells in kept)
    return [np.asarray(cast("list[Plain]", part.counts), dtype=np.int64), *weights]


def _agreeing(cells: NDArray[Any], *, by_class: bool) -> Column:
    """Return joint cells of whether each model was right, for each group or for each class of the truth in it."""
    flat = cells.reshape(len(cells), 8)
    truths = 2 if by_class else 1
    out = np.zeros((len(cells), truths, 2, 2, 2), dtype=cells.dtype)
    for at, (truth, old, new) in enumerate(zip(TRUTH, ORIGINAL, COMPRESSED, strict=True)):
        out[:, truth if by_class else 0, 1, int(old == truth), int(new == truth)] += flat[:, at]
    return out.reshape(-1, 2, 2, 2)
