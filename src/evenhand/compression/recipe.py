"""The protocol of recipes, and the bench they work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evenhand.compression.compressed import CompressedModel
    from evenhand.data import EvaluationSet
    from evenhand.findings import Batch, Plain
    from evenhand.training import NetworkModel

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with the step, the number of steps, and a short description."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The rows and the seed that recipes work with. Never test rows."""

    train: EvaluationSet
    """Rows to calibrate on, to fine-tune on and to check agreement on."""
    validation: EvaluationSet | None = None
    """Rows to stop fine-tuning by; a part of `train` when None."""
    seed: int = 0
    """Decides samples and the order of rows."""
    balance: tuple[str, ...] | None = None
    """Columns whose groups count alike in fine-tuning, and are as near as can be to equally many of the rows that
    recipes draw, so that small ones do not lose most."""
    seconds: float | None = None
    """No further epoch of fine-tuning begins after this time; None does not end it."""
    progress: Progress | None = None
    """Called with a short description of the step."""
    step: int = 0
    """The number of recipes applied before this one."""
    steps: int = 1
    """The number of recipes."""
    tuning: bool = True
    """Whether networks are fine-tuned; without it a recipe shows what it does by itself."""
    tuned: list[str] = field(default_factory=list, compare=False)
    """Noted by each training of a network, so that what was trained is known."""

    def say(self, text: str) -> None:
        """Report progress, if a callback is given."""
        if self.progress is not None:
            self.progress(self.step, self.steps, text)

    def epochs(self, done: int, total: int, _text: str) -> None:
        """Report the progress of a fit within the step."""
        self.say(f"fine-tuning {done}/{total}")

    def prepared(self, model: NetworkModel, most: int) -> NDArray[np.float32]:
        """Return at most `most` training rows, drawn by the seed, as the model's network takes them."""
        return model.prepare(self.drawn(model, most))

    def drawn(self, model: NetworkModel, most: int) -> Batch:
        """Return at most `most` training rows, drawn by the seed, as the model reads them."""
        rows = self.train.inputs_as(model.reads, model.name)
        return rows.whole() if len(rows) <= most else rows.take(self.positions(most)).whole()

    def positions(self, most: int) -> NDArray[np.intp]:
        """Return which training rows are drawn, in order: at random, or with `balance` from each group in turn."""
        import numpy as np

        count, chance = len(self.train), np.random.default_rng(self.seed)
        if count <= most:
            return np.arange(count)
        if not self.balance:
            return np.sort(chance.choice(count, most, replace=False))
        codes, order = self.train.grouping(*self.balance).codes, chance.permutation(count)
        by_group = order[np.argsort(codes[order], kind="stable")]
        sizes = np.bincount(codes)
        turn = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.sort(by_group[np.argsort(turn, kind="stable")[:most]])


class Recipe(Protocol):
    """One way to make a model smaller: a frozen record of its settings that can be applied to a model.

    Examples
    --------
    >>> from evenhand.compression import Int8
    >>> Int8().describe()["recipe"], Int8.floor
    ('int8', 0.9)
    """

    @property
    def floor(self) -> float:
        """The least share of equal decisions with the model before; below it the step is taken to have failed."""
        ...

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values, with the recipe's name under ``recipe``."""
        ...

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel | CompressedModel:
        """Return a new model; `model` stays as it is."""
        ...
