"""Who decided, and how many are harmed, in words: rates as so many of so many people, from the catalogue's cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, lowered, message, messages, sentences
from evenhand.metrics import METRICS, describe
from evenhand.metrics.catalogue.entry import ALL, FN, FP, TN, TP
from evenhand.metrics.catalogue.names import COMBINED, split_name
from evenhand.policy.wording import cut, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord, Finding, GroupValue
    from evenhand.keys import Key
    from evenhand.messages import Message, Place
    from evenhand.metrics import Metric
    from evenhand.policy.grounds import Burden, CountedGroup, Evidence
    from evenhand.policy.limits import Limit, Status
    from evenhand.policy.verdict import Judgement

OF_COMMONEST: Final = ("selection_distance", "equalized_odds_distance")
"""Distances over all classes: each group's value is its share of the class that is decided most often in it."""
MOST_NAME: Final = 40
"""Characters of a group, a column or a value in a sentence."""
ROWS_ALONE: Final = message("n={rows:,}", rows=0).id
"""The sentence of what has no groups and is no plain share of rows."""
MOST_DIGITS: Final = 2
"""Decimals of a percentage, where fewer would show two rates as one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the label and its two values are called."""

    label: str
    negative: str
    positive: str

    def value(self, truth: int) -> str:
        """Return the value alone."""
        return self.positive if truth else self.negative

    def whole(self, truth: int) -> str:
        """Return the value with its column: a bare "yes" or "1" says nothing."""
        return joined("=", (self.label, self.value(truth))) if self.label else self.value(truth)


def evidence_sentence(evidence: Evidence, limit: Limit, status: Status, record: AuditRecord) -> str:
    """Return the values of the groups that decided: ``Of race=black with y=0, 45 % were decided 1 (9 of 20); ...``.

    Of a value that passed, its counts alone: the key names the group, and nobody need think about it.
    """
    key, entry = evidence.key, METRICS.get(evidence.metric)
    if status == "passed" and not any(feature.group is None for feature in key.features):
        (one,) = evidence.groups[:1]
        if one.counted is not None:
            return message("{counted:,} of {rows:,}", counted=one.counted, rows=one.support)
        return message("n={rows:,}", rows=one.support)
    outcome = _outcome(key, evidence.metric, record)
    shares = [*evidence.groups, *([evidence.reference] if evidence.reference is not None else [])]
    did = None if entry is None or any(part.estimate is None for part in shares) else _did(entry, outcome)
    if did is not None and key.metric in OF_COMMONEST:
        did = message("were decided alike, in the class that is commonest there")
    if did is None or entry is None:
        text = _plain(evidence, key)
    else:
        given, bound = _given(key, entry, outcome), limit.bound if len(shares) == 1 else None
        names = [_who(key, part, part is evidence.reference) for part in shares]
        text = joined("; ", _shares(names, _percents(shares, bound), shares, given, did))
    others = len(evidence.open) + evidence.more - 1
    if others <= 0:
        return text
    return joined("; ", (text, _undecided(evidence, limit, others)))


def _undecided(evidence: Evidence, limit: Limit, n: int) -> Message:
    """Return how many more groups, pairs of groups, or comparisons of pairs are undecided."""
    if len(evidence.open[0]) == 1:
        return messages("{n:,} more group is undecided", "{n:,} more groups are undecided", n)
    if limit.key.metric in COMBINED:  # each pair is compared by two rates
        return messages(
            "{n:,} more comparison of two groups is undecided", "{n:,} more comparisons of two groups are undecided", n
        )
    return messages("{n:,} more pair of groups is undecided", "{n:,} more pairs of groups are undecided", n)


