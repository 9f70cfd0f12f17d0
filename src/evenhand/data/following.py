"""Evaluation sets of follow-up that may end before the event: at a horizon they are sets of two classes.

The label is the event by the horizon. Rows censored before it have no label that is known: they are taken out of the
rows and kept beside them, and the others are weighted by the inverse of their chance to be known, so that they stand
for all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from evenhand.data.evaluation_set import FollowUp
from evenhand.data.horizon import Horizon
from evenhand.data.validating import LEAST_WEIGHT
from evenhand.data.values import absence, distinct
from evenhand.errors import InputError, argument, raise_all, shorten
from evenhand.product_limit import Censoring, strata_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data.evaluation_set import EvaluationSet
    from evenhand.data.horizon import CensoringCurve
    from evenhand.data.roles import Reading, Roles
    from evenhand.findings import Plain

ASKED: Final = {
    "time": "how long was each row followed?",
    "event": "did the event end the follow-up of a row (1), or was it censored (0)?",
    "horizon": "by when does an event make a row positive?",
}
"""What is open while one of the three is absent."""


def is_followed(roles: Roles, reading: Reading) -> bool:
    """Return whether any of time, event and horizon is declared."""
    return not (roles.time is None and roles.event is None and reading.horizon is None)


def follow_up_problems(name: str, table: pd.DataFrame, roles: Roles, reading: Reading) -> Iterator[str]:
    """Yield complaints about what is declared of follow-up, and about the times."""
    given = {"time": roles.time, "event": roles.event, "horizon": reading.horizon}
    absent = [role for role, value in given.items() if value is None]
    if absent:
        there = [argument(role) for role in given if role not in absent]
        verb, needed = "is" if len(there) == 1 else "are", " and ".join(argument(role) for role in absent)
        yield f"{name}: {' and '.join(there)} {verb} of no use without {needed}: {ASKED[absent[0]]}"
    if roles.label is not None or roles.labels:
        yield f"{name}: the label is made of {argument('time')} and {argument('event')}; leave out {argument('label')}."
    for role in ("frequency", "stratum_share", "query"):
        if getattr(roles, role) is not None:
            yield f"{name}: rows are followed one by one, and {argument(role)} says otherwise; leave it out."
    if reading.task not in (None, "binary"):
        yield f"{name}: at a horizon there are two classes; leave out {argument('task', reading.task)}."
    if roles.time in table:
        yield from _time_problems(f"{name}: time '{shorten(roles.time)}'", table[roles.time])


def event_problems(name: str, table: pd.DataFrame, roles: Roles) -> Iterator[str]:
    """Yield a complaint about a column of events that has more than two values, such as competing events."""
    if roles.event in table and len(values := distinct(table[roles.event])) > 2:
        where = f"{name}: event '{shorten(roles.event)}' has {len(values):,} different values"
        yield f"{where}; make it 1 where the event ended the follow-up, and 0 where the row was censored."


def _time_problems(where: str, times: pd.Series) -> Iterator[str]:
    if not pd.api.types.is_numeric_dtype(times.dtype):
        yield f"{where} is no number; count days, months or years."
        return
    yield from absence(f"{where} has", times, "Drop the rows.")
    numbers = times.dropna().to_numpy(dtype=np.float64)
    if wrong := int((~np.isfinite(numbers) | (numbers < 0)).sum()):
        yield f"{where} is below 0 or infinite in {wrong:,} of {len(times):,} rows; mend or drop the rows."


def of_events(roles: Roles) -> Roles:
    """Return the roles of all rows, whose label is the event."""
    return roles if roles.event is None else replace(roles, label=roles.event, event=None)


def at_horizon(everyone: EvaluationSet, horizon: float, curve: CensoringCurve) -> EvaluationSet:
    """Return the rows whose outcome by the horizon is known, as a weighted set of two classes.

    Parameters
    ----------
    everyone : EvaluationSet
        All rows, with a time; their label is the event.
    horizon : float
        By when an event makes a row positive; who is followed to it and has none is negative.
    curve : "by group" or "overall"
        Whose censoring curve gives the weights.

    Raises
    ------
    InputError
        When nobody, or nobody of a group, was followed to the horizon, or nobody had the event by then.
    """
    roles, table = everyone.roles, everyone.table
    times, events = table[roles.time].to_numpy(dtype=np.float64), everyone.y_true == 1
    raise_all(InputError, _horizon_problems(everyone, times, events, horizon))
    grouped = curve == "by group" and roles.sensitive_features
    codes = everyone.grouping(*roles.sensitive_features).codes if grouped else np.zeros(len(times), dtype=np.intp)
    censoring = Censoring.of(times, events, strata_of(codes, times, horizon), everyone.sample_weight)
    known, positive = (times >= horizon) | events, events & (times <= horizon)
    declared = everyone.sample_weight
    one = np.ones(len(times)) if declared is None else declared
    weight = one * censoring.weights(times, events, horizon)
    label = _unused(f"{roles.label} by {horizon:g}", table)
    counted = _unused("weight under censoring", table)
    rows = np.flatnonzero(known)
    taken = everyone.take(rows)
    values = np.array(everyone.classes, dtype=object)[positive[rows].astype(np.intp)]
    more = {label: pd.Series(list(values)), counted: np.maximum(weight[rows], LEAST_WEIGHT * (one[rows] > 0))}
    spared = () if roles.sample_weight is None else (roles.sample_weight,)
    named = replace(roles, label=label, event=roles.label, sample_weight=counted, exclude=(*roles.exclude, *spared))
    followed = {**_told(horizon, curve, times, events, known), "weight": roles.sample_weight}
    told: dict[str, Plain] = {"roles": named.to_plain(), "follow_up": followed}
    return replace(
        taken,
        table=taken.table.assign(**more),
        roles=named,
        y_true=positive[rows].astype(np.int8),
        provenance={**taken.provenance, **told},
        horizon=Horizon(float(horizon), curve, roles.sample_weight),
        follow_up=FollowUp(everyone, known, censoring),
    )  # fmt: skip


def as_read(data: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings that the rows of a record were read with, where they were followed in time; else none.

    Parameters
    ----------
    data : mapping
        What the record's provenance says of the rows.
    """
    told = cast("Mapping[str, object]", data.get("follow_up") or {})
    if not told:
        return {}
    made: dict[str, Any] = {"label": None, "sample_weight": told.get("weight")}
    roles = cast("Mapping[str, object]", data.get("roles") or {})
    more = {name: told.get(name) for name in ("horizon", "censoring")}
    return made | more | {name: roles.get(name) for name in ("time", "event")}


