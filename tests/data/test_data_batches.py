"""Tensors and DataLoaders are taken as columns."""

from __future__ import annotations

import numpy as np
import pytest

import evenhand as eh
from evenhand.data import columns_of
from evenhand.errors import InputError

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402


def rows() -> tuple[object, ...]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 90)
    return y, np.clip(0.4 * y + 0.6 * rng.random(90), 0, 1), rng.integers(0, 2, 90)


def test_tensors_say_what_arrays_say() -> None:
    y, score, sex = rows()
    plain = eh.audit_predictions(y, y_score=score, sensitive_features={"sex": sex})
    grown = torch.tensor(score, requires_grad=True)
    record = eh.audit_predictions(
        torch.tensor(y), y_score=grown, sensitive_features={"sex": torch.tensor(sex)}  # type: ignore[arg-type]
    )  # fmt: skip
    assert [(f.key, f.estimate) for f in record.findings] == [(f.key, f.estimate) for f in plain.findings]


def test_a_tensor_in_memory_is_not_copied() -> None:
    from evenhand.data.batches import as_array

    tensor = torch.arange(5.0)
    assert np.shares_memory(as_array(tensor), tensor.numpy())
    assert as_array(torch.ones(2, dtype=torch.bfloat16)).tolist() == [1, 1]


def test_a_loader_is_read_batch_by_batch() -> None:
    y, score, sex = rows()
    data = TensorDataset(torch.tensor(np.column_stack([score, sex])), torch.tensor(y), torch.tensor(sex))
    columns = columns_of(DataLoader(data, batch_size=32), names=("x", "y", "sex"))
    assert columns["x_0"] == pytest.approx(score)
    table = eh.read_evaluation_set(columns, label="y", sensitive_features="sex", score="x_0")
    assert table.features == ("x_1",)
    named = [{"y": y[i], "p": score[i], "sex": "fm"[sex[i]]} for i in range(90)]
    read = eh.read_evaluation_set(DataLoader(named, batch_size=32), label="y", sensitive_features="sex", score="p")
    assert read.grouping("sex").names == ("f", "m")
    assert len(read) == 90


def test_batches_without_names_are_refused_with_the_way_out() -> None:
    data = TensorDataset(torch.zeros(4), torch.ones(4))
    with pytest.raises(InputError, match=r"no names were given: gather it by evenhand.data.columns_of"):
        eh.read_evaluation_set(DataLoader(data), label="y")
    with pytest.raises(InputError, match="shape"):
        columns_of([{"x": torch.zeros(2, 3, 4)}])
    with pytest.raises(InputError, match="no batch"):
        columns_of([])
