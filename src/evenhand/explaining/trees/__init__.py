"""Exact Shapley values of tree ensembles whose players are groups of columns."""
