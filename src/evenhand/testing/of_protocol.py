"""Rules of the members of a subject, and of what `predict` returns."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from evenhand.data import pick
from evenhand.errors import quoted
from evenhand.evidence.predictions import inputs
from evenhand.findings import Reads
from evenhand.subjects.outputs import threshold_problem
from evenhand.subjects.protocol import ScoreKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import Batch
    from evenhand.testing.asked import Asked


def members(asked: Asked) -> str:
    """Say which member is not as the protocol has it."""
    subject = asked.subject
    wrong = []
    if not isinstance(subject.name, str) or not subject.name.strip():
        wrong.append(f"name is {subject.name!r}, and a text is needed")
    if problem := threshold_problem(subject.threshold, "ranking"):
        wrong.append(problem.rstrip("."))
    if subject.score_kind not in get_args(ScoreKind):
        wrong.append(f"score_kind is {subject.score_kind!r}; known are {', '.join(get_args(ScoreKind))}")
    read = getattr(subject, "reads", "table")
    if read is not None and read not in get_args(Reads):
        wrong.append(f"reads is {read!r}; known are {', '.join(get_args(Reads))}")
    return "; ".join(wrong)


def facts(asked: Asked) -> str:
    """Say which fact is no plain JSON."""
    facts = asked.subject.facts
    if not isinstance(facts, Mapping):
        return f"facts are a {type(facts).__name__}, and a mapping is needed"
    named = facts.get("features")
    if named is not None and not (isinstance(named, list) and all(isinstance(name, str) for name in named)):
        return f"facts['features'] is {quoted(named)}: a list of column names, or None where they are not known"
    return next(_not_plain(facts, "facts"), "")


def _not_plain(value: object, where: str) -> Iterator[str]:
    """Yield what is no plain JSON."""
    if isinstance(value, Mapping):
        yield from (f"{where} has the key {key!r}, which is no text" for key in value if not isinstance(key, str))
        for key, inner in value.items():
            yield from _not_plain(inner, f"{where}[{key!r}]")
    elif isinstance(value, list):
        for inner in value:
            yield from _not_plain(inner, where)
    elif type(value) not in (bool, int, float, str, type(None)) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        yield f"{where} is {quoted(value)} ({type(value).__name__}), which is no plain JSON"


def proof(asked: Asked) -> str:
    """Let an audit predict all rows; it raises what is wrong."""
    _ = asked.predictions
    return ""


def returned(asked: Asked) -> str:
    """Say where `predict` returns another type or shape than scores."""
    found: object = asked.subject.predict(asked.batch)
    if not isinstance(found, np.ndarray) or found.dtype != np.float64:
        what = f"{type(found).__name__} of {getattr(found, 'dtype', 'no type')}"
        return f"predict returns a {what}, and an array of float64 is needed"
    score = asked.predictions.y_score
    wanted = np.shape(asked.predictions.y_pred if score is None else score)[1:]
    # decisions of several classes are one column a class
    if found.ndim != 1 + len(wanted) and not (asked.data.task == "multiclass" and found.ndim == 2):
        return f"predict returns the shape {found.shape} for {len(asked.batch):,} rows"
    return (
        "" if len(found) == len(asked.batch) else f"predict returns {len(found):,} scores for {len(asked.batch):,} rows"
    )


def inputs_kept(asked: Asked) -> str:
    """Say whether the rows that were given are changed."""
    kept = pick(inputs(asked.subject, asked.data), asked.at)
    given = copy.deepcopy(kept)
    asked.again(given)
    return "" if _same_rows(given, kept) else "predict changes the rows that it is given"


def _same_rows(one: Batch, other: Batch) -> bool:
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        return bool(one.equals(other))
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, np.asarray(other)))
    return repr(one) == repr(other)
