"""What a graph gives in the end: scores, and the decisions that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.errors import ModelError, need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.compression.deploying.graph import Graph
    from evenhand.findings import Plain, Task
    from evenhand.training.target import Target


@dataclass(frozen=True, slots=True)
class Outputs:
    """The names of a graph's outputs."""

    score: str
    """Probability of the positive class, (rows,), or of each class, (rows, classes); or the number, (rows,)."""
    decision: str | None
    """1 where the score reaches the threshold, or the place of the most probable class; None of numbers."""

    def to_plain(self) -> dict[str, Plain]:
        """Return the names as plain data."""
        return {"score": self.score, "decision": self.decision}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Outputs:
        """Return what `to_plain` was called on; raises KeyError when it is something else."""
        decision = plain["decision"]
        return cls(str(plain["score"]), None if decision is None else str(decision))


def give_answers(
    graph: Graph, raw: str, task: Task, threshold: float, columns: tuple[str, ...], target: Target | None
) -> Outputs:
    """Add probabilities and decisions, or numbers, from logits (rows,) or (rows, classes) of double precision.

    `columns`: the names that inputs have, which outputs cannot have.

    Raises ModelError for numbers that are of quantiles.
    """
    onnx = need("onnx", "onnx")
    if target is not None:
        graph.give(_number(graph, raw, target), _free("score", columns), onnx.TensorProto.DOUBLE)
        return Outputs(_free("score", columns), None)
    if task == "binary":
        return threshold_decision(graph, graph.put("Sigmoid", raw), threshold, columns)
    score = graph.put("Softmax", raw, axis=1)
    return _given(graph, score, graph.put("ArgMax", score, axis=1, keepdims=0), columns, several=True)


def threshold_decision(graph: Graph, score: str, threshold: float, columns: tuple[str, ...]) -> Outputs:
    """Add the decisions that scores (rows,) make at a threshold, and declare both as outputs."""
    onnx = need("onnx", "onnx")
    reached = graph.put("GreaterOrEqual", score, graph.constant(np.asarray(threshold, dtype=np.float64)))
    return _given(graph, score, graph.put("Cast", reached, to=onnx.TensorProto.INT64), columns, several=False)


def _given(graph: Graph, score: str, decision: str, columns: tuple[str, ...], several: bool) -> Outputs:
    onnx = need("onnx", "onnx")
    named = Outputs(_free("score", columns), _free("decision", columns))
    graph.give(score, named.score, onnx.TensorProto.DOUBLE, several=several)
    graph.give(decision, named.decision or "", onnx.TensorProto.INT64)
    return named


def flattened(graph: Graph, logit: str, outputs: int) -> str:
    """Return logits in double precision, (rows,) where there is one a row."""
    onnx = need("onnx", "onnx")
    wide = graph.put("Cast", logit, to=onnx.TensorProto.DOUBLE)
    shape = [-1] if outputs == 1 else [-1, outputs]
    return graph.put("Reshape", wide, graph.constant(np.asarray(shape, dtype=np.int64)))


def _number(graph: Graph, raw: str, target: Target) -> str:
    if target.quantiles:
        raise ModelError(
            "Models of quantiles are not exported: their outputs are held in order by code outside the graph. Export "
            "one that predicts a number."
        )
    if target.task == "ranking":
        return raw
    scaled = graph.put("Mul", raw, graph.constant(np.asarray(target.deviation, dtype=np.float64)))
    number = graph.put("Add", scaled, graph.constant(np.asarray(target.mean, dtype=np.float64)))
    if not target.logarithm:
        return number
    grown = graph.put("Mul", graph.put("Exp", number), graph.constant(np.asarray(target.smear, dtype=np.float64)))
    return graph.put("Sub", grown, graph.constant(np.asarray(1.0, dtype=np.float64)))


def _free(name: str, taken: tuple[str, ...]) -> str:
    while name in taken:
        name += "_"
    return name
