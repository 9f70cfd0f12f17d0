"""Densely connected networks (Huang et al. 2017, "Densely connected convolutional networks")."""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

DEPTHS: Final = {"densenet": (4, 4, 4), "densenet121": (6, 12, 24, 16)}
"""Layers of each block, in the small one and in the published one."""
GROWTH: Final = {"densenet": 12, "densenet121": 32}
"""Channels that each layer adds."""


class DenseNet(nn.Module):
    """Blocks in which each layer reads all layers before it; between two, channels, height and width are halved.

    `growth`: channels that each layer adds; the first convolution has twice as many. `small`: that convolution is of
    3 x 3 and keeps height and width, without pooling.
    """

    def __init__(self, kind: str, channels: int, outputs: int, growth: int, dropout: float, small: bool) -> None:
        super().__init__()
        width = 2 * growth
        layers: list[nn.Module] = (
            [nn.Conv2d(channels, width, 3, padding=1, bias=False)]
            if small
            else [
                nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(3, stride=2, padding=1),
            ]
        )
        for number, depth in enumerate(DEPTHS[kind]):
            if number:
                layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width // 2, 1, bias=False)]
                layers.append(nn.AvgPool2d(2))
                width //= 2
            for _ in range(depth):
                layers.append(_Adding(width, growth, dropout))
                width += growth
        self.layers = nn.Sequential(*layers)
        self.norm, self.last = nn.BatchNorm2d(width), nn.Linear(width, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        held = torch.relu(self.norm(self.layers(images)))
        return torch.as_tensor(self.last(held.mean(dim=(2, 3))))


class _Adding(nn.Module):
    def __init__(self, before: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.norm_one, self.one = nn.BatchNorm2d(before), nn.Conv2d(before, 4 * growth, 1, bias=False)
        self.norm_two, self.two = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        inner = self.one(torch.relu(self.norm_one(held)))
        return torch.cat([held, self.drop(self.two(torch.relu(self.norm_two(inner))))], dim=1)
