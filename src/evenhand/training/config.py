"""How a model is trained, as one plain record."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from evenhand.errors import InputError, parameter, raise_all
from evenhand.settings import Declared, setting, settings_of, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.findings import Plain

Activation: TypeAlias = Literal["relu", "gelu", "tanh", "sigmoid"]
"""The activation between two linear layers."""

Architecture: TypeAlias = Literal["mlp", "residual", "wide_deep", "deepfm", "transformer"]
"""Which network: layers of neurons, blocks that add to what goes through, a linear model and layers, the same with
products of pairs of columns, attention."""

Model: TypeAlias = Literal["network", "boosting"]
"""What is fitted: a network, or boosted trees."""

ImageNetwork: TypeAlias = Literal[
    "cnn", "resnet18", "resnet50", "densenet", "densenet121", "inception", "vit", "encoder"
]
"""Which network over images: convolutions, residual blocks, dense blocks, branches side by side, attention over patches
or over rows of pixels."""

TextNetwork: TypeAlias = Literal["lstm", "bert", "gpt2"]
"""Which network over texts: long short-term memory, attention that looks both ways, attention that looks back."""

Optimizer: TypeAlias = Literal["adamw", "adam", "sgd", "momentum"]
"""How weights are moved; ``momentum`` is stochastic gradient descent with Nesterov momentum 0.9."""

LearningRateSchedule: TypeAlias = Literal["cosine", "one_cycle", "constant", "step"]
"""How the learning rate goes: down by a cosine; up and down (Smith 2018); as it is; a tenth after each third."""

Loss: TypeAlias = Literal["auto", "cross_entropy", "focal", "mse", "mae", "huber", "pinball", "listwise", "pairwise"]
"""What is made small. Of classes: cross-entropy, focal loss (Lin et al. 2017), or the squared error of the probability.
Of numbers: the squared, absolute or Huber's error, or the pinball loss of quantiles. Of rankings: a loss of whole lists
or of pairs. ``auto`` is the first of each."""

Fairness: TypeAlias = Literal["demographic_parity", "equal_opportunity", "equalized_odds"]
"""Which mean probabilities are to be equal in all groups: of all rows, of the positive, of the rows of each class."""

ClassWeight: TypeAlias = Literal["balanced", "reweighing"]
"""How rows weigh: all classes alike; or as if the class did not depend on the group (Kamiran and Calders 2012)."""

Resample: TypeAlias = Literal["over", "under", "by_group"]
"""How rows are drawn: those of smaller classes again; only so many of larger classes; or of each group and class as
many as if the class did not depend on the group (Kamiran and Calders 2012, "uniform sampling")."""

Scaling: TypeAlias = Literal["standard", "unit", "signed"]
"""How numbers are scaled: mean 0 and deviation 1; onto [0, 1]; onto [-1, 1]."""

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
"""What products of a fit are computed in; bfloat16 is faster where the processor has it, float16 needs CUDA."""

Device: TypeAlias = Literal["cpu", "cuda", "mps", "auto"]
"""What a fit computes on; ``auto`` takes CUDA, else Apple's processor of graphics, else this one."""

Strategy: TypeAlias = Literal["ddp", "fsdp"]
"""How the processes of ``torchrun`` share a fit: each holds the network, or a part of it."""

ThresholdRule: TypeAlias = Literal["auto", "accuracy", "balanced_accuracy", "f1", "base_rate"]
"""What the decision threshold is to reach on validation rows; ``base_rate`` predicts positive as often as is true.

``auto`` follows the fit: balanced accuracy where it makes classes weigh alike, else accuracy."""

ACTIVATIONS: Final[tuple[str, ...]] = get_args(Activation)
NETWORKS: Final[tuple[str, ...]] = get_args(Architecture)
LEAST_BATCH: Final = 64
MOST_BATCH: Final = 512
STEPS_AN_EPOCH: Final = 96
"""Steps of an epoch that are enough: with more of them only the time of a fit grows."""
IMAGE_NETWORKS: Final[tuple[str, ...]] = get_args(ImageNetwork)
TEXT_NETWORKS: Final[tuple[str, ...]] = get_args(TextNetwork)
LONGEST_TEXT: Final = 4096
"""Ids of a text at most: attention of each to each takes the square of them."""
ATTENDING: Final = ("transformer", "encoder", "vit", "bert", "gpt2")
"""Networks whose layers attend: all of one width, a multiple of the heads."""
ONE_WIDTH: Final = ("residual", *ATTENDING)
"""Networks whose layers are all of one width."""