def estimate_sentence(judgement: Judgement) -> str:
    """Return the groups that give the estimate, where those that decided are others; empty where they are the same.

    It is for whom the estimate is shown to: what is said of the verdict names those alone that decided. A group of
    which that was said already is named without its value.
    """
    evidence, finding = judgement.evidence, judgement.finding
    if evidence is None or finding is None or finding.key.metric.startswith("average_odds"):
        return ""  # a mean of two rates: no two values of one give it
    metric, parts = finding.component or split_name(finding.key.metric)[0], _of_estimate(finding)
    known = {part.group for part in evidence.groups} if metric == evidence.metric else set()
    if known == {part.group for part in parts} or not parts or any(part.estimate is None for part in parts):
        return ""
    entry = METRICS.get(metric)
    is_share = entry is not None and _did(entry, Outcome("", "", "")) is not None
    values = _percents(parts, None) if is_share else [number(part.estimate) for part in parts]
    first, *others = (
        labelled(finding.key.columns, part.group) if part.group in known else _valued(finding.key, part, value)
        for part, value in zip(parts, values, strict=True)
    )
    if not others:
        return message("The estimate is that of {group}.", group=first)
    if metric == evidence.metric:
        return message("The estimate compares {first} with {second}.", first=first, second=others[0])
    name = lowered(describe(metric).label)
    return message("The estimate compares {metric}: {first}, {second}.", metric=name, first=first, second=others[0])


def _of_estimate(finding: Finding) -> tuple[GroupValue, ...]:
    """Return the groups whose values give an estimate over all groups: the two ends of a gap, or the extreme one."""
    if len(finding.groups) != 2 or all(each.group is not None for each in finding.key.features):
        return ()
    extreme = {"group_min": finding.groups[:1], "group_max": finding.groups[1:]}
    return extreme.get(split_name(finding.key.metric)[1] or "", finding.groups)


def burden_sentence(burden: Sequence[Burden]) -> str:
    """Return how many people of the group with most of them are shown to be harmed; empty where none is."""
    shown = [part for part in burden if part.shown]
    if not shown:
        return ""
    others = len(shown) - 1
    more = messages("{n:,} more group is shown to be harmed.", "{n:,} more groups are shown to be harmed.", others)
    return sentences(worse_off(shown[0]), more if others else "")


def worse_off(first: Burden) -> Message:
    """Return how many people of a group are harmed, and more than where."""
    n, low, high = (max(1, round(end)) for end in (first.excess, first.low, first.high))
    places: dict[str, Place] = {"group": first.group, "n": n, "low": low, "high": high}
    if first.reference:
        return message(
            "About {n:,} rows of {group} ({low:,} to {high:,}) are worse off than at the rate of {reference}."
            if first.clustered
            else "About {n:,} people of {group} ({low:,} to {high:,}) are worse off than at the rate of {reference}.",
            reference=first.reference,
            **places,
        )
    return message(
        "About {n:,} more rows of {group} ({low:,} to {high:,}) are harmed than the limit allows."
        if first.clustered
        else "About {n:,} more people of {group} ({low:,} to {high:,}) are harmed than the limit allows.",
        **places,
    )


def harm_sentence(judgement: Judgement) -> str:
    """Return who is harmed by what failed, or that nothing says who; empty where that is no question."""
    evidence = judgement.evidence
    if judgement.status != "failed" or evidence is None or judgement.limit.against:
        return ""
    told, entry = burden_sentence(judgement.burden), METRICS.get(evidence.metric)
    unknown = entry is not None and entry.decision is not None and entry.direction == "neutral"
    if told or judgement.burden or not unknown or len(evidence.groups) < 2:
        return told
    return message("Who is harmed depends on which outcome is favourable; none was declared.")


def labelled(columns: Sequence[str], group: str) -> str:
    """Return a group with its column, ``race=black``; that of an intersection has them already.

    Examples
    --------
    >>> labelled(["sex"], "F"), labelled(["race", "sex"], "race=black, sex=F")
    ('sex=F', 'race=black, sex=F')
    """
    return f"{cut(columns[0], MOST_NAME)}={cut(group, MOST_NAME)}" if len(columns) == 1 else cut(group, 2 * MOST_NAME)


def _outcome(key: Key, metric: str, record: AuditRecord) -> Outcome:
    data = record.provenance.get("data", {})
    named = ("positive", "negative", "favourable")
    known = {name: cut(str(value), MOST_NAME) for name, value in data.items() if name in named and value is not None}
    pair = known.get("negative", message("negative")), known.get("positive", message("positive"))
    chosen = cut(key.qualifier("class") or "", MOST_NAME)
    if metric == "favourable_rate" and "favourable" in known:
        chosen = known["favourable"]
    if chosen and chosen != pair[1]:
        pair = (pair[1] if chosen == pair[0] else message("not {value}", value=chosen)), chosen
    return Outcome(cut(data.get("label") or "", MOST_NAME), *pair)


