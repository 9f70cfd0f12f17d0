"""What is told to people is told by messages, and nothing reads a fact back out of what was told."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "evenhand"
TOLD = {"note", "undefined", "reason", "sentence", "remarks", "words"}
READING = {
    "startswith", "endswith", "split", "rsplit", "partition", "rpartition", "find", "index", "removeprefix",
    "removesuffix", "splitlines", "replace",
}  # fmt: skip
CALLS = {"message", "messages", "joined", "not_applicable"}
"""What makes messages of its first argument, which must be an id, not a text that was put together."""
STATING = ("audits", "compression", "evidence", "explaining", "metrics", "policy", "report", "studies")
STATED = [file for room in STATING for file in sorted((SOURCE / room).rglob("*.py"))]
FILES = sorted(SOURCE.rglob("*.py"))


def name_of(file: Path) -> str:
    return str(file.relative_to(SOURCE))


def bare(node: ast.expr) -> list[str]:
    """The texts of an expression that are no messages: literals with words, and f-strings."""
    if isinstance(node, ast.IfExp):
        return [*bare(node.body), *bare(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [text for part in node.values for text in bare(part)]
    if isinstance(node, ast.BinOp):
        return [*bare(node.left), *bare(node.right)]
    if isinstance(node, ast.JoinedStr):
        return [ast.unparse(node)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value else []


@pytest.mark.parametrize("file", STATED, ids=name_of)
def test_what_is_told_is_a_message(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    raised = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in raised:
            told = [part.value for part in node.keywords if part.arg in TOLD]
            if isinstance(node.func, ast.Name) and node.func.id == "sentences":
                told += node.args
            if isinstance(node.func, ast.Name) and node.func.id in CALLS:
                told += [part for part in node.args[:1] if isinstance(part, ast.JoinedStr)]
            found += [text for part in told for text in bare(part)]
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in TOLD for t in node.targets):
            found += bare(node.value)
    assert found == [], "say it by message(...)"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_is_read_out_of_what_was_told(file: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READING:
            inner = node.func.value
            if isinstance(inner, ast.Attribute) and inner.attr in TOLD:
                found.append(ast.unparse(node))
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            told = node.comparators[0]
            if isinstance(told, ast.Attribute) and told.attr in TOLD - {"remarks"}:
                found.append(ast.unparse(node))
    assert found == [], "keep the fact itself"
