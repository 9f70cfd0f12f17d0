"""The worst cell of each metric of some topics, as the table in docs/design/intervals.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cells import MOSTLY, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE: Final = ROOT / "docs" / "design" / "intervals.md"
PLACE: Final = "coverage of probes"
TOPICS: Final = ("attacks", "epsilon", "corruption", "recalibration", "sets")


def written(figures: Mapping[str, Any]) -> None:
    """Write the table of those topics between its marks on the page."""
    lines = ["| of | cells | low end above | high end below | least coverage | marked as not covered |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for topic in TOPICS:
        by_metric: dict[str, list[dict[str, Any]]] = {}
        for name, cell in figures[topic]["cells"].items():
            by_metric.setdefault(name.split()[0].rstrip(","), []).append(cell)
        lines += [_line(metric, cells) for metric, cells in by_metric.items()]
    text = PAGE.read_text(encoding="utf-8")
    start, end = f"<!-- {PLACE} -->", f"<!-- end of {PLACE} -->"
    before, _, rest = text.partition(start)
    PAGE.write_text(f"{before}{start}\n\n" + "\n".join(lines) + f"\n\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def _line(metric: str, cells: list[dict[str, Any]]) -> str:
    counted = [cell for cell in cells if cell["marked"] < MOSTLY]
    marked = len(cells) - len(counted)
    if not counted:
        return f"| {metric} | {len(cells)} | | | | {marked} |"
    above, below = (max(cell[end] for cell in counted) for end in ("above", "below"))
    least = min(1 - cell["above"] - cell["below"] for cell in counted)
    return f"| {metric} | {len(cells)} | {above:.3f} | {below:.3f} | {least:.3f} | {marked} |"
