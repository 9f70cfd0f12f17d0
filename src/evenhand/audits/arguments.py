"""What `audit` is given: a model, and a table with roles or an evaluation set; whatever else it is, is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from evenhand.data import read_evaluation_set
from evenhand.data.evaluation_set import EvaluationSet
from evenhand.data.reading import read_background
from evenhand.data.roles import RoleSettings
from evenhand.errors import InputError, argument, raise_all
from evenhand.settings import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from evenhand.evidence.options import MetricFunction
    from evenhand.subjects.protocol import OutputKind
    from evenhand.subjects.target import Decide, DeclaredKind

SAID: Final = ("threshold", "score_kind", "output", "positive", "decide")
"""Keywords of `audit` that are about the model's output."""


class AuditSettings(RoleSettings, total=False):
    """Keywords of `audit`: roles of the columns of a table, the model's output, and options of the audits."""

    name: str | None
    threshold: float | None
    score_kind: DeclaredKind | None
    output: OutputKind | None
    decide: Decide | None
    level: float
    seed: int
    intersections: int
    explain: bool
    explain_rows: int
    explain_error: float | None
    background_rows: int
    precise: bool
    budget: float | None
    explain_evaluations: int | None
    explain_average: int
    individuals: int | Sequence[int]
    decision_thresholds: float | Sequence[float]
    slice_rows: int
    map_rows: int
    map_background: int
    map_squares: int
    text_rows: int
    text_evaluations: int
    show_texts: bool
    swap_rows: int
    reason_reference: Literal["mean", "at_threshold"]
    footprint: bool
    everything: bool
    metrics: Mapping[str, MetricFunction]
    group_shares: Mapping[str, Mapping[str, float]]
    group_errors: Mapping[str, Mapping[str, Mapping[str, float]]]
    adjust: Literal["holm", "bh"]
    pooling: bool
    slice_by: str | Sequence[str]
    show_values: bool
    cohorts: Mapping[str, str]
    feature_words: Mapping[str, str]
    actionable: Mapping[str, str]
    templates: str
    scenarios: str | None
    list_lengths: int | Sequence[int]
    history: str | None
    popularity: str | None
    categories: str | None
    privacy_rows: int
    privacy_references: int
    privacy_deep: bool
    privacy_budget: float | None
    privacy_folder: str | None
    exposed_rows: str | None
    train_fn: Callable[..., object] | None
    robustness: bool
    robustness_rows: int
    immutable: Sequence[str] | None
    synonyms: Mapping[str, Sequence[str]] | str | Path
    uncertainty: bool
    coverage: float
    others: Mapping[str, object]
    check_data: bool
    population: Mapping[str, Mapping[str, float]]
    label_noise: float
    label_errors: bool
    annotators: str | Sequence[str]
    votes: str | Sequence[str]
    attack: bool
    attack_budget: float | None
    attack_norm: Literal["linf", "l2"]
    attack_rows: int
    attack_queries: int
    attack_columns: str | Sequence[str]
    counterfactual: Mapping[str, str | Sequence[str]]
    counterfactual_rows: int
    monotone: Mapping[str, str]
    monotone_rows: int
    monotone_points: int
    domains: str | Sequence[str]
    leave_out: bool
    quasi_identifiers: str | Sequence[str]
    least_class: int
    searched_files: str | Sequence[str]
    claimed_epsilon: float | None
    claimed_delta: float
    member_column: str


ROLES: Final = frozenset({*RoleSettings.__annotations__, "name"} - {*SAID})
"""Keywords of `audit` that are about the table."""


def sorted_out(
    settings: Mapping[str, object], options: Iterable[str]
) -> tuple[dict[str, object], dict[str, object], dict[str, object]]:
    """Return the keywords about the table, about the model's output, and about the audits.

    Raises
    ------
    InputError
        For those that are none of these, with the nearest that is.
    """
    known = {*ROLES, *SAID, *options}
    raise_all(InputError, unknown(settings, sorted(known), "audit() knows no argument"))
    given = {name: value for name, value in settings.items() if value is not None}
    parts = [{name: given[name] for name in given if name in names} for names in (ROLES, SAID)]
    return parts[0], parts[1], {name: given[name] for name in given if name not in {*ROLES, *SAID}}


