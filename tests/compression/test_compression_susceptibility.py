"""Gradient norm and curvature: in closed form for logistic regression, greater for a group that is hard and rare."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.compression import MagnitudePruning, compress, susceptibility
from evenhand.subjects import as_subject
from evenhand.training import TrainingConfig, fit

torch.set_num_threads(1)


def people(n: int, seed: int, rare: float = 0.05) -> eh.EvaluationSet:
    rng = np.random.default_rng(seed)
    few, X = rng.random(n) < rare, rng.normal(size=(n, 6))
    signal = np.where(few, 2 * np.sin(2 * X[:, 3]) + X[:, 4], X[:, 0] + X[:, 1])
    table = pd.DataFrame(X, columns=[f"x{at}" for at in range(6)])
    table["kind"] = few.astype(int)
    table["group"] = np.where(few, "few", "most")
    table["y"] = (signal + 0.2 * rng.normal(size=n) > 0).astype(int)
    return eh.read_evaluation_set(table, label="y", positive=1, sensitive_features="group")


def test_logistic_regression_has_a_closed_form() -> None:
    data = people(400, 0)
    model = fit(data, config=TrainingConfig(hidden=(), epochs=5, seed=0))
    found = susceptibility(model, data.X, data.y_true, np.zeros(400, dtype=np.int32), 1)
    assert found is not None
    X = np.column_stack([model.prepare(data.X), np.ones(400)])
    p = model.predict(data.X)
    gradient = ((p - data.y_true)[:, None] * X).mean(axis=0)
    hessian = (X * (p * (1 - p))[:, None]).T @ X / 400
    assert found.gradient_norm[0] == pytest.approx(np.linalg.norm(gradient), rel=1e-3)
    assert found.curvature[0] == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=0.02)
    assert found.rows[0] == 400


def test_a_rare_group_is_warned_of_before_anything_is_lost() -> None:
    train, test = people(3000, 1), people(3000, 2, rare=0.3)
    model = fit(train, config=TrainingConfig(hidden=(32, 16), epochs=12, dropout=0.0, seed=0, threshold=0.5))
    small = compress(model, MagnitudePruning(0.8, epochs=0), train=train)
    record = eh.audit(small, test, original=model, audits=["compression"], footprint=False)
    few, most = (
        {
            name: record[f"{name}[group={group};of=original]"].estimate or 0.0
            for name in ("gradient_norm", "curvature", "boundary_closeness")
        }
        for group in ("few", "most")
    )
    assert few["gradient_norm"] > 2 * most["gradient_norm"]
    assert few["curvature"] > most["curvature"]
    assert few["boundary_closeness"] > most["boundary_closeness"]
    assert "excess_loss[group=few;of=original]" in record


def test_a_model_without_a_network_has_no_gradient_and_an_empty_group_none_either() -> None:
    data = people(60, 3)
    stranger = as_subject(lambda X: np.full(len(X), 0.5))
    assert susceptibility(stranger, data.X, data.y_true, np.zeros(60, np.int32), 1) is None
    model = fit(data, config=TrainingConfig(hidden=(4,), epochs=1, seed=0))
    found = susceptibility(model, data.X, data.y_true, np.zeros(60, dtype=np.int32), 2)
    assert found is not None
    assert np.isnan(found.gradient_norm[1])
    assert found.rows.tolist() == [60, 0]


def test_of_a_large_network_fewer_rows_are_looked_at_and_their_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    data = people(400, 6)
    model = fit(data, config=TrainingConfig(hidden=(64,), epochs=1, seed=0))
    weights = sum(parameter.numel() for parameter in model.network.parameters())
    module = import_module("evenhand.compression.susceptibility")  # the room's face has a function of this name
    monkeypatch.setattr(module, "MOST_WORK", 50 * weights)
    found = susceptibility(model, data.X, data.y_true, np.zeros(400, dtype=np.int32), 1)
    assert found is not None
    assert found.rows.tolist() == [50]
    assert np.isfinite(found.curvature[0])


def test_reasons_drift_only_where_the_model_changed() -> None:
    train, test = people(600, 4), people(200, 5, rare=0.3)
    model = fit(train, config=TrainingConfig(hidden=(16,), epochs=6, dropout=0.0, seed=0, threshold=0.5))
    small = compress(model, MagnitudePruning(0.6, epochs=0), train=train)
    settings = {"audits": ["explanation", "compression"], "footprint": False, "explain_rows": 60, "background_rows": 30}
    same = eh.audit(model, test, original=model, **settings)  # type: ignore[arg-type]
    changed = eh.audit(small, test, original=model, **settings)  # type: ignore[arg-type]
    assert same["attribution_distance[;of=original]"].estimate == pytest.approx(0, abs=1e-9)
    assert same["importance_change[x0;of=original]"].estimate == pytest.approx(0, abs=1e-9)
    found = changed["attribution_distance[;of=original]"]
    assert found.interval is not None
    assert 0 < (found.interval.low or 0) <= (found.estimate or 0) < 1
    assert "attribution_distance[group=few;of=original]" in changed
    unasked = eh.audit(small, test, original=model, audits=["compression"], footprint=False)
    assert "attribution_distance[;of=original]" not in unasked, "reasons are not computed for this alone"
