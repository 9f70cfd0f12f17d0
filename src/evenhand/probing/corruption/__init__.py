"""Natural corruption: what happens to rows on their way to a model, at three severities, within plausible ranges."""

from __future__ import annotations

from evenhand.probing.corruption.catalogue import CORRUPTIONS, corruptions_of
from evenhand.probing.corruption.corruption import SEVERITIES, Corruption
from evenhand.probing.corruption.ranges import Ranges, learn_ranges
from evenhand.probing.corruption.trying import tried

__all__ = ["CORRUPTIONS", "SEVERITIES", "Corruption", "Ranges", "corruptions_of", "learn_ranges", "tried"]
