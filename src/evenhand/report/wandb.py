"""Log to Weights & Biases: figures in the summary, limits as a table, the page as HTML, the record as an artifact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from evenhand.errors import need
from evenhand.report.tracked import COLUMNS, FOLDER, tracked

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.tracked import Tracked


def log_to_wandb(
    record: AuditRecord, verdict: Verdict | None = None, run: Any = None, *, everything: bool = False, **look: Any
) -> str:
    """Log an audit to a run of Weights & Biases.

    Parameters
    ----------
    record : AuditRecord
    verdict : Verdict, optional
        Its limits are logged as the table ``evenhand/limits``, its status as ``evenhand/verdict`` in the summary.
    run : wandb.Run, optional
        The run; the active one, or a new one that is finished again, when absent.
    everything : bool
        Whether every finding over all rows, every disparity and every judged finding is in the summary, rather than
        about twenty figures.
    **look
        The look of the page: ``lang``, ``suppress_below``, ``template_dir``, ``assets``.

    Returns
    -------
    str
        The run's id. Figures are named ``evenhand/recall.race-black``, with ``.low`` and ``.high`` for the ends of the
        interval; the page is ``evenhand/report``, and an artifact of the type ``evenhand-audit`` holds page and record.

    Raises
    ------
    MissingExtraError
        When Weights & Biases is absent.
    """
    wandb: Any = need("wandb", "wandb")
    told = tracked(record, verdict, everything=everything, **look)
    name = record.provenance.get("subject", {}).get("name", "model")
    held = run or wandb.run
    if held is not None:
        return _log(wandb, held, told, name)
    with wandb.init(job_type="evenhand-audit") as made:
        return _log(wandb, made, told, name)


def _log(wandb: Any, run: Any, told: Tracked, model: str) -> str:
    run.config.update({FOLDER: dict(told.tags)}, allow_val_change=True)
    run.summary.update({name.replace(".", "/", 1): value for name, value in told.metrics.items()})
    if "verdict" in told.tags:
        run.summary.update({f"{FOLDER}/verdict": told.tags["verdict"]})
    shown = {f"{FOLDER}/report": wandb.Html(told.files["report.html"], inject=False, data_is_not_path=True)}
    if told.limits:
        shown[f"{FOLDER}/limits"] = wandb.Table(columns=list(COLUMNS), data=[list(row) for row in told.limits])
    run.log(shown)
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", model)[:100].strip("-.") or "model"
    artifact = wandb.Artifact(f"audit-{plain}", type="evenhand-audit", metadata=dict(told.tags))
    for name, text in told.files.items():
        with artifact.new_file(name, mode="w", encoding="utf-8") as file:
            file.write(text)
    run.log_artifact(artifact)
    return str(run.id)
