"""Metrics of the rows themselves: stated by one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

TABLES: Final[tuple[Metric, ...]] = ()
