"""Boosted trees of tables: grown, kept as numbers alone, scored, and fitted beside networks."""
