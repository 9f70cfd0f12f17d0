"""Tree figures: narrower nodes are below and to the right of wider ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.report.drawings import LETTER, Node, Spot, Tree, width_of
from evenhand.report.figures.findings import described
from evenhand.report.figures.scales import NUMBERS, fitting
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from evenhand.report.drawings import Mark, Table

ROW, TOP, INDENT = 26, 10, 26
LABEL: Final = 60
MOST_NODES: Final = 30
"""The most nodes drawn; the others are in the table."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A node to draw: its name, numbers and shape, with its children."""

    label: str
    text: str
    mark: Mark = "plain"
    below: tuple[Branch, ...] = ()


def tree_figure(name: str, title: str, root: Branch, table: Table) -> Tree:
    """Return the figure of a tree of at most `MOST_NODES` nodes, with its table twin."""
    placed = _placed(root)[:MOST_NODES]
    said = [(cut(branch.label, LABEL), branch.label, branch.text) for branch, _, _ in placed]
    placed = placed[: fitting(said, 260)]
    ends = (INDENT * depth + 22 + LETTER * width_of(cut(branch.label, LABEL)) for branch, depth, _ in placed)
    right = round(max(ends)) + 14
    links = "".join(
        f"M{_x(depth - 1):g} {_y(parent) + 7:g}V{_y(at):g}H{_x(depth) - 7:g}"
        for at, (_, depth, parent) in enumerate(placed)
        if depth
    )
    nodes = tuple(
        Node(Spot(_x(depth), _y(at), branch.label, LABEL), branch.text, branch.mark)
        for at, (branch, depth, _) in enumerate(placed)
    )
    few = [(cut(branch.label, 60), branch.text) for branch, _, _ in placed[:4]]
    size = (right + NUMBERS, TOP + ROW * len(placed) + 10)
    return Tree(name, title, described(title, few, len(placed) - 4), *size, table, nodes, links, right)


def _placed(root: Branch) -> list[tuple[Branch, int, int]]:
    """Return each node with its depth and the index of its parent, parents before children."""
    found: list[tuple[Branch, int, int]] = []

    def add(branch: Branch, depth: int, parent: int) -> None:
        here = len(found)
        found.append((branch, depth, parent))
        for child in branch.below:
            add(child, depth + 1, here)

    add(root, 0, 0)
    return found


def _x(depth: int) -> float:
    return 12 + INDENT * depth


def _y(at: int) -> float:
    return TOP + ROW * (at + 0.5)
