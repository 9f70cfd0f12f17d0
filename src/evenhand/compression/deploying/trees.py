"""Boosted trees over the columns of a table as one graph, in double precision throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.compression.deploying.answers import give_answers
from evenhand.compression.deploying.columns import level_places
from evenhand.compression.deploying.graph import Graph
from evenhand.errors import need

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.compression.deploying.answers import Outputs
    from evenhand.training import BoostedModel
    from evenhand.training.trees.arrays import BoostedTrees
    from evenhand.training.trees.columns import TreeColumn

HALF: Final = 0.5
"""Between 0, in the set of a node, and 1, outside it."""


def trees_graph(model: BoostedModel) -> tuple[Graph, Outputs]:
    """Return the whole graph of boosted trees and the names of its outputs.

    A node that asks for a set of levels asks a column of its own, which is 0 for those in the set and 1 for others.

    Raises
    ------
    ModelError
        For a column with an empty text among its levels, or a model of quantiles.
    """
    need("onnx", "onnx")
    graph, trees = Graph(), model.trees
    places = [_read(graph, column) for column in trees.columns.columns]
    asked, sets = _sets(trees)
    parts = [graph.put("Unsqueeze", place, graph.constant(np.asarray([1]))) for place in places]
    for column, told in enumerate(trees.columns.columns):
        mine = [number for (of, number) in sets if of == column]
        if mine:
            parts.append(_membership(graph, places[column], told.places, trees.sets[mine]))
    given = graph.put("Concat", *parts, axis=1)
    total = graph.put("TreeEnsemble", given, domain="ai.onnx.ml", **_ensemble(trees, asked))
    raw = graph.put("Add", total, graph.constant(trees.base))
    shape = [-1] if trees.outputs == 1 else [-1, trees.outputs]
    raw = graph.put("Reshape", raw, graph.constant(np.asarray(shape)))
    return graph, give_answers(graph, raw, model.task, model.threshold, model.features, model.target)


def _read(graph: Graph, column: TreeColumn) -> str:
    """Return (rows,) doubles, NaN where missing, infinite or never seen: numbers, or places of levels."""
    onnx = need("onnx", "onnx")
    nothing = graph.constant(np.asarray(np.nan))
    if column.levels is None:
        given = graph.take(column.name, onnx.TensorProto.DOUBLE)
        return graph.put("Where", graph.put("IsInf", given), nothing, given)
    place = level_places(graph, column.name, column.levels, graph.take(column.name, onnx.TensorProto.STRING))
    found = graph.put("Cast", place, to=onnx.TensorProto.DOUBLE)
    if column.rare:
        other = graph.put("Equal", place, graph.constant(np.asarray(-1)))
        found = graph.put("Where", other, graph.constant(np.asarray(float(len(column.levels)))), found)
    return graph.put("Where", graph.put("Less", found, graph.constant(np.asarray(0.0))), nothing, found)


def _sets(trees: BoostedTrees) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
    """Return (nodes,) the column that each node asks, and the (column, set) of each column that is added."""
    pairs = sorted(
        {(int(of), int(number)) for of, number in zip(trees.column, trees.chosen, strict=True) if number >= 0}
    )
    at = {pair: len(trees.columns.columns) + place for place, pair in enumerate(pairs)}
    asked = [
        at[(int(of), int(number))] if number >= 0 else max(int(of), 0)
        for of, number in zip(trees.column, trees.chosen, strict=True)
    ]
    return np.asarray(asked, dtype=np.int64), pairs


def _membership(graph: Graph, place: str, places: int, sets: NDArray[np.int64]) -> str:
    """Return (rows, sets): 0 where a place is in the set, 1 where it is not, NaN where there is none."""
    onnx = need("onnx", "onnx")
    each = np.arange(places)
    inside = (sets[:, each >> 5] >> (each & 31)) & 1
    table = np.vstack([1.0 - inside.T, np.full((1, len(sets)), np.nan)])
    unknown = graph.put("IsNaN", place)
    row = graph.put("Where", unknown, graph.constant(np.asarray(float(places))), place)
    return graph.put("Gather", graph.constant(table), graph.put("Cast", row, to=onnx.TensorProto.INT64), axis=0)


def _ensemble(trees: BoostedTrees, asked: NDArray[np.int64]) -> dict[str, Any]:
    """Return the trees as the operator takes them: inner nodes and leaves are counted apart."""
    from onnx import numpy_helper

    starts = np.repeat(trees.starts[:-1], np.diff(trees.starts)).astype(np.int64)
    leaf = trees.left < 0
    alone = leaf & (np.arange(len(leaf)) == starts)  # a tree of one leaf: its root asks, and both ways end there
    inner = ~leaf | alone
    at_node, at_leaf = np.cumsum(inner) - 1, np.cumsum(leaf) - 1
    here = np.flatnonzero(inner)
    left, right = (np.where(leaf, np.arange(len(leaf)), child + starts)[here] for child in (trees.left, trees.right))
    of_tree = np.repeat(np.arange(trees.trees), np.diff(trees.starts))
    splits = np.where(trees.chosen >= 0, HALF, trees.threshold)[here]
    return {
        "n_targets": trees.outputs,
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": at_node[trees.starts[:-1]].tolist(),
        "nodes_splits": numpy_helper.from_array(splits.astype(np.float64), "splits"),
        "nodes_modes": numpy_helper.from_array(np.zeros(len(here), dtype=np.uint8), "modes"),
        "nodes_featureids": asked[here].tolist(),
        "nodes_truenodeids": np.where(leaf[left], at_leaf[left], at_node[left]).tolist(),
        "nodes_falsenodeids": np.where(leaf[right], at_leaf[right], at_node[right]).tolist(),
        "nodes_trueleafs": leaf[left].astype(int).tolist(),
        "nodes_falseleafs": leaf[right].astype(int).tolist(),
        "nodes_missing_value_tracks_true": trees.missing[here].astype(int).tolist(),
        "leaf_targetids": (of_tree[leaf] % trees.outputs).tolist(),
        "leaf_weights": numpy_helper.from_array(trees.value[leaf].astype(np.float64), "weights"),
    }
