"""The counts of one live batch, in the bins and groups of the baseline."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.data.grouping import encode
from evenhand.errors import InputError, did_you_mean, quoted, raise_all, shorten
from evenhand.monitoring.deciding import class_codes, decide
from evenhand.monitoring.log.schema import APPEALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.monitoring.baseline import Baseline
    from evenhand.monitoring.deciding import Decided
    from evenhand.monitoring.windows import Counts
    from evenhand.subjects import Subject

SAMPLED: Final = 200_000
"""Of larger batches so many rows, chosen by the hash of the batch, are counted for drift of the inputs; decisions and
labels of all of them are."""
APPEAL: Final = "appeal"
COMPLAINT: Final = "complaint"
"""Columns of feedback, as in the log: an appeal is ``won``, ``lost`` or ``open``, a complaint has a value."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is kept of a batch.

    See Also
    --------
    evenhand.monitoring.count_batch : Makes one.
    """

    name: str
    """How it is called."""
    id: str
    """The hash of its contents."""
    time: str | None
    """When it ended, ISO 8601 in UTC."""
    rows: int
    """Rows in it; 0 of late labels, whose rows were counted before."""
    labelled: int
    """Rows whose truth it tells."""
    counts: Counts = field(default_factory=dict)
    """By name: see `count_batch`."""
    unseen: dict[str, int] = field(default_factory=dict)
    """By column, rows with a value that the audit did not have."""
    sampled: int = 0
    """The rows that were counted for drift of the inputs."""


def count_batch(
    table: pd.DataFrame, baseline: Baseline, name: str, id: str, *, time: str | None = None,
    subject: Subject | None = None, late: bool = False,
) -> Batch:  # fmt: skip
    """Count a batch.

    Counts are of: ``decided.P`` groups x decision and ``labelled.P`` groups x truth x decision for each grouping P of
    the baseline; ``input.J`` bins of an input; ``score.P`` groups x bins of the score, for groupings by one column at
    most; ``calibration`` bins of the score x (labelled rows, positive ones); ``feedback.P`` groups x (appeals won,
    lost, complaints).

    Parameters
    ----------
    table : pandas.DataFrame
        The rows.
    baseline : Baseline
        What they are compared with.
    name, id, time : str
        How it is called, the hash of its contents, when it ended.
    subject : Subject, optional
        The model; the columns of scores or decisions when absent.
    late : bool
        Whether it tells labels and feedback of rows that were counted before, and no new ones.

    Raises
    ------
    InputError
        When columns are missing or of another type, numbers are infinite, a label or decision is none of the classes,
        an appeal is none of the words for it, or there are labels and nothing that says what was decided. All problems
        are told together.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.monitoring import make_baseline
    >>> rows = {"score": [0.2, 0.8] * 100, "paid": [0, 1] * 100, "sex": ["f", "m"] * 100}
    >>> data = eh.read_evaluation_set(rows, label="paid", sensitive_features="sex", score="score")
    >>> record = eh.audit_predictions(rows["paid"], y_score=rows["score"], sensitive_features={"sex": rows["sex"]})
    >>> baseline = make_baseline(data, record)
    >>> batch = count_batch(data.table, baseline, "monday", "0" * 64)
    >>> batch.rows, batch.labelled
    (200, 200)
    """
    raise_all(InputError, _problems(table, baseline, name, late=late, asked=subject is not None))
    said = decide(table, name, baseline.roles, baseline.classes, baseline.threshold, subject)
    truth = _truth(table, baseline, name)
    codes, unseen = _groups(table, baseline)
    counts: dict[str, NDArray[np.int64]] = {}
    for at, places in enumerate(codes):
        counts |= _of_part(at, places, said, truth, baseline, late=late)
        if (
            len(baseline.parts[at].columns) < 2
            and (told := _feedback(table, places, len(baseline.parts[at].groups))) is not None
        ):
            counts[f"feedback.{at}"] = told
    if baseline.score is not None and said.scores is not None:
        counts |= _of_scores(said.scores, codes, truth, baseline, late=late)
    rows, sampled = (0, 0) if late else (len(table), min(len(table), SAMPLED))
    if not late:
        counts |= _of_inputs(table if sampled == len(table) else _sample(table, id), baseline, unseen)
    return Batch(name, id, time, rows, int((truth >= 0).sum()), counts, unseen, sampled)


def id_of(table: pd.DataFrame, name: str = "") -> str:
    """Return the hash of a table's contents, in their order."""
    import pandas as pd

    digest = hashlib.sha256("\0".join(map(str, table.columns)).encode("utf-8", "surrogatepass"))
    digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def appeals_of(table: pd.DataFrame) -> pd.Series:
    """Return the word of each appeal in small letters, missing where there is none."""
    said = table[APPEAL].astype("string").str.strip().str.lower()
    return said.mask(said == "")


