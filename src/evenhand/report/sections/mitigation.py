"""What was tried to meet the policy: each candidate, what it costs, who gains and who loses, what is infeasible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, lowered, message, messages, sentences
from evenhand.metrics import describe
from evenhand.policy.wording import limit_text, number
from evenhand.report.decision import signs
from evenhand.report.drawings import Mark, Table, table
from evenhand.report.figures.findings import described
from evenhand.report.figures.tradeoffs import Traded, tradeoff_figure
from evenhand.report.mitigated import BY_GROUP, chosen_of, left_out, measure_label, mitigation_of
from evenhand.report.numbers import cut, ranged
from evenhand.report.sections.judged import STATUSES
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.spoken import in_words, key_of, spoken
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from evenhand.findings import AuditRecord
    from evenhand.messages import Place
    from evenhand.policy import Verdict
    from evenhand.policy.limits import Limit
    from evenhand.provenance import MitigatedGroup, MitigatedLimit, MitigationCandidate, MitigationFacts
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import State

TITLE: Final = message("What was tried to meet the policy")
MOST_NAME: Final = 60
MOST_DRAWN: Final = 16
"""Candidates in a picture; more would hide each other."""
MOST_PICTURES: Final = 4
MOST_LIMITS: Final = 8
MOST_GROUPS: Final = 24
"""Groups of one candidate in a table."""
UNLAWFUL: Final = message(
    "A model that must be told the sensitive feature treats people by group when it decides. That can be unlawful even "
    "where it narrows a gap; for example, US law forbids different cutoffs by race or sex in employment tests (42 "
    "U.S.C. 2000e-2(l)) and discrimination in credit (15 U.S.C. 1691). Ask counsel before use."
)
OPTIMISTIC: Final = message(
    "The figures of the candidates are of the rows they were chosen on, where the best of many looks better than it "
    "is. The verdict on the chosen one, and every figure outside this part, is of the rows kept for judging."
)
SHAPES: Final = message("The shape of a point is the worst result over all limits, on the rows it was chosen on.")
LOTS: Final = message("Where lots are drawn, a hash of the row decides, so that an equal row is always decided alike.")
JOINED: Final = message("no other candidate is better on both axes")
IDLE: Final = message("left out")
YES_NO: Final = (message("no"), message("yes"))


def mitigated(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about a mitigation; nothing where the record is of none."""
    told = mitigation_of(record)
    if told is None:
        return ()
    pictures = tuple(_pictures(told, _bounds(told, judged.verdict)))
    blocks: tuple[Block, ...] = (*pictures, *_candidates(told), *_rows(told), *_people(told), *_failures(told))
    return (Part("mitigation", TITLE, _lead(told), blocks, answer=_answer(told), state=_state(told), open=True),)


def _state(told: MitigationFacts) -> State:
    if told.get("recommended"):
        return "passed"
    return "failed" if told.get("infeasible") else "undecided"


def _answer(told: MitigationFacts) -> str:
    """State what is recommended, and what it costs in people and in performance."""
    chosen, first = chosen_of(told), told["candidates"][0]
    impossible = spoken(told.get("infeasible"))
    if chosen is None:
        said = message("None of {tried} candidates meets the policy.", tried=len(told["candidates"]))
        return sentences(said, impossible)
    places: dict[str, Place] = {"name": cut(chosen["name"], MOST_NAME), "tried": len(told["candidates"])}
    if told.get("recommended"):
        said = message("Recommended of {tried} candidates, by rows that nothing was chosen on: {name}.", **places)
    else:
        said = message(
            "Best of {tried} candidates on the rows they were chosen on, but not recommended by the rows kept for "
            "judging: {name}.",
            **places,
        )
    by_group = BY_GROUP if chosen["needs_sensitive"] else ""
    return sentences(said, impossible, "" if chosen is first else _price(chosen, first), by_group)


def _price(chosen: MitigationCandidate, first: MitigationCandidate) -> str:
    """State how performance changes against the unchanged model, and for how many the decision does."""
    now, before = chosen["performance"], first["performance"]
    said = ""
    if now is not None and before is not None and now["estimate"] is not None and before["estimate"] is not None:
        said = message(
            "{performance} goes from {before} to {now} where it was chosen.",
            performance=measure_label(now["key"]), before=number(before["estimate"], None, 3),
            now=number(now["estimate"], None, 3),
        )  # fmt: skip
    groups = _once(chosen["groups"])
    rows, gained, lost = (sum(each[name] for each in groups) for name in ("rows", "gained", "lost"))
    if not rows:
        return said
    people = message(
        "Of {rows:,} people, {gained:,} are decided in their favour who were not, and {lost:,} the other way round.",
        rows=rows, gained=gained, lost=lost,
    )  # fmt: skip
    return sentences(said, people)


