"""Networks over prepared columns: each takes (n, columns) float32 and gives (n,) logits, or (n, classes) of several."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evenhand.training.plan import TableNetwork

ACTIVATION: Final[dict[str, Callable[[], nn.Module]]] = {
    "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid,
}  # fmt: skip
WIDER: Final = 2
"""A block's inner layer is so many times as wide as what goes through it."""


def build(plan: TableNetwork) -> nn.Module:
    """Return the network of a plan, its weights drawn from torch's generator."""
    kinds: dict[str, Callable[[TableNetwork], nn.Module]] = {
        "mlp": perceptron,
        "residual": Residual,
        "wide_deep": WideAndDeep,
        "deepfm": DeepFM,
        "transformer": TabularTransformer,
    }
    return kinds[plan.kind](plan)


def perceptron(plan: TableNetwork) -> nn.Sequential:
    """Return layers of neurons, each with its activation and dropout."""
    layers: list[nn.Module] = []
    first = Embeddings(plan.blocks, plan.embedding) if plan.embedding else None
    widths = (plan.columns if first is None else first.width, *plan.hidden, plan.outputs)
    layers += [first] if first is not None else []
    for at, (width, neurons) in enumerate(itertools.pairwise(widths)):
        layers.append(nn.Linear(width, neurons))
        if at < len(plan.hidden):
            layers += [nn.BatchNorm1d(neurons)] if plan.batch_norm else []
            layers += [ACTIVATION[plan.activation](), nn.Dropout(plan.dropout)]
    return nn.Sequential(*layers, *([nn.Flatten(0)] if plan.outputs == 1 else []))


