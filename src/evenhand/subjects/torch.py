"""A torch module over numeric columns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, need, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.inputs import numeric_matrix, select
from evenhand.subjects.outputs import default_threshold, to_score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.findings import Plain
    from evenhand.subjects.protocol import OutputKind, ScoreKind


class TorchSubject:
    """A module that takes a float32 matrix of the numeric columns, shape (n, features).

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
    ) -> None:
        need("torch", "torch")
        self.module = module
        self.name = name or type(module).__name__
        self.features = None if features is None else tuple(features)
        self.output: OutputKind = output
        self.score_kind: ScoreKind = "ranking" if output == "ranking" else "probability"
        self.threshold = default_threshold(self.score_kind) if threshold is None else float(threshold)
        self.positive_index = positive_index

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        return self.predict_prepared(self.prepare(X))

    def prepare(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return the float32 matrix of the columns that the module takes, shape (n, features)."""
        return numeric_matrix(select(X, self.features, self.name), self.name)

    def predict_prepared(self, prepared: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores of a float32 matrix."""
        import torch

        training = self.module.training
        self.module.eval()
        try:
            with torch.inference_mode():
                raw = self.module(torch.from_numpy(prepared.copy())).double().cpu().numpy()
        except (RuntimeError, TypeError, ValueError, IndexError) as problem:
            raise ModelError(
                f"Model '{self.name}' could not take a matrix of {prepared.shape[1]} columns: {shorten(problem, 300)}"
            ) from problem
        finally:
            self.module.train(training)
        return to_score(raw, self.output, len(prepared), self.name, self.positive_index)

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
