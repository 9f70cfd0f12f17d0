"""Candidates of a search: recipes with their strengths, as written on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from evenhand.compression import Recipe
    from evenhand.findings import Plain

USUAL: Final = (
    "onnx_export",
    "half_precision",
    "int8",
    "neuron_pruning=0.25,0.5,0.75",
    "neuron_pruning=0.5,0.75+int8",
    "magnitude_pruning=0.8,0.95",
)
"""What is tried when nothing is named."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to make a model smaller: recipes in order, under a name.

    See Also
    --------
    evenhand.studies.study : Compares candidates.
    """

    name: str
    """Such as ``neuron_pruning=0.5+int8``."""
    recipes: tuple[Recipe, ...]
    """Applied in order."""
    balance: tuple[str, ...] | None = None
    """Columns whose groups weigh equally in fine-tuning."""

    def describe(self) -> list[Plain]:
        """Return the settings of the recipes as plain values."""
        return [recipe.describe() for recipe in self.recipes]


def expand(
    texts: Iterable[str], parse: Callable[[str], Recipe], balance: tuple[str, ...] | None = None
) -> tuple[Candidate, ...]:
    """Return the candidates that texts name: recipes joined by ``+``, strengths of a recipe parted by commas.

    Parameters
    ----------
    texts : iterable of str
        ``neuron_pruning=0.25,0.5+int8`` is two candidates.
    parse : callable
        From ``name`` or ``name=value`` to a recipe.
    balance : columns, optional
        Each candidate is made twice: as it is, and with fine-tuning in which the groups of these columns weigh equally
        (``, balanced`` in its name).

    Raises
    ------
    InputError
        When there are none.

    Examples
    --------
    >>> [found.name for found in expand(["a=1,2+b"], lambda text: None)]
    ['a=1+b', 'a=2+b']
    """
    names = list(dict.fromkeys(name for text in texts for name in _strengths(text)))
    if not names:
        raise InputError("A search needs one candidate at least, such as neuron_pruning=0.25,0.5 or int8.")
    plain = [Candidate(name, tuple(parse(part) for part in name.split("+"))) for name in names]
    if balance is None:
        return tuple(plain)
    return tuple(
        found for each in plain for found in (each, Candidate(f"{each.name}, balanced", each.recipes, balance))
    )


def _strengths(text: str) -> list[str]:
    options = []
    for part in text.replace(" ", "").split("+"):
        name, found, values = part.partition("=")
        options.append([f"{name}={value}" for value in values.split(",")] if found else [name])
    return ["+".join(chosen) for chosen in product(*options)]
