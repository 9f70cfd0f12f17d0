"""Few-shot learning: what a backbone makes of k examples a class, for whom, over many draws of the examples."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.data.evaluation_set import needed
from evenhand.errors import InputError, raise_all
from evenhand.evidence import Evidence, EvidenceOptions, provenance
from evenhand.findings import AuditRecord, Finding, GroupCounts, GroupValue, Interval, Section
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.findings import Batch
    from evenhand.provenance import Measurements, Provenance
    from evenhand.training import Backbone, Preparing
    from evenhand.training.schedule import Progress

NAME: Final = "few_shot"
SHOTS: Final = (1, 2, 4, 8, 16, 32)
"""Examples of each class."""
LEAST_DRAWS: Final = 3
"""Draws below which nothing is known of how they differ."""
METHOD: Final = "t, draws and rows"


def few_shot(
    backbone: nn.Module | Backbone,
    train: EvaluationSet,
    evaluation: EvaluationSet,
    *,
    preparing: Preparing | None = None,
    shots: Sequence[int] = SHOTS,
    draws: int = 10,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> AuditRecord:
    """Fit a head on k examples a class, many times, and state accuracy and the gaps between groups for each k.

    The backbone is asked once for each row. The head is logistic regression on what it said. Intervals are about other
    draws of the examples and other evaluation rows at once: the variance of the mean over draws and that of the mean
    over rows are added. The interval of the greatest difference between groups is made of those of all pairs, each at a
    level at which all hold together.

    Parameters
    ----------
    backbone : torch.nn.Module or Backbone
        From prepared rows to (n, d) numbers, or (n, ...), which are flattened; or what `open_backbone` opened.
    train : EvaluationSet
        Rows from which examples are drawn.
    evaluation : EvaluationSet
        Other rows, on which each head is asked.
    preparing : Preparing, optional
        What the backbone is used to. Mean and deviation of the training rows when not given.
    shots : sequence of int
        How many examples of each class, rising.
    draws : int
        How often examples are drawn for each.
    level : float
        The confidence of intervals.
    seed : int
        Decides the draws.
    progress : callable, optional
        Called as ``progress(step, steps, text)``.

    Returns
    -------
    AuditRecord
        With ``accuracy[;at=4;over=draws]``, the same of each group, and ``accuracy_difference[race;at=4;over=draws]``.

    Raises
    ------
    InputError
        When a class has fewer rows than the most shots, there are fewer than three draws, or the rows are the same.
    ModelError
        When the backbone does not take the rows.

    Examples
    --------
    >>> import evenhand as eh, torch
    >>> from sklearn.datasets import load_digits
    >>> from evenhand.studies import few_shot
    >>> digits = load_digits()
    >>> data = eh.read_evaluation_set({"low": digits.target < 5}, label="low", inputs=digits.images)
    >>> parts = eh.split(data, {"train": 0.5, "test": 0.5})
    >>> record = few_shot(torch.nn.Flatten(), parts["train"], parts["test"], shots=(2, 8), draws=3)
    >>> record["accuracy[;at=2;over=draws]"].estimate < record["accuracy[;at=8;over=draws]"].estimate
    True
    """
    from evenhand.training.dataset import prepared
    from evenhand.training.normalization import Normalization
    from evenhand.training.transferring import features, opened

    train, evaluation, shots = needed(train, NAME), needed(evaluation, NAME), tuple(shots)
    raise_all(InputError, _problems(train, evaluation, shots, draws))
    started = datetime.now(UTC)
    body = opened(backbone, preparing, asked_alone=True)
    network, preparing = body.network, body.preparing or Normalization.fit(train.inputs)
    tell = progress or (lambda step, steps, text: None)
    tell(0, len(shots) + 1, "asking the backbone")
    known, asked = (features(network, prepared(preparing, data)) for data in (train, evaluation))
    mean, scale = known.mean(axis=0), known.std(axis=0)
    scale[scale == 0] = 1.0
    head = _Heads((known - mean) / scale, np.asarray(train.y_true, dtype=np.int64), seed)
    groupings = [evaluation.grouping(column) for column in evaluation.roles.sensitive_features]
    rows = (asked - mean) / scale
    findings: list[Finding] = []
    for at, k in enumerate(shots, start=1):
        tell(at, len(shots) + 1, f"{k} of each class")
        right = np.stack([head.fitted(k, draw).predict(rows) == evaluation.y_true for draw in range(draws)])
        findings += _stated(right.astype(np.float64), k, groupings, level)
    last = head.fitted(shots[-1], 0)

    def predict(batch: Batch) -> NDArray[np.float64]:
        said = last.predict_proba((features(network, preparing.transform(batch)) - mean) / scale)
        return np.asarray(said[:, 1] if said.shape[1] == 2 else said)

    source = _provenance(predict, body.name, preparing, evaluation, level, seed)
    measurements: Measurements = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
    }
    said = message(
        "Each of {draws} heads a number of examples was fitted on {least} to {most} examples of each class.",
        draws=draws, least=shots[0], most=shots[-1],
    )  # fmt: skip
    sizes = [GroupCounts("subject", (), ((),), ("group",), [len(evaluation)])]
    sizes += [GroupCounts("subject", each.columns, each.labels, ("group",), each.rows.tolist()) for each in groupings]
    return AuditRecord(tuple(findings), (Section(NAME, True, said),), tuple(sizes), source, measurements)


def _problems(train: EvaluationSet, evaluation: EvaluationSet, shots: tuple[int, ...], draws: int) -> Iterator[str]:
    if train.task not in ("binary", "multiclass"):
        yield f"{train.name}: examples of classes are drawn, and the label's task is {train.task}."
        return
    if draws < LEAST_DRAWS:
        yield f"{draws} draws tell nothing of how draws differ: {LEAST_DRAWS} are needed, and 10 are usual."
    if not shots or min(shots) < 1 or list(shots) != sorted(set(shots)):
        yield f"shots are rising numbers of examples from 1, such as (1, 2, 4), not {shots!r}."
        return
    counts = np.bincount(np.asarray(train.y_true, dtype=np.int64), minlength=len(train.classes))
    if counts.min() < shots[-1]:
        name = train.classes[int(counts.argmin())]
        yield f"{train.name}: class {name} has {counts.min():,} rows, and {shots[-1]} examples are to be drawn of each."
    if train.classes != evaluation.classes:
        yield f"{evaluation.name}: its classes are others than those of {train.name}."
    if train.content_hash() == evaluation.content_hash():
        yield "The rows to ask about are those that examples are drawn from: take others, or every figure flatters."


class _Heads:
    """Heads on examples that are drawn by the seed, k of each class."""

    def __init__(self, rows: NDArray[np.float32], y_true: NDArray[np.int64], seed: int) -> None:
        self._rows, self._y_true, self._seed = rows, y_true, seed

    def fitted(self, k: int, draw: int) -> Any:
        """Return logistic regression, fitted on the draw."""
        from sklearn.linear_model import LogisticRegression

        chance = np.random.default_rng([self._seed, k, draw])
        chosen = np.concatenate(
            [chance.choice(np.flatnonzero(self._y_true == y), k, replace=False) for y in np.unique(self._y_true)]
        )
        return LogisticRegression(max_iter=200).fit(self._rows[chosen], self._y_true[chosen])


def _stated(right: NDArray[np.float64], k: int, groupings: list[Grouping], level: float) -> Iterator[Finding]:
    """State the accuracy of all rows and each group, and the greatest difference, from (draws, n) right or wrong."""
    told: dict[str, str] = {"at": str(k), "over": "draws"}
    draws = len(right)
    yield _finding(Key.of("accuracy", **told), right.mean(), _interval(right, level), right.shape[1], draws)
    for grouping in groupings:
        inside = [right[:, grouping.codes == group] for group in range(len(grouping))]
        for group, mine in enumerate(inside):
            if mine.shape[1] > 1:
                labels = dict(zip(grouping.columns, grouping.labels[group], strict=True))
                key = Key.of("accuracy", labels, **told)
                yield _finding(key, mine.mean(), _interval(mine, level), mine.shape[1], draws)
        yield from _gap(Key.of("accuracy_difference", grouping.columns, **told), inside, level, draws)


def _interval(right: NDArray[np.float64], level: float) -> Interval:
    """Return the interval of a mean over draws and rows: both variances of the mean, added."""
    mean, half = float(right.mean()), _half(right, level)
    return Interval(max(mean - half, 0.0), min(mean + half, 1.0), level, METHOD)


def _half(right: NDArray[np.float64], level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(len(right) - 1, 0.5 + level / 2)) * math.sqrt(sum(_variances(right)))


def _variances(right: NDArray[np.float64]) -> tuple[float, float]:
    """Return the variance of the mean over other draws, and over other rows."""
    draws, n = right.shape
    return float(right.mean(axis=1).var(ddof=1)) / draws, float(right.mean(axis=0).var(ddof=1)) / n


def _gap(key: Key, inside: list[NDArray[np.float64]], level: float, draws: int) -> Iterator[Finding]:
    """State the greatest difference between two groups, between the ends that all pairs have together."""
    from scipy.special import stdtrit

    known = [mine for mine in inside if mine.shape[1] > 1]
    pairs = list(combinations(known, 2))
    if not pairs:
        return
    quantile = float(stdtrit(draws - 1, 1 - (1 - level) / 2 / len(pairs)))
    apart, ends = [], []
    for one, other in pairs:
        by_draw = one.mean(axis=1) - other.mean(axis=1)  # of the same examples, so groups are paired by draw
        variance = float(by_draw.var(ddof=1)) / draws + _variances(one)[1] + _variances(other)[1]
        apart.append(abs(float(by_draw.mean())))
        ends.append(quantile * math.sqrt(variance))
    low = max(max(gap - half, 0.0) for gap, half in zip(apart, ends, strict=True))
    high = min(max(gap + half for gap, half in zip(apart, ends, strict=True)), 1.0)
    rows = sum(mine.shape[1] for mine in known)
    yield _finding(key, max(apart), Interval(low, high, level, f"{METHOD}, all pairs"), rows, draws)


def _finding(key: Key, estimate: float, interval: Interval, rows: int, draws: int) -> Finding:
    return Finding(
        key, NAME, float(estimate), interval, support=rows, direction=describe(key.metric).direction, unit="share",
        groups=(GroupValue("", float(estimate), rows, rows),), component="accuracy",
        note=message("Over {draws} draws.", draws=draws),
    )  # fmt: skip


def _provenance(
    predict: Callable[[Batch], NDArray[np.float64]], name: str, preparing: Preparing,
    evaluation: EvaluationSet, level: float, seed: int,
) -> Provenance:  # fmt: skip
    """Return where the study comes from: as an audit of the head on the most examples, of the first draw."""
    from evenhand.subjects import as_subject

    subject = as_subject(predict, name=name, reads=preparing.reads)
    whole = provenance(Evidence(subject, evaluation, options=EvidenceOptions(level=level, seed=seed)))
    whole.pop("score_edges", None)
    return whole
