"""A folder that transformers wrote, checked before anything is made of it: data alone, nothing that can run code."""

from __future__ import annotations

import hashlib
import mmap
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from evenhand.documents import parse_json, read_bytes
from evenhand.errors import ModelError, need, quoted, shorten
from evenhand.subjects.tensor_header import read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import nn

    from evenhand.findings import Plain

Kind: TypeAlias = Literal["texts", "images", "causal", "masked", "encoder"]
"""What a model does: classify texts or images, tell the chance of the next word, or of a masked one, or only encode."""

_KINDS: Final[dict[str, Kind]] = {
    "ForSequenceClassification": "texts", "ForImageClassification": "images", "ForCausalLM": "causal",
    "LMHeadModel": "causal", "ForMaskedLM": "masked", "Model": "encoder",
}  # fmt: skip
"""The kind of a model by the end of the name of its class."""
_CLASSES: Final[dict[Kind, str]] = {
    "texts": "AutoModelForSequenceClassification", "images": "AutoModelForImageClassification",
    "causal": "AutoModelForCausalLM", "masked": "AutoModelForMaskedLM", "encoder": "AutoModel",
}  # fmt: skip
"""The class of transformers that opens each."""
_PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
MOST_CONFIG: Final = 64 << 20
"""Bytes of a file of settings."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with a model that transformers can open."""

    path: Path
    """Where it is."""
    config: Mapping[str, object]
    """Its ``config.json``."""
    kind: Kind
    """What the model does."""
    weights: tuple[Path, ...]
    """Its files of tensors."""
    facts: Mapping[str, Plain]
    """Class, bytes and hash."""


def read_folder(path: Path, with_weights: bool = True) -> Folder:
    """Return what a folder holds, without loading it; its weights too, unless they are in another file.

    Raises ModelError when it holds no model of transformers, weights that are no safetensors, code of its own, an
    adapter without its model, or a model that is no classifier and no language model.
    """
    if not path.is_dir():
        raise ModelError(f"There is no folder '{path}'.")
    _refuse_adapter(path)
    config = read_settings(path / "config.json")
    kind = _kind(path, config)
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        _refuse_code(path / name)
    weights = _weights(path) if with_weights else ()
    if with_weights:
        _refuse_too_many_layers(path, config, _tensors(weights))
    read = sorted({*weights, *(path / name for name in _READ if (path / name).is_file())})
    digest = hashlib.sha256()
    for file in read:
        digest.update(f"{file.name}\0{_hash(file)}\n".encode())
    facts: dict[str, Plain] = {
        "kind": "transformers",
        "class": _architecture(config),
        "file_bytes": sum(file.stat().st_size for file in weights),
        "sha256": digest.hexdigest(),
    }
    return Folder(path, config, kind, weights, facts)


_READ: Final = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt", "spiece.model",
    "sentencepiece.bpe.model", "special_tokens_map.json", "added_tokens.json", "preprocessor_config.json",
)  # fmt: skip
"""Files that decide what a model says, beside its weights."""


def read_settings(file: Path) -> dict[str, object]:
    """Return a JSON file of a folder.

    Raises ModelError when it is missing or no table.
    """
    if not file.is_file():
        raise ModelError(
            f"'{file.parent}' is a folder without {file.name}; a folder with a model is written by "
            "save_pretrained of transformers, for the model and for its tokenizer."
        )
    held = parse_json(read_bytes(file, kind=ModelError, most=MOST_CONFIG), file, kind=ModelError)
    if not isinstance(held, dict):
        raise ModelError(f"{file}: holds no table of settings.")
    return cast("dict[str, object]", held)


def _refuse_adapter(path: Path) -> None:
    if (path / "adapter_config.json").is_file():
        raise ModelError(
            f"'{path}' holds an adapter (adapter_config.json) without the model it was made for. Merge them and save "
            "the whole: model.merge_and_unload().save_pretrained(folder)."
        )


def _architecture(config: Mapping[str, object]) -> str:
    named = config.get("architectures")
    return str(named[0]) if isinstance(named, list) and named else ""


def _kind(path: Path, config: Mapping[str, object]) -> Kind:
    name = _architecture(config)
    found = next((kind for end, kind in _KINDS.items() if name.endswith(end)), None)
    if found is not None:
        return found
    what = f"a {shorten(name, 80)}" if name else "a model whose config.json names no architectures"
    raise ModelError(
        f"'{path}' holds {what}, which is not read here: a folder with a model that classifies texts or images, a "
        "language model or an encoder of texts is meant, such as BertForSequenceClassification."
    )


