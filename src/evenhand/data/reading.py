"""Making evaluation sets: from a file or table, or from arrays; all that is wrong with the input is raised at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

import numpy as np
import pandas as pd

from evenhand.data.aligning import refuse_misaligned
from evenhand.data.columns import plain_values
from evenhand.data.counted import name_decisions, threshold_of, uncounted
from evenhand.data.evaluation_set import EvaluationSet
from evenhand.data.following import at_horizon, event_problems, follow_up_problems, is_followed, of_events
from evenhand.data.further import absent_inputs, declared, excluded, merge, occurring
from evenhand.data.labels import label_of
from evenhand.data.opening import open_inputs
from evenhand.data.roles import Reading, Roles, RoleSettings, by_field
from evenhand.data.tables import AsText, Table, read_table
from evenhand.data.transcripts import heard_problems
from evenhand.data.validating import (
    check_scores,
    column_problems,
    feature_problems,
    frequency_problems,
    key_problems,
    label_problems,
    prediction_problems,
    stratum_problems,
    weight_problems,
)
from evenhand.data.values import distinct, match
from evenhand.errors import InputError, argument, raise_all, shorten
from evenhand.settings import settings_of, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenhand.data.labels import Label
    from evenhand.findings import Plain

SPARE: Final = frozenset(
    {"sample_weight", "frequency", "squared_weight", "stratum_share", "id", "cluster", "prediction", "score",
     "original_prediction", "original_score"}
)  # fmt: skip
"""Roles whose columns further rows may lack."""


def read_evaluation_set(
    source: object,
    *,
    roles: Roles | None = None,
    like: EvaluationSet | None = None,
    name: str | None = None,
    **settings: Unpack[RoleSettings],
) -> EvaluationSet:
    """Read a table with the roles of its columns.

    Parameters
    ----------
    source : path, pandas, Polars or PyArrow table, or mapping of column names to arrays
        Paths end in .csv, .tsv, .jsonl, .ndjson (each also with .gz), .parquet or .feather. In a sensitive or control
        column of a delimited file only the empty field is missing: "NA" and "None" are values there. In every other
        column the words that pandas takes for a missing value are missing. Groups, labels and ids of such a file are
        what is written: "01" and "1" are two groups.
    roles : Roles, optional
        The roles of the columns; single roles given as keywords win.
    like : EvaluationSet, optional
        Take every role from that set; keywords win. Its inputs must be there; other columns are not inputs.
    name : str, optional
        The name of the set in messages; the file's name by default.
    **settings
        The fields of `Roles`, such as ``label="approve"`` and ``sensitive_features=["sex"]``, and those of `Reading`:
        ``task``, ``missing``, ``bins`` and ``use_sensitive``. Model inputs outside the table are ``inputs``: an
        array (n, ...), texts, lists of token ids or mappings, a data set or loader of PyTorch, or the path of a file
        (.npy, .txt); or is named by ``images`` or ``texts``. Files are read batch by batch.

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
    return _read(source, roles, like, name, settings)


def read_background(source: object, like: EvaluationSet, name: str | None = None) -> EvaluationSet:
    """Read rows to explain against, with the roles of an evaluation set; they need neither label nor groups.

    Raises
    ------
    InputError
        When model inputs are absent, and with every complaint about a label and groups that are there.
    """
    return _read(source, None, like, name, {}, inputs_suffice=True)


def _read(
    source: object,
    roles: Roles | None,
    like: EvaluationSet | None,
    name: str | None,
    settings: Mapping[str, object],
    inputs_suffice: bool = False,
) -> EvaluationSet:
    raise_all(InputError, unknown(settings, RoleSettings.__annotations__, "An evaluation set knows no"))
    chosen, reading = chosen_settings(settings, like)
    named = (roles or Roles()).updated(chosen)
    roles = named if like is None else merge(named, declared(like, reading))
    refuse_misaligned(name or "data", {"the table": source, "inputs": reading.inputs})
    table = read_table(source, name, _as_text(roles, reading))
    problems: list[str] = []
    if like is not None:
        roles = replace(roles, exclude=excluded(table, roles, like, named.exclude))
        roles = roles if named.value_labels else occurring(table, roles, reading.bins)
        problems = absent_inputs(table, roles, like, reading.inputs)
        if reading.task is None and roles.label == like.roles.label:
            reading = replace(reading, task=like.task)
        if inputs_suffice:
            roles = _without_spare(table, roles)
        absent = any(column not in table.frame for _, column in roles.named())
        if inputs_suffice and (absent or like.horizon is not None):
            raise_all(InputError, problems)
            return _inputs_alone(table, roles, like)
    folder = Path(source).parent if isinstance(source, (str, os.PathLike)) else Path()
    return build(table, roles, reading, problems, folder)


