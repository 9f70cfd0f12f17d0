"""Intervals and resampling from counts, chosen by measured coverage."""
