"""What an adapter is: one declared entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.findings import Plain
    from evenhand.subjects.model_file import ModelFile
    from evenhand.subjects.protocol import Subject

NOT_KNOWN: Final[Mapping[str, Plain]] = dict.fromkeys(("parameters", "nonzero_parameters", "file_bytes", "sha256"))
"""The facts of a model that are unknown."""


def name_of(model: object) -> str:
    """Return the name of a function or an object."""
    name = getattr(model, "__name__", type(model).__name__)
    return "function" if name == "<lambda>" else str(name)


def fits_none(_: object) -> bool:
    """Return False: for an adapter that is used by name only."""
    return False


@dataclass(frozen=True, slots=True)
class Adapter:
    """A way to make a subject of a model."""

    build: Callable[..., Subject]
    """Takes the model, and those keywords of `as_subject` that its signature names; all where it ends in ``**``."""
    fits: Callable[[object], bool] = fits_none
    """Whether it is for a model. It imports nothing: a model's package is in ``sys.modules`` when there is a model."""
    order: int = 50
    """The lowest is tried first: 0 for subjects, 10 for torch, 100 for anything with ``predict``, 200 for functions."""
    files: tuple[ModelFile, ...] = ()
    """The kinds of model files that it opens."""