def _without_spare(table: Table, roles: Roles) -> Roles:
    """Return the roles without those that further rows may lack and still have a truth and groups."""
    absent: dict[str, Any] = {
        role: None for role, column in roles.named() if role in SPARE and column not in table.frame
    }
    proxies = {name: columns for name, columns in roles.proxies.items() if all(each in table.frame for each in columns)}
    return replace(roles, proxies=proxies, **absent)


def _inputs_alone(table: Table, roles: Roles, like: EvaluationSet) -> EvaluationSet:
    """Return rows of which only the model inputs are known: their truth means nothing, and is of no column."""
    truth = [column for column in (roles.label, *roles.labels) if column is not None and column in table.frame]
    return EvaluationSet(
        name=table.name,
        table=table.frame,
        roles=replace(roles, label=None, labels=(), value_labels={}, exclude=(*roles.exclude, *truth)),
        y_true=np.zeros_like(like.y_true, shape=(len(table.frame), *like.y_true.shape[1:])),
        missing=like.missing,
        provenance=table.provenance,
        classes=like.classes,
        task=like.task,
        use_sensitive=like.use_sensitive,
        index=table.index,
    )


def read_unlabelled(
    source: object, *, name: str | None = None, **settings: Unpack[RoleSettings]
) -> tuple[EvaluationSet, pd.DataFrame]:
    """Read a table whose label is absent, or there in some rows only, for models to decide its rows.

    Returns
    -------
    (EvaluationSet, pandas.DataFrame)
        The set, whose truth means nothing where the label is absent; and the table, with the label as it is.

    Raises
    ------
    InputError
        With every complaint about the input.
    """
    raise_all(InputError, unknown(settings, RoleSettings.__annotations__, "An evaluation set knows no"))
    chosen, reading = chosen_settings(settings)
    roles = Roles().updated(chosen)
    table = read_table(source, name, _as_text(roles, reading))
    if roles.label is None:
        raise InputError(
            f"{table.name}: name the column that the labels go to ({argument('label')}); it may be absent, or empty."
        )
    if roles.sample_weight is not None or roles.frequency is not None:
        raise InputError(
            f"{table.name}: rows are chosen one by one: leave out {argument('sample_weight')} and "
            f"{argument('frequency')}."
        )
    held = table.frame if roles.label in table.frame else table.frame.assign(**{roles.label: None})
    filled = held.assign(**{roles.label: _placeholders(table.name, held, roles)})
    return build(replace(table, frame=filled), roles, replace(reading, task="binary")), held


def _placeholders(name: str, frame: pd.DataFrame, roles: Roles) -> pd.Series:
    """Return the label with one of its two values wherever it is absent."""
    told = [column for column in (roles.label, roles.prediction, roles.original_prediction) if column in frame]
    values = list(dict.fromkeys(value for column in told for value in distinct(frame[column])))
    if len(values) > 2:
        raise InputError(f"{name}: label '{shorten(roles.label)}' has {len(values):,} values; rows of two are chosen.")
    known = frame[roles.label]
    usual = [0, 1] if roles.positive in (None, 0, 1) else [f"not {roles.positive}", roles.positive]
    both = [*values, *(value for value in usual if match(value, values) is None)][:2]
    alternating = pd.Series([both[at % 2] for at in range(len(frame))], index=frame.index, dtype=object)
    return known.astype(object).where(known.notna(), alternating).infer_objects()


def build(
    table: Table, roles: Roles, reading: Reading, problems: Sequence[str] = (), folder: Path = Path(),
    label: Label | None = None,
) -> EvaluationSet:  # fmt: skip
    """Check a table against its roles and make the set; `problems` found before are raised with the rest.

    Rows that were followed in time are a set of two classes, at the horizon.

    The column of the label is read, unless the `label` is known: of graded answers there is one truth, to be right.
    """
    if not is_followed(roles, reading):
        return _built(table, roles, reading, problems, folder, label)
    found = [*problems, *follow_up_problems(table.name, table.frame, roles, reading)]
    if wrong := [*event_problems(table.name, table.frame, roles)]:
        raise InputError(*found, *wrong)  # what else is said of such a label would mislead
    everyone = _built(table, of_events(roles), replace(reading, task="binary"), found, folder, label)
    assert reading.horizon is not None  # its absence has been told
    return at_horizon(everyone, reading.horizon, reading.censoring)


