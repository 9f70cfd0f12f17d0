"""Effects of compression: sizes, flips, the changes of each group, gaps, scores, and explanations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from evenhand.keys import Key, group_name
from evenhand.messages import message, sentences
from evenhand.metrics import describe, parse_disparity
from evenhand.metrics.catalogue.lists import stated
from evenhand.report.drawings import table
from evenhand.report.figures.findings import figure
from evenhand.report.mitigated import mitigation_of
from evenhand.report.numbers import cut, in_percent, named, p_value, show, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import whom
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import CHANGES, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict
    from evenhand.report.drawings import Table
    from evenhand.report.sections.judged import Judged

MOST_NAMED: Final = 12
TITLE: Final = message("Compression")
BESIDE: Final = message("Beside the deployed model")
"""The title where what was tried to meet a policy is compared."""
EMPTY: Final = message("Nothing was compressed.")
MARGINS: Final = {
    "passed": message("Not harmed (non-inferior within the margin): {who}."),
    "failed": message("Harmed beyond the margin: {who}."),
    "undecided": message("Not shown either way at this margin: {who}."),
}

ACTS: Final = {"tuning": message("fine-tuning"), "threshold": message("threshold moved")}
"""Acts that are no recipes; a recipe goes by its name."""
MOVED: Final = message(
    "The threshold was moved from {before:.3f} to {after:.3f} on validation rows, by the rule of the fit, {rule}: at "
    "the old one the fine-tuned model did worse by it than the original."
)


def compression(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about compression; none where nothing was compressed."""
    found = record.of_audit("compression")
    if not found:
        return ()
    gain = record.get("size_ratio[;of=original]")
    mitigated = mitigation_of(record) is not None
    blocks: list[Block] = [*_sizes(record), *_drawn(found, judged, mitigated)]
    plain = [f for f in found if f.key.qualifiers == (("of", "original"),)]
    rates, scores, warnings = stated("change column"), stated("change of scores"), stated("early warning")
    crossing = message("Who is decided otherwise where features cross")
    changing = message("What changed where features cross")
    harm = message("Before compression: who is nearest to harm")
    blocks += [
        *_who("compression-flips", message("Who is decided otherwise, and towards what"), _single(found)),
        *_grid("compression-rates", message("What changed for each group"), _single(plain), rates),
        *_acts(_single(found)),
        *_who("compression-crossed-flips", crossing, _single(found, False), folded=True),
        *_grid("compression-crossed", changing, _single(plain, False), rates, folded=True),
        *_gaps(plain),
        *_classes(found),
        *_grid("compression-scores", message("Scores, losses and reasons"), plain, scores, folded=True),
        *_grid("compression-warnings", harm, plain, warnings, folded=True),
        *_features(plain),
        *_tests(found),
    ]
    lead = [gain.note] if gain is not None and gain.note else []
    lead += [*_thresholds(record), *_margins(judged.verdict)]
    told = judged.of(found)
    worst = parse_disparity(told[0].key.metric) if told and told[0].status != "passed" else None
    first = f"compression-{worst[0]}" if worst else ""
    blocks.sort(key=lambda block: block.name != first)  # what shows the answer comes first
    title = BESIDE if mitigated else TITLE
    return (Part("compression", title, (*lead, *reasons(record, "compression")), tuple(blocks)),)


def _margins(verdict: Verdict | None) -> list[str]:
    """State for each margin of the policy which groups are harmed, not harmed, or undecided."""
    said: dict[tuple[str, float], dict[str, list[str]]] = {}
    for judgement in () if verdict is None else verdict.judgements:
        key = judgement.key
        if key.group and key.metric.endswith("_change") and key.qualifier("of") == "original":
            at = said.setdefault((key.metric, judgement.limit.bound), {})
            at.setdefault(judgement.status, []).append(cut(group_name(key.group), 60))
    sentences: list[str] = []
    for (metric, margin), by_status in said.items():
        sentences.append(message("{metric}, margin {margin:g}.", metric=describe(metric).label, margin=margin))
        sentences += [
            message(words, who=named(by_status[status], MOST_NAMED))
            for status, words in MARGINS.items()
            if status in by_status
        ]
    return sentences


