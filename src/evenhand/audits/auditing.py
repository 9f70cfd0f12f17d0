"""Run every audit over the same evidence and collect the findings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias, Unpack

import numpy as np

from evenhand.audits.arguments import AuditSettings, background_of, opened, rows_of, sorted_out
from evenhand.audits.catalogue import AUDITS
from evenhand.audits.options import AuditOptions
from evenhand.audits.options import options as options_by_name
from evenhand.audits.package_warnings import noted_warnings
from evenhand.audits.recourse import RecourseOptions
from evenhand.audits.references import MembershipOptions
from evenhand.audits.statement import Audit, Statement, not_applicable
from evenhand.errors import InputError, ModelError, raise_all
from evenhand.evidence import Evidence, provenance
from evenhand.evidence.answering import EvidenceCounts
from evenhand.evidence.keeping import Keeping, keep, refuse_unkeepable
from evenhand.evidence.labelling import refuse_other_rows
from evenhand.evidence.ordering import one_thread
from evenhand.evidence.origin import sweepable
from evenhand.evidence.predictions import columns_read
from evenhand.evidence.swarming import swarm
from evenhand.findings import MOST_MOMENTS, AuditRecord, Finding, GroupCounts, Section
from evenhand.messages import joined
from evenhand.metrics import Tally
from evenhand.metrics.catalogue.names import canonical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.keys import Key
    from evenhand.messages import Place
    from evenhand.provenance import Measurements

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called for each step with its number, the number of steps, and its name."""


def audit(
    model: object,
    data: object,
    *,
    original: object = None,
    background: object = None,
    members: object = None,
    audits: str | Iterable[str] | None = None,
    options: AuditOptions | None = None,
    keeping: Keeping | None = None,
    progress: Progress | None = None,
    **settings: Unpack[AuditSettings],
) -> AuditRecord:
    """Audit a trained model on a table.

    Parameters
    ----------
    model : Subject, scikit-learn estimator, torch module, folder or callable
        The model under audit; a folder is one that transformers wrote; a callable takes a batch of the set (table
        features, arrays or texts) and returns scores of the positive class, shape (n,).
    data : path, pandas, Polars or PyArrow table, mapping of columns, or EvaluationSet
        The rows, with the truth and the columns that make the groups. A fitted pipeline reads the columns that it was
        fitted on, whatever their roles.
    original : optional
        The model before compression, compared row by row.
    background : table or EvaluationSet, optional
        Rows to explain against, such as training rows, with the same columns; the evaluation rows when absent.
    members : table or EvaluationSet, optional
        Rows that the model was fitted on, with the same columns. With them it is asked whom it gives away as one of
        them; the evaluation rows are those that it never saw.
    audits : name or names, optional
        Which audits to run; all of them when absent.
    options : AuditOptions, optional
        Confidence, seed and sizes; single options may be given as keywords: ``level=0.9``, or
        ``metrics={"name": function}`` for further metrics ``f(y_true, y_pred, sample_weight=)``.
    keeping : Keeping, optional
        Private file that keeps the predictions for a later row-by-row comparison.
    progress : callable, optional
        Called before each audit as ``progress(step, steps, name)``, and again within one that takes long, with what it
        is at after the name.
    **settings
        Of a table, the roles of its columns, as for `read_evaluation_set`: ``label="approve"``, ``pos_label="yes"``,
        ``sensitive_features=["sex"]`` ...; options of the audit; and what the model's output is, where it cannot be
        told: ``threshold``, ``score_kind``, ``output``, ``positive`` and ``decide``, as for `as_subject`. These are
        about `model` alone: ``positive`` is its class for the positive value of the label, ``pos_label``.

    Returns
    -------
    AuditRecord
        Findings, the counts behind them and their provenance. No limit is applied; see `judge`.

    Raises
    ------
    InputError, ModelError
        When data or model cannot be audited as they are; all problems are reported together.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"income": [20, 31, 42, 56] * 25, "sex": ["f", "m"] * 50, "paid": ["no", "yes"] * 50}
    >>> record = audit(
    ...     lambda X: X["income"] / 60, rows, label="paid", pos_label="yes", sensitive_features="sex", explain=False
    ... )
    >>> record["recall[sex=m]"].estimate
    1.0
    """
    from evenhand.subjects import as_subject

    roles, said, rest = sorted_out(settings, {*options_by_name(), *AUDITS})
    model = opened(model)
    rows, chosen = rows_of(model, data, roles), chosen_options(options, rest)
    evidence = Evidence(
        as_subject(model, **said),  # type: ignore[arg-type]
        rows,
        original=None if original is None else as_subject(opened(original)),
        background=background_of(background, rows),
        members=background_of(members, rows, "members"),
        options=chosen,
    )
    asked = audits is None or "membership" in AUDITS.chosen(audits)
    refuse_unkeepable(chosen.of(MembershipOptions).exposed_rows, evidence.candidates if asked else None)
    if actionable := chosen.of(RecourseOptions).actionable:
        from evenhand.explaining.recourse import actionable_problems

        raise_all(InputError, actionable_problems(columns_read(evidence.subject, rows), actionable))
    return run(evidence, audits, progress, keeping)


