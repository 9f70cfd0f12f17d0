"""Tree figures: narrower nodes are below and to the right of wider ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.report.drawings import Node, Tree
from evenhand.report.figures.findings import described
from evenhand.report.figures.scales import fitting
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from evenhand.report.drawings import Mark, Table

DEEPEST: Final = 6
"""The deepest indent."""
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
    said = [(cut(branch.label, LABEL), branch.label, branch.text) for branch, _ in placed]
    placed = placed[: fitting(said, 260)]
    nodes = tuple(
        Node(cut(branch.label, LABEL), min(depth, DEEPEST), branch.text, branch.mark) for branch, depth in placed
    )
    few = [(cut(branch.label, 60), branch.text) for branch, _ in placed[:4]]
    return Tree(name, title, described(title, few, len(placed) - 4), table, nodes)


def _placed(root: Branch, depth: int = 0) -> list[tuple[Branch, int]]:
    """Return each node with its depth, parents before children."""
    return [(root, depth), *(found for child in root.below for found in _placed(child, depth + 1))]
