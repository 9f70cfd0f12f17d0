"""Residual networks (He et al. 2016, "Deep residual learning for image recognition")."""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

DEPTHS: Final = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3)}
"""Blocks of each of the four stages; the second halves height and width, and so on."""
WIDTH: Final = 64
"""Channels after the first convolution, as published."""


class ResNet(nn.Module):
    """Four stages of residual blocks, each of twice as many channels as the one before.

    `kind`: ``resnet18``, with blocks of two convolutions, or ``resnet50``, with blocks of three, of which the one of
    3 x 3 goes by strides; `small`: a first convolution of 3 x 3 that keeps height and width, without pooling.
    """

    def __init__(self, kind: str, channels: int, outputs: int, width: int, small: bool) -> None:
        super().__init__()
        self.first = (
            nn.Conv2d(channels, width, 3, padding=1, bias=False)
            if small
            else nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        )
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        block = _Plain if kind == "resnet18" else _Bottleneck
        blocks: list[nn.Module] = []
        before = width
        for stage, depth in enumerate(DEPTHS[kind]):
            for at in range(depth):
                blocks.append(block(before, width << stage, 2 if stage and not at else 1))
                before = (width << stage) * block.expansion
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(before, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        held = self.pool(torch.relu(self.norm(self.first(images))))
        return torch.as_tensor(self.last(self.blocks(held).mean(dim=(2, 3))))


class _Plain(nn.Module):
    expansion = 1

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
        self.norm_one = nn.BatchNorm2d(width)
        self.two = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm_two = nn.BatchNorm2d(width)
        self.past = _past(before, width, stride)

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        inner = self.norm_two(self.two(torch.relu(self.norm_one(self.one(held)))))
        return torch.relu(inner + self.past(held))


class _Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        after = width * self.expansion
        self.one = nn.Conv2d(before, width, 1, bias=False)
        self.norm_one = nn.BatchNorm2d(width)
        self.two = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.norm_two = nn.BatchNorm2d(width)
        self.three = nn.Conv2d(width, after, 1, bias=False)
        self.norm_three = nn.BatchNorm2d(after)
        self.past = _past(before, after, stride)

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        inner = torch.relu(self.norm_one(self.one(held)))
        inner = torch.relu(self.norm_two(self.two(inner)))
        return torch.relu(self.norm_three(self.three(inner)) + self.past(held))


def _past(before: int, after: int, stride: int) -> nn.Module:
    """Return what goes past a block: all of it, or a convolution where channels or sizes change."""
    if before == after and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))
