"""A subject under another name or threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.subjects.adapter import Adapter
from evenhand.subjects.protocol import Subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects.protocol import ScoreKind


class AdjustedSubject:
    """The same scores, named or decided otherwise."""

    def __init__(self, inner: Subject, *, name: str | None = None, threshold: float | None = None) -> None:
        self.inner = inner
        self._name = name
        self._threshold = threshold

    @property
    def name(self) -> str:
        """The new name, else the subject's own."""
        return self._name or self.inner.name

    @property
    def threshold(self) -> float:
        """The new threshold, else the subject's own."""
        return self.inner.threshold if self._threshold is None else float(self._threshold)

    @property
    def score_kind(self) -> ScoreKind:
        """As the subject has it."""
        return self.inner.score_kind

    @property
    def facts(self) -> Mapping[str, Plain]:
        """The subject's, with the threshold it came with where another was set."""
        if self._threshold is None:
            return self.inner.facts
        return {**self.inner.facts, "own_threshold": self.inner.threshold}

    def __getattr__(self, name: str) -> object:
        """Return what the subject has beyond the protocol: the rows it was fitted on, its network, what it cost."""
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the subject's own scores."""
        return self.inner.predict(X)


def adjusted(model: Subject, *, name: str | None = None, threshold: float | None = None) -> Subject:
    """Return a subject as it is, under another name or threshold where one is given."""
    if name is None and threshold is None:
        return model
    return AdjustedSubject(model, name=name, threshold=threshold)


def _fits(model: object) -> bool:
    return isinstance(model, Subject) and not isinstance(model, type)


ADAPTER: Final = Adapter(adjusted, _fits, 0)
