"""A model as one safetensors file: the weights, and JSON for everything else. Nothing in it can run code."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import InputError, ModelError, need, shorten
from evenhand.subjects.tensor_header import read_header
from evenhand.training.model import FORMAT, KEY, NetworkModel, read_about

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.findings import Plain
    from evenhand.subjects.tensor_header import Header
    from evenhand.training.plan import Plan
    from evenhand.training.target import NumberTask, Target
    from evenhand.training.trees.boosted import BoostedModel

_DAMAGED: Final = (
    LookupError, TypeError, ValueError, RuntimeError, AttributeError, ArithmeticError, AssertionError, InputError,
)  # fmt: skip
"""What can be raised on the way from plain values to a network."""


def load_model(path: str | Path, network: nn.Module | None = None) -> NetworkModel:
    """Read a trained model from its one file; it predicts exactly what the saved one did.

    Parameters
    ----------
    path : str or Path
        The file.
    network : torch.nn.Module, optional
        For a model around your own network (`given_model`): that network, whose weights the file holds.

    Returns
    -------
    NetworkModel

    Raises
    ------
    ModelError
        When the file is missing, of another kind, damaged, or written by a newer version.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> model = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> model.save("credit.safetensors")
    >>> load_model("credit.safetensors").predict(data.X).tolist() == model.predict(data.X).tolist()
    True
    """
    from evenhand.training.rows import read_cost, read_rows
    from evenhand.training.stages import read_stages

    need("torch", "torch")
    from safetensors import SafetensorError

    place = Path(path)
    content, header, about = _read(place)
    if is_boosting(about):
        raise ModelError(
            f"'{place}' holds boosted trees, which evenhand.open_model opens. They are no network, so no recipe "
            "compresses them; fit fewer trees or leaves for a smaller model."
        )
    try:
        model = _build(about, content, header, read_rows(place), network)
    except (*_DAMAGED, SafetensorError) as problem:
        raise ModelError(f"'{place}' is damaged: {_said(problem)}.") from None
    model.cost = read_cost(place)
    model.stages_from = partial(read_stages, place, content, load_model)
    return model


def open_trained(path: str | Path) -> NetworkModel | BoostedModel:
    """Read a trained model of either kind, a network or boosted trees, as its file says.

    Raises
    ------
    ModelError
        As `load_model`.
    """
    place = Path(path)
    content, _, about = _read(place)
    if not is_boosting(about):
        return load_model(place)
    from evenhand.training.rows import read_cost, read_rows
    from evenhand.training.trees.boosted import boosted_from

    need("safetensors", "torch")
    from safetensors import SafetensorError

    try:
        model = boosted_from(about, content, read_rows(place))
    except (*_DAMAGED, SafetensorError) as problem:
        raise ModelError(f"'{place}' is damaged: {_said(problem)}.") from None
    model.cost = read_cost(place)
    return model


def is_boosting(about: Mapping[str, Plain]) -> bool:
    """Return whether a file says that it holds boosted trees."""
    told = about.get("network")
    return isinstance(told, dict) and told.get("kind") == "boosting"


def _read(place: Path) -> tuple[bytes, Header, dict[str, Plain]]:
    """Return the bytes of a file, what it declares, and what it says of itself."""
    from evenhand.subjects.loading import model_kind
    from evenhand.subjects.model_file import read_model_file

    kind = model_kind(place)
    if kind != "safetensors":
        raise ModelError(f"'{place}' is no trained model of evenhand: that is a .safetensors file, and this is {kind}.")
    content = read_model_file(place)
    header = read_header(content, f"'{place}'")
    return content, header, _read_about(header, place)


def _said(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"it does not say its {problem}"
    return shorten(problem, 200).rstrip(".") or type(problem).__name__


def _read_about(header: Header, place: Path) -> dict[str, Plain]:
    """Return what the file says of itself."""
    text = header.metadata.get(KEY)
    if text is None:
        raise ModelError(
            f"'{place}' holds tensors that evenhand did not write. Tensors alone, without the code of their network, "
            "cannot be run: load them into your network and pass that to eh.audit."
        )
    about, version = read_about(text, f"'{place}' is damaged: what it says of itself cannot be read.")
    if version > FORMAT:
        raise ModelError(
            f"'{place}' is of format {version}, newer than this evenhand, which reads up to {FORMAT}: update it."
        )
    return about


def _build(
    about: dict[str, Plain], content: bytes, header: Header, rows: NDArray[np.uint64], given: nn.Module | None
) -> NetworkModel:
    from safetensors.torch import load

    from evenhand.training.preparing import GRID, preparing_from_plain
    from evenhand.training.shapes import check_shapes

    plan = plan_from_plain(cast("dict[str, Plain]", about["network"]), given)
    prepared = cast("dict[str, Plain]", about["preprocessing"])
    preprocessing = preparing_from_plain(prepared)
    tied = {str(name): str(held) for name, held in cast("dict[str, Plain]", about.get("tied", {})).items()}
    check_shapes(
        plan, preprocessing.shape, {**header.shapes, **{name: header.shapes[held] for name, held in tied.items()}}
    )
    network: nn.Module = plan.build()
    tensors = load(content)
    tensors |= {name: tensors[held] for name, held in tied.items()}
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    )
    return NetworkModel(
        name=str(about["name"]),
        network=network,
        plan=plan,
        preprocessing=preprocessing,
        threshold=float(cast("float", about["threshold"])),
        history=cast("dict[str, Plain]", about["history"]),
        fit_row_hashes=rows if prepared.get("kind") != GRID else rows[:0],
        recipe=cast("list[Plain]", about["recipe"]),
        stored_as=str(about["stored_as"]),
        content=content,
        pruned=cast("list[Plain]", about.get("pruned", [])),
        target=target_from_plain(about.get("target"), plan.outputs),
    )


def target_from_plain(plain: Plain, outputs: int) -> Target | None:
    """Return how the numbers of a label are learnt; None of classes.

    Raises KeyError, TypeError or ValueError when `plain` is something else, or of a network of other outputs.
    """
    from evenhand.training.target import Target

    if plain is None:
        return None
    target = Target.from_plain(cast("dict[str, Plain]", plain))
    if target.outputs != outputs:
        raise ValueError(f"its target has {target.outputs} outputs and its network {outputs}")
    return target


def plan_from_plain(plain: Mapping[str, Plain], given: nn.Module | None = None) -> Plan:
    """Return what `to_plain` was called on; `given` is the network that code outside evenhand builds, where one does.

    Raises KeyError, TypeError or ValueError when `plain` is something else.
    """
    from evenhand.training.ensembles import EnsemblePlan
    from evenhand.training.given import GivenPlan
    from evenhand.training.image_networks import IMAGE_KINDS, ImagePlan
    from evenhand.training.networks import NetworkPlan
    from evenhand.training.resized import ResizedPlan
    from evenhand.training.text_networks import TEXT_KINDS, TextPlan

    if plain["kind"] == "given":
        return GivenPlan(int(cast("int", plain["outputs"])), given, str(plain["name"]), bool(plain.get("two", False)))
    if plain["kind"] == "transferred":
        from evenhand.training.backbones.plan import TransferredPlan, body_from_plain

        head = NetworkPlan.from_plain(cast("dict[str, Plain]", plain["head"]))
        return TransferredPlan(body_from_plain(cast("dict[str, Plain]", plain["backbone"]), plan_from_plain), head)
    if plain["kind"] == "ensemble":
        members = cast("list[dict[str, Plain]]", plain["members"])
        numbers = cast("NumberTask | None", plain.get("numbers"))
        return EnsemblePlan(tuple(plan_from_plain(member, given) for member in members), numbers)
    if plain["kind"] == "resized":
        return ResizedPlan(
            plan_from_plain(cast("dict[str, Plain]", plain["base"]), given),
            tuple(
                (name, tuple(map(int, shape))) for name, shape in cast("dict[str, list[int]]", plain["sizes"]).items()
            ),
            tuple((name, int(rank)) for name, rank in cast("dict[str, int]", plain["ranks"]).items()),
        )
    known = ImagePlan if plain["kind"] in IMAGE_KINDS else TextPlan if plain["kind"] in TEXT_KINDS else NetworkPlan
    return known.from_plain(plain)
