"""Findings as pandas tables, and fairlearn's `MetricFrame` from the counts of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from evenhand.errors import RecordError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from fairlearn.metrics import MetricFrame

    from evenhand.keys import Key


Shown: TypeAlias = Literal["estimate", "low", "high", "support"]
"""What a table of groups shows of each finding."""
ENDS: Final = ("low", "high", "level", "method")
"""What a table shows of an interval."""


class Stated(Protocol):
    """A finding, as far as a table needs it."""

    @property
    def key(self) -> Key: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def audit(self) -> str: ...  # noqa: D102
    @property
    def estimate(self) -> float | None: ...  # noqa: D102
    @property
    def interval(self) -> object: ...  # noqa: D102


def tidy(findings: Sequence[Stated]) -> pd.DataFrame:
    """Return one row a finding: key, audit, metric, columns, group, estimate, ends of its interval ..."""
    import pandas as pd

    rows = [
        {
            "key": finding.name,
            "audit": finding.audit,
            "metric": finding.key.metric,
            "columns": ",".join(finding.key.columns),
            "group": ", ".join(group for _, group in finding.key.group),
            "estimate": finding.estimate,
            **{name: getattr(finding.interval, name, None) for name in ENDS},
            **{name: getattr(finding, name) for name in ("support", "direction", "unit", "undefined", "note")},
        }
        for finding in findings
    ]
    frame = pd.DataFrame(rows)
    numbers = ["estimate", "low", "high", "level"]
    return frame.astype(dict.fromkeys(numbers, "float64")) if rows else frame


def of_groups(findings: Sequence[Stated], columns: tuple[str, ...], what: Shown) -> pd.DataFrame:
    """Return one row a group of the columns and one column a metric; see `AuditRecord.by_group`.

    Raises
    ------
    RecordError
        When nothing is stated of these columns, or several features are there and none is named.
    """
    import pandas as pd

    named = [each for each in findings if each.key.features and len(each.key.group) == len(each.key.features)]
    features = {each.key.columns for each in named}
    wanted = tuple(sorted(columns)) or _one(features, "by_group('sex') say")
    if wanted not in features:
        there = ", ".join(sorted(",".join(each) for each in features)) or "nothing"
        raise RecordError(f"Nothing is stated of the groups of '{','.join(wanted)}'. There is {there}.")
    cells: dict[str, dict[tuple[str, ...], float | None]] = {}
    for each in named:
        if each.key.columns == wanted and not each.key.qualifiers:
            group = tuple(value for _, value in each.key.group)
            cells.setdefault(each.key.metric, {})[group] = _shown(each, what)
    groups = list(dict.fromkeys(group for column in cells.values() for group in column))
    index = (
        pd.MultiIndex.from_tuples(groups, names=wanted)
        if len(wanted) > 1
        else pd.Index([group[0] for group in groups], name=wanted[0])
    )
    columns_of = {metric: [column.get(group) for group in groups] for metric, column in cells.items()}
    return pd.DataFrame(columns_of, index=index, dtype="float64")


def _shown(finding: Stated, what: Shown) -> float | None:
    found = getattr(finding.interval if what in ("low", "high") else finding, what, None)
    return None if found is None else float(found)


class Counted(Protocol):
    """Counts of one grouping, as far as a MetricFrame needs them."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def groups(self) -> tuple[tuple[str, ...], ...]: ...  # noqa: D102
    @property
    def counts(self) -> object: ...  # noqa: D102
    @property
    def weights(self) -> object: ...  # noqa: D102


def metric_frame(tallies: Sequence[Counted], columns: tuple[str, ...], model: str) -> MetricFrame:
    """Return fairlearn's MetricFrame over `columns`: one row a cell of the counts, weighted by its number of rows.

    Without columns, over the one feature that the record has.

    Raises
    ------
    RecordError
        When the record has no counts of that model over these columns, or several features and none is named.
    """
    import fairlearn.metrics as fair
    import numpy as np
    import pandas as pd
    from sklearn.metrics import accuracy_score, precision_score, recall_score

    counts = _counts_of(tallies, tuple(sorted(columns)) or _only_feature(tallies), model)
    cells = np.asarray(counts.counts if counts.weights is None else counts.weights, dtype=np.float64)
    if cells.shape[1:] != (2, 2):
        raise RecordError("A MetricFrame is made of two classes; this record is of another task.")
    group, true, predicted = np.nonzero(cells)
    metrics = {
        "accuracy": accuracy_score,
        "selection_rate": fair.selection_rate,
        "recall": recall_score,
        "precision": precision_score,
        "false_positive_rate": fair.false_positive_rate,
        "false_negative_rate": fair.false_negative_rate,
    }
    weight = cells[group, true, predicted]
    return fair.MetricFrame(
        metrics=metrics,
        y_true=true,
        y_pred=predicted,
        sensitive_features=pd.DataFrame([counts.groups[index] for index in group], columns=list(counts.columns)),
        sample_params={name: {"sample_weight": weight} for name in metrics},
    )


def _only_feature(tallies: Sequence[Counted]) -> tuple[str, ...]:
    return _one({counts.columns for counts in tallies}, "to_metric_frame('sex') say")


def _one(groupings: set[tuple[str, ...]], said: str) -> tuple[str, ...]:
    """Return the one feature that there is alone."""
    features = {columns for columns in groupings if len(columns) == 1}
    if len(features) != 1:
        there = ", ".join(sorted(column for (column,) in features)) or "none"
        raise RecordError(f"Name the features, {said}; the record has: {there}.")
    return features.pop()


def _counts_of(tallies: Sequence[Counted], columns: tuple[str, ...], model: str) -> Counted:
    for counts in tallies:
        if counts.model == model and counts.columns == columns:
            return counts
    there = {",".join(counts.columns) for counts in tallies if counts.model == model and counts.columns}
    wanted = ",".join(columns)
    raise RecordError(
        f"The record has no counts of '{model}' over '{wanted}'.{did_you_mean(wanted, there)} "
        f"It has: {', '.join(sorted(there)) or 'none'}."
    )
