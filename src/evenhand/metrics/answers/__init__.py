"""Compute the finding of a key from counts, or the reason why there is none.

Audits, records, policies and pages all get their findings here. numpy is loaded only to compute one.
"""

from evenhand.metrics.answers.asking import answers_of
from evenhand.metrics.answers.questions import NoAnswerError, is_counted, usual_keys

__all__ = ["NoAnswerError", "answers_of", "is_counted", "usual_keys"]
