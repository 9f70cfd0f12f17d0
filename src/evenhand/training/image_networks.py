"""Networks over images, described by a few plain numbers that are saved with the weights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from evenhand.errors import InputError, argument, did_you_mean, need
from evenhand.training.config import ATTENDING, IMAGE_NETWORKS, ImageNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.config import TrainingConfig
    from evenhand.training.plan import Plan

ImageKind: TypeAlias = Literal["image_mlp"] | ImageNetwork
"""Layers of neurons over all pixels, or a network of `ImageNetwork`."""
IMAGE_KINDS: Final[tuple[str, ...]] = ("image_mlp", *IMAGE_NETWORKS)
SMALL: Final = 64
"""Below so many pixels of height or width, the first convolution of a known network keeps them."""
LEAST: Final = {"densenet": 4, "densenet121": 8}
"""Pixels of height and width that are needed after the first layers of some networks, which halve them."""
WIDTHS: Final = {"resnet18": 64, "resnet50": 64, "inception": 64, "densenet": 12, "densenet121": 32}
"""Networks of one width, and the one that they were published with."""


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """A network over images (channels, height, width) with one logit a class.

    Raises
    ------
    InputError
        For a shape that is none of an image, or widths that make no network.

    Examples
    --------
    >>> plan = ImagePlan("cnn", shape=(1, 8, 8), outputs=1, channels=(4,))
    >>> sum(tensor.numel() for tensor in plan.build().parameters()) > 0
    True
    """

    kind: ImageKind
    """Which network."""
    shape: tuple[int, ...]
    """Of one image: channels, height, width."""
    outputs: int
    """Logits: one per class, or one for two classes."""
    hidden: tuple[int, ...] = (128,)
    """Neurons of each layer between pixels, or convolutions, and logits; of an encoder, the width of each layer."""
    channels: tuple[int, ...] = ()
    """Of each convolution; each is followed by a pooling that halves height and width."""
    kernel: int = 3
    """Height and width of a convolution's window; odd."""
    dropout: float = 0.0
    """Share of neurons left out in training."""
    heads: int = 4
    """Heads of an encoder's attention, or of a ViT's."""
    width: int = 0
    """Channels after the first convolution of a resnet or an inception, or those that each layer of a densenet adds; 0
    is the published number."""
    patch: int = 0
    """Height and width of the patches of a ViT; 0 is 16, or on small images what makes about 7 x 7 of them."""
    small: bool | None = None
    """Whether the first convolution of a resnet, densenet or inception is of 3 x 3 and keeps height and width; by
    default where an image has fewer than 64 pixels each way."""

    def __post_init__(self) -> None:
        if self.kind not in IMAGE_KINDS:
            near = did_you_mean(self.kind, IMAGE_KINDS)
            raise InputError(
                f"There is no network over images '{self.kind}'; known are {', '.join(IMAGE_KINDS)}.{near}"
            )
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise InputError(f"An image's shape is (channels, height, width), not {self.shape!r}.")
        if self.kind == "cnn" and min(self.shape[1:]) < 2 ** len(self.channels):
            raise InputError(
                f"{len(self.channels)} halvings leave nothing of {self.shape[1]} x {self.shape[2]} pixels: name fewer "
                "channels."
            )
        if self.kind in ATTENDING and (not self.hidden or len(set(self.hidden)) > 1 or self.hidden[0] % self.heads):
            raise InputError(
                f"Layers of {self.kind} are of one width, a multiple of its {self.heads} heads, not {self.hidden!r}."
            )

        object.__setattr__(self, "width", self.width or WIDTHS.get(self.kind, 0))
        object.__setattr__(self, "small", self.kind in WIDTHS and self._is_small())
        object.__setattr__(self, "patch", self._patch() if self.kind == "vit" else 0)
        self._check_sizes()

    def _is_small(self) -> bool:
        return min(self.shape[1:]) < SMALL if self.small is None else self.small

    def _patch(self) -> int:
        side = min(self.shape[1:])
        wanted = self.patch or (16 if side >= SMALL else max(1, round(side / 7)))
        return (
            wanted
            if self.patch
            else max(each for each in range(1, wanted + 1) if not any(size % each for size in self.shape[1:]))
        )

    def _check_sizes(self) -> None:
        left = min(self.shape[1:]) if self.small else min(self.shape[1:]) // 4
        if self.kind in LEAST and left < LEAST[self.kind]:
            raise InputError(
                f"Halvings of {self.kind} leave nothing of {self.shape[1]} x {self.shape[2]} pixels: use larger "
                "images, or a resnet18, which takes any."
            )
        if self.width < 0 or (self.kind in WIDTHS and not self.width):
            raise InputError(f"The width of {self.kind} is a number of channels, not {self.width}.")
        if self.patch and (self.patch < 0 or any(side % self.patch for side in self.shape[1:])):
            raise InputError(
                f"Patches of {self.patch} pixels do not fill {self.shape[1]} x {self.shape[2]} pixels: name a patch "
                "that divides both."
            )

    def narrower(self, hidden: tuple[int, ...]) -> ImagePlan:
        """Return the plan of a smaller network of its kind: with such layers, or of half the width."""
        if self.kind in WIDTHS:
            return replace(self, width=max(1, self.width // 2))
        return replace(self, hidden=hidden)

    def build(self) -> nn.Module:
        """Return the network: ``(n, *shape)`` to (n, outputs) logits. Weights are drawn from torch's generator."""
        need("torch", "torch")
        return _KINDS[self.kind](self)

    def of(self, network: nn.Module) -> Plan:
        """Return the plan of a network that differs from this one at most in sizes."""
        from evenhand.training.resized import changed_plan

        changed = changed_plan(self, network)
        return changed if changed.sizes else self

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        unused = (set() if self.kind in WIDTHS else {"width", "small"}) | (set() if self.kind == "vit" else {"patch"})
        return {name: value for name, value in plain.items() if name not in unused}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> ImagePlan:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        if plain["kind"] not in IMAGE_KINDS:
            raise ValueError(f"no known network: {plain['kind']!r}")
        shape, hidden, channels = (
            tuple(int(cast("int", size)) for size in cast("list[Plain]", plain[name]))
            for name in ("shape", "hidden", "channels")
        )
        outputs, kernel, heads = (int(cast("int", plain[name])) for name in ("outputs", "kernel", "heads"))
        kind = cast("ImageKind", plain["kind"])
        width, patch = (int(cast("int", plain.get(name, 0))) for name in ("width", "patch"))
        # models saved before there were small first layers have none
        small = bool(plain.get("small", False))
        dropout = float(cast("float", plain["dropout"]))
        return cls(kind, shape, outputs, hidden, channels, kernel, dropout, heads, width, patch, small)


def plan_of_images(config: TrainingConfig, shape: tuple[int, ...], outputs: int) -> ImagePlan:
    """Return the plan of the network that settings name, over images of a shape.

    Raises
    ------
    InputError
        When it is one over columns of a table, or images are too small for it.
    """
    if config.network != "mlp" and config.network not in IMAGE_NETWORKS:
        raise InputError(
            f"A {config.network} reads columns of a table, and these rows are images: {argument('network')} is mlp or "
            f"one of {', '.join(IMAGE_NETWORKS)}."
        )
    kind = cast("ImageKind", "image_mlp" if config.network == "mlp" else config.network)
    return ImagePlan(
        kind,
        shape,
        outputs,
        hidden=config.hidden,
        channels=config.channels if kind == "cnn" else (),
        dropout=config.dropout,
        heads=config.heads,
        width=config.width if kind in WIDTHS else 0,
        patch=config.patch if kind == "vit" else 0,
    )


def refuse_columns(network: str, reads: str) -> None:
    """Raise InputError for a network over images where rows are none."""
    if network in IMAGE_NETWORKS:
        what = "a table" if reads == "table" else f"{reads} that are no images (n, height, width)"
        raise InputError(
            f"A {network} reads images, and these rows are {what}: name the column of image files by "
            f"{argument('images')}, or pass arrays as {argument('inputs')}."
        )


def _perceptron(plan: ImagePlan) -> nn.Module:
    from torch import nn

    return nn.Sequential(nn.Flatten(), *_dense(math.prod(plan.shape), plan))


def _convolutions(plan: ImagePlan) -> nn.Module:
    from torch import nn

    layers: list[nn.Module] = []
    before, height, width = plan.shape
    for channels in plan.channels:
        layers += [
            nn.Conv2d(before, channels, plan.kernel, padding=plan.kernel // 2),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        before, height, width = channels, height // 2, width // 2
    return nn.Sequential(*layers, nn.Flatten(), *_dense(before * height * width, plan))


def _attention(plan: ImagePlan) -> nn.Module:
    from evenhand.training.vision.attention import Encoder, ViT

    sizes = plan.shape, plan.outputs, plan.hidden, plan.heads, plan.dropout
    return Encoder(*sizes) if plan.kind == "encoder" else ViT(*sizes, plan.patch)


def _residual(plan: ImagePlan) -> nn.Module:
    from evenhand.training.vision.residual import ResNet

    return ResNet(plan.kind, plan.shape[0], plan.outputs, plan.width, bool(plan.small))


def _densely(plan: ImagePlan) -> nn.Module:
    from evenhand.training.vision.dense import DenseNet

    return DenseNet(plan.kind, plan.shape[0], plan.outputs, plan.width, plan.dropout, bool(plan.small))


def _branching(plan: ImagePlan) -> nn.Module:
    from evenhand.training.vision.inception import Inception

    return Inception(plan.shape[0], plan.outputs, plan.width, plan.dropout, bool(plan.small))


def _dense(width: int, plan: ImagePlan) -> list[nn.Module]:
    from torch import nn

    layers: list[nn.Module] = []
    for neurons in plan.hidden:
        layers += [nn.Linear(width, neurons), nn.ReLU(), nn.Dropout(plan.dropout)]
        width = neurons
    return [*layers, nn.Linear(width, plan.outputs)]


_KINDS: Final[dict[str, Callable[[ImagePlan], nn.Module]]] = {
    "image_mlp": _perceptron, "cnn": _convolutions, "resnet18": _residual, "resnet50": _residual, "densenet": _densely,
    "densenet121": _densely, "inception": _branching, "encoder": _attention, "vit": _attention,
}  # fmt: skip
