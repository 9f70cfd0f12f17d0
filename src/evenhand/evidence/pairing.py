"""Two audits on the same rows, compared row by row by the predictions that both kept."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.errors import InputError
from evenhand.evidence.keeping import DECISION, GROUP, ROW, SCORE, TRUTH
from evenhand.findings import Finding, GroupValue, Interval
from evenhand.messages import message
from evenhand.metrics.inference.paired import paired_auc_change, paired_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import AuditRecord
    from evenhand.keys import Key
    from evenhand.provenance import KeptPredictions

SHARES: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "accuracy": (None, None),
    "error_rate": (None, None),
    "selection_rate": (None, 1),
    "recall": (1, 1),
    "false_negative_rate": (1, 0),
    "specificity": (0, 0),
    "false_positive_rate": (0, 1),
}
"""Rates whose denominator both models share: the truth in it (None: both), the decision that counts (None: the right
one; of `error_rate` the wrong one)."""
LEAST_OF_A_CLASS: Final = 2


@dataclass(frozen=True, slots=True)
class PairedPredictions:
    """The rows that two audits share: `read` pairs them, `change` computes a paired change of a rate."""

    table: pd.DataFrame = field(repr=False)
    """One row a shared case: truth, both decisions and scores, groups."""
    only_old: int
    """Rows of the earlier audit that the later one does not have."""
    only_new: int
    """Rows of the later audit that the earlier one does not have."""

    @classmethod
    def read(cls, new: AuditRecord, new_file: str | Path, old: AuditRecord, old_file: str | Path) -> PairedPredictions:
        """Read the predictions that two audits kept and pair them by row.

        Raises
        ------
        InputError
            When a file is not the one of its record, the keys differ, or no row is shared.
        """
        blocks = [_block(record, file) for record, file in ((new, new_file), (old, old_file))]
        if blocks[0]["key_fingerprint"] != blocks[1]["key_fingerprint"]:
            raise InputError("The two audits named their rows with different keys; keep both with the same --row-key.")
        after, before = _read(Path(new_file), blocks[0]), _read(Path(old_file), blocks[1])
        both = after.merge(before, on=ROW, suffixes=("", "_old"), validate="one_to_one")
        if both.empty:
            raise InputError("The two audits share no row; compare them without their predictions.")
        if (both[TRUTH] != both[f"{TRUTH}_old"]).any():
            raise InputError("Rows of the same name have different truths in the two audits.")
        return cls(both, len(before) - len(both), len(after) - len(both))

    def change(self, key: Key, level: float) -> Finding | None:
        """Return how a metric changed from the earlier to the later model over the shared rows.

        Parameters
        ----------
        key : Key
            A rate of `SHARES` or ``roc_auc``, over all rows or of one group.
        level : float
            Two-sided confidence.

        Returns
        -------
        Finding or None
            New minus old with a paired interval; None where the metric is another, or one of both has no value.
        """
        rows = self._rows(key)
        if rows is None or key.qualifiers:
            return None
        truth = self.table[TRUTH].to_numpy()[rows]
        found = (
            self._auc(truth, rows, level) if key.metric == "roc_auc" else self._share(key.metric, truth, rows, level)
        )
        if found is None:
            return None
        estimate, interval, support = found
        note = message(
            "Paired over {rows:,} rows that both audits share; {left:,} stand in one of them only.",
            rows=len(self.table), left=self.only_old + self.only_new,
        )  # fmt: skip
        groups = (GroupValue("", estimate, support, int(rows.sum())),)
        return Finding(key, "baseline", estimate, interval, support=support, groups=groups, note=note)

    def _rows(self, key: Key) -> NDArray[np.bool_] | None:
        rows = np.ones(len(self.table), dtype=bool)
        if len(key.group) != len(key.columns):
            return None
        for column, group in key.group:
            if GROUP + column not in self.table:
                return None
            rows &= (self.table[GROUP + column] == group).to_numpy()
        return rows if rows.any() else None

    def _share(
        self, metric: str, truth: NDArray[np.int32], rows: NDArray[np.bool_], level: float
    ) -> tuple[float, Interval, int] | None:
        if metric not in SHARES:
            return None
        wanted, decision = SHARES[metric]
        inside = np.ones(len(truth), dtype=bool) if wanted is None else truth == wanted
        if not inside.any():
            return None
        new, old = (
            (said == (truth if decision is None else decision)) != (metric == "error_rate")
            for said in (self.table[name].to_numpy()[rows] for name in (DECISION, f"{DECISION}_old"))
        )
        both, gained, lost, neither = (
            np.array([int((inside & part).sum())]) for part in (new & old, new & ~old, ~new & old, ~new & ~old)
        )
        found = paired_change(both, gained, lost, neither, level)
        interval = Interval(float(found.low[0]), float(found.high[0]), level, found.method)
        return float(found.estimate[0]), interval, int(found.support[0])

    def _auc(
        self, truth: NDArray[np.int32], rows: NDArray[np.bool_], level: float
    ) -> tuple[float, Interval, int] | None:
        names = (f"{SCORE}_old", SCORE)
        sizes = np.bincount(truth, minlength=2)
        if any(name not in self.table for name in names) or len(sizes) > 2 or sizes.min() < LEAST_OF_A_CLASS:
            return None
        old, new = (self.table[name].to_numpy(dtype=np.float64)[rows] for name in names)
        change, low, high = paired_auc_change(truth.astype(np.int8), old, new, level)
        return change, Interval(low, high, level, "delong, paired"), len(truth)


def _block(record: AuditRecord, file: str | Path) -> KeptPredictions:
    block = record.provenance.get("predictions")
    if block is None:
        raise InputError(f"{file}: its record kept no predictions. Audit with --keep-predictions.")
    return block


def _read(place: Path, block: KeptPredictions) -> pd.DataFrame:
    try:
        held = place.read_bytes()
    except OSError as wrong:
        raise InputError(f"{place}: cannot be read: {wrong.strerror or wrong}") from None
    if hashlib.sha256(held).hexdigest() != block["sha256"]:
        raise InputError(f"{place}: these are not the predictions that the record speaks of (their hash differs).")
    return pd.read_parquet(io.BytesIO(held))
