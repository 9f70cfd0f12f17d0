"""The whole page as plain data, from a record and a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.metrics import METRICS, Metric, canonical, describe, parse_disparity
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.catalogue.names import any_disparity
from evenhand.policy.wording import groups_text, limit_text, measured
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.catalogue import parts
from evenhand.report.sections.scope import sign_off
from evenhand.report.sections.study import is_study
from evenhand.report.view import Entry, Figure, LimitRow, Mark, Page, Risk

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Judgement, Verdict

ANY_CHANGE: Final = Metric(
    "*_change",
    "Change by compression",
    "change",
    "neutral",
    "value of the compressed model - value of the original",
    "What compression did to a figure, row by row.",
    "No change on average can hide gains of one group and losses of another.",
    "Zou and Donner (2008), Statistics in Medicine 27; Newcombe (1998b), Statistics in Medicine 17",
    example="0.90 - 0.92 = -0.02",
)
"""The change of whatever figure."""
HEADLINES = {"passed": "Passed", "failed": "Failed", "undecided": "Undecided", "none": "Measured, not judged"}
UNJUDGED = "No policy was given, so nothing is passed or failed."
COMPARED = "Models are compared here; how each was judged stands beside it."
KEPT = ("scope", "data", "limitations")
"""Sections that are never left out: what people did not declare is named."""
MOST_RISKS = 5
MOST_KEY = 160


def build_page(record: AuditRecord, verdict: Verdict | None, omit_empty: bool = False) -> Page:
    """Return everything a report says; without sections that have no figures, where asked."""
    data, subject = record.provenance.get("data"), record.provenance.get("subject")
    name = str(subject.get("name", "model")) if isinstance(subject, dict) else "model"
    source = str(data.get("name", "data")) if isinstance(data, dict) else "data"
    rows = data.get("rows", 0) if isinstance(data, dict) else 0
    versions = record.provenance.get("versions")
    status = "none" if verdict is None else verdict.status
    study = is_study(record)
    return Page(
        title=f"{'Study' if study else 'Audit'} of {cut(name, 80)}",
        subtitle=f"{cut(name, 80)} on {cut(source, 80)}, {rows:,} rows",
        status=status,
        headline=HEADLINES[status],
        sentence=(COMPARED if study else UNJUDGED) if verdict is None else _signs(verdict.sentence),
        remarks=verdict.remarks if verdict is not None else (),
        limits=() if verdict is None else tuple(_limit(j, at) for at, j in enumerate(verdict.judgements)),
        glance=_glance(verdict),
        risks=_risks(record, verdict),
        parts=tuple(part for part in parts(record, verdict) if part.blocks or not omit_empty or part.name in KEPT),
        glossary=_glossary(record, verdict),
        last=(sign_off(record, verdict),),
        version=str(versions.get("evenhand", "")) if isinstance(versions, dict) else "",
    )


def _limit(judgement: Judgement, at: int) -> LimitRow:
    finding = judgement.finding
    who = groups_text(finding) if finding is not None and finding.estimate is not None else ""
    badge = judgement.status + (f", {judgement.aside}" if judgement.aside else "")
    return LimitRow(
        f"limit-{at}",
        judgement.status,
        badge,
        cut(str(judgement.key), MOST_KEY),
        describe(judgement.key.metric).label,
        measured(judgement.finding, judgement.limit),
        _signs(limit_text(judgement.limit)),
        "" if who in judgement.sentence else who,
        cut(judgement.sentence, 400),
        judgement.limit.note,
    )


def _glance(verdict: Verdict | None) -> Figure | None:
    """Draw the judged limits that are shares or ratios on one axis, each with its limit."""
    if verdict is None:
        return None
    drawn = [judgement for judgement in verdict.judgements if _drawable(judgement)]
    rows: list[tuple[str, Finding, Mark, float | None]] = [
        (str(judgement.key), judgement.finding, judgement.status, judgement.limit.bound)
        for judgement in drawn
        if judgement.finding is not None
    ]
    texts = [measured(judgement.finding, judgement.limit) for judgement in drawn]
    return (
        figure("limits-figure", "Each limit, with the interval it was judged by", rows, texts=texts) if rows else None
    )


def _drawable(judgement: Judgement) -> bool:
    finding = judgement.finding
    if finding is None or finding.estimate is None:
        return False
    return finding.unit in ("share", "ratio", "score") and -1 <= finding.estimate <= 1


def _risks(record: AuditRecord, verdict: Verdict | None) -> tuple[Risk, ...]:
    """At most five: what stops the release first, what fails before what is open, most people first."""
    found = [] if verdict is None else [(j, at) for at, j in enumerate(verdict.judgements) if j.status != "passed"]
    found.sort(key=lambda pair: (not pair[0].stops, pair[0].status != "failed", -_people(pair[0])[1]))
    risks = [Risk(_risk(judgement), f"limit-{at}") for judgement, at in found]
    seen = record.provenance.get("rows_seen_in_training")
    if isinstance(seen, int) and seen > 0:
        words = (
            f"{seen:,} of the evaluation rows have an equal row among those the model was fitted on. Where they are "
            "the same cases, every figure here flatters the model."
        )
        risks.insert(0, Risk(words, "data"))
    return tuple(risks[:MOST_RISKS])


def _people(judgement: Judgement) -> tuple[str, int]:
    """Return the group that fares worst, and its rows; all rows where a limit is about no group."""
    finding = judgement.finding
    if finding is None or not finding.groups:
        return "", 0 if finding is None else finding.support
    least_fares_worst = describe(finding.component or finding.key.metric).direction != "lower_is_better"
    part = finding.groups[0] if least_fares_worst else finding.groups[-1]
    return part.group, part.rows


def _risk(judgement: Judgement) -> str:
    if judgement.limit.required:
        return f"{judgement.sentence} The policy requires it."
    words = describe(judgement.key.metric).label
    shown, limit = measured(judgement.finding, judgement.limit), _signs(limit_text(judgement.limit))
    key = cut(str(judgement.key), MOST_KEY)
    said = "is outside the limit" if judgement.status == "failed" else "may be outside the limit"
    sentence = cut(judgement.sentence.removesuffix(judgement.limit.note).rstrip("; "), 300)
    who = groups_text(judgement.finding) if judgement.finding is not None and judgement.status != "failed" else ""
    told = f"; {who}" if "(n=" in who and who not in sentence else ""
    group, people = _people(judgement)
    hit = f". It weighs on {people:,} rows: {cut(group, 80)}" if group and judgement.status == "failed" else ""
    return f"{words} ({key}) {said} {limit}: {shown}{told}. {_begun(sentence).rstrip('.')}{hit}"


def _begun(sentence: str) -> str:
    """Return a sentence with a capital letter, but for one that begins with the name of a metric."""
    return sentence if canonical(sentence.partition(":")[0]) else sentence[:1].upper() + sentence[1:]


def _signs(text: str) -> str:
    """Return text with the signs that people write, for a page that is no ASCII."""
    return text.replace("<= ", "≤ ").replace(">= ", "≥ ")


def _glossary(record: AuditRecord, verdict: Verdict | None) -> tuple[Entry, ...]:
    """The entry of every metric that the page uses, by label; ways of comparing groups once, not for every metric."""
    values = {finding.key.metric: finding for finding in reversed(record.findings)}
    judged = {judgement.key.metric for judgement in (() if verdict is None else verdict.judgements)}
    hows = {split[1] for name in values if (split := parse_disparity(name)) and split[0] in METRICS}
    kept = {canonical(name) or name: values.get(name) for name in {*values, *judged} if _of_its_own(name, judged)}
    entries = [(describe(name), name, finding) for name, finding in kept.items()]
    entries += [(any_disparity(how), f"*_{how}", None) for how in hows]
    if any(_is_change(name, judged) for name in values):
        entries.append((ANY_CHANGE, ANY_CHANGE.name, None))
    return tuple(
        Entry(
            cut(name, MOST_KEY), cut(e.label, MOST_KEY), e.meaning, e.formula, e.misleads, e.source, e.worked,
            "" if e.worked or found is None else f"{cut(found.name, MOST_KEY)} = {with_interval(found)}",
        )
        for e, name, found in sorted(entries, key=lambda entry: entry[0].label.lower())
    )  # fmt: skip


def _of_its_own(name: str, judged: set[str]) -> bool:
    """Whether a metric has an entry of its own: what is judged, drawn, or no comparison of groups."""
    split = parse_disparity(name)
    if _is_change(name, judged):
        return False
    return name in judged or canonical(name) in stated("headline") or split is None or split[0] not in METRICS


def _is_change(name: str, judged: set[str]) -> bool:
    """Whether a metric is the change of another, which the glossary tells once for all of them."""
    return name.endswith("_change") and name not in judged
