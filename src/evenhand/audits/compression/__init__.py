"""The effects of compression, overall and for each group."""
