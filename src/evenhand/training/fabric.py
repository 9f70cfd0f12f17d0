"""A fit through Lightning Fabric: other devices, other precisions, several processes, a network split over them."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from typing import TYPE_CHECKING, Any, TypeVar, cast

from evenhand.output.launched import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import torch
    from torch import nn

    from evenhand.training.placing import Moving

T = TypeVar("T")


class ByFabric:
    """What Lightning Fabric sets up for a device, a precision and the processes that ``torchrun`` started.

    Parameters
    ----------
    device : str
        ``cpu``, ``cuda`` or ``mps``.
    precision : str
        ``float32``, or ``bfloat16`` or ``float16`` for products; weights and their sums stay float32.
    strategy : str
        How processes share a fit: ``ddp``, each holds the network; ``fsdp``, each holds a part of it.
    """

    def __init__(self, device: str, precision: str, strategy: str) -> None:
        from lightning_fabric import Fabric

        logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
        self.size = processes()
        here = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if self.size > 1 else 1
        self._split = strategy == "fsdp" and self.size > 1
        self._fabric = Fabric(
            accelerator=device,
            devices=here,
            num_nodes=max(1, self.size // here),
            strategy=self._strategy(),
            plugins=[] if precision == "float32" else [_mixed(device, precision)],
        )
        if self.size > 1:
            _meet(device)
        self._fabric.launch()
        self.device: torch.device = self._fabric.device
        self.rank = self._fabric.global_rank

    def _strategy(self) -> Any:
        from lightning_fabric.strategies.ddp import DDPStrategy
        from lightning_fabric.strategies.model_parallel import ModelParallelStrategy

        if self.size == 1:
            return "auto"
        if not self._split:
            return DDPStrategy()
        return ModelParallelStrategy(split, data_parallel_size=self.size, tensor_parallel_size=1)

    def settle(self, network: nn.Module, moving: Moving) -> tuple[nn.Module, Any]:
        """Return the network as it is called, and what moves its weights."""
        called = self._fabric.setup_module(network)
        optimizer = moving(list(network.parameters()), fused=not self._split and self.device.type in ("cpu", "cuda"))
        return called, self._fabric.setup_optimizers(optimizer)

    def backward(self, loss: torch.Tensor) -> None:
        """Add to the gradients."""
        self._fabric.backward(loss)

    def clip(self, called: nn.Module, optimizer: Any, most: float) -> None:
        """Hold the norm of the gradient, over all processes."""
        self._fabric.clip_gradients(called, optimizer, max_norm=most, error_if_nonfinite=False)

    def accumulating(self, called: Any, more: bool) -> AbstractContextManager[None]:
        """Return what a batch is computed under."""
        held: AbstractContextManager[None] = self._fabric.no_backward_sync(called, enabled=more)
        return held

    def total(self, value: float) -> float:
        """Return the sum over all processes."""
        if self.size == 1:
            return value
        import torch

        summed: Any = self._fabric.all_reduce(
            torch.tensor(value, dtype=torch.float64, device=self.device), reduce_op="sum"
        )
        return float(summed)

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """Return sums over all processes."""
        if self.size == 1:
            return values
        import torch

        held: Any = self._fabric.all_reduce(values.clone(memory_format=torch.contiguous_format), reduce_op="sum")
        return cast("torch.Tensor", held)

    def agree(self, value: T) -> T:
        """Return the first process's value."""
        if self.size == 1:
            return value
        said: T = self._fabric.broadcast(value)
        return said

    def state(self, network: nn.Module) -> dict[str, torch.Tensor]:
        """Return a copy of all weights, in every process."""
        held = network.state_dict()
        if self._split:
            from torch.distributed.checkpoint.state_dict import get_model_state_dict

            held = get_model_state_dict(network, options=_whole())
        return {name: value.detach().to("cpu", copy=True) for name, value in held.items()}

    def beside(self, weight: nn.Parameter, mask: torch.Tensor) -> torch.Tensor:
        """Return a mask where the weight is, split as it is."""
        if not self._split:
            return mask.to(self.device)
        from torch.distributed.tensor import distribute_tensor

        held: Any = weight
        return distribute_tensor(mask, held.device_mesh, held.placements)

    def moved(self, network: nn.Module, optimizer: Any) -> dict[str, Any]:
        """Return what the next step depends on beside the weights."""
        scaling = self._fabric.strategy.precision.state_dict()
        if not self._split:
            return {"optimizer": optimizer.state_dict(), "scaling": scaling}
        from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

        return {"optimizer": get_optimizer_state_dict(network, optimizer.optimizer, options=_whole())}

    def restore(self, network: nn.Module, optimizer: Any, weights: dict[str, Any], moved: dict[str, Any]) -> None:
        """Go on from such states."""
        if not self._split:
            network.load_state_dict(weights)
            optimizer.load_state_dict(moved["optimizer"])
            self._fabric.strategy.precision.load_state_dict(moved["scaling"])
            return
        from torch.distributed.checkpoint.state_dict import set_model_state_dict, set_optimizer_state_dict

        set_model_state_dict(network, weights, options=_whole())
        set_optimizer_state_dict(network, optimizer.optimizer, moved["optimizer"], options=_whole())

    @contextlib.contextmanager
    def seeded(self) -> Iterator[None]:
        """Leave the user's random generators as they are."""
        import torch

        before = torch.mps.get_rng_state() if self.device.type == "mps" else None
        devices = [self.device.index] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), warnings.catch_warnings():
            # outputs are not changed in place
            warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view", UserWarning)
            yield
        if before is not None:
            torch.mps.set_rng_state(before)

    def seed(self, chance: int) -> None:
        """Begin the generators of torch and of the device anew."""
        import torch

        torch.default_generator.manual_seed(chance)
        if self.device.type in ("cuda", "mps"):
            getattr(torch, self.device.type).manual_seed(chance)


def _meet(device: str) -> None:
    """Let the processes find each other, those of each start of ``torchrun`` anew.

    All starts share one store, in which the places of killed processes still stand: who is quick after a restart would
    look for them there.
    """
    from torch import distributed

    if distributed.is_initialized() or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return  # then each start has a store of its own
    if device == "cuda":
        import torch

        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    start = f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = distributed.TCPStore(host, port, processes(), False)  # type: ignore[attr-defined]
    distributed.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        store=distributed.PrefixStore(start, store),  # type: ignore[attr-defined]
        rank=int(os.environ["RANK"]),
        world_size=processes(),
    )


def split(network: nn.Module, mesh: Any) -> nn.Module:
    """Split a network's weights over the processes of a mesh; each block of it is put together when it is called."""
    from torch import nn
    from torch.distributed.fsdp import fully_shard

    chains, over = (nn.Sequential, nn.ModuleList), mesh["data_parallel"]
    blocks = [block for part in network.modules() if type(part) in chains for block in part.children()]
    for block in reversed(blocks):  # what is inside another one comes first
        if type(block) not in chains and any(True for _ in block.parameters()):
            fully_shard(block, mesh=over)
    fully_shard(network, mesh=over)
    return network


def _whole() -> Any:
    from torch.distributed.checkpoint.state_dict import StateDictOptions

    return StateDictOptions(full_state_dict=True)


def _mixed(device: str, precision: str) -> Any:
    """Return Fabric's mixed precision, which leaves the rows as they are: ids and codes are no products."""
    from lightning_fabric.plugins.precision import MixedPrecision

    class Products(MixedPrecision):  # type: ignore[misc]
        def convert_input(self, data: T) -> T:
            return data

    return Products("bf16-mixed" if precision == "bfloat16" else "16-mixed", device)