def _drawn(found: Sequence[Finding], judged: Judged, mitigated: bool) -> list[Block]:
    """Draw the paired changes of each group of single features, with the limit where there is one."""
    blocks: list[Block] = []
    for metric in stated("change figure"):
        chosen = (f for f in _single(found) if f.key.metric == metric and f.key.qualifiers == (("of", "original"),))
        if rows := [judged.row(whom(f), f) for f in chosen]:
            label = describe(metric).label
            if mitigated:
                title = message("{metric}, against the deployed model", metric=label)
            else:
                title = message("{metric}, compressed against original", metric=label)
            drawn = figure(f"compression-{metric}", title, rows, digits=3)
            of = "compression-flips" if describe(metric).pairs else "compression-rates"
            blocks.append(replace(drawn, table=replace(drawn.table, within=of)))
    return blocks


def _single(found: Iterable[Finding], wanted: bool = True) -> list[Finding]:
    """Return the findings of all rows and of the groups of one feature; or all the others."""
    return [f for f in found if (len(f.key.columns) <= 1) is wanted]


def _who(name: str, caption: str, found: Sequence[Finding], *, folded: bool = False) -> tuple[Table, ...]:
    """Return the table of flips: in which direction, and for better or worse."""
    cells: dict[str, dict[str, Finding]] = {}
    for finding in found:
        if describe(finding.key.metric).pairs:
            column = finding.key.qualifier("class")
            now = None if column is None else message("now {class_}", class_=cut(column, 40))
            title = now or describe(finding.key.metric).label
            cells.setdefault(whom(finding), {})[title] = finding
    titles = list(next(iter(cells.values()), {}))
    rows = (
        (cut(who, 120), f"{next(iter(by.values())).support:,}", *(with_interval(by.get(title), 3) for title in titles))
        for who, by in cells.items()
    )
    return table(name, caption, (message("group"), message("rows"), *titles), rows, most=60, folded=folded)


def _grid(
    name: str, title: str, found: Sequence[Finding], metrics: Sequence[str], *, folded: bool = False
) -> tuple[Table, ...]:
    """Return a table of groups by metrics."""
    cells: dict[str, dict[str, Finding]] = {}
    for finding in found:
        if finding.key.metric in metrics and len(finding.key.columns) == len(finding.key.group):
            cells.setdefault(whom(finding), {})[finding.key.metric] = finding
    shown = [metric for metric in metrics if any(metric in by for by in cells.values())]
    rows = ((cut(who, 120), *(with_interval(by.get(metric), 3) for metric in shown)) for who, by in cells.items())
    head = (message("group"), *(describe(metric).label for metric in shown))
    return table(name, title, head, rows, most=60, folded=folded)


