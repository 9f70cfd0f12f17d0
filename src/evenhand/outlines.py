"""Short plain texts of records, for a console: a few lines, aligned and cut; whole pages are drawn elsewhere."""

from __future__ import annotations

import math
from textwrap import wrap
from typing import TYPE_CHECKING, Final, Protocol

from evenhand.headlines import headlines
from evenhand.output.sanitising import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from evenhand.keys import Key
    from evenhand.provenance import Provenance

MOST_LINES: Final = 20
WIDEST: Final = 118
MOST_WRAPPED: Final = 3
LEAST: Final = 40
"""Letters of a cell that are shown at least."""
MOST_FIGURES: Final = 12
"""Findings that the outline of a record shows."""


class Ends(Protocol):
    """An interval, as far as it is shown."""

    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102


class Part(Protocol):
    """A group's part in a disparity, as far as it is shown."""

    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def estimate(self) -> float | None: ...  # noqa: D102


class Stated(Protocol):
    """A finding, as far as it is shown."""

    @property
    def key(self) -> Key: ...  # noqa: D102
    @property
    def estimate(self) -> float | None: ...  # noqa: D102
    @property
    def interval(self) -> Ends | None: ...  # noqa: D102
    @property
    def groups(self) -> Sequence[Part]: ...  # noqa: D102


_DRAWN_BY: Final[list[Callable[[object], str]]] = []


def show_by(drawing: Callable[[object], str]) -> None:
    """Let records and verdicts be shown in notebooks; the package's face tells by what."""
    _DRAWN_BY.append(drawing)


def shown(thing: object) -> str | None:
    """Return what a notebook shows of a record or a verdict, as HTML; None where nothing draws it."""
    return _DRAWN_BY[-1](thing) if _DRAWN_BY else None


def figure(value: float | None) -> str:
    """Return a number with three decimals, or as many as a small one needs; ``...`` for none.

    Examples
    --------
    >>> figure(0.81234), figure(0.00002), figure(12345.6), figure(None)
    ('0.812', '2e-05', '12,346', '...')
    """
    if value is None or not math.isfinite(value):
        return "..."
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.001 or not value else f"{value:.1g}"


def ends(interval: Ends | None) -> str:
    """Return an interval as text, empty for none."""
    return "" if interval is None else f"[{figure(interval.low)}, {figure(interval.high)}]"


def outline(head: str, rows: Iterable[Sequence[str]], foot: Sequence[str] = ()) -> str:
    """Return a heading, rows in aligned columns and lines below: `MOST_LINES` at most, of `WIDEST` characters."""
    found = [[plain(cell) for cell in row] for row in rows]
    first, last = _wrapped([head]), _wrapped(foot)
    room = MOST_LINES - len(first) - len(last)
    if len(found) > room:
        found = [*found[: room - 1], [f"... and {len(found) - room + 1:,} more"]]
    aligned = _narrowed([row for row in found if len(row) > 1])
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in aligned), strict=True)]
    cells = iter(aligned)
    lines = [
        f"  {'  '.join(cell.ljust(width) for cell, width in zip(next(cells), [*widths, 0], strict=True)).rstrip()}"
        if len(row) > 1
        else f"  {row[0]}"
        for row in found
    ]
    return "\n".join([*first, *map(_cut, lines), *last])


def row(finding: Stated) -> tuple[str, str, str, str]:
    """Return the cells of a finding: key, estimate, interval, and the groups that make a disparity."""
    apart = finding.groups if len(finding.groups) > 1 else ()
    groups = ", ".join(f"{part.group} {figure(part.estimate)}" for part in apart)
    return str(finding.key), figure(finding.estimate), ends(finding.interval), groups


def of_finding(finding: Stated, support: int, why: str) -> str:
    """Return a finding in a line or two: key, estimate, interval, rows, groups; then why it is undefined, or a note."""
    key, estimate, interval, groups = row(finding)
    rows = f"of {support:,} rows" if support else ""
    told = "  ".join(filter(None, (f"{key}: {estimate if finding.estimate is not None else 'undefined'}", interval)))
    return outline("  ".join(filter(None, (told, rows, groups))), [[why]] if why else [])


def of_record(findings: Sequence[Stated], provenance: Provenance, idle: Sequence[str]) -> str:
    """Return what was audited on which rows, the findings to read first, what did not run, and how to go on."""
    data, subject = provenance.get("data", {}), provenance.get("subject", {})
    label = f", label {data['label']}" if data.get("label") else ""
    positive = f" (positive: {data['positive']})" if label and data.get("positive") is not None else ""
    rows = f"{data['rows']:,} rows" if "rows" in data else "no rows on record"
    original = provenance.get("original")
    after = "" if not original else f", compared with {original.get('name', 'its original')}"
    head = f"Audit of {subject.get('name', 'a model')}{after} on {data.get('name', 'data')}: {rows}{label}{positive}"
    foot = [f"Not run: {', '.join(idle)}."] if idle else []
    first = list(headlines(findings))[:MOST_FIGURES]
    example = next((str(finding.key) for finding in reversed(first)), "accuracy")
    foot += [
        f"{len(findings):,} findings: record[{example!r}], record.to_frame().",
        'Go on: eh.judge(record, "policy.toml"), eh.write_report("report.html", record).',
    ]
    return outline(head, map(row, first), foot)


def _wrapped(texts: Iterable[str]) -> list[str]:
    """Return sentences as lines, `MOST_WRAPPED` of each at most."""
    return [line for text in texts for line in wrap(plain(text), WIDEST, max_lines=MOST_WRAPPED, placeholder=" …")]


def _narrowed(rows: list[list[str]]) -> list[list[str]]:
    """Return rows of aligned cells with the widest column cut in its middle, so far as lines would be too long else.

    The last column, of which a line shows what has room, is not cut; where it is the widest, none is.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    over = 2 * len(widths) + sum(widths) - WIDEST
    if over <= 0 or widths[-1] == max(widths):
        return rows
    at = widths.index(max(widths))
    kept = max(widths[at] - over, LEAST)
    return [[*cells[:at], _between(cells[at], kept), *cells[at + 1 :]] for cells in rows]


def _between(text: str, most: int) -> str:
    """Return both ends of a text that is too long: names of one kind differ at their ends."""
    return text if len(text) <= most else f"{text[: most - most // 2 - 1]}…{text[-(most // 2) :]}"


def _cut(line: str) -> str:
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"
