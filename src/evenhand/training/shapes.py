"""Whether a file's tensors are those of the network that it describes, before that network takes any memory."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from evenhand.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.training.plan import Plan


def check_shapes(plan: Plan, row: tuple[int, ...], held: Mapping[str, tuple[int, ...]]) -> None:
    """Compare what a network needs with the tensors of its file.

    The network is built of shapes alone, on torch's device "meta", after its layers were counted, and asked for two
    rows of shapes.

    Parameters
    ----------
    plan : Plan
        What the network is built from.
    row : tuple of int
        The shape of a prepared row.
    held : mapping of name to shape
        The tensors of the file.

    Raises
    ------
    ValueError
        When there are other tensors, or of other shapes, or the network does not take such rows.
    """
    import torch

    layers = count_layers(plan)
    if layers > len(held):
        raise ValueError(f"its network has {layers:,} layers, and its file {len(held):,} tensors")
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of layers without neurons, which are refused below
        network = plan.build()
    needed = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name in [*needed, *held]:
        if needed.get(name) != held.get(name):
            raise ValueError(
                f"tensor '{shorten(name)}' has the shape {held.get(name)} in the file and {needed.get(name)} in the "
                "network it describes"
            )
    # code of others may need numbers where ours needs shapes alone; its size is the caller's, or that of the file
    if plan.kind in ("given", "transferred"):
        _answers(plan.build(), row, plan.outputs, "cpu")
    else:
        _answers(network.to("meta"), row, plan.outputs)


def _answers(network: nn.Module, row: tuple[int, ...], outputs: int, device: str = "meta") -> None:
    """Check that a network, of shapes on `device` "meta", takes such rows and gives as many logits as its plan says."""
    import torch

    if not row or min(row) < 1:
        raise ValueError(f"its rows have the shape {row}")
    with torch.inference_mode():
        said = network.eval()(torch.zeros(2, *row, device=device))
    if said.numel() != 2 * outputs:
        raise ValueError(
            f"its network gives {math.prod(said.shape[1:]):,} logits a row, and is said to give {outputs:,}"
        )


def count_layers(plan: object) -> int:
    """Return how many layers a plan names; what each of them needs is at least one tensor of the file."""
    inner = (*getattr(plan, "members", ()), *([plan.base] if hasattr(plan, "base") else []))
    vectors = len(getattr(plan, "blocks", ())) if getattr(plan, "kind", "") == "deepfm" else 0
    added = (
        vectors + sum(len(getattr(plan, name, ())) for name in ("hidden", "channels")) + sum(map(count_layers, inner))
    )
    # sizes and ranks are of layers that the base has counted
    return max(added, *(len(getattr(plan, name, ())) for name in ("sizes", "ranks")))
