"""Rows the model was fitted on beside others, for each group, and each declared domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, in_percent, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import excludes_zero, paired, whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import OPENING, Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Other rows, other domains")
OVERFITTED: Final = message("The model does better on rows it was fitted on, beyond chance, for {groups}.")
DEPENDENT: Final = message(
    "Fitted and evaluation rows are not independent, so whether the model does better on those it was fitted on is not "
    "told from chance."
)
ALIKE: Final = message("No group is shown to be done better on rows that the model was fitted on.")
WORST: Final = message("The domain with the least accuracy is {domain}: {share}.")
FARTHEST: Final = message("The domain with the greatest mean absolute error is {domain}: {error}.")
UNSEEN: Final = message("Domains that no row is of are not seen here.")


ON_FITTED: Final = message("{rate} on fitted rows less that on evaluation rows")
GAPS: Final = {
    "generalization_gap": ON_FITTED,
    "generalization_error_gap": message("{rate} on evaluation rows less that on fitted rows"),
}
"""Titles of figures of gaps."""
DOMAINS: Final = {
    "domain_accuracy": message("Accuracy in each domain: {column}"),
    "domain_mean_absolute_error": message("Mean absolute error in each domain: {column}"),
}
"""Titles of figures of domains."""
LEFT: Final = {
    "left_out_accuracy_change": message("Accuracy lost (below 0) in a domain when the model is fitted without it"),
    "left_out_mean_absolute_error_change": message(
        "Mean absolute error gained (above 0) in a domain when the model is fitted without it"
    ),
}
"""Titles of figures of what is lost in a domain that is left out."""
SHOWN: Final = (*GAPS, *DOMAINS, *LEFT)


def generalized(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about fitted rows and domains; nothing where neither was given."""
    found = record.of_audit("generalization")
    if not found:
        return ()
    blocks: list[Block] = []
    told = [*found, *(f for f in record.findings if f.key.metric == "generalization_gap" and f not in found)]
    for metric, rate in dict.fromkeys((f.key.metric, f.key.qualifier("rate")) for f in found if f.key.metric in GAPS):
        gaps = (f for f in told if f.key.metric == metric and f.key.qualifier("rate") == rate)
        rows = sorted(gaps, key=lambda f: bool(f.key.group))  # that of all rows may be of the audit of the training
        title = message(GAPS[metric] if rate != "r2" else ON_FITTED, rate=describe(rate or "").label)
        blocks.append(figure(f"fitted-{rate}", title, [judged.row(whom(f), f) for f in rows], digits=3))
    for column in dict.fromkeys(f.key.columns[0] for f in found if f.key.metric in DOMAINS):
        rows = [f for f in found if f.key.metric in DOMAINS and f.key.columns == (column,)]
        title = message(DOMAINS[rows[0].key.metric], column=cut(column, 40))
        name = f"domains-{len(blocks)}"
        blocks.append(figure(name, title, [judged.row(paired(f.key.group), f) for f in rows], digits=3))
        left = [f for f in found if f.key.metric in LEFT and f.key.columns == (column,)]
        if left:
            drawn = [judged.row(paired(f.key.group), f) for f in left]
            blocks.append(figure(f"left-out-{len(blocks)}", LEFT[left[0].key.metric], drawn, digits=3))
    blocks += _others(found)
    domains = any(f.key.metric in DOMAINS for f in found)
    said = (*reasons(record, "generalization"), *((UNSEEN,) if domains else ()))
    return (Part("generalization", TITLE, said, tuple(blocks)),)


def _others(found: tuple[Finding, ...]) -> tuple[Block, ...]:
    """Return the table of gaps between groups and domains, and of ranking."""
    cells = (
        (describe(f.key.metric).label, _where(f), with_interval(f, 3), f"{f.support:,}")
        for f in found
        if f.key.metric not in SHOWN and "_group_" not in f.key.metric
    )
    head = (message("metric"), message("group"), message("estimate and interval"), message("rows"))
    return table("generalization-table", message("Gaps and other rates"), head, cells, {2, 3}, 60, folded=True)


def _where(finding: Finding) -> str:
    rate = finding.key.qualifier("rate")
    groups = paired(finding.key.group) or ", ".join(finding.key.columns)
    return cut(joined(", ", filter(None, (describe(rate).label if rate else "", groups))), 60)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the groups that overfitting shows in, and the worst domain."""
    found = record.of_audit("generalization")
    made = answered(judged, found, "")
    others = [f for f in record.findings if found and f.key.metric == "generalization_gap" and f not in found]
    gaps = [f for f in found if f.key.metric in GAPS]
    gaps += [f for f in others if f.key.qualifier("rate") in ("accuracy", "roc_auc")]
    gaps = sorted(gaps, key=lambda f: (bool(f.key.group), -f.support))
    over = [f for f in gaps if not f.uncovered and excludes_zero(f) and (f.estimate or 0.0) > 0]
    said, notable = [made.sentence], bool(over)
    if over:
        groups = dict.fromkeys(whom(f) for f in over)
        said.append(message(OVERFITTED, groups=cut(joined("; ", groups), 300)))
    elif gaps:
        said.append(DEPENDENT if all(f.uncovered for f in gaps if f.estimate is not None) else ALIKE)
    domains = [f for f in found if f.key.metric == "domain_accuracy" and f.estimate is not None]
    if domains:
        least = min(domains, key=lambda f: f.estimate or 0.0)
        said.append(message(WORST, domain=cut(whom(least), 60), share=in_percent(least)))
    far = [f for f in found if f.key.metric == "domain_mean_absolute_error" and f.estimate is not None]
    if far:
        most = max(far, key=lambda f: f.estimate or 0.0)
        said.append(message(FARTHEST, domain=cut(whom(most), 60), error=with_interval(most, 3)))
    return Answer(sentences(*said), made.state if made.state in OPENING or not notable else "notable")


SECTION: Final = Section("generalization", TITLE, ("generalization",), 930, generalized, theme=CHANGES, answer=answer)
