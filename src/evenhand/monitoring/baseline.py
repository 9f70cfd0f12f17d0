"""What a model was like at its audit: counts that live batches are compared with. It holds no rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.errors import InputError, argument, raise_all, shorten
from evenhand.findings import AuditRecord
from evenhand.monitoring.columns import Column, binned, quantile_edges
from evenhand.monitoring.deciding import Decided, decide

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.data.roles import Roles
    from evenhand.findings import GroupCounts
    from evenhand.subjects import Subject

AXES: Final = ("group", "true", "predicted")
TASKS: Final = ("binary", "multiclass")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The counts of an audit, by which live batches are judged.

    See Also
    --------
    evenhand.monitoring.make_baseline : Makes one of a record and its rows.
    """

    record: AuditRecord
    """The audit's counts of truth and decision by group, and its provenance; without findings."""
    roles: Roles
    """The columns, by what they are."""
    classes: tuple[str, ...]
    """The classes of the label as text, in the order of their codes; of two the positive one last."""
    columns: tuple[Column, ...]
    """The model inputs, each in bins."""
    score: Column | None
    """The scores in bins, one of whose edges is the threshold; None of a model that only decides."""
    calibration: tuple[tuple[int, int], ...] = ()
    """By bin of the score the rows of the audit, and those whose label was positive."""
    threshold: float | None = None
    """A score at or above it is decided positive."""
    bins: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Edges of numeric sensitive features."""
    sha256: str = ""
    """The hash of its file's contents."""
    audit: str = ""
    """The digest of the audit that it was made from."""
    model: str | None = None
    """The sha256 of the model's file, as the audit has it."""

    @property
    def parts(self) -> tuple[GroupCounts, ...]:
        """The groupings that decisions are counted by; the first is that of all rows."""
        return self.record.tallies

    @property
    def single(self) -> tuple[tuple[int, GroupCounts], ...]:
        """The groupings by one column, each with its place."""
        return tuple((at, part) for at, part in enumerate(self.parts) if len(part.columns) == 1)

    @property
    def rows(self) -> int:
        """The rows of the audit."""
        return int(np.sum(cast("list[int]", self.parts[0].counts)))


def make_baseline(data: EvaluationSet, record: AuditRecord, *, subject: Subject | None = None) -> Baseline:
    """Make the baseline of a deployed model from its audit and the audited rows.

    Parameters
    ----------
    data : EvaluationSet
        The rows that were audited, or others of the same time with the same columns.
    record : AuditRecord
        Their audit.
    subject : Subject, optional
        The model; the table's score or prediction column when absent.

    Returns
    -------
    Baseline

    Raises
    ------
    InputError
        When the audit's counts are of weighted or clustered rows or withheld, its label is of another kind than one of
        several classes, it is of another model, or there is nothing that says what was decided. All problems are told
        together.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = {"age": list(range(40)) * 5, "score": [0.2, 0.8] * 100, "paid": [0, 1] * 100, "sex": ["f", "m"] * 100}
    >>> data = eh.read_evaluation_set(rows, label="paid", sensitive_features="sex", score="score")
    >>> record = eh.audit_predictions(rows["paid"], y_score=rows["score"], sensitive_features={"sex": rows["sex"]})
    >>> made = make_baseline(data, record)
    >>> made.rows, [column.name for column in made.columns], made.score.rows
    (200, ['age'], 200)
    """
    raise_all(InputError, _problems(data, record, subject))
    classes = tuple(map(str, data.classes))
    facts = record.provenance.get("subject", {})
    cut = facts.get("threshold")
    threshold = float(cut) if isinstance(cut, (int, float)) and len(classes) == 2 else None
    said = decide(data.table, data.name, data.roles, classes, threshold, subject, data)
    score = None if said.scores is None else _binned_scores(said.scores, threshold)
    counted = None if score is None else _calibration(score, said, data)
    kept = tuple(part for part in record.tallies if (part.model, part.axes) == ("subject", AXES))
    return Baseline(
        AuditRecord((), (), kept, record.provenance),
        data.roles, classes, tuple(binned(data.table[name]) for name in data.features), score,
        counted or (), threshold, {name: tuple(edges) for name, edges in data.bins.items()},
        audit=_digest(record), model=facts.get("sha256"),
    )  # fmt: skip


