"""A record as tables: a tidy pandas frame, and fairlearn's MetricFrame made from the record's counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import RecordError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    from fairlearn.metrics import MetricFrame

    from evenhand.findings import AuditRecord, GroupCounts


def findings_frame(record: AuditRecord) -> pd.DataFrame:
    """Return one row a finding: key, audit, metric, columns, group, estimate, low, high, level, method, support ..."""
    import pandas as pd

    rows = []
    for finding in record.findings:
        interval = finding.interval
        rows.append(
            {
                "key": finding.name,
                "audit": finding.audit,
                "metric": finding.key.metric,
                "columns": ",".join(finding.key.columns),
                "group": ", ".join(group for _, group in finding.key.group),
                "estimate": finding.estimate,
                "low": None if interval is None else interval.low,
                "high": None if interval is None else interval.high,
                "level": None if interval is None else interval.level,
                "method": None if interval is None else interval.method,
                "support": finding.support,
                "direction": finding.direction,
                "unit": finding.unit,
                "undefined": finding.undefined,
                "note": finding.note,
            }
        )
    frame = pd.DataFrame(rows)
    numbers = ["estimate", "low", "high", "level"]
    return frame.astype(dict.fromkeys(numbers, "float64")) if rows else frame


def metric_frame(record: AuditRecord, columns: tuple[str, ...], model: str = "subject") -> MetricFrame:
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

    counts = _counts_of(record, tuple(sorted(columns)) or _only_feature(record), model)
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


def _only_feature(record: AuditRecord) -> tuple[str, ...]:
    features = {counts.columns for counts in record.tallies if len(counts.columns) == 1}
    if len(features) != 1:
        there = ", ".join(sorted(column for (column,) in features)) or "none"
        raise RecordError(f"Name the features of the MetricFrame, to_metric_frame('sex') say; the record has: {there}.")
    return features.pop()


def _counts_of(record: AuditRecord, columns: tuple[str, ...], model: str) -> GroupCounts:
    for counts in record.tallies:
        if counts.model == model and counts.columns == columns:
            return counts
    there = {",".join(counts.columns) for counts in record.tallies if counts.model == model and counts.columns}
    wanted = ",".join(columns)
    raise RecordError(
        f"The record has no counts of '{model}' over '{wanted}'.{did_you_mean(wanted, there)} "
        f"It has: {', '.join(sorted(there)) or 'none'}."
    )
