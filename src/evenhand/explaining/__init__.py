"""Shapley values of a model's own input columns, for any model, with their standard errors.

A column of the table is a player, whatever the model makes of it inside; the fast path needs numpy and pandas only.
"""

from evenhand.explaining.arrays import patch_players
from evenhand.explaining.attributions import Attributions
from evenhand.explaining.background import choose_background
from evenhand.explaining.choosing import WAYS, Method, Way
from evenhand.explaining.explain import explain
from evenhand.explaining.reasons import reason_codes
from evenhand.explaining.scores import Link
from evenhand.explaining.summaries import GapParts, Importance, gap_parts, group_importance, importance
from evenhand.explaining.texts import explain_text

__all__ = [
    "WAYS", "Attributions", "GapParts", "Importance", "Link", "Method", "Way", "choose_background", "explain",
    "explain_text", "gap_parts", "group_importance", "importance", "patch_players", "reason_codes",
]  # fmt: skip
