"""Error rates of transcripts by group: edits over words or characters of all rows together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import lowered, message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.counts.edits import edits
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.inference.skewed import FEW
from evenhand.metrics.values.means import finished, told
from evenhand.metrics.values.rates import measure
from evenhand.metrics.values.totals import quotient_of_totals
from evenhand.metrics.values.units import apart_of, units_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.values.means import Means
    from evenhand.metrics.values.rates import Measured

WORDS, CHARACTERS = slice(0, 3), slice(4, 7)
"""The columns of edits, of words and of characters; the next one holds how many there are in the reference."""
TOTALS: Final = {
    "word_error_rate": (0, 1, 2, 3),
    "character_error_rate": (4, 5, 6, 7),
    "substitution_rate": (0, 3),
    "deletion_rate": (1, 3),
    "insertion_rate": (2, 3),
}
"""The columns that are counted, and last that of which they are a quotient."""
OF_TRANSCRIPTS: Final = (*TOTALS, "sentence_error_rate")
"""The metrics of transcripts."""
CHANGED: Final = {"word_error_rate_change": "word_error_rate", "character_error_rate_change": "character_error_rate"}
"""What compression did to two of them."""
LEAST: Final = 4
"""Speakers, or utterances where no speaker is named, below which nothing is said of others."""
SOME: Final = 10
"""How many of many speakers must have errors, or of a change other errors than before; of few, `LEAST` of a change."""

QUOTIENT: Final = "quotient of totals, hall, one more unit"
CHANGE: Final = "paired quotient of totals, hall"
FEW_SPEAKERS: Final = message(
    "Fewer than {least} clusters, such as speakers, do not show how much speakers differ, so nothing is said of others."
)
FEW_UTTERANCES: Final = message("Fewer than {least} utterances do not show how much utterances differ.")
FEW_WRONG: Final = message("Fewer than {some} of many clusters have an error; the errors of others may be far more.")
ALIKE: Final = message("All have the same error rate, which shows no spread; other rows may well differ.")
FEW_CHANGED: Final = message("Fewer than {some} utterances, or clusters of them, have other errors than before.")


def edits_of(references: Sequence[str], hypotheses: Sequence[str]) -> Ints:
    """Return the edits of transcripts, (n, 8): by word, then by character.

    Of each four columns: substitutions, deletions, insertions, and the words or characters of the reference. Blanks
    between words are characters.

    Parameters
    ----------
    references, hypotheses : n texts
        In one spelling, with one blank between words.

    Examples
    --------
    >>> edits_of(["the cat sat"], ["the cats sat down"]).tolist()
    [[1, 0, 1, 3, 0, 0, 6, 11]]
    """
    known: dict[str, int] = {}

    def words(text: str) -> Ints:
        return np.array([known.setdefault(word, len(known)) for word in text.split()], dtype=np.int64)

    sides = []
    for cut in (words, _characters):
        upper, lower = [cut(text) for text in references], [cut(text) for text in hypotheses]
        sides.append(np.column_stack([edits(upper, lower), [len(each) for each in upper]]))
    return np.column_stack(sides)


def _characters(text: str) -> Ints:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)


def measure_transcripts(
    metric: str,
    found: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    level: float = 0.95,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Measured:
    """Measure an error rate of transcripts in every group.

    Parameters
    ----------
    metric : str
        One of `OF_TRANSCRIPTS`: ``word_error_rate``, ``insertion_rate`` ...
    found : (n, 8) array
        Edits, as `edits_of` counts them.
    codes : (n,) integer array
        The group of each row.
    n_groups : int
        The number of groups.
    level : float
        Two-sided confidence.
    weight, clusters : (n,) arrays, optional
        Sampling weights, and what belongs together, such as the utterances of a speaker.

    Raises
    ------
    InputError
        When there is no such metric.

    Examples
    --------
    >>> found = edits_of(["a b c", "d"], ["a b", "d"])
    >>> measure_transcripts("word_error_rate", found, [0, 0]).estimate.tolist()
    [0.25]
    """
    if metric not in OF_TRANSCRIPTS:
        raise InputError(f"'{metric}' is no metric of transcripts.{did_you_mean(metric, OF_TRANSCRIPTS)}")
    counts, group = np.asarray(found), np.asarray(codes).astype(np.intp)
    if metric == "sentence_error_rate":
        return _of_sentences(counts, group, n_groups, level, weight, clusters)
    *upper, below = TOTALS[metric]
    top, bottom = counts[:, upper].sum(axis=1), counts[:, below]
    means = quotient_of_totals(top, bottom, group, n_groups, weight, clusters)
    measured = _finished(metric, means, level)
    marks = _few(means, units_with(top, group, clusters, n_groups), clusters is not None)
    return replace(measured, uncovered=marks, apart=apart_of(group, clusters))


def changed_transcripts(
    metric: str,
    before: ArrayLike,
    after: ArrayLike,
    codes: ArrayLike,
    n_groups: int = 1,
    level: float = 0.95,
    weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Measured:
    """Measure by how much more of all words, or characters, is wrong than before, in every group.

    Both models hear the same utterances, so that each has one difference of its errors.

    Parameters
    ----------
    metric : str
        One of `CHANGED`.
    before, after : (n, 8) arrays
        Edits of the original and of the compressed model.
    codes, n_groups, level, weight, clusters
        As for `measure_transcripts`.

    Examples
    --------
    >>> before, after = edits_of(["a b c d"], ["a b c d"]), edits_of(["a b c d"], ["a b d"])
    >>> changed_transcripts("word_error_rate_change", before, after, [0]).estimate.tolist()
    [0.25]
    """
    old, new, group = np.asarray(before), np.asarray(after), np.asarray(codes).astype(np.intp)
    *upper, below = TOTALS[CHANGED[metric]]
    more = new[:, upper].sum(axis=1) - old[:, upper].sum(axis=1)
    means = quotient_of_totals(more, new[:, below], group, n_groups, weight, clusters)
    moved = units_with(np.abs(more), group, clusters, n_groups)
    found = finished(metric, means.mean, means.rows, _reasons(metric, means), CHANGE, means.ends, level)
    marks = _few(means, moved, clusters is not None, changed=True)
    return replace(found, uncovered=marks, apart=apart_of(group, clusters))


def _finished(metric: str, means: Means, level: float) -> Measured:
    """Return quotients as values; without an error, the high end is that of units of which none has one."""
    units = np.maximum(means.freedom + 1, 0)

    def ends(z: float) -> tuple[Floats, Floats]:
        low, high = means.ends(z, log=True)
        none = means.mean == 0
        return np.where(none, 0.0, low), np.where(none, clopper_pearson(np.zeros(len(units)), units, z)[1], high)

    return finished(metric, means.mean, means.rows, _reasons(metric, means), QUOTIENT, ends, level)


def _reasons(metric: str, means: Means) -> tuple[str, ...]:
    """Return why a group has no value: it has no row, or its references have no word."""
    none = message("No reference of these rows has a word: {metric} is a number over 0.", metric=_label(metric))
    known = np.isfinite(means.mean)
    return tuple(
        none if rows and not ok else why for why, rows, ok in zip(told(means.rows), means.rows, known, strict=True)
    )


def _label(metric: str) -> str:
    return lowered(METRICS[metric].label)


def _few(means: Means, some: Ints, clustered: bool, changed: bool = False) -> tuple[str, ...]:
    """Return for each group why no interval covers: it has too few units, or too few with errors; empty of others."""
    number = means.freedom + 1
    least = np.where(number >= FEW, SOME, LEAST if changed else 0)
    seldom = some < (least if clustered or changed else 0)
    seldom &= changed | (some > 0)
    alike = (means.error == 0) & (means.mean > 0) & (not changed)
    few = message(FEW_SPEAKERS if clustered else FEW_UTTERANCES, least=LEAST)
    marks = tuple(
        few if units < LEAST else _rare(changed, int(needed)) if rare else ALIKE if same else ""
        for units, rare, needed, same in zip(number, seldom, least, alike, strict=True)
    )
    return marks if any(marks) else ()


def _rare(changed: bool, some: int) -> str:
    return message(FEW_CHANGED if changed else FEW_WRONG, some=some)


def _of_sentences(
    counts: Ints, group: Ints, n_groups: int, level: float, weight: ArrayLike | None, clusters: ArrayLike | None
) -> Measured:
    """The share of rows with an edit, counted as decisions are."""
    wrong = (counts[:, WORDS].sum(axis=1) > 0).astype(np.int8)
    tally = Tally.count(wrong, wrong, group, n_groups, weight, clusters=clusters)
    return replace(measure("selection_rate", tally, level), metric="sentence_error_rate")
