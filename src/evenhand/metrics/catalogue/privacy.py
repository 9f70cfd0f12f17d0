"""Metrics of what a model gives away of the people it was fitted on: stated by one audit each."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

PRIVACY: Final[tuple[Metric, ...]] = ()
