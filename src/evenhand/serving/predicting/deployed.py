"""The model that is served: scores and decisions of checked rows, the same alone and beside others."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.errors import InputError, ModelError, argument, did_you_mean, raise_all, shorten
from evenhand.serving.predicting.columns import columns_of, refuse_unknown
from evenhand.subjects.outputs import threshold_problem
from evenhand.training.levels import show_level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Task
    from evenhand.serving.predicting.columns import InputColumn
    from evenhand.serving.predicting.rows import Row
    from evenhand.subjects import Subject

TASKS: Final = ("binary", "multiclass", "regression")
"""What is served."""


class Deployed:
    """A subject with its columns and the words of its decisions.

    Parameters
    ----------
    subject : Subject
        A model that reads a table.
    columns : sequence of InputColumn, optional
        What it reads, where the model does not say it itself.
    classes : sequence of str, optional
        The words of its decisions: the negative and the positive one, or all classes in order.
    threshold : float, optional
        In place of the model's own.

    Raises
    ------
    ModelError
        When it reads no table, is of another task, or does not say which columns it reads.
    InputError
        When the classes are not those of its task, or nothing is decided at the threshold.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit
    >>> model = Deployed(fit(eh.load_loanapp(), config=TrainingConfig(epochs=1, hidden=(4,))))
    >>> model.classes, len(model.columns)
    (('0', '1'), 38)
    """

    def __init__(
        self,
        subject: Subject,
        columns: Sequence[InputColumn] = (),
        classes: Sequence[str] = (),
        threshold: float | None = None,
    ) -> None:
        self.subject = subject
        self.task: Task = getattr(subject, "task", "binary")
        reads = getattr(subject, "reads", "table")
        if reads not in ("table", None) or self.task not in TASKS:
            raise ModelError(
                f"Model '{subject.name}' reads {reads} for {self.task}; served are models that read a table, for "
                f"{', '.join(TASKS)}."
            )
        self.columns = tuple(columns_of(subject) or columns)
        if not self.columns:
            raise refuse_unknown(subject.name)
        self._own_threshold = threshold
        facts = subject.facts
        self.sha256 = str(facts.get("sha256") or "")
        self.trained = cast("dict[str, Plain]", facts.get("training") or {})
        self.classes = self._classes(tuple(map(str, classes)))
        self._refuse_threshold()
        self._prepare = self._preparing()

    @property
    def threshold(self) -> float:
        """A score at or above it is decided for the positive class."""
        return self.subject.threshold if self._own_threshold is None else self._own_threshold

    def predict(self, rows: Sequence[Row]) -> tuple[NDArray[np.float64], list[str | None]]:
        """Return the scores of rows, (n,) or of each class (n, C), and what is decided, None of numbers.

        Raises
        ------
        ModelError
            When the model fails.
        """
        cells = [row.cells for row in rows]
        if self._prepare is not None:
            prepared = self._prepare(cells)
            scores = cast("NDArray[np.float64]", self.subject.predict_prepared(prepared))  # type: ignore[attr-defined]
            return scores, self.decided(scores)
        table = self.table(cells)
        scores = np.asarray(self.subject.predict(table), dtype=np.float64)
        return scores, self.decided(scores, table)

    def decided(self, scores: NDArray[np.float64], table: pd.DataFrame | None = None) -> list[str | None]:
        """Return the decision on each row, as the label says it; as the model itself decides, where it does."""
        if self.task == "regression":
            return [None] * len(scores)
        own: Callable[[Batch], NDArray[np.intp]] | None = getattr(self.subject, "own_decisions", None)
        chosen: NDArray[np.generic]
        if own is not None and table is not None and self._own_threshold is None:
            chosen = own(table)
        else:
            chosen = scores >= self.threshold if scores.ndim == 1 else scores.argmax(axis=1)
        return [self.classes[at] for at in chosen.tolist()]

    def table(self, cells: Sequence[Sequence[object]]) -> pd.DataFrame:
        """Return cells as the table that a model reads; a column has one type, whichever rows are beside each other."""
        import pandas as pd

        made: dict[str, object] = {}
        for column, values in zip(self.columns, zip(*cells, strict=True), strict=True):
            if column.text:
                given = [None if value is None else str(value) for value in values]
                made[column.name] = pd.Series(given, dtype=object)
            elif column.kind == "category":
                shown = [None if value is None else show_level(value) for value in values]
                made[column.name] = pd.Series(shown, dtype=object)
            else:
                made[column.name] = np.array(values, dtype=np.float64)
        return pd.DataFrame(made)

    def restart(self) -> None:
        """Start a model anew whose process has ended, as one does that took more than its limits."""
        self.subject = copy.copy(self.subject)

    def adverse(self, value: str | None) -> str | None:
        """Return the decision that is against a person, as one of the classes.

        Raises
        ------
        InputError
            When it is none of them, or there are not two.
        """
        if value is None:
            return None
        if self.task != "binary":
            raise InputError(f"{argument('adverse')} is of decisions for two classes; the task is {self.task}.")
        if value not in self.classes:
            known = ", ".join(self.classes)
            raise InputError(
                f"{argument('adverse')}: '{shorten(value)}' is no decision of this model; it decides {known}."
            )
        return value

    def refuse_unread(self, name: str, columns: Iterable[str]) -> None:
        """Raise where an argument names columns that the model does not read.

        Parameters
        ----------
        name : str
            The argument.
        columns : iterable of str
            What it names.

        Raises
        ------
        InputError
            With all such columns.
        """
        known = [column.name for column in self.columns]
        raise_all(
            InputError,
            (
                f"{argument(name)}: the model reads no column '{shorten(column)}'.{did_you_mean(column, known)}"
                for column in columns
                if column not in known
            ),
        )

    def _refuse_threshold(self) -> None:
        """Raise where a threshold that was given decides nothing on the scores of the model."""
        given = self._own_threshold
        if given is None or self.task != "binary":
            return
        kind = getattr(self.subject, "score_kind", None) or "ranking"
        if wrong := threshold_problem(given, kind):
            raise InputError(f"{argument('threshold')}: {wrong}")

    def _classes(self, given: tuple[str, ...]) -> tuple[str, ...]:
        if self.task == "regression":
            if given:
                raise InputError(f"{argument('classes')} has no use: the model predicts a number.")
            return ()
        told = self.trained.get("classes") or getattr(self.subject, "classes", None)
        known = tuple(map(show_level, cast("list[object]", told or ())))
        if self.task == "multiclass":
            if not known and len(given) < 3:
                raise ModelError(f"Model '{self.subject.name}' does not name its classes: pass {argument('classes')}.")
            if given and known and len(given) != len(known):
                raise InputError(f"{argument('classes')} has {len(given)} words; the model has {len(known)} classes.")
            return given or known
        if given and len(given) != 2:
            raise InputError(
                f"{argument('classes')} has {len(given)} words; of two classes they are the negative and the positive."
            )
        return given or _two(self.trained.get("positive"))

    def _preparing(self) -> Callable[[Sequence[Sequence[object]]], NDArray[np.float32]] | None:
        """Return what makes the inputs of a network without a table, where the model is one of evenhand's."""
        from evenhand.training.cells import Cells
        from evenhand.training.preprocessing import Preprocessing

        known = getattr(self.subject, "preprocessing", None)
        return (
            cast("Callable[[Sequence[Sequence[object]]], NDArray[np.float32]]", Cells(known).write)
            if isinstance(known, Preprocessing)
            else None
        )


def _two(positive: object) -> tuple[str, str]:
    """Return the words of two decisions, of which the label's positive value may be known."""
    shown = "1" if positive is None else show_level(positive)
    negative = {"1": "0", "0": "1", "True": "False", "False": "True", "yes": "no", "no": "yes"}.get(shown)
    return negative or f"not {shown}", shown
