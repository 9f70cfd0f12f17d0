"""Compare a compressed model with its original on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.compression.attribution import attribution
from evenhand.audits.compression.decision_changes import NAME, changes
from evenhand.audits.compression.early_warnings import drift, early_warnings
from evenhand.audits.compression.number_changes import number_changes, place_changes
from evenhand.audits.compression.score_changes import score_changes
from evenhand.audits.compression.transcript_changes import transcript_changes
from evenhand.audits.statement import UNTIMED, Audit, Statement, not_applicable
from evenhand.findings import Finding, Unit
from evenhand.keys import Key
from evenhand.messages import message, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from evenhand.compression import Footprint
    from evenhand.data.inputs import Inputs
    from evenhand.evidence import Evidence
    from evenhand.findings import Task


MOVED: Final[Mapping[Task, Callable[[Evidence], Iterator[Finding]]]] = {
    "regression": number_changes, "ranking": place_changes, "transcription": transcript_changes,
}  # fmt: skip
"""What is stated of labels that are no classes."""
PLAIN_TESTS: Final = message("McNemar's tests count rows as they are, without weights; the intervals allow for them.")
CLUSTERED_TESTS: Final = message("Rows of one cluster are not independent: intervals and p-values allow for it.")

LABELLED: Final = message(
    "Of {rows:,} rows {labelled:,} have a label: {known:,} of the {differing:,} on which the models differ, and a "
    "sample of the others. Changes of rates are those of all rows; other figures rest on the labelled ones, weighted."
)


def compression(evidence: Evidence) -> Statement:
    """State who changed, in which direction, with paired intervals, and the savings in size and time."""
    if evidence.original is None:
        return not_applicable("No original model was given to compare with.")
    task, untimed = evidence.data.task, UNTIMED if evidence.remote and evidence.options.footprint else ""
    if task in MOVED:
        moved = MOVED[task]
        stated = tuple(finding for part in (moved, _neighbours, _sizes) for finding in part(evidence))
        return Statement(stated, untimed)
    parts = (changes, attribution, score_changes, early_warnings, drift, _neighbours, _sizes)
    return Statement(
        tuple(finding for part in parts for finding in part(evidence)), sentences(_of_unequal_rows(evidence), untimed)
    )


def _of_unequal_rows(evidence: Evidence) -> str:
    """Say what tests and intervals make of rows that have weights, or are in clusters; nothing of others."""
    data = evidence.data
    if data.roles.stratum_share is not None:
        return _labelled(evidence)
    if data.clusters is not None:
        return CLUSTERED_TESTS
    return "" if data.sample_weight is None else PLAIN_TESTS


def _labelled(evidence: Evidence) -> str:
    """Say which rows have a label, where they were chosen by the decisions of both models."""
    joint = evidence.joint_tally()
    assert joint.weights is not None  # rows that were chosen are weighted
    apart = [part[0].sum(axis=0)[[0, 1], [1, 0]].sum() for part in (joint.counts, joint.weights)]
    places = {"rows": round(float(joint.weights.sum())), "labelled": int(joint.counts.sum())}
    return message(LABELLED, **places, known=int(apart[0]), differing=round(float(apart[1])))


def _neighbours(evidence: Evidence) -> Iterator[Finding]:
    """State whether a row's score depends on the rest of its batch, as where a batch is scaled as a whole."""
    if not evidence.asked or evidence.remote:
        return
    from evenhand.compression import batch_dependence

    found = batch_dependence(evidence.subject, evidence.inputs, seed=evidence.options.seed)
    yield Finding(
        Key.of("batch_dependence"), NAME, found.largest_difference if found.depends else 0.0,
        support=found.rows, direction="lower_is_better", unit="number", note=found.sentence,
    )  # fmt: skip


def _sizes(evidence: Evidence) -> Iterator[Finding]:
    """State size and speed of both deployable artefacts, measured in one run."""
    if not evidence.options.footprint or evidence.original is None or evidence.remote:
        return
    from evenhand.compression import measure_footprint

    models = {"original": evidence.original, "subject": evidence.subject}
    measured = measure_footprint(models, _read_by_both(evidence))
    old, new = measured["original"], measured["subject"]
    yield from facts(old, new)
    for batch in sorted(set(old.latency) & set(new.latency)):
        yield from times(batch, old, new)


def _read_by_both(evidence: Evidence) -> Inputs:
    """Return what the models read: of a table the columns of both, as each may name others."""
    new, old = (getattr(model, "features", None) for model in (evidence.subject, evidence.original))
    if evidence.reads != "table" or not new or not old or set(old) <= set(new):
        return evidence.inputs
    from evenhand.data.inputs import as_inputs

    return as_inputs(evidence.data.table[list(dict.fromkeys((*new, *old)))])


def facts(old: Footprint, new: Footprint) -> Iterator[Finding]:
    """State the size of both files, and how many times smaller the new one is."""
    from evenhand.compression import gain_sentence

    sizes: dict[str, tuple[int | None, int | None]] = {
        "file_bytes": (old.file_bytes, new.file_bytes),
        "parameters": (old.parameters, new.parameters),
        "nonzero_parameters": (old.nonzero_parameters, new.nonzero_parameters),
        "macs": (old.macs, new.macs),
    }
    for fact, (before, after) in sizes.items():
        unit: Unit = "bytes" if fact == "file_bytes" else "number"
        for key, value in ((Key.of(fact), after), (_of(fact), before)):
            if value is not None:
                yield Finding(key, NAME, float(value), direction="lower_is_better", unit=unit)
    if old.file_bytes and new.file_bytes:
        ratio, note = old.file_bytes / new.file_bytes, gain_sentence(old, new)
        yield Finding(_of("size_ratio"), NAME, ratio, direction="higher_is_better", unit="ratio", note=note)


def times(batch: int, old: Footprint, new: Footprint) -> Iterator[Finding]:
    """State the time of one call; the ratio is of the minima, which other load disturbs least."""
    before, after, name = old.latency[batch], new.latency[batch], str(batch)
    for key, seconds in ((Key.of("latency", batch=name), after), (_of("latency", batch=name), before)):
        yield Finding(key, NAME, seconds.median, direction="lower_is_better", unit="seconds", volatile=True)
    ratio, key = before.minimum / after.minimum, _of("latency_ratio", batch=name)
    yield Finding(key, NAME, ratio, direction="higher_is_better", unit="ratio", volatile=True)


def _of(metric: str, **qualifiers: str) -> Key:
    return Key.of(metric, of="original", **qualifiers)


AUDIT: Final = Audit(compression, frozenset({"binary", "multiclass", *MOVED}))
