"""A study: its candidates and verdicts, the Pareto front, and results across seeds and populations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key, group_name
from evenhand.messages import joined, lowered, message, messages, sentences
from evenhand.metrics import describe
from evenhand.policy.telling import labelled
from evenhand.report.drawings import Mark, Table, table
from evenhand.report.figures.findings import described, figure
from evenhand.report.figures.points import point_figure
from evenhand.report.numbers import cut, in_percent, p_value, show, with_interval
from evenhand.report.sections.answering import COUNTED
from evenhand.report.sections.facts import is_study, whom
from evenhand.report.sections.judged import STATUSES
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.provenance import StudyFacts
    from evenhand.report.sections.judged import FigureRow, Judged
    from evenhand.report.view import State

TITLE: Final = message("Models that were tried")
WORST: Final = "accuracy_change_group_min"
MOST_DRAWN: Final = 24
OVER: Final = {"over": "seeds"}
READ_FROM_INTERVAL: Final = message(
    "Whether a group is harmed is read from its interval: a model does no harm when the whole interval is inside the "
    "margin, not when a test finds nothing."
)
LOST_MOST: Final = message("accuracy change of the single-feature group that lost most")
WHOSE_INTERVAL: Final = message(
    "The interval with the group that lost most is of the lowest value of all groups of its feature, whichever group "
    "that is; where groups are told one by one, each has its own."
)
VERDICTS: Final[Mapping[str, str]] = {**STATUSES, "not made": message("not made"), "not judged": message("not judged")}


def searched(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Return the parts of a study; nothing for an audit."""
    if not is_study(record):
        return ()
    told = record.provenance["study"]
    names = [each["name"] for each in told["candidates"]]
    front = record.measurements["study"]["front"] if "study" in record.measurements else []
    title = message("Accuracy change of each group, each candidate against the original")
    groups = (*_forest(record, front), *_by_group(record, "search-groups", title, names, {}))
    blocks = (*_picture(record, told, front), _candidates(record, told, front), *groups)
    tried = Part("search", TITLE, _lead(told), blocks, answer=_answer(told), state=_state(told), open=True)
    return tried, *_population(record, told, names)


def _state(told: StudyFacts) -> State:
    """Return the best verdict of a candidate; plain without a policy."""
    if told.get("policy") is None:
        return "plain"
    verdicts = {each["verdict"] for each in told["candidates"]}
    return "passed" if told.get("smallest") else "undecided" if "undecided" in verdicts else "failed"


def _answer(told: StudyFacts) -> str:
    """State how many candidates were tried, and the smallest that passes."""
    ways = len(told["candidates"])
    tried = message(
        "{ways} ways to make the model smaller, each compared with the original on the same rows.", ways=ways
    )
    if told.get("policy") is None:
        return tried
    smallest = cut(str(told.get("smallest") or ""), 200)
    passing = message("The smallest that passes the policy is {name}.", name=smallest)
    verdicts = [each["verdict"] for each in told["candidates"]]
    counts = [_counted(status, n) for status in COUNTED if (n := verdicts.count(status))]
    made = message("Of {ways} candidates: {counts}.", ways=ways, counts=joined(", ", counts))
    return sentences(passing if smallest else message("None passes the policy."), made)


def _counted(status: str, n: int) -> str:
    if status == "undecided":
        return messages("{n} is undecided", "{n} are undecided", n)
    return messages("{n} fails", "{n} fail", n) if status == "failed" else messages("{n} passes", "{n} pass", n)


def _lead(told: StudyFacts) -> tuple[str, ...]:
    failed = (
        message("{name} could not be made: {failure}", name=cut(each["name"], 80), failure=cut(each["failure"], 300))
        for each in told["candidates"]
        if each["failure"]
    )
    return (READ_FROM_INTERVAL, WHOSE_INTERVAL, *failed)


def _who(finding: Finding) -> str:
    return whom(finding)


def _find(record: AuditRecord, metric: str, recipe: str, columns: Sequence[str] = (), **more: str) -> Finding | None:
    return record.get(Key.of(metric, columns, recipe=recipe, **more))


def _worst(record: AuditRecord, recipe: str) -> Finding | None:
    """Return the change of the group that lost most accuracy, among single features; of all rows without groups."""
    lost = (f for f in record.findings if f.key.metric == WORST and f.key.qualifier("recipe") == recipe)
    found = [f for f in lost if len(f.key.columns) == 1 and f.estimate is not None]
    if not found:
        return _find(record, "accuracy_change", recipe, of="original")
    return min(found, key=lambda finding: finding.estimate or 0.0)


def _worst_group(worst: Finding | None) -> str:
    """Return which group lost most; none where no group lost anything."""
    if worst is None or not worst.groups:
        return "–"
    lost = worst.estimate is not None and worst.estimate < 0
    return labelled(worst.key.columns, worst.groups[0].group) if lost else message("none")