def _told(
    horizon: float, curve: str, times: NDArray[np.float64], events: NDArray[np.bool_], known: NDArray[np.bool_]
) -> dict[str, Plain]:
    return {
        "horizon": float(horizon), "censoring": curve, "rows": len(times),
        "events": int((events & (times <= horizon)).sum()), "censored_before": int((~known).sum()),
    }  # fmt: skip


def _horizon_problems(
    everyone: EvaluationSet, times: NDArray[np.float64], events: NDArray[np.bool_], horizon: float
) -> Iterator[str]:
    name, given = everyone.name, argument("horizon", horizon)
    if not (times >= horizon).any():
        last = f"times end at {times.max():g}"
        yield f"{name}: nobody was followed to the horizon ({given}); {last}. Give an earlier one."
        return
    if not (events & (times <= horizon)).any():
        yield f"{name}: nobody had the event by the horizon ({given}). Give a later one."
    if not (~events | (times > horizon))[times >= horizon].any():
        yield f"{name}: everybody had the event by the horizon ({given}). Give an earlier one."
    for column in everyone.roles.sensitive_features:
        grouping = everyone.grouping(column)
        for group in range(len(grouping)):
            rows = grouping.codes == group
            last = times[rows].max()
            if last < horizon and not events[rows & (times == last)].all():
                yield (
                    f"{name}: nobody of {shorten(column)}={shorten(grouping.name(group))} was followed to the horizon "
                    f"({given}); times of that group end at {last:g}. Give an earlier one, or leave the group out."
                )


def _unused(name: str, table: pd.DataFrame) -> str:
    while name in table:
        name += " (evenhand)"
    return name
