"""Auditing predictions that someone else's model already made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.auditing import chosen_options, run
from evenhand.errors import InputError
from evenhand.evidence import Evidence
from evenhand.evidence.predictions import ScoreKind, given, given_of_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike

    from evenhand.audits.auditing import Progress
    from evenhand.data import EvaluationSet
    from evenhand.data.validating import Missing
    from evenhand.evidence.keeping import Keeping
    from evenhand.evidence.options import MetricFunction
    from evenhand.evidence.predictions import Predictions
    from evenhand.findings import AuditRecord, Task
    from evenhand.subjects import Subject


def audit_predictions(
    y_true: ArrayLike,
    y_pred: ArrayLike | None = None,
    *,
    y_score: ArrayLike | None = None,
    original_pred: ArrayLike | None = None,
    original_score: ArrayLike | None = None,
    sensitive_features: object = None,
    control_features: object = None,
    group_probabilities: Mapping[str, object] | None = None,
    sample_weight: ArrayLike | None = None,
    cluster: object = None,
    query: object = None,
    task: Task | None = None,
    positive: object = None,
    favourable: object = None,
    threshold: float | None = None,
    score_kind: ScoreKind | None = None,
    missing: Missing = "error",
    name: str = "predictions",
    metrics: Mapping[str, MetricFunction] | None = None,
    **settings: object,
) -> AuditRecord:
    """Audit predictions without a model.

    Parameters
    ----------
    y_true : (n,) array, Series (pandas, Polars) or list
        The truth; (n, L) for several labels, with ``task="multilabel"``.
    y_pred : (n,), optional
        Decisions, in the labels of `y_true`. Made from `y_score` and `threshold` when absent.
    y_score : (n,), optional
        Scores of the positive class: probabilities, or any scale with ``score_kind="ranking"``. For several classes
        (n, C), in the order of the sorted classes.
    original_pred, original_score : (n,), optional
        What the model before compression said of the same rows: then what compression changed is stated, too.
    sensitive_features : (n,) or (n, k), optional
        Arrays, a table, or a mapping of name to values.
    group_probabilities : mapping of feature to table, optional
        A sensitive feature that no row names: the probability of each row to be of each group, a named column each.
    cluster, query : (n,), optional
        What belongs together; the list an item stands in.
    task : optional
        What the label is, as in `read_evaluation_set`; told from its values when not given.
    threshold : float, optional
        A score at or above it is predicted positive; 0.5 for probabilities when absent.
    score_kind : "probability" or "ranking", optional
        What the scores claim to be; told from the threshold when absent: scores outside [0, 1] rank where it has their
        scale, and are refused otherwise.
    **settings
        Options of `evenhand.audit`, such as ``level`` or ``intersections``.

    Returns
    -------
    AuditRecord

    Raises
    ------
    InputError
        When lengths differ, values are missing, or neither decisions nor scores are given.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([0, 1, 1, 0], [0, 1, 0, 0], sensitive_features={"sex": ["f", "f", "m", "m"]})
    >>> record["recall[sex=f]"].estimate
    1.0
    """
    from evenhand.data import evaluation_set_from_arrays
    from evenhand.data.tables import refuse_other_index

    refuse_other_index(name, {"y_true": y_true, "y_pred": y_pred, "y_score": y_score})
    data = evaluation_set_from_arrays(
        y_true,
        sensitive_features=sensitive_features,
        control_features=control_features,
        group_probabilities=group_probabilities,
        sample_weight=sample_weight,
        cluster=cluster,
        query=query,
        task=task,
        positive=positive,
        favourable=favourable,
        missing=missing,
        name=name,
    )
    return audit_given(
        data, y_pred, y_score, original_pred=original_pred, original_score=original_score, threshold=threshold,
        score_kind=score_kind, metrics=metrics, settings=settings,
    )  # fmt: skip


def audit_given(
    data: EvaluationSet,
    y_pred: ArrayLike | None = None,
    y_score: ArrayLike | None = None,
    *,
    original_pred: ArrayLike | None = None,
    original_score: ArrayLike | None = None,
    threshold: float | None = None,
    score_kind: ScoreKind | None = None,
    metrics: Mapping[str, MetricFunction] | None = None,
    settings: Mapping[str, object] | None = None,
    audits: Iterable[str] | None = None,
    keeping: Keeping | None = None,
    progress: Progress | None = None,
) -> AuditRecord:
    """Audit decisions or scores for the rows of `data`; its own prediction and score columns when none are passed.

    Raises
    ------
    InputError
        When there are neither decisions nor scores.
    """
    roles = data.roles
    if y_pred is None and y_score is None:
        y_pred = None if roles.prediction is None else data.table[roles.prediction]
        y_score = None if roles.score is None else data.table[roles.score]
    if original_pred is None and original_score is None:
        original_pred = None if roles.original_prediction is None else data.table[roles.original_prediction]
        original_score = None if roles.original_score is None else data.table[roles.original_score]
    if y_pred is None and y_score is None:
        raise InputError(f"{data.name}: neither decisions nor scores are given; an audit needs one of them.")
    options = chosen_options(None, metrics, {"explain": False, "footprint": False, **(settings or {})})
    said, there = _said(data, y_pred, y_score, threshold, score_kind, data.name)
    before, original = None, None
    if original_pred is not None or original_score is not None:
        before, original = _said(data, original_pred, original_score, threshold, score_kind, f"original of {data.name}")
    evidence = Evidence(there, data, original=original, predictions=said, original_predictions=before, options=options)
    return run(evidence, audits, progress=progress, keeping=keeping)


def _said(
    data: EvaluationSet,
    y_pred: ArrayLike | None,
    y_score: ArrayLike | None,
    threshold: float | None,
    kind: ScoreKind | None,
    name: str,
) -> tuple[Predictions, Subject]:
    """Return what a model said, and the model as far as that makes one."""
    from evenhand.subjects.of_task import GivenSubject
    from evenhand.subjects.predictions import PredictionsSubject

    if data.task != "binary":
        answered = given_of_task(data, y_pred, y_score)
        return answered, GivenSubject(answered.y_pred if answered.y_score is None else answered.y_score, name)
    found = given(data, y_pred, y_score, threshold=threshold, kind=kind)
    values = found.y_pred.astype(np.float64) if found.y_score is None else found.y_score
    return found, PredictionsSubject(values, name=name, threshold=found.threshold, score_kind=found.kind)  # type: ignore[arg-type]
