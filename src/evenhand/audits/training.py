"""The generalization gap, the network beside boosted trees, and the cost of training and predicting."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import numpy as np

from evenhand.audits.statement import UNTIMED, Audit, Statement, not_applicable
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import METRICS, Tally, measure
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.inference.intervals import difference_interval
from evenhand.metrics.values.ranking import ndcg
from evenhand.metrics.values.regression import measure_numbers
from evenhand.training.metering import ESTIMATED, MEASURED, WATTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.findings import Plain, Unit
    from evenhand.metrics.values.rates import Measured

    Numbers: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

NAME = "training"
PARTS: Final = ("train", "validation")
UNITS: Final[Mapping[str, Unit]] = {"mean_absolute_error": "number", "r2": "share", "ndcg": "score"}
"""The measures of numbers that a fit notes."""
NUMBERS: Final = ("regression", "ranking")
"""Tasks whose labels are numbers."""
COSTS: Final[Mapping[str, tuple[str, Unit]]] = {
    "training_cpu_seconds": ("cpu_seconds", "seconds"),
    "training_peak_bytes": ("peak_bytes", "bytes"),
    "training_energy": ("energy_joules", "number"),
}
ROWS, REPEATS = 1_000, 3
METHODS: Final = {
    "roc_auc": "delong, paired", "accuracy": "mover of discordant rows, exact limits",
    "root_mean_squared_error": "delta method, hall", "mean_absolute_error": "hall, one more row",
    "pinball_loss": "hall, one more row",
}  # fmt: skip
"""How the interval of the network less boosted trees was found, by what they are compared by."""
SOURCES = {str(said): said for said in (MEASURED, ESTIMATED)}
"""The sources of energy figures in a model's file, as messages."""


def training(evidence: Evidence) -> Statement:
    """State how much better the model does on training rows, and the cost of training and predicting."""
    findings = [*_gaps(evidence), *_beside_trees(evidence), *_costs(evidence), *_predicting(evidence)]
    if not findings and evidence.remote:
        return not_applicable(UNTIMED)
    if not findings:
        return not_applicable("Nothing is known of how the model was trained; a model that evenhand trained tells it.")
    return Statement(tuple(findings))


def _gaps(evidence: Evidence) -> Iterator[Finding]:
    """Yield rates on training and validation rows, and their differences."""
    facts = evidence.subject.facts
    told = facts.get("training")
    if evidence.data.task in NUMBERS:
        yield from _gaps_of_numbers(evidence, told)
        return
    counts = told.get("counts") if isinstance(told, dict) else None
    if not isinstance(counts, dict) or facts.get("recipe") or facts.get("own_threshold") is not None:
        return  # training rows are not scored after a compression, or at another threshold
    level = evidence.options.level
    if evidence.data.task == "multiclass":
        said, data = evidence.predictions, evidence.data
        one, right = np.ones(len(data), dtype=np.int8), said.y_true == said.y_pred
        test = Tally.count(one, right, sample_weight=data.sample_weight, clusters=data.clusters)
        parts = {part: _rights(counts[part]) for part in PARTS}
        yield from _rates("accuracy", measure("recall", test, level), parts, "recall", level)
        return
    parts = {part: Tally(np.asarray([counts[part]], dtype=np.int64), None, None) for part in PARTS}
    for rate in stated("training"):
        yield from _rates(rate, measure(rate, evidence.tally(), level), parts, rate, level)


def _rights(counts: Plain) -> Tally:
    """Return the rows of several classes as those of one class that are decided rightly, or not."""
    cells = np.asarray(counts, dtype=np.int64)
    right = int(cells.trace())
    return Tally(np.asarray([[[0, 0], [int(cells.sum()) - right, right]]], dtype=np.int64), None, None)


def _rates(rate: str, here: Measured, parts: Mapping[str, Tally], counted: str, level: float) -> Iterator[Finding]:
    """Yield a rate on training and validation rows, and how much greater it is on training rows than here."""
    for part, seen in parts.items():
        there = measure(counted, seen, level)
        if np.isfinite(there.estimate[0]):
            ends = Interval(float(there.low[0]), float(there.high[0]), level, there.method)
            key, value, rows = Key.of(rate, of=part), float(there.estimate[0]), int(there.support[0])
            yield Finding(key, NAME, value, ends, rows, "higher_is_better")
        if part == "train" and np.isfinite(there.estimate[0]) and np.isfinite(here.estimate[0]):
            yield _gap(rate, there, here, level)


