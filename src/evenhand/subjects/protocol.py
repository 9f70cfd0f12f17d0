"""What an audit needs of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads

ScoreKind: TypeAlias = Literal["probability", "ranking", "label"]
"""What a score says: a probability in [0, 1], an order on any scale, or only the decision (0 or 1)."""

OutputKind: TypeAlias = Literal["probability", "logit", "ranking"]
"""What the raw output of a network is; a logit is turned into a probability, the others are used unchanged."""


@runtime_checkable
class Subject(Protocol):
    """A model under audit: anything with these five members.

    A sixth, `reads`, says what a batch is (see `reads_of`): a table where it is absent.

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
        """What a score says."""
        ...

    @property
    def facts(self) -> Mapping[str, Plain]:
        """What is known of the model: kind, parameters, file_bytes, sha256, features and the like; unknown is None."""
        ...

    def predict(self, batch: Batch, /) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,), finite; no row depends on its batch."""
        ...


def reads_of(model: object, held: Reads) -> Reads:
    """Return what a model reads: what it says, a table where it says nothing, and what the set holds for None.

    Parameters
    ----------
    model : object
        A subject.
    held : Reads
        What the evaluation set holds.
    """
    said: Reads | None = getattr(model, "reads", "table")
    return held if said is None else said
