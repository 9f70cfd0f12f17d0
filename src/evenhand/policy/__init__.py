"""Limits, waivers, judging. Works from audit.json alone and loads nothing heavy."""

from evenhand.policy.headline import Headline, headline
from evenhand.policy.judging import judge
from evenhand.policy.limits import Limit, Policy, Status, Waiver
from evenhand.policy.printing import lines
from evenhand.policy.reading import load_policy
from evenhand.policy.templates import default_policy
from evenhand.policy.verdict import EXIT_CODES, Judgement, Verdict

__all__ = [
    "EXIT_CODES", "Headline", "Judgement", "Limit", "Policy", "Status", "Verdict", "Waiver", "default_policy",
    "headline", "judge", "lines", "load_policy",
]  # fmt: skip
