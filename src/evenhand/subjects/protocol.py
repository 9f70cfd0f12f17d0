"""What an audit needs of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain

ScoreKind: TypeAlias = Literal["probability", "ranking", "label"]
"""What a score says: a probability in [0, 1], an order on any scale, or only the decision (0 or 1)."""

OutputKind: TypeAlias = Literal["probability", "logit", "ranking"]
"""What the raw output of a network is; a logit is turned into a probability, the others are used unchanged."""


@runtime_checkable
class Subject(Protocol):
    """A model under audit: anything with these five members.

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

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,), finite."""
        ...
