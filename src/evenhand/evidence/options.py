"""What a person may decide about an audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from evenhand.errors import InputError, raise_all

MetricFunction: TypeAlias = Callable[..., float]
"""A metric of scikit-learn's or fairlearn's shape: ``f(y_true, y_pred, sample_weight=None) -> float``."""


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What a person may decide about an audit; none of it is a limit."""

    level: float = 0.95
    """Two-sided confidence of every interval."""
    seed: int = 0
    """The seed of everything that is drawn."""
    intersections: int = 2
    """How many sensitive features are crossed at most: 1 for none, 2 for all pairs."""
    explain: bool = True
    """Whether attributions are computed."""
    explain_rows: int = 200
    """How many evaluation rows are explained."""
    background_rows: int = 400
    """How many rows they are explained against; they are the largest source of error, so evaluations go there first."""
    precise: bool = False
    """Whether random orders are added until the sampling error of the values is at most one in a hundred."""
    budget: float | None = None
    """Seconds after which an explanation takes what it has, with its error; no bound when None."""
    explain_average: int = 1
    """How often a model that answers with noise is asked for the same rows."""
    individuals: tuple[int, ...] = ()
    """Evaluation rows, by position, whose own explanation is stated; nobody's when empty."""
    show_values: bool = False
    """Whether the feature values of these rows are stated; they are withheld by default."""
    cohorts: Mapping[str, str] = field(default_factory=dict)
    """Further cohorts whose importances are stated: a name and a query over the columns, ``"age > 60"`` say."""
    reason_reference: str = "mean"
    """What refusals are explained against: the ``mean`` of all applicants, or people ``at_threshold``."""
    feature_words: Mapping[str, str] = field(default_factory=dict)
    """A feature dictionary: what a reason is called in a notice."""
    footprint: bool = True
    """Whether size and latency are measured."""
    adjust: Literal["holm", "bh"] = "holm"
    """How p-values of groups are adjusted for their number: Holm, or Benjamini and Hochberg."""
    pooling: bool = False
    """Whether rates under partial pooling are stated beside the groups' own."""
    group_shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Sensitive features that nobody recorded, by the shares of their groups: ``{"race": {"black": 0.13, ...}}``."""
    group_errors: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    """Sensitive features that were recorded with known errors: for each true group the chance of each recorded one,
    ``{"race": {"black": {"black": 0.9, "white": 0.1}, ...}}``."""
    slice_by: tuple[str, ...] = ("error_rate",)
    """What is searched for in subgroups nobody named: rates, and disparities such as ``recall_difference[sex]``."""
    actionable: Mapping[str, str] = field(default_factory=dict)
    """Features that a person can change, with the direction: ``increase``, ``decrease`` or ``any``."""
    metrics: Mapping[str, MetricFunction] = field(default_factory=dict)
    """Further metrics by name, disaggregated through fairlearn's MetricFrame."""

    def __post_init__(self) -> None:
        raise_all(InputError, self._problems())

    def _problems(self) -> Iterator[str]:
        if not 0 < self.level < 1:
            yield f"level is {self.level}; a confidence between 0 and 1 is needed, such as 0.95."
        for name, least in (
            ("seed", 0),
            ("intersections", 1),
            ("explain_rows", 1),
            ("background_rows", 1),
            ("explain_average", 1),
        ):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
                yield f"{name} is {value!r}; a whole number from {least} is needed."
        if self.reason_reference not in ("mean", "at_threshold"):
            yield f"reason_reference is '{self.reason_reference}'; it is 'mean' or 'at_threshold'."
        if self.budget is not None and not self.budget > 0:
            yield f"budget is {self.budget}; seconds above 0 are needed."
