"""Ask every rule of a subject, and raise all that it does not keep together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.errors import EvenhandError, ModelError, raise_all, shorten
from evenhand.evidence.predictions import proven
from evenhand.subjects import as_subject
from evenhand.testing.asked import Asked
from evenhand.testing.of_protocol import facts, inputs_kept, members, proof, returned
from evenhand.testing.of_rows import batches, columns, index, kept_state, missing, order, places, repeated
from evenhand.testing.of_scores import constant, decisions, direction, scale

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from evenhand.data import EvaluationSet

Outcome: TypeAlias = Literal["passed", "reported", "failed", "skipped"]
"""Whether a rule is kept; `reported` is what may be meant so, `skipped` what this subject cannot be asked."""
Rule: TypeAlias = "Callable[[Asked], str]"
"""Says what is wrong with a subject, or nothing."""
RULES: Final[dict[str, Rule]] = {
    "members": members, "facts": facts, "proof": proof, "returned": returned, "inputs kept": inputs_kept,
    "repeated": repeated, "batch": batches, "order": order, "index": index, "columns": columns,
    "missing cells": missing, "places": places, "decisions": decisions, "scale": scale, "constant": constant,
    "direction": direction, "state": kept_state,
}  # fmt: skip
"""The rules, in the order in which they are asked."""
REPORTED: Final = ("places", "decisions", "scale", "constant", "direction")
"""Rules that a subject may break for a reason."""
OF_ALL_ROWS: Final = ("members", "facts", "proof", "scale", "constant", "direction")
"""Rules that can be asked of predictions without a model."""
FIRST: Final = ("members", "facts", "proof")
"""Rules without which the others have no meaning."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, and whether a subject keeps it.

    See Also
    --------
    evenhand.testing.check_subject : Makes checks.
    """

    name: str
    """The rule, such as ``batch`` or ``direction``."""
    outcome: Outcome
    """Whether it is kept."""
    sentence: str = ""
    """What is wrong, or why it was not asked; empty where the rule is kept."""


@dataclass(frozen=True, slots=True)
class SubjectChecks:
    """All rules, and whether one subject keeps them.

    See Also
    --------
    evenhand.testing.check_subject : Makes them.
    """

    subject: str
    """The name of the subject."""
    checks: tuple[Check, ...]
    """The rules, in the order in which they were asked."""

    def of(self, *outcomes: Outcome) -> tuple[Check, ...]:
        """Return the checks that ended so."""
        return tuple(check for check in self.checks if check.outcome in outcomes)


def check_subject(
    subject: object,
    data: EvaluationSet,
    *,
    rows: int = 64,
    seed: int = 0,
    on_fail: Literal["raise", "warn"] | None = "raise",
) -> SubjectChecks:
    """Check that a model keeps the rules of a subject.

    Parameters
    ----------
    subject : object
        A subject, or any model that `evenhand.audit` takes.
    data : EvaluationSet
        Rows that the model can predict; all of them are predicted once, some of them often.
    rows : int
        How many rows are asked again: alone, in other batches, in another order; drawn by the seed.
    seed : int
        Decides which.
    on_fail : "raise", "warn" or None
        Whether rules that are not kept are an error, a warning each, or only in what is returned. What is reported
        is a warning in the first two cases.

    Returns
    -------
    SubjectChecks
        Each rule with its outcome and a sentence.

    Raises
    ------
    ModelError
        With every rule that is not kept, together; and where the model is none that can be audited.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.testing import check_subject
    >>> data = eh.read_evaluation_set({"x": [0.1, 0.9, 0.4, 0.8], "y": [0, 1, 0, 1]}, label="y")
    >>> check_subject(lambda X: X["x"], data).of("failed", "reported")
    ()
    """
    asked = Asked(proven(as_subject(subject), data), data, rows, seed)
    done: list[Check] = []
    for name, rule in RULES.items():
        broken = {check.name for check in done if check.outcome == "failed"}
        done.append(_checked(name, rule, asked, broken))
    found = SubjectChecks(str(getattr(asked.subject, "name", "")), tuple(done))
    if on_fail is not None:
        for check in found.of("reported", *(("failed",) if on_fail == "warn" else ())):
            warnings.warn(check.sentence, UserWarning, stacklevel=2)
    if on_fail == "raise":
        raise_all(ModelError, (check.sentence for check in found.of("failed")))
    return found


def _checked(name: str, rule: Rule, asked: Asked, broken: Container[str]) -> Check:
    without = next((each for each in FIRST if each in broken), "")
    if without and name not in FIRST:
        return Check(name, "skipped", f"'{without}' failed.")
    if name not in OF_ALL_ROWS and asked.subject.facts.get("kind") == "predictions":
        return Check(name, "skipped", "Predictions without a model answer for their own rows only.")
    outcome: Outcome = "reported" if name in REPORTED else "failed"
    try:
        said = rule(asked)
    except EvenhandError as refused:
        return Check(name, "failed", str(refused))
    except Exception as problem:  # a subject can raise anything
        said, outcome = f"it raises {type(problem).__name__} ({shorten(problem, 200)}) and no ModelError", "failed"
    if not said:
        return Check(name, "passed")
    return Check(name, outcome, f"Subject '{getattr(asked.subject, 'name', '')}', rule '{name}': {said}.")
