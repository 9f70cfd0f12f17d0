"""Report formats: page, text, and files for pipelines and other tools."""
