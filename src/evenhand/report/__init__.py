"""Reports: a record and a verdict in, text out. Needs no model and none of the heavy packages."""

from evenhand.report.catalogue import ENDINGS, FORMATS
from evenhand.report.writing_reports import find_format, format_of, render, write_report

__all__ = ["ENDINGS", "FORMATS", "find_format", "format_of", "render", "write_report"]
