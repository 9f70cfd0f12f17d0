"""Parse what a key needs from counts, by its name and qualifiers alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.keys import Feature, Key, KeySyntaxError
from evenhand.messages import Message, message
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.compression import CHANGED
from evenhand.metrics.catalogue.names import canonical, parse_disparity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evenhand.metrics.catalogue.entry import How

ODDS: Final = ("equalized_odds", "average_odds")
EXCESS: Final = ("excess_accuracy_change", "normalized_recall_change")
CHANGE: Final = "_change"
NO_ORIGINAL: Final = message("No decisions of an original model were counted with these.")


SHARES: Final = ("share_of_selected", "demographic_disparity")
"""What is said of a group beside all others."""
OF_ALL: Final = (
    "differential_fairness", "between_group_entropy", "between_group_theil", "between_group_variation",
    "bias_amplification", "kl_divergence", "class_imbalance",
)  # fmt: skip
"""What is said of all groups of a feature together."""
TO_HIGHEST: Final = ("selection_rate_ratio", "favourable_rate_ratio")
"""Ratios of a group's rate to the highest one."""


class NoAnswerError(Exception):
    """The key cannot be computed from counts; the message gives the reason.

    See Also
    --------
    evenhand.metrics.answers.answers_of : Answers keys, and says so where it cannot.
    """

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class NoCountsError(NoAnswerError):
    """Counts could give the key, but there are none of these columns."""


@dataclass(frozen=True, slots=True)
class Question:
    """One key, taken apart."""

    metric: str
    """The metric whose values are requested or compared."""
    how: How | None
    """How groups are compared; None for a value."""
    columns: tuple[str, ...]
    """The columns that make the groups."""
    group: tuple[str, ...] | None
    """The requested group: empty for all rows, None for a comparison of groups."""
    original: bool = False
    """Whether it is about the original, or about changes of its decisions."""
    paired: bool = False
    """Whether the metric compares two models on the same rows."""
    chosen: str = ""
    """The class it is about."""
    to: str = ""
    """What each group is compared with in place of the others."""
    given: Feature | None = None
    """The control feature within whose values groups are compared, and which value."""
    threshold: str = ""
    """The threshold of the decisions, where it is not the model's own."""

    @property
    def of_gap(self) -> bool:
        """Whether it is the change of a gap between groups."""
        return self.paired and self.how is not None and not is_paired(self.metric)


def question(key: Key) -> Question:
    """Take a key apart.

    Raises
    ------
    NoAnswerError
        When no counts of any kind could give it.
    """
    name = canonical(key.metric)
    if name is None:
        raise NoAnswerError(
            message("No audit of this record states it, and no metric of counts is called {name}.", name=key.metric)
        )
    metric, how, paired = _split(name)
    asked = dict(key.qualifiers)
    of, chosen, to, given, at = (asked.pop(word, "") for word in ("of", "class", "vs", "given", "threshold"))
    for word, value in (*asked.items(), *([("of", of)] if of not in ("", "original") else [])):
        raise NoAnswerError(message("Counts know nothing of {word}={value}.", word=word, value=value))
    if paired and not of:
        raise NoAnswerError(message("It compares two models: ask for it with of=original."))
    if at and (of or chosen or given):
        raise NoAnswerError(
            message("At another threshold counts know all decisions of the model, and no parts of them.")
        )
    _check_groups(key, how, bool(to or given))
    group = None if how is not None else tuple(group for _, group in key.group)
    return Question(metric, how, key.columns, group, bool(of), paired, chosen, to, _control(given), at)


def takes_all_groups(key: Key) -> bool:
    """Whether a key is about all groups of a feature together, as impact ratios and indexes of inequality are."""
    whole = bool(key.columns) and len(key.group) == len(key.columns)
    if key.metric in TO_HIGHEST:
        return whole and key.qualifiers == (("vs", "highest"),)
    if key.qualifiers:
        return False
    return whole if key.metric in SHARES else key.metric in OF_ALL and bool(key.columns) and not key.group


def is_counted(name: str) -> bool:
    """Whether counts of truth and decision are all that a metric or disparity needs.

    Parameters
    ----------
    name : str
        A metric or a disparity.

    Examples
    --------
    >>> is_counted("recall_difference"), is_counted("roc_auc")
    (True, False)
    """
    split = parse_disparity(name)
    metric = split[0] if split is not None else canonical(name) or ""
    return metric in ODDS or (metric in METRICS and METRICS[metric].counted)


def usual_keys(name: str, features: Iterable[tuple[str, ...]]) -> Iterator[Key]:
    """Yield the keys of a metric: its value over all rows, and its comparison over each feature.

    Parameters
    ----------
    name : str
        A metric.
    features : iterable of tuple of str
        The columns of each grouping.

    Examples
    --------
    >>> [str(key) for key in usual_keys("recall_difference", [("sex",), ("race",)])]
    ['recall_difference[sex]', 'recall_difference[race]']
    """
    base, how = parse_disparity(name) or (name, None)
    gap = parse_disparity(name.removesuffix(CHANGE)) if name.endswith(CHANGE) else None
    of = {"of": "original"} if gap is not None or is_paired(base) else {}
    yield from (Key.of(name, columns, **of) for columns in (features if how or gap else [()]))


def is_paired(metric: str) -> bool:
    """Whether the values of a metric are those of two models' decisions on the same rows."""
    if metric in METRICS and METRICS[metric].pairs:
        return True
    return metric in EXCESS or (metric.endswith(CHANGE) and metric.removesuffix(CHANGE) in CHANGED)


def _split(name: str) -> tuple[str, How | None, bool]:
    """Return metric, way of comparing, and whether two models are compared."""
    metric, how = parse_disparity(name) or (name, None)
    if is_paired(metric):
        return metric, how, True
    gap = parse_disparity(name.removesuffix(CHANGE)) if name.endswith(CHANGE) else None
    if gap is not None and gap[1] != "ratio":
        return *gap, True
    if not is_counted(name):
        raise NoAnswerError(message("No audit of this record states it, and counts of decisions do not say it."))
    return metric, how, False


def _check_groups(key: Key, how: How | None, compared: bool) -> None:
    named = len(key.group)
    if how is None and compared:
        raise NoAnswerError(message("A value is compared with nothing: ask for its difference or ratio."))
    if any(feature.each for feature in key.features):
        raise NoAnswerError(message("No group of {columns} has this value in the record.", columns=key.columns))
    if how is None and named < len(key.columns):
        raise NoAnswerError(message("A value is that of one group: name it, or compare the groups by a difference."))
    if how is not None and (named or not key.columns):
        raise NoAnswerError(message("Groups are compared over a column: name it, without a group."))


def _control(given: str) -> Feature | None:
    if not given:
        return None
    try:
        (feature,) = Key.parse(f"value[{given}]").features
    except (KeySyntaxError, ValueError):
        raise NoAnswerError(message("{given} is no control feature.", given=given)) from None
    return feature


def cut_of(asked: Question) -> float:
    """Return the threshold that a question names."""
    try:
        cut = float(asked.threshold)
    except ValueError:
        cut = math.nan
    if not math.isfinite(cut):
        raise NoAnswerError(message("The threshold {name} is no number.", name=asked.threshold))
    return cut


def question_or_reason(key: Key) -> Question | Message:
    """Return what a key asks, or why counts do not answer it."""
    try:
        return question(key)
    except NoAnswerError as why:
        return why.reason
