"""Open model files of others, without running their code unless requested."""

from __future__ import annotations

import hashlib
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, argument, shorten
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.graph_bytes import check_graph
from evenhand.subjects.limits import Limits
from evenhand.subjects.tensor_header import read_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import Plain, Reads
    from evenhand.subjects.protocol import OutputKind, Subject

TO_UNPICKLE: Final = 4 << 30
"""Bytes that a process may take in which a pickle is opened: the packages of its model have to be loaded, too."""
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
    isolate: bool | Limits | None = None,
    allowed_signers: str | Path | None = None,
) -> Subject:
    """Open a model file by its content; the ending of its name decides only where the content leaves it open.

    Parameters
    ----------
    path : str or Path
        An ``.onnx`` file, a folder that transformers wrote, or a ``.joblib``, ``.pkl`` or ``.pickle`` file when
        `trust_pickle` is set.
    trust_pickle : bool
        Loading a pickle can run any code on this machine; True means that you trust the file's author.
    name : str, optional
        What the report calls it; the file's name without its ending when not given.
    threshold, positive, features, reads
        As in `as_subject`.
    output, output_name
        What the output of an ONNX graph is, and which to read.
    isolate : bool or Limits, optional
        Open and run it in a process with limits of time and memory, these or the usual ones. By default this is so for
        an ONNX file without a good signature.
    allowed_signers : str or Path, optional
        Whose signatures are good, as ``ssh-keygen -Y verify`` reads it: one in ``<path>.sig``, by any of these, lets
        the file run in this process.

    Returns
    -------
    Subject

    Raises
    ------
    ModelError
        When the file is missing, is of another kind, or is a pickle that was not declared trusted.

    Examples
    --------
    >>> import joblib
    >>> from sklearn.linear_model import LogisticRegression
    >>> joblib.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), "model.joblib")
    ['model.joblib']
    >>> open_subject("model.joblib", trust_pickle=True, features=("x",)).name
    'model'
    """
    place = Path(path)
    if place.is_dir():
        from evenhand.subjects.huggingface import open_folder

        return open_folder(place, name=name, threshold=threshold, positive=positive, score_kind=output)
    kind = model_kind(place)
    name = name or place.stem
    if kind == "onnx":
        from evenhand.subjects.onnx import OnnxSubject

        limits = limits_of(place, isolate, allowed_signers)
        told = {"output": output or "probability", "output_name": output_name, "positive": positive}
        asked = {"features": features, "reads": reads, "limits": limits, **told}
        return OnnxSubject(read_model_file(place), name=name, threshold=threshold, **asked)  # type: ignore[arg-type]
    if kind == "pickle":
        _trusted(place, trust_pickle)
        shared = {
            "name": name, "threshold": threshold, "positive": positive, "features": features, "output": output,
            "reads": reads,
        }  # fmt: skip
        if isolate:
            from evenhand.subjects.isolated import IsolatedSubject

            limits = isolate if isinstance(isolate, Limits) else Limits(times_batch=64, memory=TO_UNPICKLE)
            return IsolatedSubject(place, limits, {"trust_pickle": True, **shared})
        model, facts = _unpickle(place)
        return as_subject(model, file_facts=facts, **shared)  # type: ignore[arg-type]
    raise ModelError(_WAYS_OUT[kind].format(path=place, start=_start(place).hex(" ")))


def limits_of(
    path: Path, isolate: bool | Limits | None = None, allowed_signers: str | Path | None = None
) -> Limits | None:
    """Return the limits within which an ONNX file is run in a separate process; None to run it in this one.

    Parameters
    ----------
    path : Path
        The file.
    isolate : bool or Limits, optional
        What was asked for; by default there are limits unless the file has a good signature.
    allowed_signers : str or Path, optional
        Whose signatures are good. Without it none is: anybody can sign.

    Raises
    ------
    ModelError
        When there is a signature ``<path>.sig`` that is not good.
    """
    from evenhand.signing import check_signature

    if isolate is not None:
        return (isolate if isinstance(isolate, Limits) else Limits()) if isolate else None
    signature = path.with_name(path.name + ".sig")
    if allowed_signers is None or not signature.is_file():
        return Limits()
    found = check_signature(path, signature, allowed_signers)
    if not found.good:
        raise ModelError(f"'{path}': its signature {signature} is not good: {found.reason}.")
    return None