def refuse_other_rows(data: EvaluationSet, record: AuditRecord) -> None:
    """Refuse rows that are not those of an audit, by their number and by the groups of each sensitive feature.

    Parameters
    ----------
    data : EvaluationSet
        The rows.
    record : AuditRecord
        The audit.

    Raises
    ------
    InputError
        When there are more or fewer rows, or a group has another size.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = {"score": [0.2, 0.8] * 100, "paid": [0, 1] * 100, "sex": ["f", "m"] * 100}
    >>> data = eh.read_evaluation_set(rows, label="paid", sensitive_features="sex", score="score", name="rows")
    >>> record = eh.audit_predictions([0, 1], y_score=[0.2, 0.8], sensitive_features={"sex": ["f", "m"]})
    >>> refuse_other_rows(data, record)
    Traceback (most recent call last):
    ...
    evenhand.errors.InputError: rows: it has 200 rows, and 2 were audited. Name the table of the audited rows.
    """
    kept = {part.columns: part for part in record.tallies if (part.model, part.axes) == ("subject", AXES)}
    if () in kept and (many := sum(_sizes(kept[()]).values())) != data.rows:
        raise InputError(
            f"{data.name}: it has {data.rows:,} rows, and {many:,} were audited. Name the table of the audited rows."
        )
    known = {*data.roles.sensitive_features, *data.roles.control_features}
    singles = (part for columns, part in kept.items() if len(columns) == 1 and columns[0] in known)
    raise_all(InputError, (problem for part in singles for problem in _other_groups(data, part)))


def _other_groups(data: EvaluationSet, part: GroupCounts) -> Iterator[str]:
    """Yield how the groups of a column differ from those of the audit; the first that does is named."""
    grouping = data.grouping(*part.columns)
    here, audited = dict(zip(grouping.names, map(int, grouping.rows), strict=True)), _sizes(part)
    for name in dict.fromkeys((*audited, *here)):
        if here.get(name, 0) != audited.get(name, 0):
            yield (
                f"{data.name}: group '{shorten(name)}' of '{shorten(part.columns[0])}' has {here.get(name, 0):,} rows, "
                f"and had {audited.get(name, 0):,} at the audit. Name the table of the audited rows."
            )
            return


def _sizes(part: GroupCounts) -> dict[str, int]:
    """Return the rows of each group, by its name; of all rows the name is empty."""
    counts = cast("list[list[list[int]]]", part.counts)
    return {
        ", ".join(labels): int(np.sum(np.asarray(cells))) for labels, cells in zip(part.groups, counts, strict=True)
    }


def with_hash(baseline: Baseline, sha256: str) -> Baseline:
    """Return a baseline that knows the hash of its file."""
    return replace(baseline, sha256=sha256)


def _problems(data: EvaluationSet, record: AuditRecord, subject: Subject | None) -> Iterator[str]:
    if data.task not in TASKS:
        yield f"{data.name}: the label is one of {data.task}; live batches are counted for one of several classes."
    if "suppressed_below" in record.provenance:
        yield "The audit is a copy for publication: its counts are withheld. Name its full record."
        return
    kept = [part for part in record.tallies if (part.model, part.axes) == ("subject", AXES)]
    if not kept or kept[0].columns:
        yield "The audit keeps no counts of truth and decision, which live batches are compared with."
    elif kept[0].weights is not None or kept[0].clusters is not None:
        yield (
            "The audit is of weighted rows or of rows in clusters; no always-valid interval covers them. Audit without "
            f"{argument('sample_weight')} and {argument('cluster')}."
        )
    yield from _other_model(record, subject)
    told = set(record.provenance.get("data", {}).get("sensitive_features", []))
    if missing := sorted(told - set(data.roles.sensitive_features) - set(data.roles.control_features)):
        names = ", ".join(missing)
        yield f"{data.name}: the audit has groups by {names}: name them with {argument('sensitive_features')}."


def _other_model(record: AuditRecord, subject: Subject | None) -> Iterator[str]:
    """Yield that a model is not the audited one, where the hashes of both files are known."""
    wanted = record.provenance.get("subject", {}).get("sha256")
    given = None if subject is None else subject.facts.get("sha256")
    if subject is not None and wanted is not None and given is not None and wanted != given:
        yield (
            f"'{subject.name}' is not the audited model: its sha256 begins with {str(given)[:12]}, and that of the "
            f"audited one with {str(wanted)[:12]}. Audit this model, and make its baseline."
        )


def _binned_scores(scores: NDArray[np.float64], threshold: float | None) -> Column:
    """Return the bins of scores; decisions are alike within each, as one ends just below the threshold."""
    below = () if threshold is None else (float(np.nextafter(threshold, -np.inf)),)
    column = Column("score", "numbers", (), quantile_edges(scores, *below))
    return replace(column, counts=tuple(map(int, column.count(_series(scores)))))


def _calibration(score: Column, said: Decided, data: EvaluationSet) -> tuple[tuple[int, int], ...]:
    assert said.scores is not None  # checked by the caller
    places = score.places(_series(said.scores))
    many = len(score.names)
    rows = np.bincount(places, minlength=many)
    events = np.bincount(places, weights=np.asarray(data.y_true == len(data.classes) - 1, dtype=float), minlength=many)
    return tuple((int(n), int(k)) for n, k in zip(rows, events, strict=True))


def _series(numbers: NDArray[np.float64]) -> pd.Series:
    import pandas as pd

    return pd.Series(numbers, name="score")


def _digest(record: AuditRecord) -> str:
    from evenhand.records import digest

    return digest(record)
