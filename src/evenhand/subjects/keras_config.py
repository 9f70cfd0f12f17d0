"""A ``.keras`` archive before Keras opens it: its members, and every class that its settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.documents import parse_json
from evenhand.errors import ModelError, shorten
from evenhand.subjects.archives import members_of, read_member

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST: Final = 64 << 20
"""Bytes of the settings."""
MEMBERS: Final = ("config.json", "metadata.json", "model.weights.h5")
"""What an archive holds, beside assets."""
MODULES: Final = (
    "keras", "keras.activations", "keras.constraints", "keras.dtype_policies", "keras.initializers", "keras.layers",
    "keras.losses", "keras.metrics", "keras.models", "keras.optimizers", "keras.optimizers.schedules", "keras.ops",
    "keras.quantizers", "keras.random", "keras.regularizers",
    "keras.src.models.functional", "keras.src.models.sequential", "keras.src.models.model",
    "keras.src.ops.operation",
)  # fmt: skip
"""Where what a model is made of comes from; all else can be any function of any package."""
CODE: Final = frozenset(
    {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "__lambda__", "__typespec__"}
)
"""Classes that hold programs."""


def check_archive(path: Path) -> None:
    """Refuse an archive with other members than Keras writes, or with settings that name code.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ModelError
        With the class or the member that is the reason.
    """
    for name in members_of(path):
        if name not in MEMBERS and not name.startswith("assets/"):
            raise ModelError(
                f"'{shorten(path)}' holds '{shorten(name)}', which Keras does not write, and is not opened."
            )
    settings = parse_json(read_member(path, "config.json", MOST), f"'{shorten(path)}' is damaged: it", kind=ModelError)
    for told in _tables(settings):
        strange = _strange(told)
        if strange:
            raise ModelError(
                f"'{shorten(path)}' {strange}, which can run code or read files of this machine, and is not opened. "
                "Build the model in Python, load its weights, and pass it to eh.audit; or export it to ONNX."
            )


def _tables(value: object) -> Iterator[dict[str, object]]:
    """Yield every table of a document, which is bounded in depth."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _tables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _tables(inner)


def _strange(told: dict[str, object]) -> str:
    """Say what of a table is no part of Keras."""
    kind, module = told.get("class_name"), told.get("module")
    if kind is None and "vocabulary" in told and isinstance(told["vocabulary"], str):
        return f"reads its vocabulary from the file '{shorten(told['vocabulary'])}'"
    return _strange_class(kind, module, told) if isinstance(kind, str) else ""


def _strange_class(kind: str, module: object, told: dict[str, object]) -> str:
    if kind in CODE:
        return f"holds a {kind}"
    # texts, tensors and functions of Keras have no module, and are called by a name that Keras looks up
    if kind == "function":
        return f"names the function {shorten(repr(told.get('config')))} of {shorten(module)}"
    if module is not None and module not in MODULES and not (module == "builtins" and kind in ("tuple", "slice")):
        return f"names {shorten(kind)} of {shorten(module)}"
    registered = told.get("registered_name")
    if module is None and registered not in (None, kind):
        return f"names the registered {shorten(registered)}"
    return ""