def complaints_of(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows have a complaint."""
    said = table[COMPLAINT].astype("string")
    return ((said != "") & said.notna()).fillna(False).to_numpy(bool)


def _problems(table: pd.DataFrame, baseline: Baseline, name: str, *, late: bool, asked: bool) -> Iterator[str]:
    known = [str(column) for column in table.columns]
    if not len(table):
        yield f"{name}: the batch has no rows."
    roles = baseline.roles
    given = [column for column in (roles.score, roles.prediction) if column is not None and column in known]
    needed = [] if late else [column.name for column in baseline.columns]
    needed += [column for _, part in baseline.single for column in part.columns]
    wanted = [column for column in (roles.score, roles.prediction) if column is not None]
    if late and roles.label not in known:
        hint = did_you_mean(str(roles.label), known)
        yield f"{name}: there is no label column '{roles.label}', so it tells nothing.{hint}"
    if not asked and wanted and not given:
        words = "labels are" if late else "what was decided is"
        told = " or ".join(f"'{column}'" for column in wanted)
        why = "labels without predictions: " if late else ""
        yield f"{name}: {why}there is no column {told}, and without it {words} compared with nothing."
    for column in dict.fromkeys(needed):
        if column not in known:
            yield f"{name}: there is no column '{shorten(column)}', which the audit had.{did_you_mean(column, known)}"
    if APPEAL in known and APPEAL not in (column.name for column in baseline.columns):
        said = appeals_of(table)
        if unknown := sorted(set(said.dropna()) - set(APPEALS)):
            shown = ", ".join(quoted(word, 40) for word in unknown[:3])
            yield f"{name}: appeals {shown} are not known; known are {', '.join(APPEALS)}."
    if not late:
        for watched in baseline.columns:
            if watched.name in known and len(table):
                yield from watched.problems(name, table[watched.name])


def _truth(table: pd.DataFrame, baseline: Baseline, name: str) -> NDArray[np.intp]:
    """Return the code of each label; -1 where none is known."""
    label = baseline.roles.label
    if label is None or label not in table:
        return np.full(len(table), -1, dtype=np.intp)
    return class_codes(table[label], name, "label", baseline.classes, absent=True)


def _groups(table: pd.DataFrame, baseline: Baseline) -> tuple[list[NDArray[np.intp]], dict[str, int]]:
    """Return of each grouping the group of every row, -1 of one that the audit did not have; and how many those are."""
    single: dict[str, tuple[NDArray[np.intp], tuple[str, ...]]] = {}
    unseen: dict[str, int] = {}
    for _, part in baseline.single:
        (column,) = part.columns
        found = encode(column, table[column], baseline.bins.get(column))
        names = baseline.roles.value_labels.get(column, {})
        known = {labels[0]: at for at, labels in enumerate(part.groups)}
        place = np.asarray([known.get(names.get(labels[0], labels[0]), -1) for labels in found.labels], dtype=np.intp)
        codes = place[found.codes]
        single[column] = codes, tuple(labels[0] for labels in part.groups)
        if new := int((codes < 0).sum()):
            unseen[column] = new
    return [_crossed(part.columns, part.groups, single, len(table)) for part in baseline.parts], unseen


def _crossed(
    columns: tuple[str, ...], groups: tuple[tuple[str, ...], ...],
    single: dict[str, tuple[NDArray[np.intp], tuple[str, ...]]], rows: int,
) -> NDArray[np.intp]:  # fmt: skip
    """Return the group of every row in an intersection of columns."""
    code, wide, unknown = np.zeros(rows, dtype=np.intp), 1, np.zeros(rows, dtype=bool)
    table = np.zeros(len(groups), dtype=np.intp)
    for at, column in enumerate(columns):
        codes, names = single[column]
        code = code * len(names) + codes
        table = table * len(names) + np.asarray([names.index(labels[at]) for labels in groups], dtype=np.intp)
        unknown |= codes < 0
        wide *= len(names)
    found = np.full(wide, -1, dtype=np.intp)
    found[table] = np.arange(len(groups))
    return np.where(unknown, -1, found[np.where(unknown, 0, code)])


def _of_part(
    at: int, places: NDArray[np.intp], said: Decided, truth: NDArray[np.intp], baseline: Baseline, *, late: bool
) -> dict[str, NDArray[np.int64]]:
    many, classes = len(baseline.parts[at].groups), len(baseline.classes)
    there, known = places >= 0, (places >= 0) & (truth >= 0)
    cells = (places[known] * classes + truth[known]) * classes + said.codes[known]
    found = {f"labelled.{at}": _counted(cells, (many, classes, classes))}
    if not late:
        found[f"decided.{at}"] = _counted(places[there] * classes + said.codes[there], (many, classes))
    return found


def _of_scores(
    scores: NDArray[np.float64],
    codes: list[NDArray[np.intp]],
    truth: NDArray[np.intp],
    baseline: Baseline,
    *,
    late: bool,
) -> dict[str, NDArray[np.int64]]:
    import pandas as pd

    assert baseline.score is not None  # checked by the caller
    places, bins = baseline.score.places(pd.Series(scores)), len(baseline.score.names)
    known = truth >= 0
    events = (truth[known] == len(baseline.classes) - 1).astype(np.intp)
    told = _counted(places[known] * 2 + events, (bins, 2))
    found = {"calibration": np.stack([told.sum(axis=1), told[:, 1]], axis=1)}
    for at, groups in enumerate(codes):
        if late or len(baseline.parts[at].columns) > 1:
            continue
        there = groups >= 0
        found[f"score.{at}"] = _counted(groups[there] * bins + places[there], (len(baseline.parts[at].groups), bins))
    return found


def _of_inputs(table: pd.DataFrame, baseline: Baseline, unseen: dict[str, int]) -> dict[str, NDArray[np.int64]]:
    found = {}
    for at, column in enumerate(baseline.columns):
        counts = column.count(table[column.name])
        found[f"input.{at}"] = counts
        if column.kind == "categories" and counts[-2]:
            unseen.setdefault(column.name, int(counts[-2]))
    return found


def _feedback(table: pd.DataFrame, places: NDArray[np.intp], many: int) -> NDArray[np.int64] | None:
    """Return (G, 3) appeals won, lost, and complaints; None where the table has no such column."""
    if APPEAL not in table and COMPLAINT not in table:
        return None
    found = np.zeros((many, 3), dtype=np.int64)
    if APPEAL in table:
        said = appeals_of(table)
        for at, word in enumerate(("won", "lost")):
            found[:, at] = np.bincount(
                places[(said == word).fillna(False).to_numpy(bool) & (places >= 0)], minlength=many
            )
    if COMPLAINT in table:
        found[:, 2] = np.bincount(places[complaints_of(table) & (places >= 0)], minlength=many)
    return found


def _sample(table: pd.DataFrame, id: str) -> pd.DataFrame:
    """Return `SAMPLED` rows of a table: one of each stretch of equal length, at a place that the batch's hash gives."""
    drawn = np.random.default_rng(int(id[:16], 16))
    edges = np.linspace(0, len(table), SAMPLED + 1).astype(np.intp)
    at = edges[:-1] + (drawn.random(SAMPLED) * np.diff(edges)).astype(np.intp)
    return table.iloc[at]


def _counted(cells: NDArray[np.intp], shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.int64)