def _picture(record: AuditRecord, told: StudyFacts, front: Sequence[str]) -> list[Block]:
    """Draw size against the loss of the group that lost most; candidates on the front are joined."""
    points: list[tuple[str, float, float, Mark]] = []
    rows = []
    for each in told["candidates"][:MOST_DRAWN]:
        name = each["name"]
        size, worst = _find(record, "file_bytes", name), _worst(record, name)
        if size is None or worst is None or size.estimate is None or worst.estimate is None:
            continue
        points.append((name, size.estimate, worst.estimate, each["verdict"] or "plain"))
        rows.append((name, show(size.estimate, "bytes"), with_interval(worst, 3), _worst_group(worst)))
    if not points:
        return []
    title = message("Size against the loss of the single-feature group that lost most")
    head = (message("candidate"), message("size"), LOST_MOST, message("group"))
    twin = Table("search-picture-table", title, head, tuple(rows), frozenset({1, 2}), within="search-table")
    said = described(title, [(name, joined(", ", (size, change))) for name, size, change, _ in rows[:6]])
    axes = (message("size in kB"), lowered(describe("accuracy_change").label))
    words = message("ringed, the Pareto front: nothing is smaller, faster, more accurate and fairer at once")
    return [point_figure("search-picture", title, said, points, axes, twin, front, words, unit=1000.0)]


def _original(record: AuditRecord, names: Sequence[str]) -> tuple[str, ...]:
    """Return the row of the original: its size, and its accuracy, which is a candidate's without the change."""
    size, accuracy = record.provenance.get("subject", {}).get("file_bytes"), None
    for name in names:
        after, change = _find(record, "accuracy", name), _find(record, "accuracy_change", name, of="original")
        if after is not None and change is not None and after.estimate is not None and change.estimate is not None:
            accuracy = after.estimate - change.estimate
            break
    shown = "–" if accuracy is None else show(accuracy, digits=3)
    bytes_ = show(float(size), "bytes") if isinstance(size, int | float) else "–"
    return (message("the original"), bytes_, "–", "–", shown, *("–",) * 5)


def _candidates(record: AuditRecord, told: StudyFacts, front: Sequence[str]) -> Table:
    rows = [_original(record, [each["name"] for each in told["candidates"]])]
    for each in told["candidates"]:
        name = each["name"]
        size, worst = _find(record, "file_bytes", name), _worst(record, name)
        times = [_find(record, "latency", name, batch=batch) for batch in ("1", "256")]
        rows.append(
            (
                cut(name, 60),
                "–" if size is None else show(size.estimate, "bytes"),
                *("–" if found is None else show(found.estimate, "seconds") for found in times),
                with_interval(_find(record, "accuracy", name), 3),
                with_interval(_find(record, "flip_rate", name, of="original"), 3),
                with_interval(worst, 3),
                cut(_worst_group(worst), 40),
                message("yes") if name in front else "–",
                VERDICTS[each["verdict"] or ("not made" if each["failure"] else "not judged")],
            )
        )
    head = (
        message("candidate"), message("size"), *(message("latency, batch of {rows}", rows=rows) for rows in (1, 256)),
        *(lowered(describe(name).label) for name in ("accuracy", "flip_rate")), LOST_MOST, message("group"),
        message("on the front"), message("verdict"),
    )  # fmt: skip
    return Table("search-table", message("What was tried"), head, tuple(rows), frozenset({1, 2, 3, 4, 5, 6}))


def _forest(record: AuditRecord, front: Sequence[str]) -> list[Block]:
    """Draw the changes of each group for the smallest candidate on the front."""
    sizes = {name: _find(record, "file_bytes", name) for name in front}
    known = {name: found.estimate for name, found in sizes.items() if found is not None and found.estimate is not None}
    if not known:
        return []
    smallest = min(known, key=lambda name: known[name])
    wanted = (("of", "original"), ("recipe", smallest))
    found = (f for f in record.findings if f.key.metric == "accuracy_change" and f.key.qualifiers == wanted)
    rows: list[FigureRow] = [(_who(f), f, "plain", None) for f in found]
    title = message("Accuracy change of each group under the smallest on the front, {name}", name=cut(smallest, 60))
    return [figure("search-forest", title, rows, digits=3)] if rows else []


def _by_group(
    record: AuditRecord, name: str, title: str, candidates: Sequence[str], more: Mapping[str, str],
    metric: str = "accuracy_change",
) -> tuple[Table, ...]:  # fmt: skip
    wanted = {"of", "recipe", *more}
    cells: dict[str, dict[str, Finding]] = {}
    for f in record.findings:
        held = dict(f.key.qualifiers)
        if f.key.metric == metric and set(held) == wanted and all(held[k] == v for k, v in more.items()):
            cells.setdefault(_who(f), {})[held["recipe"]] = f
    rows = ((cut(who, 80), *(with_interval(by.get(each), 3) for each in candidates)) for who, by in cells.items())
    return table(name, title, (message("group"), *(cut(each, 60) for each in candidates)), rows, most=60)


