"""Whether a model's answer to a row depends on the other rows of its batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenhand.data import as_inputs, pick
from evenhand.messages import message
from evenhand.subjects.outputs import decisions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evenhand.data import Inputs
    from evenhand.findings import Batch
    from evenhand.subjects import Subject


@dataclass(frozen=True, slots=True)
class BatchDependence:
    """The same rows, predicted all together and one by one.

    See Also
    --------
    evenhand.compression.batch_dependence : Measures it.
    """

    largest_difference: float
    """The largest difference of a row's two scores."""
    changed: int
    """Rows that are decided otherwise."""
    rows: int
    """The rows that were predicted both ways."""
    tolerance: float
    """What rounding may do: a runtime adds in another order when there are more rows."""

    @property
    def depends(self) -> bool:
        """Whether the answers differ by more than rounding does."""
        return self.largest_difference > self.tolerance

    @property
    def sentence(self) -> str:
        """What was found, in words; empty when nothing was."""
        if not self.depends:
            return ""
        return message(
            "The answer to a row depends on the rows beside it: of {rows} rows, predicted one by one and all "
            "together, scores differ by up to {difference:.2g}, and {changed} decisions change.",
            rows=self.rows,
            difference=self.largest_difference,
            changed=self.changed,
        )


def batch_dependence(
    subject: Subject, inputs: Inputs | Batch, *, rows: int = 64, seed: int = 0, tolerance: float = 1e-4
) -> BatchDependence:
    """Return how much the answers to some rows differ when the rows are predicted one by one.

    Quantization that scales activations by the batch does so (``Int8(kind="dynamic")``), and batch normalization that
    was left in training mode.

    Parameters
    ----------
    subject : Subject
        The model.
    inputs : table, array, list or Inputs
        Rows to draw from.
    rows : int
        How many, drawn by the seed; all when there are fewer.
    seed : int
        Decides which.
    tolerance : float
        Differences of scores up to this are rounding; of numbers, up to this share of their greatest size.

    Returns
    -------
    BatchDependence

    Examples
    --------
    >>> import pandas as pd
    >>> from evenhand.subjects import as_subject
    >>> rows = pd.DataFrame({"p": [0.1, 0.4, 0.9]})
    >>> batch_dependence(as_subject(lambda X: X["p"]), rows).depends
    False
    >>> batch_dependence(as_subject(lambda X: X["p"] / X["p"].max()), rows).depends
    True
    """
    import numpy as np

    chosen = np.sort(np.random.default_rng(seed).permutation(len(inputs))[:rows])
    batch = pick(inputs, chosen)
    together = subject.predict(batch)
    alone = np.concatenate([subject.predict(one) for one in as_inputs(batch).batches(1)])
    if getattr(subject, "task", "binary") in ("regression", "ranking"):
        return _of_numbers(together, alone, tolerance)
    changed = decisions(together, subject.threshold) != decisions(alone, subject.threshold)
    difference = float(np.abs(together - alone).max(initial=0.0))
    return BatchDependence(difference, int(changed.sum()), len(chosen), tolerance)


def _of_numbers(together: NDArray[np.float64], alone: NDArray[np.float64], tolerance: float) -> BatchDependence:
    """Return how much numbers differ; those that do by more than rounding are the answers that change."""
    import numpy as np

    apart, size = np.abs(together - alone), max(1.0, float(np.abs(alone).max(initial=0.0)))
    changed = int((apart > tolerance * size).sum())
    return BatchDependence(float(apart.max(initial=0.0)), changed, len(alone), tolerance * size)
