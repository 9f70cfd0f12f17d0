"""Networks that read tokens one after another, or all at once without their order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence


class MeanTokens(nn.Module):
    """Layers of neurons over the mean of the tokens' vectors.

    Source: Joulin et al. 2017, "Bag of tricks for efficient text classification".
    """

    def __init__(self, vocabulary: int, outputs: int, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, hidden[0])
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        for before, after in itertools.pairwise(hidden):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(hidden[-1], outputs)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        ids = rows.long()
        return torch.as_tensor(self.last(self.layers(mean_of(self.embed(ids), ids))))


class Lstm(nn.Module):
    """Layers of long short-term memory, each over the states of the one before; the mean state decides.

    Source: Hochreiter and Schmidhuber 1997, "Long short-term memory". What fills a row stands behind its text, so no
    state of the text depends on it.
    """

    def __init__(self, vocabulary: int, outputs: int, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.embed, self.drop = nn.Embedding(vocabulary, hidden[0]), nn.Dropout(dropout)
        widths = zip((hidden[0], *hidden), hidden, strict=False)
        self.layers = nn.ModuleList(nn.LSTM(before, after, batch_first=True) for before, after in widths)
        self.last = nn.Linear(hidden[-1], outputs)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        ids = rows.long()
        held = self.drop(self.embed(ids))
        for layer in self.layers:
            held = self.drop(layer(held)[0])
        return torch.as_tensor(self.last(mean_of(held, ids)))


def mean_of(held: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Return the mean of (n, length, width) over tokens that are no filling, (n, width)."""
    there = (ids != 0).to(held.dtype).unsqueeze(-1)
    return (held * there).sum(dim=1) / there.sum(dim=1).clamp(min=1.0)
