"""Open a backbone: a folder of transformers, a network that evenhand trained, or an ONNX graph to be asked alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.errors import InputError, ModelError, argument, shorten
from evenhand.training.normalization import Normalization, channels_first

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.data import EvaluationSet
    from evenhand.training.backbones.plan import BodyPlan
    from evenhand.training.preparing import Preparing

KNOWN: Final = (
    "a folder that transformers wrote, with its weights as safetensors and its tokenizer or image processor; a network "
    "that evenhand trained (.safetensors); or, for few-shot alone, an ONNX graph over arrays"
)
"""What can be opened, for sentences."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network that was trained before, without its last layer, and what its inputs are to be made into.

    See Also
    --------
    evenhand.training.open_backbone : Opens one, with an example.
    """

    name: str
    """What it is called."""
    network: nn.Module
    """From prepared rows to (n, d) numbers, or (n, ...), which are flattened."""
    preparing: Preparing
    """From model inputs to prepared rows."""
    plan: BodyPlan | None = None
    """What it is built from again; None where it cannot be, so that it is no part of a model's file."""
    seen: NDArray[np.uint64] | None = None
    """Fingerprints of the rows that it was trained on, where they are known."""


def open_backbone(path: str | Path, train: EvaluationSet, *, length: int = 0) -> Backbone:
    """Return the backbone in a file or a folder, for rows such as these.

    Nothing is asked of the internet, and no code of the file or folder is run.

    Parameters
    ----------
    path : str or Path
        A folder that transformers wrote (safetensors alone), over texts or images: its head, where it has one, is left
        out. Or a network that `fit` or `compress` saved as .safetensors, without its last layer. Or an ONNX graph
        over arrays, run in a process with limits, which is given the rows as they are and can be asked but not
        trained, as `few_shot` does.
    train : EvaluationSet
        Rows to learn from, which decide the length of texts and the size of images.
    length : int
        Tokens of a text that are read; 0 is those of the longest row, up to 128 and to what the backbone reads.

    Returns
    -------
    Backbone

    Raises
    ------
    ModelError
        When it holds something else, or a part of a model only.
    InputError
        When the rows are not of the kind that it reads.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit, transfer
    >>> data = eh.load_loanapp()
    >>> fit(data, config=TrainingConfig(epochs=1, hidden=(8, 4))).save("first.safetensors")
    >>> backbone = open_backbone("first.safetensors", data)
    >>> transfer(backbone, data, config=TrainingConfig(hidden=(), epochs=1)).history["backbone"]["features"]
    4
    """
    from evenhand.subjects.loading import model_kind
    from evenhand.subjects.model_file import is_folder

    place = Path(path)
    if is_folder(place):
        return _of_folder(place, train, length)
    kind = model_kind(place)
    if kind == "safetensors":
        return _of_trained(place)
    if kind == "onnx":
        return _of_graph(place, train)
    raise ModelError(
        f"'{place}' ({kind}) is no backbone that can be opened: that is {KNOWN}. Export other models to ONNX."
    )


def _of_trained(place: Path) -> Backbone:
    from evenhand.training.backbones.trained import body_of
    from evenhand.training.model import NetworkModel
    from evenhand.training.storing import open_trained

    model = open_trained(place)
    if not isinstance(model, NetworkModel):
        raise ModelError(f"'{place}' holds boosted trees, which have no layers to build on. A backbone is {KNOWN}.")
    network, plan = body_of(model, place)
    return Backbone(model.name, network, model.preprocessing, plan, model.fit_row_hashes)


def _of_folder(place: Path, train: EvaluationSet, length: int) -> Backbone:
    from evenhand.subjects.huggingface.folder import load, read_folder
    from evenhand.training.backbones.pretrained import refuse_two_parts

    folder = read_folder(place)
    refuse_two_parts(folder.config, place)
    whole = dataclasses.replace(folder, kind="encoder")  # without the head that it was saved with
    made = _over_images if (place / "preprocessor_config.json").is_file() else _over_texts
    return made(whole, load(whole, unused="pooler."), train, length)


