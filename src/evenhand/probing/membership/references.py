"""Reference models: fitted on half of the rows each, so that every row is known with and without it in training."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np

from evenhand.data.mapping import map_array
from evenhand.errors import EvenhandError, InputError, ModelError, shorten
from evenhand.probing.membership.pool import halves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.probing.membership.pool import Pool

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]
    Ask: TypeAlias = Callable[[object, EvaluationSet], Floats]
    Train: TypeAlias = Callable[[EvaluationSet, int], object]

__all__ = ["Asked", "ByFitting", "Recipe", "ask_references"]

VERSION: Final = 1
"""Of the files that keep what references answered."""


class Recipe(Protocol):
    """How a reference comes about.

    See Also
    --------
    evenhand.probing.membership.references.ByFitting : The user's function, or the model's own recipe.
    """

    @property
    def kind(self) -> str:
        """What the references are: ``function``, ``same recipe``, ``original recipe`` or ``proxy``."""
        ...

    @property
    def fingerprint(self) -> str:
        """What tells it from other recipes, for what is kept between runs."""
        ...

    def answers(self, pool: Pool, chosen: NDArray[np.intp], seed: int, /) -> Floats:
        """Return the confidences in the truth of all rows of a pool, of a model fitted on the chosen ones."""
        ...


@dataclass(frozen=True, slots=True)
class ByFitting:
    """A function from rows and a seed to a model, and one that asks it.

    Examples
    --------
    >>> ByFitting("function", print, lambda model, rows: None).kind
    'function'
    """

    kind: str
    """What the references are."""
    train: Train
    """From rows and a seed to a fitted model."""
    ask: Ask
    """From a model and rows to its confidences in their truth."""
    about: str = ""
    """Further facts that tell the recipe from others."""

    @property
    def fingerprint(self) -> str:
        """The function's source where it has one, and what else is known."""
        return json.dumps([self.kind, _source(self.train), self.about])

    def answers(self, pool: Pool, chosen: NDArray[np.intp], seed: int) -> Floats:
        """Return the confidences of a model that was fitted on the chosen rows."""
        return self.ask(self._fitted(pool.rows.take(chosen, "reference rows"), seed), pool.rows)

    def _fitted(self, rows: EvaluationSet, seed: int) -> object:
        try:
            return self.train(rows, seed)
        except EvenhandError:
            raise
        except Exception as wrong:  # a function of the user's, or another library's fit
            said = f"{type(wrong).__name__}: {wrong}"
            raise ModelError(
                f"A reference model could not be fitted to {len(rows):,} rows: {shorten(said, 200)}"
            ) from wrong


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What references answered.

    See Also
    --------
    evenhand.probing.membership.references.ask_references : Asks them.
    """

    kind: str
    """What they are."""
    answers: Floats
    """(k, N) confidences in the truth of all rows of the pool."""
    saw: Marks
    """(k, n) which of them was fitted on which attacked row."""
    wanted: int
    """How many were asked for; fewer where the time was over."""
    instead: str = ""
    """Why the first recipe was not used; empty where it was."""


def ask_references(
    pool: Pool,
    recipes: Mapping[str, Recipe],
    number: int,
    seed: int,
    folder: str | None = None,
    budget: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> Asked:
    """Fit references in pairs that share the rows between them, and ask them about all rows.

    Parameters
    ----------
    pool : Pool
        The rows.
    recipes : mapping of Recipe
        The first is used; where it cannot fit, the next.
    number : int
        How many, two a pair.
    seed : int
        Of halves and fits.
    folder : str, optional
        Where the answers of each pair are kept: a run that was killed goes on from them.
    budget : float, optional
        Seconds after which no further pair is begun.
    tell : callable, optional
        Told before each pair which of the references are next.

    Returns
    -------
    Asked

    Raises
    ------
    InputError
        When the folder is none.
    EvenhandError
        When no recipe can fit.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.probing.membership.pool import draw
    >>> from evenhand.probing.membership.proxies import Proxy
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> pool = draw(parts["train"], parts["test"], parts["test"].features, "table", 400, 0)
    >>> ask_references(pool, {"proxy": Proxy(parts["test"].features)}, 2, 0).answers.shape == (2, len(pool.rows))
    True
    """
    place = None if folder is None else _folder(folder)
    names, started, problem = list(recipes), time.monotonic(), ""
    content = pool.rows.row_hashes([str(name) for name in pool.rows.table.columns]).tobytes() if place else b""
    found: list[Floats] = []
    sides: list[Marks] = []
    at = 0
    while len(found) < number:
        pair = len(found) // 2
        if pair and budget is not None and time.monotonic() - started > budget:
            break
        recipe, half = recipes[names[at]], halves(pool, pair, seed)
        if tell is not None:
            tell(f"references {2 * pair + 1} and {2 * pair + 2} of {number}")
        try:
            answers = _pair(pool, recipe, half, pair, seed, (place, content))
        except EvenhandError as wrong:
            if pair or at + 1 == len(names):
                raise
            at, problem = at + 1, str(wrong)
            continue
        found += list(answers)
        sides += [half, ~half]
    return Asked(recipes[names[at]].kind, np.stack(found), np.stack(sides), number, problem)


def _pair(
    pool: Pool, recipe: Recipe, half: Marks, pair: int, seed: int, kept: tuple[Path | None, bytes]
) -> list[Floats]:
    """Return the answers of the two references of a pair; from the folder where they are kept."""
    place, content = kept
    file = None if place is None else place / f"pair-{_name(recipe, pool, pair, seed, content)}.npy"
    if file is not None and (there := _read(file, len(pool.rows))) is not None:
        return list(there)
    answers = [
        recipe.answers(pool, np.flatnonzero(side), _seed(seed, pair, at)) for at, side in enumerate((half, ~half))
    ]
    if file is not None:
        from evenhand.output.writing import write_bytes

        held = io.BytesIO()
        np.save(held, np.stack(answers), allow_pickle=False)
        write_bytes(file, held.getvalue(), private=True)
    return answers


def _seed(seed: int, pair: int, side: int) -> int:
    return int(np.random.SeedSequence([seed, 19, pair, side]).generate_state(1)[0] % 2**31)


def _name(recipe: Recipe, pool: Pool, pair: int, seed: int, content: bytes) -> str:
    said = json.dumps([VERSION, recipe.kind, recipe.fingerprint, pair, seed, pool.members, pool.others])
    return hashlib.sha256(said.encode() + content).hexdigest()[:32]


def _read(file: Path, rows: int) -> Floats | None:
    """Return kept answers; None where there are none, or they are damaged."""
    try:
        there = np.array(map_array(file))
    except InputError:
        return None
    fits = there.shape == (2, rows) and there.dtype == np.float64 and bool(np.isfinite(there).all())
    return there if fits else None


def _folder(folder: str) -> Path:
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"privacy_folder: '{folder}' is no folder; make it first.")
    return place


def _source(function: Any) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return str(getattr(function, "__qualname__", type(function).__qualname__))