def rows_of(model: object, data: object, roles: Mapping[str, object]) -> EvaluationSet:
    """Return the evaluation set of a table and the roles of its columns; one that is given stays as it is.

    Raises
    ------
    InputError
        When model and data are no model and no table, or roles are given to an evaluation set, which has its own.
    """
    raise_all(InputError, _not_a_model(model, data))
    if not isinstance(data, EvaluationSet):
        raise_all(InputError, [*_not_a_table(data), *_not_a_name(roles)])
        return read_evaluation_set(data, **roles)  # type: ignore[arg-type]
    if roles:
        told = ", ".join(map(argument, roles))
        raise InputError(
            f"{data.name}: {told}: an EvaluationSet has the roles of its columns already. Leave them out, or pass the "
            "table instead."
        )
    return data


def opened(model: object) -> object:
    """Return a model as it is, and that of a folder that transformers wrote where one is named."""
    if not isinstance(model, (str, os.PathLike)) or not os.path.isdir(model):  # noqa: PTH112  # a PathLike is no Path
        return model
    from evenhand.subjects import open_folder

    return open_folder(os.fspath(model))


def background_of(rows: object, data: EvaluationSet, name: str = "background") -> EvaluationSet | None:
    """Return further rows, such as those to explain against, with the roles of the evaluation set."""
    if rows is None or isinstance(rows, EvaluationSet):
        return rows
    raise_all(InputError, _not_a_table(rows, name))
    named = None if isinstance(rows, (str, os.PathLike)) else name
    return read_background(rows, data, named)


def _is_model(thing: object) -> bool:
    return callable(thing) or callable(getattr(thing, "predict", None))


def _is_table(thing: object) -> bool:
    return isinstance(thing, (EvaluationSet, Mapping)) or (hasattr(thing, "columns") and not _is_model(thing))


def _not_a_model(model: object, data: object) -> Iterator[str]:
    """Yield the sentence about a first argument that is a table, a file or predictions."""
    kind = type(model).__name__
    if _is_table(model) and _is_model(data):
        yield f"audit(model, data): the model comes first and the table second; here a {kind} is first. Swap them."
    elif _is_table(model):
        yield (
            f"audit(model, data): the first argument is a {kind}, which is no model. Pass the model first; for a "
            "table of decisions or scores without one, use audit_predictions(y_true, y_pred)."
        )
    elif isinstance(model, (str, os.PathLike)):
        yield f"audit(model, data): '{model}' is a file; open it first: evenhand.open_model({str(model)!r})."
    elif not _is_model(model) and (hasattr(model, "shape") or isinstance(model, (list, tuple))):
        yield (
            f"audit(model, data): the first argument is a {kind} of values, which is no model. For decisions or scores "
            "use audit_predictions(y_true, y_pred)."
        )


def _not_a_table(data: object, name: str = "data") -> Iterator[str]:
    """Yield the sentence about rows that are no table with named columns."""
    shape = tuple(getattr(data, "shape", ()))
    kind = type(data).__name__
    if hasattr(data, "columns") or isinstance(data, (str, os.PathLike, Mapping)):
        return
    if len(shape) == 2:
        yield (
            f"{name}: a {kind} of shape {shape} has no column names, and roles are given by name. Pass a table, "
            "such as pandas.DataFrame(X, columns=[...]) with the label and the groups as columns."
        )
    elif shape or isinstance(data, (list, tuple)):
        yield (
            f"{name} takes a table (a path, or one of pandas, Polars or PyArrow) in which {argument('label')} names "
            f"the column with the truth, not a {kind} of values. For arrays use audit_predictions(y_true, y_pred)."
        )
    elif data is None or _is_model(data):
        yield f"{name} takes a table: a path, or one of pandas, Polars or PyArrow, not a {kind}."
    elif hasattr(data, "__getitem__") and not hasattr(data, "dataset"):
        yield f"{name}: a {kind} is what a model reads: pass it as {argument('inputs')} and its rows as data."


def _not_a_name(roles: Mapping[str, object]) -> Iterator[str]:
    """Yield a sentence for each role that was given the values of a column in place of its name."""
    for role, value in roles.items():
        if role != "inputs" and hasattr(value, "dtype") and hasattr(value, "__len__") and not _is_index(value):
            yield (
                f"{argument(role)} names columns of the table, and was given a {type(value).__name__} of values. Add "
                f"it to the table as a column and pass its name."
            )


def _is_index(value: object) -> bool:
    return type(value).__name__ == "Index"
