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

    Said: TypeAlias = tuple[NDArray[np.float64], float, str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two models on the same rows.

    See Also
    --------
    evenhand.compression.agreement : Makes one.
    """

    share: float
    """The share of rows on which they decide the same; of numbers, the share of the variance of the one's that the
    other's explain; of rankings, Spearman's correlation, not below 0."""
    largest_difference: float
    """The largest difference of two scores of one row; of numbers, in the units of the label."""
    rows: int
    """The rows both predicted."""
    mean_difference: float = 0.0
    """The mean difference of two scores of one row, without its sign."""
    task: str = "binary"
    """What they predict."""

    @property
    def words(self) -> str:
        """What is the same, in a sentence that begins with the model."""
        if self.task == "regression":
            apart = f"by {self.mean_difference:.3g} on average and at most {self.largest_difference:.3g}"
            return (
                f"predicts as the original, R2 {self.share:.3f}; numbers differ {apart}, on {self.rows:,} training rows"
            )
        if self.task == "ranking":
            return f"orders as the original, rank correlation {self.share:.3f}, on {self.rows:,} training rows"
        return f"decides as the original on {self.share:.1%} of {self.rows:,} training rows"


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
    return _compare(_said(one, rows), _said(other, rows))


class Witness:
    """Looks at each model that recipes make, on the same rows: each model predicts them once.

    `original`: the model before the first step; `rows`: training rows, as the model reads them.
    """

    def __init__(self, original: Subject, rows: Batch) -> None:
        self.rows = rows
        self._first = self._last = _said(original, rows)

    def look(self, after: Subject, *, step: str, floor: float) -> Agreement:
        """Return the agreement of a step's model with the original, when it agrees with the one before the step.

        Raises ModelError when that is below `floor`: the step broke the model.
        """
        said = _said(after, self.rows)
        _check(_compare(self._last, said), step, floor)
        self._last = said
        return _compare(self._first, said)


def _said(subject: Subject, rows: Batch) -> Said:
    return subject.predict(rows), subject.threshold, getattr(subject, "task", "binary")


def _compare(one: Said, other: Said) -> Agreement:
    import numpy as np

    apart, task = np.abs(one[0] - other[0]), one[2]
    if task == "regression":
        share = _explained(one[0], other[0])
    elif task == "ranking":
        share = _in_order(one[0], other[0])
    else:
        share = float((decisions(*one[:2]) == decisions(*other[:2])).mean())
    mean = float(apart.mean()) if apart.size else 0.0
    return Agreement(share, float(apart.max(initial=0.0)), len(one[0]), mean, task)


def _explained(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the share of the variance of the first numbers that the second explain, not below 0."""
    whole, rest = float(one.var()), float(((one - other) ** 2).mean())
    if whole == 0.0:
        return float(rest <= 1e-12 * max(1.0, float((one**2).mean())))
    return max(0.0, 1.0 - rest / whole)


def _in_order(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return Spearman's correlation of two scores, not below 0; 1 where both are constant."""
    import numpy as np
    from scipy.stats import rankdata

    first, second = rankdata(one), rankdata(other)
    spread = first.std() * second.std()
    if spread == 0.0:
        return float(first.std() == second.std())
    return max(0.0, float(((first - first.mean()) * (second - second.mean())).mean() / spread) if len(one) else np.nan)


def _check(found: Agreement, step: str, floor: float) -> None:
    if found.share >= floor:
        return
    way = "Prune less, give more training rows, or leave the step out."
    if found.task in ("regression", "ranking"):
        if step.startswith("int"):
            way = "Round the weights alone (Int8(kind='weights')), prune less, or leave the step out."
        raise ModelError(f"After {step} the model {found.words}; below {floor:g} the step counts as failed. {way}")
    raise ModelError(
        f"After {step} the model decides as before on only {found.share:.1%} of {found.rows:,} training rows "
        f"(scores differ by up to {found.largest_difference:.2g}); below {floor:.0%} the step counts as failed. {way}"
    )
