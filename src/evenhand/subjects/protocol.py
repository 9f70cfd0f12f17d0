"""What an audit needs of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads

ScoreKind: TypeAlias = Literal["probability", "ranking", "label"]
"""The kind of scores: a probability in [0, 1], an order on any scale, or only the decision (0 or 1)."""

OutputKind: TypeAlias = Literal["probability", "logit", "ranking"]
"""The kind of a network's raw output; a logit is converted to a probability, the others are unchanged."""


@runtime_checkable
class Subject(Protocol):
    """A model under audit: anything with these five members.

    A sixth, `reads`, is the kind of a batch (see `reads_of`): a table where it is absent.

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
