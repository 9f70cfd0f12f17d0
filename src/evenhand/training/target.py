"""What a network of numbers is after: the label as it is learnt, and back from the network's outputs to the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.config import TrainingConfig

    Floats: TypeAlias = NDArray[np.float64]

NumberTask: TypeAlias = Literal["regression", "ranking"]
"""Tasks whose labels are numbers."""


@dataclass(frozen=True, slots=True)
class Target:
    """How the numbers of a label are learnt; fitted on training rows and kept with the model.

    A number is learnt as its distance from the mean in standard deviations, of its logarithm where that is asked; of a
    ranking, the network's output is the score as it is. A network of quantiles has one output for each: the lowest, and
    the steps to the next ones, which are never negative, so that quantiles do not cross.

    Examples
    --------
    >>> target = Target(mean=10.0, deviation=2.0)
    >>> target.learnt(np.array([10.0, 14.0])).tolist(), target.values(np.array([0.0, 2.0])).tolist()
    ([0.0, 2.0], [10.0, 14.0])
    """

    task: NumberTask = "regression"
    """What the label is."""
    mean: float = 0.0
    """Mean of the training rows, of log(1 + y) where `logarithm`."""
    deviation: float = 1.0
    """Their standard deviation."""
    logarithm: bool = False
    """Whether log(1 + y) is learnt."""
    quantiles: tuple[float, ...] = ()
    """The quantiles, ascending; none for one number a row."""
    smear: float = 1.0
    """What 1 + y is multiplied by after the logarithm is undone, so that the mean is right (Duan 1983)."""
    shown: float | None = None
    """The quantile that is predicted; that nearest to the middle when None."""

    @classmethod
    def fit(cls, data: EvaluationSet, config: TrainingConfig) -> Target:
        """Return the target of training rows."""
        if data.task == "ranking":
            return cls("ranking")
        told = np.asarray(data.y_true, dtype=np.float64)
        learnt = np.log1p(told) if config.log_target else told
        weight = data.sample_weight
        mean = float(np.average(learnt, weights=weight))
        spread = float(np.sqrt(np.average((learnt - mean) ** 2, weights=weight)))
        return cls("regression", mean, spread or 1.0, config.log_target, tuple(sorted(config.quantiles)))

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return len(self.quantiles) or 1

    @property
    def place(self) -> int:
        """Which of the quantiles is predicted."""
        if self.shown is not None:
            return self.quantiles.index(self.shown)
        return int(np.argmin([abs(each - 0.5) for each in self.quantiles]))

    def learnt(self, y_true: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return (n,) labels as the network learns them; of quantiles (n, Q), the same in each column."""
        told = self.scaled(y_true)
        return (np.repeat(told[:, None], self.outputs, axis=1) if self.quantiles else told).astype(np.float32)

    def scaled(self, y_true: NDArray[np.generic]) -> Floats:
        """Return (n,) labels in standard deviations from the mean, of logarithms where these are learnt."""
        told = np.asarray(y_true, dtype=np.float64)
        if self.task == "ranking":
            return told
        return ((np.log1p(told) if self.logarithm else told) - self.mean) / self.deviation

    def values(self, raw: Floats) -> Floats:
        """Return outputs (n,) or (n, Q) in the units of the label; of quantiles, each not below the one before."""
        if self.task == "ranking":
            return raw
        scaled = self.ordered(raw) if self.quantiles else raw
        numbers = self.mean + self.deviation * scaled
        return np.exp(numbers) * self.smear - 1 if self.logarithm else numbers

    def ordered(self, raw: Floats) -> Floats:
        """Return the quantiles (n, Q), in standard deviations, of a network's outputs."""
        return raised(raw)

    def predicted(self, raw: Floats) -> Floats:
        """Return (n,) predicted numbers: of quantiles, the one that is shown."""
        values = self.values(raw)
        return np.ascontiguousarray(values.reshape(len(values), -1)[:, self.place]) if self.quantiles else values

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        return {
            "task": self.task, "mean": self.mean, "deviation": self.deviation, "logarithm": self.logarithm,
            "quantiles": list(self.quantiles), "smear": self.smear, "shown": self.shown,
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Target:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        task, shown = str(plain["task"]), plain["shown"]
        if task not in ("regression", "ranking"):
            raise ValueError(f"the task is {task!r}")
        quantiles = tuple(float(each) for each in cast("list[float]", plain["quantiles"]))
        numbers = (float(cast("float", plain[name])) for name in ("mean", "deviation", "smear"))
        mean, deviation, smear = numbers
        found = cls(
            cast("NumberTask", task), mean, deviation, bool(plain["logarithm"]), quantiles, smear,
            None if shown is None else float(cast("float", shown)),
        )  # fmt: skip
        if found.shown is not None and found.shown not in quantiles:
            raise ValueError("it shows a quantile that it has not")
        return found


def raised(raw: Floats) -> Floats:
    """Return (n, Q) ascending numbers: the first column, and onto it the steps, log(1 + exp(z)) each."""
    raw = raw.reshape(len(raw), -1)
    return np.asarray(np.cumsum(np.column_stack([raw[:, :1], np.logaddexp(0.0, raw[:, 1:])]), axis=1))
