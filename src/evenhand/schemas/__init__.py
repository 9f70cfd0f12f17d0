"""The JSON Schemas of what evenhand writes, one file a version."""
