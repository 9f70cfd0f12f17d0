"""Open model files of others, without running their code unless requested."""

from __future__ import annotations

import mmap
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError
from evenhand.subjects.archives import members_of
from evenhand.subjects.catalogue import ADAPTERS
from evenhand.subjects.graph_bytes import check_graph
from evenhand.subjects.isolation.limits import Limits
from evenhand.subjects.model_file import Opening, is_folder, refuse_no_file, refuse_untrusted, unreadable
from evenhand.subjects.tensor_header import read_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import Reads
    from evenhand.subjects.model_file import ModelFile
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
    "text": "'{path}' is text, no model. Known are {known}.",
    "empty": "'{path}' is empty, so it holds no model.",
    "unknown": ("'{path}' is no model file of a known kind (it begins with {start}). Known are {known}."),
}


def open_subject(
    path: str | Path,
    *,
    trust_pickle: bool = False,
    trusted_types: Sequence[str] = (),
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
        An ONNX file, one of XGBoost, LightGBM, CatBoost, skops or Keras, a folder that transformers wrote; a pickle, a
        program of `torch.export` or a module of TorchScript when `trust_pickle` is set.
    trust_pickle : bool
        Loading a pickle can run any code on this machine; True means that you trust the file's author. So it is with
        the other files that are programs.
    trusted_types : sequence of str
        Types in a skops file that you trust, beside those that skops knows to be harmless.
    name : str, optional
        What the report calls it; the file's name without its ending when not given.
    threshold, positive, features, reads
        As in `as_subject`.
    output, output_name
        What the output of an ONNX graph is, and which to read.
    isolate : bool or Limits, optional
        Open and run it in a process with limits of time and memory, these or the usual ones. By default this is so for
        an ONNX file without a good signature; files of boosted trees are tried in one, and opened here when that went
        well.
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
    if is_folder(place):
        from evenhand.subjects.huggingface.adapter import open_folder

        return open_folder(place, name=name, threshold=threshold, positive=positive, score_kind=output)
    kind = model_kind(place)
    file = model_files().get(kind)
    if file is None:
        raise ModelError(_WAYS_OUT[kind].format(path=place, start=_start(place).hex(" "), known=_known()))
    asked = Opening(
        name or place.stem,
        trust_pickle,
        tuple(trusted_types),
        threshold,
        positive,
        features,
        output,
        output_name,
        reads,
    )
    refuse_untrusted(place, file, asked)
    if file.check is not None:
        file.check(place)
    if isolate and not file.isolated:
        from evenhand.subjects.isolation.isolated import IsolatedSubject

        limits = isolate if isinstance(isolate, Limits) else Limits(times_batch=64, memory=TO_UNPICKLE)
        settings = {**asked.declared, "trust_pickle": trust_pickle, "trusted_types": asked.trusted_types}
        return IsolatedSubject(place, limits, settings)
    within = limits_of(place, isolate, allowed_signers) if file.isolated or file.try_out is not None else None
    if within is not None and file.try_out is not None:
        from evenhand.subjects.isolation.trying import try_elsewhere

        try_elsewhere(place, kind, within)
    return file.open(place, replace(asked, limits=within))


def model_files() -> dict[str, ModelFile]:
    """Return every kind of file that an adapter opens, by the name of the kind."""
    return {file.kind: file for adapter in ADAPTERS.values() for file in adapter.files}


def _known() -> str:
    """Return the endings of all files that are opened, those that have to be trusted last."""
    files = model_files().values()
    data, code = ([end for file in files if bool(file.runs_code) == kind for end in file.endings] for kind in (0, 1))
    return f"{', '.join(['.safetensors', *data])} and, with trust_pickle, {', '.join(code)}"


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
        refuse_no_file(path)
        with path.open("rb") as held:
            if not os.fstat(held.fileno()).st_size:
                return "empty"
            with mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ) as content:
                kind = file_kind(content, path.suffix)
                if kind in ("zip", "json", "text", "unknown"):
                    members = members_of(path) if kind == "zip" else []
                    start = content[:512]
                    kind = next((file.kind for file in model_files().values() if file.told(start, members)), kind)
                if kind == "onnx":
                    check_graph(content, f"'{path}'")
                elif kind == "safetensors":
                    read_header(content, f"'{path}'")
                return kind
    except OSError as problem:
        raise unreadable(path, problem) from None


def _start(path: Path) -> bytes:
    with path.open("rb") as held:
        return held.read(8)


def file_kind(content: bytes | mmap.mmap, suffix: str) -> str:
    """Return ``onnx``, ``pickle``, ``safetensors``, ``zip``, ``hdf5``, ``json``, ``text``, ``empty`` or ``unknown``."""
    if _is_safetensors(content):  # before the starts of others: its length may be spelt as the start of a pickle
        return "safetensors"
    told_by_start = next((kind for kind, starts in _STARTS.items() if content[:8].startswith(starts)), None)
    if not len(content) or told_by_start:
        return told_by_start or "empty"
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
