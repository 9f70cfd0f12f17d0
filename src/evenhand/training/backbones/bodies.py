"""Networks of transformers as torch modules from prepared rows to one row of numbers each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from typing import Any

COLOURS = 3
AS_SEQUENCE = 3
"""Axes of states, (rows, places, width)."""


class OfTexts(nn.Module):
    """From rows of ids, counted from 1 and filled up with 0, to the mean or the first of their states."""

    def __init__(self, network: Any, pooling: str, normalized: bool) -> None:
        super().__init__()
        self.network = network
        self.pooling = pooling
        self.normalized = normalized

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, width) numbers."""
        mask = rows > 0
        ids = (rows - 1).clamp(min=0).long()
        states = self.network(input_ids=ids, attention_mask=mask.long())[0]
        if self.pooling == "mean":
            seen = mask[..., None].to(states.dtype)
            found = (states * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1.0)
        else:
            found = states[:, 0]
        return torch.as_tensor(functional.normalize(found, dim=1) if self.normalized else found)


class OfImages(nn.Module):
    """From images (n, channels, height, width) to the mean or the first of their states; they are brought to a size."""

    def __init__(self, network: Any, pooling: str, size: tuple[int, int] | None) -> None:
        super().__init__()
        self.network = network
        self.pooling = pooling
        self.size = size

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, width) numbers."""
        if rows.shape[1] == 1:
            rows = rows.expand(-1, COLOURS, -1, -1)
        if self.size is not None and tuple(rows.shape[2:]) != self.size:
            rows = functional.interpolate(rows, self.size, mode="bilinear", align_corners=False)
        states = self.network(pixel_values=rows)[0]
        if states.dim() > AS_SEQUENCE:  # a map of each channel
            return torch.as_tensor(states.mean(dim=(2, 3)))
        return torch.as_tensor(states.mean(dim=1) if self.pooling == "mean" else states[:, 0])
