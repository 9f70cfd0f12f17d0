"""What to do about the limits that stop a release: only what applies to them, and what it costs."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from evenhand.messages import capitalized, joined, message, messages
from evenhand.policy.limits import DECLARED
from evenhand.policy.matching import own_key
from evenhand.policy.naming import named
from evenhand.policy.wording import cut, number
from evenhand.report.first import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from evenhand.findings import AuditRecord
    from evenhand.messages import Place
    from evenhand.policy import Judgement, Verdict
    from evenhand.policy.advice.advising import Advised

MOST_NAMED: Final = 3
"""Groups and limits that are named; others are counted."""
LONGEST_WAIVER: Final = 180
COMMANDS: Final = """evenhand init
evenhand gate audit.json --policy policy.toml"""


def acts_of(record: AuditRecord, verdict: Verdict | None) -> tuple[Act, ...]:
    """Return what can be done, the least costly first; nothing where nothing stops."""
    if verdict is None:
        return tuple(_set_limits(record))
    stopping = [judgement for judgement in verdict.judgements if judgement.stops]
    if not stopping:
        return ()
    return (*_declare(stopping), *_move(record, verdict), *_collect(stopping), *_waive(stopping))


def _set_limits(record: AuditRecord) -> Iterator[Act]:
    if "study" not in record.provenance:
        text = message("Write them into policy.toml; the record is then judged without the model and its data.")
        yield Act("limit", message("Set limits"), text, COMMANDS)


def _declare(stopping: Sequence[Judgement]) -> Iterator[Act]:
    names = [judgement.limit.key.columns[0] for judgement in stopping if judgement.limit.key.metric == DECLARED]
    if names:
        yield Act("declare", message("Declare"), message("{names} in responsibility.toml.", names=listed(names, ", ")))


def _move(record: AuditRecord, verdict: Verdict) -> Iterator[Act]:
    """Say what another threshold does, from the counts by score; a copy for publication has none."""
    from evenhand.policy.moving import another_threshold

    found = another_threshold(record, verdict)
    if found is None:
        return
    if found.to is None:
        text = message(
            "At none of {tried} other thresholds are all limits on decisions shown to hold.", tried=found.tried
        )
        yield Act("threshold", message("Moving the threshold does not help"), text)
        return
    cost = ""
    if found.accuracy is not None and found.accuracy_now is not None:
        before, after = (f"{100 * value:.1f} %" for value in (found.accuracy_now, found.accuracy))
        cost = message("accuracy is then {after}, today {before}", after=after, before=before)
    text = message(
        "At {to} all limits on decisions are shown to hold; {cost}. It was found on these rows, so audit it on others.",
        to=f"{found.to:.4g}", cost=cost,
    )  # fmt: skip
    title = message("Move the threshold from {now}", now="?" if found.now is None else f"{found.now:.4g}")
    yield Act("threshold", title, text)


def _collect(stopping: Sequence[Judgement]) -> Iterator[Act]:
    """Say how many rows of whom decide the limits that are open, and which of them no such number surely does."""
    advised = [(judgement, judgement.advice) for judgement in stopping if judgement.advice is not None]
    few = [(judgement, advice) for judgement, advice in advised if advice.found.rows]
    never = [
        (judgement, advice)
        for judgement, advice in advised
        if not advice.found.rows and advice.found.chance is not None
    ]
    if few:
        least = min(advice.found.chance.value for _, advice in few if advice.found.chance is not None)
        decided = _labels([judgement for judgement, _ in few])
        text = message(
            "{rows}, to decide {limits} ({chance} % chance).",
            rows=capitalized(_rows(advice for _, advice in few)), limits=decided, chance=round(100 * least),
        )  # fmt: skip
        yield Act("collect", message("Collect and label more rows"), text)
    bare = [judgement for judgement in stopping if _lacks_rows(judgement)]
    if bare:
        text = message("They alone can decide {limits}.", limits=_labels(bare))
        yield Act("lack", message("Collect rows of groups that have too few"), text)
    if never:
        yield Act("settle", message("Collecting more may not be enough"), _never(never))


def _rows(advised: Iterable[Advised]) -> str:
    """Return how many rows of whom decide all of these limits: of each group the most that any of them needs."""
    needed: dict[str, int] = {}
    for advice in advised:
        for group, rows in advice.found.rows:
            needed[group] = max(rows, needed.get(group, 0))
    if len(needed) > MOST_NAMED:
        from evenhand.policy.advice.allocating import round_up

        return message("about {rows:,} rows of {n} groups", rows=round_up(sum(needed.values())), n=len(needed))
    return joined(", ", (_of(group, rows) for group, rows in needed.items()))


def _of(group: str, rows: int) -> str:
    if not group:
        return messages("about {n:,} row", "about {n:,} rows", rows)
    return message("about {n:,} of {group}", n=rows, group=cut(group, 60))


def _never(pairs: Sequence[tuple[Judgement, Advised]]) -> str:
    """Return the limits that more rows may not decide, each with its chance, and a limit that as many as now decide."""
    from evenhand.policy.advice.assurance import CHANCE, TIMES

    told = []
    for judgement, advice in pairs[:MOST_NAMED]:
        chance, settles = advice.found.chance, advice.found.settles
        assert chance is not None  # only those with one are told of
        places: dict[str, Place] = {"chance": round(100 * chance.value), "limit": named(judgement.key)}
        if settles is None:
            told.append(message("{limit}: {chance} %", **places))
        else:
            places |= {"settles": settles, "most": round(100 * CHANCE)}
            told.append(message("{limit}: {chance} % (as many as now: {most} % for a limit of {settles:g})", **places))
    return message("The chance that {times} times more rows decide {limits}.", times=TIMES, limits=joined("; ", told))


def is_open(judgement: Judgement) -> bool:
    """Whether the end of the interval that keeps a limit undecided has no bound."""
    evidence, finding = judgement.evidence, judgement.finding
    if judgement.status != "undecided" or evidence is None or finding is None or finding.interval is None:
        return False
    end = getattr(finding.interval, evidence.end)
    return end is None or math.isinf(end)


def _lacks_rows(judgement: Judgement) -> bool:
    """Whether a group has too few rows for a value, or for an interval with two ends."""
    finding = judgement.finding
    if judgement.status != "undecided" or finding is None or finding.withheld:
        return False
    if judgement.advice is not None and judgement.advice.found.chance is not None:
        return False
    return finding.estimate is None or is_open(judgement)


def _labels(judgements: Sequence[Judgement]) -> str:
    return listed([named(judgement.key) for judgement in judgements])


def listed(names: Sequence[str], between: str = "; ") -> str:
    """Return at most so many names as a page names at once; further ones are counted."""
    shown = joined(between, (cut(name, 60) for name in names[:MOST_NAMED])) if len(names) > 1 else names[0]
    left = len(names) - MOST_NAMED
    return message("{names} and {more} more", names=shown, more=left) if left > 0 else shown


def _waive(stopping: Sequence[Judgement]) -> Iterator[Act]:
    """Say who may accept the risk, and what to write for the worst limit."""
    first = stopping[0]
    key = json.dumps(str(own_key(first.limit)), ensure_ascii=False)
    lines: list[Place] = [
        "# policy.toml", "[[waivers]]", f"limit = {key}",
        message('reason = "..."            # why the risk is accepted'),
        message('owner = "..."             # who answers for it'),
        'approved_by = "..."',
        message("expires = 2000-01-01      # the last day, at most {days} days ahead", days=LONGEST_WAIVER),
    ]  # fmt: skip
    if first.finding is not None and first.finding.estimate is not None:
        lines.append(f"accept_to = {number(first.finding.estimate, first.limit.bound).replace(',', '')}")
    text = message(
        "Whoever answers for it signs a waiver of at most {days} days, one for each limit.", days=LONGEST_WAIVER
    )
    yield Act("waive", message("Accept the risk for a time"), text, joined("\n", lines))
