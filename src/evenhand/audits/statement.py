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
    "EVERY_TASK", "NO_TRUTH", "SPARED", "UNTIMED", "Audit", "Statement", "disparity_finding", "group_key",
    "interval_of", "labels_of", "members", "not_applicable", "number", "singles", "value_finding", "without_model",
]  # fmt: skip

EVERY_TASK: Final = frozenset[Task](get_args(Task))
"""Every kind of label: what an audit that needs no particular one is for."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The declaration of an audit.

    Examples
    --------
    >>> audit = Audit(lambda evidence: Statement(), tasks=EVERY_TASK)
    >>> "regression" in audit.tasks, audit.of_columns
    (True, False)
    """

    run: Callable[[Evidence], Statement]
    """Returns its statement; the first line of its docstring is its description."""
    tasks: frozenset[Task] = frozenset({"binary"})
    """The supported tasks."""
    options: type[Declared] | None = None
    """The dataclass of its own options, read by ``evidence.options.of(...)``."""
    of_columns: bool = False
    """Whether it is about input columns, so it needs a model with table inputs."""
    wanted: Callable[[Evidence], bool] = lambda _: True
    """Whether it is run where no audits are named: one that few audits have anything for is left out of the others."""
    asks_again: bool = False
    """Whether it asks the model about rows that were changed or chosen: where the model fails on them and the audit was
    not named, the audit is not run, and the others are."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The findings of one audit, or why there are none.

    Examples
    --------
    >>> not_applicable("There are no scores.").ran
    False
    """

    findings: tuple[Finding, ...] = ()
    """What the audit states."""
    reason: str = ""
    """Why it did not run, or the limitations of its findings."""
    ran: bool = True
    """False when there was nothing to work on."""


SPARED: Final = message(
    "A model behind HTTP is asked about its rows alone. This asks about many others: name the audit to have it asked."
)
"""Why an audit left a model behind HTTP alone."""
NO_TRUTH: Final = message(
    "The rows that the model was fitted on lack the label, or a column of the groups, so it is not known how it does "
    "on them."
)
"""Why nothing is said of how a model does on its members."""
UNTIMED: Final = message("A model behind HTTP is not timed: its answers are kept, and the network would be measured.")
"""Why sizes and times of a model behind HTTP are not stated."""


def not_applicable(reason: str, /, **places: Place) -> Statement:
    """Return the statement of an audit that cannot run; the reason is a message id.

    Parameters
    ----------
    reason : str
        Why, a sentence with places such as ``{n}``.
    **places
        What fills the places.

    Examples
    --------
    >>> not_applicable("There are {n} rows.", n=3).reason
    'There are 3 rows.'
    """
    return Statement((), message(reason, **places), ran=False)


def without_model(evidence: Evidence, reason: str) -> Statement | None:
    """Return why there are no explanations: switched off, no model to call or one to spare; None where there is one.

    Parameters
    ----------
    evidence : Evidence
        What the audit looks at.
    reason : str
        The sentence for predictions without a model.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.evidence import Evidence
    >>> from evenhand.subjects import as_subject
    >>> evidence = Evidence(as_subject(lambda X: X["appinc"] * 0), eh.load_loanapp())
    >>> without_model(evidence, "There is no model.") is None
    True
    """
    if not evidence.options.explain:
        return not_applicable("Explanations were switched off.")
    if evidence.subject.facts.get("kind") == "predictions":
        return Statement((), reason, ran=False)
    return not_applicable(SPARED) if evidence.spared else None


def singles(evidence: Evidence) -> list[Grouping]:
    """Return the groupings by one feature.

    Parameters
    ----------
    evidence : Evidence
        What the audit looks at.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.evidence import Evidence
    >>> from evenhand.subjects import as_subject
    >>> evidence = Evidence(as_subject(lambda X: X["appinc"] * 0), eh.load_loanapp())
    >>> [grouping.columns for grouping in singles(evidence)]
    [('married',), ('race',), ('sex',)]
    """
    return [grouping for grouping in evidence.groupings if len(grouping.columns) == 1]


def members(grouping: Grouping, rows: NDArray[np.int64], least: int = 1) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield each group that has at least `least` of some rows, and the mask of its rows.

    Parameters
    ----------
    grouping : Grouping
        The groups.
    rows : (k,) array of int
        Positions of rows.
    least : int
        The fewest of them that a group must have.

    Examples
    --------
    >>> import evenhand as eh
    >>> import numpy as np
    >>> sex = eh.load_loanapp().grouping("sex")
    >>> sum(int(mask.sum()) for _, mask in members(sex, np.arange(100)))
    100
    """
    codes = grouping.codes[rows]
    for group in range(len(grouping)):
        mine = codes == group
        if mine.sum() >= least:
            yield group, mine


def labels_of(grouping: Grouping | None, group: int) -> dict[str, str]:
    """Return the columns and values of a group; none for all rows.

    Parameters
    ----------
    grouping : Grouping, optional
        The groups; None for all rows.
    group : int
        The position of the group.

    Examples
    --------
    >>> import evenhand as eh
    >>> labels_of(eh.load_loanapp().grouping("sex"), 1)
    {'sex': 'male'}
    """
    return {} if grouping is None else dict(zip(grouping.columns, grouping.labels[group], strict=True))


def group_key(metric: str, grouping: Grouping, group: int, **qualifiers: str) -> Key:
    """Return the key of a metric for one group of a grouping.

    Parameters
    ----------
    metric : str
        The metric.
    grouping : Grouping
        The groups.
    group : int
        The position of the group.
    **qualifiers
        Such as ``of="original"``.

    Examples
    --------
    >>> import evenhand as eh
    >>> str(group_key("recall", eh.load_loanapp().grouping("sex"), 0))
    'recall[sex=female]'
    """
    return Key.of(metric, labels_of(grouping, group), **qualifiers)


def interval_of(low: float, high: float, level: float, method: str) -> Interval:
    """Return an interval, open where an end is not a number.

    Parameters
    ----------
    low, high : float
        The ends.
    level : float
        The confidence.
    method : str
        How it was found.

    Examples
    --------
    >>> interval_of(0.2, float("nan"), 0.95, "mine").high is None
    True
    """
    return Interval(number(low), number(high), level, method)


def disparity_finding(
    key: Key, audit: str, found: Disparity, grouping: Grouping, level: float, unit: Unit = "share"
) -> Finding:
    """Return the finding of a disparity over the groups of `grouping`.

    Parameters
    ----------
    key : Key
        The finding's key.
    audit : str
        The name of the audit that states it.
    found : Disparity
        The disparity, as `evenhand.metrics.disparity` returns it.
    grouping : Grouping
        The groups that were compared.
    level : float
        The confidence of its interval.
    unit : Unit
        What its number is.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.metrics import Tally, disparity
    >>> sex = eh.load_loanapp().grouping("sex")
    >>> tally = Tally.count([1] * len(sex.codes), [1] * len(sex.codes), sex.codes, 2)
    >>> found = disparity("recall_difference", tally)
    >>> disparity_finding(eh.Key.parse("recall_difference[sex]"), "mine", found, sex, 0.95).estimate
    0.0
    """
    return stating.disparity_finding(key, audit, found, grouping.name, level, unit)
