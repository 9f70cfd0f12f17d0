"""Blocks of networks over images: residual convolutions, and attention over an image's rows."""

from __future__ import annotations

import itertools

import torch
from torch import nn


class ResNet18(nn.Module):
    """Eight residual blocks of two convolutions (He et al. 2016, "Deep residual learning"), 64 to 512 channels."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        self.norm, self.pool = nn.BatchNorm2d(64), nn.MaxPool2d(3, stride=2, padding=1)
        widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
        self.blocks = nn.Sequential(
            *(_Residual(before, after, 1 if before == after else 2) for before, after in itertools.pairwise(widths))
        )
        self.last = nn.Linear(512, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        held = self.pool(torch.relu(self.norm(self.first(images))))
        return torch.as_tensor(self.last(self.blocks(held).mean(dim=(2, 3))))


class _Residual(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.norm_one = nn.BatchNorm2d(after)
        self.two = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm_two = nn.BatchNorm2d(after)
        self.past = (
            nn.Identity()
            if before == after
            else nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))
        )

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        inner = self.norm_two(self.two(torch.relu(self.norm_one(self.one(held)))))
        return torch.relu(inner + self.past(held))


class Encoder(nn.Module):
    """A transformer encoder, norm first, over the rows of an image as tokens; the mean token decides."""

    def __init__(
        self, shape: tuple[int, ...], outputs: int, hidden: tuple[int, ...], heads: int, dropout: float
    ) -> None:
        super().__init__()
        channels, height, columns = shape
        width = hidden[0]
        self.embed = nn.Linear(channels * columns, width)
        self.place = nn.Linear(1, width)
        self.register_buffer("places", torch.linspace(-1, 1, height)[:, None], persistent=False)
        self.layers = nn.Sequential(*(_Layer(width, heads, dropout) for _ in hidden))
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        tokens = self.embed(images.transpose(1, 2).flatten(2)) + self.place(self.places)
        return torch.as_tensor(self.last(self.norm(self.layers(tokens)).mean(dim=1)))


class _Layer(nn.Module):
    """Attention, then a block for each token. Its heads are counted by their width, so that some can be pruned."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.each = width // heads
        self.norm_one, self.norm_two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.answer = nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        given = self.norm_one(held)
        query, key, value = (
            part(given).unflatten(-1, (-1, self.each)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        weight = torch.softmax(query @ key.transpose(-1, -2) / self.each**0.5, dim=-1)
        held = held + self.drop(self.answer((weight @ value).transpose(1, 2).flatten(2)))
        inner = nn.functional.gelu(self.wide(self.norm_two(held)))
        return torch.as_tensor(held + self.drop(self.narrow(inner)))
