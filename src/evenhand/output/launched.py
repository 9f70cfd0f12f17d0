"""Processes that share one command, as ``torchrun`` starts them: the first prints and writes for all."""

from __future__ import annotations

import os
from typing import Final

LAUNCHED: Final = "TORCHELASTIC_RUN_ID"
"""What ``torchrun`` sets in the environment of its processes."""


def processes() -> int:
    """Return how many processes share the work: those that ``torchrun`` started, else one."""
    return int(os.environ.get("WORLD_SIZE", "1")) if LAUNCHED in os.environ else 1


def is_first() -> bool:
    """Return whether this process is the one that prints and writes."""
    return processes() == 1 or os.environ.get("RANK", "0") == "0"
