"""The inputs of a network's last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from evenhand.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.training.dataset import Prepared


class Telling(nn.Module):
    """A student that returns, after its logits, its last hidden state, brought to the teacher's width."""

    def __init__(self, student: nn.Module, shape: tuple[int, ...], width: int, weight: float) -> None:
        super().__init__()
        self.student = student
        self.root = weight**0.5
        with torch.no_grad():
            held = _both(student.eval(), torch.zeros(2, *shape))[1]
        self.brought = nn.Linear(held.shape[1], width)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Return (n, logits + width)."""
        logit, held = _both(self.student, given)
        return torch.cat([logit.reshape(len(given), -1), self.root * self.brought(held)], dim=1)


def hidden_states(network: nn.Module, prepared: Prepared) -> NDArray[np.float64]:
    """Return (n, width) inputs of the last layer, each column with mean 0 and deviation 1 over these rows."""
    from evenhand.training.model import pieces

    network.eval()
    with torch.inference_mode():
        held = pieces(lambda part: _both(network, torch.from_numpy(part))[1].numpy(), prepared)
    held = held.reshape(len(prepared), -1)
    return np.asarray((held - held.mean(axis=0)) / np.maximum(held.std(axis=0), 1e-6))


def _both(network: nn.Module, given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a network's answer and the input of its last linear layer."""
    caught: list[torch.Tensor] = []
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ModelError(f"{type(network).__name__} has no linear layer, so no states before the last one.")
    hook = layers[-1].register_forward_pre_hook(lambda _module, inputs: caught.append(inputs[0]))
    try:
        answer = network(given)
    finally:
        hook.remove()
    return answer, caught[-1].flatten(1)