@dataclass(frozen=True, slots=True)
class Steps(Declared):
    """How a network learns, step by step: in a first fit, and when it is fine-tuned or taught."""

    epochs: int = setting(60, "Passes over the training rows at most.", least=1, unit="epochs")
    batch_size: int = setting(64, "Rows a step.", least=1, unit="rows")
    learning_rate: float = setting(2e-3, "Learning rate at the beginning, or at its highest with one_cycle.", above=0)
    weight_decay: float = setting(
        1e-2, "Decoupled with adamw (Loshchilov and Hutter 2019), part of the gradient with the others.", least=0
    )
    seed: int = setting(
        0, "Decides weights, dropout, the order of rows and, without validation rows, which are held out.", least=0
    )
    loss: Loss = setting(
        "auto", "What is minimized. Of classes: cross_entropy, focal, mse; of numbers: mse, mae, huber, or pinball of "
        "quantiles; of rankings: listwise, pairwise. auto is the first.",
    )  # fmt: skip
    focal_gamma: float = setting(2.0, "Of the focal loss: how much less a row counts that is already right.", least=0)
    label_smoothing: float = setting(0.0, "Labels are moved by half of it from 0 and 1.", least=0, below=1)
    fairness: Fairness | None = setting(
        None, "Gaps between the groups of each sensitive feature are made small, too: those of the mean probability of "
        "all rows (demographic_parity), of the positive rows (equal_opportunity), of the rows of each class "
        "(equalized_odds). The features are not read when deciding.",
    )  # fmt: skip
    fairness_weight: float = setting(
        10.0, "How much the squared gaps of fairness weigh against the loss; 0 leaves them out.", least=0
    )
    optimizer: Optimizer = setting("adamw", "How weights are moved.")
    schedule: LearningRateSchedule = setting("cosine", "How the learning rate goes.")
    clip: float = setting(5.0, "The gradient's norm is held at this.", above=0)
    noise: float = setting(
        0.0, "Augmentation: standard deviation of the noise added to prepared columns in each training step.", least=0
    )
    mixup: float = setting(
        0.0, "Augmentation: above 0, rows are mixed in pairs by shares of a Beta(mixup, mixup) distribution.", least=0
    )
    shift: int = setting(
        0, "Augmentation: images are moved by at most so many pixels in each training step.", least=0, unit="pixels"
    )
    flip: bool = setting(
        False,
        "Augmentation: half of the images are mirrored, left for right, in each training step. A mirrored digit or "
        "letter is another one or none.",
    )
    rotate: float = setting(
        0.0, "Augmentation: images are turned by at most so many degrees each way.", least=0, most=180, unit="degrees"
    )
    crop: float = setting(
        0.0,
        "Augmentation: images are cut by at most this share of their sides, anywhere, and drawn at full size.",
        least=0,
        below=1,
    )
    colour: float = setting(
        0.0,
        "Augmentation: brightness, contrast and, of colours, saturation change by at most this share.",
        least=0,
        below=1,
    )
    precision: Precision = setting(
        "float32", "What products are computed in; weights and their sums stay float32. float16 needs CUDA."
    )
    device: Device = setting(
        "cpu", "What the fit computes on; auto takes the fastest that there is. The same seed gives the same model on "
        "the same device of one machine.",
    )  # fmt: skip
    accumulate: int = setting(
        1, "Batches after which weights move once: a step is of batch_size times so many rows.", least=1, unit="batches"
    )
    strategy: Strategy = setting(
        "ddp", "How processes that torchrun started share a fit: each holds the network (ddp), or a part of it (fsdp)."
    )


