"""Making evaluation sets: from a file or table, or from arrays; all that is wrong with the input is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from evenhand.data.evaluation_set import EvaluationSet
from evenhand.data.labels import read_label, read_labels
from evenhand.data.roles import Roles, names
from evenhand.data.tables import Table, as_series, from_columns, read_table, refuse_other_index
from evenhand.data.validating import (
    Bins,
    Missing,
    check_scores,
    column_problems,
    feature_problems,
    frequency_problems,
    key_problems,
    prediction_problems,
    weight_problems,
)
from evenhand.errors import InputError, did_you_mean, raise_all, shorten
from evenhand.findings import Task

if TYPE_CHECKING:
    from evenhand.findings import Plain


def read_evaluation_set(
    source: object,
    *,
    label: str | None = None,
    task: Task | None = None,
    positive: object = None,
    favourable: object = None,
    sensitive_features: str | Sequence[str] = (),
    control_features: str | Sequence[str] = (),
    sample_weight: str | None = None,
    frequency: str | None = None,
    squared_weight: str | None = None,
    id: str | None = None,
    query: str | None = None,
    cluster: str | None = None,
    prediction: str | None = None,
    score: str | None = None,
    original_prediction: str | None = None,
    original_score: str | None = None,
    proxies: Mapping[str, Sequence[str]] | None = None,
    exclude: str | Sequence[str] = (),
    use_sensitive: bool | None = None,
    missing: Missing | None = None,
    bins: Bins | None = None,
    like: EvaluationSet | None = None,
    name: str | None = None,
) -> EvaluationSet:
    """Read a table and say what its columns are.

    Parameters
    ----------
    source : path, pandas, Polars or PyArrow table, or mapping of column names to arrays
        Paths end in .csv, .tsv, .jsonl, .ndjson (each also with .gz), .parquet or .feather. In a sensitive or control
        column of a delimited file only the empty field is missing: "NA" and "None" are values there. In every other
        column the words that pandas takes for a missing value are missing.
    label : str
        The column of the truth.
    task : {"binary", "multiclass", "regression", "ranking"}, optional
        What the label is. Two values are two classes, and more than two texts are several classes, when not given.
    positive : object, optional
        The value of the label that is the positive class. By default the greater of {0, 1}, {-1, 1} and booleans, and
        the favourable value of any other label.
    favourable : object, optional
        The value of the label that is good for the person. "1" is understood as 1.
    sensitive_features, control_features : str or sequence of str
        Columns that make the groups, and columns within whose values groups are compared.
    frequency : str, optional
        The column that says for how many rows each row stands: the table is one of counts, such as a GROUP BY gives.
        Scores in it are those of each row it stands for, weights are their sums.
    squared_weight : str, optional
        In a table of counts of weighted rows, the column of sums of squared weights.
    sample_weight, id, query, cluster, prediction, score : str, optional
        Columns of weights, of row or person names, of the list an item stands in, of what belongs together, of
        decisions, of scores.
    original_prediction, original_score : str, optional
        Columns of the decisions, and of the scores, of the model before compression.
    proxies : mapping of name to columns, optional
        A sensitive feature that no row names, by the probability to be of each of its groups:
        ``{"race": ["p_black", "p_white"]}``.
    exclude : str or sequence of str
        Columns that are never model inputs.
    use_sensitive : bool, default False
        Whether sensitive features are model inputs.
    missing : {"error", "group"}, default "error"
        Whether missing values of sensitive and control features are refused, or make the group "(missing)".
    bins : mapping of column to edges, optional
        Makes groups of a numeric feature: ``{"age": [25, 40, 60]}`` gives ``<25``, ``25-39``, ``40-59``, ``>=60``.
    like : EvaluationSet, optional
        Take every role from that set; what is named here wins. Its inputs must be there; other columns are no inputs.
    name : str, optional
        How sentences call the set; the file's name by default.

    Returns
    -------
    EvaluationSet

    Raises
    ------
    InputError
        With every complaint about the input, one sentence each.

    Examples
    --------
    >>> data = {"approve": [1, 0, 1, 1], "sex": ["F", "F", "M", "M"], "income": [31, 20, 42, 56]}
    >>> small = read_evaluation_set(data, label="approve", sensitive_features="sex")
    >>> small.features, small.grouping("sex").names
    (('income',), ('F', 'M'))
    """
    roles = Roles(
        label=label,
        positive=positive,
        favourable=favourable,
        sensitive_features=names(sensitive_features, "sensitive_features"),
        control_features=names(control_features, "control_features"),
        sample_weight=sample_weight,
        frequency=frequency,
        squared_weight=squared_weight,
        id=id,
        query=query,
        cluster=cluster,
        prediction=prediction,
        score=score,
        original_prediction=original_prediction,
        original_score=original_score,
        proxies=tuple((feature, tuple(columns)) for feature, columns in (proxies or {}).items()),
        exclude=names(exclude, "exclude"),
    )
    roles = roles if like is None else _merge(roles, like.roles)
    table = read_table(source, name, (*roles.sensitive_features, *roles.control_features))
    problems: list[str] = []
    if like is not None:
        roles = replace(roles, exclude=_excluded(table, roles, like, names(exclude, "exclude")))
        problems = _absent_inputs(table, roles, like)
        missing = missing or like.missing
        bins = like.bins if bins is None else bins
        use_sensitive = like.use_sensitive if use_sensitive is None else use_sensitive
        task = task or (like.task if roles.label == like.roles.label else None)
    return build(
        table,
        roles,
        task=task,
        missing=missing or "error",
        bins=bins or {},
        use_sensitive=bool(use_sensitive),
        problems=problems,
    )


def evaluation_set_from_arrays(
    y_true: object,
    *,
    sensitive_features: object = None,
    control_features: object = None,
    group_probabilities: Mapping[str, object] | None = None,
    sample_weight: object = None,
    cluster: object = None,
    query: object = None,
    task: Task | None = None,
    positive: object = None,
    favourable: object = None,
    missing: Missing = "error",
    bins: Bins | None = None,
    name: str = "data",
) -> EvaluationSet:
    """Make an evaluation set without model inputs, to audit predictions alone.

    Parameters
    ----------
    y_true : array_like
        (n,) the truth, or (n, L) of several labels of 0 and 1. Arrays, lists, pandas, Polars and PyArrow columns are
        taken.
    sensitive_features, control_features : array_like, table or mapping, optional
        (n,) or (n, k). Columns without a name are called ``sensitive_feature_0`` and so on, as fairlearn does.
    group_probabilities : mapping of feature to table, optional
        A sensitive feature that no row names: for each row the probability to be of each group, one named column a
        group.
    sample_weight : array_like, optional
        (n,) row weights.
    cluster, query : array_like, optional
        (n,) what belongs together, and the list an item stands in.
    task, positive, favourable, missing, bins, name
        As for `read_evaluation_set`.

    Raises
    ------
    InputError
        With every complaint; also when pandas objects have different indexes, because nothing is aligned silently.
    """
    parts = {"y_true": y_true, "sensitive_features": sensitive_features, "control_features": control_features}
    parts |= {"sample_weight": sample_weight, "cluster": cluster, "query": query}
    refuse_other_index(name, parts)
    truth = _columns(y_true, "y_true_0" if task == "multilabel" else "y_true", name)
    label = next(iter(truth))
    sensitive = _columns(sensitive_features, "sensitive_feature_0", name)
    control = _columns(control_features, "control_feature_0", name)
    weight = _columns(sample_weight, "sample_weight", name)
    chances = {name: _columns(table, f"{name}_0", name) for name, table in (group_probabilities or {}).items()}
    more = {**_columns(cluster, "cluster", name), **_columns(query, "query", name)}
    likely = {column: part for columns in chances.values() for column, part in columns.items()}
    given = [*truth, *sensitive, *control, *weight, *more, *likely]
    twice = [column for column in dict.fromkeys(given) if given.count(column) > 1]
    if twice:
        raise InputError(f"{name}: columns of the same name are given twice: {', '.join(map(shorten, twice))}.")
    frame = from_columns(name, {**truth, **sensitive, **control, **weight, **more, **likely})
    if not len(frame):
        raise InputError(f"{name}: y_true has no rows.")
    roles = Roles(
        label=label if len(truth) == 1 else None,
        labels=tuple(truth) if len(truth) > 1 else (),
        proxies=tuple((feature, tuple(columns)) for feature, columns in chances.items()),
        query=None if query is None else list(more)[-1],
        cluster=None if cluster is None else next(iter(more)),
        positive=positive,
        favourable=favourable,
        sensitive_features=tuple(sensitive),
        control_features=tuple(control),
        sample_weight=next(iter(weight), None),
        exclude=tuple(control),
    )
    return build(Table(name, frame, {"source": "arrays"}), roles, task=task, missing=missing, bins=bins or {})


def build(
    table: Table,
    roles: Roles,
    *,
    task: Task | None = None,
    missing: Missing = "error",
    bins: Bins | None = None,
    use_sensitive: bool = False,
    problems: Sequence[str] = (),
) -> EvaluationSet:
    """Check a table against its roles and make the set; `problems` found before are told along with the rest."""
    if missing not in ("error", "group"):
        raise InputError(f'{table.name}: missing takes "error" or "group", not {missing!r}.')
    if task is not None and task not in get_args(Task):
        raise InputError(f"{table.name}: there is no task {task!r}; known are {', '.join(get_args(Task))}.")
    name, frame, bins = table.name, table.frame, dict(bins or {})
    found = [*problems, *column_problems(name, frame, roles), *feature_problems(name, frame, roles, missing, bins)]
    label = None
    if roles.labels:
        label, wrong = read_labels(name, frame[list(roles.labels)])
        found += wrong
    elif roles.label is not None and roles.label in frame:
        label, wrong = read_label(name, frame[roles.label], roles.positive, roles.favourable, task)
        found += wrong
    if task == "ranking" and roles.query is None:
        found.append(f"{name}: ranking needs the column that names the list of each item (query=).")
    found += _column_complaints(name, frame, roles, label.classes if label and label.classes else None)
    if roles.frequency is not None and label is not None and label.task not in ("binary", "multiclass"):
        found.append(f"{name}: a table of counts holds classes; '{shorten(roles.label)}' is one of {label.task}.")
    raise_all(InputError, dict.fromkeys(found))
    assert label is not None  # a label that was not understood has raised its complaint
    if label.task == "binary":
        roles = replace(roles, positive=label.classes[1], favourable=label.favourable)
    return EvaluationSet(
        name=name,
        table=frame,
        roles=roles,
        y_true=label.y_true,
        missing=missing,
        provenance=_provenance(table, roles, missing),
        classes=label.classes,
        task=label.task,
        use_sensitive=use_sensitive,
        bins=bins,
    )


def _column_complaints(name: str, frame: pd.DataFrame, roles: Roles, classes: tuple[object, ...] | None) -> list[str]:
    found: list[str] = []
    if roles.sample_weight in frame:
        found += weight_problems(name, frame[roles.sample_weight])
    if roles.frequency in frame:
        found += frequency_problems(name, roles, frame[roles.frequency])
    for role in ("id", "cluster", "query"):
        column = getattr(roles, role)
        if column in frame:
            found += key_problems(name, frame[column], role)
    for decided in (roles.prediction, roles.original_prediction):
        if decided in frame and classes is not None:
            found += prediction_problems(name, frame[decided], classes)
    for score in (roles.score, roles.original_score):
        if score in frame:
            # whether a score must lie in [0, 1] is the audit's to say: decile scores rank
            found += check_scores(_numbers(frame[score]), "ranking", name=f"{name}: scores '{shorten(score)}'")
    return found


def _numbers(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=np.float64, na_value=np.nan) if _numeric(column) else column.to_numpy(dtype=object)


def _numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _merge(roles: Roles, other: Roles) -> Roles:
    """Fill what `roles` leaves open from `other`."""
    given = {field: getattr(roles, field) for field in Roles.__dataclass_fields__}
    filled = {field: value for field, value in given.items() if value is not None and value != ()}
    if roles.label is not None and roles.label != other.label:
        other = replace(other, positive=None, favourable=None)  # the values of another label
    return replace(other, **filled)


def _excluded(table: Table, roles: Roles, like: EvaluationSet, given: tuple[str, ...]) -> tuple[str, ...]:
    known = set(like.table.columns)
    new = [str(column) for column in table.frame.columns if column not in known]
    copied = [column for column in like.roles.exclude if column in table.frame]
    named = {column for _, column in roles.named()}
    return tuple(dict.fromkeys((*given, *copied, *(column for column in new if column not in named))))


def _absent_inputs(table: Table, roles: Roles, like: EvaluationSet) -> list[str]:
    columns = [str(column) for column in table.frame.columns]
    named = {column for _, column in roles.named()}
    absent = [column for column in like.features if column not in table.frame and column not in named]
    return [
        f"{table.name}: there is no column '{shorten(column)}', which is an input in {like.name}."
        + did_you_mean(column, columns)
        for column in absent
    ]


def _columns(values: object, unnamed: str, name: str) -> dict[str, object]:
    """Return the columns of whatever was given, by name."""
    if values is None:
        return {}
    if isinstance(values, Mapping):
        return {str(column): part for column, part in values.items()}
    if isinstance(values, pd.DataFrame):
        _refuse_repeats(name, [str(column) for column in values.columns])
        return {str(column): values.iloc[:, at] for at, column in enumerate(values.columns)}
    frame = getattr(values, "columns", None)
    if frame is not None and not isinstance(values, pd.Series):
        table = read_table(values, name).frame
        return {str(column): table[column] for column in table.columns}
    array = np.asarray(values, dtype=object) if isinstance(values, (list, tuple)) else values
    if isinstance(array, np.ndarray) and array.ndim == 2 and unnamed.endswith("_0"):
        return {f"{unnamed[:-1]}{at}": pd.Series(array[:, at]).infer_objects() for at in range(array.shape[1])}
    series = as_series(values, f"{name}: {unnamed.removesuffix('_0')}")
    return {unnamed if series.name in (None, "") else str(series.name): series}


def _refuse_repeats(name: str, columns: list[str]) -> None:
    twice = [column for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if twice:
        raise InputError(f"{name}: column names stand in the table more than once: {', '.join(map(shorten, twice))}.")


def _provenance(table: Table, roles: Roles, missing: Missing) -> dict[str, Plain]:
    features = dict.fromkeys((*roles.sensitive_features, *roles.control_features))
    counts: dict[str, Plain] = {c: n for c in features if (n := int(table.frame[c].isna().sum()))}
    return {
        **table.provenance,
        "rows": len(table.frame),
        "columns": len(table.frame.columns),
        "roles": roles.to_plain(),
        "missing": missing,
        "missing_values": counts,
    }
