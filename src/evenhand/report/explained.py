"""What the scores rest on, and what carries the gap between groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.keys import Key
from evenhand.report.figures import figure
from evenhand.report.numbers import cut, show
from evenhand.report.reasons import reasons
from evenhand.report.view import Block, Mark, Part, Table

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding

MOST_PARTS = 12
"""Features drawn of those that carry a gap."""


def explanation(record: AuditRecord) -> Part:
    """What the scores rest on."""
    every = [f for f in record.findings if f.key.metric == "importance"]
    overall = sorted((f for f in every if not f.key.qualifiers), key=lambda f: -(f.estimate or 0))
    if not overall:
        return Part("explanation", "Explanation", reasons(record, "explanation") or ("Nothing was explained.",))
    rows: list[tuple[str, Finding, Mark, float | None]] = [(f.key.columns[0], f, "plain", None) for f in overall]
    drawn = figure("importance", "Mean absolute attribution of each feature", rows[:20], kind="bars", digits=3)
    residual = record.get("attribution_residual")
    data = record.provenance.get("data")
    scale = "the prediction" if isinstance(data, dict) and data.get("task") == "regression" else "log-odds"
    lead = [
        f"Shapley values of the columns as a person named them, on the scale of {scale}: how far a feature moves the "
        f"score from its average, over {overall[0].support:,} rows. They show what the model uses, not what causes "
        "the outcome."
    ]
    lead += reasons(record, "explanation")
    if residual is not None:
        lead.append(
            f"Greatest gap between a row's values and the model's own score: {show(residual.estimate, 'score')}."
        )
    return Part(
        "explanation", "Explanation", tuple(lead), (drawn, *_gaps(record), *_importance_by_group(every, overall))
    )


def _importance_by_group(every: list[Finding], overall: list[Finding]) -> tuple[Block, ...]:
    groups = sorted({given for f in every if (given := f.key.qualifier("given"))})
    if not groups:
        return ()
    by_key = {(f.key.columns[0], f.key.qualifier("given")): f for f in every}
    rows = tuple(
        (feature.key.columns[0], *(show_or_dash(by_key.get((feature.key.columns[0], group))) for group in groups[:12]))
        for feature in overall[:20]
    )
    head = ("feature", *(cut(group, 60) for group in groups[:12]))
    title = "Mean absolute attribution in each group"
    return (Table("importance-groups", title, head, rows, frozenset(range(1, len(head))), folded=title),)


def show_or_dash(finding: Finding | None) -> str:
    """Return the estimate, or a dash where there is no finding."""
    return "–" if finding is None else show(finding.estimate, "share", 3)


def _gaps(record: AuditRecord) -> list[Block]:
    """Draw, for each pair of groups that was compared, the features that carry most of their gap in mean score."""
    pairs: dict[tuple[str, str], list[Finding]] = {}
    for finding in record.findings:
        if finding.key.metric == "gap_part":
            pair = (finding.key.qualifier("given") or "", finding.key.qualifier("vs") or "")
            pairs.setdefault(pair, []).append(finding)
    return [_gap(record, pair, found, at) for at, (pair, found) in enumerate(pairs.items())]


def _gap(record: AuditRecord, pair: tuple[str, str], found: list[Finding], at: int) -> Block:
    total = record.get(Key.of("score_gap", given=pair[0], vs=pair[1]))
    gap = f", {show(total.estimate, 'score')} in all" if total is not None else ""
    largest = sorted(found, key=lambda finding: -abs(finding.estimate or 0.0))[:MOST_PARTS]
    rows: list[tuple[str, Finding, Mark, float | None]] = [(f.key.columns[0], f, "plain", None) for f in largest]
    title = f"What carries the gap in mean score between {cut(pair[0], 60)} and {cut(pair[1], 60)}{gap}"
    return figure(f"gap-{at}", title, rows, kind="bars", digits=3)
