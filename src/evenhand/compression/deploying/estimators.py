"""Pipelines of scikit-learn as one graph, by skl2onnx, behind inputs of one column each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from evenhand.compression.deploying.answers import Outputs, threshold_decision
from evenhand.compression.deploying.graph import OWN, Graph
from evenhand.errors import ModelError, need, shorten
from evenhand.subjects.model_file import package

if TYPE_CHECKING:
    import onnx

    from evenhand.subjects.sklearn import SklearnSubject

Precision: TypeAlias = Literal["double", "float"]
"""In which numbers are given to the pipeline."""


def estimator_graph(subject: SklearnSubject, X: pd.DataFrame, precision: Precision) -> tuple[Graph, Outputs]:
    """Return the whole graph of a fitted classifier or pipeline of two classes.

    `X`: rows that it reads, whose types decide which columns are numbers and which are texts.

    Raises
    ------
    MissingExtraError
        When skl2onnx is not installed.
    ModelError
        When it has no probabilities of two classes, or skl2onnx cannot convert it.
    """
    onnx = need("onnx", "onnx")
    made: Any = subject.estimator
    classes = getattr(made, "classes_", ())
    if not callable(getattr(made, "predict_proba", None)) or len(classes) != 2:
        raise ModelError(
            f"'{subject.name}' has no predict_proba of two classes; of scikit-learn such models alone are exported."
        )
    whole = onnx.load_from_string(_converted(made, X, precision, subject.name))
    graph = Graph(opset=next(entry.version for entry in whole.opset_import if not entry.domain))
    given = {str(name): _given(graph, str(name), X[name], precision) for name in X.columns}
    found = _joined(graph, whole, [*given.values()])
    place = [*map(str, classes)].index(str(subject.positive))
    wide = graph.put("Cast", found, to=onnx.TensorProto.DOUBLE)
    score = graph.put("Gather", wide, graph.constant(np.asarray(place)), axis=1)
    return graph, threshold_decision(graph, score, subject.threshold, tuple(given))


def is_text(values: pd.Series) -> bool:
    """Return whether a column is of texts."""
    return not pd.api.types.is_numeric_dtype(values.dtype)


def _given(graph: Graph, name: str, values: pd.Series, precision: Precision) -> str:
    """Return a column as the pipeline takes it: (rows, 1)."""
    onnx = need("onnx", "onnx")
    kinds = onnx.TensorProto
    taken = graph.take(name, kinds.STRING if is_text(values) else kinds.DOUBLE)
    column = graph.put("Unsqueeze", taken, graph.constant(np.asarray([1])))
    return graph.put("Cast", column, to=kinds.FLOAT) if precision == "float" and not is_text(values) else column


def _converted(made: Any, X: pd.DataFrame, precision: Precision, name: str) -> bytes:
    converter = package("skl2onnx")
    types = need("skl2onnx.common.data_types", "onnx")
    number = types.DoubleTensorType if precision == "double" else types.FloatTensorType
    by_column = hasattr(made, "steps") or hasattr(made, "transformers_")
    if not by_column and any(is_text(X[column]) for column in X.columns):
        raise ModelError(f"'{name}' reads texts without a step that codes them; put it into a pipeline with one.")
    columns = [
        (str(column), types.StringTensorType([None, 1]) if is_text(X[column]) else number([None, 1]))
        for column in X.columns
    ]
    inputs = columns if by_column and _names_columns(made) else [("columns", number([None, X.shape[1]]))]
    try:
        converted = converter.convert_sklearn(
            made, initial_types=inputs, options={id(made): {"zipmap": False}}, target_opset={"": 18, "ai.onnx.ml": 3}
        )
    except Exception as problem:  # converters raise whatever their parts raise
        raise ModelError(
            f"skl2onnx could not convert '{name}': {shorten(' '.join(str(problem).split()), 300)}"
        ) from None
    return bytes(converted.SerializeToString())


def _names_columns(made: Any) -> bool:
    """Return whether the first step takes columns by name."""
    first = made.steps[0][1] if hasattr(made, "steps") else made
    return hasattr(first, "transformers_")


def _joined(graph: Graph, whole: onnx.ModelProto, columns: list[str]) -> str:
    """Add the pipeline's nodes behind the columns, and return its probabilities."""
    import onnx.compose

    inner = onnx.compose.add_prefix(whole, f"{OWN}pipeline/").graph
    names = [each.name for each in inner.input]
    fed = columns if len(names) == len(columns) > 1 else [graph.put("Concat", *columns, axis=1)]
    given = dict(zip(names, fed, strict=True))
    for node in inner.node:
        for place, name in enumerate(node.input):
            node.input[place] = given.get(name, name)
    graph.nodes += inner.node
    graph.constants += inner.initializer
    return str(inner.output[1].name)
