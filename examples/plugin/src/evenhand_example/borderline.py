"""An audit with an option: how many decisions are close calls, and whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits import Audit, Statement
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.inference.intervals import wilson, z_of
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.evidence import Evidence


@dataclass(frozen=True, slots=True)
class BorderlineOptions(Declared):
    """What a person may decide about this audit."""

    margin: float = setting(0.05, "How near to the threshold a score is a close call.", above=0)


def borderline(evidence: Evidence) -> Statement:
    """State the share of rows whose score is within a margin of the threshold, overall and for each group."""
    margin = evidence.options.of(BorderlineOptions).margin
    predictions = evidence.predictions
    if predictions.y_score is None:
        return Statement(reason=message("The model gives decisions without scores."), ran=False)
    close = np.abs(predictions.y_score - predictions.threshold) <= margin
    findings = [_finding(Key.of("borderline_share"), close, evidence.options.level)]
    for grouping in evidence.groupings:
        for at, labels in enumerate(grouping.labels):
            key = Key.of("borderline_share", dict(zip(grouping.columns, labels, strict=True)))
            findings.append(_finding(key, close[grouping.codes == at], evidence.options.level))
    return Statement(tuple(findings))


def _finding(key: Key, close: NDArray[np.bool_], level: float) -> Finding:
    if not len(close):
        return Finding(key, "borderline", None, undefined="There is no row.")
    low, high = wilson(close.sum(), len(close), z_of(level))
    interval = Interval(float(low), float(high), level, "Wilson")
    return Finding(key, "borderline", float(close.mean()), interval, len(close))


AUDIT = Audit(borderline, frozenset({"binary"}), BorderlineOptions)
