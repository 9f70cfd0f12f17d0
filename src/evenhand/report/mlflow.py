"""Log to MLflow: about twenty figures, the limits as a table, the verdict as tags, the page and the record as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import need
from evenhand.report.tracked import COLUMNS, FOLDER, figures, metric_name, tracked

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Verdict
    from evenhand.report.tracked import Tracked

AT_ONCE: Final = 1_000
"""The most metrics that MLflow takes in one call."""


def log_to_mlflow(
    record: AuditRecord,
    verdict: Verdict | None = None,
    run_id: str | None = None,
    *,
    everything: bool = False,
    **look: Any,
) -> str:
    """Log an audit to a run of MLflow.

    Parameters
    ----------
    record : AuditRecord
    verdict : Verdict, optional
        Its limits are logged as the table ``evenhand/limits.json``, its status as the tag ``evenhand.verdict``.
    run_id : str, optional
        The run; the active one, or a new one, when absent.
    everything : bool
        Whether every finding over all rows, every disparity and every judged finding is a metric, rather than about
        twenty.
    **look
        The look of the page: ``lang``, ``suppress_below``, ``template_dir``, ``assets``.

    Returns
    -------
    str
        The run's id. Metrics are named ``evenhand.recall.race-black``, with ``.low`` and ``.high`` for the ends of the
        interval; ``evenhand/report.html`` and ``evenhand/audit.json`` are artifacts.

    Raises
    ------
    MissingExtraError
        When MLflow is absent.
    """
    mlflow: Any = need("mlflow", "mlflow")
    told = tracked(record, verdict, everything=everything, **look)
    if run_id is None and mlflow.active_run() is None:
        with mlflow.start_run() as run:
            return _log(mlflow.MlflowClient(), run.info.run_id, told)
    return _log(mlflow.MlflowClient(), run_id or mlflow.active_run().info.run_id, told)


def _log(client: Any, run_id: str, told: Tracked) -> str:
    entities = [_metric(name, value) for name, value in told.metrics.items()]
    for start in range(0, len(entities), AT_ONCE):
        client.log_batch(run_id, metrics=entities[start : start + AT_ONCE])
    for name, value in told.tags.items():
        client.set_tag(run_id, f"{FOLDER}.{name}", value)
    for name, text in told.files.items():
        client.log_text(run_id, text, f"{FOLDER}/{name}")
    if told.limits:
        columns = {name: [row[at] for row in told.limits] for at, name in enumerate(COLUMNS)}
        client.log_table(run_id, columns, f"{FOLDER}/limits.json")
    return str(run_id)


def mlflow_evaluation(record: AuditRecord, verdict: Verdict | None = None) -> Any:
    """Return the audit as an ``mlflow.models.EvaluationResult``, for ``mlflow.validate_evaluation_results``.

    Parameters
    ----------
    record : AuditRecord
        The audit.
    verdict : Verdict, optional
        The findings of its limits are metrics, too.

    Raises
    ------
    MissingExtraError
        When MLflow is absent.

    Examples
    --------
    >>> import evenhand as eh
    >>> round(mlflow_evaluation(eh.audit_predictions([1, 0, 1, 1], [1, 0, 0, 1])).metrics["evenhand.accuracy"], 2)
    0.75
    """
    models: Any = need("mlflow.models", "mlflow")
    judged = [] if verdict is None else [one.finding for one in verdict.judgements if one.finding is not None]
    others = [finding for finding in record.findings if not finding.key.group and not finding.key.qualifiers]
    return models.EvaluationResult(metrics=dict(figures([*others, *judged])), artifacts={})


def mlflow_thresholds(verdict: Verdict) -> dict[str, Any]:
    """Return an ``mlflow.models.MetricThreshold`` for each limit, on the end of the interval that must be inside it.

    So MLflow passes what evenhand passes: a limit of at least 0.8 applies to the low end, not to the estimate. Without
    an interval it applies to the estimate; a limit whose finding is missing has no value there, and MLflow refuses it.

    Parameters
    ----------
    verdict : Verdict
        Its limits.

    Raises
    ------
    MissingExtraError
        When MLflow is absent.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 200, [1, 0] * 200)
    >>> list(mlflow_thresholds(eh.judge(record, eh.load_policy({"limits": {"accuracy": {"at_least": 0.8}}}))))
    ['evenhand.accuracy.low']
    """
    models: Any = need("mlflow.models", "mlflow")
    return {
        _decided_by(judgement): models.MetricThreshold(
            threshold=judgement.limit.bound, greater_is_better=judgement.limit.at_least is not None
        )
        for judgement in reversed(verdict.judgements)  # of two limits on one figure the one that is worse off counts
        if judgement.blocking and not (judgement.limit.required and judgement.status == "passed")
    }


def _decided_by(judgement: Judgement) -> str:
    name = metric_name(judgement.key)
    if judgement.finding is None or judgement.finding.interval is None:
        return name
    return f"{name}.low" if judgement.limit.at_least is not None else f"{name}.high"


def _metric(name: str, value: float) -> Any:
    import time

    entities: Any = need("mlflow.entities", "mlflow")
    return entities.Metric(name, value, int(time.time() * 1000), 0)
