"""How a model is trained, as one plain record."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from evenhand.errors import InputError, did_you_mean, raise_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from evenhand.findings import Plain

Activation: TypeAlias = Literal["relu", "gelu", "tanh", "sigmoid"]
"""What stands between two linear layers."""

Architecture: TypeAlias = Literal["mlp", "residual", "wide_deep", "transformer"]
"""Which network: layers of neurons, blocks that add to what goes through, a linear model beside layers, attention."""

Optimizer: TypeAlias = Literal["adamw", "adam", "sgd", "momentum"]
"""How weights are moved; ``momentum`` is stochastic gradient descent with Nesterov momentum 0.9."""

LearningRateSchedule: TypeAlias = Literal["cosine", "one_cycle", "constant", "step"]
"""How the learning rate goes: down by a cosine; up and down (Smith 2018); as it is; a tenth after each third."""

Loss: TypeAlias = Literal["cross_entropy", "focal", "mse"]
"""What is made small: cross-entropy, focal loss (Lin et al. 2017), or the squared error of the probability."""

Resample: TypeAlias = Literal["over", "under"]
"""How classes are made alike in number: rows of the smaller are drawn again; only so many of the larger are kept."""

Scaling: TypeAlias = Literal["standard", "unit", "signed"]
"""How numbers are scaled: mean 0 and deviation 1; onto [0, 1]; onto [-1, 1]."""

Precision: TypeAlias = Literal["float32", "bfloat16"]
"""What products of a fit are computed in; bfloat16 is faster where the processor has it."""

ThresholdRule: TypeAlias = Literal["accuracy", "balanced_accuracy", "f1", "base_rate"]
"""What the decision threshold is to reach on validation rows; ``base_rate`` predicts positive as often as is true."""

ACTIVATIONS: Final[tuple[str, ...]] = get_args(Activation)
NETWORKS: Final[tuple[str, ...]] = get_args(Architecture)
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "network": NETWORKS,
    "activation": ACTIVATIONS,
    "optimizer": get_args(Optimizer),
    "schedule": get_args(LearningRateSchedule),
    "loss": get_args(Loss),
    "scaling": get_args(Scaling),
    "precision": get_args(Precision),
}
"""The settings that are one of a few words."""
RANGES: Final[Mapping[str, tuple[Callable[[float], bool], str]]] = {
    "dropout": (lambda value: 0 <= value < 1, "lie in [0, 1)"),
    "label_smoothing": (lambda value: 0 <= value < 1, "lie in [0, 1)"),
    "learning_rate": (lambda value: 0 < value < math.inf, "be above 0"),
    "clip": (lambda value: 0 < value < math.inf, "be above 0"),
    "weight_decay": (lambda value: 0 <= value < math.inf, "be 0 or above"),
    "noise": (lambda value: 0 <= value < math.inf, "be 0 or above"),
    "mixup": (lambda value: 0 <= value < math.inf, "be 0 or above"),
    "focal_gamma": (lambda value: 0 <= value < math.inf, "be 0 or above"),
}
"""The settings that are numbers of a range, and the range in words."""
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
    """Neurons of each hidden layer; none at all is logistic regression. Blocks of a residual network and a transformer
    are all of one width."""
    network: Architecture = "mlp"
    """Which network."""
    activation: Activation = "relu"
    """What stands between two layers."""
    dropout: float = 0.1
    """Share of the neurons left out in each training step, from 0 to below 1."""
    batch_norm: bool = False
    """Whether each hidden layer of a perceptron is normalized over the batch (Ioffe and Szegedy 2015)."""
    heads: int = 4
    """Heads of a transformer's attention; the width is a multiple of them."""
    embedding: int = 0
    """Above 0, a category of more levels than this is brought to so many numbers, learnt with the network, before a
    perceptron's first layer."""
    scaling: Scaling = "standard"
    """How numbers are scaled."""
    loss: Loss = "cross_entropy"
    """What is made small."""
    focal_gamma: float = 2.0
    """Of the focal loss: how much less a row counts that is already right."""
    label_smoothing: float = 0.0
    """Labels are moved by half of it from 0 and 1."""
    noise: float = 0.0
    """Standard deviation of the noise added to prepared columns in each training step: augmentation."""
    mixup: float = 0.0
    """Above 0, rows are mixed in pairs by shares of a Beta(mixup, mixup) distribution: augmentation."""
    shift: int = 0
    """Images are moved by at most so many pixels in each training step: augmentation."""
    precision: Precision = "float32"
    """What products are computed in."""
    optimizer: Optimizer = "adamw"
    """How weights are moved."""
    schedule: LearningRateSchedule = "cosine"
    """How the learning rate goes."""
    learning_rate: float = 2e-3
    """At the beginning, or at its highest with ``one_cycle``."""
    weight_decay: float = 1e-2
    """Decoupled with ``adamw`` (Loshchilov and Hutter 2019), part of the gradient with the others."""
    clip: float = 5.0
    """The gradient's norm is held at this."""
    epochs: int = 60
    """Passes over the training rows at most."""
    batch_size: int = 64
    """Rows a step."""
    patience: int = 10
    """Epochs without a lower validation loss after which the fit stops."""
    class_weight: Literal["balanced"] | None = None
    """``balanced`` weights rows by n / (2 n of their class)."""
    resample: Resample | None = None
    """``over`` draws rows of the smaller classes again, ``under`` keeps as many of each class as the smallest has."""
    threshold: ThresholdRule | float = "accuracy"
    """A score at or above it is predicted positive: a number, or what it is to reach on validation rows."""
    seed: int = 0
    """Decides weights, dropout, the order of rows and, without validation rows, which are held out."""

    def __post_init__(self) -> None:
        raise_all(InputError, self._problems())

    def _problems(self) -> Iterator[str]:
        yield from self._of_the_network()
        yield from self._of_the_classes()
        for name, words in WORDS.items():
            said = getattr(self, name)
            if said not in words:
                yield f"There is no {name} {said!r}; known are {', '.join(words)}."
        for name, (inside, bounds) in RANGES.items():
            if not inside(getattr(self, name)):
                yield f"{name} must {bounds}, not {getattr(self, name)!r}."
        for name in ("epochs", "batch_size", "patience"):
            if not _whole(getattr(self, name), 1):
                yield f"{name} must be a whole number above 0, not {getattr(self, name)!r}."
        for name in ("seed", "shift", "embedding"):
            if not _whole(getattr(self, name), 0):
                yield f"{name} must be a whole number, 0 or above, not {getattr(self, name)!r}."

    def _of_the_classes(self) -> Iterator[str]:
        if isinstance(self.threshold, str):
            if self.threshold not in RULES:
                yield f"There is no threshold rule {self.threshold!r}; known are {', '.join(RULES)}, or a number."
        elif not 0 < self.threshold <= 1:
            yield f"A threshold must lie in (0, 1], not {self.threshold!r}."
        for name, choices in (("class_weight", ("balanced",)), ("resample", get_args(Resample))):
            if getattr(self, name) not in (None, *choices):
                yield f"{name} is {' or '.join(map(repr, choices))} or None, not {getattr(self, name)!r}."

    def _of_the_network(self) -> Iterator[str]:
        if any(not _whole(width, 1) for width in self.hidden):
            yield f"hidden takes whole numbers of neurons, one at least a layer, not {self.hidden!r}."
        if self.embedding and self.network != "mlp":
            yield f"Embeddings of categories stand before an mlp; a {self.network} has its own way with columns."
        if self.network in ("residual", "transformer") and len(set(self.hidden)) != 1:
            yield f"Blocks of a {self.network} are all of one width, such as hidden = (64, 64), not {self.hidden!r}."
        elif self.network == "transformer" and (not _whole(self.heads, 1) or self.hidden[0] % self.heads):
            yield f"A transformer's width is a multiple of its heads: {self.hidden[0]} is none of {self.heads!r}."

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
