"""The recipes, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.catalogues import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.compression.recipe import Recipe

RECIPES: Final[Catalogue[Callable[..., Recipe]]] = Catalogue(
    "evenhand.recipes",
    type,
    {
        "distillation": "evenhand.compression.distillation:Distillation",
        "half_precision": "evenhand.compression.half_precision:HalfPrecision",
        "int4": "evenhand.compression.int4:Int4",
        "int8": "evenhand.compression.int8:Int8",
        "low_rank": "evenhand.compression.low_rank:LowRank",
        "magnitude_pruning": "evenhand.compression.magnitude_pruning:MagnitudePruning",
        "neuron_pruning": "evenhand.compression.neuron_pruning:NeuronPruning",
        "onnx_export": "evenhand.compression.onnx_export:OnnxExport",
        "quantization_aware": "evenhand.compression.quantization_aware:QuantizationAware",
        "structured_pruning": "evenhand.compression.structured_pruning:StructuredPruning",
    },
)
"""Every recipe by its name on the command line; called with one value it takes it for its first setting."""
