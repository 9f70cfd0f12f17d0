"""Tree ensembles exactly: their trees read as arrays, behind whatever preprocessing lets features be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from evenhand.errors import shorten
from evenhand.explaining.blocks import dealt
from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.engine import PairMeans
from evenhand.explaining.estimators import fitted_estimator
from evenhand.explaining.preparing import prepared_parts
from evenhand.explaining.table import CodedTable
from evenhand.explaining.trees.catalogue import reader_of, steps_of
from evenhand.explaining.trees.shapley import tree_values
from evenhand.explaining.trees.walking import TreeWalker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.scores import Link, LinkedScore
    from evenhand.explaining.trees.forest import Forest
    from evenhand.explaining.trees.reading import Reading

Traced: TypeAlias = "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]"
"""Rows, background and the player of each column."""
Made = TypeVar("Made")
CLOSE: Final = 1e-4
"""The greatest miss of a forest's scores, in spreads of the model's own, with which it answers for the model."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundTrees:
    """A model as a forest over prepared rows, and the player of each prepared column."""

    forest: Forest
    """The trees."""
    rows: NDArray[np.float64]
    """(n, columns): the explained rows, prepared."""
    background: NDArray[np.float64]
    """(b, columns): the background rows, prepared."""
    owner: NDArray[np.int64]
    """(columns,): the player that each column belongs to."""
    players: int
    """How many players there are."""


class TreesOf:
    """The trees of a model, read when first needed, once.

    `score`: the model; `X`, `background`: the n explained and the b background rows; `players`: columns of each player.
    """

    def __init__(
        self, score: LinkedScore, X: pd.DataFrame, background: pd.DataFrame, players: Mapping[str, Sequence[str]]
    ) -> None:
        self._score, self._X, self._background, self._players = score, X, background, players

    @cached_property
    def adds_up_to(self) -> Link | None:
        """The scale on which the trees add up; None where no trees can be read."""
        return None if isinstance(self._reading, NotThisWay) else self._reading.forest.link

    def found(self) -> FoundTrees:
        """Return the trees over prepared rows, or raise NotThisWay with the reason why there are none."""
        if isinstance(self._found, NotThisWay):
            raise self._found
        return self._found

    def walker(self, own: NDArray[np.float64] | None = None) -> TreeWalker | None:
        """Return the model as walks over its trees, on the explained scale.

        `own` (n,): the model's scores of `X`, where they have not been compared with those of the trees. None where
        there are no trees, or they do not give these.
        """
        if isinstance(self._found, NotThisWay):
            return None
        trees, change = self._found, _change(self._found.forest.link, self._score)
        if own is not None and not self._gives(own, trees, change):
            return None
        return TreeWalker(trees.forest, trees.rows, trees.background, trees.owner, trees.players, transform=change)

    def _gives(
        self,
        own: NDArray[np.float64],
        trees: FoundTrees,
        change: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None,
    ) -> bool:
        clipped, answers = self._score.clipped, trees.forest.score(trees.rows)
        miss = float(np.max(np.abs((answers if change is None else change(answers)) - own)))
        self._score.clipped = clipped
        return miss <= CLOSE * max(float(np.std(own)), 1e-9)

    @cached_property
    def _reading(self) -> Reading | NotThisWay:
        return _or_reason(self._read)

    def _read(self) -> Reading:
        ensemble = self._steps[1]
        read = reader_of(ensemble)
        try:
            return read(ensemble, getattr(self._score.model, "positive", None))
        except NotThisWay as reason:
            reason.notable = True  # of a tree ensemble it is worth telling
            raise

    @cached_property
    def _steps(self) -> tuple[list[object], object]:
        return steps_of(fitted_estimator(self._score.model))

    @cached_property
    def _found(self) -> FoundTrees | NotThisWay:
        reading = self._reading
        return reading if isinstance(reading, NotThisWay) else _or_reason(lambda: self._traced(reading))

    def _traced(self, reading: Reading) -> FoundTrees:
        before = self._steps[0]

        def prepare(table: pd.DataFrame) -> NDArray[np.float64]:
            given: object = _given(self._score.model, table)
            for step in before:
                given = step.transform(given)  # type: ignore[attr-defined]
            return reading.encode(given)

        made = self._prepared(prepare) if before or not reading.plain else self._as_they_are(prepare)
        rows, background, owner = made
        if not rows.shape[1] == len(owner) == reading.forest.columns:
            raise NotThisWay(
                "The trees ask {wanted} columns and are given {given}.",
                notable=True,
                wanted=reading.forest.columns,
                given=rows.shape[1],
            )
        return FoundTrees(reading.forest, rows, background, owner, len(self._players))

    def _as_they_are(self, prepare: Callable[[pd.DataFrame], NDArray[np.float64]]) -> Traced:
        """Of trees over the columns themselves, each belongs to the player that has it."""
        player = {column: at for at, columns in enumerate(self._players.values()) for column in columns}
        owner = np.array([player[column] for column in _columns(self._score.model, self._X)], dtype=np.int64)
        return prepare(self._X), prepare(self._background), owner

    def _prepared(self, prepare: Callable[[pd.DataFrame], NDArray[np.float64]]) -> Traced:
        table = CodedTable(self._X, self._background, self._players)
        parts = prepared_parts(prepare, table, pd.concat([self._X, self._background], ignore_index=True))
        owner = np.zeros(parts.width, dtype=np.int64)  # columns of no player never differ
        for player, place in enumerate(parts.places):
            owner[place] = player
        rows, background = (np.asarray(parts.compose(codes)) for codes in (table.rows, table.background))
        return rows.astype(np.float64), background.astype(np.float64), owner


