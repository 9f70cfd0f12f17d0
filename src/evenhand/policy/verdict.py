"""Verdicts, the results of judging."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

from evenhand.messages import Message, continued, joined, lowered, message
from evenhand.outlines import outline, shown
from evenhand.policy.wording import limit_text, measured

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from evenhand.findings import Finding
    from evenhand.keys import Key
    from evenhand.policy.advice.advising import Advised
    from evenhand.policy.grounds import Burden, Evidence
    from evenhand.policy.limits import Limit, Policy, Status, Waiver

WORDS: dict[Status, Message] = {
    "passed": message("Passed"),
    "failed": message("Failed"),
    "undecided": message("Undecided"),
}
"""Each status as pages show it."""
ASIDE: Final[dict[Status, Message]] = {
    "failed": message("{n} failed ({why})"),
    "undecided": message("{n} undecided ({why})"),
}
"""How limits are counted that did not pass and stop nothing."""
EXIT_CODES: dict[Status, int] = {"passed": 0, "failed": 1, "undecided": 3}
"""The gate's exit code of each verdict; 2 is kept for what could not run."""


@dataclass(frozen=True, slots=True, repr=False)
class Judgement:
    """One limit, judged on one finding.

    See Also
    --------
    evenhand.judge : Makes judgements.
    """

    limit: Limit
    """The limit."""
    key: Key
    """The finding it was judged on; the limit's own key with ``=*`` replaced by a group."""
    status: Status
    """Passed when the whole interval is inside, failed when the whole interval is outside, else undecided."""
    finding: Finding | None
    """The finding, None when the record has none."""
    reason: str
    """Why, in one sentence."""
    stops: bool = False
    """Whether this judgement stops the release."""
    waiver: Waiver | None = None
    """The waiver that covers it."""
    before: Status | None = None
    """The status of the limit in the earlier audit; None without one, or where it did not apply there."""
    known: bool = False
    """Whether it does not stop because it was as bad in the earlier audit."""
    evidence: Evidence | None = None
    """The groups whose bounds decided it, or keep it open; None without a value, and for what names no rows."""
    burden: tuple[Burden, ...] = ()
    """How many more people of each group are harmed than at the reference, most of those shown to be harmed first."""
    severity: float = inf
    """How far the bound that decided is beyond the limit, in units of what it allows; infinite where none is known."""
    advice: Advised | None = field(default=None, compare=False, repr=False)
    """What would decide it; simulated when it is first asked for. Of the first undecided limits that stop only."""

    def __repr__(self) -> str:
        return outline("  ".join(self.cells), [[self.sentence]])

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Status, key, the value with its interval, and the limit."""
        status = self.status + (f" ({self.aside})" if self.aside else "")
        limit = limit_text(self.limit)
        told = limit if self.limit.required else f"limit {limit}"
        return status, str(self.key), measured(self.finding, self.limit), told

    @property
    def sentence(self) -> str:
        """Why, in one sentence, and what would decide it."""
        return self.reason if self.advice is None else continued(self.reason, self.advice.sentence)

    @property
    def needed_rows(self) -> int | None:
        """About how many more rows decide it with a chance of 80 %; None when it is decided or no number suffices."""
        return None if self.advice is None else self.advice.found.total

    @property
    def people(self) -> float:
        """How many people are shown to be harmed, at least."""
        return sum(part.low for part in self.burden if part.shown)

    @property
    def blocking(self) -> bool:
        """Whether the limit can stop a release."""
        return not self.limit.advisory

    @property
    def waived(self) -> bool:
        """Whether a waiver covers it."""
        return self.waiver is not None

    @property
    def aside(self) -> str:
        """Why it never stops, whatever its status, in a word; empty where it can."""
        if self.limit.advisory:
            return message("advisory")
        return message("waived") if self.waived else message("not new") if self.known else ""

    @property
    def badge(self) -> str:
        """The status in words, marked where it stops nothing."""
        status = lowered(WORDS[self.status])
        aside = self.aside or (message("only warns") if self.excuse else "")
        return message("{status}, {aside}", status=status, aside=aside) if aside else status

    @property
    def excuse(self) -> str:
        """Why it stops nothing though it did not pass, in a word; empty where it passed or stops."""
        return "" if self.stops or self.status == "passed" else self.aside or message("allowed by the policy")


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """All judgements of a policy, and their overall status.

    See Also
    --------
    evenhand.judge : Makes one.
    """

    status: Status
    """Failed when a blocking limit failed; else undecided when one is; else passed."""
    sentence: str
    """Why, in one sentence."""
    judgements: tuple[Judgement, ...]
    """Worst first."""
    policy_name: str
    """The policy's file name."""
    policy_sha256: str
    """The hash of the policy's file."""
    confidence: float
    """The confidence that the policy requires."""
    policy_path: str = "policy.toml"
    """The path of the policy, relative to the root of its repository."""
    remarks: tuple[str, ...] = ()
    """Further remarks: waivers that expired, are unused or no longer cover; small groups."""
    help_url: str = ""
    """The address of a page that explains the gate; empty where none is declared."""
    policy: Policy | None = field(default=None, compare=False, repr=False)
    """The policy itself; None where the verdict was not made by judging."""

    def __repr__(self) -> str:
        foot = ['Go on: verdict.to_frame(), eh.write_report("report.html", record, verdict).']
        return outline(str(self.sentence), [judgement.cells for judgement in self.judgements], foot)

    def _repr_html_(self) -> str | None:
        return shown(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas table, one row a judgement, worst first: status, key, estimate, low, high, limit ..."""
        import pandas as pd

        rows = [
            {
                "status": judgement.status,
                "key": str(judgement.key),
                "estimate": getattr(judgement.finding, "estimate", None),
                **{end: getattr(getattr(judgement.finding, "interval", None), end, None) for end in ("low", "high")},
                "at_least": judgement.limit.at_least,
                "at_most": judgement.limit.at_most,
                "stops": judgement.stops,
                "aside": str(judgement.aside),
                "severity": judgement.severity,
                "sentence": str(judgement.sentence),
            }
            for judgement in self.judgements
        ]
        numbers = ["estimate", "low", "high", "at_least", "at_most", "severity"]
        frame = pd.DataFrame(rows)
        return frame.astype(dict.fromkeys(numbers, "float64")) if rows else frame

    @property
    def exit_code(self) -> int:
        """0 passed, 1 failed, 3 undecided."""
        return EXIT_CODES[self.status]

    @property
    def tally(self) -> str:
        """The number of blocking limits by status."""
        return tally(self.status, self.judgements)

    @property
    def blocking(self) -> tuple[Judgement, ...]:
        """The judgements of blocking limits."""
        return tuple(judgement for judgement in self.judgements if judgement.blocking)


def tally(status: Status, judgements: Iterable[Judgement]) -> str:
    """Return the number of blocking limits by status, in one sentence.

    Those that did not pass and stop nothing are counted apart, each with the reason why it stops nothing.
    """
    found = [judgement for judgement in judgements if judgement.blocking]
    stopping = [judgement.status for judgement in found if judgement.stops]
    aside = Counter((judgement.status, judgement.excuse) for judgement in found if judgement.excuse)
    counts = {
        "limits": len(found),
        "passed": sum(judgement.status == "passed" for judgement in found),
        "failed": stopping.count("failed"),
        "undecided": stopping.count("undecided"),
    }
    if not aside:
        return message(
            "{status}: {passed} of {limits} blocking limits passed, {failed} failed, {undecided} undecided.",
            status=WORDS[status],
            **counts,
        )
    excused = joined(", ", tuple(message(ASIDE[one], n=n, why=why) for (one, why), n in sorted(aside.items())))
    if status == "passed":
        return message(
            "Passed with exceptions: {passed} of {limits} blocking limits passed; without stopping: {excused}.",
            excused=excused,
            **counts,
        )
    return message(
        "{status}: {passed} of {limits} blocking limits passed, {failed} failed, {undecided} undecided; without "
        "stopping: {excused}.",
        status=WORDS[status],
        excused=excused,
        **counts,
    )
