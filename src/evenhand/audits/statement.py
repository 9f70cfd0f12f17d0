"""The result of one audit, and helpers that turn measured arrays into findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from evenhand.findings import Interval, Task
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.answers import findings as stating
from evenhand.metrics.answers.findings import number, value_finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding, Unit
    from evenhand.messages import Place
    from evenhand.metrics import Disparity
    from evenhand.settings import Declared

__all__ = [
    "EVERY_TASK", "Audit", "Statement", "disparity_finding", "group_key", "interval_of", "labels_of", "members",
    "not_applicable", "number", "singles", "value_finding", "without_model",
]  # fmt: skip

EVERY_TASK: Final = frozenset[Task](get_args(Task))
"""Every kind of label: what an audit that needs no particular one is for."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The declaration of an audit."""

    run: Callable[[Evidence], Statement]
    """Returns its statement; the first line of its docstring is its description."""
    tasks: frozenset[Task] = frozenset({"binary"})
    """The supported tasks."""
    options: type[Declared] | None = None
    """The dataclass of its own options, read by ``evidence.options.of(...)``."""
    of_columns: bool = False
    """Whether it is about input columns, so it needs a model with table inputs."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The findings of one audit, or why there are none."""

    findings: tuple[Finding, ...] = ()
    """What the audit states."""
    reason: str = ""
    """Why it did not run, or the limitations of its findings."""
    ran: bool = True
    """False when there was nothing to work on."""


def not_applicable(reason: str, /, **places: Place) -> Statement:
    """Return the statement of an audit that cannot run; the reason is a message id."""
    return Statement((), message(reason, **places), ran=False)


def without_model(evidence: Evidence, reason: str) -> Statement | None:
    """Return why there are no explanations: switched off, or no model to call; None where there is one."""
    if not evidence.options.explain:
        return not_applicable("Explanations were switched off.")
    return Statement((), reason, ran=False) if evidence.subject.facts.get("kind") == "predictions" else None


def singles(evidence: Evidence) -> list[Grouping]:
    """Return the groupings by one feature."""
    return [grouping for grouping in evidence.groupings if len(grouping.columns) == 1]


def members(grouping: Grouping, rows: NDArray[np.int64], least: int = 1) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield each group that has at least `least` of some rows, and the mask of its rows."""
    codes = grouping.codes[rows]
    for group in range(len(grouping)):
        mine = codes == group
        if mine.sum() >= least:
            yield group, mine


def labels_of(grouping: Grouping | None, group: int) -> dict[str, str]:
    """Return the columns and values of a group; none for all rows."""
    return {} if grouping is None else dict(zip(grouping.columns, grouping.labels[group], strict=True))


def group_key(metric: str, grouping: Grouping, group: int, **qualifiers: str) -> Key:
    """Return the key of a metric for one group of a grouping."""
    return Key.of(metric, labels_of(grouping, group), **qualifiers)


def interval_of(low: float, high: float, level: float, method: str) -> Interval:
    """Return an interval, open where an end is not a number."""
    return Interval(number(low), number(high), level, method)


def disparity_finding(
    key: Key, audit: str, found: Disparity, grouping: Grouping, level: float, unit: Unit = "share"
) -> Finding:
    """Return the finding of a disparity over the groups of `grouping`."""
    return stating.disparity_finding(key, audit, found, grouping.name, level, unit)
