"""Which decisions turn when inputs are corrupted as they are in use, and whose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, lowered, message, sentences
from evenhand.metrics import describe
from evenhand.report.drawings import Table, table
from evenhand.report.figures.findings import figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.numbers import cut, in_percent, show, with_interval
from evenhand.report.sections.answering import Answer, limit_words
from evenhand.report.sections.facts import excludes_zero, whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import State

TITLE: Final = message("Robustness to everyday errors in the data")
EMPTY: Final = message("Run with --robustness to see which decisions turn when inputs are noisy, missing or misspelt.")
NAMES: Final = {
    "noise": message("noise"), "missing": message("missing cells"), "units": message("another unit"),
    "rounding": message("rounding"), "categories": message("another category"), "typos": message("misspelt words"),
    "blur": message("blur"), "brightness": message("more light"), "contrast": message("less contrast"),
    "shift": message("a shift"), "rotation": message("a rotation"), "occlusion": message("a hidden square"),
    "jpeg": "JPEG", "case": message("capitals"), "spacing": message("blanks"), "synonyms": message("synonyms"),
    "worst": message("the worst of all"),
}  # fmt: skip
SEVERITIES: Final = {"1": message("mild"), "2": message("medium"), "3": message("strong")}
WORST: Final = "worst"
FLIPS, MOVES = "corrupted_flip_rate", "corrupted_prediction_distance"
MOST_LINES, MOST_GAPS = 5, 8
BLIND: Final = message(
    "Errors are drawn at random, each column for itself; real ones come together, in some places and for some people. "
    "A row may be implausible as a whole, and an attacker looks for the worst change, which this does not."
)
APART: Final = message(
    "Groups hit more than others: {shown} of {gaps} gaps are above 0, each over three severities together"
)


def drawn(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part: the curve, the groups that are hit more than others, gaps that grow, rows near the threshold."""
    found = record.of_audit("robustness")
    if not found:
        return ()
    blocks: list[Block] = [
        *_curves(found),
        *_hit_more(found),
        *_grown(found),
        *_near(found, judged),
        *_compressed(found),
    ]
    return (Part("robustness", TITLE, (*reasons(record, "robustness"), BLIND), tuple(blocks)),)


def _overall(found: Sequence[Finding], metric: str) -> dict[str, dict[str, Finding]]:
    """Return the values of all rows by corruption and severity."""
    values: dict[str, dict[str, Finding]] = {}
    for finding in found:
        if finding.key.metric == metric and not finding.key.columns and finding.estimate is not None:
            name, severity = _named(finding)
            values.setdefault(name, {})[severity] = finding
    return {name: of for name, of in values.items() if len(of) == len(SEVERITIES)}


def _named(finding: Finding) -> tuple[str, str]:
    return finding.key.qualifier("corruption") or "", finding.key.qualifier("severity") or ""


def _word(name: str) -> str:
    return NAMES.get(name, name)


def _curves(found: Sequence[Finding]) -> list[Block]:
    """Draw the share of decisions that turn, or how far numbers move, over the severities."""
    metric = FLIPS if any(finding.key.metric == FLIPS for finding in found) else MOVES
    values = {name: of for name, of in _overall(found, metric).items() if name != WORST}
    order = sorted(values, key=lambda name: -(values[name]["3"].estimate or 0.0))
    if not order:
        return []
    lines = [(_word(name), [values[name][at].estimate or 0.0 for at in SEVERITIES]) for name in order[:MOST_LINES]]
    ends = [[_ends(values[name][at]) for at in SEVERITIES] for name in order[:MOST_LINES]]
    top = _round_up(max(high for line in ends for _, high in line))
    title = message("Decisions that turn") if metric == FLIPS else message("How far predictions move")
    head = (message("corruption"), *SEVERITIES.values(), message("how much"))
    shown = in_percent if metric == FLIPS else with_interval
    rows = tuple(
        (_word(name), *(shown(values[name][at]) for at in SEVERITIES), values[name]["1"].note) for name in order
    )
    twin = Table("robustness-curve-table", title, head, rows, frozenset({1, 2, 3}))
    said = (
        message("{line} from {first:.3g} to {last:.3g}", line=label, first=points[0], last=points[-1])
        for label, points in lines
    )
    told = message("Severities from mild to strong: {lines}.", lines=joined("; ", said))
    axes = (message("severity"), message("share of rows") if metric == FLIPS else message("in the unit of the label"))
    return [
        line_figure(
            "robustness-curve", title, told, [1.0, 2.0, 3.0], lines, twin, axes=axes, top=top,
            named=[*SEVERITIES.values()], ends=ends,
        )
    ]  # fmt: skip


