"""What an audit needs of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task

ScoreKind: TypeAlias = Literal["probability", "ranking", "label"]
"""The kind of scores: a probability in [0, 1], an order on any scale, or only the decision (0 or 1)."""

OutputKind: TypeAlias = Literal["probability", "logit", "ranking"]
"""The kind of a network's raw output; a logit is converted to a probability, the others are unchanged."""


@runtime_checkable
class Subject(Protocol):
    """A model under audit: anything with these five members.

    A sixth, `reads`, is the kind of a batch (see `reads_of`): a table where it is absent. A seventh that a subject may
    offer is ``refit(rows: EvaluationSet, seed: int) -> Subject``: the same recipe fitted on other rows, with the same
    columns and settings and the draws of the seed. Attacks on privacy compare the subject with models that saw other
    rows, and take such ones where there are any; the subject itself stays as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand.subjects import Subject, as_subject
    >>> isinstance(as_subject(lambda X: np.full(len(X), 0.7)), Subject)
    True
    """

    @property
    def name(self) -> str:
        """What the report calls the model."""
        ...

    @property
    def threshold(self) -> float:
        """A score at or above it is predicted positive."""
        ...

    @property
    def score_kind(self) -> ScoreKind:
        """The kind of scores."""
        ...

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Facts about the model: kind, parameters, file_bytes, sha256, features and more; unknown is None."""
        ...

    def predict(self, batch: Batch, /) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,), finite; no row depends on its batch."""
        ...


class FitRows(Protocol):
    """Rows that a subject is fitted on again: what it needs of an evaluation set.

    See Also
    --------
    evenhand.data.EvaluationSet : Is one.
    """

    @property
    def table(self) -> pd.DataFrame:
        """(n, m) all columns."""
        ...

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802 - the field's word for the features
        """(n, m) the columns a model may read."""
        ...

    @property
    def y_true(self) -> NDArray[Any]:
        """(n,) the truth: 1 = positive, or positions in `classes`."""
        ...

    @property
    def classes(self) -> tuple[object, ...]:
        """The label's negative and positive value, or all its classes."""
        ...

    @property
    def task(self) -> Task:
        """What the label is."""
        ...

    @property
    def held(self) -> Whole | None:
        """Model inputs outside the table; None where the model reads the table."""
        ...


class Whole(Protocol):
    """Inputs that can be read at once.

    See Also
    --------
    evenhand.data.Inputs : Is one.
    """

    def whole(self) -> Batch:
        """Return all rows."""
        ...


def reads_of(model: object, held: Reads) -> Reads:
    """Return the kind of a model's inputs: as declared, a table by default, and that of the set for None.

    Parameters
    ----------
    model : object
        A subject.
    held : Reads
        The kind of inputs of the evaluation set.

    Examples
    --------
    >>> from evenhand.subjects import as_subject
    >>> reads_of(as_subject(lambda X: X["p"]), "table")
    'table'
    """
    said: Reads | None = getattr(model, "reads", "table")
    return held if said is None else said
