"""What the server holds: one or two records, derived once, and what was judged or moved of them. No rows, no files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from evenhand.errors import PolicyError, raise_all
from evenhand.messages import joined, message
from evenhand.policy import default_policy
from evenhand.policy.baseline import Baseline, refuse_other_subject
from evenhand.policy.deriving import Derived, derive
from evenhand.policy.extending import PREFIX
from evenhand.policy.judging import judge_derived
from evenhand.policy.reading import read_policy
from evenhand.policy.thresholds import sweep_derived
from evenhand.report.numbers import cut
from evenhand.serving.viewing.moving import at_thresholds, edges, nearest_edge
from evenhand.words import language

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Policy, Verdict
    from evenhand.policy.thresholds import Sweep
    from evenhand.serving.viewing.asking import Asked

KEPT = 16
"""Thresholds, and verdicts, of which the counts are kept."""


class Session:
    """The records that the pages are about.

    Parameters
    ----------
    record : AuditRecord
        The record to explore.
    earlier : AuditRecord, optional
        An earlier one, to compare with.
    policy : str
        The text of the policy to begin with; empty for none.
    name : str
        What its problems call it.
    folder : path, optional
        Where the rule packs in files that this policy extends are; those alone may an edited policy extend.
    lang : str
        The language of the pages.

    Raises
    ------
    RecordError
        When a record contradicts itself.
    PolicyError
        When the two audits measured different things.
    """

    def __init__(
        self,
        record: AuditRecord,
        earlier: AuditRecord | None = None,
        *,
        policy: str = "",
        name: str = "policy.toml",
        folder: Path | None = None,
        lang: str = "en",
    ) -> None:
        if earlier is not None:
            refuse_other_subject(record, earlier)
        self.proven = derive(record)
        self.earlier = None if earlier is None else derive(earlier).record
        self.policy, self.words = policy, language(lang)
        self._name, self._folder = name, folder
        self._packs = frozenset(_extended(policy)) if folder is not None else frozenset()
        self.moved = lru_cache(KEPT)(self._moved)
        self.verdict = lru_cache(KEPT)(self._verdict)
        self.read = lru_cache(KEPT)(self._read)
        self.swept = lru_cache(KEPT)(self._swept)
        self._of_earlier = lru_cache(KEPT)(self._judged_earlier)

    @property
    def record(self) -> AuditRecord:
        """The record, with every finding that counts can say derived from them."""
        return self.proven.record

    def at(self, asked: Asked) -> AuditRecord:
        """Return the record at the thresholds that are asked for."""
        places = self.places(asked)
        return self.record if places is None else self.moved(*places)

    def places(self, asked: Asked) -> tuple[float | None, str, tuple[tuple[str, float], ...]] | None:
        """Return the thresholds, None for those of the audit: it holds more than counts by score can say."""
        in_use = self.record.provenance.get("subject", {}).get("threshold")
        if not asked.each and (asked.threshold is None or asked.threshold == in_use):
            return None
        return asked.threshold, asked.split, asked.each

    def decided_at(self, asked: Asked) -> str:
        """Return at which thresholds the pages decide, in words; empty where they are those of the audit."""
        if self.places(asked) is None or not self.thresholds:
            return ""
        known = self.thresholds
        in_use = self.record.provenance.get("subject", {}).get("threshold")
        own = tuple(
            message("{group} at {threshold:.4g}", group=cut(group, 60), threshold=known[nearest_edge(known, value)])
            for group, value in asked.each
        )
        everybody = in_use if asked.threshold is None else asked.threshold
        if everybody is not None:
            place = known[nearest_edge(known, everybody)]
            if not own:
                return message("Decided at the threshold {threshold:.4g}, not at that of the audit.", threshold=place)
            own = (*own, message("all others at {threshold:.4g}", threshold=place))
        return message("Decided at a threshold for each group: {groups}.", groups=joined("; ", own))

    def text(self, asked: Asked) -> str:
        """Return the text of the policy that judges; empty for none."""
        return self.policy if asked.policy is None else asked.policy

    def draft(self, asked: Asked) -> str:
        """Return the text to edit: that of the policy, or a usual one for these features."""
        data = self.record.provenance.get("data", {})
        label, positive = (str(data.get(name) or "") for name in ("label", "positive"))
        return self.text(asked) or default_policy(data.get("sensitive_features", []), label=label, positive=positive)

    def judged(self, asked: Asked) -> Verdict | None:
        """Return the verdict at the thresholds that are asked for; None without a policy.

        Raises
        ------
        PolicyError
            All problems of the policy together.
        """
        text = self.text(asked)
        return self.verdict(text, self.places(asked)) if text.strip() else None

    def judged_earlier(self, asked: Asked) -> Verdict | None:
        """Return the verdict of the earlier record; None without one or without a policy."""
        text = self.text(asked)
        return self._of_earlier(text) if text.strip() and self.earlier is not None else None

    def _judged_earlier(self, text: str) -> Verdict:
        assert self.earlier is not None  # asked for by the caller
        return judge_derived(Derived(self.earlier), self.read(text))

    def _moved(self, threshold: float | None, split: str, each: tuple[tuple[str, float], ...]) -> AuditRecord:
        return at_thresholds(self.record, threshold, split, dict(each))

    def _verdict(self, text: str, places: tuple[float | None, str, tuple[tuple[str, float], ...]] | None) -> Verdict:
        proven = self.proven if places is None else Derived(self.moved(*places))
        # limits on a drop need the earlier audit, and its decisions were made at a threshold that is not this one
        earlier = None if self.earlier is None else Baseline(self.earlier, None, new_threshold=places is not None)
        return judge_derived(proven, self.read(text), earlier)

    def _swept(self, text: str) -> Sweep:
        return sweep_derived(self.record, self.read(text))

    def _read(self, text: str) -> Policy:
        foreign = {name for name in _extended(text) if not name.startswith(PREFIX)} - self._packs
        raise_all(
            PolicyError,
            (
                f"{self._name}: the rule pack '{name}' is a file that the policy of the command line does not extend, "
                f"so it is not read here."
                for name in sorted(foreign)
            ),
        )
        return read_policy(text, self._name, self._folder)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The thresholds at which the record has counts."""
        return edges(self.record)


def _extended(text: str) -> list[str]:
    """Return the rule packs that a text names; none where it cannot be read, which is told when it is."""
    from evenhand.documents import parse_toml
    from evenhand.errors import EvenhandError

    try:
        named = parse_toml(text, "policy").get("extends", [])
    except EvenhandError:
        return []
    return [str(name) for name in named] if isinstance(named, list) else []
