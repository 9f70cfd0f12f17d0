"""Attacks: rows moved by at most a budget so that a model decides them wrongly, and whether the attacks can be trusted.

Those that follow gradients need a torch module; a search by squares asks any model that reads arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face

if TYPE_CHECKING:
    from evenhand.probing.attacks.answers import answers_of
    from evenhand.probing.attacks.attacking import Attacked, attack
    from evenhand.probing.attacks.columns import attack_columns
    from evenhand.probing.attacks.reaching import Gradients, gradients_of
    from evenhand.probing.attacks.square import search_squares
    from evenhand.probing.attacks.threat import Threat, threat_of

__all__ = [
    "Attacked", "Gradients", "Threat", "answers_of", "attack", "attack_columns", "gradients_of", "search_squares",
    "threat_of",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "answers": "answers_of", "attacking": "Attacked attack", "columns": "attack_columns",
    "reaching": "Gradients gradients_of", "square": "search_squares", "threat": "Threat threat_of",
})  # fmt: skip
