"""The formats of exported files: how each is made of a model, and how it is asked again."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from evenhand.compression.compressed import CompressedModel
from evenhand.compression.deploying.deployed import deployed_from
from evenhand.compression.deploying.schema import input_kinds, kinds_of_table
from evenhand.errors import ModelError, argument, need, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.compression.deploying.answers import Outputs
    from evenhand.compression.deploying.deployed import DeployedModel
    from evenhand.compression.deploying.estimators import Precision
    from evenhand.compression.deploying.graph import Graph

ExportFormat: TypeAlias = Literal["onnx", "ort", "torch-export", "executorch"]
"""The formats of exported files."""
SUFFIXES: Final[dict[ExportFormat, str]] = {
    "onnx": ".onnx", "ort": ".ort", "torch-export": ".pt2", "executorch": ".pte",
}  # fmt: skip
"""The ending of each format's file."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """An exported file and what asks it."""

    content: bytes
    """The bytes."""
    kinds: tuple[tuple[str, str], ...]
    """The inputs and their kinds, in order."""
    columns: tuple[object, ...]
    """What the model learnt of each; empty where that is not known."""
    outputs: Outputs | None
    """The outputs of a graph; None of a program, which has one."""
    run: Any
    """A function from a table to scores, and to decisions where the file gives them."""
    feed: Any
    """A function from a table to what the file is given, by the name of the input."""
    runner: str
    """What runs it where memory is measured."""
    more: Mapping[str, bytes]
    """Files that belong to it."""


def make_file(
    model: Any, format: ExportFormat, X: pd.DataFrame | None, precision: Precision = "double"
) -> ExportedFile:
    """Return the file of a model in a format.

    Parameters
    ----------
    model : NetworkModel, CompressedModel, BoostedModel or SklearnSubject
    format : str
    X : DataFrame, optional
        Rows that it reads; a model of scikit-learn is converted by their types.
    precision : {"double", "float"}
        In which numbers a model of scikit-learn is given.

    Raises
    ------
    ModelError
        When the model is of another kind, or cannot be exported to the format.
    """
    _refuse_rule(model)
    if format in ("torch-export", "executorch"):
        return _program(model, format)
    graph, outputs, columns, kinds = _graph(model, X, precision)
    made = deployed_from(graph, outputs, model, kinds)
    if format == "onnx":
        return ExportedFile(
            made.content, tuple(kinds), tuple(columns), outputs, lambda table: _asked(made, made._session, table),
            made.feed, "onnx", {},
        )  # fmt: skip
    content = _as_ort(made.content)
    session = _ort_session(content)
    return ExportedFile(
        content, tuple(kinds), tuple(columns), outputs, lambda table: _asked(made, session, table), made.feed, "onnx",
        {"required_operators.config": _operators(made.content).encode()},
    )  # fmt: skip


def _refuse_rule(model: Any) -> None:
    from evenhand.subjects.post_processing import PostProcessed

    if isinstance(model, PostProcessed):
        raise ModelError(
            f"'{model.name}' is a rule over a model's scores, which is not exported: evenhand serve and evenhand score "
            "take its file as it is."
        )


def _graph(
    model: Any, X: pd.DataFrame | None, precision: Precision
) -> tuple[Graph, Outputs, Sequence[object], list[tuple[str, str]]]:
    from evenhand.subjects.sklearn import SklearnSubject
    from evenhand.training.trees.boosted import BoostedModel

    if isinstance(model, BoostedModel):
        from evenhand.compression.deploying.trees import trees_graph

        columns: Sequence[object] = model.preprocessing.columns
        return *trees_graph(model), columns, input_kinds(columns)
    if isinstance(model, SklearnSubject):
        from evenhand.compression.deploying.estimators import estimator_graph

        if X is None:
            raise ModelError(
                f"'{model.name}' is of scikit-learn, and is exported by the types of its rows: give {argument('data')}"
            )
        read = X if model.features is None else X[list(model.features)]
        return *estimator_graph(model, read, precision), (), kinds_of_table(read)
    if isinstance(model, CompressedModel) or hasattr(model, "network"):
        from evenhand.compression.deploying.networks import network_graph

        graph, outputs = network_graph(model)
        columns = model.preprocessing.columns
        return graph, outputs, columns, input_kinds(columns)
    raise ModelError(
        f"A {type(model).__name__} is not exported: networks and boosted trees that evenhand trained or compressed "
        "are, and classifiers of scikit-learn. Give the file of another model to evenhand as it is."
    )


def _asked(
    made: DeployedModel, session: Any, table: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
    """Return scores and decisions of a table."""
    named = [made.outputs.score, *([made.outputs.decision] if made.outputs.decision else [])]
    found = session.run(named, made.feed(table))
    return np.asarray(found[0], dtype=np.float64), np.asarray(found[1], dtype=np.int64) if len(found) > 1 else None


def _as_ort(content: bytes) -> bytes:
    """Return a graph in ONNX Runtime's own format, improved in ways that hold on every machine."""
    runtime = need("onnxruntime", "onnx")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.ort"
        options = runtime.SessionOptions()
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(place)
        options.log_severity_level = 3
        options.add_session_config_entry("session.save_model_format", "ORT")
        try:
            runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            return place.read_bytes()
        except Exception as problem:  # ONNX Runtime's errors share no base below Exception
            raise ModelError(f"ONNX Runtime could not write its own format: {shorten(problem, 300)}") from None


def _ort_session(content: bytes) -> Any:
    runtime = need("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _operators(content: bytes) -> str:
    """Return the operators of a graph as a build of ONNX Runtime with these alone takes them."""
    onnx = need("onnx", "onnx")
    model = onnx.load_from_string(content)
    used: dict[str, set[str]] = {}
    for node in model.graph.node:
        used.setdefault(node.domain, set()).add(node.op_type)
    versions = {entry.domain: entry.version for entry in model.opset_import}
    lines = [f"{domain or 'ai.onnx'};{versions[domain]};{','.join(sorted(used[domain]))}" for domain in sorted(used)]
    return "\n".join(["# domain;version;operators", *lines]) + "\n"


def _program(model: Any, format: ExportFormat) -> ExportedFile:
    if not hasattr(model, "network"):
        raise ModelError(
            f"'{getattr(model, 'name', type(model).__name__)}' is no network of torch, of which alone a program is "
            "made: export it to onnx or ort."
        )
    from evenhand.compression.deploying import program

    module = program.programmed(model)
    make, ask = (
        (program.torch_program, program.run_torch_program)
        if format == "torch-export"
        else (program.executorch_program, program.run_executorch_program)
    )
    content = make(module)
    scores, preprocessing = ask(content), model.preprocessing
    return ExportedFile(
        content, tuple(input_kinds(preprocessing.columns)), tuple(preprocessing.columns), None,
        lambda table: (scores(program.encode(preprocessing, table)), None),
        lambda table: {"rows": program.encode(preprocessing, table)}, format, {},
    )  # fmt: skip