def _once(groups: Sequence[MitigatedGroup]) -> list[MitigatedGroup]:
    """Return the groups of one feature: of every feature they are the same rows."""
    return [each for each in groups if each["feature"] == groups[0]["feature"]]


def _lead(told: MitigationFacts) -> tuple[str, ...]:
    rows = told.get("rows", {})
    parts = {name: int(rows.get(name, 0)) for name in ("fit", "choose", "judge")}
    where = message(
        "Candidates were fitted on {fit:,} rows, one was chosen on {choose:,} others, and judged on {judge:,} that "
        "nothing had seen.",
        **parts,
    )
    needs = any(each["needs_sensitive"] for each in told["candidates"])
    lots = any(each["randomized"] for each in told["candidates"])
    made = sum(not each["failure"] for each in told["candidates"])
    fewer = message("Pictures show {most} of {made} candidates; the table has all.", most=MOST_DRAWN, made=made)
    again = message("Models were fitted again on {n:,} rows of their own.", n=rows.get("train", 0))
    said = (
        where,
        again if "train" in rows else "",
        OPTIMISTIC,
        fewer if made > MOST_DRAWN else "",
        left_out(told),
        UNLAWFUL if needs else "",
        LOTS if lots else "",
        SHAPES,
    )
    return tuple(filter(None, said))


def _bounds(told: MitigationFacts, verdict: Verdict | None) -> Mapping[str, Limit]:
    """Return the limits of the policy that judged the candidates, where the page has the same one."""
    if verdict is None or verdict.policy_sha256 != told.get("policy", {}).get("sha256"):
        return {}
    found = {str(judgement.key): judgement.limit for judgement in verdict.judgements}
    return {**{str(limit.key): limit for limit in found.values()}, **found}


def _worst(candidate: MitigationCandidate) -> Mark:
    found = {each.get("status") for each in candidate["limits"]}
    for status in ("failed", "undecided", "passed"):
        if status in found:
            return status
    return "plain"


def _keys(told: MitigationFacts) -> list[str]:
    """Return the limits, those first that the unchanged model meets least."""
    first = {each["key"]: each.get("status") for each in told["candidates"][0]["limits"]}
    known = dict.fromkeys(each["key"] for one in told["candidates"] for each in one["limits"])
    order = ("failed", "undecided", None, "passed")
    return sorted(known, key=lambda key: order.index(first.get(key)))


def _pictures(told: MitigationFacts, bounds: Mapping[str, Limit]) -> Iterator[Block]:
    """Draw performance against each limited measure, the worst met first."""
    drawn = 0
    for at, key in enumerate(key for key in _keys(told) if key != told.get("performance")):
        points = list(_points(told, key))
        if len(points) > 1 and drawn < MOST_PICTURES:
            drawn += 1
            yield _picture(f"mitigation-{at}", told, key, points, bounds.get(key))


def _points(told: MitigationFacts, key: str) -> Iterator[Traded]:
    for each in told["candidates"]:
        limit = next((one for one in each["limits"] if one["key"] == key), None)
        performance = each["performance"]
        if limit is None or performance is None or limit["estimate"] is None or performance["estimate"] is None:
            continue
        ends, upright = _ends(limit), _ends(performance)
        name = cut(each["name"], MOST_NAME)
        yield Traded(name, _worst(each), limit["estimate"], performance["estimate"], ends, upright, each["chosen"])


def _ends(value: MitigatedLimit) -> tuple[float | None, float | None]:
    if "low" not in value and "high" not in value:
        return value["estimate"], value["estimate"]
    return value.get("low"), value.get("high")


def _picture(
    name: str, told: MitigationFacts, key: str, points: Sequence[Traded], limit: Limit | None
) -> Block:  # fmt: skip
    performance, limited = measure_label(told.get("performance", "")), in_words(key)
    title = message("{performance} against {limited}", performance=performance, limited=lowered(limited))
    shown, bound = _fewer(points), None if limit is None else limit.bound
    rows = tuple((p.label, ranged(p.x, *p.x_ends, bound), ranged(p.y, *p.y_ends)) for p in shown)
    head = (message("candidate"), limited, performance)
    twin = Table(f"{name}-table", title, head, rows, frozenset({1, 2}), within="mitigation-table")
    said = described(title, [(label, joined(", ", values)) for label, *values in rows[:6]], len(rows) - 6)
    marked = "" if limit is None else message("limit {bound}", bound=signs(limit_text(limit)))
    parsed = key_of(key)
    lower = parsed is None or describe(parsed.metric).direction != "higher_is_better"
    lower = lower if limit is None else limit.at_most is not None
    return tradeoff_figure(
        name, title, said, shown, (lowered(limited), lowered(performance)), twin, limit=bound,
        said=(JOINED, message("chosen"), marked), lower=lower,
    )  # fmt: skip


