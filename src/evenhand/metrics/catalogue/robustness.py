"""Metrics of which decisions turn when inputs change: stated by one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

ROBUSTNESS: Final[tuple[Metric, ...]] = ()
