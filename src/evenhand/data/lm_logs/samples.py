"""What a log says of one answer, whoever wrote it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from evenhand.errors import InputError, did_you_mean, quoted, shorten
from evenhand.settings import Declared, setting

BUILT_IN: Final = ("task", "suite", "document", "epoch")
"""Columns of every log; all others are fields of its documents."""
LONGEST: Final = 200
"""Characters of a value that can name a group."""


@dataclass(frozen=True, slots=True)
class LogReading(Declared):
    """How logs of language models are read."""

    lm_metric: tuple[str, ...] = setting(
        (), "Metric (lm-evaluation-harness) or scorer (Inspect) that says whether an answer is right; of several the "
        "first that a task has; acc, then exact_match, or the only one, when not given.",
    )  # fmt: skip
    lm_filter: tuple[str, ...] = setting(
        (), "Filter of lm-evaluation-harness whose answers count, where a task has several; the first that a task has."
    )
    lm_right_at: float | None = setting(
        None, "Score at and above which an answer is right, where scores are not 0 and 1 alone."
    )
    lm_unscored: Literal["refuse", "wrong", "drop"] = setting(
        "refuse", "Answers without a score: refuse the logs, count them as wrong, or leave their documents out."
    )
    lm_other_settings: bool = setting(
        False, "Whether two logs of different prompts or settings are compared: the change is then that of both."
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """One graded answer."""

    task: str
    """The task, or benchmark."""
    document: str
    """Which document of the task was answered."""
    epoch: int
    """Which of repeated answers, from 1."""
    score: float | None
    """What it was graded; None where it was not."""
    content: str
    """Fingerprint of the document; empty where the log has none."""
    prompt: str
    """Fingerprint of the prompt; empty where the log has none."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Fields of the document by which answers may be grouped."""

    @property
    def place(self) -> tuple[str, str, int]:
        """What pairs it with the answer of another model."""
        return self.task, self.document, self.epoch


@dataclass(frozen=True, slots=True)
class Log:
    """All answers of one model."""

    name: str
    """Where it was read from."""
    model: str
    """What the log calls the model; empty where it does not say."""
    samples: tuple[Sample, ...] = field(repr=False)
    """In the order of the log."""
    settings: Mapping[str, Mapping[str, str]]
    """By task what else decides a score: few-shot examples, solver, arguments."""
    metrics: Mapping[str, str]
    """By task the metric that was read."""
    suites: Mapping[str, str] = field(default_factory=dict)
    """The group of tasks that a task is part of, where the log says so."""


def fingerprint(*parts: object) -> str:
    """Return a short hash of plain values, the same in every process."""
    told = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def grouping_fields(held: object, wanted: frozenset[str], prefix: str = "") -> dict[str, str]:
    """Return the wanted fields of a document whose values can name a group: texts, numbers and truth values."""
    if not isinstance(held, Mapping):
        return {}
    found = {}
    for name in wanted:
        value = held.get(name.removeprefix(prefix))
        if isinstance(value, (str, int, float, bool)) and not (isinstance(value, float) and not math.isfinite(value)):
            found[name] = str(value)[:LONGEST]
    return found


def chosen(where: str, there: tuple[str, ...], wanted: tuple[str, ...], usual: tuple[str, ...], setting: str) -> str:
    """Return which of several metrics or filters is read.

    Raises
    ------
    InputError
        When none that was named is there, or several are and none was named.
    """
    for name in (*wanted, *(() if wanted and len(there) > 1 else usual)):
        if name in there:
            return name
    if len(there) == 1:
        return there[0]
    known = shorten(", ".join(there), 200)
    if wanted:
        raise InputError(f"{where}: there is no {' or '.join(map(quoted, wanted))}; there are {known}."
                         + did_you_mean(wanted[0], there))  # fmt: skip
    raise InputError(f"{where}: there are {known}, and nothing says which one counts. Name it with {setting}.")
