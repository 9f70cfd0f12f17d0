"""The verdict of a policy that is edited on the page: each limit, each problem with its line, and every threshold."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.errors import PolicyError
from evenhand.messages import joined, lowered, message
from evenhand.metrics import describe
from evenhand.policy.headline import headline
from evenhand.policy.verdict import WORDS
from evenhand.policy.wording import limit_text, measured
from evenhand.report.decision import signs
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut
from evenhand.report.why import why
from evenhand.serving.viewing.shown import Answer, Judged, Limited, Problem

if TYPE_CHECKING:
    from evenhand.policy import Judgement, Verdict
    from evenhand.policy.limits import Status
    from evenhand.policy.thresholds import Step, Sweep
    from evenhand.serving.viewing.asking import Asked
    from evenhand.serving.viewing.session import Session

LINE: Final = re.compile(r"^[^\s:]*:(\d+)|\bat line (\d+)")
"""Where a problem of a policy names its line."""
NONE: Final = Judged(
    "none", message("Measured, not judged"), message("No policy was given, so nothing is passed or failed.")
)


def judged(session: Session, asked: Asked) -> Judged:
    """Return what the policy comes to at the thresholds asked for, or its problems."""
    try:
        verdict = session.judged(asked)
    except PolicyError as wrong:
        lines = session.text(asked).splitlines()
        problems = tuple(Problem(problem, _line(problem, lines)) for problem in wrong.problems)
        return Judged("none", message("This policy cannot be judged"), _counted(len(problems)), problems=problems)
    if verdict is None:
        return NONE
    if session.places(asked) is None:
        return told(verdict, None)
    return told(verdict, session.judged(replace(asked, threshold=None, split="", each=())))


def told(verdict: Verdict, audited: Verdict | None) -> Judged:
    """Return a verdict as a page shows it, with what each limit comes to at the threshold of the audit, if another."""
    before = {} if audited is None else {str(j.key): j for j in audited.judgements}
    limits = tuple(_limited(judgement, before.get(str(judgement.key))) for judgement in verdict.judgements)
    lost = [j for j in verdict.judgements if j.finding is None and getattr(before.get(str(j.key)), "finding", None)]
    remarks = verdict.remarks if not lost else (*verdict.remarks, _lost(lost))
    said = headline(verdict)
    sentence = joined("; ", filter(None, (said.counts, said.aside)))
    return Judged(verdict.status, said.text, sentence, limits, remarks)


def _lost(found: list[Judgement]) -> str:
    return message(
        "{n} of the undecided limits cannot be judged at another threshold, as counts by score do not say them: "
        "{limits}.",
        n=len(found), limits=joined(", ", (cut(str(judgement.key), 80) for judgement in found[:6])),
    )  # fmt: skip


def _counted(problems: int) -> str:
    return message("Its problems, each with its line:") if problems > 1 else message("Its problem:")


def _line(problem: str, lines: list[str]) -> str:
    """Return the line of the text that a problem names; empty where it names none."""
    found = LINE.search(problem)
    number = 0 if found is None else int(found[1] or found[2])
    return cut(lines[number - 1].strip(), 200) if 0 < number <= len(lines) else ""


def _limited(judgement: Judgement, before: Judgement | None) -> Limited:
    return Limited(
        judgement.status,
        judgement.badge,
        describe(judgement.key.metric).label,
        cut(str(judgement.key), 160),
        signs(measured(judgement.finding, judgement.limit)),
        signs(limit_text(judgement.limit)),
        # what would decide an undecided limit is simulated, which takes seconds: the gate and the report say it
        why(judgement, judgement.reason),
        "" if before is None else lowered(WORDS[before.status]),
    )


def everywhere(session: Session, asked: Asked) -> Answer:
    """Return the policy judged at every threshold for everybody that the record has counts at."""
    title = message("The policy at every threshold")
    try:
        found = session.swept(session.text(asked))
    except PolicyError as wrong:
        return Answer("every", title, wrong.problems)
    lead = [_regions(found, status) for status in ("passed", "undecided", "failed")]
    if found.operating_point is not None:
        best = found.operating_point
        lead.append(
            message(
                "Of those where it passes, {threshold:.4g} has the greatest accuracy, {accuracy:.3f}.",
                threshold=best.threshold, accuracy=best.accuracy or 0.0,
            )
        )  # fmt: skip
    if found.left_out:
        named = joined(", ", (cut(key, 80) for key in found.left_out))
        lead.append(
            message("Not judged at another threshold, as counts by score do not say it: {limits}.", limits=named)
        )
    steps = _steps(found)
    links = tuple(f"/policy?{asked.query(threshold=step.threshold, split='', each=(), every=False)}" for step in steps)
    return Answer("every", title, tuple(lead), (_table(title, steps),), links)


def _regions(found: Sweep, status: Status) -> str:
    spans = found.regions(status)
    if not spans:
        return message("{status}: at no threshold.", status=WORDS[status])
    ranges = joined(", ", (f"{low:.4g}" if low == high else f"{low:.4g} – {high:.4g}" for low, high in spans[:8]))
    if len(spans) > 8:
        return message("{status}: at {ranges} and elsewhere.", status=WORDS[status], ranges=ranges)
    return message("{status}: at {ranges}.", status=WORDS[status], ranges=ranges)


def _steps(found: Sweep) -> list[Step]:
    """Return the thresholds at which some limit comes to something else than at the one before, and the one in use."""
    kept, before = [], None
    for step in found.steps:
        now = tuple(judgement.status for judgement in step.judgements)
        if now != before or step.in_use:
            kept.append(step)
        before = now
    return kept


def _table(title: str, steps: list[Step]) -> Table:
    head = (
        message("threshold"), message("result"), message("accuracy"), message("selection rate"),
        message("limits that keep it from passing"), "",
    )  # fmt: skip
    return Table("every-table", title, head, tuple(map(_row, steps)), frozenset({2, 3}))


def _row(step: Step) -> tuple[str, ...]:
    bad = [str(judgement.key) for judgement in step.judgements if judgement.status == step.status != "passed"]
    result, place = lowered(WORDS[step.status]), f"{step.threshold:.4g}"
    rates = (_number(step.accuracy), _number(step.selection_rate))
    return (place, result, *rates, cut(joined(", ", bad), 160), message("in use") if step.in_use else "")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
