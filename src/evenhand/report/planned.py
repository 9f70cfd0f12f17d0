"""The page of a plan: the chance to decide each limit, by rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.output.sanitising import plain_html
from evenhand.report.drawings import Table
from evenhand.report.figures.lines import line_figure
from evenhand.report.formats.html import environment, style_hash
from evenhand.report.theme import USUAL, style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.policy.advice.planning import LimitPlan, Plan
    from evenhand.report.drawings import Lines

BEYOND: Final = 2.5
"""The axis ends at so many times the rows that are needed."""
MOST_FIGURES: Final = 20


def plan_page(plan: Plan, lines: Sequence[str]) -> str:
    """Return a plan as one HTML page: what is said of it, and a figure for each limit.

    Parameters
    ----------
    plan : Plan
    lines : sequence of str
        The plan in words.
    """
    css = style(USUAL)
    template = environment(None).get_template("plan.html.j2")
    return plain_html(
        template.render(
            title=message("Rows for {policy}", policy=plan.policy), lines=lines, blocks=list(_figures(plan)),
            style=css, style_hash=style_hash(css), _=message,
        )
    )  # fmt: skip


def _figures(plan: Plan) -> Iterator[Lines]:
    drawn = [one for one in plan.limits if len(one.curve) > 1]
    for number, one in enumerate(drawn[:MOST_FIGURES]):
        yield _figure(f"limit-{number}", one)


def _figure(name: str, one: LimitPlan) -> Lines:
    last = max((one.total or one.curve[-1][0]) * BEYOND, one.curve[1][0])
    kept = [point for point in one.curve if point[0] <= last]
    title = message("Chance to decide {limit}, by rows", limit=str(one.limit))
    head = (message("Rows"), message("Chance"))
    rows = tuple((f"{total:,}", f"{chance:.2f}") for total, chance in kept)
    label = message("{rows:,} rows: 80 %", rows=one.total) if one.total else message("chance")
    return line_figure(
        name, title, message("The chance that so many rows pass or fail the limit."), [total for total, _ in kept],
        [(label, [chance for _, chance in kept])], Table(f"{name}-table", title, head, rows, frozenset({0, 1})),
        axes=head, marker=one.total, marked=message("80 %"),
    )  # fmt: skip
