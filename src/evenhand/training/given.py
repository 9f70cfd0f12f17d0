"""Custom networks: any torch module over prepared rows, as a model that can be compressed and audited."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.model import NetworkModel
    from evenhand.training.preparing import Preparing


@dataclass(frozen=True, slots=True)
class GivenPlan:
    """A network built by code outside evenhand. Its file has the weights; the network is passed on loading."""

    outputs: int
    """Logits: one for two classes, else one per class."""
    network: nn.Module | None = None
    """The network; None where only its file is known."""
    name: str = "network"
    """What it is called in sentences: its class."""

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
        return copy.deepcopy(self.network)

    def of(self, network: nn.Module) -> GivenPlan:
        """Return the plan of another network in its place."""
        return GivenPlan(self.outputs, network, type(network).__name__)

    def to_plain(self) -> dict[str, Plain]:
        """Return its description without the code."""
        return {"kind": "given", "outputs": self.outputs, "name": self.name}


def given_model(
    network: nn.Module, preparing: Preparing, *, outputs: int = 1, name: str | None = None, threshold: float = 0.5
) -> NetworkModel:
    """Return a model around a custom network.

    Parameters
    ----------
    network : torch.nn.Module
        From prepared rows, ``(n, *shape)`` float32, to logits: (n,) or (n, 1) of two classes, (n, C) of several.
    preparing : Preparing
        From model inputs to those rows: a `Normalization` of arrays, or a fitted `Preprocessing` of columns.
    outputs : int
        Logits: one for two classes, else one per class.
    name : str, optional
        What the report calls it; the network's class when not given.
    threshold : float
        A probability at or above it is predicted positive.

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

    from evenhand.training.model import NetworkModel, logits

    called = name or type(network).__name__
    try:
        said = logits(network, np.zeros((2, *preparing.shape), dtype=np.float32))
    except (RuntimeError, TypeError, ValueError, IndexError) as problem:
        raise ModelError(f"'{called}' could not take rows of shape {preparing.shape}: {problem}") from problem
    if said.shape != ((2,) if outputs == 1 else (2, outputs)):
        raise ModelError(f"'{called}' gives {said.shape[1:] or 1} logits a row, not {outputs}.")
    return NetworkModel(
        name=called,
        network=network,
        plan=GivenPlan(outputs, network, type(network).__name__),
        preprocessing=preparing,
        threshold=threshold,
        history={},
        fit_row_hashes=np.empty(0, dtype=np.uint64),
    )
