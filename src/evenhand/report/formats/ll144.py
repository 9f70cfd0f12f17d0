"""The public summary of a bias audit under New York City Local Law 144 (6 RCNY 5-301 to 5-303).

The law requires rates and impact ratios but sets no limit on them, so nothing here passes or fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError
from evenhand.keys import Key, group_name
from evenhand.report.formats.format import Format
from evenhand.report.formats.markdown_text import as_markdown
from evenhand.report.numbers import cut
from evenhand.report.sections.facts import group_rows, groupings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord, GroupCounts
    from evenhand.policy import Verdict

SMALL: Final = 0.02
"""A category with less than this share of the data may be left out of impact ratios (5-301(d)); it is still shown."""
UNKNOWN: Final = "(missing)"
"""The group of rows without a value: people in an unknown category."""


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the summary: a category, and how many people are in it."""

    name: str
    applicants: int
    rate: float | None
    """The share with the favourable outcome."""
    unknown: bool
    """Whether it is the category of people whose category is unknown."""
    scoring: float | None = None
    """The share that scores above the median of all, where there are scores."""


def ll144(record: AuditRecord, verdict: Verdict | None = None) -> str:
    """The public summary of New York City's Local Law 144 (.md by name); without passed or failed.

    Raises
    ------
    InputError
        When the record names no sensitive feature, or the favourable outcome was not declared.
    """
    found = groupings(record)
    if not found:
        raise InputError("The summary is of categories, and the record names no sensitive feature.")
    if not any(finding.key.metric == "favourable_rate" for finding in record.findings):
        raise InputError("Selection is the outcome that is good for the person: audit with --favourable.")
    lines = ["# Summary of the bias audit", "", "New York City Local Law 144 of 2021, 6 RCNY 5-301 to 5-303.", ""]
    lines += _facts(record)
    for counts in found:
        lines += _table(record, counts)
    lines += ["", "The law sets no limit on impact ratios, and this summary none either.", ""]
    return "\n".join(lines)


def _facts(record: AuditRecord) -> Iterator[str]:
    source, model = record.provenance.get("data", {}), record.provenance.get("subject", {})
    answers = record.provenance.get("declared", {})
    started = record.measurements.get("started", "")[:10]
    origin = answers.get("data_origin") or "to be filled in (data_origin in responsibility.toml)"
    rows = source.get("rows", 0)
    yield from (
        f"- Date of the audit: {as_markdown(started) or 'not recorded'}",
        f"- Tool audited: {as_markdown(cut(model.get('name', 'model'), 120))}, "
        f"selecting at a score of at least {model.get('threshold')}",
        "- Date of distribution of the tool: to be filled in by whoever distributes it",
        "- To be posted until six months after the last use of the tool; an audit is at most one year old when used",
        f"- Data: {as_markdown(cut(source.get('name', 'data'), 120))}, {rows:,} people",
        f"- Source and explanation of the data: {as_markdown(cut(origin, 600))}",
        f"- Auditor: {as_markdown(cut(answers.get('owner') or 'to be filled in', 200))}; the law asks for an "
        "independent one",
    )


def _table(record: AuditRecord, counts: GroupCounts) -> Iterator[str]:
    categories = [_category(record, counts, at) for at in range(len(counts.groups))]
    total = sum(category.applicants for category in categories)
    known = [category for category in categories if not category.unknown]
    rates = [category.rate for category in known if category.rate is not None and not _small(category, total)]
    best = max(rates, default=0.0)
    title = " × ".join(as_markdown(cut(column, 60)) for column in counts.columns)
    scored = [c.scoring for c in known if c.scoring is not None and not _small(c, total)]
    top = max(scored, default=0.0)
    more = (" scoring rate | impact ratio of scores |", " ---: | ---: |") if scored else ("", "")
    yield from ("", f"## {title}", "", f"| category | applicants | selected | selection rate | impact ratio |{more[0]}")
    yield f"| --- | ---: | ---: | ---: | ---: |{more[1]}"
    for category in known:
        yield _row(category, total, best) + (_scored(category, total, top) if scored else "")
    unknown = sum(category.applicants for category in categories if category.unknown)
    yield from ("", f"People of an unknown category, left out: {unknown:,}.")
    small = [category.name for category in known if _small(category, total)]
    if scored:
        yield f"Scoring rate: the share that scores above the median of all {total:,} people in the data (5-301(c))."
    if small:
        named = ", ".join(as_markdown(cut(name, 80)) for name in small)
        yield f"Less than 2 % of the data, so without an impact ratio (5-301(d)): {named}."


def _row(category: Category, total: int, best: float) -> str:
    rate, selected, shown, ratio = category.rate, "", "", ""
    if rate is not None:
        selected, shown = f"{round(rate * category.applicants):,}", f"{rate:.3f}"
        ratio = "" if _small(category, total) or not best else f"{rate / best:.3f}"
    name = as_markdown(cut(category.name, 120))
    return f"| {name} | {category.applicants:,} | {selected} | {shown} | {ratio} |"


def _scored(category: Category, total: int, top: float) -> str:
    """Return the cells of a scoring tool: the share above the median of all, and its ratio (5-301(c))."""
    if category.scoring is None:
        return "  |  |"
    ratio = "" if _small(category, total) or not top else f"{category.scoring / top:.3f}"
    return f" {category.scoring:.3f} | {ratio} |"


def _category(record: AuditRecord, counts: GroupCounts, at: int) -> Category:
    pairs = dict(zip(counts.columns, counts.groups[at], strict=True))
    found = (record.get(Key.of(metric, pairs)) for metric in ("favourable_rate", "scoring_rate"))
    rate, scoring = (None if finding is None else finding.estimate for finding in found)
    return Category(group_name(pairs.items()), group_rows(counts, at), rate, UNKNOWN in pairs.values(), scoring)


def _small(category: Category, total: int) -> bool:
    return category.applicants < SMALL * total


FORMAT: Final = Format(ll144)
