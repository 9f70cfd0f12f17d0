"""A model as one safetensors file: the weights, and JSON for everything else. Nothing in it can run code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, need, shorten

if TYPE_CHECKING:
    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.model import NetworkModel

KEY: Final = "evenhand"
"""The key of the file's metadata under which the JSON stands."""
FORMAT: Final = 1
"""The version of that JSON."""


def to_bytes(model: NetworkModel) -> bytes:
    """Return the file of a model; the same model gives the same bytes."""
    need("safetensors", "torch")
    import torch
    from safetensors.torch import save

    kept = getattr(torch, model.stored_as)
    tensors = {
        # counters of batch normalization are whole numbers and stay so
        name: (value.detach().to(kept) if value.is_floating_point() else value.detach()).contiguous()
        for name, value in model.network.state_dict().items()
    }
    about: dict[str, Plain] = {
        "format": FORMAT,
        "name": model.name,
        "threshold": model.threshold,
        "network": model.plan.to_plain(),
        "preprocessing": model.preprocessing.to_plain(),
        "history": model.history,
        "recipe": model.recipe,
        "stored_as": model.stored_as,
        "fit_rows": len(model.fit_row_hashes) or None,
        **({"pruned": model.pruned} if model.pruned else {}),
    }
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return save(tensors, {KEY: text})


def load_model(path: str | Path, network: nn.Module | None = None) -> NetworkModel:
    """Read a trained model from its one file; it predicts exactly what the saved one did.

    Parameters
    ----------
    path : str or Path
        The file.
    network : torch.nn.Module, optional
        For a model around a network of your own (`given_model`): that network, whose weights the file holds.

    Raises
    ------
    ModelError
        When the file is missing, of another kind, damaged, or written by a newer version.
    """
    from evenhand.subjects.loading import file_kind, read_model_file
    from evenhand.training.rows import read_cost, read_rows

    need("torch", "torch")
    from safetensors import SafetensorError

    place = Path(path)
    content = read_model_file(place)
    kind = file_kind(content, place.suffix)
    if kind != "safetensors":
        raise ModelError(f"'{place}' is no trained model of evenhand: that is a .safetensors file, and this is {kind}.")
    about = _read_about(content, place)
    try:
        model = _build(about, content, read_rows(place), network)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, SafetensorError) as problem:
        raise ModelError(f"'{place}' is damaged: {shorten(problem, 200)}.") from None
    model.cost = read_cost(place)
    return model


def _read_about(content: bytes, place: Path) -> dict[str, Plain]:
    """Return the JSON of the header."""
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length])
        text = header.get("__metadata__", {}).get(KEY)
    except (ValueError, AttributeError):
        raise ModelError(f"'{place}' is damaged: its header cannot be read.") from None
    if text is None:
        raise ModelError(
            f"'{place}' holds tensors that evenhand did not write. Tensors alone, without the code of their network, "
            "cannot be run: load them into your network and pass that to eh.audit."
        )
    try:
        about = cast("dict[str, Plain]", json.loads(text))
        version = int(cast("int", about["format"]))
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"'{place}' is damaged: what it says of itself cannot be read.") from None
    if version > FORMAT:
        raise ModelError(
            f"'{place}' is of format {version}, newer than this evenhand, which reads up to {FORMAT}: update it."
        )
    return about


def _build(about: dict[str, Plain], content: bytes, rows: NDArray[np.uint64], given: nn.Module | None) -> NetworkModel:
    from safetensors.torch import load

    from evenhand.training.model import NetworkModel
    from evenhand.training.networks import plan_from_plain
    from evenhand.training.preparing import GRID, preparing_from_plain

    plan = plan_from_plain(cast("dict[str, Plain]", about["network"]), given)
    prepared = cast("dict[str, Plain]", about["preprocessing"])
    network: nn.Module = plan.build()
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in load(content).items()}
    )
    return NetworkModel(
        name=str(about["name"]),
        network=network,
        plan=plan,
        preprocessing=preparing_from_plain(prepared),
        threshold=float(cast("float", about["threshold"])),
        history=cast("dict[str, Plain]", about["history"]),
        fit_row_hashes=rows if prepared.get("kind") != GRID else rows[:0],
        recipe=cast("list[Plain]", about["recipe"]),
        stored_as=str(about["stored_as"]),
        content=content,
        pruned=cast("list[Plain]", about.get("pruned", [])),
    )


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
