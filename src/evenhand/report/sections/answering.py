"""The answer of a section in one sentence: what its limits say, else what is farthest beyond chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, lowered, message, sentences
from evenhand.metrics import METRICS, describe, parse_disparity
from evenhand.metrics.catalogue.lists import stated
from evenhand.report.numbers import cut, with_interval
from evenhand.report.view import OPENING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evenhand.findings import AuditRecord, Finding, GroupCounts
    from evenhand.policy import Judgement
    from evenhand.policy.limits import Status
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import State

NULLS: Final = {"difference": 0.0, "ratio": 1.0}
"""What a comparison of equal groups is."""
COUNTED: Final[Mapping[Status, str]] = {
    "failed": message("{n} failed"), "undecided": message("{n} undecided"), "passed": message("{n} passed"),
}  # fmt: skip
"""Numbers of limits, worst first."""
STATING: Final = ("fairness", "classes", "labels", "numbers", "rankings", "transcripts")
"""The audits that state disparities between groups."""
NOTHING: Final = message("Nothing here is beyond what chance shows.")
WITHHELD: Final = message("Figures here are withheld; what is shown is not beyond chance.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a section found."""

    sentence: str
    """The result, in one sentence."""
    state: State = "plain"
    folded: bool = False
    """Whether the part stays folded whatever its state: it says what another part shows."""
    wanted: bool = False
    """Whether it is open whatever its state: the record was made for it."""

    @property
    def opens(self) -> bool:
        """Whether a reader has to see the section."""
        return self.wanted or (self.state in OPENING and not self.folded)


NO_PREFERENCE: Final = 0.5
"""The share of pairs of which a model without a preference finds one text likelier."""


def answered(judged: Judged, found: Sequence[Finding], otherwise: str = NOTHING) -> Answer:
    """Return the answer of findings: their worst limit, then the one farthest beyond chance, else `otherwise`."""
    limits = judged.of(found)
    passed = {judgement.key for judgement in limits if judgement.status == "passed"}
    far = farthest(finding for finding in found if finding.key not in passed)
    if otherwise is NOTHING and any(finding.withheld for finding in found):
        otherwise = WITHHELD
    said = beyond(far) if far is not None else otherwise
    state: State = "notable" if far is not None else "passed" if limits else "plain"
    if not limits:
        return Answer(said, state)
    worst = limits[0]
    state = state if worst.status == "passed" else worst.status
    return Answer(sentences(limit_words(limits), "" if said is NOTHING else said), state)


def limit_words(limits: Sequence[Judgement]) -> str:
    """State how many limits failed, are undecided and passed, and which is the worst; other places show the values."""
    statuses = [judgement.status for judgement in limits]
    counted = [message(COUNTED[status], n=n) for status in COUNTED if (n := statuses.count(status))]
    told = joined(", ", counted)
    if statuses[0] == "passed":
        return message("Limits here: {counts}.", counts=told)
    worst = describe(limits[0].key.metric).label
    return message("Limits here: {counts}; the worst is that on {metric}.", counts=told, metric=lowered(worst))


def gaps(record: AuditRecord, counts: GroupCounts, judged: Judged) -> list[Finding]:
    """Return the best-known gaps between the groups of a feature or crossing, and all that a limit is on."""
    columns, best = tuple(counts.columns), stated("headline")
    found = [f for f in record.findings if not f.key.qualifiers and f.audit in STATING and f.key.columns == columns]
    known = [f for f in found if not f.key.group and f.key.metric in best] or [f for f in found if not f.key.group]
    return list(dict.fromkeys((*known, *filter(judged.holds, found))))


def farthest(found: Iterable[Finding]) -> Finding | None:
    """Return the finding whose interval is farthest from no effect: a difference where one is, as it is said easily."""
    far = [(_is_difference(each), distance, each) for each in found if (distance := beyond_chance(each)) > 0]
    return max(far, key=lambda each: each[:2])[2] if far else None


def beyond_chance(finding: Finding) -> float:
    """Return how far the interval is from the value without an effect, in half its width; 0 where it holds it."""
    null, interval = _null(finding), finding.interval
    if null is None or interval is None or finding.estimate is None:
        return 0.0
    low = -math.inf if interval.low is None else interval.low
    high = math.inf if interval.high is None else interval.high
    gap = low - null if low > null else null - high if high < null else 0.0
    return gap / max(abs(finding.estimate - null) - gap, 1e-9) if gap > 0 else 0.0


def _null(finding: Finding) -> float | None:
    """Return what equal groups, or no change, would give; None where a value alone says nothing of that."""
    if split := parse_disparity(finding.key.metric):
        return NULLS.get(split[1])
    metric = describe(finding.key.metric)
    if metric.name == "stereotype_rate":
        return NO_PREFERENCE
    return 0.0 if metric.kind == "change" and metric.range[0] < 0 else None


def _is_difference(finding: Finding) -> bool:
    split = parse_disparity(finding.key.metric)
    return split is not None and split[0] in METRICS and split[1] == "difference" and finding.unit == "share"


def beyond(finding: Finding) -> str:
    """Return a finding beyond chance as a sentence."""
    split, interval = parse_disparity(finding.key.metric), finding.interval
    if split is not None and interval is not None and finding.key.columns and _is_difference(finding):
        low, high = (f"{100 * value:.0f}" if value is not None else "…" for value in (interval.low, interval.high))
        features = " × ".join(cut(column, 60) for column in finding.key.columns)
        words = message(
            "{metric} differs by {features} by {low} to {high} points",
            metric=describe(split[0]).label, features=features, low=low, high=high,
        )  # fmt: skip
        return _with_ends(words, finding)
    label = describe(finding.key.metric).label
    rest = cut(finding.name.removeprefix(finding.key.metric), 80)
    named = message("{metric} {key}", metric=label, key=rest) if rest else label
    return message("{finding} is {value}, beyond what chance shows.", finding=named, value=with_interval(finding))


def _with_ends(words: str, finding: Finding) -> str:
    """Return a sentence about a gap with the groups at its ends, or those that show it where these are others."""
    ends = finding.furthest
    if len(ends) < 2:
        return message("{sentence}.", sentence=words)
    least, most = (cut(part.group, 40) for part in (ends[0], ends[-1]))
    if not others_apart(finding):
        return message("{sentence}: least for {least}, most for {most}.", sentence=words, least=least, most=most)
    values = (f"{100 * part.estimate:.0f} %" if part.estimate is not None else "…" for part in (ends[0], ends[-1]))
    low, high = values
    return message(
        "{sentence}, as {least} ({low}) and {most} ({high}) show; other pairs are further apart as counted.",
        sentence=words, least=least, most=most, low=low, high=high,
    )  # fmt: skip


def others_apart(finding: Finding) -> bool:
    """Whether the estimate compares other groups than those that are shown to be furthest apart."""
    return len(finding.groups) > 1 and {part.group for part in finding.groups} != {
        part.group for part in finding.furthest
    }
