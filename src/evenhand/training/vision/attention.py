"""Attention over images: over an image's rows, and over its patches."""

from __future__ import annotations

import torch
from torch import nn


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


class ViT(nn.Module):
    """A transformer encoder, norm first, over the patches of an image; a token of its own decides.

    Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words". Places and the deciding token are weights of
    linear layers without bias, so that pruning can follow them; their number is that of the paper.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, hidden: tuple[int, ...], heads: int, dropout: float, patch: int
    ) -> None:
        super().__init__()
        channels, height, columns = shape
        width, tokens = hidden[0], (height // patch) * (columns // patch) + 1
        self.embed = nn.Conv2d(channels, width, patch, stride=patch)
        self.decider, self.place = nn.Linear(1, width, bias=False), nn.Linear(tokens, width, bias=False)
        self.register_buffer("one", torch.ones(1, 1), persistent=False)
        self.register_buffer("places", torch.eye(tokens), persistent=False)
        self.layers = nn.Sequential(*(_Layer(width, heads, dropout) for _ in hidden))
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        patches = self.embed(images).flatten(2).transpose(1, 2)
        decider = self.decider(self.one)[None].expand(patches.shape[0], -1, -1)
        tokens = torch.cat([decider, patches], dim=1) + self.place(self.places)
        return torch.as_tensor(self.last(self.norm(self.layers(tokens))[:, 0]))