def _acts(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of what each act did, for all rows and each group."""
    metrics = stated("change of an act")
    cells: dict[tuple[str, str], dict[str, Finding]] = {}
    for finding in found:
        if finding.key.metric in metrics:
            at = (finding.key.qualifier("by") or "", whom(finding))
            cells.setdefault(at, {})[finding.key.metric] = finding
    shown = [metric for metric in metrics if any(metric in by for by in cells.values())]
    rows = (
        (_act(by), cut(who, 120), *(with_interval(each.get(metric), 3) for metric in shown))
        for (by, who), each in cells.items()
    )
    words = (describe(metric.removeprefix("stage_").removesuffix("_change")).label for metric in shown)
    head = (message("act"), message("group"), *words)
    title = message("Which act did it: each against the model before it")
    return table("compression-acts", title, head, rows, most=90)


def _act(by: str) -> str:
    name, _, again = by.partition(" ")
    known = ACTS.get(name)
    said = known or cut(name.replace("_", " "), 40)
    return message("{act}, time {n}", act=said, n=int(again)) if again.isdigit() else said


def _thresholds(record: AuditRecord) -> list[str]:
    """State each threshold that was moved, by which rule."""
    recipes = record.provenance["subject"].get("recipe")
    moved = [step.get("threshold") for step in recipes if isinstance(step, dict)] if isinstance(recipes, list) else []
    return [
        message(MOVED, rule=cut(str(one["rule"]), 40), before=float(str(one["before"])), after=float(str(one["after"])))
        for one in moved
        if isinstance(one, dict) and {"rule", "before", "after"} <= one.keys()
    ]


def _gaps(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of the changes of gaps between groups, and of the groups that changed least and most."""
    rows = (
        (
            cut(", ".join(f.key.columns), 60), describe(f.key.metric).label, with_interval(f, 3),
            " / ".join(cut(part.group, 40) for part in f.groups) or "–",
        )
        for f in found
        if f.key.columns and not f.key.group and f.key.metric != "importance_change"
    )  # fmt: skip
    head = (message("groups by"), message("metric"), message("estimate and interval"), message("least / greatest"))
    return table("compression-gaps", message("Between groups"), head, rows, {2}, 60, folded=True)


def _classes(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of each class's excess loss, over all rows and in each group."""
    rows = (
        (cut(whom(f), 120), cut(f.key.qualifier("class") or "", 60), f"{f.support:,}", with_interval(f, 3))
        for f in found
        if f.key.metric == "normalized_recall_change"
    )
    head = (message("group"), message("class"), message("rows"), describe("normalized_recall_change").label)
    return table("compression-classes", message("Each class and the whole"), head, rows, {2, 3}, 60, folded=True)


def _features(found: Sequence[Finding]) -> tuple[Table, ...]:
    title, changed = message("What the compressed model relies on more, or less"), "importance_change"
    widest = sorted((f for f in found if f.key.metric == changed), key=lambda f: -abs(f.estimate or 0.0))
    rows = ((cut(", ".join(f.key.columns), 80), with_interval(f, 4)) for f in widest)
    head = (message("feature"), describe(changed).label)
    return table("compression-features", title, head, rows, most=60, folded=True)


def _tests(found: Sequence[Finding]) -> tuple[Table, ...]:
    """Return the table of McNemar's tests, plain and adjusted for the groups of one feature and one rate."""
    cells: dict[tuple[str, str], dict[str, Finding]] = {}
    for finding in found:
        if finding.key.metric == "p_value":
            at = (whom(finding), finding.key.qualifier("rate") or "")
            cells.setdefault(at, {})[finding.key.qualifier("adjusted") or ""] = finding
    rows = (
        (cut(who, 120), describe(rate).label, *(p_value(by.get(how)) for how in ("", "holm", "benjamini-hochberg")))
        for (who, rate), by in cells.items()
    )
    adjusted = (message("p-value, adjusted ({method})", method=method) for method in ("Holm", "Benjamini-Hochberg"))
    head = (message("group"), message("rate"), message("p-value"), *adjusted)
    title = message("McNemar's tests; p-values of groups are also adjusted for their number")
    return table("compression-tests", title, head, rows, {2, 3, 4}, 60, folded=True)


def _sizes(record: AuditRecord) -> tuple[Table, ...]:
    names = ["file_bytes", "parameters", "nonzero_parameters", "macs"]
    found = {f.key.qualifier("batch") or "" for f in record.findings if f.key.metric == "latency"}
    batches = sorted(found, key=lambda batch: (len(batch), batch))
    rows = []
    for name, qualifiers in [(name, {}) for name in names] + [("latency", {"batch": batch}) for batch in batches]:
        new = record.get(Key.of(name, **qualifiers))
        old = record.get(Key.of(name, of="original", **qualifiers))
        if new is None and old is None:
            continue
        words = describe(name).label
        if qualifiers:
            words = message("{metric}, batch of {rows}", metric=words, rows=qualifiers["batch"])
        ratio = old.estimate / new.estimate if old and new and old.estimate and new.estimate else None
        if name == "latency":
            faster = record.get(Key.of("latency_ratio", of="original", **qualifiers))
            ratio = faster.estimate if faster is not None else ratio
        cells = (show(f.estimate, f.unit) if f is not None else "–" for f in (old, new))
        rows.append((words, *cells, "–" if ratio is None else f"{ratio:.2f}×"))
    head = ("", message("original"), message("compressed"), message("gain"))
    return table("compression-size", message("Size and speed, measured in one run on one thread"), head, rows)


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """State the gain in size and the share of decisions that changed; then limits, and changes beyond chance."""
    old, new = record.get(Key.of("file_bytes", of="original")), record.get("file_bytes")
    flips = record.get("flip_rate[;of=original]")
    said: list[str] = []
    if old is not None and new is not None:
        sizes = {"old": show(old.estimate, "bytes"), "new": show(new.estimate, "bytes")}
        said.append(message("From {old} to {new}.", **sizes))
    if flips is not None:
        said.append(message("{share} of the decisions changed.", share=in_percent(flips)))
    plain = (f for f in record.of_audit("compression") if f.key.qualifiers == (("of", "original"),))
    made = answered(judged, _single(plain))
    return Answer(sentences(*said, made.sentence), made.state)


SECTION: Final = Section("compression", TITLE, ("compression",), 1100, compression, EMPTY, theme=CHANGES, answer=answer)
