"""Edits that make one sequence of another: substitutions, deletions and insertions (Levenshtein 1966)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.metrics.counts.arrays import Indices, Ints

CELLS: Final = 1 << 16
"""Cells of a step of the programme, over all pairs that take it together."""
EDIT: Final = 1 << 24
"""The cost of an edit; a substitution costs 1 more, so that of equally few edits those with most matches count."""
OF_HYPOTHESIS, OF_REFERENCE = -1, -2
"""What fills up the shorter sequences; one matches the other nowhere."""


def edits(references: Sequence[Ints], hypotheses: Sequence[Ints]) -> Ints:
    """Count the edits that make each hypothesis of its reference: as few as can be.

    Several alignments may have as few edits; the one with the most matching parts is counted.

    Parameters
    ----------
    references, hypotheses : n sequences of whole numbers from 0
        What stands for words or characters.

    Returns
    -------
    (n, 3) array
        Substitutions, deletions (parts of the reference that are missing) and insertions (parts that were added).

    Notes
    -----
    A dynamic programme (Wagner and Fischer 1974, JACM 21), a row of many pairs at a time.

    Examples
    --------
    >>> one, other = np.array([1, 2, 3]), np.array([1, 4, 3, 5])
    >>> edits([one], [other]).tolist()
    [[1, 0, 1]]
    """
    rows = np.array([len(each) for each in references], dtype=np.int64)
    columns = np.array([len(each) for each in hypotheses], dtype=np.int64)
    cost = np.empty(len(rows), dtype=np.int64)
    for chunk in _chunks(rows, columns):
        upper = _filled([references[at] for at in chunk], OF_REFERENCE)
        lower = _filled([hypotheses[at] for at in chunk], OF_HYPOTHESIS)
        cost[chunk] = _costs(upper, lower, rows[chunk], columns[chunk])
    total, substituted = cost // EDIT, cost % EDIT
    inserted = (total - substituted + columns - rows) // 2
    return np.column_stack([substituted, total - substituted - inserted, inserted])


def _chunks(rows: Ints, columns: Ints) -> Iterator[Indices]:
    """Yield the places of pairs of about the same length."""
    order, start = np.lexsort((columns, rows)), 0
    while start < len(order):
        widest, stop = 0, start
        while stop < len(order):
            widest = max(widest, int(columns[order[stop]]) + 1)
            if stop > start and widest * (stop + 1 - start) > CELLS:
                break
            stop += 1
        yield order[start:stop]
        start = stop


def _filled(sequences: Sequence[Ints], filler: int) -> Ints:
    """Return sequences as rows of one array."""
    held = np.full((len(sequences), max(map(len, sequences))), filler, dtype=np.int64)
    for row, sequence in zip(held, sequences, strict=True):
        row[: len(sequence)] = sequence
    return held


def _costs(reference: Ints, hypothesis: Ints, rows: Ints, columns: Ints) -> Ints:
    """Return the least cost of each pair; cell j of a row holds the cost less that of j insertions."""
    number, width = len(reference), hypothesis.shape[1]
    cells, found = np.zeros((number, width + 1), dtype=np.int64), np.empty(number, dtype=np.int64)
    for step in range(reference.shape[1] + 1):
        if step:
            new = np.empty_like(cells)
            new[:, 0] = step * EDIT
            alike = hypothesis == reference[:, step - 1, None]
            np.minimum(cells[:, :-1] + np.where(alike, -EDIT, 1), cells[:, 1:] + EDIT, out=new[:, 1:])
            cells = np.minimum.accumulate(new, axis=1)
        done = np.flatnonzero(rows == step)
        found[done] = cells[done, columns[done]] + columns[done] * EDIT
    return found
