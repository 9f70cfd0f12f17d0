"""Boosted trees of other packages: their boosters and the files that they are saved in."""
