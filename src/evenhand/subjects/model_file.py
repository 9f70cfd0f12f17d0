"""Kinds of model files: how each is told, what is checked before it is opened, and who opens it."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.errors import MissingExtraError, ModelError, argument, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from evenhand.findings import Plain, Reads
    from evenhand.subjects.isolation.limits import Limits
    from evenhand.subjects.protocol import OutputKind, Subject

Open: TypeAlias = "Callable[[Path, Opening], Subject]"
"""Opens a file as it was asked."""
NONE_OF_IT: Final = re.compile(rb"(?!)")


@dataclass(frozen=True, slots=True)
class Opening:
    """How a model file is asked to be opened; the fields are those of `open_subject`."""

    name: str
    """What the report calls it."""
    trust_pickle: bool = False
    """Whether a file that can run code is opened."""
    trusted_types: tuple[str, ...] = ()
    """Types of a skops file that are trusted by name."""
    threshold: float | None = None
    """A score at or above it is predicted positive."""
    positive: object = None
    """The class of the model that stands for the positive class."""
    features: Sequence[str] | None = None
    """The columns it takes."""
    output: OutputKind | None = None
    """What a network returns."""
    output_name: str | None = None
    """Which output of a graph is read."""
    reads: Reads | None = None
    """The kind of its inputs."""
    limits: Limits | None = None
    """Those of a process in which the file is run, or tried, before this one opens it; None to do without."""

    @property
    def declared(self) -> dict[str, object]:
        """What `as_subject` takes of it."""
        names = ("name", "threshold", "positive", "features", "output", "reads")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A kind of model file that an adapter opens."""

    kind: str
    """The name of the kind."""
    endings: tuple[str, ...]
    """How such files are usually called; the content decides, not the ending."""
    open: Open
    """Returns the subject; the file is of this kind."""
    start: re.Pattern[bytes] = NONE_OF_IT
    """What its first 512 bytes match."""
    holds: tuple[str, ...] = ()
    """Members of the archive that it is, without the folder that all are in; empty for what is no archive."""
    runs_code: str = ""
    """Why opening it can run code, so that it has to be trusted; empty where it holds data only."""
    safety: str = ""
    """What makes it safe to open, in a sentence of the documentation."""
    check: Callable[[Path], None] | None = None
    """Refuses what the file declares and does not hold, before its package reads it."""
    try_out: Callable[[Path], None] | None = None
    """Opens it and asks it for rows: in a process with limits, before this one opens it."""
    isolated: bool = False
    """Whether `open` itself runs the model within the limits that it is given."""

    def told(self, start: bytes, members: Sequence[str]) -> bool:
        """Whether a file is of this kind, by its first bytes and, of an archive, its members."""
        if self.holds:
            return all(any(name == held or name.endswith("/" + held) for name in members) for held in self.holds)
        return self.start.match(start[:512]) is not None


def package(module: str) -> ModuleType:
    """Return a package that no extra of evenhand brings: whoever has such a file usually has it.

    Raises MissingExtraError when it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as absent:
        if absent.name is None or absent.name.partition(".")[0] != module:
            raise
        raise MissingExtraError(
            f"This needs the package '{module}', which is not installed: pip install {module}"
        ) from None


def refuse_untrusted(path: Path, file: ModelFile, asked: Opening) -> None:
    """Refuse a file that can run code unless it is trusted.

    Raises ModelError with the reason and the ways out.
    """
    if file.runs_code and not asked.trust_pickle:
        raise ModelError(
            f"'{path}' {file.runs_code} can run any code on this machine. If you made it yourself or trust "
            f"who did, say {argument('trust_pickle', True)}; otherwise export the model to ONNX."
        )


def read_model_file(path: Path) -> bytes:
    """Return the bytes of a file; look at it by `model_kind` before.

    Raises ModelError when it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as problem:
        raise unreadable(path, problem) from None


def file_facts(path: Path) -> dict[str, Plain]:
    """Return the bytes and the hash of a file, which is not held in memory.

    Raises ModelError when it is missing, no regular file, or cannot be read.
    """
    try:
        refuse_no_file(path)
        with path.open("rb") as held:
            digest = hashlib.file_digest(held, "sha256").hexdigest()
            return {"file_bytes": os.fstat(held.fileno()).st_size, "sha256": digest}
    except OSError as problem:
        raise unreadable(path, problem) from None


def refuse_no_file(path: Path) -> None:
    """Refuse what is missing, a folder, a device or a pipe, in a ModelError."""
    if path.is_dir():
        raise ModelError(f"'{path}' is a folder; a model is one file.")
    if not path.exists():
        raise ModelError(f"There is no model file '{path}'.")
    if not path.is_file():  # a device or a pipe has no end
        raise ModelError(f"'{path}' is no regular file; a model is one.")


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder; a name that no file can have raises a ModelError."""
    try:
        return path.is_dir()
    except OSError as problem:
        raise unreadable(path, problem) from None


def unreadable(path: Path, problem: OSError) -> ModelError:
    """Return the error of a file that cannot be read."""
    return ModelError(f"'{shorten(path)}' cannot be read: {shorten(problem.strerror or problem)}.")


def could_not_open(path: Path, problem: Exception, made_by: str) -> ModelError:
    """Return the error of a file that its package could not open."""
    return ModelError(
        f"'{shorten(path)}' could not be opened by {made_by}: {type(problem).__name__}: "
        f"{shorten(' '.join(str(problem).split()), 300)}. It may be damaged, or of another version of {made_by}."
    )


def with_kind(kind: str, made: object, facts: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return the facts of a model that was opened from a file of a kind."""
    return {"kind": kind, "class": type(made).__name__, **facts}