def run(
    evidence: Evidence,
    audits: str | Iterable[str] | None = None,
    progress: Progress | None = None,
    keeping: Keeping | None = None,
) -> AuditRecord:
    """Run the audits over the evidence and build the record.

    Parameters
    ----------
    evidence : Evidence
        What the audits look at.
    audits : names, optional
        Which audits to run; all of them when absent.
    progress : callable, optional
        Called before each audit as ``progress(step, steps, name)``.
    keeping : Keeping, optional
        Private file that keeps the predictions for a later row-by-row comparison.

    Returns
    -------
    AuditRecord

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.evidence import Evidence
    >>> from evenhand.subjects import as_subject
    >>> data = eh.read_evaluation_set({"p": [0.9, 0.2, 0.8, 0.4], "paid": [1, 0, 0, 1]}, label="paid")
    >>> run(Evidence(as_subject(lambda X: X["p"]), data), ["performance"])["accuracy"].estimate
    0.5
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    refuse_other_rows(evidence)
    task = evidence.data.task
    chosen = AUDITS.chosen(AUDITS if audits is None else audits)
    evidence.spared = audits is None and evidence.remote  # whoever names an audit asks for what it costs
    if audits is None:
        chosen = {name: each for name, each in chosen.items() if task in each.tasks and each.wanted(evidence)}
    findings: list[Finding] = []
    sections: list[Section] = []
    with noted_warnings() as warned, one_thread():
        for step, (name, each) in enumerate(chosen.items()):
            if progress is not None:
                progress(step, len(chosen), name)
                evidence.tell = _within(progress, step, len(chosen), name)
            statement = _beside(name, each, evidence) or _stated(each, evidence, lenient=audits is None)
            findings += statement.findings
            sections.append(Section(name, statement.ran, statement.reason))
    measurements: Measurements = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 3),
        "warnings": list(warned),
    }
    with one_thread():
        source, counts = provenance(evidence), counts_of(evidence)
        if any(section.ran for section in sections if section.audit == "explanation"):
            drawn, source["attribution_reach"], source["attribution_means"] = swarm(evidence.attributions)
            counts = (*counts, drawn)
    if keeping is not None:
        source["predictions"] = keep(evidence, keeping)
    return AuditRecord(_once(findings), tuple(sections), counts, source, measurements)


def _within(progress: Progress, step: int, steps: int, name: str) -> Callable[[str], None]:
    """Return what tells how far a single audit is."""
    return lambda text: progress(step, steps, f"{name}, {text}")


def chosen_options(options: AuditOptions | None, settings: Mapping[str, object]) -> AuditOptions:
    """Return the options of an audit; single settings take precedence, unknown names are an error."""
    chosen = (options or AuditOptions()).updated(settings)
    taken = (name for name in chosen.metrics if canonical(name) is not None)
    raise_all(InputError, (f"There is a metric '{name}' already; give yours another name." for name in taken))
    return chosen


def _stated(audit: Audit, evidence: Evidence, *, lenient: bool) -> Statement:
    """Return what an audit states; where the model fails on rows that it alone asks about, that it did not run."""
    if not (lenient and audit.asks_again):
        return audit.run(evidence)
    if evidence.asked:
        _ = evidence.predictions  # whoever fails on the rows themselves is not audited
    try:
        return audit.run(evidence)
    except ModelError:  # its words may hold a row's values
        return not_applicable("The model failed on rows that this audit asks about; name the audit to see how.")


def _beside(name: str, audit: Audit, evidence: Evidence) -> Statement | None:
    """Return the statement of an audit that does not support this task or input; None where it can run."""
    if evidence.data.task not in audit.tasks:
        tasks = joined(" or ", sorted(audit.tasks))
        told: dict[str, Place] = {"task": evidence.data.task, "audit": name, "tasks": tasks}
        return not_applicable("The label is one of {task}; the {audit} audit is about {tasks}.", **told)
    if audit.of_columns and evidence.asked and evidence.reads != "table":
        reads = evidence.reads
        return not_applicable("The model reads {inputs}; this audit asks about the columns of a table.", inputs=reads)
    return None


def _once(findings: list[Finding]) -> tuple[Finding, ...]:
    """Keep the first finding of each key: a metric over all rows may be stated by two audits."""
    seen: dict[Key, Finding] = {}
    for finding in findings:
        seen.setdefault(finding.key, finding)
    return tuple(seen.values())


def counts_of(evidence: Evidence, *, by_score: bool = True) -> tuple[GroupCounts, ...]:
    """Return the counts of all rows and of every grouping, for each model and jointly; by score where that is asked."""
    if (
        evidence.data.task not in ("binary", "multiclass", "clustering")
        or evidence.subject.facts.get("kind") == "table"
    ):
        return _sizes(evidence)
    models = ("subject",) if evidence.original is None else ("subject", "original")
    groupings: tuple[Grouping | None, ...] = (None, *evidence.groupings)
    counts = [_tally_counts(evidence, grouping, model) for model in models for grouping in groupings]
    if evidence.original is not None:
        counts += _joint_counts(evidence, groupings)
    counts += _strata_counts(evidence)
    return (*counts, *(_scores(evidence) if by_score else ()))


def _joint_counts(evidence: Evidence, groupings: tuple[Grouping | None, ...]) -> Iterator[GroupCounts]:
    """Yield the joint counts of both models; for several classes only whether each was right."""
    binary = evidence.data.task == "binary"
    for grouping in groupings:
        joint = evidence.joint_tally(grouping, "decisions" if binary else "agreement")
        axes = ("group", "true", *(("original", "predicted") if binary else ("original right", "predicted right")))
        cells = (joint.counts, joint.weights, joint.squared_weights)
        yield _group_counts("joint", grouping, axes, *cells, moments=joint.moments, clusters=joint.clusters)


MOST_CELLS = 40_000
"""The most cells of a grouping whose counts by score are kept."""


def _scores(evidence: Evidence) -> Iterator[GroupCounts]:
    """Yield counts by score, which give the decisions at every threshold."""
    if not sweepable(evidence):
        return
    for grouping in (None, *evidence.groupings):
        groups = 1 if grouping is None else len(grouping.labels)
        if groups * 2 * (len(evidence.score_edges) + 1) <= MOST_CELLS:
            yield _group_counts("scores", grouping, ("group", "true", "reached"), evidence.score_counts(grouping))


def _sizes(evidence: Evidence) -> tuple[GroupCounts, ...]:
    """Return the row count of every group: all there is to count where decisions are not classes."""
    whole = _group_counts("subject", None, ("group",), np.array([len(evidence.data)]))
    return (whole, *(_group_counts("subject", each, ("group",), each.rows) for each in evidence.groupings))


def _tally_counts(evidence: Evidence, grouping: Grouping | None, model: str) -> GroupCounts:
    return _of_tally(evidence.tally(grouping, model), model, *_named(grouping))


def _strata_counts(evidence: Evidence) -> Iterator[GroupCounts]:
    """Yield the counts of each feature's groups within each value of each control feature."""
    counts, controls = EvidenceCounts(evidence), evidence.data.roles.control_features
    for control in sorted(controls):
        for grouping in evidence.groupings:
            if len(grouping.columns) > 1 or grouping.columns == (control,) or evidence.data.task != "binary":
                continue
            values, parts = counts.strata(grouping.columns, control)
            whole = Tally(*(_stacked([getattr(part, name) for part in parts]) for name in COUNTED))  # type: ignore[arg-type]
            labels = [(*group, value) for value in values for group in grouping.labels]
            there = np.flatnonzero(whole.rows)  # groups without a row are known from the others
            kept = whole.each(lambda cells, there=there: None if cells is None else cells[there])  # type: ignore[misc]
            yield _of_tally(kept, "strata", (*grouping.columns, control), tuple(labels[at] for at in there))


