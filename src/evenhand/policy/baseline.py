"""Compare judgements with those of an earlier audit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from evenhand.errors import PolicyError, raise_all, shorten
from evenhand.messages import lowered, message
from evenhand.policy.regression_limits import drop, paired_drop
from evenhand.policy.verdict import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key
    from evenhand.policy.limits import Status
    from evenhand.policy.verdict import Judgement

RANK: Final[dict[Status, int]] = {"failed": 0, "undecided": 1, "passed": 2}


BECAME: Final = {
    ("passed", "failed"): message("new"),
    ("passed", "undecided"): message("new"),
    (None, "failed"): message("new"),
    (None, "undecided"): message("new"),
    ("undecided", "failed"): message("worse"),
    ("failed", "undecided"): message("better"),
    ("failed", "passed"): message("fixed"),
    ("undecided", "passed"): message("fixed"),
}
"""The change of a limit, by its status before and now."""


def became(before: Status | None, now: Status) -> str:
    """Return how a limit changed: new, worse, better, fixed or unchanged.

    Examples
    --------
    >>> became("passed", "failed"), became("undecided", "undecided"), became(None, "passed")
    ('new', 'unchanged', 'unchanged')
    """
    return BECAME.get((before, now), message("unchanged"))


class Pairs(Protocol):
    """Rows that two audits share; `evenhand.evidence.pairing.PairedPredictions` is one."""

    def change(self, key: Key, level: float) -> Finding | None:
        """Return how a metric changed over the shared rows, new minus old; None where it cannot be paired."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The earlier audit."""

    record: AuditRecord
    """What it found."""
    pairs: Pairs | None = None
    """The rows that both audits share, where both kept their predictions."""
    new_threshold: bool = False
    """Whether the threshold was changed on purpose, so that decisions at both are compared."""

    def apart(self, key: Key, record: AuditRecord) -> str:
        """Return why a metric of a record cannot be compared with the earlier one's; empty where it can."""
        return self.other_groups(key, record) or ("" if self.new_threshold else self._other_threshold(key, record))

    def other_groups(self, key: Key, record: AuditRecord) -> str:
        """Return how the groups that a metric is taken over differ; empty where they are the same."""
        now, then = _groups(key, record), _groups(key, self.record)
        if now is None or now == then:
            return ""
        columns = ", ".join(key.columns)
        if then is None:
            return message("The earlier audit has no groups of {columns}.", columns=columns)
        added, gone = sorted(now - then), sorted(then - now)
        return message(
            "The groups of {columns} are others than in the earlier audit: new {added}; gone {gone}.",
            columns=columns, added=shorten(", ".join(added) or "-"), gone=shorten(", ".join(gone) or "-"),
        )  # fmt: skip

    def _other_threshold(self, key: Key, record: AuditRecord) -> str:
        now, then = _threshold(record), _threshold(self.record)
        if now is None or then is None or now == then:
            return ""
        from evenhand.metrics.answers import is_counted

        if not is_counted(key.metric):
            return ""
        return message(
            "The earlier audit decided at the threshold {then}, this one at {now}. If it was changed on purpose, add "
            "--new-threshold.", then=f"{then:g}", now=f"{now:g}",
        )  # fmt: skip

    def drop(
        self, key: Key, now: Finding | None, before: Finding | None, level: float, *, always_valid: bool = False
    ) -> Finding | None:
        """Return how much worse a finding became: paired where rows are shared, else of independent audits.

        With intervals that hold at all times the audits are taken as independent.
        """
        paired = self.pairs is not None and now is not None and not always_valid
        change = self.pairs.change(key, level) if paired and self.pairs is not None else None
        return drop(now, before) if change is None else paired_drop(now, change)


def _groups(key: Key, record: AuditRecord) -> frozenset[str] | None:
    """Return the groups that a metric is taken over; None for one of a single group, of all rows, or without counts."""
    if not key.features or key.group:
        return None
    columns = tuple(sorted(key.columns))
    found = [part for part in record.tallies if part.model == "subject" and tuple(sorted(part.columns)) == columns]
    return frozenset(", ".join(map(str, group)) for part in found for group in part.groups) if found else None


def _threshold(record: AuditRecord) -> float | None:
    """Return the threshold that a record's decisions were made at; None where they were given, and nothing says it."""
    subject = record.provenance.get("subject", {})
    given = subject.get("score_kind") == "label"
    return record.provenance.get("data", {}).get("counted_at") if given else subject.get("threshold")


MUST_AGREE: Final = {
    "task": "what the label is",
    "label": "the column of the label",
    "classes": "the classes",
    "positive": "the positive value of the label",
    "favourable": "the favourable value of the label",
}
"""What two audits must have in common to be compared, as in the provenance of their data."""


def refuse_other_subject(record: AuditRecord, earlier: AuditRecord) -> None:
    """Refuse to compare two audits that measured different things under the same names.

    Raises
    ------
    PolicyError
        All differences together.
    """
    now, then = record.provenance.get("data", {}), earlier.provenance.get("data", {})
    raise_all(
        PolicyError,
        (
            f"The two audits cannot be compared: {what} is {shorten(then[name])} in the earlier one and "  # type: ignore[literal-required]
            f"{shorten(now[name])} in this one. Audit both alike."  # type: ignore[literal-required]
            for name, what in MUST_AGREE.items()
            if name in now
            and name in then
            and _plain(now[name]) != _plain(then[name])  # type: ignore[literal-required]
            and None not in (now[name], then[name])  # type: ignore[literal-required]
        ),
    )


def _plain(value: object) -> object:
    """Return a value so that true, 1 and 1.0 are the same."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return float(value) if isinstance(value, (bool, int, float)) else str(value)


def with_baseline(found: Iterable[Judgement], before: Iterable[Judgement], new_only: bool) -> list[Judgement]:
    """Return judgements with the change of each since the earlier audit.

    Parameters
    ----------
    found, before : judgements
        Judgements by the same policy, of the record and of the earlier one.
    new_only : bool
        Whether limits that were as bad before do not stop.
    """
    were = {(str(judgement.limit), str(judgement.key)): judgement.status for judgement in before}
    return [_compared(judgement, were.get((str(judgement.limit), str(judgement.key))), new_only) for judgement in found]


def _compared(judgement: Judgement, was: Status | None, new_only: bool) -> Judgement:
    told = replace(judgement, before=was)
    if not new_only or not judgement.stops or was is None or RANK[was] > RANK[judgement.status]:
        return told
    sentence = message(
        "not new, already {status} in the baseline; {sentence}", status=lowered(WORDS[was]), sentence=judgement.reason
    )
    return replace(told, stops=False, known=True, reason=sentence)