def _did(entry: Metric, outcome: Outcome) -> Message | None:
    """Return what the rows in the numerator did or had; None for what is no plain share of rows."""
    counted, among = set(entry.numerator), set(entry.denominator)
    truths, decisions = ({cell[side] for cell in counted} for side in (0, 1))
    if entry.kind != "rate" or not among:
        return None
    if entry.decision is not None:
        named = len({true for true, _ in among}) == 1  # the column is named in the condition
        return message("were decided {value}", value=(outcome.value if named else outcome.whole)(entry.decision))
    if among == set(ALL) and counted in ({TN, TP}, {FP, FN}):
        return message("were decided rightly") if TP in counted else message("were decided wrongly")
    if len(truths) == 1 and {(true, decided) for true in (0, 1) for decided in {d for _, d in among}} == among:
        whole = len(decisions) == len({decided for _, decided in among})
        return message("had {value}", value=outcome.whole(min(truths))) if whole else None
    return None


def _given(key: Key, entry: Metric, outcome: Outcome) -> list[str]:
    """Return the conditions on the rows that a rate is of."""
    among, control = set(entry.denominator), key.qualifier("given")
    truths, decisions = ({cell[side] for cell in among} for side in (0, 1))
    found = [cut(control, MOST_NAME)] if control else []
    if len(truths) == 1:
        found.append(outcome.whole(min(truths)))
    elif len(decisions) == 1:
        found.append(message("decision {value}", value=outcome.value(min(decisions))))
    return found


def _who(key: Key, part: CountedGroup, is_reference: bool) -> str:
    if is_reference and part.group in ("rest", "overall"):
        return message("the other groups") if part.group == "rest" else message("all rows")
    return labelled(key.columns, part.group) if part.group else message("all rows")


def _shares(
    names: Sequence[str], percents: Sequence[str], shares: Sequence[CountedGroup], given: list[str], did: str
) -> list[Message]:
    """Return the first group in a whole clause, and the others shortly."""
    first = message("{group} with {conditions}", group=names[0], conditions=tuple(given)) if given else names[0]
    found = []
    for at, (name, percent, part) in enumerate(zip((first, *names[1:]), percents, shares, strict=True)):
        places: dict[str, Place] = {"group": name, "share": percent, "rows": part.support}
        if at and part.counted is None:
            found.append(message("of {group}, {share} (n={rows:,})", **places))
        elif at:
            found.append(message("of {group}, {share} ({counted:,} of {rows:,})", counted=part.counted or 0, **places))
        elif part.counted is None:
            found.append(message("Of {group}, {share} {did} (n={rows:,})", did=did, **places))
        else:
            places |= {"did": did, "counted": part.counted}
            found.append(message("Of {group}, {share} {did} ({counted:,} of {rows:,})", **places))
    return found


def _percents(shares: Sequence[GroupValue], bound: float | None) -> list[str]:
    """Return rates in per cent, with as many decimals as keep different ones apart, and on their side of a limit."""
    values = [100 * (part.estimate or 0.0) for part in shares]
    limit = None if bound is None else round(100 * bound, 9)
    for digits in range(MOST_DIGITS + 1):
        found = [number(round(value, 9), limit, digits) for value in values]
        if len(set(found)) == len(set(values)):
            break
    return [f"{text} %" for text in found]


def _plain(evidence: Evidence, key: Key) -> Message:
    """Return ``accuracy: race=black 0.62 (n=41), race=white 0.93 (n=440)``."""
    named = [part for part in evidence.groups if part.group]
    if not named:
        return message("n={rows:,}", rows=sum(part.support for part in evidence.groups))
    groups = tuple(_valued(key, part, number(part.estimate)) for part in named)
    return message("{metric}: {groups}", metric=lowered(describe(evidence.metric).label), groups=groups)


def _valued(key: Key, part: GroupValue, value: str) -> Message:
    name = labelled(key.columns, part.group)
    return message("{group} {value} (n={rows:,})", group=name, value=value, rows=part.support)
