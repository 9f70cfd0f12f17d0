"""Gradients of a torch network along the way from background rows to explained ones, and the rescale rule.

Both need derivatives, so they are for networks only, and both give a number to each prepared column, of which a
player's are summed. Expected gradients (Erion et al. 2021) average the gradient at points between a row and each
background row, times their difference. The rescale rule (Shrikumar et al. 2017) puts for each activation the slope
between the two rows in the place of its derivative. Neither is the Shapley value: on tables they come within about a
tenth. Their error is reported like that of any other method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.explaining.blocks import deal
from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.engine import PairMeans

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from evenhand.explaining.preparing import Prepared
    from evenhand.explaining.table import CodedTable

POINTS: Final = 4
"""Points between each explained row and each background row at which the gradient is taken."""
AT_ONCE: Final = 4096
"""Points that go through the network together."""
RESCALED: Final = frozenset({"ReLU", "Sigmoid", "Tanh", "Softplus", "ELU", "GELU", "SiLU", "LeakyReLU"})
"""Activations of one number, for which the rule is a slope."""
LET_BE: Final = frozenset({"Linear", "Dropout", "Identity", "Flatten"})
"""Layers through which a difference goes as through a line."""


def explain_gradients(table: CodedTable, found: Prepared | None, seed: int) -> PairMeans:
    """Return expected gradients at midpoints, against every background row.

    Raises NotThisWay when the model is not a torch network over prepared columns that gives log-odds.
    """
    import torch

    network = _network(found)
    two_stages = cast("Prepared", found)

    def of_pairs(x: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Return (pairs, columns): the mean over midpoints of gradient times difference."""
        total = torch.zeros_like(x)
        for point in range(POINTS):
            at = (b + (point + 0.5) / POINTS * (x - b)).requires_grad_(True)
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(network(at).sum(), at)
            total += slope
        return total / POINTS * (x - b)

    return _over_background(table, two_stages, of_pairs, seed)


def explain_rescaled(table: CodedTable, found: Prepared | None, seed: int) -> PairMeans:
    """Return the values of DeepLIFT's rescale rule, which add up for chains of linear layers and activations.

    Raises NotThisWay when the network has any other layer: the rule would be wrong there, and with some of them in
    silence.
    """
    import torch

    network = _network(found)
    two_stages = cast("Prepared", found)
    layers = [layer for layer in network.modules() if not list(layer.children())]
    chain = type(network).__name__ == "Sequential"
    strange = [type(layer).__name__ for layer in layers if type(layer).__name__ not in RESCALED | LET_BE]
    if not chain or strange:
        if not strange:
            raise NotThisWay("The rescale rule is known to hold for a chain of layers only.")
        raise NotThisWay("The rescale rule is not known to hold for {layers}.", layers=tuple(sorted(set(strange))))

    def of_pairs(x: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        slopes: list[torch.Tensor | torch.nn.Module] = []
        above, below = x, b
        for layer in layers:
            high, low = layer(above), layer(below)
            if type(layer).__name__ in RESCALED:
                apart = above - below
                close = apart.abs() < 1e-6
                with torch.enable_grad():
                    middle = ((above + below) / 2).requires_grad_(True)
                    (tangent,) = torch.autograd.grad(layer(middle).sum(), middle)
                slopes.append(
                    torch.where(close, tangent, (high - low) / torch.where(close, torch.ones_like(apart), apart))
                )
            elif type(layer).__name__ == "Linear":
                slopes.append(layer)
            above, below = high, low
        back = torch.ones(len(x), 1)
        for step in reversed(slopes):
            back = back * step if isinstance(step, torch.Tensor) else back @ cast("torch.nn.Linear", step).weight
        return back * (x - b)

    return _over_background(table, two_stages, of_pairs, seed)


def _network(found: Prepared | None) -> torch.nn.Module:
    if found is None or found.network is None or found.parts.constant.dtype != np.float32:
        raise NotThisWay("The model is no torch network over prepared columns that gives the explained score.")
    return cast("torch.nn.Module", found.network)


def _over_background(
    table: CodedTable,
    found: Prepared,
    of_pairs: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    seed: int,
) -> PairMeans:
    """Return the means over blocks of the background of what `of_pairs` gives each prepared column, by player."""
    import torch

    parts = found.parts
    x, b = (torch.from_numpy(parts.compose(codes)) for codes in (table.rows, table.background))
    belongs = np.zeros((parts.width, len(table.names)))
    for player, place in enumerate(parts.places):
        belongs[place, player] = 1.0
    order = np.random.default_rng(seed).permutation(len(b))
    block = deal(len(b))
    rows = np.bincount(block).astype(np.int64)
    sums = np.zeros((len(rows), len(x), len(table.names)))
    each = max(1, AT_ONCE // len(b))
    for start in range(0, len(x), each):
        part = x[start : start + each]
        with torch.no_grad():
            by_pair = of_pairs(part.repeat_interleave(len(b), dim=0), b[order].repeat(len(part), 1))
        by_player = by_pair.numpy().astype(np.float64).reshape(len(part), len(b), -1) @ belongs
        for number in range(len(rows)):
            sums[number, start : start + each] = by_player[:, block == number].sum(axis=1)
    base = float(found.score(parts.compose(table.background)).mean())
    return PairMeans(sums / rows[:, None, None], rows, base, found.score(parts.compose(table.rows)))
