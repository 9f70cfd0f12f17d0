"""What an adapter is: one declared entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.findings import Plain
    from evenhand.subjects.protocol import Subject

NOT_KNOWN: Final[Mapping[str, Plain]] = dict.fromkeys(("parameters", "nonzero_parameters", "file_bytes", "sha256"))
"""Facts of a model of which nobody can tell them."""


def name_of(model: object) -> str:
    """Return what a function or an object is called."""
    name = getattr(model, "__name__", type(model).__name__)
    return "function" if name == "<lambda>" else str(name)


def fits_none(_: object) -> bool:
    """Return False: of an adapter that is asked for by name only."""
    return False


@dataclass(frozen=True, slots=True)
class Adapter:
    """A way to make a subject of a model."""

    build: Callable[..., Subject]
    """Takes the model, and those keywords of `as_subject` that its signature names."""
    fits: Callable[[object], bool] = fits_none
    """Whether it is for a model. It imports nothing: a model's package is in ``sys.modules`` when there is a model."""
    order: int = 50
    """The least is asked first: 0 for subjects, 10 for torch, 100 for whatever has ``predict``, 200 for functions."""
