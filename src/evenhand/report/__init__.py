"""Reports: a record and a verdict in, text out. Needs no model and none of the heavy packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face

if TYPE_CHECKING:
    from evenhand.report.formats.catalogue import FORMATS
    from evenhand.report.hub import push_to_hub, save_for_hub
    from evenhand.report.mlflow import log_to_mlflow, mlflow_evaluation, mlflow_thresholds
    from evenhand.report.rendering import format_of, render, write_report
    from evenhand.report.timelines.rendering import render_timeline, write_timeline_report
    from evenhand.report.wandb import log_to_wandb

__all__ = [
    "FORMATS", "format_of", "log_to_mlflow", "log_to_wandb", "mlflow_evaluation", "mlflow_thresholds", "push_to_hub",
    "render", "render_timeline", "save_for_hub", "write_report", "write_timeline_report",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "formats.catalogue": "FORMATS", "hub": "push_to_hub save_for_hub",
    "mlflow": "log_to_mlflow mlflow_evaluation mlflow_thresholds", "rendering": "format_of render write_report",
    "timelines.rendering": "render_timeline write_timeline_report", "wandb": "log_to_wandb",
})  # fmt: skip
