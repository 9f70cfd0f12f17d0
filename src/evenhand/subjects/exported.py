"""Programs of `torch.export` and modules of TorchScript in files, opened where they are trusted."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

from evenhand.errors import need
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.model_file import ModelFile, could_not_open, file_facts

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import Subject


def open_program(path: Path, asked: Opening) -> Subject:
    """Return a program of `torch.export` as a subject.

    Raises ModelError when torch cannot open it.
    """
    export = need("torch.export", "torch")
    try:
        with path.open("rb") as held, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = export.load(held)
    except Exception as problem:  # torch raises whatever its parts raise
        raise could_not_open(path, problem, "torch") from None
    return _subject(model, path, asked)


def open_script(path: Path, asked: Opening) -> Subject:
    """Return a module of TorchScript as a subject.

    Raises ModelError when torch cannot open it.
    """
    torch = need("torch", "torch")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = torch.jit.load(str(path), map_location="cpu")
    except Exception as problem:  # torch raises whatever its parts raise
        raise could_not_open(path, problem, "torch") from None
    return _subject(model, path, asked)


def _subject(model: object, path: Path, asked: Opening) -> Subject:
    return as_subject(model, file_facts=file_facts(path), **asked.declared)  # type: ignore[arg-type]


PROGRAM: Final = ModelFile(
    "torch.export",
    (".pt2",),
    open_program,
    holds=("models/model.json", "archive_format"),
    runs_code="is a program of torch.export, whose sizes are expressions that are evaluated and whose tensors may be "
    "pickles: loading it",
    safety="Code. Opened only when it is trusted: its expressions are evaluated as Python, and it may carry libraries.",
)
SCRIPT: Final = ModelFile(
    "torchscript",
    (".pt", ".ts"),
    open_script,
    holds=("constants.pkl", "data.pkl", "version"),
    runs_code="is TorchScript, whose programs may read and write files: loading it",
    safety="Code. Opened only when it is trusted: it is a program that may read and write files.",
)
ADAPTER: Final = Adapter(open_program, files=(PROGRAM, SCRIPT))
