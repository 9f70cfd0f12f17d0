"""Inception networks (Szegedy et al. 2015, "Going deeper with convolutions"), each convolution normalized."""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

WIDTH: Final = 64
"""Channels after the first convolution, as published."""
BLOCKS: Final = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    ((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
     (256, 160, 320, 32, 128, 128)),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)  # fmt: skip
"""Channels of each block's branches, as published: 1 x 1; 1 x 1 and 3 x 3; 1 x 1 and 3 x 3; pooling and 1 x 1."""


class Inception(nn.Module):
    """Nine blocks of four branches side by side, in three stages with a pooling between them.

    `width`: channels of the first convolution, 64 as published; all others go with it. The branch that was published
    with a window of 5 x 5 has one of 3 x 3, as in common implementations. `small`: the first convolution is of 3 x 3
    and keeps height and width, and nothing is pooled before the first stage.
    """

    def __init__(self, channels: int, outputs: int, width: int, dropout: float, small: bool) -> None:
        super().__init__()
        pool = nn.MaxPool2d(3, stride=2, padding=1)
        first = [_convolution(channels, width, 3)] if small else [_convolution(channels, width, 7, 2), pool]
        layers: list[nn.Module] = [*first, _convolution(width, width, 1), _convolution(width, 3 * width, 3)]
        before = 3 * width
        for stage, blocks in enumerate(BLOCKS):
            layers += [pool] if stage or not small else []
            for block in blocks:
                sizes = tuple(max(1, size * width // WIDTH) for size in block)
                layers.append(_Branches(before, sizes))
                before = sizes[0] + sizes[2] + sizes[4] + sizes[5]
        self.layers = nn.Sequential(*layers)
        self.drop, self.last = nn.Dropout(dropout), nn.Linear(before, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        return torch.as_tensor(self.last(self.drop(self.layers(images).mean(dim=(2, 3)))))


class _Branches(nn.Module):
    def __init__(self, before: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        one, reduced, three, again, wide, pooled = sizes
        self.one = _convolution(before, one, 1)
        self.three = nn.Sequential(_convolution(before, reduced, 1), _convolution(reduced, three, 3))
        self.wide = nn.Sequential(_convolution(before, again, 1), _convolution(again, wide, 3))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _convolution(before, pooled, 1))

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.one(held), self.three(held), self.wide(held), self.pooled(held)], dim=1)


def _convolution(before: int, after: int, window: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, window, stride=stride, padding=window // 2, bias=False),
        nn.BatchNorm2d(after, eps=1e-3),
        nn.ReLU(),
    )
