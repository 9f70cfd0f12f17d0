"""What an address asks for: features, metric, thresholds, policy. The whole state of a view is in its query."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from evenhand.errors import InputError, did_you_mean, quoted, raise_all
from evenhand.serving.viewing.packing import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EACH: Final = "t."
"""Begins the parameter of one group's threshold: ``t.Black=0.4``."""
MANY: Final = ("by", "group", "was")
"""Parameters that may be repeated; ``was`` holds the features whose groups a form shows."""
ONCE: Final = ("metric", "class", "vs", "t", "split", "at", "every", "policy")
MOST_STEPS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One view of a record.

    Examples
    --------
    >>> asked = parsed([("by", "sex"), ("metric", "recall"), ("split", "sex"), ("t.f", "0.4")])
    >>> asked.by, asked.metric, asked.each
    (('sex',), 'recall', (('f', 0.4),))
    >>> asked.query()
    'by=sex&metric=recall&split=sex&t.f=0.4'
    """

    by: tuple[str, ...] = ()
    """The features that make the groups; of several, their crossing."""
    metric: str = ""
    """The metric; empty for the usual one."""
    of_class: str = ""
    """Of several classes, the one that it is about."""
    vs: str = ""
    """What groups are compared with, besides each other: ``overall``, ``rest`` or a group."""
    groups: tuple[str, ...] = ()
    """The groups to show and to compare; none for all."""
    threshold: float | None = None
    """The threshold of everybody; None for that of the audit."""
    split: str = ""
    """The feature whose groups have thresholds of their own."""
    each: tuple[tuple[str, float], ...] = ()
    """Those thresholds, by group."""
    policy: str | None = None
    """The text of the policy; None for the one that the server was started with."""
    at: int = 0
    """The step, from 0, where there are several to go through."""
    every: bool = False
    """Whether the policy is judged at every threshold."""

    @property
    def moved(self) -> bool:
        """Whether it asks for another threshold than that of the audit."""
        return self.threshold is not None or bool(self.each)

    def query(self, **changes: object) -> str:
        """Return the query of this view, or of one that differs in these fields."""
        asked = replace(self, **changes)  # type: ignore[arg-type]
        return urlencode([*asked._pairs()])

    def hidden(self, *names: str) -> list[tuple[str, str]]:
        """Return the parameters of these names, for the hidden fields of a form; ``t.`` means those of all groups."""
        return [(name, value) for name, value in self._pairs() if name in names or name[: len(EACH)] in names]

    def _pairs(self) -> Iterator[tuple[str, str]]:
        yield from (("by", name) for name in self.by)
        yield from (("group", name) for name in self.groups)
        texts = {"metric": self.metric, "class": self.of_class, "vs": self.vs}
        yield from ((name, text) for name, text in texts.items() if text)
        if self.threshold is not None:
            yield "t", repr(self.threshold)
        if self.each:
            yield "split", self.split
            yield from ((EACH + group, repr(value)) for group, value in self.each)
        if self.at:
            yield "at", str(self.at)
        if self.every:
            yield "every", "1"
        if self.policy is not None:
            yield "policy", packed(self.policy)


def parsed(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Read the parameters of a query.

    Raises
    ------
    InputError
        All that is wrong with them, each in a sentence.
    """
    given = [(name, value) for name, value in pairs if value]
    raise_all(InputError, _problems(given))
    one, by, was = dict(given), _all("by", given), _all("was", given)
    elsewhere = bool(was) and was != by  # the groups that a form has chosen are of other features than it now names
    vs = one.get("vs", "")
    each = tuple((name[len(EACH) :], float(value)) for name, value in one.items() if name.startswith(EACH))
    return Asked(
        by=by,
        metric=one.get("metric", ""),
        of_class=one.get("class", ""),
        vs="" if elsewhere and vs not in ("rest", "overall") else vs,
        groups=() if elsewhere else _all("group", given),
        threshold=float(one["t"]) if "t" in one else None,
        split=one.get("split", "") if each else "",
        each=each,
        policy=unpacked(one["policy"]) if "policy" in one else None,
        at=int(one.get("at", "0")),
        every="every" in one,
    )


def _all(name: str, given: list[tuple[str, str]]) -> tuple[str, ...]:
    found = dict.fromkeys(value for known, value in given if known == name)
    return tuple(found) if name == "group" else tuple(sorted(found))


def _problems(given: list[tuple[str, str]]) -> Iterator[str]:
    seen: set[str] = set()
    for name, value in given:
        if name not in (*MANY, *ONCE) and not name.startswith(EACH):
            yield f"An address of this page has no parameter {quoted(name)}.{did_you_mean(name, (*MANY, *ONCE))}"
        elif name in seen and name not in MANY:
            yield f"The parameter {quoted(name)} is there twice; it has one value."
        elif (name == "t" or name.startswith(EACH)) and not _is_number(value):
            yield f"The threshold {quoted(value)} is no finite number."
        elif name == "at" and not (value.isascii() and value.isdigit() and int(value[:7]) < MOST_STEPS):
            yield f"The step {quoted(value)} is no whole number from 0."
        seen.add(name)
    if any(name.startswith(EACH) for name in seen) and "split" not in seen:
        yield "Thresholds of groups need split=, the feature whose groups they are of."


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
