"""Who is nearest to harm before anything is compressed: gradients and curvature of the original's loss, group by group.

Tran et al. (2022), NeurIPS, bound the excess loss that pruning brings to a group by the norm of the gradient and by
the largest eigenvalue of the Hessian of the loss over the group's rows, taken at the original's weights. Nothing but
numbers leaves this file, so that callers need no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.data import pick

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.data import Inputs
    from evenhand.findings import Batch
    from evenhand.subjects import Subject

MOST_ROWS: Final = 1_000
"""Rows of a group that are looked at, drawn by the seed; fewer of a large network."""
LEAST_ROWS: Final = 16
MOST_WORK: Final = 500_000_000
"""Rows of a group times weights: each row asks for second derivatives by all of them, a dozen times."""
STEPS: Final = 12
"""Steps of the power iteration."""


@dataclass(frozen=True, slots=True, eq=False)
class Susceptibility:
    """How sensitive the loss of each group is to a change of the weights.

    See Also
    --------
    evenhand.compression.susceptibility : Measures it.
    """

    gradient_norm: NDArray[np.float64]
    """(G,) norm of the mean gradient of the loss; nan for a group without rows."""
    curvature: NDArray[np.float64]
    """(G,) eigenvalue of the Hessian that is largest in size, by power iteration; nan for a group without rows."""
    rows: NDArray[np.int64]
    """(G,) rows that were looked at."""


def susceptibility(
    model: Subject,
    inputs: Inputs | Batch,
    y_true: NDArray[np.int8],
    codes: NDArray[np.int32],
    n_groups: int,
    seed: int = 0,
) -> Susceptibility | None:
    """Return gradient norm and curvature of the model's loss for every group.

    Parameters
    ----------
    model : Subject
        One that evenhand trained; of others the gradients are not known.
    inputs : table, array or Inputs
        n rows.
    y_true : (n,)
        Their classes.
    codes : (n,)
        The group of each row, from 0 to `n_groups` - 1.
    n_groups : int
        The number of groups.
    seed : int
        Of the random directions that the curvature is found by.

    Returns
    -------
    Susceptibility or None
        None for a model without a network over prepared columns.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> model = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> race = data.grouping("race")
    >>> susceptibility(model, data.X, data.y_true, race.codes, len(race.labels)).rows.tolist()
    [195, 108, 1000]
    """
    from evenhand.training import NetworkModel

    if not isinstance(model, NetworkModel):
        return None
    import copy

    rng = np.random.default_rng(seed)
    network = copy.deepcopy(model.network).float().eval()
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    most = rows_of_a_group(sum(parameter.numel() for parameter in network.parameters()))
    found = np.full((2, n_groups), np.nan)
    rows = np.zeros(n_groups, dtype=np.int64)
    for group in range(n_groups):
        mine = np.flatnonzero(codes == group)
        if len(mine):
            chosen = mine if len(mine) <= most else np.sort(rng.choice(mine, most, replace=False))
            found[:, group] = _of_rows(network, model.prepare(pick(inputs, chosen)), y_true[chosen], seed)
            rows[group] = len(chosen)
    return Susceptibility(found[0], found[1], rows)


def rows_of_a_group(weights: int) -> int:
    """Return how many rows of a group are looked at in a network of so many weights.

    Examples
    --------
    >>> rows_of_a_group(60_000), rows_of_a_group(11_000_000), rows_of_a_group(110_000_000)
    (1000, 45, 16)
    """
    return max(LEAST_ROWS, min(MOST_ROWS, MOST_WORK // max(weights, 1)))


def _of_rows(
    network: nn.Module, prepared: NDArray[np.float32], y_true: NDArray[np.int8], seed: int
) -> tuple[float, float]:
    import torch

    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    loss = _loss(network(torch.from_numpy(prepared)), torch.from_numpy(np.asarray(y_true)))
    gradient = torch.autograd.grad(loss, parameters, create_graph=True)
    norm = float(torch.sqrt(sum((part.detach() ** 2).sum() for part in gradient)))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    direction = _unit([torch.randn(part.shape, generator=generator) for part in parameters])
    value = 0.0
    for _ in range(STEPS):
        along = sum((part * way).sum() for part, way in zip(gradient, direction, strict=True))
        pushed = torch.autograd.grad(along, parameters, retain_graph=True)  # type: ignore[arg-type]
        value = float(sum((part * way).sum() for part, way in zip(pushed, direction, strict=True)))
        direction = _unit(list(pushed))
    return norm, value


def _loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    if logits.ndim == 2 and logits.shape[1] > 1:
        return functional.cross_entropy(logits, truth.long())
    return functional.binary_cross_entropy_with_logits(logits.reshape(-1), truth.float())


def _unit(parts: list[torch.Tensor]) -> list[torch.Tensor]:
    import torch

    norm = torch.sqrt(sum((part**2).sum() for part in parts))  # type: ignore[arg-type]
    return [part / norm.clamp_min(1e-30) for part in parts]
