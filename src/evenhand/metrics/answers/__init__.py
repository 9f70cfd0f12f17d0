"""From a key and counts to a finding, or why there is none: the only place that knows the way.

What an audit states from counts, what a record is asked for, what a policy limits and what a page shows are all
answered here. Asking loads numpy only once counts have to say something.
"""

from evenhand.metrics.answers.asking import answers_of
from evenhand.metrics.answers.questions import NoAnswerError, is_counted, usual_keys

__all__ = ["NoAnswerError", "answers_of", "is_counted", "usual_keys"]
