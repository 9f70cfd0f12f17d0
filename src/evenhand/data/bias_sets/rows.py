"""What a language model chose, as an evaluation set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.labels import Label
from evenhand.data.reading import build
from evenhand.data.roles import Reading, Roles
from evenhand.data.tables import Table
from evenhand.errors import InputError, argument, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data.bias_sets.choices import BiasSet, Measure
    from evenhand.data.evaluation_set import EvaluationSet
    from evenhand.findings import Plain

WORDS: Final[dict[Measure, tuple[str, str]]] = {
    "accuracy": ("wrong", "right"), "stereotype_rate": ("other", "stereotype"),
}  # fmt: skip
"""What choices are called: others, and the wanted one."""
EXPECTED, CHOSEN, ORIGINAL, CLUSTER = "counted", "chosen", "original chosen", "source"
USED: Final = ("sensitive_features", "control_features", "cluster", "exclude")
"""Roles that a bias set has a use for."""


def rows_of(
    found: BiasSet,
    chosen: NDArray[np.intp],
    original: NDArray[np.intp] | None = None,
    *,
    roles: Roles | None = None,
    reading: Reading | None = None,
    said: dict[str, Plain] | None = None,
    name: str | None = None,
) -> EvaluationSet:
    """Return one row a choice: whether the wanted text was the likeliest.

    Parameters
    ----------
    found : BiasSet
        The set.
    chosen, original : (n,) int
        The position of the text that the model, and its original, found the likeliest; -1 where two were equally so.
        Such rows are left out.
    roles, reading : Roles, Reading, optional
        Groups and cluster; those of the set when absent.
    said : mapping, optional
        More that is told on record.
    name : str, optional
        Name of the set in sentences; the file's by default.

    Returns
    -------
    EvaluationSet

    Raises
    ------
    InputError
        When the set has no such field, or the model tells no text from another.
    """
    roles = roles or Roles()
    idle = [role for role in Roles.__dataclass_fields__ if role not in USED and getattr(roles, role)]
    raise_all(InputError, (f"A bias set has no use for {argument(role)}; leave it out." for role in idle))
    told = np.asarray(chosen >= 0 if original is None else (chosen >= 0) & (original >= 0))
    if not told.any():
        raise InputError(
            f"{found.name}: the model finds all texts of each choice equally likely; it tells nothing apart."
        )
    frame = _frame(found, np.flatnonzero(told), chosen, original)
    known = [str(column) for column in frame if column not in (EXPECTED, CHOSEN, ORIGINAL)]
    wanted = (*roles.sensitive_features, *roles.control_features, *((roles.cluster,) if roles.cluster else ()))
    problems = list(_unknown(found.name, known, wanted))
    groups = roles.sensitive_features or tuple(each for each in found.groups if each not in roles.control_features)
    roles = replace(
        roles, label=EXPECTED, prediction=CHOSEN, original_prediction=None if original is None else ORIGINAL,
        positive=WORDS[found.measure][1], sensitive_features=groups,
        cluster=roles.cluster or (CLUSTER if CLUSTER in frame else None), exclude=(*roles.exclude, *known),
    )  # fmt: skip
    table = Table(name or found.name, frame, _about(found, told, said or {}), None)
    label = Label(np.ones(len(frame), dtype=np.int8), WORDS[found.measure], None)
    return replace(build(table, roles, reading or Reading(), problems, label=label), graded=found.measure)


def _frame(
    found: BiasSet, kept: NDArray[np.intp], chosen: NDArray[np.intp], original: NDArray[np.intp] | None
) -> pd.DataFrame:
    choices, words = [found.choices[at] for at in kept], WORDS[found.measure]
    wanted = np.array([each.wanted for each in choices])
    columns: dict[str, object] = {field: [each.fields[field] for each in choices] for field in choices[0].fields}
    if any(each.cluster for each in choices):
        columns[CLUSTER] = [each.cluster for each in choices]
    columns[EXPECTED] = words[1]
    columns[CHOSEN] = np.where(chosen[kept] == wanted, words[1], words[0])
    if original is not None:
        columns[ORIGINAL] = np.where(original[kept] == wanted, words[1], words[0])
    return pd.DataFrame(columns)


def _unknown(name: str, known: list[str], wanted: tuple[str, ...]) -> Iterator[str]:
    for field in dict.fromkeys(wanted):
        if field not in known:
            hint = did_you_mean(field, known)
            yield f"{name}: this bias set has no '{shorten(field)}'; it has {', '.join(known)}.{hint}"


def _about(found: BiasSet, told: NDArray[np.bool_], said: dict[str, Plain]) -> dict[str, Plain]:
    about: dict[str, Plain] = {
        **found.source, "bias_set": {"set": found.kind, **said},
    }  # fmt: skip
    if dropped := int((~told).sum()):
        about |= {"rows_in_source": len(told), "rows_dropped": dropped}
        about["rows_dropped_because"] = f"a model finds their texts equally likely, in {dropped:,} choices"
    return about
