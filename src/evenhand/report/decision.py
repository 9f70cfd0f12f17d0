"""Build the first layer of a page: the headline, what stops the release, what to do, and the limits on one scale."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Final

from evenhand.headlines import alarms
from evenhand.keys import Key, KeySyntaxError, group_name
from evenhand.messages import Message, capitalized, joined, message, message_from_plain, messages, sentences
from evenhand.policy.headline import headline
from evenhand.policy.limits import REQUIRED
from evenhand.policy.naming import named
from evenhand.policy.telling import ROWS_ALONE, estimate_sentence, labelled, worse_off
from evenhand.policy.wording import limit_text, measured, number
from evenhand.report.acts import acts_of, is_open, listed
from evenhand.report.figures.distances import distances
from evenhand.report.first import Caution, Decision, Reason, Stopping
from evenhand.report.mitigated import mitigation_of, short_answer
from evenhand.report.numbers import cut, words_of
from evenhand.report.why import ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evenhand.findings import AuditRecord
    from evenhand.messages import Place
    from evenhand.policy import Judgement, Verdict
    from evenhand.policy.grounds import Evidence
    from evenhand.provenance import CandidateFacts

MOST: Final = 5
"""Reasons that are told; further limits are counted."""
MOST_WORDS: Final = 325
"""Words of the facts that a person reads before deciding, headings apart; the figure takes what is left of them."""
UNSEEN: Final = frozenset({"name", "anchor", "code", "status"})
"""Fields that are not text of the open page."""
MOST_KEY: Final = 160
MOST_TOLD: Final = 300
MOST_WHY: Final = 400


def decision(record: AuditRecord, verdict: Verdict | None) -> Decision:
    """Return what a person must decide."""
    found, cautions = headline(verdict, record), tuple(_cautions(record))
    if verdict is None:
        return Decision(found, tuple(_closest(record)), acts=acts_of(record, None), cautions=cautions)
    causes = _causes(verdict.judgements)
    told = causes[:MOST]
    left = sum(len(cause.judged) for cause in causes[MOST:])
    more = messages("{n} more limit stops it.", "{n} more limits stop it.", left) if left else ""
    reasons, acts = tuple(cause.reason(record) for cause in told), acts_of(record, verdict)
    figure = distances(verdict.judgements, MOST_WORDS - _words(found, reasons, acts, cautions))
    return Decision(found, reasons, more, acts, cautions, figure)


def _words(*parts: object) -> int:
    """Return how many words parts of the page are, apart from what is folded."""
    count = 0
    for part in parts:
        if isinstance(part, str):
            count += words_of(part)
        elif isinstance(part, tuple):
            count += _words(*part)
        elif is_dataclass(part):
            count += _words(*(getattr(part, field.name) for field in fields(part) if field.name not in UNSEEN))
    return count


@dataclass(slots=True)
class _Cause:
    """The limits that rest on the same groups by the same rate, worst first."""

    what: object
    who: frozenset[str]
    judged: list[tuple[int, Judgement]] = field(default_factory=list)

    def covers(self, other: _Cause) -> bool:
        """Whether what it tells of is all that the other would tell of."""
        return self.what == other.what and other.who <= self.who

    def reason(self, record: AuditRecord) -> Reason:
        first = self.judged[0][1]
        return Reason(
            tuple(_stopping(judgement, at) for at, judgement in self.judged), _people(first, record), _harm(first)
        )


def _causes(judgements: Iterable[Judgement]) -> list[_Cause]:
    """Return what stops the release, worst first; a limit on groups that were told of joins the first on them."""
    causes: list[_Cause] = []
    for at, judgement in enumerate(judgements):
        if judgement.stops:
            new = _cause(judgement)
            cause = next((known for known in causes if known.covers(new)), new)
            cause.judged.append((at, judgement))
            if cause is new:
                causes.append(cause)
    return causes


def _cause(judgement: Judgement) -> _Cause:
    evidence = judgement.evidence
    if evidence is None:
        return _Cause(str(judgement.reason), frozenset())
    others = () if evidence.reference is None else (evidence.reference,)
    given = tuple(pair for pair in evidence.key.qualifiers if pair[0] in ("given", "class", "threshold"))
    return _Cause(
        (evidence.metric, evidence.key.columns, given), frozenset(part.group for part in (*evidence.groups, *others))
    )


def _stopping(judgement: Judgement, at: int) -> Stopping:
    return Stopping(
        named(judgement.key), cut(str(judgement.key), MOST_KEY), judgement.status, judgement.badge,
        _measured(judgement), f"limit-{at}",
    )  # fmt: skip


def _measured(judgement: Judgement) -> str:
    """Return the estimate, its interval and the limit; without the estimate where the sentence on people tells it."""
    limit, finding = judgement.limit, judgement.finding
    if limit.key.metric == REQUIRED or limit.required:
        return message("The policy requires it.")
    bound = signs(limit_text(limit))
    if finding is None or finding.estimate is None or finding.interval is None or not _is_told(judgement):
        return message("{value}, limit {limit}", value=signs(measured(finding, limit)), limit=bound)
    low, high = (signs(number(end, limit.bound)) for end in (finding.interval.low, finding.interval.high))
    return message("between {low} and {high}, limit {limit}", low=low, high=high, limit=bound)


def _is_told(judgement: Judgement) -> bool:
    """Whether the sentence about people says the estimate: it is the value of one group."""
    evidence = judgement.evidence
    if evidence is None or len(evidence.groups) != 1 or evidence.reference is not None:
        return False
    return not (isinstance(evidence.sentence, Message) and evidence.sentence.id == ROWS_ALONE)


def _people(judgement: Judgement, record: AuditRecord) -> str:
    """Return the groups that decided, and those of the estimate where they are others; without any, why it is open."""
    said = judgement.reason if judgement.evidence is None else judgement.evidence.sentence
    said = cut(said, MOST_TOLD)
    said = ended(capitalized(said) if isinstance(said, Message) else said)
    return sentences(_bounded_by(judgement, record) or said, estimate_sentence(judgement))


def _bounded_by(judgement: Judgement, record: AuditRecord) -> str:
    """Return the groups whose few rows leave an interval without an end; empty where it has both."""
    if not is_open(judgement) or judgement.evidence is None:
        return ""
    few = _open_groups(judgement.evidence, record)
    if not few:
        least = min(judgement.evidence.groups, key=lambda part: part.support)
        few = [(labelled(judgement.key.columns, least.group) if least.group else message("all rows"), least.support)]
    if len(few) == 1:
        return messages(
            "The interval has no end: of {group} there is {n:,} row.",
            "The interval has no end: of {group} there are {n:,} rows.",
            few[0][1],
            group=few[0][0],
        )
    groups = [message("{group} ({rows})", group=name, rows=rows) for name, rows in few]
    return message("The interval has no end: there are too few rows of {groups}.", groups=listed(groups, ", "))


def _open_groups(evidence: Evidence, record: AuditRecord) -> list[tuple[str, int]]:
    """Return the groups whose own interval has an open end, each with its rows, the fewest first."""
    wanted = evidence.metric, evidence.key.columns, evidence.key.qualifiers
    alone = (f for f in record.findings if (f.key.metric, f.key.columns, f.key.qualifiers) == wanted and f.key.group)
    found = [
        (labelled(finding.key.columns, group_name(finding.key.group)), finding.support)
        for finding in alone
        if finding.interval is not None and None in (finding.interval.low, finding.interval.high)
    ]
    return sorted(found, key=lambda part: part[1])


def _harm(judgement: Judgement) -> str:
    """Return how many people are shown to be harmed, whether or not that settles the limit; of the group with most."""
    return next((worse_off(part) for part in judgement.burden if part.shown), "")


def _cautions(record: AuditRecord) -> Iterator[Caution]:
    tried = mitigation_of(record)
    if tried is not None:
        yield Caution(short_answer(tried), "mitigation")
    seen = record.provenance.get("rows_seen_in_training")
    if seen:
        words = message(
            "{rows:,} of the evaluation rows have an equal row among those the model was fitted on. Where they are "
            "the same cases, every figure here flatters the model.",
            rows=seen,
        )
        yield Caution(words, "data")
    yield from (Caution(said, "data_quality") for said in alarms(record.findings))


def _closest(record: AuditRecord) -> Iterator[Reason]:
    """Yield, of a study in which no model passes, the models that came closest, and what stops them."""
    tried = record.provenance.get("study")
    if not tried or tried.get("smallest"):
        return
    judged = [each for each in tried["candidates"] if each["verdict"] in ("failed", "undecided")]
    if judged:
        nearest = min(map(_distance, judged))
        closest = [each for each in judged if _distance(each) == nearest]
        alike = [each for each in closest if each["sentence"] == closest[0]["sentence"]]
        n, names = len(closest), joined(", ", (cut(each["name"], 60) for each in alike[:MOST]))
        told = _verdict_of(closest[0])
        why, english = cut(signed(told), MOST_WHY), not isinstance(told, Message)
        first = message("Closest to passing: {names}.", names=names)
        if len(alike) < len(closest):
            first = message("{n} models come equally close, by limits passed; for example {names}.", n=n, names=names)
        yield Reason((), first, why, english)


def _distance(candidate: CandidateFacts) -> tuple[bool, int]:
    """Return how far a model is from passing: failed, then the fewer limits passed; 0 where the record has no count."""
    passed = next(_places("passed", _verdict_of(candidate)), 0)
    return candidate["verdict"] == "failed", -passed if isinstance(passed, int) else 0


def _places(name: str, said: Place) -> Iterator[Place]:
    """Yield what messages within a message have at a place."""
    for place, value in said.places.items() if isinstance(said, Message) else ():
        if place == name:
            yield value
        yield from _places(name, value)


def judged_on(record: AuditRecord) -> set[str]:
    """Return the metrics that the verdicts on the models of a study name."""
    tried = record.provenance.get("study", {}).get("candidates", [])
    keys = {str(key) for each in tried for key in _places("key", _verdict_of(each))}
    return {found.metric for key in keys if (found := _key(key)) is not None}


def _key(text: str) -> Key | None:
    try:
        return Key.parse(text)
    except KeySyntaxError:  # a record may come from anybody
        return None


def _verdict_of(candidate: CandidateFacts) -> Place:
    """Return the verdict on a model of a study as a message; as English where the record has none that can be read."""
    plain, english = candidate.get("told"), signs(str(candidate["sentence"] or ""))
    try:
        return english if plain is None else message_from_plain(plain)
    except (ValueError, KeyError):  # a record may come from anybody
        return english


def signed(text: Place) -> str:
    """Return a sentence with typographic signs in its limits, and with keys in words."""
    if not isinstance(text, Message):
        return str(text)
    return Message(text.id, {name: _signed(name, value) for name, value in text.places.items()}, text.plural)


def _signed(name: str, value: Place) -> Place:
    if isinstance(value, Message):
        return signed(value)
    if name == "key" and (key := _key(str(value))) is not None:
        return named(key)
    return signs(str(value)) if name == "limit" else value


def signs(text: str) -> str:
    """Return a value or a limit with typographic signs, for a page that is not ASCII."""
    return text if isinstance(text, Message) else text.replace("<= ", "≤ ").replace(">= ", "≥ ").replace("...", "…")
