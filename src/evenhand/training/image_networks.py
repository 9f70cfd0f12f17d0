"""Networks over images, described by a few plain numbers that are saved with the weights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from evenhand.errors import InputError, did_you_mean, need

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.plan import Plan

ImageKind: TypeAlias = Literal["image_mlp", "cnn", "resnet18", "encoder"]
"""Layers of neurons over all pixels, convolutions, residual blocks of convolutions, attention over rows of pixels."""
IMAGE_KINDS: Final[tuple[str, ...]] = get_args(ImageKind)


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
    """Heads of an encoder's attention."""

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
        if self.kind == "encoder" and (not self.hidden or len(set(self.hidden)) > 1 or self.hidden[0] % self.heads):
            raise InputError(
                f"An encoder's layers are of one width, a multiple of its {self.heads} heads, not {self.hidden!r}."
            )

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
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

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
        return cls(kind, shape, outputs, hidden, channels, kernel, float(cast("float", plain["dropout"])), heads)


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


def _of_blocks(plan: ImagePlan) -> nn.Module:
    from evenhand.training.blocks import Encoder, ResNet18

    if plan.kind == "resnet18":
        return ResNet18(plan.shape[0], plan.outputs)
    return Encoder(plan.shape, plan.outputs, plan.hidden, plan.heads, plan.dropout)


def _dense(width: int, plan: ImagePlan) -> list[nn.Module]:
    from torch import nn

    layers: list[nn.Module] = []
    for neurons in plan.hidden:
        layers += [nn.Linear(width, neurons), nn.ReLU(), nn.Dropout(plan.dropout)]
        width = neurons
    return [*layers, nn.Linear(width, plan.outputs)]


_KINDS: Final[dict[str, Callable[[ImagePlan], nn.Module]]] = {
    "image_mlp": _perceptron, "cnn": _convolutions, "resnet18": _of_blocks, "encoder": _of_blocks,
}  # fmt: skip
