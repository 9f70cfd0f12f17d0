"""Formats: the report as a page, as text, for pipelines and for other tools."""