def _over_texts(folder: Any, network: Any, train: EvaluationSet, length: int) -> Backbone:
    from evenhand.subjects.huggingface.encoder import normalizes, pooling_of, tokens_of
    from evenhand.subjects.huggingface.folder import load_part
    from evenhand.training.backbones.pretrained import PretrainedBody
    from evenhand.training.backbones.tokens import PretrainedTokens, tokenizer_text

    name = folder.path.resolve().name
    tokenizer = load_part(folder, "AutoTokenizer", "tokenizer")
    most = tokens_of(folder, tokenizer, name).most
    texts = train.inputs_as("texts", name)
    preparing = PretrainedTokens.fit(tokenizer_text(tokenizer, folder.path), texts, most, length)
    plan = PretrainedBody(folder.config, "texts", pooling_of(folder), normalizes(folder))
    return Backbone(name, plan.around(network), preparing, plan)


def _over_images(folder: Any, network: Any, train: EvaluationSet, length: int) -> Backbone:
    from evenhand.subjects.huggingface.folder import load_part
    from evenhand.training.backbones.pretrained import PretrainedBody

    name = folder.path.resolve().name
    processor = load_part(folder, "AutoImageProcessor", "image processor")
    shape = _image_shape(train, name)
    scale = float(getattr(processor, "rescale_factor", 1 / 255)) if getattr(processor, "do_rescale", True) else 1.0
    mean, deviation = (processor.image_mean, processor.image_std) if processor.do_normalize else (0.0, 1.0)
    preparing = Normalization(shape, _each(mean, shape, scale), _each(deviation, shape, scale))
    first = any(each.endswith("cls_token") for each, _ in network.named_parameters())
    plan = PretrainedBody(folder.config, "arrays", "first" if first else "mean", size=_size(processor))
    return Backbone(name, plan.around(network), preparing, plan)


def _image_shape(train: EvaluationSet, name: str) -> tuple[int, ...]:
    if train.held is None or train.held.kind != "arrays":
        raise InputError(
            f"The backbone '{name}' reads images, and {train.name} has none: name them by {argument('images')} or "
            f"{argument('inputs')}."
        )
    first = train.held.take(np.arange(1)).whole()
    shape = channels_first(np.shape(first)[1:])
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise InputError(
            f"The backbone '{name}' reads images of 1 or 3 channels, and these rows have the shape {shape}."
        )
    return shape


def _each(numbers: Any, shape: tuple[int, ...], scale: float) -> float | tuple[float, ...]:
    """Return numbers a channel in the units of pixels; one for gray images, their mean."""
    held = np.broadcast_to(np.asarray(numbers, dtype=np.float64), 3) / scale
    return tuple(map(float, held)) if shape[0] == 3 else float(held.mean())


def _size(processor: Any) -> tuple[int, int] | None:
    """Return height and width of the images that the network was trained on; None where they vary."""
    told: Any = processor.crop_size if getattr(processor, "do_center_crop", False) else processor.size
    height = told.get("height", told.get("shortest_edge")) if getattr(processor, "do_resize", True) else None
    return None if height is None else (int(height), int(told.get("width", height)))


def _of_graph(place: Path, train: EvaluationSet) -> Backbone:
    from evenhand.subjects.loading import limits_of
    from evenhand.subjects.model_file import read_model_file
    from evenhand.subjects.onnx import start_session
    from evenhand.training.backbones.graphs import graph_of

    session = start_session(read_model_file(place), f"'{place}'", limits_of(place))
    puts = session.get_inputs()
    if len(puts) != 1 or puts[0].type != "tensor(float)" or len(puts[0].shape) < 2:
        told = ", ".join(f"{put.name} {put.type}" for put in puts)
        raise ModelError(
            f"'{place}' takes {shorten(told, 100)}; a backbone takes one array of 32-bit numbers, rows first."
        )
    if train.held is None or train.held.kind != "arrays":
        raise InputError(
            f"The backbone '{place}' reads arrays, and {train.name} has none: name them by {argument('inputs')} or "
            f"{argument('images')}."
        )
    own = channels_first(np.shape(train.held.take(np.arange(1)).whole())[1:])
    asked = tuple(each for each in puts[0].shape[1:] if isinstance(each, int))
    fixed = len(asked) == len(puts[0].shape) - 1
    return Backbone(place.stem, graph_of(session, str(place)), Normalization(asked if fixed else own))
