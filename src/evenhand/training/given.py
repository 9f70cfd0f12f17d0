"""Custom networks: any torch module over prepared rows, as a model that can be compressed and audited."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.model import NetworkModel
    from evenhand.training.preparing import Preparing
    from evenhand.training.target import Target


@dataclass(frozen=True, slots=True)
class GivenPlan:
    """A network built by code outside evenhand. Its file has the weights; the network is passed on loading."""

    outputs: int
    """Logits: one for two classes, else one per class."""
    network: nn.Module | None = None
    """The network; None where only its file is known."""
    name: str = "network"
    """What it is called in sentences: its class."""
    two: bool = False
    """Whether it gives two logits of two classes; their difference is the one logit."""
    differs: bool = False
    """Whether `network` is that of the difference already."""

    @property
    def kind(self) -> str:
        """Which network: a given one."""
        return "given"

    def build(self) -> nn.Module:
        """Return a copy of the network.

        Raises ModelError when only the file of the network is known.
        """
        if self.network is None:
            raise ModelError(
                f"The file holds the weights of a {self.name} that code outside evenhand builds: hand that network "
                "over, load_model(path, network=...), or export the model by OnnxExport, which needs no code."
            )
        network = copy.deepcopy(self.network)
        return differing(network) if self.two and not self.differs else network

    def of(self, network: nn.Module) -> GivenPlan:
        """Return the plan of another network in its place."""
        return replace(self, network=network, differs=True)

    def to_plain(self) -> dict[str, Plain]:
        """Return its description without the code."""
        return {"kind": "given", "outputs": self.outputs, "name": self.name, **({"two": True} if self.two else {})}


def differing(network: nn.Module) -> nn.Module:
    """Return a network of two logits as one of the one logit that says the same: the second less the first.

    A last linear layer at the end of a chain becomes one of a single output, so that the chain stays one.
    """
    import torch
    from torch import nn

    class Differing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of_two = network

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.of_two(rows)
            return logits[..., 1] - logits[..., 0]

    chain = network
    while isinstance(chain, nn.Sequential) and len(chain) and isinstance(chain[-1], nn.Sequential):
        chain = chain[-1]
    last = chain[-1] if isinstance(chain, nn.Sequential) and len(chain) else None
    if not isinstance(chain, nn.Sequential) or type(last) is not nn.Linear or last.out_features != 2:
        return Differing()
    one = nn.Linear(last.in_features, 1, bias=last.bias is not None)
    with torch.no_grad():
        one.weight.copy_(last.weight[1:] - last.weight[:1])
        if last.bias is not None:
            one.bias.copy_(last.bias[1:] - last.bias[:1])
    chain[-1] = one
    return network


def given_model(
    network: nn.Module,
    preparing: Preparing,
    *,
    outputs: int = 1,
    name: str | None = None,
    threshold: float = 0.5,
    target: Target | None = None,
) -> NetworkModel:
    """Return a model around a custom network.

    Parameters
    ----------
    network : torch.nn.Module
        From prepared rows, ``(n, *shape)`` float32, to logits: (n,), (n, 1) or (n, 2) of two classes, (n, C)
        of several.
    preparing : Preparing
        From model inputs to those rows: a `Normalization` of arrays, or a fitted `Preprocessing` of columns.
    outputs : int
        Logits: one or two for two classes, of which two become their difference; else one per class.
    name : str, optional
        What the report calls it; the network's class when not given.
    threshold : float
        A probability at or above it is predicted positive.
    target : Target, optional
        For a network of numbers: how its outputs become numbers of the label, such as
        ``Target(mean=..., deviation=...)`` where it was trained on standardized ones, ``Target()`` where its output is
        the number, and ``Target("ranking")`` of scores; with `quantiles`, one output each.

    Returns
    -------
    NetworkModel

    Raises
    ------
    ModelError
        When the network does not take such rows, or gives another number of logits.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from evenhand.training import Normalization
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 1))
    >>> model = given_model(network, Normalization((3, 2, 2), scale=255.0), name="mine")
    >>> model.predict(np.zeros((5, 3, 2, 2), dtype=np.uint8)).shape
    (5,)
    """
    import numpy as np

    from evenhand.subjects.modules import NOT_CHANGED, is_exported
    from evenhand.training.model import NetworkModel, logits

    called = name or type(network).__name__
    if is_exported(network):
        raise ModelError(f"'{called}' {NOT_CHANGED}")
    try:
        said = logits(network, np.zeros((2, *preparing.shape), dtype=np.float32))
    except (RuntimeError, TypeError, ValueError, IndexError) as problem:
        raise ModelError(f"'{called}' could not take rows of shape {preparing.shape}: {problem}") from problem
    if target is not None:
        outputs = target.outputs
    if said.shape != ((2,) if outputs == 1 else (2, outputs)):
        raise ModelError(f"'{called}' gives {said.shape[1:] or 1} logits a row, not {outputs}.")
    two = outputs == 2 and target is None
    plan = GivenPlan(1 if two else outputs, network, type(network).__name__, two=two)
    return NetworkModel(
        name=called,
        network=(network := plan.build() if plan.two else network),
        plan=plan.of(network) if plan.two else plan,
        preprocessing=preparing,
        threshold=threshold,
        target=target,
        history={},
        fit_row_hashes=np.empty(0, dtype=np.uint64),
    )
