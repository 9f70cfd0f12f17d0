"""fairlearn's `MetricFrame` from the counts of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from evenhand.errors import RecordError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlearn.metrics import MetricFrame


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
    features = {counts.columns for counts in tallies if len(counts.columns) == 1}
    if len(features) != 1:
        there = ", ".join(sorted(column for (column,) in features)) or "none"
        raise RecordError(f"Name the features of the MetricFrame, to_metric_frame('sex') say; the record has: {there}.")
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
