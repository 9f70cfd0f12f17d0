"""A torch module over numeric columns, arrays or texts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, need, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.inputs import is_table, numeric_matrix, select
from evenhand.subjects.outputs import default_threshold, to_class_scores, to_score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import OutputKind, ScoreKind


class TorchSubject:
    """A module that takes a float32 matrix of the numeric columns, shape (n, features), or a tensor of arrays.

    Arrays of fractions come as float32, whole numbers as they are; texts and mappings as a list.

    Parameters
    ----------
    module : torch.nn.Module
        Returns (n,), (n, 1) or (n, classes).
    name : str, optional
        What the report calls it; the module's class name when not given.
    threshold : float, optional
        0.5, or 0 for a ranking score, when not given.
    features : sequence of str, optional
        The columns it takes, in order; all columns of the table when not given.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; those of the evaluation set when neither this nor `features` is given.
    output : "probability", "logit" or "ranking"
        What it returns. Nothing is guessed: "probability" outside [0, 1] is an error.
    positive_index : int
        The column of the positive class, where it returns several.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        name: str | None = None,
        threshold: float | None = None,
        features: Sequence[str] | None = None,
        output: OutputKind = "probability",
        positive_index: int = 1,
        reads: Reads | None = None,
    ) -> None:
        need("torch", "torch")
        self.module = module
        self.name = name or type(module).__name__
        self.features = None if features is None else tuple(features)
        self.reads: Reads | None = reads if features is None else "table"
        self.output: OutputKind = output
        self.score_kind: ScoreKind = "ranking" if output == "ranking" else "probability"
        self.threshold = default_threshold(self.score_kind) if threshold is None else float(threshold)
        self.positive_index = positive_index

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        return self.predict_prepared(self.prepare(batch))

    def class_scores(self, batch: Batch, exclusive: bool = True) -> NDArray[np.float64]:
        """Return the score of each class, shape (n, classes); of `exclusive` ones each row has one."""
        return to_class_scores(self._answer(self.prepare(batch)), self.output, len(batch), self.name, exclusive)

    def prepare(self, batch: Batch) -> NDArray[np.generic]:
        """Return the module's inputs: of a table a float32 matrix, else arrays with fractions as float32, or a list.

        Raises ModelError when columns are absent or not numeric.
        """
        import numpy as np

        if is_table(batch):
            return numeric_matrix(select(batch, self.features, self.name), self.name)
        if self.reads == "texts" or not isinstance(batch, np.ndarray):
            return batch  # type: ignore[return-value]
        return batch.astype(np.float32, copy=False) if batch.dtype.kind == "f" else batch

    def predict_prepared(self, prepared: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the scores of prepared rows."""
        return to_score(self._answer(prepared), self.output, len(prepared), self.name, self.positive_index)

    def _answer(self, prepared: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the outputs of the module for prepared rows."""
        import numpy as np
        import torch

        training = self.module.training
        self.module.eval()
        given = torch.from_numpy(prepared.copy()) if isinstance(prepared, np.ndarray) else prepared
        try:
            with torch.inference_mode():
                raw: NDArray[np.float64] = self.module(given).double().cpu().numpy()
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as problem:
            shape = getattr(prepared, "shape", None)
            what = f"a list of {type(prepared[0]).__name__}" if shape is None else f"{prepared.dtype} of shape {shape}"
            if shape is not None and len(shape) == 2:
                what = f"a matrix of {shape[1]} columns"
            raise ModelError(
                f"Model '{self.name}' could not take {what}: {shorten(problem, 300)}. What it takes may be made of a "
                "batch by prepare=."
            ) from problem
        finally:
            self.module.train(training)
        return raw

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Class, parameters and how many of them are not zero."""
        parameters = list(self.module.parameters())
        return {
            "kind": "torch",
            "class": type(self.module).__name__,
            "output": self.output,
            "features": None if self.features is None else list(self.features),
            "parameters": sum(p.numel() for p in parameters),
            "nonzero_parameters": sum(int(p.count_nonzero()) for p in parameters),
            "file_bytes": None,
            "sha256": None,
        }


def _fits(model: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


ADAPTER: Final = Adapter(TorchSubject, _fits, 10)
