"""Log to MLflow: findings as metrics, the verdict as tags, the page and the record as artifacts."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import need
from evenhand.records import digest, dump, to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key
    from evenhand.policy import Judgement, Verdict

FOLDER: Final = "evenhand"
AT_ONCE: Final = 1_000
"""The most metrics that MLflow takes in one call."""
LONGEST: Final = 200
"""MLflow allows 250 characters; the ends of an interval need some."""


def log_to_mlflow(record: AuditRecord, verdict: Verdict | None = None, run_id: str | None = None) -> str:
    """Log an audit to a run of MLflow.

    Parameters
    ----------
    record : AuditRecord
    verdict : Verdict, optional
        The findings of its limits are logged, too, and its status as the tag ``evenhand.verdict``.
    run_id : str, optional
        The run; the active one, or a new one, when absent.

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
    client = mlflow.MlflowClient()
    active = mlflow.active_run()
    if run_id is None and active is None:
        with mlflow.start_run() as run:
            return log_to_mlflow(record, verdict, run.info.run_id)
    chosen = run_id or active.info.run_id
    figures = dict(_figures(record, verdict))
    entities = [_metric(name, value) for name, value in figures.items()]
    for start in range(0, len(entities), AT_ONCE):
        client.log_batch(chosen, metrics=entities[start : start + AT_ONCE])
    for name, value in _tags(record, verdict).items():
        client.set_tag(chosen, f"evenhand.{name}", value)
    from evenhand.report.formats.html import html  # a page takes a while to load, and few log to MLflow

    client.log_text(chosen, html(record, verdict), f"{FOLDER}/report.html")
    client.log_text(chosen, dump(to_plain(record)), f"{FOLDER}/audit.json")
    return str(chosen)


def mlflow_evaluation(record: AuditRecord, verdict: Verdict | None = None) -> Any:
    """Return the audit as an ``mlflow.models.EvaluationResult``, for ``mlflow.validate_evaluation_results``."""
    models: Any = need("mlflow.models", "mlflow")
    return models.EvaluationResult(metrics=dict(_figures(record, verdict)), artifacts={})


def mlflow_thresholds(verdict: Verdict) -> dict[str, Any]:
    """Return an ``mlflow.models.MetricThreshold`` for each limit, on the end of the interval that must be inside it.

    So MLflow passes what evenhand passes: a limit of at least 0.8 applies to the low end, not to the estimate. Without
    an interval it applies to the estimate; a limit whose finding is missing has no value there, and MLflow refuses it.
    """
    models: Any = need("mlflow.models", "mlflow")
    return {
        _decided_by(judgement): models.MetricThreshold(
            threshold=judgement.limit.bound, greater_is_better=judgement.limit.at_least is not None
        )
        for judgement in reversed(verdict.judgements)  # of two limits on one figure the one that is worse off counts
        if judgement.blocking and not (judgement.limit.required and judgement.status == "passed")
    }


def metric_name(key: Key) -> str:
    """Return a unique MLflow name for a finding's key; without slashes, which its file store turns into folders.

    Examples
    --------
    >>> from evenhand.keys import Key
    >>> metric_name(Key.of("recall", {"race": "black"}))
    'evenhand.recall.race-black'
    """
    parts = [key.metric, *(f"{f.column}-{f.group}" if f.group is not None else f.column for f in key.features)]
    parts += [f"{name}-{value}" for name, value in key.qualifiers]
    plain = ".".join(re.sub(r"[^\w -]", "_", part).strip() or "_" for part in parts)
    if plain == ".".join(parts) and len(plain) < LONGEST:
        return f"{FOLDER}.{plain}"
    mark = hashlib.sha256(str(key).encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{FOLDER}.{plain[:LONGEST]}-{mark}"


def _figures(record: AuditRecord, verdict: Verdict | None) -> Iterator[tuple[str, float]]:
    """Yield the findings that are judged, over all rows, or disparities: not every metric of every group."""
    judged = [j.finding for j in verdict.judgements if j.finding is not None] if verdict is not None else []
    others = [finding for finding in record.findings if not finding.key.group and not finding.key.qualifiers]
    for finding in {finding.key: finding for finding in (*others, *judged)}.values():
        yield from _ends(finding)


def _ends(finding: Finding) -> Iterator[tuple[str, float]]:
    if finding.estimate is None:
        return
    name = metric_name(finding.key)
    yield name, float(finding.estimate)
    if finding.interval is not None:
        for word, end in (("low", finding.interval.low), ("high", finding.interval.high)):
            if end is not None:
                yield f"{name}.{word}", float(end)


def _decided_by(judgement: Judgement) -> str:
    name = metric_name(judgement.key)
    if judgement.finding is None or judgement.finding.interval is None:
        return name
    return f"{name}.low" if judgement.limit.at_least is not None else f"{name}.high"


def _metric(name: str, value: float) -> Any:
    import time

    entities: Any = need("mlflow.entities", "mlflow")
    return entities.Metric(name, value, int(time.time() * 1000), 0)


def _tags(record: AuditRecord, verdict: Verdict | None) -> dict[str, str]:
    told = {"audit_digest": digest(record)}
    if verdict is not None:
        told |= {"verdict": verdict.status, "policy_sha256": verdict.policy_sha256, "sentence": verdict.sentence}
    return told
