"""Any function from a batch to scores or labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError
from evenhand.subjects.adapter import NOT_KNOWN, Adapter, name_of
from evenhand.subjects.inputs import select
from evenhand.subjects.kinds import NO_CLASSES, type_of
from evenhand.subjects.outputs import answer_of
from evenhand.subjects.proved import Proved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.target import Decide, DeclaredKind, Target


class CallableSubject(Proved):
    """A function `f(X)` that returns (n,) or (n, 2) scores, or one label a row.

    When `score_kind` is not given, the returned type decides: floating-point numbers are probabilities of the positive
    class and must be in [0, 1]; booleans, whole numbers and text are labels.

    Parameters
    ----------
    function : callable
        Takes a pandas table, an array (n, ...) or a list.
    name : str, optional
        What the report calls it; the function's name when not given.
    threshold : float, optional
        0.5, or 0 for a ranking score, when not given.
    score_kind : "probability", "logit", "ranking" or "label", optional
        What it returns.
    positive : object
        The label of the positive class, where it returns labels other than those of the set, or their codes.
    features : sequence of str, optional
        The columns of a table to hand over; all when not given.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; those of the evaluation set when neither this nor `features` is given.
    decide : callable, optional
        From what it returns to decisions in the label's classes.
    """

    def __init__(
        self,
        function: Callable[[Batch], object],
        *,
        name: str | None = None,
        threshold: float | None = None,
        score_kind: DeclaredKind | None = None,
        positive: object = None,
        features: Sequence[str] | None = None,
        reads: Reads | None = None,
        decide: Decide | None = None,
    ) -> None:
        super().__init__(name or name_of(function), features, threshold, positive, score_kind, decide)
        self.function = function
        self.reads: Reads | None = reads if features is None else "table"

    def bound(self, target: Target) -> Self:
        """Return the same function, to be audited on a label of two classes.

        Raises ModelError when it is the method of a model that predicts no classes, and nothing was declared.
        """
        twin = super().bound(target)
        kind = type_of(self.function)
        if kind in NO_CLASSES and self.declared.score_kind is None:
            if self.declared.threshold is None or kind != "regressor":
                raise ModelError(twin.proof.no_classes(kind))
            twin.proof.kind = "ranking"
        return twin

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Nothing but the name can be known of a function."""
        return {
            "kind": "callable",
            "class": name_of(self.function),
            "features": None if self.features is None else list(self.features),
            **NOT_KNOWN,
            **self.proof.facts,
        }

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        import numpy as np

        answer = answer_of(self.function, select(batch, self.features, self.name), self.name)
        values = np.asarray(self.proof.by_name(answer))
        seen: DeclaredKind = "probability" if values.dtype.kind == "f" else "label"
        if self.proof.kind not in (None, seen) and self.proof.bound and self.declared.score_kind is None:
            seen = self.proof.kind or seen
        return self.proof.scores(values, len(batch), self.declared.score_kind or seen)


def _fits(model: object) -> bool:
    return callable(model) and not isinstance(model, type)


ADAPTER: Final = Adapter(CallableSubject, _fits, 200)
