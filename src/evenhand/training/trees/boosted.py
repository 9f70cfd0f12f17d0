"""A model of boosted trees: columns, trees and threshold, in one file that holds numbers alone."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.errors import need
from evenhand.training.model import FORMAT, KEY, as_text, probabilities
from evenhand.training.trees.arrays import BoostedTrees
from evenhand.training.trees.columns import TreeColumns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects import ScoreKind

KIND: Final = "boosting"
"""The kind of network that a file of trees says it holds."""


class BoostedModel:
    """A subject made by `fit_boosting`: it predicts probabilities from the columns of a table.

    Parameters
    ----------
    name : str
        What the report calls it.
    trees : BoostedTrees
        Columns, nodes and leaves.
    threshold : float
        A probability at or above it is predicted positive; of several classes the most probable is predicted.
    history : mapping
        How it came about: settings, rows, rounds.
    fit_row_hashes : array of uint64, optional
        Fingerprints of the training and validation rows, sorted; empty when unknown.
    content : bytes, optional
        The file it was read from, when it was.

    See Also
    --------
    evenhand.training.fit_boosting : Makes one.
    evenhand.training.load_model : Reads one.
    """

    reads: Reads = "table"
    score_kind: ScoreKind = "probability"

    def __init__(
        self,
        *,
        name: str,
        trees: BoostedTrees,
        threshold: float,
        history: Mapping[str, Plain],
        fit_row_hashes: NDArray[np.uint64] | None = None,
        content: bytes | None = None,
    ) -> None:
        self.name = name
        self.estimator = trees
        self.threshold = threshold
        self.history = dict(history)
        self.fit_row_hashes = np.empty(0, dtype=np.uint64) if fit_row_hashes is None else fit_row_hashes
        self.cost: dict[str, Plain] | None = None
        self.task: Task = "binary" if trees.outputs == 1 else "multiclass"
        self._read_from = content

    @property
    def trees(self) -> BoostedTrees:
        """Columns, nodes and leaves."""
        return self.estimator

    @property
    def preprocessing(self) -> TreeColumns:
        """What the trees ask."""
        return self.estimator.columns

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        return self.preprocessing.features

    def prepare(self, batch: Batch) -> NDArray[np.float64]:
        """Return what the trees ask of each row, shape (n, columns), NaN where missing."""
        return self.preprocessing.transform(batch)

    def predict_prepared(self, prepared: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of the positive class for prepared rows, shape (n,), or of each class, (n, C)."""
        score = self.estimator.score(prepared)
        return probabilities(score[:, 0] if score.shape[1] == 1 else score, self.name)

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the probability of the positive class of each row, shape (n,), or of each class, (n, C)."""
        return self.predict_prepared(self.prepare(batch))

    def predict_logits(self, batch: Batch) -> NDArray[np.float64]:
        """Return the log odds of each row, shape (n,), or the scores (n, C): the sums of leaves."""
        score = self.estimator.score(self.prepare(batch))
        return score[:, 0] if score.shape[1] == 1 else score

    @property
    def facts(self) -> Mapping[str, Plain]:
        """What is known of the model; bytes and hash are those of the file that `save` writes."""
        leaves = int((self.estimator.left < 0).sum())
        return {
            "kind": "boosted trees",
            "runtime": "evenhand",
            "features": list(self.features),
            "trees": self.estimator.trees,
            "leaves": leaves,
            "parameters": leaves + 2 * (len(self.estimator.left) - leaves),
            "recipe": [],
            "used_sensitive": self.history.get("used_sensitive", []),
            "fit_rows": len(self.fit_row_hashes) or None,
            "training": {key: value for key, value in self.history.items() if key != "used_sensitive"},
            "preprocessing": self.preprocessing.describe(),
            "file_bytes": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file that `save` writes: those read, else made once, so the model must stay."""
        if self._read_from is not None:
            return self._read_from
        need("safetensors", "torch")
        from safetensors.numpy import save

        about: dict[str, Plain] = {
            "format": FORMAT,
            "name": self.name,
            "threshold": self.threshold,
            "network": {"kind": KIND},
            "preprocessing": self.preprocessing.to_plain(),
            "history": self.history,
            "fit_rows": len(self.fit_row_hashes) or None,
        }
        return save(self.estimator.tensors(), {KEY: as_text(about)})

    def save(self, path: str | Path) -> None:
        """Write the model, whole or not at all; fingerprints of its rows and its cost in files beside it.

        Raises
        ------
        OutputError
            When the place cannot be written to.
        """
        from evenhand.output.writing import write_bytes
        from evenhand.training.rows import write_cost, write_rows

        write_bytes(Path(path), self.content)
        write_rows(Path(path), self.fit_row_hashes)
        write_cost(Path(path), self.cost)


def boosted_from(about: Mapping[str, Plain], content: bytes, rows: NDArray[np.uint64]) -> BoostedModel:
    """Return the model of a file; raise KeyError, TypeError or ValueError where it is damaged.

    Nothing is built by what the file says: its arrays are the trees, and are checked before any row goes through them.
    """
    from safetensors.numpy import load

    held: dict[str, NDArray[Any]] = load(content)
    columns = TreeColumns.from_plain(cast("dict[str, Plain]", about["preprocessing"]))
    trees = BoostedTrees.from_tensors(columns, held)
    if trees.trees % trees.outputs:
        raise ValueError("a round of its trees is not whole")
    return BoostedModel(
        name=str(about["name"]),
        trees=trees,
        threshold=float(cast("float", about["threshold"])),
        history=cast("dict[str, Plain]", about["history"]),
        fit_row_hashes=rows,
        content=content,
    )
