"""An ONNX graph as a torch module that can be asked, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from evenhand.errors import ModelError, shorten

if TYPE_CHECKING:
    import onnxruntime

    from evenhand.subjects.isolation.isolated import IsolatedSession


class Graph(nn.Module):
    """The first output of a graph with one input."""

    def __init__(self, session: onnxruntime.InferenceSession | IsolatedSession, name: str) -> None:
        super().__init__()
        self._session, self._name = session, name
        self._input, self._output = session.get_inputs()[0].name, session.get_outputs()[0].name

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, ...) numbers.

        Raises ModelError when the graph does not run.
        """
        try:
            (said,) = self._session.run([self._output], {self._input: rows.numpy()})
        except ModelError:
            raise
        except Exception as problem:  # ONNX Runtime's errors share no base
            raise ModelError(f"'{self._name}' could not be run: {shorten(problem, 300)}.") from problem
        return torch.as_tensor(said, dtype=torch.float32)


def graph_of(session: onnxruntime.InferenceSession | IsolatedSession, name: str) -> nn.Module:
    """Return the graph as a module."""
    return Graph(session, name)