def _ends(finding: Finding) -> tuple[float, float]:
    value = finding.estimate or 0.0
    if finding.interval is None:
        return value, value
    low, high = finding.interval.low, finding.interval.high
    return value if low is None else low, value if high is None else high


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 4, 8 and their tenfold, at or above a value."""
    if not value > 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(float(f"{step * size:g}") for step in (1, 2, 4, 8, 10) if step * size >= value * (1 - 1e-9))


def _gaps(found: Iterable[Finding], *, worst: bool) -> list[Finding]:
    """Return the gaps between groups in what turns or moves; of the worst corruption or of each."""
    gaps = {f"{metric}_difference" for metric in (FLIPS, MOVES)}
    return [each for each in found if each.key.metric in gaps and (_named(each)[0] == WORST) is worst]


def _shown(finding: Finding) -> bool:
    return finding.interval is not None and (finding.interval.low or 0.0) > 0


def _mildest(found: Iterable[Finding]) -> list[Finding]:
    """Return the finding of the least severity of each gap and corruption, those that are surely widest first."""
    kept: dict[tuple[str, str, tuple[str, ...]], Finding] = {}
    for each in sorted(found, key=lambda each: _named(each)[1]):
        kept.setdefault((each.key.metric, _named(each)[0], each.key.columns), each)
    return sorted(kept.values(), key=lambda each: -_ends(each)[0])


def _hit_more(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of groups that are hit more than others, at the least severity that shows it."""
    gaps = _gaps(found, worst=False)
    shown = _mildest(filter(_shown, gaps))
    rows = ((*_about(each), *_groups(each), with_interval(each, 3)) for each in shown)
    looked = len({(each.key.metric, _named(each)[0], each.key.columns) for each in gaps})
    title = message(APART, shown=len(shown), gaps=looked)
    head = (message("corruption"), message("feature"), message("least"), message("most"), message("widest gap"))
    return table("robustness-groups", title, head, rows, {4}, MOST_GAPS)


def _about(finding: Finding) -> tuple[str, str]:
    name, severity = _named(finding)
    words = message("{corruption}, {severity}", corruption=_word(name), severity=SEVERITIES.get(severity, severity))
    return words, " × ".join(cut(column, 40) for column in finding.key.columns)


def _groups(finding: Finding) -> tuple[str, str]:
    """Return the groups with the least and the greatest value, each with it."""
    ends = finding.furthest
    if len(ends) < 2:
        return "–", "–"
    least, most = (
        message("{group} {value}", group=cut(part.group, 40), value=show(part.estimate, finding.unit, 3))
        for part in (ends[0], ends[-1])
    )
    return least, most


