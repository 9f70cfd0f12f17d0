"""The audits, by name, in the order in which the report tells them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, get_args

from evenhand.audits.calibration import calibration
from evenhand.audits.chance import ChanceOptions, chance
from evenhand.audits.classes import classes
from evenhand.audits.compression.compression import compression
from evenhand.audits.custom import custom
from evenhand.audits.dependence import dependence
from evenhand.audits.explanation import ExplanationOptions, explanation
from evenhand.audits.explanation_checks import explanation_checks
from evenhand.audits.fairness import fairness
from evenhand.audits.impact import impact
from evenhand.audits.labels import labels
from evenhand.audits.numbers import numbers
from evenhand.audits.performance import performance
from evenhand.audits.rankings import rankings
from evenhand.audits.reasons import ReasonsOptions, reasons
from evenhand.audits.recourse import RecourseOptions, recourse
from evenhand.audits.reliance import reliance
from evenhand.audits.slices import SlicesOptions, slices
from evenhand.audits.strata import strata
from evenhand.audits.training import training
from evenhand.audits.unobserved_groups import UnobservedGroupsOptions, unobserved_groups
from evenhand.findings import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.audits.statement import Statement
    from evenhand.evidence import Evidence
    from evenhand.settings import Declared

TWO_CLASSES: Final = frozenset[Task]({"binary"})
EVERY_TASK: Final = frozenset[Task](get_args(Task))


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit is, one line of the catalogue; a package brings one by the entry point ``evenhand.audits``."""

    run: Callable[[Evidence], Statement]
    """States its findings; its docstring says in the first line what about."""
    tasks: frozenset[Task] = TWO_CLASSES
    """What the label may be."""
    options: type[Declared] | None = None
    """A record of the settings that only this audit reads, by ``evidence.options.of(...)``."""


AUDITS: Final[Mapping[str, Audit]] = {
    "performance": Audit(performance),
    "classes": Audit(classes, frozenset({"multiclass"})),
    "labels": Audit(labels, frozenset({"multilabel"})),
    "numbers": Audit(numbers, frozenset({"regression"})),
    "rankings": Audit(rankings, frozenset({"ranking"})),
    "calibration": Audit(calibration),
    "fairness": Audit(fairness),
    "impact": Audit(impact),
    "strata": Audit(strata),
    "unobserved_groups": Audit(unobserved_groups, options=UnobservedGroupsOptions),
    "chance": Audit(chance, frozenset({"binary", "regression"}), options=ChanceOptions),
    "slices": Audit(slices, options=SlicesOptions),
    "custom": Audit(custom, frozenset({"binary", "multiclass", "regression"})),
    "explanation": Audit(explanation, frozenset({"binary", "regression"}), options=ExplanationOptions),
    "dependence": Audit(dependence, frozenset({"binary", "regression"})),
    "explanation_checks": Audit(explanation_checks, frozenset({"binary", "regression"})),
    "reliance": Audit(reliance),
    "reasons": Audit(reasons, options=ReasonsOptions),
    "recourse": Audit(recourse, options=RecourseOptions),
    "compression": Audit(compression, frozenset({"binary", "multiclass"})),
    "training": Audit(training),
}


def catalogue() -> dict[str, Audit]:
    """Return the audits of evenhand and those that installed packages bring (entry point ``evenhand.audits``).

    A package brings an `Audit`, or a function alone, which is asked for every task.
    """
    found = dict(AUDITS)
    for point in entry_points(group="evenhand.audits"):
        if point.name not in found:
            brought = point.load()
            found[point.name] = brought if isinstance(brought, Audit) else Audit(brought, EVERY_TASK)
    return found
