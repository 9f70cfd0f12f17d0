"""An ONNX graph of token ids in place of a module of transformers, run in a process with limits."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from evenhand.documents import read_bytes
from evenhand.errors import ModelError, shorten
from evenhand.subjects.graph_bytes import check_graph
from evenhand.subjects.isolation.isolated import IsolatedSession
from evenhand.subjects.isolation.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from evenhand.findings import Plain

KNOWN: Final = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
"""Inputs that are known how to fill."""
AXES: Final = 3
"""Of the output: rows, tokens, and numbers of each."""
_ALONE: Final = (b"DynamicQuantizeLinear", b"DynamicQuantizeMatMul", b"DynamicQuantizeLSTM")
"""Operators that round a row by the greatest number of its whole batch."""


class GraphOfTokens:
    """From ids (rows, tokens) to an array (rows, tokens, width), by a graph's first output.

    Parameters
    ----------
    file : path
        The ONNX file.
    what : str
        What it is to be, for sentences: an encoder of texts, or a language model.

    Raises
    ------
    ModelError
        When it cannot be run, or has other inputs or another output.
    """

    def __init__(self, file: Path, what: str) -> None:
        content = read_bytes(file, kind=ModelError)
        self.file = file
        check_graph(content, f"'{file}'")
        limits = Limits(memory=(2 << 30) + 4 * len(content), seconds_a_row=1.0)
        self.session = IsolatedSession(content, f"'{file}'", limits)
        self.names = [put.name for put in self.session.get_inputs()]
        if "input_ids" not in self.names or not {*self.names} <= {*KNOWN}:
            told = f"has the inputs {shorten(', '.join(self.names), 80)}"
            way = " Export it without the states of tokens before (use_cache=False)." if "past" in told else ""
            raise ModelError(f"'{file}' {told}; {what} takes {', '.join(KNOWN)}, or the first of them.{way}")
        self.output = self.session.get_outputs()[0]
        if len(self.output.shape) != AXES:
            raise ModelError(
                f"'{file}' gives {shorten(self.output.name)} of {len(self.output.shape)} axes; needed are (rows, "
                "tokens, width)."
            )
        self.alone = any(operator in content for operator in _ALONE)
        self.facts: dict[str, Plain] = {
            "kind": "onnx",
            "file_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            **dict.fromkeys(("parameters", "nonzero_parameters")),
        }

    def states(self, ids: torch.Tensor) -> NDArray[np.float32]:
        """Return what the graph says of rows of ids; raise ModelError when it does not run."""
        import numpy as np

        array = ids.numpy()
        rest = {
            "attention_mask": np.ones_like(array),
            "token_type_ids": np.zeros_like(array),
            "position_ids": np.broadcast_to(np.arange(array.shape[1], dtype=array.dtype), array.shape).copy(),
        }
        feed = {"input_ids": array, **{put: rest[put] for put in self.names if put in rest}}
        try:
            (found,) = self.session.run([self.output.name], feed)
        except RuntimeError as problem:
            raise ModelError(f"'{self.file}' could not be run: {shorten(problem, 300)}.") from problem
        return np.asarray(found, dtype=np.float32)


class GraphModule:
    """A graph as `LanguageModel` asks a module of transformers: ids in, an object with `logits` out."""

    def __init__(self, graph: GraphOfTokens, config: Mapping[str, object]) -> None:
        self._graph = graph
        width = graph.output.shape[-1]
        self.config = SimpleNamespace(
            to_dict=lambda: dict(config),
            vocab_size=width if isinstance(width, int) else config.get("vocab_size", 1 << 17),
        )

    def eval(self) -> GraphModule:
        """Return itself: a graph has one mode."""
        return self

    def parameters(self) -> tuple[torch.nn.Parameter, ...]:
        """Return nothing: its numbers are in the file alone."""
        return ()

    def __call__(self, *, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        """Return the logits, shape (rows, tokens, vocabulary)."""
        import torch

        return SimpleNamespace(logits=torch.from_numpy(self._graph.states(input_ids)))