class Embeddings(nn.Module):
    """Prepared columns with each wide block, a category's levels, brought to a few numbers: the level's vector."""

    def __init__(self, blocks: Sequence[int], width: int) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.columns = sum(self.blocks)
        self.width = sum(min(block, width) for block in self.blocks)
        self.vectors = nn.ModuleDict(
            {str(at): nn.Linear(block, width, bias=False) for at, block in enumerate(self.blocks) if block > width}
        )

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Return (n, width)."""
        parts = torch.split(columns, list(self.blocks), dim=1)
        return torch.cat(
            [self.vectors[str(at)](part) if str(at) in self.vectors else part for at, part in enumerate(parts)], dim=1
        )


def one_or_several(logits: torch.Tensor) -> torch.Tensor:
    """Return (n, 1) logits as (n,), and those of several classes as they are."""
    return logits.squeeze(-1)


class Residual(nn.Module):
    """A residual network (Gorishniy et al. 2021, "Revisiting deep learning models for tabular data", section 3.2)."""

    def __init__(self, plan: TableNetwork) -> None:
        super().__init__()
        width = plan.hidden[0] if plan.hidden else plan.columns
        self.columns = plan.columns
        self.first = nn.Linear(plan.columns, width)
        self.blocks = nn.ModuleList(_Block(width, plan) for _ in plan.hidden)
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, plan.outputs)

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        held = self.first(columns)
        for block in self.blocks:
            held = held + block(held)
        return one_or_several(self.last(torch.relu(self.norm(held))))


class _Block(nn.Module):
    """What is added to what goes through: norm, wider layer, activation, and back."""

    def __init__(self, width: int, plan: TableNetwork) -> None:
        super().__init__()
        self.inside = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, WIDER * width),
            ACTIVATION[plan.activation](),
            nn.Dropout(plan.dropout),
            nn.Linear(WIDER * width, width),
        )

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.inside(held))


class WideAndDeep(nn.Module):
    """A linear model and a perceptron, their logits added (Cheng et al. 2016)."""

    def __init__(self, plan: TableNetwork) -> None:
        super().__init__()
        self.columns = plan.columns
        self.wide, self.deep = nn.Linear(plan.columns, plan.outputs, bias=False), perceptron(plan)

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return torch.as_tensor(one_or_several(self.wide(columns)) + self.deep(columns))


class DeepFM(nn.Module):
    """A linear model, the products of all pairs of columns, and a perceptron, over the same vectors (Guo et al. 2017).

    Each column of the table has a vector: of a category that of its level, of a number one times the number.
    """

    def __init__(self, plan: TableNetwork) -> None:
        super().__init__()
        self.blocks, width = tuple(plan.blocks), plan.embedding
        self.columns = sum(self.blocks)
        self.wide = nn.Linear(plan.columns, plan.outputs, bias=False)
        self.vectors = nn.ModuleList(nn.Linear(block, width, bias=False) for block in self.blocks)
        self.products = nn.Linear(width, plan.outputs, bias=False)
        self.deep = perceptron(replace(plan, columns=width * len(self.blocks), embedding=0, blocks=()))

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        parts = torch.split(columns, list(self.blocks), dim=1)
        vectors = [vector(part) for vector, part in zip(self.vectors, parts, strict=True)]
        total = torch.stack(vectors).sum(dim=0)
        # the sum over all pairs, from the square of the sum (Rendle 2010)
        pairs = (total * total - torch.stack([vector * vector for vector in vectors]).sum(dim=0)) / 2
        return torch.as_tensor(
            one_or_several(self.wide(columns) + self.products(pairs)) + self.deep(torch.cat(vectors, dim=1))
        )


class TabularTransformer(nn.Module):
    """A feature tokenizer and a transformer over one token a column of the table (FT-Transformer, Gorishniy 2021).

    All prepared columns of one column of the table make its token: a number times a vector, or the level's vector.
    """

    def __init__(self, plan: TableNetwork) -> None:
        super().__init__()
        self.columns, width = plan.columns, plan.hidden[0]
        blocks = plan.blocks or (1,) * plan.columns
        self.embedding = nn.Parameter(torch.empty(plan.columns, width))
        self.bias = nn.Parameter(torch.empty(len(blocks), width))
        self.summary = nn.Parameter(torch.empty(width))
        for values in (self.embedding, self.bias, self.summary):
            nn.init.uniform_(values, -(width**-0.5), width**-0.5)
        self.register_buffer("belongs", _belongs(blocks), persistent=False)
        self.layers = nn.ModuleList(_Attending(width, plan) for _ in plan.hidden)
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, plan.outputs)

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        # (n, columns, width) summed into (n, tokens, width)
        # two by two: where opt_einsum is installed, an order of three depends on the rows, and a graph would hold it
        vectors = torch.einsum("nc,cw->ncw", columns, self.embedding)
        tokens = torch.einsum("ncw,ct->ntw", vectors, self.belongs) + self.bias
        held = torch.cat([self.summary.expand(tokens.shape[0], 1, -1), tokens], dim=1)
        for layer in self.layers:
            held = layer(held)
        return one_or_several(self.last(torch.relu(self.norm(held[:, 0]))))


class _Attending(nn.Module):
    """Attention among the tokens, then a block for each."""

    def __init__(self, width: int, plan: TableNetwork) -> None:
        super().__init__()
        self.heads, self.norm = plan.heads, nn.LayerNorm(width)
        self.asked, self.answer = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.block = _Block(width, plan)

    def forward(self, held: torch.Tensor) -> torch.Tensor:
        n, tokens, width = held.shape
        asked = self.asked(self.norm(held)).reshape(n, tokens, 3, self.heads, width // self.heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        weight = torch.softmax(query @ key.transpose(-1, -2) / (width // self.heads) ** 0.5, dim=-1)
        mixed = (weight @ value).transpose(1, 2).reshape(n, tokens, width)
        held = held + self.answer(mixed)
        return torch.as_tensor(held + self.block(held))


def _belongs(blocks: Sequence[int]) -> torch.Tensor:
    """Return (columns, tokens) of 0 and 1: which prepared column is of which token."""
    tokens, columns = len(blocks), sum(blocks)
    if torch.empty(0).is_meta:  # a network of shapes alone
        return torch.empty(columns, tokens)
    places = torch.repeat_interleave(torch.arange(tokens), torch.tensor(blocks))
    return nn.functional.one_hot(places, tokens).float()
