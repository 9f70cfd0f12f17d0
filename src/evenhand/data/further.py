"""Roles of further rows: those of a set that is already there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenhand.data.roles import Roles
from evenhand.data.validating import texts_of
from evenhand.errors import argument, did_you_mean, shorten

if TYPE_CHECKING:
    from evenhand.data.evaluation_set import EvaluationSet
    from evenhand.data.roles import Bins, Reading
    from evenhand.data.tables import Table


def declared(like: EvaluationSet, reading: Reading) -> Roles:
    """Return the roles of a set as they were declared; those of follow-up only for other rows at a horizon."""
    if like.horizon is None:
        return like.roles
    roles = like.horizon.declared(like.roles)
    return roles if reading.horizon is not None else replace(roles, time=None, event=None)


def merge(roles: Roles, other: Roles) -> Roles:
    """Fill what `roles` leaves open from `other`."""
    given = {field: getattr(roles, field) for field in Roles.__dataclass_fields__}
    filled = {field: value for field, value in given.items() if value is not None and value not in ((), {})}
    if other.cluster == other.id:
        other = replace(other, cluster=None)  # it is one where ids repeat, and these may not
    if roles.label is not None and roles.label != other.label:
        other = replace(other, positive=None, favourable=None)  # the values of another label
    return replace(other, **filled)


def occurring(table: Table, roles: Roles, bins: Bins) -> Roles:
    """Return the roles without names of values that do not occur: another set of the same roles may lack them."""
    kept = {}
    for column, names in roles.value_labels.items():
        texts = texts_of(table.frame[column], bins.get(column)) if column in table.frame else ()
        kept[column] = {value: name for value, name in names.items() if value in texts}
    return replace(roles, value_labels=kept)


def excluded(table: Table, roles: Roles, like: EvaluationSet, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that further rows are to leave out: those that were left out, and new ones."""
    known = set(like.table.columns)
    new = [str(column) for column in table.frame.columns if column not in known]
    copied = [column for column in like.roles.exclude if column in table.frame]
    named = {column for _, column in roles.named()}
    return tuple(dict.fromkeys((*given, *copied, *(column for column in new if column not in named))))


def absent_inputs(table: Table, roles: Roles, like: EvaluationSet, inputs: object) -> list[str]:
    """Return the complaints about inputs of a set that further rows lack."""
    if like.held is not None:
        given = inputs is not None or roles.images is not None or roles.texts is not None
        said = f"{table.name}: {like.name} holds {like.held.kind}; pass {argument('inputs')} with those of these rows."
        return [] if given else [said]
    columns = [str(column) for column in table.frame.columns]
    named = {column for _, column in roles.named()}
    absent = [column for column in like.features if column not in table.frame and column not in named]
    return [
        f"{table.name}: there is no column '{shorten(column)}', which is an input in {like.name}."
        + did_you_mean(column, columns)
        for column in absent
    ]
