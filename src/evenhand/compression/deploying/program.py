"""A network with its preprocessing as a program of torch: numbers, and places of levels, in; scores out."""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import nn

from evenhand.compression.exporting import quiet
from evenhand.errors import ModelError, shorten
from evenhand.subjects.model_file import package
from evenhand.training.codes import CodeColumn
from evenhand.training.columns import FURTHEST, CategoryColumn, NumberColumn, to_numbers
from evenhand.training.levels import place_levels
from evenhand.training.preprocessing import Preprocessing, check_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.training import NetworkModel
    from evenhand.training.columns import Column

AT_ONCE: Final = 1024
"""The most rows of one call of an ExecuTorch program, which sets its memory aside by it."""


class Deployed(nn.Module):
    """Preprocessing, network and the last step to a score, over (rows, columns) of doubles.

    A number is as it is, NaN where it is missing; a category is the place of its level among those of the schema, -1
    for any other and NaN where it is missing.

    Parameters
    ----------
    model : NetworkModel
        A network over the columns of a table, of classes or of one number a row.
    """

    def __init__(self, model: NetworkModel) -> None:
        super().__init__()
        assert isinstance(model.preprocessing, Preprocessing)  # checked by `programmed`
        self.columns = nn.ModuleList([_prepared(column) for column in model.preprocessing.columns])
        self.network = model.network
        self.several = model.task == "multiclass"
        self.target = model.target

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (rows,) probabilities of the positive class, (rows, classes), or numbers; of double precision."""
        parts = [column(rows[:, place]) for place, column in enumerate(self.columns)]
        raw = self.network(torch.cat(parts, dim=1).float()).double()
        if self.several:
            return torch.softmax(raw, dim=1)
        raw = raw.reshape(-1)
        if self.target is None:
            return torch.sigmoid(raw)
        number = raw * self.target.deviation + self.target.mean if self.target.task == "regression" else raw
        return torch.exp(number) * self.target.smear - 1 if self.target.logarithm else number


class _Number(nn.Module):
    low: torch.Tensor
    wide: torch.Tensor

    def __init__(self, column: NumberColumn) -> None:
        super().__init__()
        self.told = column
        edges = torch.tensor(column.edges, dtype=torch.float64)
        self.register_buffer("low", edges[:-1])
        self.register_buffer("wide", edges.diff())

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        told = self.told
        absent = torch.isnan(given) | torch.isinf(given)
        standard = (torch.where(absent, told.median, given) - told.mean) / told.scale
        parts = [standard.clamp(-FURTHEST, FURTHEST)[:, None]]
        if told.missing:
            parts.append(absent.double()[:, None])
        if told.edges:
            held = standard.clamp(told.edges[0], told.edges[-1])[:, None]
            parts.append(((held - self.low) / self.wide).clamp(0.0, 1.0))
        return torch.cat(parts, dim=1)


class _Category(nn.Module):
    places: torch.Tensor

    def __init__(self, column: CategoryColumn) -> None:
        super().__init__()
        self.told = column
        self.register_buffer("places", torch.arange(len(column.levels), dtype=torch.float64))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        parts = [(given[:, None] == self.places).double()]
        if self.told.missing:
            parts.append(torch.isnan(given).double()[:, None])
        if self.told.rare:
            parts.append((given == -1.0).double()[:, None])
        return torch.cat(parts, dim=1)


class _Code(nn.Module):
    levels: torch.Tensor

    def __init__(self, column: CodeColumn) -> None:
        super().__init__()
        self.number, self.rare = _Number(column.number), bool(column.category.rare)
        self.register_buffer("levels", torch.tensor([float(x) for x in column.category.levels], dtype=torch.float64))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        known = (given[:, None] == self.levels).double()
        parts = [self.number(given), known]
        if self.rare:
            parts.append((1.0 - known.sum(dim=1) - torch.isnan(given).double())[:, None])
        return torch.cat(parts, dim=1)


def _prepared(column: Column) -> nn.Module:
    if isinstance(column, NumberColumn):
        return _Number(column)
    if isinstance(column, CodeColumn):
        return _Code(column)
    assert isinstance(column, CategoryColumn)  # there are no others
    return _Category(column)


def encode(preprocessing: Preprocessing, X: pd.DataFrame) -> NDArray[np.float64]:
    """Return what a program takes of a table, shape (rows, columns).

    Raises
    ------
    ModelError
        When columns are absent, or hold text where the model takes numbers.
    """
    check_columns(X, preprocessing.features)
    return np.column_stack([_encoded(column, X[column.name]) for column in preprocessing.columns])


def _encoded(column: Column, values: pd.Series) -> NDArray[np.float64]:
    if isinstance(column, CategoryColumn):
        places = place_levels(values, column.levels)
        return np.where(places == -2, np.nan, places)
    number = column.number if isinstance(column, CodeColumn) else column
    assert isinstance(number, NumberColumn)
    return to_numbers(column.name, values, bool(number.converted))


def programmed(model: NetworkModel) -> Deployed:
    """Return the module of a model.

    Raises
    ------
    ModelError
        When it reads something else than a table, or predicts quantiles.
    """
    if not isinstance(model.preprocessing, Preprocessing):
        raise ModelError(f"'{model.name}' reads {model.preprocessing.reads}; programs of torch are made of tables.")
    if model.target is not None and model.target.quantiles:
        raise ModelError("Models of quantiles are not exported. Export one that predicts a number.")
    return Deployed(model).eval()


def torch_program(module: Deployed) -> bytes:
    """Return a module as a file of `torch.export`; the number of rows is free.

    Raises ModelError when torch cannot export it.
    """
    held = io.BytesIO()
    with quiet():
        torch.export.save(_exported(module, torch.export.Dim("rows")), held)
    return held.getvalue()


def run_torch_program(content: bytes) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function from encoded rows to scores by the program of a file, which this process wrote."""
    module = torch.export.load(io.BytesIO(content)).module()

    def scores(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(rows)).numpy())

    return scores


def executorch_program(module: Deployed) -> bytes:
    """Return a module as a program of ExecuTorch, for `AT_ONCE` rows at most in a call.

    Raises
    ------
    MissingExtraError
        When executorch is not installed.
    ModelError
        When it cannot be made.
    """
    package("executorch")
    program = _exported(module, torch.export.Dim("rows", max=AT_ONCE))
    try:
        exir = import_module("executorch.exir")
        with quiet():
            return bytes(exir.to_edge_transform_and_lower(program).to_executorch().buffer)
    except Exception as problem:  # the compiler's errors share no base below Exception
        raise ModelError(f"ExecuTorch could not make a program: {shorten(problem, 300)}") from problem


def run_executorch_program(content: bytes) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function from encoded rows to scores by an ExecuTorch program, in pieces that it can take.

    Raises MissingExtraError when executorch is not installed.
    """
    package("executorch")
    runtime = import_module("executorch.runtime")
    with quiet():
        forward = runtime.Runtime.get().load_program(content).load_method("forward")

    def scores(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        pieces = range(0, max(1, len(rows)), AT_ONCE)
        found = [forward.execute([torch.from_numpy(rows[at : at + AT_ONCE])])[0].clone().numpy() for at in pieces]
        return np.concatenate(found)

    return scores


def _exported(module: Deployed, rows: object) -> torch.export.ExportedProgram:
    example = torch.zeros(2, len(module.columns), dtype=torch.float64)
    try:
        with quiet():
            return torch.export.export(module, (example,), dynamic_shapes=({0: rows},))
    except Exception as problem:  # torch raises whatever its parts raise
        raise ModelError(f"torch could not export the model: {shorten(problem, 300)}") from problem
