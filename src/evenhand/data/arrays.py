"""Making evaluation sets of arrays, to audit predictions alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, cast

from evenhand.data.aligning import common_index, join_columns, refuse_misaligned
from evenhand.data.columns import categorized, named_columns
from evenhand.data.reading import build, chosen_settings
from evenhand.data.roles import ArraySettings, Roles, by_field
from evenhand.data.tables import Table
from evenhand.errors import InputError, argument, quoted, raise_all, shorten
from evenhand.settings import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from evenhand.data.evaluation_set import EvaluationSet


def evaluation_set_from_arrays(
    y_true: object, *, name: str = "data", **settings: Unpack[ArraySettings]
) -> EvaluationSet:
    """Make an evaluation set without model inputs, to audit predictions alone.

    Parameters
    ----------
    y_true : array_like
        (n,) the truth, or (n, L) of several labels of 0 and 1. Arrays, lists, pandas, Polars and PyArrow columns are
        taken.
    name : str
        How sentences call the set.
    **settings
        - ``sensitive_features``, ``control_features``: (n,) or (n, k) arrays, a table or a mapping. Columns without a
          name are called ``sensitive_feature_0`` and so on, as fairlearn does.
        - ``group_probabilities``, a mapping of feature to table: of a sensitive feature that no row names, the
          probability of each row to be of each group, one named column a group.
        - ``sample_weight``: (n,) row weights.
        - ``time`` and ``horizon``: (n,) how long each row was followed, where `y_true` is 1 of an event and 0 of a
          censored row, and by when an event makes a row positive; with ``censoring`` as for `read_evaluation_set`.
        - ``cluster``, ``query``: (n,) what belongs together, and the list an item is part of.
        - ``pos_label``, ``favourable``, ``task``, ``missing``, ``bins``, ``codes``, ``value_labels``: as
          for `read_evaluation_set`.

    Returns
    -------
    EvaluationSet

    Raises
    ------
    InputError
        With every complaint; also when pandas objects have different indexes, because nothing is aligned silently.

    Examples
    --------
    >>> data = evaluation_set_from_arrays([1, 0, 1], sensitive_features={"sex": ["f", "m", "f"]})
    >>> data.y_true.tolist(), data.roles.sensitive_features
    ([1, 0, 1], ('sex',))
    """
    return set_beside(y_true, {}, name, settings)


def _listed(names: object) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(cast("Sequence[str]", names or ()))


def _names_of_columns(name: str, settings: Mapping[str, object]) -> Iterator[str]:
    """Yield the sentence about a feature that was given by the name of a column, where no table is given."""
    for role in ("sensitive_features", "control_features"):
        given = settings.get(role)
        listed = isinstance(given, (list, tuple)) and len(given) == 1
        one = given[0] if listed else given  # type: ignore[index]  # it is a list
        if isinstance(one, str):
            yield (
                f"{name}: {argument(role)} takes columns of values here, such as df[[{quoted(one)}]] or "
                f"{{{quoted(one)}: values}}, and was given a name. Names of columns are for audit(model, table)."
            )


def set_beside(
    y_true: object, beside: Mapping[str, object], name: str, settings: Mapping[str, object]
) -> EvaluationSet:
    """Make an evaluation set of arrays; what is given `beside`, such as predictions, is checked for the same rows."""
    raise_all(InputError, unknown(settings, ArraySettings.__annotations__, "An evaluation set of arrays knows no"))
    settings = by_field(settings)
    given_roles = ("sensitive_features", "control_features", "sample_weight", "cluster", "query", "time")
    clustering = settings.get("task") == "clustering"
    parts = {"y_true": y_true, **{role: settings.get(role) for role in given_roles}}
    if clustering and y_true is not None:
        raise InputError(f"{name}: a clustering has no truth; pass None for y_true, and the clusters as y_pred.")
    if clustering:  # what is known of a row is its cluster
        parts["prediction"] = beside.get("y_pred")
    tables = cast("Mapping[str, object]", settings.get("group_probabilities") or {})
    everything = {**parts, "group_probabilities": tables, "inputs": settings.get("inputs"), **beside}
    raise_all(InputError, _names_of_columns(name, settings))
    refuse_misaligned(name, everything)
    unnamed = {"sensitive_features": "sensitive_feature_0", "control_features": "control_feature_0"}
    unnamed |= {"y_true": "y_true_0"} if settings.get("task") == "multilabel" else {}
    columns = {role: named_columns(part, unnamed.get(role, role), name) for role, part in parts.items()}
    for role in ("sensitive_features", "control_features"):
        columns[role] = {column: categorized(part) for column, part in columns[role].items()}
    chances = {feature: named_columns(table, f"{feature}_0", feature) for feature, table in tables.items()}
    truth, sensitive, control, weight, *_ = columns.values()
    decided = columns.get("prediction", {})
    together = {**columns["cluster"], **columns["query"], **columns["time"]}  # the first two may be the same column
    followed = bool(columns["time"])
    likely = {column: part for several in chances.values() for column, part in several.items()}
    given = [*truth, *decided, *sensitive, *control, *weight, *together, *likely]
    twice = [column for column in dict.fromkeys(given) if given.count(column) > 1]
    if twice:
        raise InputError(f"{name}: columns of the same name are given twice: {', '.join(map(shorten, twice))}.")
    frame = join_columns(name, {**truth, **decided, **sensitive, **control, **weight, **together, **likely})
    if not len(frame):
        raise InputError(f"{name}: {'y_pred' if clustering else 'y_true'} has no rows.")
    roles = Roles(
        label=next(iter(truth)) if len(truth) == 1 and not followed else None,
        time=next(iter(columns["time"]), None),
        event=next(iter(truth)) if followed else None,
        labels=tuple(truth) if len(truth) > 1 else (),
        proxies={feature: tuple(columns) for feature, columns in chances.items()},
        query=next(reversed(columns["query"]), None),
        prediction=next(iter(decided), None),
        cluster=next(iter(columns["cluster"]), None),
        positive=settings.get("positive"),
        favourable=settings.get("favourable"),
        sensitive_features=tuple(sensitive),
        control_features=tuple(control),
        sample_weight=next(iter(weight), None),
        codes=_listed(settings.get("codes")),
        value_labels=settings.get("value_labels") or {},  # type: ignore[arg-type]
        exclude=tuple(control),
    )
    return build(
        Table(name, frame, {"source": "arrays"}, common_index(everything)), roles, chosen_settings(settings)[1]
    )
