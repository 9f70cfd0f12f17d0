"""The findings of a record that are read first: how good the model is, what compression did, for whom it is worse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from evenhand.keys import Key
from evenhand.messages import joined, message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OVERALL: Final = (
    "balanced_accuracy", "macro_recall", "subset_accuracy", "r2", "ndcg", "roc_auc", "accuracy", "stereotype_rate",
    "mean_absolute_error", "word_error_rate",
)  # fmt: skip
"""Metrics over all rows that say how good a model is, the most telling first."""
GAPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "selection_rate_ratio",
        "selection_distance",
        "mean_absolute_error_ratio",
        "exposure_ratio",
        "word_error_rate_ratio",
    ),
    ("equalized_odds_difference", "equalized_odds_distance", "mean_residual_difference", "word_error_rate_difference"),
)
"""Kinds of gaps between the groups of a feature; of each kind the first that a record has."""
CHANGES: Final = ("size_ratio[;of=original]", "flip_rate[;of=original]")
"""What says what compression did."""


COPIES: Final = ("label_copy_auc", "label_copy_correlation")
"""Columns that tell the label nearly by themselves."""
ALARMS: Final = (
    *COPIES, "target_encoding_fit", "seen_excess_share", "duplicate_excess_share", "repeated_id_share", "id_columns",
    "order_auc", "unit_slip_share",
)  # fmt: skip
"""What may be wrong with rows so that every figure of them is, the worst first; a finding says so in its note."""
SEVERAL: Final = message(
    "{n} columns that the model may read tell the label, each alone: {names}. Where they are made from the label, or "
    "known only after it, every figure here flatters the model."
)
MOST_ALARMS: Final = 3
"""Sentences about rows that are told first."""


class Stated(Protocol):
    """A finding, as far as it is chosen by."""

    @property
    def key(self) -> Key: ...  # noqa: D102
    @property
    def estimate(self) -> float | None: ...  # noqa: D102


F = TypeVar("F", bound=Stated)


@dataclass(frozen=True, slots=True)
class Headlines(Generic[F]):
    """The findings to read first, each in the order of reading."""

    overall: list[F]
    changes: list[F]
    gaps: list[list[F]]
    """Those of each feature; the feature whose groups are furthest apart first."""

    def __iter__(self) -> Iterator[F]:
        """Return all of them, in the order of reading."""
        return chain(self.overall, self.changes, *self.gaps)


def headlines(findings: Iterable[F]) -> Headlines[F]:
    """Choose what to read first of the findings that have a value."""
    defined = {str(found.key): found for found in findings if found.estimate is not None}
    features = dict.fromkeys(found.key.columns for found in defined.values() if _of_a_feature(found.key))
    gaps = [several for (feature,) in features if (several := _gaps(defined, feature))]
    gaps.sort(key=lambda several: -max(map(_severity, several)))
    return Headlines(
        [defined[key] for key in OVERALL if key in defined], [defined[key] for key in CHANGES if key in defined], gaps
    )


def _of_a_feature(key: Key) -> bool:
    return len(key.columns) == 1 and not key.group


def _gaps(defined: Mapping[str, F], feature: str) -> list[F]:
    """Return of each kind of gap the first that there is of a feature."""
    keys = ([str(Key.of(metric, [feature])) for metric in kind] for kind in GAPS)
    return [defined[first] for kind in keys if (first := next((key for key in kind if key in defined), None))]


def _severity(gap: Stated) -> float:
    """Return how far a gap is from none: a ratio from 1, a difference from 0."""
    assert gap.estimate is not None  # the caller has left out what is undefined
    return abs(1 - gap.estimate if gap.key.metric.endswith("_ratio") else gap.estimate)


class Noted(Stated, Protocol):
    """A finding with a note."""

    @property
    def audit(self) -> str: ...  # noqa: D102
    @property
    def note(self) -> str: ...  # noqa: D102


def alarms(findings: Iterable[Noted]) -> tuple[str, ...]:
    """Return what is told first of rows that may mislead: a few sentences, those on copies of the label as one."""
    noted = [each for each in findings if each.audit == "data_quality" and each.note and each.key.metric in ALARMS]
    noted.sort(key=lambda each: ALARMS.index(each.key.metric))
    copies = [str(each.key.qualifier("feature")) for each in noted if each.key.metric in COPIES]
    told = [each.note for each in noted if len(copies) < 2 or each.key.metric not in COPIES]
    if len(copies) > 1:
        names = joined(", ", copies[:MOST_ALARMS]) + (" ..." if len(copies) > MOST_ALARMS else "")
        told.insert(0, message(SEVERAL, n=len(copies), names=names))
    if len(told) > MOST_ALARMS:
        more = message("{n} more things about the rows are in the report.", n=len(told) - MOST_ALARMS + 1)
        return (*told[: MOST_ALARMS - 1], more)
    return tuple(told)
