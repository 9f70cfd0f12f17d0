"""Every metric, declared once, and its names."""

from evenhand.metrics.catalogue.entry import Cells, Metric
from evenhand.metrics.catalogue.rates import METRICS

__all__ = ["METRICS", "Cells", "Metric"]
