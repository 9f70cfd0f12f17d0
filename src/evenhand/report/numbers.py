"""Format numbers by unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from evenhand.messages import Message, joined, message
from evenhand.metrics import describe
from evenhand.policy.wording import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import Finding, Unit

THOUSAND: Final = 1000
"""From here on numbers have no decimals."""
ROUNDING: Final = 1e-12
"""A score below this is what the arithmetic of the machine left of 0."""
LEAST: Final = 1e-6
"""Numbers that are closer to 0 are said to be."""
CUT: Final = "{text:.{most}}…"
"""The id of a message that is cut."""


def show(value: float | None, unit: Unit = "share", digits: int = 2) -> str:
    """Return a value with its unit.

    Examples
    --------
    >>> show(0.3149), show(23512, "bytes"), show(0.000042, "seconds"), show(1234, "number"), show(5e-21, "number")
    ('0.31', '23.5 kB', '42.0 µs', '1,234', '< 0.000001')
    """
    if value is None:
        return message("undefined")
    if unit == "bytes":
        return _scaled(value, (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)))
    if unit == "seconds":
        return _scaled(value, (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)))
    if abs(value) >= THOUSAND or (unit == "number" and value == round(value)):
        return f"{value:,.0f}"
    if unit == "number":
        return _number(value)
    small = unit == "score" and ROUNDING < abs(value) < 10 ** -(digits + 1)
    return f"{value:.1e}" if small else f"{value:z.{digits}f}"


def _number(value: float) -> str:
    if 0 < abs(value) < 1e-4:
        if abs(value) < LEAST:
            return f"< {LEAST:f}" if value > 0 else f"> -{LEAST:f}"
        return f"{value:.{2 - math.floor(math.log10(abs(value)))}f}"
    return f"{value:#.3g}".rstrip(".")


def _scaled(value: float, units: tuple[tuple[str, float], ...]) -> str:
    name, size = next(((name, size) for name, size in units if abs(value) >= size), units[-1])
    return f"{value / size:.1f} {name}" if size != 1.0 or name == "s" else f"{value:.0f} {name}"


def with_interval(finding: Finding | None, digits: int = 2) -> str:
    """Return ``0.62 [0.45, 0.77]``; "undefined" where there is no value, a dash where there is no finding."""
    if finding is None:
        return "–"
    if finding.estimate is None:
        return finding.absence
    if finding.interval is None:
        return show(finding.estimate, finding.unit, digits)
    low, high = ends_of(finding)
    if finding.unit == "score":
        known = [abs(value) for value in (finding.estimate, low, high) if value is not None and math.isfinite(value)]
        digits = _alike(max(known), digits)
    estimate, *ends = (end(value, finding, digits) for value in (finding.estimate, low, high))
    if low is not None and high is not None and math.isclose(low, high, rel_tol=1e-9, abs_tol=ROUNDING):
        return estimate
    return f"{estimate} [{', '.join(ends)}]"


def ends_of(finding: Finding) -> tuple[float | None, float | None]:
    """Return the ends of a finding's interval, of a score no farther than its metric can be; None is unbounded."""
    if finding.interval is None:
        return finding.estimate, finding.estimate
    low, high = finding.interval.low, finding.interval.high
    if finding.unit != "score" or finding.estimate is None:
        return low, high
    least, most = describe(finding.key.metric).range
    if not least <= finding.estimate <= most:
        return low, high
    return (None if low is None else max(low, least)), (None if high is None else min(high, most))


def _alike(largest: float, digits: int) -> int:
    """Return how many digits show the largest of an estimate and its ends, so that all are shown with as many."""
    if largest <= ROUNDING or largest >= 10.0**-digits:
        return digits
    return 1 - math.floor(math.log10(largest))


def in_percent(finding: Finding) -> str:
    """Return a share and its interval in percent, ``1.6 % [0.3, 2.9]``."""
    if finding.estimate is None:
        return finding.absence
    share = f"{100 * finding.estimate:.1f} %"
    if finding.interval is None:
        return share
    ends = ("…" if bound is None else f"{100 * bound:.1f}" for bound in (finding.interval.low, finding.interval.high))
    return f"{share} [{', '.join(ends)}]"


def end(value: float | None, finding: Finding, digits: int = 2) -> str:
    """Return one end of an interval; an unbounded one as dots."""
    if value is None or math.isinf(value):
        return "…"
    return show(value, "share" if finding.unit == "score" else finding.unit, digits)


def told(group: str, estimate: float | None, rows: int, unit: Unit = "share") -> str:
    """Return a group with its value and rows."""
    return message("{group} {value} (n={rows:,})", group=cut(group, 80), value=show(estimate, unit), rows=rows)


def ranged(estimate: float | None, low: float | None, high: float | None, bound: float | None = None) -> str:
    """Return ``0.620 [0.450, …]`` with three decimals, more where fewer would put it on the other side of `bound`.

    Examples
    --------
    >>> ranged(0.62, 0.45, None), ranged(0.7999, 0.7999, 0.7999, 0.8)
    ('0.620 [0.450, …]', '0.7999')
    """
    if estimate is None:
        return message("undefined")
    if low == high == estimate:
        return number(estimate, bound, 3)
    ends = ("…" if end is None or math.isinf(end) else number(end, bound, 3) for end in (low, high))
    return f"{number(estimate, bound, 3)} [{', '.join(ends)}]"


def p_value(finding: Finding | None) -> str:
    """Return a p-value, a dash where there is none."""
    value = None if finding is None else finding.estimate
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def named(names: Sequence[str], most: int) -> str:
    """Return a list of at most `most` names, and how many more there are."""
    shown, more = joined(", ", names[:most]), len(names) - most
    return message("{names} and {more} more", names=shown, more=more) if more > 0 else shown


def words_of(text: str) -> int:
    """Return how many words a text has, as they are between blanks."""
    return len(text.split())


def cut(text: str, most: int) -> str:
    """Return at most `most` characters, with a mark where cut; a message is cut separately in each language."""
    if len(text) <= most:
        return text
    return Message(CUT, {"text": text, "most": most - 1}) if isinstance(text, Message) else f"{text[: most - 1]}…"
