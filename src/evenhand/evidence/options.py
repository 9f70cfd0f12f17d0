"""What a person may decide about the evidence that all audits read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, TypeVar

from evenhand.settings import Declared, setting

Record = TypeVar("Record", bound=Declared)

MOST_EXPLAINED: Final = 5_000
"""Rows that are explained at most for a requested error."""
MetricFunction: TypeAlias = Callable[..., float]
"""A metric of scikit-learn's or fairlearn's shape: ``f(y_true, y_pred, sample_weight=None) -> float``."""


@dataclass(frozen=True, slots=True)
class EvidenceOptions(Declared):
    """Options of an audit; none of them is a limit.

    Examples
    --------
    >>> EvidenceOptions(level=0.9).level
    0.9
    """

    level: float = setting(0.95, "Two-sided confidence of every interval.", above=0, below=1, recorded="always")
    seed: int = setting(0, "Seed of everything that is drawn.", least=0, recorded="always")
    intersections: int = setting(
        2, "How many sensitive features are crossed at most: 1 for none, 2 for all pairs.",
        least=1, unit="features", recorded="always",
    )  # fmt: skip
    explain: bool = setting(True, "Whether SHAP values are computed.", recorded="never")
    explain_rows: int = setting(200, "How many evaluation rows are explained.", least=1, unit="rows", recorded="always")
    explain_error: float | None = setting(
        None, "Half width to which contributions to a gap between groups are to be known: explain_rows are explained "
        "first, and as many more as that takes, 5,000 at most.", above=0, unit="the score's scale",
    )  # fmt: skip
    background_rows: int = setting(
        400, "How many rows they are explained against; the largest source of error, so evaluations go here first.",
        least=1, unit="rows", recorded="always",
    )  # fmt: skip
    precise: bool = setting(False, "Whether rows are explained until the sampling error is at most 1 %.")
    budget: float | None = setting(
        None, "Time after which an explanation stops, with the error reached.", above=0, unit="seconds"
    )
    explain_evaluations: int | None = setting(
        None, "Most rows that an explanation makes up for the model to predict; without, 4 million where it asks the "
        "whole model and 60 million elsewhere. More of them lessen the sampling error.", least=1, unit="rows",
    )  # fmt: skip
    explain_average: int = setting(1, "How many predictions of a noisy model are averaged.", least=1)
    individuals: tuple[int, ...] = setting((), "Evaluation rows, by position from 0, to explain individually.", least=0)
    reason_reference: Literal["mean", "at_threshold"] = setting(
        "mean", "What refusals are explained against: the mean of all applicants, or people at the threshold."
    )
    decision_thresholds: tuple[float, ...] = setting(
        (), "Probabilities from which on to decide, at which net benefit is stated: t where one true positive is worth "
        "(1 - t) / t false ones.", above=0, below=1,
    )  # fmt: skip
    slice_rows: int = setting(
        200_000, "The most rows that are searched for slices; of more, as many are drawn with the seed.",
        least=1_000, unit="rows",
    )  # fmt: skip
    everything: bool = setting(
        False, "Whether every probe is run that the rows allow, those that take minutes included."
    )
    member_column: str = setting(
        "", "Column of the rows given as members that says by 1 or 0 who was in, by a fair coin each."
    )
    footprint: bool = setting(True, "Whether size and latency are measured.", recorded="always")
    metrics: Mapping[str, MetricFunction] = setting(
        {}, "Further metrics by name, disaggregated through fairlearn's MetricFrame.",
        recorded="never", only="Functions are not written in a file or on a command line.",
    )  # fmt: skip
    own: Mapping[str, Declared] = field(default_factory=dict)
    """The options record of each audit that declares one."""

    def of(self, record: type[Record]) -> Record:
        """Return the options that a single audit declares, or their defaults."""
        return next((own for own in self.own.values() if isinstance(own, record)), None) or record()
