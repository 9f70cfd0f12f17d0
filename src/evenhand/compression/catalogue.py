"""Which recipes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.compression.distillation import Distillation
from evenhand.compression.half_precision import HalfPrecision
from evenhand.compression.int4 import Int4
from evenhand.compression.int8 import Int8
from evenhand.compression.low_rank import LowRank
from evenhand.compression.magnitude_pruning import MagnitudePruning
from evenhand.compression.neuron_pruning import NeuronPruning
from evenhand.compression.onnx_export import OnnxExport
from evenhand.compression.quantization_aware import QuantizationAware
from evenhand.compression.structured_pruning import StructuredPruning

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.compression.recipe import Recipe

RECIPES: Final[dict[str, Callable[..., Recipe]]] = {
    "distillation": Distillation,
    "half_precision": HalfPrecision,
    "int4": Int4,
    "int8": Int8,
    "low_rank": LowRank,
    "magnitude_pruning": MagnitudePruning,
    "neuron_pruning": NeuronPruning,
    "onnx_export": OnnxExport,
    "quantization_aware": QuantizationAware,
    "structured_pruning": StructuredPruning,
}
"""Every recipe by its name on the command line; called with one value it takes it for its first setting."""
