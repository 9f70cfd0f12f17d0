"""Transformers over tokens: an encoder that looks both ways, and a decoder that looks back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

SPREAD: Final = 0.02
"""Standard deviation of weights at the beginning, as published."""
HIDDEN: Final = -1e4
"""Added before the softmax to what may not be looked at: its share is then exactly 0, also in 16 bits."""
BERT_EPS: Final = 1e-12
"""Added to variances in BERT, as published."""


class Bert(nn.Module):
    """An encoder, norm last, that looks both ways; the state of the first token decides, through one layer.

    Source: Devlin et al. 2019, "BERT: pre-training of deep bidirectional transformers for language understanding".
    Of one sentence; its kind of sentence is part of the places.
    """

    def __init__(
        self, vocabulary: int, outputs: int, hidden: Sequence[int], dropout: float, heads: int, length: int
    ) -> None:
        super().__init__()
        self.places: torch.Tensor
        width = hidden[0]
        self.embed, self.place = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.register_buffer("places", torch.arange(length), persistent=False)
        self.norm, self.drop = nn.LayerNorm(width, eps=BERT_EPS), nn.Dropout(dropout)
        self.layers = nn.ModuleList(_Last(width, heads, dropout) for _ in hidden)
        self.pool, self.last = nn.Linear(width, width), nn.Linear(width, outputs)
        self.apply(_drawn)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        ids = rows.long()
        hidden = HIDDEN * (ids == 0).to(self.embed.weight.dtype)[:, None, None, :]
        held = self.drop(self.norm(self.embed(ids) + self.place(self.places[: ids.shape[1]])))
        for layer in self.layers:
            held = layer(held, hidden)
        return torch.as_tensor(self.last(self.drop(torch.tanh(self.pool(held[:, 0])))))


class Gpt2(nn.Module):
    """A decoder, norm first, each of whose tokens looks at those before it; the state of a text's last one decides.

    Source: Radford et al. 2019, "Language models are unsupervised multitask learners".
    """

    def __init__(
        self, vocabulary: int, outputs: int, hidden: Sequence[int], dropout: float, heads: int, length: int
    ) -> None:
        super().__init__()
        self.places: torch.Tensor
        self.later: torch.Tensor
        width = hidden[0]
        self.embed, self.place = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.register_buffer("places", torch.arange(length), persistent=False)
        self.register_buffer("later", HIDDEN * torch.ones(length, length).triu(1), persistent=False)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.ModuleList(_First(width, heads, dropout) for _ in hidden)
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, outputs, bias=False)
        self.apply(_drawn)
        for name, weight in self.named_parameters():  # sums of many layers begin as large as those of one
            if name.endswith(("answer.weight", "narrow.weight")):
                nn.init.normal_(weight, std=SPREAD / (2 * len(hidden)) ** 0.5)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs) logits."""
        ids = rows.long()
        there = (ids != 0).to(self.embed.weight.dtype)
        length = ids.shape[1]
        hidden = self.later[:length, :length] + HIDDEN * (1 - there)[:, None, None, :]
        held = self.drop(self.embed(ids) + self.place(self.places[:length]))
        for layer in self.layers:
            held = layer(held, hidden)
        after = torch.cat([there[:, 1:], torch.zeros_like(there[:, :1])], dim=1)
        last = (there - after).unsqueeze(-1)  # 1 at the last token of each text
        return torch.as_tensor(self.last((self.norm(held) * last).sum(dim=1)))


class _Attention(nn.Module):
    """A layer's parts. Its heads are counted by their width, so that some can be pruned."""

    def __init__(self, width: int, heads: int, dropout: float, eps: float) -> None:
        super().__init__()
        self.each = width // heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.answer = nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm_one, self.norm_two = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)
        self.drop = nn.Dropout(dropout)

    def attended(self, given: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Return what each token takes from the others that it may look at."""
        query, key, value = (
            part(given).unflatten(-1, (-1, self.each)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        share = torch.softmax(query @ key.transpose(-1, -2) / self.each**0.5 + hidden, dim=-1)
        return torch.as_tensor(self.drop(self.answer((self.drop(share) @ value).transpose(1, 2).flatten(2))))


class _Last(_Attention):
    """Norm last, as in BERT."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__(width, heads, dropout, BERT_EPS)

    def forward(self, held: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        held = self.norm_one(held + self.attended(held, hidden))
        inner = self.narrow(nn.functional.gelu(self.wide(held)))
        return torch.as_tensor(self.norm_two(held + self.drop(inner)))


class _First(_Attention):
    """Norm first, as in GPT-2."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__(width, heads, dropout, 1e-5)

    def forward(self, held: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        held = held + self.attended(self.norm_one(held), hidden)
        inner = self.narrow(nn.functional.gelu(self.wide(self.norm_two(held)), approximate="tanh"))
        return torch.as_tensor(held + self.drop(inner))


def _drawn(module: nn.Module) -> None:
    """Draw the weights of a part as published."""
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=SPREAD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
