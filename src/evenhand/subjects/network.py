"""What subjects share that are networks, which name no classes: their output is what is declared of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from evenhand.subjects.adapter import NOT_KNOWN
from evenhand.subjects.outputs import default_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.network_output import NetworkOutput
    from evenhand.subjects.protocol import ScoreKind
    from evenhand.subjects.target import Target


class NetworkSubject(ABC):
    """A network over columns of a table, arrays, token ids or texts.

    `says`: its name and what its output is; the others are those of `as_subject`.
    """

    def __init__(
        self,
        says: NetworkOutput,
        threshold: float | None,
        features: Sequence[str] | None,
        reads: Reads | None,
        file_facts: Mapping[str, Plain] | None,
    ) -> None:
        self.name = says.name
        self.features = None if features is None else tuple(features)
        self.reads: Reads | None = reads if features is None else "table"
        self._says = says
        self.threshold = default_threshold(self.score_kind) if threshold is None else float(threshold)
        self._file_facts = dict(file_facts or {})

    @abstractmethod
    def answer(self, batch: Batch) -> NDArray[np.generic]:
        """Return what the network gives for rows, shape (n,), (n, 1) or (n, classes)."""

    @abstractmethod
    def _network_facts(self) -> Mapping[str, Plain]:
        """Return its kind, and what is known of its class and parameters."""

    def bound(self, target: Target) -> Self:
        """Return the same network, to be audited on a label of two classes.

        Raises ModelError where its scores may be of either class.
        """
        twin = type(self).__new__(type(self))  # a copy would start another session of a graph
        twin.__dict__.update(self.__dict__)
        twin._says = self._says.bound(target)
        return twin

    @property
    def says(self) -> NetworkOutput:
        """What its output is, as declared."""
        return self._says

    @property
    def score_kind(self) -> ScoreKind:
        """As declared; decisions where the last prediction was of whole numbers."""
        return self._says.score_kind

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Class, output, parameters and how many of them are not zero, and the file where there is one."""
        return {
            **NOT_KNOWN,
            **self._network_facts(),
            "output": self._says.output,
            "features": None if self.features is None else list(self.features),
            **self._file_facts,
        }

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        return self._says.scores(self.answer(batch), len(batch))

    def class_scores(self, batch: Batch, exclusive: bool = True) -> NDArray[np.generic]:
        """Return scores of classes, (n, classes), of which a row has one where `exclusive`; or decisions, (n,)."""
        return self._says.classes(self.answer(batch), len(batch), exclusive)

    def numbers(self, batch: Batch) -> NDArray[np.float64]:
        """Return one number a row, shape (n,): predictions of a regression, or worths in a list."""
        return self._says.numbers(self.answer(batch), len(batch))
