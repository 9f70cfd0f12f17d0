"""Releases of a model: promoted and rolled back by a link that changes at once, and retrained from their log."""

from evenhand.monitoring.releasing.decisions import Decision, read_decisions
from evenhand.monitoring.releasing.promoting import Promotion, promote, rollback
from evenhand.monitoring.releasing.release import Release, read_release
from evenhand.monitoring.releasing.retraining import Retrained, retrain

__all__ = [
    "Decision", "Promotion", "Release", "Retrained", "promote", "read_decisions", "read_release", "retrain", "rollback",
]  # fmt: skip
