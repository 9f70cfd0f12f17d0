"""Changes of each limit since an earlier audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.policy.baseline import became
from evenhand.policy.wording import measured
from evenhand.report.drawings import table
from evenhand.report.numbers import cut
from evenhand.report.sections.judged import STATUSES
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Since the earlier audit")
EMPTY: Final = message("An earlier audit would fill this: evenhand gate --baseline, or --baseline of evenhand report.")


def since(_: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about a baseline; none where none was given."""
    found = () if judged.verdict is None else judged.verdict.judgements
    if not any(judgement.before or judgement.limit.against for judgement in found):
        return ()
    rows = [
        (
            cut(str(judgement.key), 160), STATUSES[judgement.before] if judgement.before else message("absent"),
            STATUSES[judgement.status], became(judgement.before, judgement.status),
            measured(judgement.finding, judgement.limit),
        )
        for judgement in found
    ]  # fmt: skip
    words = [row[3] for row in rows]
    told = message(
        "Of {limits} limits: {new} new, {worse} worse, {better} better, {fixed} fixed, {unchanged} unchanged.",
        limits=len(rows),
        **{word: words.count(word) for word in ("new", "worse", "better", "fixed", "unchanged")},
    )
    head = (message("limit on"), message("before"), message("now"), message("change"), message("measured now"))
    blocks = table("baseline-table", message("What became of each limit"), head, rows, {4}, 200)
    worse = words.count("worse") > 0
    return (Part("baseline", TITLE, (), blocks, answer=told, state="notable" if worse else "plain", open=worse),)


SECTION: Final = Section("baseline", TITLE, (), 1400, since, EMPTY, theme=CHANGES)
