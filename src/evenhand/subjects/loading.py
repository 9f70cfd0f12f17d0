"""Open model files of others, without running their code unless requested."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, shorten
from evenhand.subjects.catalogue import as_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import Plain, Reads
    from evenhand.subjects.protocol import OutputKind, Subject

_PICKLE_SUFFIXES: Final = (".joblib", ".pkl", ".pickle")
_STARTS: Final[dict[str, tuple[bytes, ...]]] = {
    "pickle": (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    "zip": (b"PK\x03\x04",),
    "hdf5": (b"\x89HDF\r\n\x1a\n",),
}

_WAYS_OUT: Final[dict[str, str]] = {
    "safetensors": (
        "'{path}' holds tensors (safetensors). A model trained here is opened with evenhand.training.load_model; "
        "tensors alone, without the code of their network, cannot be run."
    ),
    "zip": (
        "'{path}' is a zip archive, as torch.save and Keras write them, which holds objects that run code when loaded. "
        "Load it yourself and pass the model to eh.audit, or export it to ONNX."
    ),
    "hdf5": (
        "'{path}' is an HDF5 file, as Keras writes them. Load it yourself and pass model.predict to eh.audit, or "
        "export it to ONNX."
    ),
    "json": "'{path}' is text (JSON). Load it with the library that wrote it and pass the model to eh.audit.",
    "text": "'{path}' is text, no model. Known are .onnx, .safetensors and, with trust_pickle, .joblib.",
    "empty": "'{path}' is empty, so it holds no model.",
    "unknown": (
        "'{path}' is no model file of a known kind (it begins with {start}). Known are .onnx, .safetensors and, with "
        "trust_pickle, .joblib and .pkl."
    ),
}


def open_subject(
    path: str | Path,
    *,
    trust_pickle: bool = False,
    name: str | None = None,
    threshold: float | None = None,
    positive: object = None,
    features: Sequence[str] | None = None,
    output: OutputKind | None = None,
    output_name: str | None = None,
    reads: Reads | None = None,
) -> Subject:
    """Open a model file by its content; the ending of its name decides only where the content leaves it open.

    Parameters
    ----------
    path : str or Path
        An ``.onnx`` file, or a ``.joblib``, ``.pkl`` or ``.pickle`` file when `trust_pickle` is set.
    trust_pickle : bool
        Loading a pickle can run any code on this machine; True means that you trust the file's author.
    name : str, optional
        What the report calls it; the file's name without its ending when not given.
    threshold, positive, features, reads
        As in `as_subject`.
    output, output_name
        What the output of an ONNX graph is, and which to read.

    Raises
    ------
    ModelError
        When the file is missing, is of another kind, or is a pickle that was not declared trusted.
    """
    place = Path(path)
    content = read_model_file(place)
    kind = file_kind(content, place.suffix)
    name = name or place.stem
    if kind == "onnx":
        from evenhand.subjects.onnx import OnnxSubject

        asked = {"features": features, "output": output or "probability", "output_name": output_name, "reads": reads}
        shared = {"threshold": threshold, "positive": positive}
        return OnnxSubject(content, name=name, **shared, **asked)  # type: ignore[arg-type]
    if kind == "pickle":
        model = _unpickle(place, trust_pickle)
        facts: dict[str, Plain] = {"file_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        told = {"threshold": threshold, "positive": positive, "features": features, "output": output}
        return as_subject(model, name=name, file_facts=facts, reads=reads, **told)  # type: ignore[arg-type]
    raise ModelError(_WAYS_OUT[kind].format(path=place, start=content[:8].hex(" ")))


def read_model_file(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises ModelError when it is missing, a folder, or cannot be read.
    """
    if not path.exists():
        raise ModelError(f"There is no model file '{path}'.")
    if path.is_dir():
        raise ModelError(f"'{path}' is a folder; a model is one file.")
    try:
        return path.read_bytes()
    except OSError as problem:
        raise ModelError(f"'{path}' cannot be read: {shorten(problem.strerror or problem)}.") from None


def file_kind(content: bytes, suffix: str) -> str:
    """Return ``onnx``, ``pickle``, ``safetensors``, ``zip``, ``hdf5``, ``json``, ``text``, ``empty`` or ``unknown``."""
    told_by_start = next((kind for kind, starts in _STARTS.items() if content.startswith(starts)), None)
    if not content or told_by_start:
        return told_by_start or "empty"
    if _is_safetensors(content):
        return "safetensors"
    if suffix.lower() in _PICKLE_SUFFIXES:
        return "pickle"  # compressed by joblib, or of the first, textual protocols
    if content[:1] == b"\x08" and len(content) > 2:
        return "onnx"  # field 1 of an ONNX ModelProto is its version, a whole number
    return _text_kind(content)


def _is_safetensors(content: bytes) -> bool:
    length = int.from_bytes(content[:8], "little")
    return len(content) >= 10 and length <= len(content) - 8 and content[8:9] == b"{"


def _text_kind(content: bytes) -> str:
    try:
        start = content[:2048].decode("utf-8", errors="strict" if len(content) <= 2048 else "ignore").lstrip()
    except UnicodeDecodeError:
        return "unknown"
    if "\x00" in start or not start or not all(c.isprintable() or c.isspace() for c in start[:256]):
        return "unknown"
    return "json" if start[:1] in "{[" else "text"


def _unpickle(path: Path, trusted: bool) -> object:
    if not trusted:
        raise ModelError(
            f"'{path}' is a pickle: loading it can run any code on this machine. If you made it yourself or trust "
            "who did, say trust_pickle=True (--trust-pickle); otherwise export the model to ONNX."
        )
    import joblib

    try:
        model: object = joblib.load(path)
    except Exception as problem:  # a pickle can raise anything
        raise ModelError(
            f"'{path}' could not be unpickled: {type(problem).__name__}: {shorten(problem, 300)}. The packages it was "
            "made with must be installed, in much the same versions."
        ) from problem
    return model
