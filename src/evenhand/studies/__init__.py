"""Many models at once: a search over recipes and strengths, repeats over seeds, and populations of models.

A study is a record like any audit's, so the same code writes, judges, compares and draws it.
"""

from evenhand.studies.candidates import USUAL, Candidate, expand
from evenhand.studies.few_shot import few_shot
from evenhand.studies.plan import Plan
from evenhand.studies.studying import study

__all__ = ["USUAL", "Candidate", "Plan", "expand", "few_shot", "study"]
