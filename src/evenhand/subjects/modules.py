"""Ask any torch module: in evaluation mode, with the type and device of its parameters, for one tensor."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, argument, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn

_ONE_SIZE: Final = re.compile(r"(size\(\)|shape)\[0\]")
"""What an exported program says of a batch of another size than it was exported with."""


NOT_CHANGED: Final = (
    "is a program of torch.export: its layers are operations of a graph, which no recipe can change and which has no "
    "mode for training. Hand over to given_model the torch module that it was exported from; evenhand.audit takes the "
    "program as it is."
)
"""Why such a program is neither trained nor compressed, and what to do instead."""


def is_exported(model: object) -> bool:
    """Whether a model is a program of `torch.export`."""
    there = sys.modules.get("torch.export")
    return there is not None and isinstance(model, there.ExportedProgram)


def module_of(model: object) -> nn.Module:
    """Return a module, or that of a program of `torch.export`."""
    if is_exported(model):
        return cast("torch.export.ExportedProgram", model).module()
    return cast("nn.Module", model)


def number_type(module: nn.Module) -> torch.dtype:
    """Return the type of the module's floating-point parameters, or of its buffers; float32 where it has none."""
    import torch

    held = (*module.parameters(), *module.buffers())
    return next((one.dtype for one in held if one.dtype.is_floating_point), torch.float32)


def ask_module(module: nn.Module, prepared: object, name: str) -> NDArray[np.generic]:
    """Return what a module gives for prepared rows: fractions as float64, whole numbers and booleans as they are.

    Raises ModelError when it cannot take them, or gives anything but one tensor.
    """
    import torch

    try:
        with _evaluating(module), torch.inference_mode():
            said = one_tensor(module(_tensor(module, prepared)), name)
            return _array(said, name)
    except ModelError:
        raise
    except Exception as problem:  # a module can raise anything
        raise ModelError(_refusal(prepared, problem, name)) from problem


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Keep a module in evaluation mode, then set each of its parts back; exported programs have one mode only."""
    parts = [part for part in module.modules() if getattr(part, "training", False)]
    try:
        module.eval()
    except RuntimeError:  # "not supported yet"
        parts = []
    try:
        yield
    finally:
        for part in parts:
            part.training = True


def _tensor(module: nn.Module, prepared: object) -> object:
    """Return an array as a tensor of the module's own type, where it holds fractions; lists as they are."""
    import numpy as np
    import torch

    if not isinstance(prepared, np.ndarray):
        return prepared
    given = torch.from_numpy(prepared.copy())
    place = next((one.device for one in module.parameters()), given.device)
    return given.to(place, number_type(module) if given.is_floating_point() else given.dtype)


def one_tensor(said: object, name: str) -> torch.Tensor:
    """Return the tensor of an output: itself, the only one of a tuple or mapping, or that named `logits`."""
    import torch

    if isinstance(said, torch.Tensor):
        return said
    if isinstance(said, Mapping):
        several = {str(key): value for key, value in said.items()}
    elif isinstance(said, (tuple, list)):
        several = {str(at): value for at, value in enumerate(said)}
    else:
        several = {"logits": said.logits} if hasattr(said, "logits") else {}
    chosen = several.get("logits", next(iter(several.values())) if len(several) == 1 else None)
    if isinstance(chosen, torch.Tensor):
        return chosen
    held = f" of {shorten(', '.join(several), 60)}" if several else ""
    raise ModelError(
        f"Model '{name}' returned a {type(said).__name__}{held}, and one tensor is needed: pass a module, "
        "or a function of a batch, that returns the scores alone."
    )


def _array(said: torch.Tensor, name: str) -> NDArray[np.generic]:
    import torch

    if said.is_complex():
        raise ModelError(f"Model '{name}' returned complex numbers, which are no scores.")
    whole = said.dequantize() if said.is_quantized else said
    whole = whole if whole.layout == torch.strided else whole.to_dense()
    return cast("NDArray[np.generic]", (whole.double() if whole.is_floating_point() else whole).cpu().numpy())


def _refusal(prepared: object, problem: Exception, name: str) -> str:
    shape = getattr(prepared, "shape", None)
    if shape is None:
        first = next(iter(cast("list[object]", prepared)), None)
        what = f"a list of {type(first).__name__}"
    else:
        what = f"{getattr(prepared, 'dtype', '')} of shape {tuple(shape)}"
        what = f"a matrix of {shape[1]} columns" if len(shape) == 2 else what
    way = (
        "It was exported for batches of one size: export it again with a first dimension that may vary "
        "(dynamic_shapes)."
        if _ONE_SIZE.search(str(problem))
        else f"What it takes may be made of a batch by {argument('prepare')}."
    )
    return f"Model '{name}' could not take {what}: {shorten(problem, 300)}. {way}"
