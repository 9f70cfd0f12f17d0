"""Logs of language models, sample by sample: those of lm-evaluation-harness and of Inspect."""
