"""Any function from a batch to scores or labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError
from evenhand.subjects.adapter import NOT_KNOWN, Adapter, name_of
from evenhand.subjects.inputs import select
from evenhand.subjects.outputs import answer_of, check_probabilities, check_scores, default_threshold, labels_to_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import ScoreKind


class CallableSubject:
    """A function `f(X)` that returns (n,) or (n, 2) scores, or one label a row.

    When `score_kind` is not given, the returned type decides: floating-point numbers are probabilities and
    must be in [0, 1]; booleans, integers and text are labels.

    Parameters
    ----------
    function : callable
        Takes a pandas table, an array (n, ...) or a list.
    name : str, optional
        What the report calls it; the function's name when not given.
    threshold : float, optional
        0.5, or 0 for a ranking score, when not given.
    score_kind : "probability", "ranking" or "label", optional
        What it returns.
    positive : object
        The label of the positive class, where it returns labels.
    features : sequence of str, optional
        The columns of a table to hand over; all when not given.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; those of the evaluation set when neither this nor `features` is given.
    """

    def __init__(
        self,
        function: Callable[[Batch], object],
        *,
        name: str | None = None,
        threshold: float | None = None,
        score_kind: ScoreKind | None = None,
        positive: object = 1,
        features: Sequence[str] | None = None,
        reads: Reads | None = None,
    ) -> None:
        self.function = function
        self.name = name or name_of(function)
        self.positive = positive
        self.features = None if features is None else tuple(features)
        self.reads: Reads | None = reads if features is None else "table"
        self._declared = score_kind
        self._seen: ScoreKind = score_kind or "probability"
        self._threshold = threshold

    @property
    def score_kind(self) -> ScoreKind:
        """As declared; else as seen in the last prediction, and a probability before that."""
        return self._declared or self._seen

    @property
    def threshold(self) -> float:
        """A score at or above it is predicted positive."""
        return default_threshold(self.score_kind) if self._threshold is None else float(self._threshold)

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Nothing but the name can be known of a function."""
        return {
            "kind": "callable",
            "class": name_of(self.function),
            "features": None if self.features is None else list(self.features),
            **NOT_KNOWN,
        }

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        import numpy as np

        values = np.asarray(answer_of(self.function, select(batch, self.features, self.name), self.name))
        self._seen = self._declared or ("probability" if values.dtype.kind == "f" else "label")
        if self._seen == "label":
            return self._labels(values, len(batch))
        scores = check_scores(values, len(batch), self.name)
        return check_probabilities(scores, self.name) if self._seen == "probability" else scores

    def _labels(self, values: NDArray[np.generic], rows: int) -> NDArray[np.float64]:
        import numpy as np

        check_scores(np.zeros(values.shape), rows, self.name)
        if values.ndim == 2 and values.shape[1] > 1:
            raise ModelError(
                f"Model '{self.name}' returned {values.shape[1]} columns of labels: one label a row is meant."
            )
        labels = values.reshape(rows)
        if labels.dtype.kind == "f":
            check_scores(labels, rows, self.name)
        elif self._declared is None and labels.dtype.kind in "iu":
            self._refuse_counts(labels)
        return labels_to_scores(labels, self.positive)

    def _refuse_counts(self, labels: NDArray[np.generic]) -> None:
        """Whole numbers of many values are more likely a scale, such as deciles, than labels."""
        import numpy as np

        kinds = np.unique(labels)
        if len(kinds) > 2:
            raise ModelError(
                f"Model '{self.name}' returned whole numbers of {len(kinds)} values (from {kinds[0]} to {kinds[-1]}). "
                "Pass score_kind='ranking' with a threshold on their own scale, or score_kind='label' for classes."
            )


def _fits(model: object) -> bool:
    return callable(model) and not isinstance(model, type)


ADAPTER: Final = Adapter(CallableSubject, _fits, 200)
