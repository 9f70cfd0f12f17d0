"""Feature importance, and contributions to the gap between groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.keys import Key
from evenhand.messages import joined, message
from evenhand.report.figures.findings import figure
from evenhand.report.figures.heat import heat_figure
from evenhand.report.figures.swarms import swarm
from evenhand.report.figures.waterfalls import waterfall
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import FigureRow, Judged

MOST_ROWS = 10
"""Features of a grid."""
MOST_GROUPS = 12
"""Groups of a grid."""
MOST_NAMED: Final = 3
DECIDED = message("From the background's mean score to the mean score of those decided negative")
TITLE: Final = message("Explanation")
EMPTY: Final = message("Nothing was explained.")
CARRIED: Final = {
    "score_gap": message("What carries the gap in mean score between {a} and {b}, {gap} in all"),
    "selection_gap": message("What carries the gap in selection between {a} and {b}, {gap} in all"),
}
PARTS: Final = {"score_gap": "gap_part", "selection_gap": "selection_gap_part"}
COHORTS = {"errors": message("errors"), "near the threshold": message("near the threshold")}


def explanation(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Draw the feature importance."""
    every, overall = [f for f in record.findings if f.key.metric == "importance"], _ranked(record)
    if not overall:
        return ()
    rows: list[FigureRow] = [(f.key.columns[0], f, "plain", None) for f in overall]
    drawn = figure("importance", message("Mean absolute attribution of each feature"), rows[:20], kind="bars", digits=3)
    residual = record.get("attribution_residual")
    regression = record.provenance.get("data", {}).get("task") == "regression"
    lead: list[str] = [
        message(
            "Shapley values of the columns as a person named them, on the scale of {scale}: how far a feature moves "
            "the score from its average, over {rows:,} rows. They show what the model uses, not what causes the "
            "outcome.",
            scale=message("the prediction") if regression else message("log-odds"),
            rows=overall[0].support,
        )
    ]
    lead += reasons(record, "explanation")
    if residual is not None:
        gap = show(residual.estimate, "score")
        lead.append(message("Greatest gap between a row's values and the model's own score: {gap}.", gap=gap))
    decided = any(f.key.metric == "selection_gap_part" for f in record.findings)
    blocks: tuple[Block, ...] = (
        drawn,
        *filter(None, [swarm(record)]),
        *_gaps(record, "selection_gap"),
        *_gaps(record, "score_gap", drawn=not decided),
        *_by(every, overall, "given", message("Mean absolute attribution in each group")),
        *_by(every, overall, "cohort", message("Mean absolute attribution in each cohort")),
        *_waterfalls(record),
    )
    return (Part("explanation", TITLE, tuple(lead), blocks),)


def _ranked(record: AuditRecord) -> list[Finding]:
    """Return the importances over all explained rows, greatest first."""
    overall = (f for f in record.findings if f.key.metric == "importance" and not f.key.qualifiers)
    return sorted(overall, key=lambda f: -(f.estimate or 0))


def _by(every: list[Finding], overall: list[Finding], name: str, title: str) -> tuple[Block, ...]:
    """Return the grid of importances by group, or by cohort, where there are any, shaded by the greatest of all."""
    groups = list(dict.fromkeys(said for f in every if (said := f.key.qualifier(name))))[:MOST_GROUPS]
    if not groups:
        return ()
    by_key = {(f.key.columns[0], f.key.qualifier(name)): f.estimate for f in every}
    most = max((by_key.get((f.key.columns[0], group)) or 0.0 for f in overall for group in groups), default=0.0) or 1.0
    rows = []
    for feature in overall[:MOST_ROWS]:
        values = [by_key.get((feature.key.columns[0], group)) for group in groups]
        texts = ["–" if value is None else show(value, "share", 3) for value in values]
        shares = [None if value is None else min(value / most, 1.0) for value in values]
        rows.append((feature.key.columns[0], shares, texts))
    labels = [COHORTS.get(group, cut(group, 22)) if name == "cohort" else cut(group, 22) for group in groups]
    return (heat_figure(f"importance-{name}", title, labels, rows, message("feature")),)


def _gaps(record: AuditRecord, metric: str, *, drawn: bool = True) -> list[Block]:
    """Draw the contributions to the gap of the first compared pair of groups; state those of the others."""
    pairs: dict[tuple[str, str], list[Finding]] = {}
    for f in record.findings:
        if f.key.metric == PARTS[metric]:
            pairs.setdefault((f.key.qualifier("given") or "", f.key.qualifier("vs") or ""), []).append(f)
    made: list[Block] = []
    for at, (pair, found) in enumerate(pairs.items()):
        whole = record.get(Key.of(metric, given=pair[0], vs=pair[1]))
        if whole is None or whole.estimate is None:
            continue
        named = message(CARRIED[metric], a=cut(pair[0], 60), b=cut(pair[1], 60), gap=with_interval(whole))
        words = message("no gap"), message("gap")
        figure_of = waterfall(f"{metric}-{at}", named, found, 0.0, whole.estimate, words)
        made.append(figure_of if drawn and not made else replace(figure_of.table, folded=named))
    return made


def _waterfalls(record: AuditRecord) -> list[Block]:
    """Draw the waterfalls from the background's mean score to that of the refused and of requested rows."""
    whose: dict[tuple[str, str], list[Finding]] = {}
    for finding in record.findings:
        if finding.key.metric == "attribution":
            name = "row" if finding.key.qualifier("row") is not None else "cohort"
            whose.setdefault((name, finding.key.qualifier(name) or ""), []).append(finding)
    made: list[Block] = []
    for at, ((name, which), found) in enumerate(whose.items()):
        ends = {f.key.qualifier("at"): f.estimate for f in found if f.key.qualifier("at")}
        steps = [f for f in found if f.key.columns]
        start, end = ends.get("start"), ends.get("end")
        if start is None or end is None or not steps:
            continue
        of_row = message("From the background's mean score to that of row {row}", row=which)
        words = message("background"), message("score")
        made.append(waterfall(f"waterfall-{at}", of_row if name == "row" else DECIDED, steps, start, end, words))
    return made


def answer(record: AuditRecord, _: Judged) -> Answer:
    """Name the features that move the score most."""
    names = [cut(f.key.columns[0], 60) for f in _ranked(record)[:MOST_NAMED]]
    return Answer(message("The score moves most with {features}.", features=joined(", ", names)))


SECTION: Final = Section(
    "explanation", TITLE, ("explanation",), 700, explanation, EMPTY, theme=EXPLANATIONS, answer=answer
)
