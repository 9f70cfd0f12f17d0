"""A network over the columns of a table as one graph: columns, network, scores and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from evenhand.compression.deploying.answers import flattened, give_answers
from evenhand.compression.deploying.columns import prepare_columns
from evenhand.compression.deploying.graph import OWN, Graph
from evenhand.errors import ModelError, need
from evenhand.training.preprocessing import Preprocessing

if TYPE_CHECKING:
    import onnx

    from evenhand.compression.compressed import CompressedModel
    from evenhand.compression.deploying.answers import Outputs
    from evenhand.training import NetworkModel


def network_graph(model: NetworkModel | CompressedModel) -> tuple[Graph, Outputs]:
    """Return the whole graph of a network and the names of its outputs.

    Raises
    ------
    ModelError
        When it reads something else than a table, or torch cannot export it.
    """
    onnx = need("onnx", "onnx")
    preprocessing = model.preprocessing
    if not isinstance(preprocessing, Preprocessing):
        raise ModelError(
            f"'{model.name}' reads {preprocessing.reads}, and what prepares them cannot be put into a graph. The "
            "network alone is exported by evenhand compress -r onnx_export; evenhand runs that file."
        )
    network = onnx.load_from_string(_bare(model))
    graph = Graph(opset=next(entry.version for entry in network.opset_import if not entry.domain))
    prepared = prepare_columns(graph, preprocessing)
    logit, outputs = _joined(graph, network, prepared)
    raw = flattened(graph, logit, outputs)
    return graph, give_answers(graph, raw, model.task, model.threshold, preprocessing.features, model.target)


def _bare(model: NetworkModel | CompressedModel) -> bytes:
    """Return the graph of the network alone."""
    from evenhand.compression.compressed import CompressedModel
    from evenhand.compression.exporting import export_network, with_metadata

    if isinstance(model, CompressedModel):
        return model.content
    return with_metadata(export_network(model.network, model.preprocessing.shape), {})


def _joined(graph: Graph, network: onnx.ModelProto, prepared: str) -> tuple[str, int]:
    """Add the network's nodes behind the prepared columns; return its output and how many numbers that has a row."""
    import onnx.compose

    if network.functions:
        raise ModelError("The network's graph has functions of its own, which cannot be joined with its columns.")
    inner = onnx.compose.add_prefix(network, f"{OWN}network/").graph
    given = inner.input[0].name
    graph.nodes += [_fed(node, given, prepared) for node in inner.node]
    graph.constants += inner.initializer
    shape = inner.output[0].type.tensor_type.shape.dim
    return inner.output[0].name, 1 if len(shape) < 2 else cast("int", shape[1].dim_value) or 1


def _fed(node: onnx.NodeProto, given: str, prepared: str) -> onnx.NodeProto:
    for place, name in enumerate(node.input):
        if name == given:
            node.input[place] = prepared
    return node
