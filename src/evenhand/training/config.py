"""How a model is trained, as one plain record."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from evenhand.errors import InputError, did_you_mean, raise_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.findings import Plain

Activation: TypeAlias = Literal["relu", "gelu", "tanh", "sigmoid"]
"""What stands between two linear layers."""

ThresholdRule: TypeAlias = Literal["accuracy", "balanced_accuracy", "f1", "base_rate"]
"""What the decision threshold is to reach on validation rows; ``base_rate`` predicts positive as often as is true."""

ACTIVATIONS: Final[tuple[str, ...]] = get_args(Activation)
RULES: Final[tuple[str, ...]] = get_args(ThresholdRule)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Settings of a fit. The defaults suit tables of a thousand to a hundred thousand rows.

    Raises
    ------
    InputError
        When a setting makes no sense; all such settings are told together.
    """

    hidden: tuple[int, ...] = (64, 32)
    """Neurons of each hidden layer; none at all is logistic regression."""
    activation: Activation = "relu"
    """What stands between two layers."""
    dropout: float = 0.1
    """Share of the neurons left out in each training step, from 0 to below 1."""
    learning_rate: float = 2e-3
    """Of AdamW, at the beginning; it falls to nothing over the epochs (one cosine)."""
    weight_decay: float = 1e-2
    """Of AdamW, decoupled (Loshchilov and Hutter 2019)."""
    epochs: int = 60
    """Passes over the training rows at most."""
    batch_size: int = 64
    """Rows a step."""
    patience: int = 10
    """Epochs without a lower validation loss after which the fit stops."""
    class_weight: Literal["balanced"] | None = None
    """``balanced`` weights rows by n / (2 n of their class)."""
    threshold: ThresholdRule | float = "accuracy"
    """A score at or above it is predicted positive: a number, or what it is to reach on validation rows."""
    seed: int = 0
    """Decides weights, dropout, the order of rows and, without validation rows, which are held out."""

    def __post_init__(self) -> None:
        raise_all(InputError, self._problems())

    def _problems(self) -> Iterator[str]:
        if any(not _whole(width, 1) for width in self.hidden):
            yield f"hidden takes whole numbers of neurons, one at least a layer, not {self.hidden!r}."
        if self.activation not in ACTIVATIONS:
            yield f"There is no activation {self.activation!r}; known are {', '.join(ACTIVATIONS)}."
        if not 0 <= self.dropout < 1:
            yield f"dropout must lie in [0, 1), not {self.dropout!r}."
        if not (0 < self.learning_rate < math.inf):
            yield f"learning_rate must be above 0, not {self.learning_rate!r}."
        if not (0 <= self.weight_decay < math.inf):
            yield f"weight_decay must be 0 or above, not {self.weight_decay!r}."
        for name in ("epochs", "batch_size", "patience"):
            if not _whole(getattr(self, name), 1):
                yield f"{name} must be a whole number above 0, not {getattr(self, name)!r}."
        if self.class_weight not in (None, "balanced"):
            yield f"class_weight is 'balanced' or None, not {self.class_weight!r}."
        if isinstance(self.threshold, str):
            if self.threshold not in RULES:
                yield f"There is no threshold rule {self.threshold!r}; known are {', '.join(RULES)}, or a number."
        elif not 0 < self.threshold <= 1:
            yield f"A threshold must lie in (0, 1], not {self.threshold!r}."
        if not _whole(self.seed, 0):
            yield f"seed must be a whole number, 0 or above, not {self.seed!r}."

    def to_plain(self) -> dict[str, Plain]:
        """Return the settings as JSON can say them."""
        return {**dataclasses.asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> TrainingConfig:
        """Return the settings of a mapping, such as the ``[train]`` table of ``evenhand.toml``.

        Raises
        ------
        InputError
            For a name that is no setting, or a value that makes no sense.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        raise_all(
            InputError,
            (
                f"There is no training setting '{name}'.{did_you_mean(name, known)}"
                for name in plain
                if name not in known
            ),
        )
        values = dict(plain)
        if isinstance(values.get("hidden"), list):
            values["hidden"] = tuple(values["hidden"])  # type: ignore[arg-type]
        try:
            return cls(**values)  # type: ignore[arg-type]
        except TypeError as wrong:
            raise InputError(f"The training settings hold a value of the wrong type: {wrong}.") from None


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
