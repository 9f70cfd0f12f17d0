"""The headline of a verdict: what a release manager is to do, in one sentence that every format shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.messages import joined, message, messages
from evenhand.policy.wording import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evenhand.findings import AuditRecord
    from evenhand.messages import Message
    from evenhand.policy.limits import Status
    from evenhand.policy.verdict import Judgement, Verdict
    from evenhand.provenance import StudyFacts

Standing: TypeAlias = Literal["passed", "failed", "undecided", "none"]
"""A status, or ``none`` where nothing was judged."""
SIGNS: Final[Mapping[Standing, str]] = {"passed": "●", "failed": "▲", "undecided": "□", "none": "○"}
"""The shape of each, for text without pictures."""
RELEASE: Final = message("Release: no limit stops it")
MEASURED: Final = message("Measured, not judged")
MOST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Headline:
    """What to do, and why, in one sentence.

    See Also
    --------
    evenhand.policy.headline.headline : Makes one.
    """

    status: Standing
    """The verdict's."""
    text: str
    """The sentence, without a full stop."""
    counts: str = ""
    """How the limits that can stop a release came out, where the sentence does not say it already."""
    aside: str = ""
    """The limits that did not pass and only warn, counted with their reasons; empty without any."""

    @property
    def told(self) -> str:
        """Counts and what only warns, as a sentence; empty without a verdict on limits."""
        if not self.counts:
            return ""
        return message("{counts}.", counts=joined("; ", filter(None, (self.counts, self.aside))))

    @property
    def sign(self) -> str:
        """The shape of the status."""
        return SIGNS[self.status]


def headline(verdict: Verdict | None, record: AuditRecord | None = None) -> Headline:
    """Return what a verdict comes to for the one who decides on the release.

    Parameters
    ----------
    verdict : Verdict, optional
        Without one nothing is judged, unless the record is a study that judged its models.
    record : AuditRecord, optional
        Of a study the models that were tried are told of.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.policy.headline import headline
    >>> record = eh.audit_predictions([1, 0] * 200, [1, 1] * 200)
    >>> headline(eh.judge(record, eh.load_policy({"limits": {"accuracy": {"at_least": 0.8}}}))).text
    'Do not release: 1 limit stops it'
    """
    if verdict is None:
        tried = None if record is None else record.provenance.get("study")
        return Headline("none", MEASURED) if not tried or tried.get("policy") is None else _of_study(tried)
    stopping = Counter(judgement.status for judgement in verdict.judgements if judgement.stops)
    passed = sum(judgement.status == "passed" for judgement in verdict.blocking)
    counts: str = messages("{n} limit passed", "{n} limits passed", passed)
    if stopping["failed"] and stopping["undecided"]:
        open_ = stopping["undecided"]
        counts = message("{failed} failed, {n} undecided; {held}", failed=stopping["failed"], n=open_, held=counts)
    return Headline(verdict.status, _sentence(verdict.status, stopping.total()), counts, _aside(verdict.judgements))


def _sentence(status: Status, n: int) -> Message:
    if status == "passed":
        return RELEASE
    if status == "failed":
        return messages("Do not release: {n} limit stops it", "Do not release: {n} limits stop it", n)
    return messages("Not shown yet: {n} limit is undecided", "Not shown yet: {n} limits are undecided", n)


def _aside(judgements: Iterable[Judgement]) -> str:
    """Return how many limits did not pass and only warn, with the reasons why they stop nothing."""
    found = Counter(judgement.excuse for judgement in judgements if judgement.excuse)
    if not found:
        return ""
    (why, n), *others = sorted(found.items())
    if others:
        why, n = joined(", ", (message("{n} {why}", n=n, why=why) for why, n in sorted(found.items()))), found.total()
    return messages(
        "{n} more did not pass and only warns ({why})", "{n} more did not pass and only warn ({why})", n, why=why
    )


def _of_study(tried: StudyFacts) -> Headline:
    models, smallest = len(tried["candidates"]), tried.get("smallest")
    undecided = sum(each["verdict"] == "undecided" for each in tried["candidates"])
    if smallest:
        told = message(
            "Release {name}: of {models} models the smallest that passes", name=cut(smallest, MOST_NAME), models=models
        )
        return Headline("passed", told)
    if not undecided:
        return Headline("failed", message("Do not release: of {models} models none passes", models=models))
    told = messages(
        "Not shown yet: no model passes, {n} of {models} is undecided",
        "Not shown yet: no model passes, {n} of {models} are undecided",
        undecided,
        models=models,
    )
    return Headline("undecided", told)
