"""What the pages show, as plain data: one answer is a heading, sentences and blocks, which the page's figures draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from evenhand.report.view import Block


@dataclass(frozen=True, slots=True)
class Answer:
    """One part of a page."""

    name: str
    """Its anchor."""
    title: str
    lead: tuple[str, ...] = ()
    """Plain sentences before anything else."""
    blocks: tuple[Block, ...] = ()
    links: tuple[str, ...] = ()
    """Where the first cells of its table lead, a row each; empty for nowhere."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a form."""

    value: str
    label: str
    chosen: bool = False
    group: str = ""
    """The heading that it is under."""


@dataclass(frozen=True, slots=True)
class GroupThreshold:
    """The threshold of one group in the form."""

    name: str
    value: str
    """As the form has it; empty for that of everybody."""


@dataclass(frozen=True, slots=True)
class Form:
    """What can be chosen, and what is."""

    features: tuple[Choice, ...]
    metrics: tuple[Choice, ...]
    classes: tuple[Choice, ...]
    references: tuple[Choice, ...]
    groups: tuple[Choice, ...]
    threshold: str
    in_use: str
    """The threshold of the audit; empty where it names none."""
    least: str
    greatest: str
    known: int
    """The number of thresholds that the record has counts at; 0 for none."""
    split: str
    """The feature whose groups may have thresholds."""
    each: tuple[GroupThreshold, ...]
    lower: str = ""
    """The query of the next lower threshold; empty where there is none."""
    higher: str = ""


@dataclass(frozen=True, slots=True)
class Limited:
    """One judged limit."""

    status: Literal["passed", "failed", "undecided"]
    badge: str
    label: str
    key: str
    measured: str
    limit: str
    why: str
    before: str = ""
    """What it came to at the threshold of the audit, or in the earlier record."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a policy, with the line that it is about."""

    sentence: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy comes to."""

    status: Literal["passed", "failed", "undecided", "none"]
    headline: str
    sentence: str
    limits: tuple[Limited, ...] = ()
    remarks: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of several."""

    title: str
    blocks: tuple[Block, ...]
    lead: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
