"""Whether the explanations hold, and how the score moves with the features that matter most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.messages import message
from evenhand.report.drawings import Mark, Table
from evenhand.report.figures.findings import described, figure
from evenhand.report.figures.lines import line_figure
from evenhand.report.figures.scales import nice_step
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.reasons import reasons
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding

    Row: TypeAlias = tuple[str, Finding, Mark, float | None]

KINDS: Final = ("partial_dependence", "accumulated_effect")
DRAWN: Final = 2
"""Features whose effects are drawn; more stand in audit.json."""
ORDERS: Final = {"values": message("greatest value first"), "random": message("in a random order")}
ALIKE: Final = {
    "original": message("original"),
    "other background": message("other background"),
    "noise": message("noise"),
    "leaving one out": message("leaving one out"),
    "expected gradients": message("expected gradients"),
    "random weights": message("random weights"),
    "shuffled labels": message("shuffled labels"),
}
"""What explanations are compared with."""


def checked(record: AuditRecord) -> tuple[Part, ...]:
    """Return the part that audits the explanations; nothing where they were not audited."""
    found = [f for f in record.findings if f.audit == "explanation_checks"]
    if not found:
        return ()
    blocks: list[Block] = []
    alike: list[Row] = [
        (ALIKE.get(of := f.key.qualifier("of") or "", of), f, "plain", None)
        for f in found
        if f.key.metric == "attribution_similarity" and not f.key.group
    ]
    if alike:
        title = message("How alike the explanations are to those of ...")
        blocks.append(figure("explanations-alike", title, alike, digits=3))
    kept: list[Row] = [
        (", ".join(f"{column}={group}" for column, group in f.key.group) or message("all rows"), f, "plain", None)
        for f in found
        if f.key.metric == "top_features_kept" and f.key.qualifier("of") == "original"
    ]
    if kept:
        title = message("Of each row's five most important features, how many compression kept")
        blocks.append(_told("explanations-kept", title, kept))
    lead = [*reasons(record, "explanation_checks")]
    gaps = {f.key.qualifier("of"): with_interval(f) for f in found if f.key.metric == "deletion_insertion_gap"}
    if len(gaps) == len(ORDERS):
        lead.append(message(
            "The score follows the features ranked first by {values}, by chance {random}.",
            values=gaps["values"], random=gaps["random"],
        ))  # fmt: skip
    title = message("Whether the explanations hold")
    return (Part("explanation-checks", title, tuple(lead), (*blocks, *_removal(found))),)


def _told(name: str, title: str, rows: list[Row]) -> Table:
    """Return the table of findings that need no picture."""
    cells = tuple((cut(label, 80), with_interval(f, 3), f"{f.support:,}") for label, f, _, _ in rows)
    return Table(
        name, title, ("", message("estimate and interval"), message("rows")), cells, frozenset({1, 2})
    ).bounded(60)


def _removal(found: list[Finding]) -> tuple[Block, ...]:
    """Draw the score while features are taken away, in the order of the values and in a random one."""
    lines: dict[str, dict[int, Finding]] = {}
    for f in found:
        if f.key.metric == "score_after_removal" and f.estimate is not None:
            lines.setdefault(f.key.qualifier("of") or "", {})[int(f.key.qualifier("at") or 0)] = f
    places = sorted(set.intersection(*(set(line) for line in lines.values()))) if lines else []
    if len(places) < 2:
        return ()
    drawn = [
        (ORDERS.get(name, name), [line[place].estimate or 0.0 for place in places]) for name, line in lines.items()
    ]
    values = [value for _, series in drawn for value in series]
    step = nice_step(max(max(values) - min(values), 1e-6) / 3)
    bottom = min(values) // step * step
    title = message("Mean score while features are taken from the background")
    cells = tuple((str(place), *(with_interval(line[place], 3) for line in lines.values())) for place in places)
    head = (message("features taken away"), *(label for label, _ in drawn))
    table = Table("removal-table", title, head, cells, frozenset(range(1, len(head))))
    told = described(title, [(label, f"{series[0]:.2f} … {series[-1]:.2f}") for label, series in drawn])
    at = [float(place) for place in places]
    return (line_figure("removal", title, told, at, drawn, table, top=bottom + 4 * step, bottom=bottom),)


def moved(record: AuditRecord) -> tuple[Part, ...]:
    """Return the part about effects and interactions; nothing where there are none."""
    found = [f for f in record.findings if f.audit == "dependence"]
    if not found:
        return ()
    blocks: list[Block] = []
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for f in found:
        if f.key.metric in KINDS:
            kinds.setdefault((f.key.columns[0], f.key.metric), []).append(f)
    for at, ((feature, kind), effects) in enumerate(kinds.items()):
        # Of a number the local effect is drawn; its partial dependence stands in audit.json.
        if kind == "partial_dependence" and (feature, "accumulated_effect") in kinds:
            continue
        if len(blocks) == DRAWN:
            break
        rows: list[Row] = [
            (f"{cut(feature, 24)} = {cut(f.key.qualifier('at') or '', 24)}", f, "plain", None) for f in effects
        ]
        title = _moving(kind, cut(feature, 60))
        blocks.append(figure(f"effect-{at}", title, rows, kind="bars", digits=3))
    strength: list[Row] = [
        (" × ".join(cut(column, 30) for column in f.key.columns), f, "plain", None)
        for f in found
        if f.key.metric == "interaction_strength"
    ]
    if strength:
        title = message("How much of what two features do together is no sum of what each does")
        blocks.append(_told("interactions", title, strength))
    return (Part("dependence", message("How the score moves with a feature"), _tree(record), tuple(blocks)),)


def _moving(kind: str, feature: str) -> str:
    if kind == "accumulated_effect":
        return message("How the score moves along {feature}, step by step, 0 on average", feature=feature)
    return message("Mean score when everybody's {feature} is set to a value, less the mean score", feature=feature)


def _tree(record: AuditRecord) -> tuple[str, ...]:
    """Say how far a small tree is the model, before its rules."""
    fidelity, agreement = record.get("surrogate_fidelity"), record.get("surrogate_agreement")
    lead: list[str] = []
    if fidelity is not None and fidelity.estimate is not None:
        share = show(fidelity.estimate)
        lead.append(message("A tree of three questions gives {share} of the variance of the scores.", share=share))
    if agreement is not None:
        share = with_interval(agreement)
        lead.append(message("It decides as the model does in a share of {share} of the rows.", share=share))
    return (*lead, *reasons(record, "dependence"))