def _built(
    table: Table, roles: Roles, reading: Reading, problems: Sequence[str], folder: Path, label: Label | None
) -> EvaluationSet:
    """Check a table against its roles and make the set, whose label is a column."""
    task, missing = reading.task, reading.missing
    name, frame, bins = table.name, table.frame, dict(reading.bins)
    if nested := _plain(name, frame, roles):
        raise InputError(*dict.fromkeys([*problems, *nested]))
    found = [
        *problems,
        *column_problems(name, frame, roles, task),
        *feature_problems(name, frame, roles, missing, bins),
    ]
    found += label_problems(name, frame, roles, bins)
    if label is None:
        label, wrong = label_of(name, frame, roles, reading)
        found += wrong
    if task == "ranking" and roles.query is None:
        found.append(f"{name}: ranking needs the column that names the list of each item ({argument('query')}).")
    found += uncounted(name, table.said, frame, roles)
    if label is not None:
        frame = name_decisions(table.said, frame, roles, label.classes)
    found += _column_complaints(name, frame, roles, label.classes if label and label.classes else None)
    if task == "transcription":
        found += heard_problems(name, frame, roles.prediction, roles.original_prediction)
    if roles.frequency is not None and label is not None and label.task not in ("binary", "multiclass"):
        found.append(f"{name}: a table of counts holds classes; '{shorten(roles.label)}' is one of {label.task}.")
    raise_all(InputError, dict.fromkeys(found))
    assert label is not None  # a label that was not understood has raised its complaint
    if label.task == "binary":
        roles = replace(roles, positive=label.classes[1], favourable=label.favourable)
    if roles.id is not None and roles.cluster is None and frame[roles.id].duplicated().any():
        roles = replace(roles, cluster=roles.id)  # rows of one person are not independent
    held = open_inputs(name, frame, roles, reading.inputs, folder)
    return EvaluationSet(
        name=name,
        table=frame,
        roles=roles,
        y_true=label.y_true,
        missing=missing,
        provenance=_provenance(table, roles, reading) | ({} if held is None else {"inputs": held.describe()}),
        classes=label.classes,
        task=label.task,
        use_sensitive=reading.use_sensitive,
        spelling=reading.spelling,
        bins=bins,
        held=held,
        index=table.index,
    )


def _column_complaints(name: str, frame: pd.DataFrame, roles: Roles, classes: tuple[object, ...] | None) -> list[str]:
    found: list[str] = []
    if roles.sample_weight in frame:
        found += weight_problems(name, frame[roles.sample_weight])
    if roles.stratum_share in frame:
        found += stratum_problems(name, roles, frame[roles.stratum_share])
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
            # whether a score must be in [0, 1] is up to the audit: decile scores rank
            found += check_scores(_numbers(frame[score]), "ranking", name=f"{name}: scores '{shorten(score)}'")
    return found


def _numbers(column: pd.Series) -> np.ndarray:
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    return column.to_numpy(dtype=np.float64, na_value=np.nan) if numeric else column.to_numpy(dtype=object)


def chosen_settings(
    settings: Mapping[str, object], like: EvaluationSet | None = None
) -> tuple[dict[str, object], Reading]:
    """Return the settings of roles and reading: those of `like` by default."""
    given = {name: value for name, value in by_field(settings).items() if value is not None}
    kept = ("missing", "bins", "use_sensitive", "spelling")
    usual: dict[str, object] = {} if like is None else {name: getattr(like, name) for name in kept}
    if like is not None and like.horizon is not None and not {"label", "labels"} & given.keys():
        usual |= {"horizon": like.horizon.at, "censoring": like.horizon.censoring}
    read = {name: given.pop(name, usual.get(name)) for name in settings_of(Reading)}
    return given, Reading().updated(read)


def _as_text(roles: Roles, reading: Reading) -> AsText:
    """Return the columns that are what is written in a file; amounts and what is cut by edges are numbers."""
    groups = (*roles.sensitive_features, *roles.control_features)
    said = tuple(c for c in (roles.label, roles.event, roles.prediction, roles.original_prediction) if c is not None)
    labels = (*(() if reading.task in ("regression", "ranking", "transcription") else said), *roles.labels)
    return AsText(
        tuple(column for column in groups if column not in reading.bins),
        labels,
        tuple(column for column in (roles.id, roles.cluster, roles.query) if column is not None),
        said if reading.task == "transcription" else (),
    )


def _plain(name: str, frame: pd.DataFrame, roles: Roles) -> list[str]:
    """Make the values of columns with a role plain ones, in place, and return what is wrong with them."""
    problems: list[str] = []
    for role, column in roles.named():
        if column in frame and role not in ("images", "texts"):
            frame[column], wrong = plain_values(frame[column], f"{name}: column '{shorten(column)}'")
            problems += wrong
    return problems


def _provenance(table: Table, roles: Roles, reading: Reading) -> dict[str, Plain]:
    features = dict.fromkeys((*roles.sensitive_features, *roles.control_features))
    counts: dict[str, Plain] = {c: n for c in features if (n := int(table.frame[c].isna().sum()))}
    return {
        **table.provenance,
        "rows": len(table.frame),
        "columns": len(table.frame.columns),
        "roles": roles.to_plain(),
        "missing": reading.missing,
        "missing_values": counts,
        **({"bins": {column: list(edges) for column, edges in reading.bins.items()}} if reading.bins else {}),
        **({} if (threshold := threshold_of(table.said)) is None else {"counted_at": threshold}),
        **({"spelling": reading.spelling} if reading.task == "transcription" else {}),
    }