def _grown(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of gaps between groups that a corruption widens for sure."""
    grown = [each for each in found if each.key.metric.endswith("_difference_change") and _shown(each)]
    rows = ((*_about(each), lowered(describe(_gap_of(each)).label), with_interval(each, 3)) for each in _mildest(grown))
    head = (message("corruption"), message("feature"), message("gap between groups"), message("wider by"))
    return table("robustness-gaps", message("Gaps between groups that grow"), head, rows, {3}, MOST_GAPS)


def _gap_of(finding: Finding) -> str:
    return finding.key.metric.removeprefix("corrupted_").removesuffix("_change")


def _near(found: Sequence[Finding], judged: Judged) -> list[Block]:
    """Draw the share of rows near the threshold, of all and of each group of one feature."""
    near = [each for each in found if each.key.metric == "near_threshold_share" and len(each.key.columns) < 2]
    rows = [judged.row(whom(each), each) for each in near if each.estimate is not None]
    if not rows:
        return []
    title = message("Rows near the threshold, which mild noise may carry over it")
    return [figure("robustness-near", title, rows, digits=3)]


def _compressed(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of what compression changed: how much more often decisions turn than those of the original."""
    changed = [each for each in found if each.key.metric == "corrupted_flip_rate_change"]
    sure = [each for each in changed if not each.key.columns or excludes_zero(each)]
    rows = ((_about(each)[0], whom(each), with_interval(each, 3)) for each in sure if each.estimate is not None)
    title = message("Decisions that turn, less those of the original on the same corrupted rows")
    head = (message("corruption"), message("group"), message("change"))
    return table("robustness-compressed", title, head, rows, {2}, 2 * MOST_GAPS)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the mild corruption that turns most decisions, and the group that it hits most."""
    found = record.of_audit("robustness")
    metric = FLIPS if any(finding.key.metric == FLIPS for finding in found) else MOVES
    mild = [of["1"] for name, of in _overall(found, metric).items() if name != WORST]
    if not mild:
        return Answer(message("No corruption could be tried."))
    worst = max(mild, key=lambda each: each.estimate or 0.0)
    if metric == FLIPS:
        words = message("Of mild errors the worst is {corruption}: it turns {share} of the decisions.")
        said = message(words, corruption=_word(_named(worst)[0]), share=in_percent(worst))
    else:
        words = message("Of mild errors the worst is {corruption}: it moves predictions by {distance} on average.")
        said = message(words, corruption=_word(_named(worst)[0]), distance=with_interval(worst))
    unlike = _unlike(found)
    limits = judged.of(found)
    state: State = "notable" if unlike is not None else "passed" if limits else "plain"
    told = _whose(found, unlike)
    if limits:
        status = limits[0].status
        return Answer(sentences(limit_words(limits), said, told), state if status == "passed" else status)
    return Answer(sentences(said, told), state)


def _unlike(found: Sequence[Finding]) -> Finding | None:
    """Return the gap of the least severity that is beyond chance over all corruptions, of one feature where one is."""
    shown = [each for each in _gaps(found, worst=True) if _shown(each)]
    return min(shown, key=lambda each: (_named(each)[1], len(each.key.columns), -_ends(each)[0]), default=None)


def _whose(found: Sequence[Finding], unlike: Finding | None) -> str:
    """Say whose decisions turn more often, with the corruption behind it."""
    if unlike is None:
        return message("No gap between groups is beyond what chance shows.") if _gaps(found, worst=True) else ""
    severity = _named(unlike)[1]
    alike = [each for each in _gaps(found, worst=False) if each.key.columns == unlike.key.columns]
    surest = max((each for each in alike if _named(each)[1] == severity), key=lambda each: _ends(each)[0])
    if len(ends := surest.furthest) < 2:
        return ""
    (least, less), (most, more) = ((cut(part.group, 60), part.estimate or 0.0) for part in (ends[0], ends[-1]))
    words = message("Not all are hit alike, as {corruption} ({severity}) shows: {most} {more}, {least} {less}.")
    shares = [f"{100 * value:.1f} %" if unlike.unit == "share" else show(value, unlike.unit) for value in (less, more)]
    named = {"corruption": _word(_named(surest)[0]), "severity": SEVERITIES.get(severity, severity)}
    return message(words, **named, most=most, more=shares[1], least=least, less=shares[0])


SECTION: Final = Section("robustness", TITLE, ("robustness",), 900, drawn, EMPTY, theme=CHANGES, answer=answer)