def _hash(file: Path) -> str:
    with file.open("rb") as held:
        return hashlib.file_digest(held, "sha256").hexdigest()


def _refuse_code(file: Path) -> None:
    # a tokenizer's greatest length is often a whole number of more than 64 bits, so its file is not parsed here
    if file.is_file() and b'"auto_map"' in read_bytes(file, kind=ModelError, most=MOST_CONFIG):
        raise ModelError(
            f"'{file}' asks for code of its own (auto_map), which is never run. Use a model of a class that "
            "transformers has itself, or pass a function of a batch to eh.audit."
        )


def _weights(path: Path) -> tuple[Path, ...]:
    """Return the files of tensors, each with a sound header; those that an index names, where there is one."""
    index = path / "model.safetensors.index.json"
    if index.is_file():
        named = read_settings(index).get("weight_map")
        names = sorted({str(name) for name in named.values()}) if isinstance(named, dict) else []
        if not names or any(Path(name).name != name for name in names):
            raise ModelError(f"{index}: names no files of this folder.")
        found = tuple(path / name for name in names)
    else:
        found = tuple(file for file in [path / "model.safetensors"] if file.is_file())
    if found:
        return found
    pickles = sorted(file.name for file in path.iterdir() if file.suffix in _PICKLES)
    if pickles:
        raise ModelError(
            f"'{path}' holds its weights as {shorten(', '.join(pickles), 80)}, which can run code when loaded. Write "
            "them as safetensors, where you trust them: model.save_pretrained(folder), with transformers."
        )
    raise ModelError(f"'{path}' holds no weights: there is no model.safetensors.")


def _tensors(weights: tuple[Path, ...]) -> int:
    """Return how many tensors the files have.

    Raises ModelError when one is missing or damaged.
    """
    return sum(map(_tensors_of, weights))


def _tensors_of(file: Path) -> int:
    if not file.is_file() or not file.stat().st_size:
        raise ModelError(f"'{file}' is missing or empty.")
    with file.open("rb") as held, mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return len(read_header(content, f"'{file}'").shapes)


def _refuse_too_many_layers(path: Path, config: Mapping[str, object], tensors: int) -> None:
    """Refuse settings that ask for more layers than there are tensors, before they are built."""
    for name, value in config.items():
        if "layer" in name and isinstance(value, int) and value > max(tensors, 1):
            raise ModelError(f"'{path}' says {quoted(name)} {value:,}, and holds {tensors:,} tensors: it is damaged.")


@contextmanager
def offline() -> Iterator[None]:
    """Keep transformers from asking anything of a network."""
    constants = need("huggingface_hub", "text").constants
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def load(folder: Folder, unused: str = "") -> nn.Module:
    """Return the model of a folder, in evaluation mode, with 32 bits a number.

    `unused`: how names of weights begin that are not used, and may be absent.

    Raises ModelError when it cannot be built, or weights of it are not in the folder: they would be random.
    """
    transformers = need("transformers", "text")
    need("torch", "torch")
    opened = getattr(transformers, _CLASSES[folder.kind]).from_pretrained
    made, told = _asked(folder, opened, use_safetensors=True, output_loading_info=True)
    named = (*map(str, told.get("missing_keys", ())), *_names(told.get("mismatched_keys", ())))
    missing = sorted(name for name in named if not (unused and name.startswith(unused)))
    if missing:
        raise ModelError(
            f"'{folder.path}' lacks {len(missing):,} of the weights of a {folder.facts['class']} "
            f"({shorten(', '.join(missing), 120)}): they would be random. Train it, or save the whole model."
        )
    module: nn.Module = made.float().eval()
    return module


def load_part(folder: Folder, name: str, kind: str) -> Any:
    """Return the tokenizer or the image processor of a folder, opened by a class of transformers."""
    made = _asked(folder, getattr(need("transformers", "text"), name).from_pretrained)
    if made is None:
        raise ModelError(f"'{folder.path}' holds no {kind}.")
    return made


def _asked(folder: Folder, opened: Callable[..., Any], **how: object) -> Any:
    try:
        with offline(), _quiet():
            return opened(str(folder.path.resolve()), local_files_only=True, trust_remote_code=False, **how)
    except Exception as problem:  # transformers raises errors of many kinds
        raise ModelError(
            f"'{folder.path}' cannot be opened by transformers: {type(problem).__name__}: {shorten(problem, 300)}"
        ) from problem


def _names(mismatched: object) -> Iterator[str]:
    for each in cast("list[object]", mismatched):
        yield str(each[0] if isinstance(each, tuple) else each)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing: what is wrong is told in a sentence."""
    logging = need("transformers", "text").logging
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