def _stacked(parts: list[NDArray[np.generic] | None]) -> NDArray[np.generic] | None:
    return np.concatenate([part for part in parts if part is not None]) if parts[0] is not None else None


COUNTED: Final = ("counts", "weights", "squared_weights", "moments", "clusters")
"""What a tally holds."""


def _of_tally(tally: Tally, model: str, columns: tuple[str, ...], labels: tuple[tuple[str, ...], ...]) -> GroupCounts:
    cells = (tally.counts, tally.weights, tally.squared_weights, tally.moments, tally.clusters)
    return _kept(GroupCounts(model, columns, labels, ("group", "true", "predicted"), None), *cells)


def _named(grouping: Grouping | None) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    return ((), ((),)) if grouping is None else (grouping.columns, grouping.labels)


def _group_counts(
    model: str,
    grouping: Grouping | None,
    axes: tuple[str, ...],
    *cells: NDArray[np.generic] | None,
    moments: NDArray[np.generic] | None = None,
    clusters: NDArray[np.generic] | None = None,
) -> GroupCounts:
    counts, weights, squared = (*cells, None, None)[:3]
    return _kept(GroupCounts(model, *_named(grouping), axes, None), counts, weights, squared, moments, clusters)


def _kept(
    named: GroupCounts,
    counts: NDArray[np.generic] | None,
    weights: NDArray[np.generic] | None,
    squared: NDArray[np.generic] | None,
    moments: NDArray[np.generic] | None,
    clusters: NDArray[np.generic] | None,
) -> GroupCounts:
    """Return counts with what their errors need, sums over clusters only where they are not too many."""
    if moments is not None and moments.size > MOST_MOMENTS:
        moments = None
    names = ("counts", "weights", "squared_weights", "moments", "clusters")
    parts = zip(names, (counts, weights, squared, moments, clusters), strict=True)
    return replace(named, **{name: part.tolist() for name, part in parts if part is not None})
