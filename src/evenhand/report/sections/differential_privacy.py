"""Differential privacy: the claim, what guesses show, and what the privacy costs whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.messages import lowered, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.answering import Answer, limit_words
from evenhand.report.sections.facts import excludes_zero, whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.drawings import Table
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import State

NAME = "differential_privacy"
TITLE: Final = message("Differential privacy")
COSTS: Final = ("accuracy_change", "recall_change", "selection_rate_change")
"""What a private fit changes, beside one without privacy, as the audit of compression states it."""
SMALL: Final = 0.05
"""A change for a group is said first where its estimate is larger than this, beyond chance."""
MOST: Final = 24
FACTS: Final = {
    "noise_multiplier": message("noise on the sum of clipped gradients, in clips"),
    "clip": message("norm that each row's gradient is clipped to"),
    "sample_rate": message("chance of a row to be in a step"),
    "steps": message("planned steps"),
}
CANNOT: Final = message(
    "Cannot see: what preprocessing and validation rows give away, people with several rows, and what a stronger "
    "attack would show. A bound of 0 proves nothing."
)


def drawn(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about the claim, the bound and the cost; nothing where no privacy is claimed or tested."""
    found = record.of_audit(NAME)
    if not found:
        return ()
    blocks: list[Block] = [*_claim(found), *_cost(record, judged), *_shown(found), *_made(record)]
    return (Part(NAME, TITLE, (*reasons(record, NAME), CANNOT), tuple(blocks)),)


def _claim(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of what is claimed and shown."""
    rows = [
        (describe(f.key.metric).label, with_interval(f, 3), f.undefined or f.note) for f in found if not f.key.group
    ]
    title = message("What is claimed, and what guesses of who was in show")
    return table("dp-claim", title, ("", message("value"), message("note")), rows, {1})


def _made(record: AuditRecord) -> tuple[Table, ...]:
    """Return the table of how the fit was made private."""
    training = cast("Mapping[str, object]", record.provenance.get("subject", {}).get("training", {}))
    told = training.get("privacy")
    if not isinstance(told, dict):
        return ()
    rows = [
        (label, show(float(told[name]), "number"))
        for name, label in FACTS.items()
        if isinstance(told.get(name), (int, float))
    ]
    head = ("", message("value"))
    return table("dp-made", message("How the fit was made private"), head, rows, {1}, folded=True)


def _shown(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of what is shown of each group."""
    groups = [f for f in found if f.key.group and f.estimate is not None]
    rows = ((cut(whom(f), 60), show(f.estimate, f.unit), f"{f.support:,}") for f in groups)
    head = (message("group"), message("epsilon is at least"), message("rows drawn by coin"))
    return table("dp-shown", message("What guesses show of each group"), head, rows, {1, 2}, MOST, folded=True)


def _cost(record: AuditRecord, judged: Judged) -> list[Block]:
    """Draw what changed from the model without privacy: all rows first, then each group of one feature."""
    rows = [
        judged.row(message("{metric}: {group}", metric=describe(f.key.metric).label, group=cut(whom(f), 60)), f)
        for metric in COSTS
        for f in costs(record, metric)
    ]
    title = message("What the privacy costs: private less original, on the same rows")
    return [figure("dp-cost", title, rows, digits=3)] if rows else []


def costs(record: AuditRecord, metric: str) -> list[Finding]:
    """Return the change of a rate from the original, of all rows and of each group of one feature."""
    return [
        f
        for f in record.findings
        if f.key.metric == metric
        and dict(f.key.qualifiers) == {"of": "original"}
        and len(f.key.columns) == len(f.key.group) <= 1
        and f.estimate is not None
    ]


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the claim, whether guesses refute it, and whom the privacy costs most."""
    known = {f.key.metric: f for f in record.of_audit(NAME) if not f.key.group}
    claim, bound, excess = (known.get(f"epsilon_{name}") for name in ("claimed", "lower_bound", "excess"))
    said, state = _of_claim(claim, bound, excess)
    worst = _worst(record)
    if worst:
        state = state if state in OPENING else "notable"
    limits = judged.of(record.of_audit(NAME))
    if limits and limits[0].status != "passed":
        state = limits[0].status
    elif limits and state == "plain":
        state = "passed"
    return Answer(sentences(limit_words(limits) if limits else "", said, worst), state)


def _of_claim(claim: Finding | None, bound: Finding | None, excess: Finding | None) -> tuple[str, State]:
    """Return the sentence about the claim, and whether it has to be seen."""
    shown = None if bound is None else bound.estimate
    places = {
        "epsilon": show(None if claim is None else claim.estimate, "number"), "bound": show(shown, "number"),
    }  # fmt: skip
    if claim is None:
        if shown is None:
            return message("No epsilon is claimed, and none is shown."), "plain"
        return message("No epsilon is claimed; guesses of who was in show at least {bound}.", **places), "notable"
    if claim.estimate is None:
        return claim.undefined, "notable"
    if shown is None:
        return message("Epsilon {epsilon} is claimed; nothing tested it.", **places), "plain"
    if excess is not None and (excess.estimate or 0.0) > 0:
        words = message(
            "Epsilon {epsilon} is claimed, and guesses show at least {bound}: the claim is wrong.", **places
        )
        return words, "notable"
    return message(
        "Epsilon {epsilon} is claimed; guesses of who was in show at least {bound}, so nothing refutes it.", **places
    ), "plain"


def _worst(record: AuditRecord) -> str:
    """Name the group whose rate falls most beyond chance, beside the overall change; empty where none falls far."""
    falls = [
        f
        for metric in ("recall_change", "accuracy_change")
        for f in costs(record, metric)
        if f.key.group and f.estimate is not None and f.estimate < -SMALL and excludes_zero(f)
    ]
    if not falls:
        return ""
    least = min(falls, key=_at_best)
    overall = next((f for f in costs(record, "accuracy_change") if not f.key.group), None)
    rate = lowered(describe(least.key.metric.removesuffix("_change")).label)
    places = {"rate": rate, "group": cut(whom(least), 60), "change": show(least.estimate, "share", 3)}
    if overall is None:
        return message("Beside the model without privacy, {rate} of {group} changes by {change}.", **places)
    return message(
        "Beside the model without privacy, overall accuracy changes by {overall}, and {rate} of {group} by {change}.",
        overall=show(overall.estimate, "share", 3), **places,
    )  # fmt: skip


def _at_best(finding: Finding) -> float:
    """Return the end of a fall's interval that is nearest to none."""
    assert finding.interval is not None  # it excludes 0
    return finding.interval.high or 0.0


SECTION: Final = Section(NAME, TITLE, (NAME,), 810, drawn, theme=CHANGES, answer=answer)
