"""Compare judgements with those of an earlier audit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from evenhand.messages import lowered, message
from evenhand.policy.regression_limits import drop, paired_drop
from evenhand.policy.verdict import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key
    from evenhand.policy.verdict import Judgement, Status

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

    def drop(self, key: Key, now: Finding | None, before: Finding | None, level: float) -> Finding | None:
        """Return how much worse a finding became: paired where rows are shared, else of independent audits."""
        change = None if self.pairs is None or now is None else self.pairs.change(key, level)
        return drop(now, before) if change is None else paired_drop(now, change)


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
        "not new, already {status} in the baseline; {sentence}", status=lowered(WORDS[was]), sentence=judgement.sentence
    )
    return replace(told, stops=False, known=True, sentence=sentence)
