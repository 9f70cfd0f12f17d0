"""Reports: a record and a verdict in, text out. Needs no model and none of the heavy packages."""

from evenhand.report.formats.catalogue import FORMATS
from evenhand.report.mlflow import log_to_mlflow, mlflow_evaluation, mlflow_thresholds
from evenhand.report.rendering import format_of, render, write_report

__all__ = [
    "FORMATS", "format_of", "log_to_mlflow", "mlflow_evaluation", "mlflow_thresholds", "render", "write_report",
]  # fmt: skip
