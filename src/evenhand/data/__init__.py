"""Evaluation sets: reading tables, what columns are, what a model reads, groups, splits, fingerprints, example data."""

from evenhand.data.batches import columns_of
from evenhand.data.evaluation_set import EvaluationSet
from evenhand.data.examples import load_loanapp
from evenhand.data.grouping import MISSING, Grouping
from evenhand.data.hashing import overlap
from evenhand.data.inputs import Inputs, as_inputs, pick
from evenhand.data.reading import evaluation_set_from_arrays, read_evaluation_set
from evenhand.data.roles import Roles
from evenhand.data.splitting import split
from evenhand.data.validating import check_scores

__all__ = [
    "MISSING",
    "EvaluationSet",
    "Grouping",
    "Inputs",
    "Roles",
    "as_inputs",
    "check_scores",
    "columns_of",
    "evaluation_set_from_arrays",
    "load_loanapp",
    "overlap",
    "pick",
    "read_evaluation_set",
    "split",
]
