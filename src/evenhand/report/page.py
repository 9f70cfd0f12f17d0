"""Build the page as plain data from a record and a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.messages import Message, capitalized, message, sentences
from evenhand.metrics import METRICS, Metric, canonical, describe, parse_disparity
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.catalogue.names import any_disparity
from evenhand.policy.limits import REQUIRED
from evenhand.policy.telling import harm_sentence
from evenhand.policy.verdict import WORDS
from evenhand.policy.wording import limit_text, measured
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, with_interval
from evenhand.report.sections.catalogue import parts
from evenhand.report.sections.facts import is_study
from evenhand.report.sections.judged import STATUSES
from evenhand.report.view import Entry, LimitRow, Page, Risk

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.messages import Place
    from evenhand.policy import Judgement, Verdict
    from evenhand.report.drawings import Figure
    from evenhand.report.sections.judged import FigureRow

ANY_CHANGE: Final = Metric(
    "*_change",
    message("Change by compression"),
    "change",
    "neutral",
    "value of the compressed model - value of the original",
    message("What compression did to a figure, row by row."),
    message("No change on average can hide gains of one group and losses of another."),
    "Zou and Donner (2008), Statistics in Medicine 27; Newcombe (1998b), Statistics in Medicine 17",
    example="0.90 - 0.92 = -0.02",
)
"""The change of any metric."""
HEADLINES: Final = {"none": message("Measured, not judged")} | WORDS
UNJUDGED = message("No policy was given, so nothing is passed or failed.")
COMPARED = message("Models are compared here; how each was judged is shown with it.")
MOST_RISKS = 5
MOST_KEY = 160


def build_page(record: AuditRecord, verdict: Verdict | None, omit_empty: bool = False) -> Page:
    """Return the whole page; optionally without sections that have no figures."""
    data, name = record.provenance.get("data", {}), record.provenance.get("subject", {}).get("name", "model")
    source, rows = data.get("name", "data"), data.get("rows", 0)
    status = "none" if verdict is None else verdict.status
    study, model = is_study(record), cut(name, 80)
    before, after = parts(record, verdict)
    return Page(
        title=message("Study of {model}", model=model) if study else message("Audit of {model}", model=model),
        subtitle=message("{model} on {data}, {rows:,} rows", model=model, data=cut(source, 80), rows=rows),
        status=status,
        headline=HEADLINES[status],
        sentence=(COMPARED if study else UNJUDGED) if verdict is None else _signed(verdict.sentence),
        remarks=verdict.remarks if verdict is not None else (),
        limits=() if verdict is None else tuple(_limit(j, at) for at, j in enumerate(verdict.judgements)),
        glance=_glance(verdict),
        risks=_risks(record, verdict),
        parts=tuple(part for part in before if part.blocks or not omit_empty),
        glossary=_glossary(record, verdict),
        last=after,
        version=record.provenance.get("versions", {}).get("evenhand", ""),
    )


def _limit(judgement: Judgement, at: int) -> LimitRow:
    status = STATUSES[judgement.status]
    return LimitRow(
        f"limit-{at}",
        judgement.status,
        message("{status}, {aside}", status=status, aside=judgement.aside) if judgement.aside else status,
        cut(str(judgement.key), MOST_KEY),
        describe(judgement.key.metric).label,
        measured(judgement.finding, judgement.limit),
        _signs(limit_text(judgement.limit)),
        cut(judgement.sentence, 400),
        judgement.limit.note,
        harm_sentence(judgement),
    )


def _glance(verdict: Verdict | None) -> Figure | None:
    """Draw the judged limits that are shares or ratios on one axis, each with its limit."""
    if verdict is None:
        return None
    rows: list[FigureRow] = []
    texts = []
    for judgement in verdict.judgements:
        finding = judgement.finding
        if finding is None or finding.estimate is None or finding.unit not in ("share", "ratio", "score"):
            continue
        if -1 <= finding.estimate <= 1:
            rows.append((str(judgement.key), finding, judgement.status, judgement.limit.bound))
            texts.append(measured(finding, judgement.limit))
    title = message("Each limit, with the interval it was judged by")
    return figure("limits-figure", title, rows, texts=texts) if rows else None


def _risks(record: AuditRecord, verdict: Verdict | None) -> tuple[Risk, ...]:
    """Return at most five risks: those that stop the release first, failed before undecided, worst first."""
    found = [] if verdict is None else [(j, at) for at, j in enumerate(verdict.judgements) if j.status != "passed"]
    found.sort(key=lambda pair: (not pair[0].stops, pair[0].status != "failed"))
    risks = [Risk(_risk(judgement), f"limit-{at}") for judgement, at in found]
    seen = record.provenance.get("rows_seen_in_training")
    if seen:
        words = message(
            "{rows:,} of the evaluation rows have an equal row among those the model was fitted on. Where they are "
            "the same cases, every figure here flatters the model.",
            rows=seen,
        )
        risks.insert(0, Risk(words, "data"))
    return tuple(risks[:MOST_RISKS])


def _risk(judgement: Judgement) -> str:
    """Describe a risk: the metric against its limit, the groups that decided, and the people who are harmed."""
    limit, failed = judgement.limit, judgement.status == "failed"
    if limit.required:
        return sentences(judgement.sentence, message("The policy requires it."))
    places: dict[str, Place] = {
        "metric": describe(judgement.key.metric).label,
        "key": cut(str(judgement.key), MOST_KEY),
        "limit": _signs(limit_text(limit)),
        "value": measured(judgement.finding, limit),
        "why": cut(_why(judgement), 400),
    }
    if not failed:
        return message("{metric} ({key}) may be outside the limit {limit}: {value}. {why}", **places)
    risk = message("{metric} ({key}) is outside the limit {limit}: {value}. {why}.", **places)
    return sentences(risk, harm_sentence(judgement))


def _why(judgement: Judgement) -> str:
    """Return the evidence in words; the source of the limit, and what would decide it, are with the limit itself."""
    said = judgement.sentence
    if judgement.evidence is not None and not judgement.aside:
        said = judgement.evidence.sentence
    return capitalized(said) if isinstance(said, Message) else said


def _signs(text: str) -> str:
    """Return a limit with typographic signs, for a page that is not ASCII."""
    return text if isinstance(text, Message) else text.replace("<= ", "≤ ").replace(">= ", "≥ ")


def _signed(text: Place) -> str:
    """Return the verdict's sentence with typographic signs in its limits."""
    if not isinstance(text, Message):
        return str(text)
    places = {
        name: _signs(cast("str", value)) if name == "limit" else _signed(value) if isinstance(value, Message) else value
        for name, value in text.places.items()
    }
    return Message(text.id, places, text.plural)


def _glossary(record: AuditRecord, verdict: Verdict | None) -> tuple[Entry, ...]:
    """Return the entries of all metrics on the page, by label; group comparisons once, not for every metric."""
    values = {finding.key.metric: finding for finding in reversed(record.findings)}
    judged = {judgement.key.metric for judgement in (() if verdict is None else verdict.judgements)} - {REQUIRED}
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
    """Return whether a metric has its own entry: it is judged, drawn, or no comparison of groups."""
    split = parse_disparity(name)
    if _is_change(name, judged):
        return False
    return name in judged or canonical(name) in stated("headline") or split is None or split[0] not in METRICS


def _is_change(name: str, judged: set[str]) -> bool:
    """Return whether a metric is the change of another, which the glossary explains once for all."""
    return name.endswith("_change") and name not in judged
