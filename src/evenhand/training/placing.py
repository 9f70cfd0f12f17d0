"""What the loop asks of where it computes; and the plain answer: this process, on this processor."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import torch
    from torch import nn

    class Moving(Protocol):
        """Makes what moves weights."""

        def __call__(self, weights: list[nn.Parameter], *, fused: bool) -> torch.optim.Optimizer:
            """Return it; `fused` moves all in one call, where the device can."""
            ...


T = TypeVar("T")


class Place(Protocol):
    """What the loop asks of where it computes."""

    device: torch.device
    """Where the network and its rows are."""
    rank: int
    """Which process this is, from 0."""
    size: int
    """How many processes share the fit."""

    def settle(self, network: nn.Module, moving: Moving) -> tuple[nn.Module, Any]:
        """Return the network as it is called, and what moves its weights; the network itself is moved here."""
        ...

    def backward(self, loss: torch.Tensor) -> None:
        """Add to the gradients."""
        ...

    def clip(self, called: nn.Module, optimizer: Any, most: float) -> None:
        """Hold the norm of the gradient."""
        ...

    def accumulating(self, called: nn.Module, more: bool) -> AbstractContextManager[None]:
        """Return what a batch is computed under: where `more` follow before weights move, gradients stay here."""
        ...

    def total(self, value: float) -> float:
        """Return the sum over all processes."""
        ...

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """Return sums over all processes."""
        ...

    def agree(self, value: T) -> T:
        """Return the first process's value."""
        ...

    def state(self, network: nn.Module) -> dict[str, torch.Tensor]:
        """Return a copy of all weights, in every process."""
        ...

    def beside(self, weight: nn.Parameter, mask: torch.Tensor) -> torch.Tensor:
        """Return a mask where the weight is."""
        ...

    def moved(self, network: nn.Module, optimizer: Any) -> dict[str, Any]:
        """Return what the next step depends on beside the weights, as a checkpoint keeps it."""
        ...

    def restore(self, network: nn.Module, optimizer: Any, weights: dict[str, Any], moved: dict[str, Any]) -> None:
        """Go on from such states."""
        ...

    def seeded(self) -> AbstractContextManager[None]:
        """Return what the fit runs under: the user's random generators stay as they are."""
        ...

    def seed(self, chance: int) -> None:
        """Begin the random generators anew: torch's and the device's, none of other devices."""
        ...


class Here:
    """This process and this processor, in float32: the network as it is, with nothing around it."""

    rank: int = 0
    size: int = 1

    def __init__(self) -> None:
        import torch

        self.device = torch.device("cpu")

    def settle(self, network: nn.Module, moving: Moving) -> tuple[nn.Module, Any]:
        """Return the network and what moves its weights."""
        self._weights = list(network.parameters())
        return network, moving(self._weights, fused=True)

    def backward(self, loss: torch.Tensor) -> None:
        """Add to the gradients."""
        loss.backward()  # type: ignore[no-untyped-call]

    def clip(self, called: nn.Module, optimizer: Any, most: float) -> None:
        """Hold the norm of the gradient; as torch's own function, without what it does for other devices."""
        import torch

        slopes = [weight.grad for weight in self._weights if weight.grad is not None]
        norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(slopes))))
        if not norm + 1e-6 <= most:  # nor where the norm is no number
            torch._foreach_mul_(slopes, most / (norm + 1e-6))

    def accumulating(self, called: nn.Module, more: bool) -> AbstractContextManager[None]:
        """Return what a batch is computed under: nothing."""
        return contextlib.nullcontext()

    def total(self, value: float) -> float:
        """Return the value."""
        return value

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values."""
        return values

    def agree(self, value: T) -> T:
        """Return the value."""
        return value

    def state(self, network: nn.Module) -> dict[str, torch.Tensor]:
        """Return a copy of all weights."""
        return {name: value.detach().clone() for name, value in network.state_dict().items()}

    def beside(self, weight: nn.Parameter, mask: torch.Tensor) -> torch.Tensor:
        """Return the mask."""
        return mask

    def moved(self, network: nn.Module, optimizer: Any) -> dict[str, Any]:
        """Return the state of what moves weights."""
        return {"optimizer": optimizer.state_dict()}

    def restore(self, network: nn.Module, optimizer: Any, weights: dict[str, Any], moved: dict[str, Any]) -> None:
        """Go on from such states."""
        network.load_state_dict(weights)
        optimizer.load_state_dict(moved["optimizer"])

    @contextlib.contextmanager
    def seeded(self) -> Iterator[None]:
        """Leave the user's random generator as it is."""
        import torch

        with torch.random.fork_rng(devices=[]):
            yield

    def seed(self, chance: int) -> None:
        """Begin torch's generator anew; `torch.manual_seed` also does so on devices that have no part in this."""
        import torch

        torch.default_generator.manual_seed(chance)
