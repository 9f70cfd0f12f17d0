"""A model of boosted trees: columns, trees and threshold, in one file that holds numbers alone."""

from __future__ import annotations

import copy
import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.errors import need
from evenhand.training.model import FORMAT, KEY, as_text, predictions, quantiles_of, showing
from evenhand.training.refits import Refits
from evenhand.training.trees.arrays import BoostedTrees, one_or_more
from evenhand.training.trees.columns import TreeColumns
from evenhand.training.trees.numbers import NumberTrees, TreeTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects import ScoreKind

KIND: Final = "boosting"
"""The kind of network that a file of trees says it holds."""


class BoostedModel(Refits):
    """A subject made by `fit_boosting`: it predicts probabilities, or numbers, from the columns of a table.

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
    target : TreeTarget, optional
        How the numbers of its label are learnt, where the label is one of numbers; then nothing is cut at `threshold`.

    See Also
    --------
    evenhand.training.fit_boosting : Makes one.
    evenhand.training.load_model : Reads one.
    """

    reads: Reads = "table"

    def __init__(
        self,
        *,
        name: str,
        trees: BoostedTrees,
        threshold: float,
        history: Mapping[str, Plain],
        fit_row_hashes: NDArray[np.uint64] | None = None,
        content: bytes | None = None,
        target: TreeTarget | None = None,
    ) -> None:
        self.name = name
        self.trees = trees
        self.target = target
        self.threshold = threshold
        self.history = dict(history)
        self.fit_row_hashes = np.empty(0, dtype=np.uint64) if fit_row_hashes is None else fit_row_hashes
        self.cost: dict[str, Plain] | None = None
        self.task: Task = "regression" if target is not None else "binary" if trees.outputs == 1 else "multiclass"
        self.score_kind: ScoreKind = "probability" if target is None else "label"
        self._read_from = content

    @property
    def estimator(self) -> BoostedTrees | NumberTrees:
        """What explanations read: the trees, and of numbers their scale."""
        return self.trees if self.target is None else NumberTrees(self.trees, self.target)

    @property
    def preprocessing(self) -> TreeColumns:
        """What the trees ask."""
        return self.trees.columns

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        return self.preprocessing.features

    def prepare(self, batch: Batch) -> NDArray[np.float64]:
        """Return what the trees ask of each row, shape (n, columns), NaN where missing."""
        return self.preprocessing.transform(batch)

    def predict_prepared(self, prepared: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what `predict` does for prepared rows."""
        return predictions(one_or_more(self.trees.score(prepared)), self.name, self.target)

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the probability of the positive class of each row, shape (n,), or of each class, (n, C).

        Of numbers, the number in the label's units, (n,): of quantiles that one which is shown, by default the middle.
        """
        return self.predict_prepared(self.prepare(batch))

    def predict_quantiles(self, batch: Batch) -> NDArray[np.float64]:
        """Return all quantiles of each row, (n, Q), in the label's units; none is below the one before.

        Where trees of two quantiles cross, the one that is shown stays, and the other is held at it. Raises ModelError
        when the model was not fitted with quantiles.
        """
        return quantiles_of(self.trees.score(self.prepare(batch)), self.name, self.target)

    def at_quantile(self, quantile: float) -> BoostedModel:
        """Return the same model that predicts another of its quantiles, also when it is saved and audited.

        Raises ModelError when it has no such quantile.
        """
        made = copy.copy(self)
        made.__dict__.pop("content", None)
        made._read_from = None
        made.target = cast("TreeTarget", showing(self.target, quantile, self.name))
        made.name = f"{self.name} (quantile {quantile:g})"
        return made

    def predict_logits(self, batch: Batch) -> NDArray[np.float64]:
        """Return the log odds of each row, shape (n,), or the scores (n, C): the sums of leaves.

        Of numbers, what `predict` returns.
        """
        score = one_or_more(self.trees.score(self.prepare(batch)))
        return score if self.target is None else self.target.predicted(score)

    @property
    def facts(self) -> Mapping[str, Plain]:
        """What is known of the model; bytes and hash are those of the file that `save` writes."""
        leaves = int((self.trees.left < 0).sum())
        return {
            "kind": "boosted trees",
            "runtime": "evenhand",
            "features": list(self.features),
            "trees": self.trees.trees,
            "leaves": leaves,
            "parameters": leaves + 2 * (len(self.trees.left) - leaves),
            "recipe": [],
            "used_sensitive": self.history.get("used_sensitive", []),
            "fit_rows": len(self.fit_row_hashes) or None,
            "training": {key: value for key, value in self.history.items() if key != "used_sensitive"},
            "preprocessing": self.preprocessing.describe(),
            **({"target": self.target.to_plain()} if self.target is not None else {}),
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
            **({"target": self.target.to_plain()} if self.target is not None else {}),
        }
        return save(self.trees.tensors(), {KEY: as_text(about)})

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
    told = cast("dict[str, Plain] | None", about.get("target"))
    target = None if told is None else cast("TreeTarget", TreeTarget.from_plain(told))
    if target is not None:
        target.check(trees.outputs)
    return BoostedModel(
        name=str(about["name"]),
        trees=trees,
        threshold=float(cast("float", about["threshold"])),
        history=cast("dict[str, Plain]", about["history"]),
        fit_row_hashes=rows,
        content=content,
        target=target,
    )
