"""A model whose scores are decided on by a rule: other thresholds, by group, or by lots."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.errors import ModelError, shorten
from evenhand.lots import fingerprints, uniform
from evenhand.subjects.binding import bound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import ScoreKind, Subject
    from evenhand.subjects.rules import Rule
    from evenhand.subjects.target import Target

DRAW: Final = 17
"""Of the draws of a row the one that decides."""
MIDDLE: Final = 0.5
"""The threshold where the rule is none: decisions are above it, and the rest is below."""


OF_FILE: Final = ("sha256", "file_bytes")
"""Facts of the file of the model, which are not of the file of the model under a rule."""


class PostProcessed:
    """A model under a rule over its scores.

    Where the rule is one threshold, scores stay as they are. Elsewhere a row's score is that of the model, moved into
    the upper half of [0, 1] where the row is decided for and into the lower half where it is not: an order that no
    threshold contradicts, and within a group of one threshold the model's own. A lot is a function of the row's
    values, so that equal rows are decided alike, at any time.

    Parameters
    ----------
    base : Subject
        The model; it stays as it is.
    rule : Rule, optional
        The rule; None takes the score of the model as the chance of a positive decision.
    columns : sequence of str
        The columns that the model reads; none where it reads no table.
    seed : int
        Of the lots.
    name : str, optional
        What the report calls it.

    Raises
    ------
    ModelError
        When there is a rule by group over a model that reads no table.
    """

    def __init__(
        self, base: Subject, rule: Rule | None, columns: Sequence[str], *, seed: int = 0, name: str | None = None
    ) -> None:
        self.base, self.rule, self.seed = base, rule, seed
        self.base_columns = tuple(columns)
        self.name = name or base.name
        self.reads: Reads | None = getattr(base, "reads", "table")
        self.file_facts: Mapping[str, Plain] = {}
        """Bytes and hash of the file that it was opened from."""
        self.fit_row_hashes: NDArray[np.uint64] | None = getattr(base, "fit_row_hashes", None)
        """Fingerprints of the rows that model and rule were fitted and chosen on, by what the model reads of them."""
        if self.by and not self.base_columns:
            raise ModelError(f"Model '{base.name}' reads no table, so no rule can tell the groups of its rows.")

    @property
    def by(self) -> tuple[str, ...]:
        """The sensitive features that the rule asks for."""
        return () if self.rule is None else self.rule.columns

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table that a batch must have."""
        return tuple(dict.fromkeys((*self.base_columns, *self.by)))

    @property
    def threshold(self) -> float:
        """A score at or above it is predicted positive."""
        one = None if self.rule is None else self.rule.threshold
        return MIDDLE if one is None else one

    @property
    def score_kind(self) -> ScoreKind:
        """As the model has it where the rule is one threshold; else an order."""
        return "ranking" if self.rule is None or self.rule.threshold is None else self.base.score_kind

    @property
    def randomized(self) -> bool:
        """Whether lots are drawn."""
        return self.rule is None or not self.rule.certain

    @property
    def facts(self) -> Mapping[str, Plain]:
        """The facts of the model, with the rule and the columns that it asks for."""
        told: dict[str, Plain] = {
            **{name: value for name, value in self.base.facts.items() if name not in OF_FILE},
            **self.file_facts,
            "kind": "mitigated",
            "base": str(self.base.facts.get("kind")),
            "rule": None if self.rule is None else cast("Plain", self.rule.to_plain()),
            "decides_by": list(self.by),
            "randomized": self.randomized,
            "decided_by": "model",
        }
        if self.base.facts.get("sha256") is not None:
            told["base_sha256"] = self.base.facts["sha256"]
        if self.randomized:
            told["lot_seed"] = self.seed
        if self.columns:
            told["features"] = list(self.columns)
        return told

    def bound(self, target: Target) -> PostProcessed:
        """Return the same model and rule, to be audited on a label."""
        twin = copy.copy(self)
        twin.base = bound(self.base, target)
        return twin

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return a score of each row; it is at or above the threshold where the row is decided for."""
        scores = self.base.predict(self._of_base(batch))
        if self.rule is not None and self.rule.threshold is not None:
            return scores
        chances = scores if self.rule is None else self.rule.chances(batch, scores)
        decided = chances >= 1.0
        if self.randomized:
            decided = uniform(fingerprints(self._of_lot(batch)), self.seed, DRAW) < chances
        return (decided + _below_one(scores, self.base.score_kind, float(self.base.threshold))) / 2

    def _of_base(self, batch: Batch) -> Batch:
        return self._chosen(batch, self.base_columns) if self.base_columns else batch

    def _of_lot(self, batch: Batch) -> Batch:
        return self._chosen(batch, self.columns) if self.columns else batch

    def _chosen(self, batch: Batch, columns: tuple[str, ...]) -> Batch:
        known = getattr(batch, "columns", ())
        if absent := [column for column in self.columns if column not in known]:
            raise ModelError(
                f"Model '{self.name}' needs columns that the rows lack: {shorten(', '.join(absent), 200)}."
            )
        return cast("pd.DataFrame", batch)[list(columns)]


def _below_one(scores: NDArray[np.float64], kind: ScoreKind, threshold: float) -> NDArray[np.float64]:
    """Return scores in their order, in [0, 1)."""
    inside = scores if kind != "ranking" else 0.5 + np.arctan(scores - threshold) / np.pi
    return np.asarray(inside * (1.0 - 2.0**-40), dtype=np.float64)
