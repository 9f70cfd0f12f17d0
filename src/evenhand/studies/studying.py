"""A study: many models made, compared and kept as one record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError, raise_all
from evenhand.evidence import Evidence, EvidenceOptions, provenance
from evenhand.findings import AuditRecord, Finding, GroupCounts, Section
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.policy import Policy
    from evenhand.provenance import Measurements, Provenance, StudyFacts
    from evenhand.studies.plan import Plan
    from evenhand.studies.units import Unit

RANKED: Final = 200
"""Rows that the ranking of exemplars names."""


def study(plan: Plan, policy: Policy | None = None) -> AuditRecord:
    """Make the models of a plan, compare them, and return the record.

    Parameters
    ----------
    plan : Plan
    policy : Policy, optional
        To judge each candidate by; the smallest that passes is named.

    Returns
    -------
    AuditRecord
        Of the audits ``search`` and ``population``; in its provenance what was tried and judged, in its measurements
        the Pareto front, which depends on latency.

    Raises
    ------
    InputError
        When nothing is to be tried, or there is less than one seed.
    ModelError
        When the model does not record how it was trained and there are several seeds.

    Examples
    --------
    >>> from pathlib import Path
    >>> import evenhand as eh
    >>> from evenhand.compression import HalfPrecision
    >>> from evenhand.studies import Candidate, Plan
    >>> from evenhand.training import TrainingConfig, fit
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> full = fit(parts["train"], config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> small = Candidate("half", (HalfPrecision(),))
    >>> record = study(Plan(full, (small,), parts["train"], parts["test"], Path("study"), footprint=False))
    >>> [section.audit for section in record.sections]
    ['search', 'population']
    """
    from evenhand.studies.making import make_units
    from evenhand.studies.searching import search

    raise_all(InputError, _problems(plan))
    started = datetime.now(UTC)
    units = make_units(plan)
    findings, said, measured = search(plan, units, policy)
    population, reason = _population(plan, units)
    measurements: Measurements = {
        "started": started.isoformat(timespec="seconds"),
        "study": measured,
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
    }
    sections = (Section("search", ran=True), Section("population", bool(population), reason))
    return AuditRecord((*findings, *population), sections, _sizes(plan), _provenance(plan, said), measurements)


def _problems(plan: Plan) -> list[str]:
    found = []
    if plan.seeds < 1:
        found.append(f"A study needs one seed at least, not {plan.seeds}.")
    if not plan.candidates:
        found.append("A study needs one candidate at least.")
    if plan.train.content_hash() == plan.evaluation.content_hash():
        found.append("The rows to compare on are the training rows: compare on others, or every figure flatters.")
    return found


def _population(plan: Plan, units: Sequence[Unit]) -> tuple[list[Finding], str]:
    """Return the findings over several seeds, and what limits them."""
    from evenhand.evidence.answering import class_names
    from evenhand.studies.exemplars import LEAST, represented
    from evenhand.studies.populations import Population, noise, over_seeds
    from evenhand.studies.welch import normalized

    if plan.seeds < 2:
        return [], message("One seed tells nothing of the noise between seeds: repeat with --seeds.")
    data, level, groupings = plan.evaluation, plan.level, plan.groupings
    by = {(unit.candidate, unit.seed): unit for unit in units}
    seeds = range(plan.seed, plan.seed + plan.seeds)
    originals = np.stack([by["", seed].decisions for seed in seeds])
    found = list(noise(originals, data, groupings, level))
    many = plan.seeds >= LEAST
    for candidate in plan.candidates:
        made = [seed for seed in seeds if by[candidate.name, seed].scores is not None]
        if len(made) < 2:
            continue
        compressed = np.stack([by[candidate.name, seed].decisions for seed in made])
        population = Population(candidate.name, np.stack([by["", seed].decisions for seed in made]), compressed)
        found += over_seeds(population, data, groupings, level)
        found += normalized(population, data, groupings, class_names(data), level)
        if len(made) >= LEAST:
            found += represented(population, data, groupings, level)
            _rank(plan, population)
    fewer = message(
        "Exemplars of compression need {least} models of each kind; there are {seeds}.", least=LEAST, seeds=plan.seeds
    )
    return found, "" if many else fewer


def _rank(plan: Plan, population: object) -> None:
    """Write the rows that populations decide most differently: private, for people who may look at rows."""
    from evenhand.output.writing import write_text
    from evenhand.studies.exemplars import exemplars, modal, taxicab
    from evenhand.studies.populations import Population
    from evenhand.studies.units import slug

    assert isinstance(population, Population)
    data = plan.evaluation
    classes = 2 if data.task == "binary" else len(data.classes)
    distance, chosen = taxicab(population, classes), exemplars(population, classes)
    old, new = (modal(part, classes) for part in (population.originals, population.compressed))
    order = np.lexsort((np.arange(len(distance)), -distance))[:RANKED]
    lines = ["row,taxicab,exemplar,truth,modal_of_originals,modal_of_compressed"]
    lines += [
        f"{row},{distance[row]:.4f},{int(chosen[row])},{data.y_true[row]},{old[row]},{new[row]}"
        for row in order
        if distance[row] > 0
    ]
    write_text(plan.folder / f"exemplars.{slug(population.name)}.csv", "\n".join(lines) + "\n")


def _sizes(plan: Plan) -> tuple[GroupCounts, ...]:
    """Return the rows of every group."""
    found = [GroupCounts("subject", (), ((),), ("group",), [len(plan.evaluation)])]
    found += [
        GroupCounts("subject", grouping.columns, grouping.labels, ("group",), grouping.rows.tolist())
        for grouping in plan.groupings
    ]
    return tuple(found)


def _provenance(plan: Plan, said: StudyFacts) -> Provenance:
    """Return where the study comes from: as an audit of the original, and what was tried."""
    options = EvidenceOptions(level=plan.level, seed=plan.seed, intersections=plan.intersections)
    whole = provenance(Evidence(plan.original, plan.evaluation, options=options))
    whole.pop("score_edges", None)
    said |= {"seeds": plan.seeds, "first_seed": plan.seed, "train_content_hash": plan.train.content_hash()}
    return {**whole, "study": said}
