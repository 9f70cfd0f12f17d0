"""Evaluation sets: reading tables, column roles, model inputs, groups, splits, fingerprints, example data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face

if TYPE_CHECKING:
    from evenhand.data.arrays import evaluation_set_from_arrays
    from evenhand.data.batches import columns_of
    from evenhand.data.detections import detection_rows
    from evenhand.data.evaluation_set import EvaluationSet
    from evenhand.data.examples import load_loanapp
    from evenhand.data.grouping import MISSING, Grouping
    from evenhand.data.hashing import overlap
    from evenhand.data.inputs import Inputs, as_inputs, pick
    from evenhand.data.reading import read_evaluation_set
    from evenhand.data.roles import Roles
    from evenhand.data.rolling import rolling_splits
    from evenhand.data.splitting import split
    from evenhand.data.validating import check_scores

__all__ = [
    "MISSING", "EvaluationSet", "Grouping", "Inputs", "Roles", "as_inputs", "check_scores", "columns_of",
    "detection_rows", "evaluation_set_from_arrays", "load_loanapp", "overlap", "pick", "read_evaluation_set",
    "rolling_splits", "split",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "arrays": "evaluation_set_from_arrays", "batches": "columns_of", "detections": "detection_rows",
    "evaluation_set": "EvaluationSet",
    "examples": "load_loanapp",
    "grouping": "MISSING Grouping", "hashing": "overlap", "inputs": "Inputs as_inputs pick",
    "reading": "read_evaluation_set", "roles": "Roles", "rolling": "rolling_splits", "splitting": "split",
    "validating": "check_scores",
})  # fmt: skip
