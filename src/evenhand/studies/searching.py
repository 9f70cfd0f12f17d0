"""The search: compare each candidate with the original on the same rows, judge it, and find the Pareto front."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.keys import Key
from evenhand.messages import message_to_plain
from evenhand.metrics.catalogue.lists import stated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from evenhand.compression import Footprint
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Policy, Verdict
    from evenhand.provenance import CandidateFacts, StudyFacts, StudyMeasurements
    from evenhand.studies.plan import Plan
    from evenhand.studies.units import Unit

NAME: Final = "search"
AUDITS: Final = ("performance", "calibration", "fairness", "compression")
BATCHES: Final = (1, 256)


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate of a search, with what was found of it."""

    name: str
    """Its name."""
    record: AuditRecord | None
    """Its audit against the original; None when it could not be made."""
    verdict: Verdict | None
    """By the policy, when there is one."""
    failure: str = ""
    """Why it could not be made."""

    def estimate(self, metric: str, **qualifiers: str) -> float:
        """Return a figure over all rows; nan where there is none."""
        found = None if self.record is None else self.record.get(Key.of(metric, **qualifiers))
        return float("nan") if found is None or found.estimate is None else found.estimate

    @property
    def harm(self) -> float:
        """The largest loss of accuracy of a group of a single feature; without groups, over all rows."""
        found = [] if self.record is None else [f.estimate for f in self.record.findings if _is_worst(f)]
        known = [value for value in found if value is not None]
        return -min(known) if known else -self.estimate("accuracy_change", of="original")


def _is_worst(finding: Finding) -> bool:
    return finding.key.metric == "accuracy_change_group_min" and len(finding.key.columns) == 1


def search(
    plan: Plan, units: Sequence[Unit], policy: Policy | None
) -> tuple[list[Finding], StudyFacts, StudyMeasurements]:
    """Return the findings of a search, the entries of its candidates, and those that differ from run to run."""
    first = {unit.candidate: unit for unit in units if unit.seed == plan.seed}
    prints = _footprints(plan, first)
    tried = [_try(plan, first[""], first[each.name], prints, policy) for each in plan.candidates]
    findings = [finding for each in tried for finding in _findings(each)]
    costs = [
        (each.estimate("file_bytes"), each.estimate("latency", batch="1"), -each.estimate("accuracy"), each.harm)
        for each in tried
    ]
    on_front = front(costs).tolist() if costs else []
    passed = [each for each in tried if each.verdict is not None and each.verdict.exit_code == 0]
    smallest = min(passed, key=lambda each: each.estimate("file_bytes"), default=None)
    said: StudyFacts = {
        "candidates": [_said(plan, each) for each in tried],
        "smallest": None if smallest is None else smallest.name,
        "policy": None if policy is None else {"name": policy.name, "sha256": policy.sha256},
    }
    made = [each.name for each, chosen in zip(tried, on_front, strict=True) if chosen and each.record is not None]
    return findings, said, {"front": made}


def front(costs: ArrayLike) -> NDArray[np.bool_]:
    """Return which rows are on the front: no other is as good in all columns and better in one.

    `costs` (n, k): less is better; nan counts as the worst.

    Examples
    --------
    >>> front([[1, 5], [2, 2], [5, 1], [3, 3]]).tolist()
    [True, True, True, False]
    """
    values = np.nan_to_num(np.asarray(costs, dtype=np.float64), nan=np.inf)
    as_good = (values[:, None, :] <= values[None, :, :]).all(axis=2)
    better = (values[:, None, :] < values[None, :, :]).any(axis=2)
    return np.asarray(~(as_good & better).any(axis=0))


def _said(plan: Plan, tried: Tried) -> CandidateFacts:
    candidate = next(each for each in plan.candidates if each.name == tried.name)
    return {
        "name": tried.name,
        "recipes": candidate.describe(),
        "balance": None if candidate.balance is None else list(candidate.balance),
        "failure": tried.failure,
        "verdict": None if tried.verdict is None else tried.verdict.status,
        "sentence": None if tried.verdict is None else tried.verdict.sentence,
        "told": None if tried.verdict is None else message_to_plain(tried.verdict.sentence),
    }


def _try(plan: Plan, original: Unit, unit: Unit, prints: Mapping[str, Footprint], policy: Policy | None) -> Tried:
    from evenhand.policy import judge

    if unit.scores is None:
        return Tried(unit.candidate, None, None, unit.failure)
    record = audit_unit(plan, unit, original)
    sizes = tuple(_sizes(prints["original"], prints[unit.candidate])) if unit.candidate in prints else ()
    record = replace(record, findings=(*record.findings, *sizes))
    return Tried(
        unit.candidate, record, None if policy is None else judge(record, policy.without("signature", "model"))
    )


def audit_unit(plan: Plan, unit: Unit, original: Unit) -> AuditRecord:
    """Return the audit of a unit against the original of the same seed, from the predictions of both."""
    from evenhand.audits import audit_given

    data = plan.evaluation
    return audit_given(
        data,
        y_score=unit.scores,
        original_score=original.scores,
        threshold=unit.threshold if data.task == "binary" else None,
        settings={"level": plan.level, "intersections": plan.intersections},
        audits=AUDITS if data.task == "binary" else ("classes", "compression"),
    )


def _footprints(plan: Plan, first: Mapping[str, Unit]) -> dict[str, Footprint]:
    """Measure size and latency of the original and every candidate in turns, in one run."""
    from evenhand.compression import measure_footprint, open_model
    from evenhand.evidence.predictions import inputs
    from evenhand.studies.making import model_file

    if not plan.footprint:
        return {}
    models: dict[str, object] = {"original": plan.original}
    for name, unit in first.items():
        place = model_file(plan, name, plan.seed) if name and unit.scores is not None else None
        if place is not None:
            models[name] = open_model(place, isolate=False)  # made by this search
    rows = inputs(plan.original, plan.evaluation)
    return measure_footprint(models, rows, batches=BATCHES, repeats=40, seconds=2.0 * len(models))  # type: ignore[arg-type]


def _sizes(old: Footprint, new: Footprint) -> Iterator[Finding]:
    from evenhand.audits.compression.compression import facts, times

    yield from facts(old, new)
    for batch in sorted(set(old.latency) & set(new.latency)):
        yield from times(batch, old, new)


def _findings(tried: Tried) -> Iterator[Finding]:
    """Yield the findings that a search keeps of a candidate's audit, under the candidate's name."""
    if tried.record is None:
        return
    for finding in tried.record.findings:
        if _kept(finding):
            key, qualifiers = finding.key, dict(finding.key.qualifiers)
            features = dict(key.group) if key.group else key.columns
            named = Key.of(key.metric, features, **qualifiers, recipe=tried.name)
            yield replace(finding, key=named, audit=NAME, note="")


def _kept(finding: Finding) -> bool:
    key = finding.key
    paired = key.qualifiers == (("of", "original"),)
    if not key.columns:
        plain = key.metric in stated("search") and not key.qualifiers
        return plain or (paired and key.metric in stated("search of changes")) or _of_the_file(key)
    if key.group:
        return paired and key.metric in stated("search of changes")
    return paired and key.metric in stated("search of gaps")


def _of_the_file(key: Key) -> bool:
    names = ("file_bytes", "parameters", "nonzero_parameters", "macs", "latency", "latency_ratio", "size_ratio")
    return key.metric in names and (key.qualifier("of") is None or key.metric.endswith("_ratio"))