def _fewer(points: Sequence[Traded]) -> Sequence[Traded]:
    """Return as many points as a picture shows: the unchanged model, the chosen one, then the others in order."""
    if len(points) <= MOST_DRAWN:
        return points
    kept = {0, *(at for at, point in enumerate(points) if point.chosen)}
    kept |= set([at for at in range(len(points)) if at not in kept][: MOST_DRAWN - len(kept)])
    return [point for at, point in enumerate(points) if at in kept]


def _value(found: MitigatedLimit | None) -> str:
    if found is None:
        return "–"
    value = ranged(found["estimate"], *_ends(found))
    status = found.get("status")
    return message("{value}: {status}", value=value, status=STATUSES[status]) if status else value


def _candidates(told: MitigationFacts) -> tuple[Table, ...]:
    keys = _keys(told)[:MOST_LIMITS]
    head = (
        message("candidate"), measure_label(told.get("performance", "")), *map(in_words, keys),
        message("is told the group"), message("draws lots"), message("decided better"), message("decided worse"),
        message("chosen"),
    )  # fmt: skip
    rows = []
    for each in told["candidates"]:
        limits = {one["key"]: one for one in each["limits"]}
        groups = _once(each["groups"])
        rows.append(
            (
                cut(each["name"], MOST_NAME),
                message("not made") if each["failure"] else _value(each["performance"]),
                *(_value(limits.get(key)) for key in keys),
                *(YES_NO[each[name]] for name in ("needs_sensitive", "randomized")),
                *(f"{sum(one[name] for one in groups):,}" if groups else "–" for name in ("gained", "lost")),
                message("yes") if each["chosen"] else IDLE if each.get("idle") else "–",
            )
        )
    wide = len(keys) + 2
    title = message("Candidates, on the rows they were chosen on")
    return table("mitigation-table", title, head, rows, {*range(1, wide), wide + 2, wide + 3}, 60)


def _rows(told: MitigationFacts) -> tuple[Table, ...]:
    names = {
        "fit": message("fitting the candidates"), "choose": message("choosing one of them"),
        "judge": message("judging the chosen one"),
    }  # fmt: skip
    rows = told.get("rows", {})
    cells = ((said, f"{int(rows[name]):,}") for name, said in names.items() if name in rows)
    return table("mitigation-rows", message("Rows, each for one purpose"), (message("purpose"), message("rows")), cells)


def _people(told: MitigationFacts) -> Iterator[Table]:
    """Yield who gains and who loses: of the chosen candidate, then of the others, folded."""
    tried = enumerate(told["candidates"])
    for at, each in sorted(tried, key=lambda pair: not pair[1]["chosen"]):
        groups = sorted(each["groups"], key=lambda one: -(one["gained"] + one["lost"]))
        if not any(one["gained"] or one["lost"] for one in groups):
            continue
        rows = [_of_group(one) for one in groups[:MOST_GROUPS]]
        title = message("Whose decisions change: {name}", name=cut(each["name"], MOST_NAME))
        head = (
            message("group"), message("rows"), message("decided better"), message("decided worse"),
            message("net, of 1,000"),
        )  # fmt: skip
        name = f"mitigation-people-{at}"
        made = Table(name, title, head, tuple(rows), frozenset({1, 2, 3, 4}), folded="" if each["chosen"] else title)
        yield made.bounded(MOST_GROUPS)


def _of_group(one: MitigatedGroup) -> tuple[str, ...]:
    who = joined("=", (cut(one["feature"], 40), cut(one["group"], 60)))
    net = f"{1000 * (one['gained'] - one['lost']) / one['rows']:+z.0f}" if one["rows"] else "–"
    return who, f"{one['rows']:,}", f"{one['gained']:,}", f"{one['lost']:,}", net


def _failures(told: MitigationFacts) -> tuple[Table, ...]:
    rows = [
        (cut(each["name"], MOST_NAME), spoken(each.get("told"), each["failure"]))
        for each in told["candidates"]
        if each["failure"]
    ]
    n = len(rows)
    title = messages("{n} candidate that could not be made", "{n} candidates that could not be made", n)
    return table("mitigation-failures", title, (message("candidate"), message("why")), rows, set(), 40)


SECTION: Final = Section("mitigation", TITLE, (), 50, mitigated, theme=MODEL)
