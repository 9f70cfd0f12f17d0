"""A torch module, or a program of `torch.export`, over numeric columns, arrays or texts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from evenhand.errors import need
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.inputs import is_table, numeric_matrix, select
from evenhand.subjects.modules import ask_module, is_exported, module_of, number_type
from evenhand.subjects.network import NetworkSubject
from evenhand.subjects.network_output import NetworkOutput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn
    from torch.export import ExportedProgram

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import OutputKind


class TorchSubject(NetworkSubject):
    """A module that takes a matrix of the numeric columns, shape (n, features), or a tensor of arrays.

    Fractions come in the type of the module's parameters, whole numbers of arrays as they are; texts and mappings as a
    list. It is asked in evaluation mode and left in the mode it was in.

    Parameters
    ----------
    module : torch.nn.Module or torch.export.ExportedProgram
        Returns (n,), (n, 1) or (n, classes): one tensor, alone, in a tuple, or named `logits` as transformers have it.
        Whole numbers and booleans are decisions.
    name : str, optional
        What the report calls it; the module's class name when not given.
    threshold : float, optional
        0.5, or 0 for a ranking score, when not given.
    features : sequence of str, optional
        The columns it takes, in order; all columns of the table when not given.
    output : "probability", "logit" or "ranking"
        What it returns. Nothing is guessed: "probability" outside [0, 1] is an error.
    positive_index : int, optional
        The column of the positive class, where it returns several: the second of two when not given.
    positive : object
        The class that its score is of, where the label's positive class is 0 of 0 and 1.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; those of the evaluation set when neither this nor `features` is given.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file it came from.
    """

    def __init__(
        self,
        module: nn.Module | ExportedProgram,
        *,
        name: str | None = None,
        threshold: float | None = None,
        features: Sequence[str] | None = None,
        output: OutputKind = "probability",
        positive_index: int | None = None,
        positive: object = None,
        reads: Reads | None = None,
        file_facts: Mapping[str, Plain] | None = None,
    ) -> None:
        need("torch", "torch")
        self.module = module_of(module)
        self._class = type(module).__name__
        self.is_program = is_exported(module)
        """Whether it is a program of `torch.export`."""
        named = name or self._class
        says = NetworkOutput(named, output, positive_index, positive)
        super().__init__(says, threshold, features, reads, file_facts)

    def answer(self, batch: Batch) -> NDArray[np.generic]:
        """Return what the module gives for rows, shape (n,), (n, 1) or (n, classes)."""
        return ask_module(self.module, self.prepare(batch), self.name)

    def prepare(self, batch: Batch) -> NDArray[np.generic]:
        """Return the module's inputs: of a table a matrix, else arrays with fractions as float32, or a list.

        Raises ModelError when columns are absent or not numeric.
        """
        import numpy as np
        import torch

        wide = "float64" if number_type(self.module) is torch.float64 else "float32"
        if is_table(batch):
            return numeric_matrix(select(batch, self.features, self.name), self.name, wide)
        if self.reads == "texts" or not isinstance(batch, np.ndarray):
            return batch  # type: ignore[return-value]
        return batch.astype(wide, copy=False) if batch.dtype.kind == "f" else batch

    def predict_prepared(self, prepared: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the scores of prepared rows."""
        return self._says.scores(ask_module(self.module, prepared, self.name), len(prepared))

    def _network_facts(self) -> Mapping[str, Plain]:
        parameters = list(self.module.parameters())
        return {
            "kind": "torch",
            "class": self._class,
            "parameters": sum(p.numel() for p in parameters),
            "nonzero_parameters": sum(int(p.count_nonzero()) for p in parameters),
        }


def _fits(model: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and (isinstance(model, torch.nn.Module) or is_exported(model))


ADAPTER: Final = Adapter(TorchSubject, _fits, 10)
