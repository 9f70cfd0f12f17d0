"""What a model says of corrupted rows: each corruption at each severity is asked about once, for all audits' rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.data.inputs import as_inputs
from evenhand.errors import InputError, ModelError, did_you_mean, raise_all
from evenhand.evidence.own_decisions import ROUNDING, classes_decided
from evenhand.evidence.predictions import ask, columns_read, reads
from evenhand.messages import message
from evenhand.probing.corruption import SEVERITIES, corruptions_of, learn_ranges, tried

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Inputs
    from evenhand.evidence.evidence import Evidence
    from evenhand.findings import Batch
    from evenhand.probing.corruption import Corruption, Ranges
    from evenhand.subjects import Subject

LEARNED: Final = {
    "members": message("the rows that the model was fitted on"),
    "background": message("the background rows"),
    "data": message("the evaluation rows themselves, as no others were given"),
}
"""What ranges are learned from."""
UNANSWERED: Final = message("The model does not answer rows that are corrupted so.")
ENOUGH: Final = 20_000
"""Rows that ranges of arrays are learned from."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What was said of the rows, corrupted in one way at one severity."""

    corruption: Corruption
    severity: int
    scores: NDArray[np.float64] | None
    """(n,) scores of the positive class; None where there are none."""
    decided: NDArray[Any]
    """(n,) decisions, classes or numbers."""
    original: NDArray[Any] | None = None
    """(n,) those of the original on the same corrupted rows; None without one."""


@dataclass(slots=True, eq=False)
class Corrupting:
    """The rows of an evaluation set that are corrupted, and what is known of how."""

    evidence: Evidence
    rows: NDArray[np.int64]
    """(n,) positions of the rows: all, or as many as are allowed, drawn with the seed."""
    ranges: Ranges
    source: str
    """What the ranges were learned from; a key of `LEARNED`."""
    skipped: dict[str, str] = field(default_factory=dict)
    """The corruptions that change nothing, or that the model does not answer, each with the reason."""

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        """The corruptions of such inputs that have something to change."""
        found = corruptions_of(self.evidence.reads)
        self.skipped |= {each.name: why for each in found if (why := each.idle(self.ranges))}
        return tuple(each for each in found if each.name not in self.skipped)

    def answers(self) -> Iterator[tuple[Answered, ...]]:
        """Yield for each corruption what is said at each severity; none where the model does not answer."""
        for corruption in self.corruptions:
            try:
                yield tuple(self._answer(corruption, severity) for severity in SEVERITIES)
            except ModelError:  # its words may hold a row's values
                self.skipped[corruption.name] = UNANSWERED

    def _answer(self, corruption: Corruption, severity: int) -> Answered:
        evidence, seed = self.evidence, self.evidence.options.seed
        asked = [evidence.subject] if self._original is None else [evidence.subject, self._original]
        said: list[list[tuple[NDArray[np.float64], NDArray[Any]]]] = [[] for _ in asked]
        start = 0
        for batch in self._inputs.batches():
            changed = corruption.apply(batch, severity, seed, self.ranges, start)
            start += len(batch)
            for subject, parts in zip(asked, said, strict=True):
                parts.append(_said(subject, evidence.data, changed))
        scores = np.concatenate([part for part, _ in said[0]])
        decisions = [np.concatenate([part for _, part in parts]) for parts in said]
        shown = evidence.data.task == "binary" and evidence.subject.score_kind != "label"
        original = None if self._original is None else decisions[1]
        return Answered(corruption, severity, scores if shown else None, decisions[0], original)

    @property
    def _original(self) -> Subject | None:
        """The original, where it reads the same kind of rows."""
        evidence = self.evidence
        if evidence.original is None or not evidence.asked or reads(evidence.original, evidence.data) != evidence.reads:
            return None
        return evidence.original

    @property
    def _inputs(self) -> Inputs:
        return all_read(self.evidence, self.evidence.data).take(self.rows)


def corrupting(
    evidence: Evidence, most: int, immutable: Sequence[str] | None, synonyms: Mapping[str, tuple[str, ...]]
) -> Corrupting:
    """Return the rows of the evidence that are corrupted, with the ranges that training rows show.

    Parameters
    ----------
    evidence : Evidence
        What is looked at.
    most : int
        The most rows.
    immutable : names or None
        Columns that are never changed; None for the sensitive features.
    synonyms : mapping
        Words, each with what else says it.

    Raises
    ------
    InputError
        When an immutable column is not there.
    """
    data, seed = evidence.data, evidence.options.seed
    known = [str(name) for name in data.table.columns]
    raise_all(
        InputError,
        (
            f"immutable: there is no column '{name}'.{did_you_mean(name, known)}"
            for name in immutable or ()
            if name not in known
        ),
    )
    rows = np.arange(len(data))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng([seed, 30]).choice(len(rows), most, replace=False))
    learned = evidence.members or evidence.background or data
    source = "members" if evidence.members else "background" if evidence.background else "data"
    inputs = all_read(evidence, learned)
    shown = inputs.whole() if inputs.kind == "table" else _some(inputs, seed)
    kept = data.roles.sensitive_features if immutable is None else immutable
    ranges = learn_ranges(shown, kept, synonyms)
    if evidence.reads == "table":
        few = cast("pd.DataFrame", all_read(evidence, data).take(rows[:100]).whole())
        ranges = tried(evidence.subject, few[list(columns_read(evidence.subject, data))], ranges)
    return Corrupting(evidence, rows, ranges, source)


def all_read(evidence: Evidence, data: EvaluationSet) -> Inputs:
    """Return what the subject, and the original where there is one, read of some rows."""
    if evidence.reads != "table":
        return data.inputs_as(evidence.reads, evidence.subject.name)
    columns = list(columns_read(evidence.subject, data))
    if evidence.original is not None and reads(evidence.original, data) == "table":
        columns += [name for name in columns_read(evidence.original, data) if name not in columns]
    return as_inputs(data.table[columns])


def _some(inputs: Inputs, seed: int) -> Batch:
    """Return the first batch of rows drawn with the seed."""
    drawn = np.random.default_rng([seed, 32]).permutation(len(inputs))[:ENOUGH]
    return next(iter(inputs.take(np.sort(drawn)).batches()))


def _said(subject: Subject, data: EvaluationSet, batch: Batch) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return scores and decisions of a batch.

    Raises
    ------
    ModelError
        When the model fails, or an answer is no finite number.
    """
    rows = as_inputs(batch)
    if rows.kind == "table":
        rows = as_inputs(cast("pd.DataFrame", batch)[list(columns_read(subject, data))])
    values = ask(subject, rows)
    if not np.isfinite(values).all():
        raise ModelError(f"Model '{subject.name}' gave no finite number.")
    if data.task == "binary":
        return values, _decided(subject, rows, values)
    return values, classes_decided(subject, rows, values) if data.task == "multiclass" else values


def _decided(subject: Subject, rows: Inputs, scores: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return decisions by the threshold that rows as they are have shown; the model itself decides on it."""
    threshold = float(subject.threshold)
    said = (scores >= threshold).astype(np.int8)
    own = getattr(subject, "own_decisions", None)
    near = np.flatnonzero(np.abs(scores - threshold) <= ROUNDING * max(1.0, abs(threshold)))
    if own is not None and len(near):
        said[near] = np.concatenate([own(batch) for batch in rows.take(near).batches()])
    return said