def _population(record: AuditRecord, told: StudyFacts, names: Sequence[str]) -> tuple[Part, ...]:
    found = record.of_audit("population")
    said, title = reasons(record, "population"), message("From seed to seed")
    if not found:
        return (Part("population", title, said, state="absent"),) if said else ()
    words = message(
        "Training and compression were repeated over {seeds} seeds. Two originals that differ in their seed alone "
        "differ by the first line of the figure; what compression does is to be seen beside it.",
        seeds=told["seeds"],
    )
    mean, recall = message("Accuracy change, mean over seeds"), message("Recall change, mean over seeds")
    blocks = (
        *_churn(record, names),
        *_by_group(record, "population-accuracy", mean, names, OVER),
        *_by_group(record, "population-recall", recall, names, OVER, "recall_change"),
        *_noise(record),
        *_exemplars(record, names),
        *_welch(found),
    )
    return (Part("population", title, (words, *said), blocks, answer=_floor(record, names), open=True),)


def _floor(record: AuditRecord, names: Sequence[str]) -> str:
    """State how many decisions differ between seeds, and how many at most by compression."""
    floor = record.get(Key.of("flip_rate", between="seeds"))
    made = (_find(record, "flip_rate", name, of="original", over="seeds") for name in names)
    found = [f for f in made if f is not None and f.estimate is not None]
    if floor is None or not found:
        return message("Changes by compression, over seeds.")
    most = max(found, key=lambda f: f.estimate or 0.0)
    return message(
        "Originals that differ in their seed alone decide {floor} of the rows otherwise; compression does so for at "
        "most {most} ({name}).",
        floor=in_percent(floor), most=in_percent(most), name=cut(most.key.qualifier("recipe") or "", 60),
    )  # fmt: skip


def _churn(record: AuditRecord, names: Sequence[str]) -> list[Block]:
    """Draw the flip rate between seeds, and below it that of each candidate."""
    floor = record.get(Key.of("flip_rate", between="seeds"))
    found = {name: _find(record, "flip_rate", name, of="original", over="seeds") for name in names}
    drawn = [(message("two seeds, nothing compressed"), floor), *found.items()]
    rows: list[FigureRow] = [(name, f, "plain", None) for name, f in drawn if f is not None]
    title = message("Decisions that differ between seeds or by compression")
    return [figure("population-churn", title, rows, digits=3)] if rows else []


def _noise(record: AuditRecord) -> tuple[Table, ...]:
    rows, spreads = [], ("accuracy_spread", "recall_spread")
    for f in record.findings:
        if f.key.metric == "flip_rate" and f.key.qualifier("between") == "seeds":
            others = [record.get(Key.of(spread, dict(f.key.group), between="seeds")) for spread in spreads]
            cells = ("–" if other is None else show(other.estimate, digits=4) for other in others)
            rows.append((cut(_who(f), 80), f"{f.support:,}", with_interval(f, 3), *cells))
    labels = (describe(spread).label for spread in spreads)
    head = (message("group"), message("rows"), message("flip rate between seeds"), *labels)
    return table("population-noise", message("The noise floor: originals of different seeds"), head, rows, most=60)


def _exemplars(record: AuditRecord, names: Sequence[str]) -> tuple[Table, ...]:
    """Return, for each candidate, the share of exemplars in each group and its over-representation."""
    rows = []
    for f in record.findings:
        if f.key.metric == "exemplar_rate" and f.key.qualifier("recipe") in names:
            recipe = f.key.qualifier("recipe") or ""
            ratio = record.get(Key.of("exemplar_ratio", dict(f.key.group), recipe=recipe))
            values = with_interval(f, 4), with_interval(ratio, 2)
            rows.append((cut(recipe, 60), cut(_who(f), 80), f"{f.support:,}", *values))
    labels = (describe(f"exemplar_{name}").label for name in ("rate", "ratio"))
    head = (message("candidate"), message("group"), message("rows"), *labels)
    title = message("Whose rows compressed models, taken together, decide otherwise")
    return table("population-exemplars", title, head, rows, {2, 3, 4}, 100)


def _welch(found: Sequence[Finding]) -> tuple[Table, ...]:
    values = {f.key: f for f in found if f.key.metric == "p_value"}
    rows = []
    for f in found:
        if f.key.metric in ("normalized_recall_change", "excess_accuracy_change"):
            held = dict(f.key.qualifiers)
            tests = [
                values.get(Key.of("p_value", dict(f.key.group), **held, rate=f.key.metric, **more))
                for more in ({}, {"adjusted": "holm"})
            ]
            who = group_name(f.key.group) if f.key.group else cut(held.get("class", ""), 40)
            cells = with_interval(f, 3), *map(p_value, tests)
            rows.append((cut(held["recipe"], 60), describe(f.key.metric).label, cut(who, 80), *cells))
    head = (message("candidate"), "", message("group or class"), message("over seeds"), message("p-value"), "Holm")
    title = message("Who lost more than the whole, over seeds (Welch)")
    return table("population-welch", title, head, rows, {3, 4, 5}, 100, folded=True)


SECTION: Final = Section("search", TITLE, ("search", "population"), 250, searched, of_studies=True, theme=MODEL)
