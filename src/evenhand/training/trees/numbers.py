"""What boosted trees of numbers are after: the label as it is learnt, and back from sums of leaves to the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import argument
from evenhand.metrics.values.gains import each_pinball
from evenhand.training.private.plan import of_one_fit
from evenhand.training.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Task
    from evenhand.training.config import TrainingConfig
    from evenhand.training.trees.arrays import BoostedTrees

    Floats = NDArray[np.float64]

LOSSES: Final[dict[str, tuple[str, ...]]] = {
    "binary": ("cross_entropy",),
    "multiclass": ("cross_entropy",),
    "regression": ("mse", "mae", "pinball"),
}
"""The losses of each task that boosted trees learn by; of others, such as rankings, there are none here."""


@dataclass(frozen=True, slots=True)
class TreeTarget(Target):
    """How trees learn the numbers of a label.

    As networks do, in standard deviations from the mean. Each quantile has trees of its own, so that nothing keeps
    quantiles from crossing; the one that is shown is taken as it is, and those beside it are held at it.

    Examples
    --------
    >>> target = TreeTarget(quantiles=(0.1, 0.5, 0.9))
    >>> target.values(np.array([[0.0, 1.0, 3.0], [2.0, 1.0, 0.0]])).tolist()
    [[0.0, 1.0, 3.0], [1.0, 1.0, 1.0]]
    """

    def ordered(self, raw: Floats) -> Floats:
        """Return sums of leaves (n, Q) as quantiles, of which none is below the one before."""
        held, at = raw.reshape(len(raw), -1).copy(), self.place
        held[:, at:] = np.maximum.accumulate(held[:, at:], axis=1)
        held[:, : at + 1] = np.minimum.accumulate(held[:, at::-1], axis=1)[:, ::-1]
        return held

    def check(self, outputs: int) -> None:
        """Raise ValueError unless trees of so many outputs can have this target."""
        if self.task != "regression" or self.outputs != outputs:
            raise ValueError(f"its target has {self.outputs} outputs and its trees {outputs}")
        if list(self.quantiles) != sorted(set(self.quantiles)) or not all(0 < each < 1 for each in self.quantiles):
            raise ValueError("its quantiles are none")


@dataclass(frozen=True, slots=True, eq=False)
class NumberTrees:
    """Boosted trees whose sums are numbers of a label: what explanations read."""

    trees: BoostedTrees
    """The trees."""
    target: TreeTarget
    """How their sums become numbers."""


def tree_target(data: EvaluationSet, config: TrainingConfig) -> TreeTarget | None:
    """Return how the numbers of a label are learnt; None where it is one of classes."""
    if data.task != "regression":
        return None
    fitted = TreeTarget.fit(data, config)
    assert isinstance(fitted, TreeTarget)  # fitted as its own class
    return fitted


def not_for_trees(train: EvaluationSet, config: TrainingConfig) -> Iterator[str]:
    """Yield errors of data and settings that boosted trees cannot learn from or by."""
    if train.task not in LOSSES:
        yield (
            f"{train.name}: boosted trees learn classes and numbers here, and the label's task is {train.task}: fit a "
            "network."
        )
    elif config.loss not in ("auto", *LOSSES[train.task]):
        yield (
            f"{train.name}: boosted trees do not learn by {argument('loss', config.loss)}; of the task {train.task} "
            f"they learn by {_listed(train.task)}. Leave it out, or fit a network."
        )
    yield from of_one_fit(config, "boosted trees are none")
    if config.fairness is not None:
        yield f"{argument('fairness', config.fairness)} is a penalty that networks alone learn by: fit a network."
    if train.held is not None:
        yield f"{train.name}: boosted trees read the columns of a table, and these inputs are {train.held.kind}."


def _listed(task: Task) -> str:
    return ", ".join(LOSSES[task])


def each_lost(score: Floats, told: Floats, loss: str, quantiles: tuple[float, ...] = ()) -> Floats:
    """Return (n,) losses of scores (n, outputs) of numbers (n,).

    Parameters
    ----------
    score, told : arrays
    loss : str
        ``mse``, ``mae`` or ``pinball``, the mean over quantiles.
    quantiles : tuple of float
        Of ``pinball``.
    """
    if loss == "pinball":
        return each_pinball(told, score, quantiles)
    apart = score[:, 0] - told
    return np.asarray(apart**2 if loss == "mse" else np.abs(apart))
