"""A torch network with its first linear layer taken apart: a mixed row costs an addition there, and no product.

The layer's output is a sum over players, so each player's share is computed once for each of its levels. Walking from
a background row to an explained one, player by player, its output is a running sum; the rest of the network is run on
that. Nothing is assumed of the rest: the layers that read the input itself are found by running the network, their
outputs are replaced, and the network's output on rows mixed at random must stay the same.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.explaining.preparing import PreparedParts
    from evenhand.explaining.table import CodedTable

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]

CLOSE: Final = 1e-5
"""How near the two halves must come to the whole, relative to the spread of the whole."""
MOST_NUMBERS: Final = 2**27
"""First-layer answers that are held, of all rows and players together: half a gigabyte."""
AT_ONCE: Final = 8192
"""Mixed rows that go through the rest of the network together; they stay in the cache."""


class SplitNetwork:
    """The players' shares of the first layer, and the rest of the network.

    `network`: (rows, columns) to one log-odds a row; `layers`: the layers that read the input itself; `parts`: what
    each player prepares to; `table`: the codes of the rows and the background.
    """

    def __init__(self, network: nn.Module, layers: list[nn.Linear], parts: PreparedParts, table: CodedTable) -> None:
        self.asked = 0
        self._network = network
        self._layers = layers
        self._sizes = [layer.out_features for layer in layers]
        weight = torch.cat([layer.weight.detach() for layer in layers]).double()
        self._input = torch.zeros(1, parts.width)
        shares = [
            torch.from_numpy(np.asarray(levels, dtype=np.float64)) @ weight[:, place].T
            for place, levels in zip(parts.places, parts.levels, strict=True)
        ]
        self._mine = _looked_up(shares, table.rows)
        self._theirs = _looked_up(shares, table.background)
        fixed = np.array(parts.constant, dtype=np.float64)
        for place in parts.places:
            fixed[place] = 0.0
        biases = [torch.zeros(n.out_features) if n.bias is None else n.bias.detach() for n in layers]
        start = weight @ torch.from_numpy(fixed) + torch.cat(biases).double()
        self._mine_whole = (self._mine.double().sum(dim=1) + start).float()
        self._theirs_whole = (self._theirs.double().sum(dim=1) + start).float()

    def walk(self, rows: Ints, background: Ints, order: Ints) -> Floats:
        """Return (pairs, 2, d - 1): the scores along each order from the background row, and along its complement.

        `rows`, `background` (pairs,): which rows; `order` (pairs, d): the players in which they differ, in the order in
        which they change sides.
        """
        pairs, d = order.shape
        scores = np.empty((pairs, 2, d - 1))
        each = max(1, AT_ONCE // (2 * (d - 1)))
        with torch.inference_mode(), _in_place(self._layers) as given:
            for start in range(0, pairs, each):
                part = slice(start, start + each)
                change, here, there = self._ends(rows[part], background[part], order[part])
                steps = change[:, :-1].cumsum(dim=1)
                inner = torch.stack([here[:, None] + steps, there[:, None] - steps], dim=1)
                scores[part] = self._rest(inner, given)
        return scores

    def subsets(self, rows: Ints, background: Ints, which: Ints) -> Floats:
        """Return (pairs, 2^d - 2): the scores of all subsets but the empty and the full one, bit j being player j."""
        pairs, d = which.shape
        scores = np.empty((pairs, 2**d - 2))
        each = max(1, AT_ONCE // 2**d)
        with torch.inference_mode(), _in_place(self._layers) as given:
            for start in range(0, pairs, each):
                part = slice(start, start + each)
                change, here, _ = self._ends(rows[part], background[part], which[part])
                inner = here[:, None]
                for player in range(d):
                    # The subsets of the players so far, without this one and with it: one addition a subset.
                    inner = torch.cat([inner, inner + change[:, player : player + 1]], dim=1)
                # The two ends are known, but leaving them out would copy all the others.
                scores[part] = self._rest(inner, given)[:, 1:-1]
        return scores

    def _ends(self, rows: Ints, background: Ints, which: Ints) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        i, j, players = torch.from_numpy(rows), torch.from_numpy(background), torch.from_numpy(which)
        count = self._mine.shape[1]
        # Rows of one flat table are gathered several times faster than by two indices.
        mine = nn.functional.embedding(i[:, None] * count + players, self._mine.flatten(0, 1))
        theirs = nn.functional.embedding(j[:, None] * count + players, self._theirs.flatten(0, 1))
        return mine - theirs, self._theirs_whole[j], self._mine_whole[i]

    def _rest(self, inner: torch.Tensor, given: list[torch.Tensor]) -> NDArray[np.float64]:
        flat = inner.reshape(-1, inner.shape[-1])
        self.asked += len(flat)
        scores = np.empty(len(flat))
        for start in range(0, len(flat), AT_ONCE):
            part = flat[start : start + AT_ONCE]
            given[:] = torch.split(part, self._sizes, dim=1)
            answer = self._network(self._input.expand(len(part), -1))
            scores[start : start + AT_ONCE] = answer.reshape(-1).double().numpy()
        return scores.reshape(inner.shape[:-1])


@contextmanager
def _in_place(layers: list[nn.Linear]) -> Iterator[list[torch.Tensor]]:
    """While it is open, each layer answers with the tensor of its place in the list."""
    given: list[torch.Tensor] = []
    for at, layer in enumerate(layers):
        layer.forward = lambda _, at=at: given[at]  # type: ignore[method-assign,misc]
    try:
        yield given
    finally:
        for layer in layers:
            del layer.__dict__["forward"]


def split_network(network: object, parts: PreparedParts, table: CodedTable) -> SplitNetwork | None:
    """Return the network with its first layer taken apart; None where no linear layer reads the input, or it misses."""
    if not isinstance(network, nn.Module) or parts.constant.dtype != np.float32:
        return None
    layers = _reading_the_input(network, parts)
    numbers = (table.rows.size + table.background.size) * sum(layer.out_features for layer in layers)
    if not layers or numbers > MOST_NUMBERS:
        return None
    made = SplitNetwork(network, layers, parts, table)
    return made if _holds(made, network, parts, table) else None


def _holds(made: SplitNetwork, network: nn.Module, parts: PreparedParts, table: CodedTable) -> bool:
    """Compare halfway along one walk for each of some pairs, where any other way from input to output would show."""
    rng = np.random.default_rng(0)
    pairs, players = 64, len(table.names)
    i, j = rng.integers(0, table.rows.shape[1], pairs), rng.integers(0, table.background.shape[1], pairs)
    order = np.stack([rng.permutation(players) for _ in range(pairs)])
    x, b = table.rows[:, i], table.background[:, j]
    middle = (players + 1) // 2
    early = np.zeros((players, pairs), dtype=bool)
    np.put_along_axis(early, order[:, :middle].T, True, axis=0)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(parts.compose(np.where(early, x, b)))).reshape(-1).double().numpy()
    if wanted.shape != (pairs,) or middle >= players:
        return False
    got = made.walk(i, j, order)[:, 0, middle - 1]
    return bool(np.max(np.abs(got - wanted)) <= CLOSE * max(float(np.ptp(wanted)), 1.0))


def _reading_the_input(network: nn.Module, parts: PreparedParts) -> list[nn.Linear]:
    """Return the linear layers whose input is that of the network."""
    rows = torch.from_numpy(np.repeat(np.asarray(parts.constant)[None], 2, axis=0))
    found: list[nn.Linear] = []

    def look(layer: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if isinstance(layer, nn.Linear) and given[0].data_ptr() == rows.data_ptr() and given[0].shape == rows.shape:
            found.append(layer)

    hooks = [module.register_forward_pre_hook(look) for module in network.modules() if type(module) is nn.Linear]
    try:
        with torch.inference_mode():
            network(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return list(dict.fromkeys(found))


def _looked_up(shares: list[torch.Tensor], codes: NDArray[np.int32]) -> torch.Tensor:
    """Return (rows, players, neurons)."""
    return torch.stack(
        [share[torch.from_numpy(row.astype(np.int64))] for share, row in zip(shares, codes, strict=True)], 1
    ).float()
