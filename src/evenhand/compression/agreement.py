"""Whether a model still decides as the one it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenhand.errors import ModelError
from evenhand.subjects.outputs import decisions

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch
    from evenhand.subjects import Subject

    Said: TypeAlias = tuple[NDArray[np.float64], float]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two models on the same rows.

    See Also
    --------
    evenhand.compression.agreement : Makes one.
    """

    share: float
    """The share of rows on which they decide the same."""
    largest_difference: float
    """The largest difference of two scores of one row."""
    rows: int
    """The rows both predicted."""


def agreement(one: Subject, other: Subject, rows: Batch) -> Agreement:
    """Compare two models' decisions, each at its threshold or for the most probable class, and their scores.

    Parameters
    ----------
    one, other : Subject
        The models.
    rows : table, array or list
        What both predict.

    Returns
    -------
    Agreement

    Examples
    --------
    >>> import pandas as pd
    >>> from evenhand.subjects import as_subject
    >>> rows = pd.DataFrame({"p": [0.1, 0.4, 0.9]})
    >>> found = agreement(as_subject(lambda X: X["p"]), as_subject(lambda X: X["p"] + 0.1), rows)
    >>> round(found.share, 2), round(found.largest_difference, 2), found.rows
    (0.67, 0.1, 3)
    """
    return _compare((one.predict(rows), one.threshold), (other.predict(rows), other.threshold))


class Witness:
    """Looks at each model that recipes make, on the same rows: each model predicts them once.

    `original`: the model before the first step; `rows`: training rows, as the model reads them.
    """

    def __init__(self, original: Subject, rows: Batch) -> None:
        self.rows = rows
        self._first = self._last = (original.predict(rows), original.threshold)

    def look(self, after: Subject, *, step: str, floor: float) -> Agreement:
        """Return the agreement of a step's model with the original, when it agrees with the one before the step.

        Raises ModelError when that is below `floor`: the step broke the model.
        """
        said = (after.predict(self.rows), after.threshold)
        _check(_compare(self._last, said), step, floor)
        self._last = said
        return _compare(self._first, said)


def _compare(one: Said, other: Said) -> Agreement:
    import numpy as np

    same = decisions(*one) == decisions(*other)
    return Agreement(float(same.mean()), float(np.abs(one[0] - other[0]).max(initial=0.0)), len(same))


def _check(found: Agreement, step: str, floor: float) -> None:
    if found.share < floor:
        raise ModelError(
            f"After {step} the model decides as before on only {found.share:.1%} of {found.rows:,} training rows "
            f"(scores differ by up to {found.largest_difference:.2g}); below {floor:.0%} the step counts as failed. "
            "Prune less, give more training rows, or leave the step out."
        )
