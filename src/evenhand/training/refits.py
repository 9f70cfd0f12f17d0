"""What models of this package share that can be fitted again."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.subjects import Subject

FITTING: Final = "evenhand.training.refitting"
"""What fits; it makes models, so they name it and do not import it."""


class Refits:
    """A model whose history says how it was fitted."""

    def refit(self, rows: EvaluationSet, seed: int) -> Subject:
        """Return the same recipe fitted on other rows; see `evenhand.training.refit`."""
        return cast("Subject", import_module(FITTING).refit(self, rows, seed))
