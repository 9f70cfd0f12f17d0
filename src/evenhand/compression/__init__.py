"""Compress trained models, and measure the gain over the original."""

from evenhand.compression.agreement import Agreement, agreement
from evenhand.compression.batch_dependence import BatchDependence, batch_dependence
from evenhand.compression.catalogue import RECIPES
from evenhand.compression.compressed import CompressedModel, Twin, load_compressed
from evenhand.compression.compressing import compress
from evenhand.compression.deploying.comparing import Compared
from evenhand.compression.deploying.deployed import DeployedModel
from evenhand.compression.deploying.exporting import Exported, export_model
from evenhand.compression.deploying.memory import Memory
from evenhand.compression.distillation import Distillation
from evenhand.compression.footprint import Footprint, Latency, measure_footprint
from evenhand.compression.gains import gain_sentence, size_sentence, speed_sentence
from evenhand.compression.half_precision import HalfPrecision
from evenhand.compression.int4 import Int4
from evenhand.compression.int8 import Int8
from evenhand.compression.low_rank import LowRank
from evenhand.compression.magnitude_pruning import MagnitudePruning
from evenhand.compression.neuron_pruning import NeuronPruning
from evenhand.compression.onnx_export import OnnxExport
from evenhand.compression.opening import open_model
from evenhand.compression.quantization_aware import QuantizationAware
from evenhand.compression.recipe import Recipe
from evenhand.compression.structured_pruning import StructuredPruning
from evenhand.compression.susceptibility import Susceptibility, susceptibility
from evenhand.compression.twin import make_twin

__all__ = [
    "RECIPES", "Agreement", "BatchDependence", "Compared", "CompressedModel", "DeployedModel", "Distillation",
    "Exported", "Footprint", "HalfPrecision", "Int4", "Int8", "Latency", "LowRank", "MagnitudePruning", "Memory",
    "NeuronPruning", "OnnxExport", "QuantizationAware", "Recipe", "StructuredPruning", "Susceptibility", "Twin",
    "agreement", "batch_dependence", "compress", "export_model", "gain_sentence", "load_compressed", "make_twin",
    "measure_footprint", "open_model", "size_sentence", "speed_sentence", "susceptibility",
]  # fmt: skip