@dataclass(frozen=True, slots=True)
class TrainingConfig(Steps):
    """Settings of a fit. The defaults suit tables of a thousand to a hundred thousand rows.

    Raises
    ------
    InputError
        When a setting makes no sense; all such settings are named together.

    Examples
    --------
    >>> config = TrainingConfig(epochs=10, hidden=(32,), class_weight="balanced")
    >>> config.epochs, config.learning_rate
    (10, 0.002)
    """

    batch_size: int = setting(
        0, "Rows a step; 0 takes 64, and of a table of more than ten thousand rows up to 512.", least=0, unit="rows"
    )
    model: Model = setting("network", "What is fitted: a network, or boosted trees.")
    trees: int = setting(300, "Rounds of boosting at most; of boosted trees.", least=1, unit="rounds")
    leaves: int = setting(31, "Leaves of each boosted tree at most.", least=2, unit="leaves")
    shrinkage: float = setting(0.1, "Share of each boosted tree that is added to the others.", above=0, most=1)
    baseline: bool = setting(
        True, "Whether boosted trees are fitted beside a network over a table, to compare it with."
    )
    hidden: tuple[int, ...] = setting(
        (64, 32), "Neurons of each hidden layer, none for logistic regression; all of one width in a residual network, "
        "a transformer, a vit, an encoder, a bert and a gpt2.", least=1, unit="neurons",
    )  # fmt: skip
    network: Architecture | ImageNetwork | TextNetwork = setting(
        "mlp", "Which network: one over columns, from cnn on one over images, or, from lstm on, one over texts."
    )
    channels: tuple[int, ...] = setting(
        (16, 32),
        "Channels of each convolution of a cnn; each is followed by a pooling that halves height and width.",
        least=1,
        unit="channels",
    )
    width: int = setting(
        0,
        "Channels after the first convolution of a resnet or an inception, or those that each layer of a densenet "
        "adds; 0 is the published number.",
        least=0,
        unit="channels",
    )
    patch: int = setting(0, "Height and width of the patches of a vit; 0 chooses by the image.", least=0, unit="pixels")
    vocabulary: int = setting(
        4096, "Different tokens of a network over texts at most: bytes, and what joins them most often.", least=259,
        most=1 << 16, unit="tokens",
    )  # fmt: skip
    length: int = setting(
        0, "Tokens of a text that a network reads, the rest is cut off; 0 takes those of the longest training row, up "
        "to 128.", least=0, most=LONGEST_TEXT, unit="tokens",
    )  # fmt: skip
    activation: Activation = setting("relu", "The function between two layers.")
    dropout: float = setting(0.1, "Share of the neurons left out in each training step.", least=0, below=1)
    batch_norm: bool = setting(
        False, "Whether each hidden layer of a perceptron is normalized over the batch (Ioffe and Szegedy 2015)."
    )
    heads: int = setting(
        4, "Heads of attention of a transformer, a vit, an encoder, a bert or a gpt2; the width is a multiple.", least=1
    )
    embedding: int = setting(
        0, "Above 0, a category of more levels than this is embedded in so many numbers before a perceptron's first "
        "layer; of deepfm the length of each column's vector, 8 where it is 0.", least=0,
    )  # fmt: skip
    scaling: Scaling = setting("standard", "How numbers are scaled.")
    pieces: int = setting(
        8, "Into so many pieces, at its quantiles, a number is cut, each a further input; fewer with few rows, 0 for "
        "none.", least=0,
    )  # fmt: skip
    read_codes: bool = setting(True, "Whether whole numbers that look like codes are read as categories, too.")
    quantiles: tuple[float, ...] = setting(
        (), "Quantiles of a label of numbers that are predicted together, such as 0.1, 0.5, 0.9; they never cross.",
        above=0, below=1,
    )  # fmt: skip
    log_target: bool = setting(
        False, "Whether log(1 + y) of a label of amounts is learnt; predictions are amounts again."
    )
    patience: int = setting(
        10, "Epochs without a lower validation loss after which the fit stops.", least=1, unit="epochs"
    )
    class_weight: ClassWeight | None = setting(
        None, "balanced weights rows by n / (2 n of their class); reweighing as if the class did not depend on the "
        "group, over all sensitive features together (Kamiran and Calders 2012).",
    )  # fmt: skip
    resample: Resample | None = setting(
        None, "over draws rows of the smaller classes again, under keeps as many of each class as the smallest has; "
        "by_group draws of each group and class as many as if the class did not depend on the group.",
    )  # fmt: skip
    threshold: ThresholdRule | float = setting(
        "auto", "A score at or above it is predicted positive: a number, or a rule to choose it on validation "
        "rows; auto is balanced_accuracy where class_weight or resample makes classes alike, else accuracy.", above=0,
        most=1,
    )  # fmt: skip

    epsilon: float | None = setting(
        None, "Differential privacy: the budget of each training row. Rows are clipped and noise is added to each "
        "step; without it nothing is private.", above=0, most=100,
    )  # fmt: skip
    delta: float = setting(
        0.0,
        "Of differential privacy: the chance of more than epsilon; 0 takes 1e-5, or 1 / rows^1.1 if that is less.",
        least=0,
        below=1,
    )
    row_clip: float = setting(
        1.0, "Of differential privacy: the norm that the gradient of each row is clipped to.", above=0
    )
    seeded_noise: bool = setting(
        False,
        "Of differential privacy: whether samples and noise follow from the seed, as tests need it; who knows the seed "
        "can then take the noise off.",
    )
    canary_share: float = setting(
        0.0, "Share of the training rows of which each is left out by the toss of a coin, so that an audit can count "
        "right guesses of who was in; the others are all in.", least=0, most=1,
    )  # fmt: skip

    def contradictions(self) -> Iterator[str]:
        """Yield errors of settings that are incompatible."""
        yield from self._never_private()
        if self.fairness is not None and self.mixup:
            yield (
                f"{parameter('mixup')} mixes rows, so that none is of one group, and {parameter('fairness')} is about "
                "gaps between groups. Leave one of them out."
            )
        if len(set(self.quantiles)) < len(self.quantiles):
            yield f"A quantile is named twice: {', '.join(map(str, self.quantiles))}."
        if self.embedding and self.network not in ("mlp", "deepfm"):
            yield f"Embeddings of categories go before an mlp, not before a {self.network}."
        if self.network in ONE_WIDTH and len(set(self.hidden)) != 1:
            yield f"Blocks of a {self.network} are all of one width, such as hidden = (64, 64), not {self.hidden!r}."
        elif self.network in ATTENDING and self.hidden[0] % self.heads:
            width = self.hidden[0]
            yield f"The width of a {self.network} is a multiple of its heads: {width} is none of {self.heads!r}."

    def _never_private(self) -> Iterator[str]:
        """Yield errors of settings with which no fit is private."""
        if self.epsilon is None:
            return
        why = {
            "batch_norm": (self.batch_norm, "makes each row's gradient depend on the others of its batch"),
            "resample": (self.resample is not None, "lets a row be in a step more than once"),
            "class_weight": (self.class_weight is not None, "weighs rows by counts of the training labels"),
            "fairness": (self.fairness is not None, "moves weights by means of groups that have no noise"),
            "mixup": (self.mixup > 0, "mixes rows, so that no gradient is of one row"),
            "model": (self.model != "network", "is about trees, whose counts no noise hides: networks can be private"),
            "precision": (self.precision != "float32", "rounds gradients, so that the noise is not what it should be"),
        }
        for name, (given, reason) in why.items():
            if given:
                yield f"With epsilon a fit is private, and {parameter(name)} {reason}. Leave one of them out."

    @property
    def by_group(self) -> tuple[str, ...]:
        """The settings that need the groups of the rows."""
        given = {
            "fairness": self.fairness is not None,
            "class_weight": self.class_weight == "reweighing",
            "resample": self.resample == "by_group",
        }
        return tuple(name for name, asked in given.items() if asked)

    @property
    def threshold_rule(self) -> ThresholdRule | None:
        """The rule that chooses the threshold, ``auto`` resolved; None where it is a number."""
        if self.threshold == "auto":
            alike = self.class_weight == "balanced" or self.resample in ("over", "under")
            return "balanced_accuracy" if alike else "accuracy"
        return self.threshold if isinstance(self.threshold, str) else None

    def for_rows(self, rows: int) -> TrainingConfig:
        """Return the settings with a batch for a table of so many rows, where none was chosen."""
        grown = 2 ** round(math.log2(max(rows, 1) / STEPS_AN_EPOCH))
        return dataclasses.replace(self, batch_size=self.batch_size or max(LEAST_BATCH, min(MOST_BATCH, grown)))

    def to_plain(self) -> dict[str, Plain]:
        """Return the settings as plain JSON data."""
        lists = {name: list(getattr(self, name)) for name in ("hidden", "channels", "quantiles")}
        return {**dataclasses.asdict(self), **lists}

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> TrainingConfig:
        """Return the settings of a mapping, such as the ``[train]`` table of ``evenhand.toml``.

        Raises
        ------
        InputError
            For an unknown setting or an invalid value.
        """
        raise_all(InputError, unknown(plain, settings_of(cls), "There is no training setting"))
        return cls().updated(plain)