def _gaps_of_numbers(evidence: Evidence, told: Plain) -> Iterator[Finding]:
    """Yield measures of numbers on training and validation rows, and the gap of what is explained."""
    errors = told.get("errors") if isinstance(told, dict) else None
    if not isinstance(errors, dict) or evidence.subject.facts.get("recipe"):
        return
    for part in PARTS:
        for metric, found in cast("Mapping[str, Mapping[str, Plain]]", errors.get(part, {})).items():
            if metric not in UNITS or found.get("estimate") is None:
                continue
            (estimate, low, high), level = _read(found), float(cast("float", found["level"]))
            ends = _ends(low, high, level, str(found["method"]))
            key, rows, way = Key.of(metric, of=part), int(cast("int", found["rows"])), METRICS[metric].direction
            yield Finding(key, NAME, float(estimate[0]), ends, rows, way, unit=UNITS[metric])
            here = _here(evidence, metric, level) if part == "train" else None
            if here is not None and np.isfinite(here.estimate[0]):
                yield _between(metric, (estimate, low, high), here, level)


def _ends(low: NDArray[np.float64], high: NDArray[np.float64], level: float, method: str) -> Interval:
    """Return the interval of the first ends; one that is not finite is unbounded."""
    least, most = (float(end[0]) if np.isfinite(end[0]) else None for end in (low, high))
    return Interval(least, most, level, method)


def _read(found: Mapping[str, Plain]) -> Numbers:
    """Return (1,) estimate and ends; an end that is not known is without a bound."""
    values = [found["estimate"], found.get("low"), found.get("high")]
    open_ends = (np.nan, -np.inf, np.inf)
    estimate, low, high = (
        np.asarray([end if value is None else float(cast("float", value))])
        for value, end in zip(values, open_ends, strict=True)
    )
    return estimate, low, high


def _here(evidence: Evidence, metric: str, level: float) -> Measured | None:
    """Return a measure of numbers on the evaluation rows; None for one of which no gap is stated."""
    said, data = evidence.predictions, evidence.data
    if metric == "r2":
        codes = np.zeros(len(data), dtype=np.int32)
        more = {"weight": data.sample_weight, "clusters": data.clusters}
        return measure_numbers(metric, said.y_true, said.y_pred, codes, level=level, **more)  # type: ignore[arg-type]
    if metric == "ndcg":
        return ndcg(said.y_true, said.y_pred, data.table[data.roles.query].to_numpy(), level=level)
    return None


def _beside_trees(evidence: Evidence) -> Iterator[Finding]:
    """Yield the network less boosted trees that were fitted on the same rows; nothing after a compression."""
    facts = evidence.subject.facts
    told = facts.get("training")
    found = told.get("baseline") if isinstance(told, dict) else None
    if not isinstance(found, dict) or facts.get("recipe"):
        return
    change, low, high, level = (float(cast("float", found[name])) for name in ("change", "low", "high", "level"))
    note = message("The whole interval is below 0: boosted trees serve better.") if high < 0 else ""
    metric, rows = str(found["metric"]), int(cast("int", found["rows"]))
    unit: Unit = "number" if evidence.data.task == "regression" else "share"
    key, ends = Key.of("network_gain", rate=metric), Interval(low, high, level, METHODS[metric])
    yield Finding(key, NAME, change, ends, rows, "higher_is_better", note=note, unit=unit)


def _gap(rate: str, there: Measured, here: Measured, level: float) -> Finding:
    return _between(rate, (there.estimate, there.low, there.high), here, level)


def _between(rate: str, there: Numbers, here: Measured, level: float) -> Finding:
    low, high = difference_interval(there, (here.estimate, here.low, here.high))
    estimate = float(there[0][0] - here.estimate[0])
    ends = _ends(low, high, level, "mover of two sets of rows")
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
    """Yield the cost of a thousand predictions; nothing for precomputed ones, and for those of another machine."""
    if not evidence.options.footprint or not evidence.asked or evidence.remote:
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


AUDIT: Final = Audit(training, frozenset({"binary", "multiclass", *NUMBERS}))
