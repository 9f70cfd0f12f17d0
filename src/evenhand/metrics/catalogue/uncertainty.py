"""Metrics of what a score is worth: stated by one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

UNCERTAINTY: Final[tuple[Metric, ...]] = ()
