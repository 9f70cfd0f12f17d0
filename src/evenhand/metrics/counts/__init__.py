"""Counts: of truth x decision by group, of two models jointly, by score."""
