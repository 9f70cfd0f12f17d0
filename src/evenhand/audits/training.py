"""The generalization gap, the network beside boosted trees, and the cost of training and predicting."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.audits.statement import Audit, Statement, not_applicable
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import Tally, measure
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.inference.intervals import difference_interval
from evenhand.training.metering import ESTIMATED, MEASURED, WATTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.evidence import Evidence
    from evenhand.findings import Plain, Unit
    from evenhand.metrics.values.rates import Measured

NAME = "training"
PARTS: Final = ("train", "validation")
COSTS: Final[Mapping[str, tuple[str, Unit]]] = {
    "training_cpu_seconds": ("cpu_seconds", "seconds"),
    "training_peak_bytes": ("peak_bytes", "bytes"),
    "training_energy": ("energy_joules", "number"),
}
ROWS, REPEATS = 1_000, 3
METHODS: Final = {"roc_auc": "delong, paired", "accuracy": "mover of discordant rows, exact limits"}
SOURCES = {str(said): said for said in (MEASURED, ESTIMATED)}
"""The sources of energy figures in a model's file, as messages."""


def training(evidence: Evidence) -> Statement:
    """State how much better the model does on training rows, and the cost of training and predicting."""
    findings = [*_gaps(evidence), *_beside_trees(evidence), *_costs(evidence), *_predicting(evidence)]
    if not findings:
        return not_applicable("Nothing is known of how the model was trained; a model that evenhand trained tells it.")
    return Statement(tuple(findings))


def _gaps(evidence: Evidence) -> Iterator[Finding]:
    """Yield rates on training and validation rows, and their differences."""
    told = evidence.subject.facts.get("training")
    counts = told.get("counts") if isinstance(told, dict) else None
    facts = evidence.subject.facts
    if not isinstance(counts, dict) or facts.get("recipe") or facts.get("own_threshold") is not None:
        return  # training rows are not scored after a compression, or at another threshold
    level, test = evidence.options.level, evidence.tally()
    for rate in stated("training"):
        here = measure(rate, test, level)
        for part in PARTS:
            seen = Tally(np.asarray([counts[part]], dtype=np.int64), None, None)
            there = measure(rate, seen, level)
            if np.isfinite(there.estimate[0]):
                ends = Interval(float(there.low[0]), float(there.high[0]), level, there.method)
                key, value, rows = Key.of(rate, of=part), float(there.estimate[0]), int(there.support[0])
                yield Finding(key, NAME, value, ends, rows, "higher_is_better")
            if part == "train" and np.isfinite(there.estimate[0]) and np.isfinite(here.estimate[0]):
                yield _gap(rate, there, here, level)


def _beside_trees(evidence: Evidence) -> Iterator[Finding]:
    """Yield the network less boosted trees that were fitted on the same rows; nothing after a compression."""
    facts = evidence.subject.facts
    told = facts.get("training")
    found = told.get("baseline") if isinstance(told, dict) else None
    if not isinstance(found, dict) or facts.get("recipe"):
        return
    change, low, high, level = (float(cast("float", found[name])) for name in ("change", "low", "high", "level"))
    note = message("The whole interval is below 0: boosted trees serve better.") if high < 0 else ""
    key, rows = Key.of("network_gain", rate=str(found["metric"])), int(cast("int", found["rows"]))
    ends = Interval(low, high, level, METHODS[str(found["metric"])])
    yield Finding(key, NAME, change, ends, rows, "higher_is_better", note=note)


def _gap(rate: str, there: Measured, here: Measured, level: float) -> Finding:
    first, second = ((m.estimate, m.low, m.high) for m in (there, here))
    low, high = difference_interval(first, second)
    estimate = float(there.estimate[0] - here.estimate[0])
    ends = Interval(float(low[0]), float(high[0]), level, "mover of two sets of rows")
    sure = message("The whole interval is above 0: the model has overfitted.") if low[0] > 0 else ""
    key, rows = Key.of("generalization_gap", rate=rate), int(here.support[0])
    return Finding(key, NAME, estimate, ends, rows, "lower_is_better", note=sure)


def _costs(evidence: Evidence) -> Iterator[Finding]:
    cost: Mapping[str, Plain] = getattr(evidence.subject, "cost", None) or {}
    for metric, (name, unit) in COSTS.items():
        value = cost.get(name)
        if isinstance(value, (int, float)):
            note = SOURCES.get(str(cost.get("energy_source")), "") if metric == "training_energy" else ""
            yield _cost(Key.of(metric), float(value), unit, note)


def _predicting(evidence: Evidence) -> Iterator[Finding]:
    """Yield the cost of a thousand predictions; nothing for precomputed ones."""
    if not evidence.options.footprint or evidence.data.task != "binary" or not evidence.asked:
        return
    rows = next(iter(evidence.inputs.take(slice(ROWS)).batches()))
    seconds = []
    for _ in range(REPEATS):
        started = time.process_time()
        evidence.subject.predict(rows)
        seconds.append(time.process_time() - started)
    per = statistics.median(seconds) * 1_000 / len(rows)
    yield _cost(Key.of("prediction_cpu_seconds"), per, "seconds", message("Measured on {rows:,} rows.", rows=len(rows)))
    note = message("Estimated, {watts:g} W a core.", watts=WATTS)
    yield _cost(Key.of("prediction_energy"), per * WATTS, "number", note)


def _cost(key: Key, value: float, unit: Unit, note: str) -> Finding:
    return Finding(key, NAME, value, direction="lower_is_better", unit=unit, note=note, volatile=True)


AUDIT: Final = Audit(training)
