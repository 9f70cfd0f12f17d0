"""Graded answers as an evaluation set: the truth is to be right, and what a model said is whether it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.labels import Label
from evenhand.data.lm_logs.opening import open_log
from evenhand.data.lm_logs.pairing import paired
from evenhand.data.lm_logs.samples import BUILT_IN, LogReading
from evenhand.data.reading import build
from evenhand.data.roles import Reading, Roles
from evenhand.data.tables import Table
from evenhand.errors import InputError, argument, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from evenhand.data.evaluation_set import EvaluationSet
    from evenhand.data.lm_logs.pairing import Paired
    from evenhand.data.lm_logs.samples import Log, Sample
    from evenhand.findings import Plain

WRONG, RIGHT = "wrong", "right"
EXPECTED, ANSWER, ORIGINAL = "expected", "answer", "original answer"
LISTED: Final = 1000
"""Unpaired answers that are named on record."""
IDLE: Final = ("label", "labels", "positive", "prediction", "score", "original_prediction", "original_score", "query",
               "frequency", "squared_weight", "stratum_share", "images", "texts", "proxies", "id")  # fmt: skip
"""Roles that logs have no use for: the log says what is right, and what was answered."""


def read_lm_logs(
    logs: str | Path,
    original: str | Path | None = None,
    *,
    roles: Roles | None = None,
    reading: Reading | None = None,
    how: LogReading | None = None,
    name: str | None = None,
) -> EvaluationSet:
    """Read the graded answers of a language model, beside those of its original, as an evaluation set.

    Parameters
    ----------
    logs : path
        A folder, or a file, of lm-evaluation-harness (``samples_*.jsonl``) or of Inspect (``.eval``, ``.json``).
    original : path, optional
        The same of the model before compression. Answers are paired by task, document and epoch.
    roles : Roles, optional
        `sensitive_features` and `control_features` name columns: ``task``, ``suite`` (the group of tasks), or a field
        of the documents (of ``doc`` in lm-evaluation-harness, of ``metadata`` in Inspect). Without any, answers are
        grouped by task where there are several. `cluster` names what belongs together, such as a passage that several
        questions are about; without it the repeated answers to a document do.
    reading : Reading, optional
        How columns are read.
    how : LogReading, optional
        Which metric counts.
    name : str, optional
        Name of the set in sentences; the path by default.

    Returns
    -------
    EvaluationSet
        Its label is ``expected``, which is always right; decisions are in ``answer`` and ``original answer``.

    Raises
    ------
    InputError
        When there are no logs, or the two cannot be paired.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = [{"doc_id": n, "doc": {"subject": "law"}, "metrics": ["acc"], "acc": float(n < 8)} for n in range(10)]
    >>> _ = (folder / "samples_bar.jsonl").write_text("".join(json.dumps(row) + chr(10) for row in rows))
    >>> data = read_lm_logs(folder, roles=Roles(sensitive_features=("subject",)))
    >>> len(data), data.table["answer"].value_counts().to_dict()
    (10, {'right': 8, 'wrong': 2})
    """
    roles, how = roles or Roles(), how or LogReading()
    idle = [role for role in IDLE if getattr(roles, role)]
    raise_all(InputError, (f"Logs of language models have no use for {argument(role)}; leave it out." for role in idle))
    wanted = {column for column in (*roles.sensitive_features, *roles.control_features, roles.cluster) if column}
    fields = frozenset(wanted - set(BUILT_IN))
    new = open_log(logs, how, fields)
    old = None if original is None else open_log(original, how, fields)
    found = paired(new, old, how)
    frame = _frame(found, new, sorted(fields), how)
    said = name or str(logs)
    several = frame["task"].nunique() > 1
    if not wanted & {*roles.sensitive_features, *roles.control_features} and several:
        roles = replace(roles, sensitive_features=("task",))
    if roles.cluster is None and frame["document"].duplicated().any():
        roles = replace(roles, cluster="document")
    roles = replace(
        roles, label=EXPECTED, prediction=ANSWER, original_prediction=None if old is None else ORIGINAL,
        positive=RIGHT, exclude=(*roles.exclude, *(c for c in frame if c in BUILT_IN and c != roles.cluster)),
    )  # fmt: skip
    label = Label(np.ones(len(frame), dtype=np.int8), (WRONG, RIGHT), None)
    table = Table(said, frame, _about(found, new, old), None)
    problems = [*_absent(said, frame, fields)]
    return replace(build(table, roles, reading or Reading(), problems, label=label), graded="accuracy")


def _frame(found: Paired, new: Log, fields: Sequence[str], how: LogReading) -> pd.DataFrame:
    """Return one row an answer."""
    ours = [pair[0] for pair in found.pairs]
    columns: dict[str, object] = {
        "task": [each.task for each in ours],
        "document": [f"{each.task}: {each.document}" for each in ours],
        "epoch": [each.epoch for each in ours],
    }
    if new.suites:
        columns["suite"] = [new.suites.get(each.task, each.task) for each in ours]
    columns |= {field: [each.fields.get(field) for each in ours] for field in fields}
    columns[EXPECTED] = RIGHT
    columns[ANSWER] = _graded(new.name, ours, how)
    if found.pairs[0][1] is not None:
        columns[ORIGINAL] = _graded(new.name, [pair[1] for pair in found.pairs if pair[1] is not None], how)
    return pd.DataFrame(columns)


def _graded(name: str, samples: Sequence[Sample], how: LogReading) -> list[str]:
    """Return whether each answer was right."""
    scores = np.array([0.0 if each.score is None else each.score for each in samples])
    between = ~np.isin(scores, (0.0, 1.0))
    if how.lm_right_at is None and between.any():
        some = ", ".join(f"{score:g}" for score in np.unique(scores[between])[:3])
        raise InputError(
            f"{name}: {int(between.sum()):,} of {len(scores):,} scores are neither 0 nor 1 ({some}). Say from which "
            f"score on an answer is right, such as {argument('lm_right_at', 1)}, or name a metric of 0 and 1 with "
            f"{argument('lm_metric')}."
        )
    least = 1.0 if how.lm_right_at is None else how.lm_right_at
    return [RIGHT if score >= least else WRONG for score in scores.tolist()]


def _absent(name: str, frame: pd.DataFrame, fields: frozenset[str]) -> Iterator[str]:
    """Yield the complaint about a field that no document has."""
    known = [str(column) for column in frame if column not in (EXPECTED, ANSWER, ORIGINAL)]
    for field in sorted(fields):
        if field in frame and frame[field].isna().all():
            hint = did_you_mean(field, known)
            yield f"{name}: no document has a field '{shorten(field)}' of texts or numbers.{hint}"


def _about(found: Paired, new: Log, old: Log | None) -> dict[str, Plain]:
    """Return what was read, for the record: whose logs, by which metrics, and what was left out."""
    logs: dict[str, Plain] = {
        "model": new.model,
        "metrics": dict(new.metrics),
        "settings": {task: dict(held) for task, held in new.settings.items()},
    }
    if old is not None:
        logs |= {"original": old.name, "original_model": old.model, "unpaired": list(found.unpaired[:LISTED])}
    told: dict[str, Plain] = {"source": new.name, "logs": logs}
    dropped = len(found.unpaired) + len(found.dropped)
    if dropped:
        logs["without_score"] = list(found.dropped[:LISTED])
        told |= {"rows_in_source": len(found.pairs) + dropped, "rows_dropped": dropped}
        told["rows_dropped_because"] = "; ".join(_because(found))
    return told


def _because(found: Paired) -> Iterator[str]:
    if found.unpaired:
        yield f"{len(found.unpaired):,} answers are in one log alone, such as {shorten(found.unpaired[0], 100)}"
    if found.dropped:
        yield f"{len(found.dropped):,} answers have no score, such as {shorten(found.dropped[0], 100)}"
