"""Which parts of images the score rests on, overall and for each group, and whether it follows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import (
    Audit,
    Statement,
    group_key,
    interval_of,
    members,
    not_applicable,
    singles,
    without_model,
)
from evenhand.errors import InputError
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.explaining.images import ImageGame

NAME = "maps"
LEAST: Final = 5
"""The fewest images for a map, overall and of a group."""
CHANNELS: Final = (1, 3, 4)
"""How many an image has: an axis of so many is that of the channels."""
NOTE: Final = message("On the log-odds scale.")
"""Of scores that are probabilities; others are on their own scale."""


@dataclass(frozen=True, slots=True)
class MapOptions(Declared):
    """Options of this audit."""

    map_rows: int = setting(32, "Images that are explained by maps, drawn by the seed.", least=LEAST, unit="rows")
    map_background: int = setting(4, "Other images from which squares are taken.", least=1, unit="rows")
    map_squares: int = setting(6, "Squares along the longer side of a map, at most.", least=2, most=7)


@dataclass(frozen=True, slots=True, eq=False)
class _Maps:
    """Images mixed with others square by square."""

    game: ImageGame
    rows: NDArray[np.int64]
    """(n,): the positions of the images."""
    values: NDArray[np.float64]
    """(n, squares): what each square adds to the score."""
    names: tuple[str, ...]
    """Of the squares: row and column."""


def maps(evidence: Evidence) -> Statement:
    """State which parts of images the score rests on, and whether it follows them more than at random."""
    words = message("Predictions were given without a model, so there is nothing to explain them by.")
    if (absent := without_model(evidence, words)) is not None:
        return absent
    if evidence.reads != "arrays":
        return not_applicable("Maps are of models that read images.")
    options = evidence.options.of(MapOptions)
    sides = _sides(np.shape(evidence.inputs.take(np.arange(1)).whole())[1:])
    if sides is None:
        return not_applicable("Maps are of images: arrays (n, height, width), with channels first or last or without.")
    if len(evidence.data) < LEAST + options.map_background:
        return not_applicable("{n} images are too few for maps.", n=len(evidence.data))
    found = _explained(evidence, options, *sides)
    findings = [*_mapped(evidence, found), *_of_individuals(evidence, options, *sides), *_followed(evidence, found)]
    said = message(
        "Each square of {n} images was replaced by that of {other} other images; a map shows how far the score moves. "
        "It tells where the score comes from, not why.",
        n=len(found.rows), other=options.map_background,
    )  # fmt: skip
    return Statement(tuple(findings), said)


def _sides(shape: tuple[int, ...]) -> tuple[tuple[int, ...], bool] | None:
    """Return the shape of an image and whether its channels are last; None for what is no image."""
    if len(shape) == 2 and min(shape) > 1:
        return shape, False
    if len(shape) != 3 or sorted(shape)[1] < 2:
        return None
    last = shape[2] in CHANNELS and shape[0] not in CHANNELS[:2]
    return (shape, last) if last or shape[0] in CHANNELS else None


def _explained(evidence: Evidence, options: MapOptions, shape: tuple[int, ...], last: bool) -> _Maps:
    """Return the maps of images that are drawn by the seed, as many of each group of the first feature as possible."""
    order = np.random.default_rng([evidence.options.seed, 29]).permutation(len(evidence.data))
    background, rest = order[: options.map_background], order[options.map_background :]
    grouping = next(iter(singles(evidence)), None)
    if grouping is not None:
        codes = grouping.codes[rest]
        nth = np.zeros(len(rest), dtype=np.int64)
        for code in np.unique(codes):
            nth[codes == code] = np.arange(int((codes == code).sum()))
        rest = rest[np.argsort(nth, kind="stable")]
    return _mixed(evidence, np.sort(rest[: options.map_rows]), background, options.map_squares, shape, last)


def _mixed(
    evidence: Evidence, rows: NDArray[np.int64], background: NDArray[np.int64], squares: int, shape: tuple[int, ...],
    last: bool,
) -> _Maps:  # fmt: skip
    from evenhand.explaining.arrays import patch_players
    from evenhand.explaining.game import occlusion
    from evenhand.explaining.images import ImageGame

    height, width = shape[:2] if last or len(shape) == 2 else shape[1:]
    patch = -(-max(height, width) // squares)
    players = patch_players(shape, patch, channels_last=last)
    images, others = (np.asarray(evidence.inputs.take(at).whole()) for at in (rows, background))
    game = ImageGame(evidence.subject, images, others, players, "logit" if _is_logit(evidence) else "identity")
    across = -(-width // patch)
    names = tuple(f"row {at // across + 1} column {at % across + 1}" for at in range(game.sizes[0]))
    return _Maps(game, rows, occlusion(game), names)


def _mapped(evidence: Evidence, found: _Maps) -> Iterator[Finding]:
    """State the mean map of all images, and of each group."""
    every = np.ones(len(found.rows), dtype=bool)
    yield from _mean_map(evidence, found, every)
    for grouping in singles(evidence):
        for group, mine in members(grouping, found.rows, LEAST):
            named = str(Key.of("group", {grouping.columns[0]: grouping.labels[group][0]}))[len("group[") : -1]
            yield from _mean_map(evidence, found, mine, given=named)


def _mean_map(evidence: Evidence, found: _Maps, mine: NDArray[np.bool_], **qualifiers: str) -> Iterator[Finding]:
    from evenhand.explaining.faithfulness import mean_with_interval

    level, note = evidence.options.level, _note(evidence)
    for at, name in enumerate(found.names):
        mean, low, high = mean_with_interval(np.abs(found.values[mine, at]), level)
        ends = interval_of(max(low, 0.0), high, level, "t, rows only")
        key = Key.of("square_importance", [name], **qualifiers)
        yield Finding(key, NAME, mean, ends, support=int(mine.sum()), unit="score", note=note)


def _note(evidence: Evidence) -> str:
    return NOTE if _is_logit(evidence) else ""


def _is_logit(evidence: Evidence) -> bool:
    return evidence.subject.score_kind == "probability" and evidence.data.task == "binary"


def _of_individuals(evidence: Evidence, options: MapOptions, shape: tuple[int, ...], last: bool) -> Iterator[Finding]:
    """State the maps of the requested images only; no pixel of them is stated."""
    wanted = np.asarray(evidence.options.individuals, dtype=np.int64)
    if not len(wanted):
        return
    strange = wanted[(wanted < 0) | (wanted >= len(evidence.data))]
    if len(strange):
        raise InputError(
            f"individuals: there is no row {strange[0]}; the last one is {len(evidence.data) - 1}, the first 0."
        )
    order = np.random.default_rng([evidence.options.seed, 29]).permutation(len(evidence.data))
    others = order[~np.isin(order, wanted)][: options.map_background]
    if not len(others):
        return
    found = _mixed(evidence, wanted, others, options.map_squares, shape, last)
    for row, values in zip(wanted, found.values, strict=True):
        for name, value in zip(found.names, values, strict=True):
            key = Key.of("square_importance", [name], row=str(row))
            yield Finding(key, NAME, abs(float(value)), support=1, unit="score", note=_note(evidence))


def _followed(evidence: Evidence, found: _Maps) -> Iterator[Finding]:
    """State the score as squares are taken away and put in, in the order of a map and at random, for each group too."""
    from evenhand.explaining.faithfulness import curves

    chance = np.random.default_rng([evidence.options.seed, 23]).normal(size=found.values.shape)
    for order, values in (("values", found.values), ("random", chance)):
        found_curves = curves(found.game, values)
        yield from _mean(evidence, Key.of("deletion_insertion_gap", of=order), found_curves.gap)
        for grouping in singles(evidence):
            for group, mine in members(grouping, found.rows, LEAST):
                key = group_key("deletion_insertion_gap", grouping, group, of=order)
                yield from _mean(evidence, key, found_curves.gap[mine])
        for step, count in enumerate(found_curves.taken):
            key = Key.of("score_after_removal", at=str(count), of=order)
            yield from _mean(evidence, key, found_curves.deletion[:, step])


def _mean(evidence: Evidence, key: Key, values: NDArray[np.float64]) -> Iterator[Finding]:
    from evenhand.explaining.faithfulness import mean_with_interval

    mean, low, high = mean_with_interval(values, evidence.options.level)
    ends = interval_of(low, high, evidence.options.level, "t, rows")
    yield Finding(key, NAME, mean, ends, support=len(values), unit="score")


AUDIT: Final = Audit(maps, frozenset({"binary", "regression"}), options=MapOptions)
