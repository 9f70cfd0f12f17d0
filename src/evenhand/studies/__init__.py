"""Many models at once: a search over recipes and strengths, repeats over seeds, and populations of models.

A study is a record like any audit's, so that it is written, judged, compared and drawn by what is there already.
"""

from evenhand.studies.candidates import USUAL, Candidate, expand
from evenhand.studies.plan import Plan
from evenhand.studies.studying import study

__all__ = ["USUAL", "Candidate", "Plan", "expand", "study"]
