"""Where a fit computes: on this processor, or through Lightning Fabric on other devices, precisions and processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import ModelError, need
from evenhand.output.launched import processes
from evenhand.training.placing import Here

if TYPE_CHECKING:
    from evenhand.training.placing import Place
    from evenhand.training.schedule import Schedule


def place_of(schedule: Schedule) -> Place:
    """Return where a fit computes.

    Raises
    ------
    ModelError
        When this machine lacks the device, or the device the precision.
    MissingExtraError
        When Lightning Fabric is needed and not installed.
    """
    device = device_of(schedule.device)
    if schedule.precision == "float16" and device != "cuda":
        raise ModelError(
            f"float16 needs the gradient scaling of a CUDA device, and this fit computes on '{device}': train in "
            "bfloat16, which needs none, or in float32."
        )
    if device == "cpu" and schedule.precision == "float32" and processes() == 1:
        return Here()
    need("lightning_fabric", "torch")
    from evenhand.training.fabric import ByFabric

    return ByFabric(device, schedule.precision, schedule.strategy)


def device_of(wanted: str) -> str:
    """Return the device that a setting means on this machine.

    Raises ModelError when there is none such.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, found in there.items() if found)
    if there[wanted]:
        return wanted
    others = ", ".join(f"'{name}'" for name, found in there.items() if found)
    raise ModelError(
        f"torch {torch.__version__} finds no {wanted} device on this machine, only {others}: name one of these, or "
        "'auto' for the fastest that there is."
    )
