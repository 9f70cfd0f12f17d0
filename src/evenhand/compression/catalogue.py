"""Which recipes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.compression.distillation import Distillation
from evenhand.compression.half_precision import HalfPrecision
from evenhand.compression.int8 import Int8
from evenhand.compression.magnitude_pruning import MagnitudePruning
from evenhand.compression.neuron_pruning import NeuronPruning
from evenhand.compression.onnx_export import OnnxExport

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.compression.recipe import Recipe

RECIPES: Final[dict[str, Callable[..., Recipe]]] = {
    "distillation": Distillation,
    "half_precision": HalfPrecision,
    "int8": Int8,
    "magnitude_pruning": MagnitudePruning,
    "neuron_pruning": NeuronPruning,
    "onnx_export": OnnxExport,
}
"""Every recipe by its name on the command line; called with one value it takes it for its first setting."""
