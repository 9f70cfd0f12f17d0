"""The audits, by name, in the order in which the report tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, get_args

from evenhand.audits.calibration import calibration
from evenhand.audits.chance import chance
from evenhand.audits.classes import classes
from evenhand.audits.compression.compression import compression
from evenhand.audits.custom import custom
from evenhand.audits.dependence import dependence
from evenhand.audits.explanation import explanation
from evenhand.audits.explanation_checks import explanation_checks
from evenhand.audits.fairness import fairness
from evenhand.audits.impact import impact
from evenhand.audits.labels import labels
from evenhand.audits.numbers import numbers
from evenhand.audits.performance import performance
from evenhand.audits.rankings import rankings
from evenhand.audits.reasons import reasons
from evenhand.audits.recourse import recourse
from evenhand.audits.reliance import reliance
from evenhand.audits.slices import slices
from evenhand.audits.strata import strata
from evenhand.audits.training import training
from evenhand.audits.unobserved_groups import unobserved_groups
from evenhand.findings import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.audits.statement import Statement
    from evenhand.evidence import Evidence

Audit: TypeAlias = "Callable[[Evidence], Statement]"

AUDITS: Final[Mapping[str, Audit]] = {
    "performance": performance,
    "classes": classes,
    "labels": labels,
    "numbers": numbers,
    "rankings": rankings,
    "calibration": calibration,
    "fairness": fairness,
    "impact": impact,
    "strata": strata,
    "unobserved_groups": unobserved_groups,
    "chance": chance,
    "slices": slices,
    "custom": custom,
    "explanation": explanation,
    "dependence": dependence,
    "explanation_checks": explanation_checks,
    "reliance": reliance,
    "reasons": reasons,
    "recourse": recourse,
    "compression": compression,
    "training": training,
}

TASKS: Final[Mapping[str, frozenset[Task]]] = {
    "classes": frozenset({"multiclass"}),
    "labels": frozenset({"multilabel"}),
    "numbers": frozenset({"regression"}),
    "rankings": frozenset({"ranking"}),
    "chance": frozenset({"binary", "regression"}),
    "compression": frozenset({"binary", "multiclass"}),
    "custom": frozenset({"binary", "multiclass", "regression"}),
    "explanation": frozenset({"binary", "regression"}),
    "dependence": frozenset({"binary", "regression"}),
    "explanation_checks": frozenset({"binary", "regression"}),
}
"""The tasks that an audit can work on; two classes where nothing is said."""


TABLES: Final = frozenset({"explanation", "dependence", "explanation_checks", "reasons", "recourse"})
"""Audits of the columns that a model reads: they need one that reads a table."""


def tasks_of(audit: str) -> frozenset[Task]:
    """Return the tasks that an audit can work on; one that a package brought is asked for every task."""
    if audit not in AUDITS:
        return frozenset(get_args(Task))
    return TASKS.get(audit, frozenset({"binary"}))


def catalogue() -> dict[str, Audit]:
    """Return the audits of evenhand and those that installed packages bring (entry point ``evenhand.audits``)."""
    from importlib.metadata import entry_points

    found = dict(AUDITS)
    for point in entry_points(group="evenhand.audits"):
        found.setdefault(point.name, point.load())
    return found
