"""The columns of a table inside the graph: numbers and texts in, what the network takes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import ModelError, need, shorten
from evenhand.training.codes import CodeColumn
from evenhand.training.columns import FURTHEST, CategoryColumn, NumberColumn

if TYPE_CHECKING:
    from evenhand.compression.deploying.graph import Graph
    from evenhand.training import Preprocessing
    from evenhand.training.columns import Column

MISSING: Final = ""
"""The text that stands for a missing one, as a graph knows no missing texts."""


def prepare_columns(graph: Graph, preprocessing: Preprocessing) -> str:
    """Add the preprocessing of a table, an input a column, and return the value (rows, width) of float32.

    Every step is computed in double precision and rounded once, as in Python.

    Raises
    ------
    ModelError
        When a text that is missing cannot be told from one of the levels.
    """
    onnx = need("onnx", "onnx")
    parts = [part for column in preprocessing.columns for part in _parts(graph, column)]
    wide = [graph.put("Cast", part, to=onnx.TensorProto.FLOAT) for part in parts]
    return graph.put("Concat", *wide, axis=1)


def _parts(graph: Graph, column: Column) -> list[str]:
    """Return the prepared columns of one column, in order: values of (rows, some), of double precision."""
    onnx = need("onnx", "onnx")
    if isinstance(column, NumberColumn):
        return _number(graph, column, graph.take(column.name, onnx.TensorProto.DOUBLE))
    if isinstance(column, CodeColumn):
        given = graph.take(column.name, onnx.TensorProto.DOUBLE)
        return [*_number(graph, column.number, given), *_code(graph, column.category, given)]
    assert isinstance(column, CategoryColumn)  # there are no others
    return _category(graph, column, graph.take(column.name, onnx.TensorProto.STRING))


def _number(graph: Graph, column: NumberColumn, given: str) -> list[str]:
    absent = graph.put("Or", graph.put("IsNaN", given), graph.put("IsInf", given))
    filled = graph.put("Where", absent, _double(graph, column.median), given)
    standard = graph.put("Div", graph.put("Sub", filled, _double(graph, column.mean)), _double(graph, column.scale))
    held = graph.put("Clip", standard, _double(graph, -FURTHEST), _double(graph, FURTHEST))
    parts = [_column(graph, held)]
    if column.missing:
        parts.append(_column(graph, _as_double(graph, absent)))
    if column.edges:
        parts.append(_pieces(graph, standard, np.asarray(column.edges)))
    return parts


def _pieces(graph: Graph, standard: str, edges: np.ndarray) -> str:
    held = graph.put("Clip", standard, _double(graph, edges[0]), _double(graph, edges[-1]))
    above = graph.put("Sub", _column(graph, held), graph.constant(edges[:-1]))
    share = graph.put("Div", above, graph.constant(np.diff(edges)))
    return graph.put("Clip", share, _double(graph, 0.0), _double(graph, 1.0))


def _category(graph: Graph, column: CategoryColumn, given: str) -> list[str]:
    place = level_places(graph, column.name, column.levels, given)
    wanted = [*range(len(column.levels)), *([-2] if column.missing else []), *([-1] if column.rare else [])]
    same = graph.put("Equal", _column(graph, place), graph.constant(np.asarray(wanted, dtype=np.int64)))
    return [_as_double(graph, same)]


def level_places(graph: Graph, name: str, levels: tuple[str, ...], given: str) -> str:
    """Return the place of each text among the levels: -1 for others, -2 where it is missing.

    Raises
    ------
    ModelError
        When the empty text is a level.
    """
    if MISSING in levels:
        raise ModelError(
            f"Column '{shorten(name)}' has the empty text among its levels, which stands for a missing one in a graph. "
            "Name it otherwise in the table, and fit the model again."
        )
    return graph.put(
        "LabelEncoder", given, domain="ai.onnx.ml", keys_strings=[*levels, MISSING],
        values_int64s=[*range(len(levels)), -2], default_int64=-1,
    )  # fmt: skip


def _code(graph: Graph, column: CategoryColumn, given: str) -> list[str]:
    """Return the columns of whole numbers that are codes; one that is missing has no level."""
    levels = np.asarray([float(level) for level in column.levels])
    known = _as_double(graph, graph.put("Equal", _column(graph, given), graph.constant(levels)))
    if not column.rare:
        return [known]
    axes = graph.constant(np.asarray([1], dtype=np.int64))
    found = graph.put("ReduceSum", known, axes, keepdims=1)
    absent = _as_double(graph, graph.put("IsNaN", _column(graph, given)))
    return [known, graph.put("Sub", graph.put("Sub", _double(graph, 1.0), found), absent)]


def _column(graph: Graph, value: str) -> str:
    return graph.put("Unsqueeze", value, graph.constant(np.asarray([1], dtype=np.int64)))


def _as_double(graph: Graph, value: str) -> str:
    onnx = need("onnx", "onnx")
    return graph.put("Cast", value, to=onnx.TensorProto.DOUBLE)


def _double(graph: Graph, number: float) -> str:
    return graph.constant(np.asarray(number, dtype=np.float64))