def explain_tree(trees: FoundTrees, link: Link, seed: int) -> tuple[PairMeans, NDArray[np.float64]]:
    """Return the interventional values of each block of the background, exactly, and the trees' scores of its rows.

    Raises NotThisWay where the trees add up on another scale than `link`.
    """
    forest = trees.forest
    if forest.link != link:
        raise NotThisWay("The trees add up on another scale than the one explained.")
    blocks = dealt(len(trees.background), seed)
    block = np.empty(len(trees.background), dtype=np.int64)
    for number, members in enumerate(blocks):
        block[members] = number
    values = tree_values(forest, trees.rows, trees.background, trees.owner, trees.players, block)
    sizes = np.array([len(members) for members in blocks], dtype=np.int64)
    theirs = forest.score(trees.background)
    return PairMeans(values, sizes, float(theirs.mean()), forest.score(trees.rows)), theirs


def _or_reason(made: Callable[[], Made]) -> Made | NotThisWay:
    try:
        return made()
    except NotThisWay as reason:
        return reason
    except Exception as problem:  # whatever it is, the model is explained like any other
        told = f"{type(problem).__name__}: {shorten(problem, 120)}"
        return NotThisWay("The trees could not be read: {problem}.", notable=True, problem=told)


def _columns(model: object, X: pd.DataFrame) -> Sequence[str]:
    features = getattr(model, "features", None)
    return list(X.columns) if features is None else list(features)


def _given(model: object, X: pd.DataFrame) -> object:
    """Return a table as the subject gives it to its estimator."""
    chosen, estimator = X.loc[:, list(_columns(model, X))], fitted_estimator(model)
    named = hasattr(estimator, "feature_names_in_") or getattr(estimator, "n_features_in_", None) is None
    return chosen if named else chosen.to_numpy()


def _change(link: Link, score: LinkedScore) -> Callable[[NDArray[np.float64]], NDArray[np.float64]] | None:
    """Return the function from the scale on which trees add up to the explained one; None where it is the same."""
    if link == score.link:
        return None
    if link == "identity":
        return score.on_scale
    from scipy.special import expit

    return lambda values: np.asarray(expit(values), dtype=np.float64)