def model_kind(path: Path) -> str:
    """Return the kind of a file, as `file_kind`, after a look at what it declares, page by page, before it is read.

    Raises ModelError when the file is missing, no regular file, cannot be read, or of a kind that is opened and said to
    hold more or less than it does.
    """
    try:
        _regular(path)
        with path.open("rb") as held:
            if not os.fstat(held.fileno()).st_size:
                return "empty"
            with mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ) as content:
                kind = file_kind(content, path.suffix)
                if kind == "onnx":
                    check_graph(content, f"'{path}'")
                elif kind == "safetensors":
                    read_header(content, f"'{path}'")
                return kind
    except OSError as problem:
        raise _unreadable(path, problem) from None


def read_model_file(path: Path) -> bytes:
    """Return the bytes of a file; look at it by `model_kind` before.

    Raises ModelError when it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as problem:
        raise _unreadable(path, problem) from None


def file_facts(path: Path) -> dict[str, Plain]:
    """Return the bytes and the hash of a file, which is not held in memory.

    Raises ModelError when it is missing, no regular file, or cannot be read.
    """
    try:
        _regular(path)
        with path.open("rb") as held:
            digest = hashlib.file_digest(held, "sha256").hexdigest()
            return {"file_bytes": os.fstat(held.fileno()).st_size, "sha256": digest}
    except OSError as problem:
        raise _unreadable(path, problem) from None


def _regular(path: Path) -> None:
    if path.is_dir():
        raise ModelError(f"'{path}' is a folder; a model is one file.")
    if not path.exists():
        raise ModelError(f"There is no model file '{path}'.")
    if not path.is_file():  # a device or a pipe has no end
        raise ModelError(f"'{path}' is no regular file; a model is one.")


def _unreadable(path: Path, problem: OSError) -> ModelError:
    return ModelError(f"'{shorten(path)}' cannot be read: {shorten(problem.strerror or problem)}.")


def _start(path: Path) -> bytes:
    with path.open("rb") as held:
        return held.read(8)


def file_kind(content: bytes | mmap.mmap, suffix: str) -> str:
    """Return ``onnx``, ``pickle``, ``safetensors``, ``zip``, ``hdf5``, ``json``, ``text``, ``empty`` or ``unknown``."""
    told_by_start = next((kind for kind, starts in _STARTS.items() if content[:8].startswith(starts)), None)
    if not len(content) or told_by_start:
        return told_by_start or "empty"
    if _is_safetensors(content):
        return "safetensors"
    if suffix.lower() in _PICKLE_SUFFIXES:
        return "pickle"  # compressed by joblib, or of the first, textual protocols
    if content[:1] == b"\x08" and len(content) > 2:
        return "onnx"  # field 1 of an ONNX ModelProto is its version, a whole number
    return _text_kind(content)


def _is_safetensors(content: bytes | mmap.mmap) -> bool:
    length = int.from_bytes(content[:8], "little")
    return len(content) >= 10 and length <= len(content) - 8 and content[8:9] == b"{"


def _text_kind(content: bytes | mmap.mmap) -> str:
    try:
        start = content[:2048].decode("utf-8", errors="strict" if len(content) <= 2048 else "ignore").lstrip()
    except UnicodeDecodeError:
        return "unknown"
    if "\x00" in start or not start or not all(c.isprintable() or c.isspace() for c in start[:256]):
        return "unknown"
    return "json" if start[:1] in "{[" else "text"


def _trusted(path: Path, trusted: bool) -> None:
    if not trusted:
        raise ModelError(
            f"'{path}' is a pickle: loading it can run any code on this machine. If you made it yourself or trust "
            f"who did, say {argument('trust_pickle', True)}; otherwise export the model to ONNX."
        )


def _unpickle(path: Path) -> tuple[object, dict[str, Plain]]:
    """Return what a pickle holds, and the facts of its file."""
    import joblib

    facts = file_facts(path)
    try:
        model: object = joblib.load(path)
    except Exception as problem:  # a pickle can raise anything
        raise ModelError(
            f"'{path}' could not be unpickled: {type(problem).__name__}: {shorten(problem, 300)}. The packages it was "
            "made with must be installed, in much the same versions."
        ) from problem
    return model, facts
