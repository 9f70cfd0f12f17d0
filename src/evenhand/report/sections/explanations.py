"""Feature importance, and contributions to the gap between groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.keys import Key
from evenhand.messages import joined, message
from evenhand.report.figures.explained import explained_scale
from evenhand.report.figures.findings import figure
from evenhand.report.figures.heat import MOST_CELLS, heat_figure
from evenhand.report.figures.swarms import swarm
from evenhand.report.figures.waterfalls import waterfall
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.facts import excludes_zero, group_of, groupings
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import FigureRow, Judged

MOST_ROWS = 10
"""Features of a grid."""
MOST_GROUPS = 8
"""Groups of a grid, those of most rows."""
LEAST: Final = 5
"""Explained rows of a group whose importances set the shades."""
MOST_NAMED: Final = 3
DECIDED = message("From the background's mean score to the mean score of those decided negative")
TITLE: Final = message("Explanation")
EMPTY: Final = message("Nothing was explained.")
CARRIED: Final = {
    "score_gap": message(
        "What carries the gap in mean score between {a} and {b}, {gap} in all, over {rows:,} explained rows"
    ),
    "selection_gap": message(
        "What carries the gap in selection between {a} and {b}, {gap} in all, over {rows:,} explained rows"
    ),
}
GRIDS: Final = {
    "given": message(
        "Mean absolute attribution in each group: {groups} of {known} groups, {drawn} of {features} features"
    ),
    "cohort": message(
        "Mean absolute attribution in each cohort: {groups} of {known} cohorts, {drawn} of {features} features"
    ),
}
PARTS: Final = {"score_gap": "gap_part", "selection_gap": "selection_gap_part"}
COHORTS = {"errors": message("errors"), "near the threshold": message("near the threshold")}


def explanation(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Draw the feature importance."""
    every, overall = [f for f in record.findings if f.key.metric == "importance"], _ranked(record)
    if not overall:
        return ()
    rows: list[FigureRow] = [(f.key.columns[0], f, "plain", None) for f in overall]
    title, axis = message("Mean absolute attribution of each feature"), explained_scale(record)
    drawn = figure("importance", title, rows[:20], kind="bars", digits=3, axis=axis)
    residual = record.get("attribution_residual")
    lead: list[str] = [
        message(
            "Shapley values of the columns as a person named them, on the scale of {scale}: how far a feature moves "
            "the score from its average, over {rows:,} rows. They show what the model uses, not what causes the "
            "outcome.",
            scale=axis,
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
        *_by(every, overall, "given", GRIDS["given"], len(_groups(record))),
        *_by(every, overall, "cohort", GRIDS["cohort"]),
        *_waterfalls(record),
    )
    return (Part("explanation", TITLE, tuple(lead), blocks),)


def _ranked(record: AuditRecord) -> list[Finding]:
    """Return the importances over all explained rows, greatest first."""
    overall = (f for f in record.findings if f.key.metric == "importance" and not f.key.qualifiers)
    return sorted(overall, key=lambda f: -(f.estimate or 0))


def _groups(record: AuditRecord) -> set[tuple[str, str]]:
    """Return the groups of single features of the record, those without an explained row among them."""
    return {
        (counts.columns[0], name)
        for counts in groupings(record)
        if len(counts.columns) == 1
        for (name,) in counts.groups
    }


def _by(every: list[Finding], overall: list[Finding], name: str, title: str, known: int = 0) -> tuple[Block, ...]:
    """Return the grid of importances by group, or by cohort, where there are any: those of most rows.

    Shades compare with the greatest value of groups of at least `LEAST` rows; others have none. `known`: the number
    of groups of the record.
    """
    sizes: dict[str, int] = {}
    for f in every:
        if group := f.key.qualifier(name):
            sizes.setdefault(group, f.support)
    if not sizes:
        return ()
    groups = sorted(sizes, key=lambda group: -sizes[group])[:MOST_GROUPS]
    features = [f.key.columns[0] for f in overall][: min(MOST_ROWS, MOST_CELLS // len(groups))]
    by_key = {(f.key.columns[0], f.key.qualifier(name) or ""): f.estimate for f in every}
    shaded = [group for group in groups if sizes[group] >= LEAST] or groups
    most = max(by_key.get((feature, group)) or 0.0 for feature in features for group in shaded) or 1.0
    rows = []
    for feature in features:
        values = [by_key.get((feature, group)) for group in groups]
        texts = ["–" if value is None else show(value, "share", 3) for value in values]
        shares = [None if value is None or group not in shaded else value / most
                  for group, value in zip(groups, values, strict=True)]  # fmt: skip
        rows.append((feature, shares, texts))
    alone = len({group_of(group)[0] for group in sizes}) == 1 and name == "given"
    labels = [_sized(group_of(group)[1] if alone else COHORTS.get(group, group), sizes[group]) for group in groups]
    counted = {"groups": len(groups), "known": max(known, len(sizes)), "drawn": len(features), "features": len(overall)}
    return (heat_figure(f"importance-{name}", message(title, **counted), labels, rows, message("feature")),)


def _sized(group: str, rows: int) -> str:
    return message("{group} (n={rows:,})", group=cut(group, 22), rows=rows)


def _gaps(record: AuditRecord, metric: str, *, drawn: bool = True) -> list[Block]:
    """Draw the contributions to the widest gap, of those beyond chance if there are any; state the others."""
    pairs: dict[tuple[str, str], list[Finding]] = {}
    for f in record.findings:
        if f.key.metric == PARTS[metric]:
            pairs.setdefault((f.key.qualifier("given") or "", f.key.qualifier("vs") or ""), []).append(f)
    wholes = [(pair, record.get(Key.of(metric, given=pair[0], vs=pair[1]))) for pair in pairs]
    known = [(pair, whole) for pair, whole in wholes if whole is not None and whole.estimate is not None]
    known.sort(key=lambda each: (excludes_zero(each[1]), abs(each[1].estimate or 0.0)), reverse=True)
    axis = "" if metric == "selection_gap" else explained_scale(record)
    made: list[Block] = []
    for at, (pair, whole) in enumerate(known):
        a, b = (_sized_group(record, group) for group in pair)
        named = message(CARRIED[metric], a=a, b=b, gap=with_interval(whole, 3), rows=whole.support)
        words = message("no gap"), message("gap")
        figure_of = waterfall(f"{metric}-{at}", named, pairs[pair], 0.0, whole.estimate or 0.0, words, axis)
        made.append(figure_of if drawn and not made else replace(figure_of.table, folded=named))
    return made


def _sized_group(record: AuditRecord, group: str) -> str:
    """Return a group with the number of its explained rows, where that is known."""
    found = (f.support for f in record.findings if f.key.metric == "importance" and f.key.qualifier("given") == group)
    rows = next(found, None)
    return cut(group, 60) if rows is None else message("{group} (n={rows:,})", group=cut(group, 60), rows=rows)


def _waterfalls(record: AuditRecord) -> list[Block]:
    """Draw the waterfalls from the background's mean score to that of the refused and of requested rows."""
    whose: dict[tuple[str, str], list[Finding]] = {}
    for finding in record.findings:
        if finding.key.metric == "attribution":
            name = "row" if finding.key.qualifier("row") is not None else "cohort"
            whose.setdefault((name, finding.key.qualifier(name) or ""), []).append(finding)
    made: list[Block] = []
    axis = explained_scale(record)
    for at, ((name, which), found) in enumerate(whose.items()):
        ends = {f.key.qualifier("at"): f.estimate for f in found if f.key.qualifier("at")}
        steps = [f for f in found if f.key.columns]
        start, end = ends.get("start"), ends.get("end")
        if start is None or end is None or not steps:
            continue
        of_row = message("From the background's mean score to that of row {row}", row=which)
        words = message("background"), message("score")
        made.append(waterfall(f"waterfall-{at}", of_row if name == "row" else DECIDED, steps, start, end, words, axis))
    return made


def answer(record: AuditRecord, _: Judged) -> Answer:
    """Name the features that move the score most."""
    names = [cut(f.key.columns[0], 60) for f in _ranked(record)[:MOST_NAMED]]
    return Answer(message("The score moves most with {features}.", features=joined(", ", names)))


SECTION: Final = Section(
    "explanation", TITLE, ("explanation",), 700, explanation, EMPTY, theme=EXPLANATIONS, answer=answer
)
