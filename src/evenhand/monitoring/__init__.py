"""Live batches against an audited baseline; alarms whose rate is controlled over all time."""

from evenhand.monitoring.baseline import Baseline, make_baseline
from evenhand.monitoring.baseline_files import read_baseline, write_baseline
from evenhand.monitoring.batches import Batch, count_batch
from evenhand.monitoring.monitor import Monitor
from evenhand.monitoring.state import State, read_state, write_state

__all__ = [
    "Baseline",
    "Batch",
    "Monitor",
    "State",
    "count_batch",
    "make_baseline",
    "read_baseline",
    "read_state",
    "write_baseline",
    "write_state",
]
