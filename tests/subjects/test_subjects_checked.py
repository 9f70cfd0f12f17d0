"""Every adapter keeps the rules of a subject, and what `check_subject` says and does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from saved_models import SAVED, keras_model, lightgbm_model, statsmodels_results, words, xgboost_model
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_subjects_modules import graph
from torch import nn
from wrong_models import TABLE, Subject, X, data, p

import evenhand as eh
from evenhand.compression import compress
from evenhand.compression.half_precision import HalfPrecision
from evenhand.compression.int8 import Int8
from evenhand.errors import ModelError
from evenhand.subjects import ADAPTERS, as_subject, open_subject
from evenhand.subjects.onnx import OnnxSubject
from evenhand.subjects.predictions import PredictionsSubject
from evenhand.testing import Check, check_subject
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from collections.abc import Callable


def network() -> nn.Module:
    """A module that ranks by the first column."""
    made = nn.Linear(2, 1)
    with torch.no_grad():
        made.weight[:], made.bias[:] = torch.tensor([[3.0, 0.0]]), 0.0
    return made


def three_classes() -> nn.Module:
    """A module that gives the classes of three."""
    made = nn.Linear(2, 3)
    with torch.no_grad():
        made.weight[:], made.bias[:] = (
            torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]),
            torch.tensor([-0.5, 0, -0.5]),
        )
    return made


def opened(kind: str) -> Any:
    """A model from a file of a kind, which is gone when it has been opened."""
    save, how = SAVED[kind]
    with TemporaryDirectory() as folder:
        return open_subject(save(Path(folder)), **how)


MODELS: dict[str, Callable[[], tuple[Any, str]]] = {
    "adjusted": lambda: (as_subject(as_subject(p), name="renamed", threshold=0.4), "binary"),
    "callable": lambda: (p, "binary"),
    "catboost": lambda: (opened("catboost"), "words"),
    "exported": lambda: (opened("torch.export"), "binary"),
    "keras": lambda: (as_subject(keras_model(), features=["a", "b"]), "binary"),
    "lightgbm": lambda: (lightgbm_model("binary").booster_, "words"),
    "mitigated": lambda: (opened("mitigated"), "binary"),
    "of_task": lambda: (make_pipeline(StandardScaler(), LogisticRegression()).fit(X, TABLE.k), "multiclass"),
    "onnx": lambda: (OnnxSubject(graph("FLOAT", 1), output="logit", features=["a", "b"]), "binary"),
    "predictions": lambda: (PredictionsSubject(p(TABLE)), "binary"),
    "sklearn": lambda: (LogisticRegression().fit(X, TABLE.y), "binary"),
    "skops": lambda: (opened("skops"), "binary"),
    "statsmodels": lambda: (statsmodels_results(), "binary"),
    "xgboost": lambda: (xgboost_model("binary").get_booster(), "words"),
    "torch": lambda: (as_subject(network(), output="logit", features=["a", "b"]), "binary"),
}
MORE: dict[str, Callable[[], tuple[Any, str]]] = {
    "a function of numbers": lambda: (lambda X: 2 * X["a"], "regression"),
    "a module of several classes": lambda: (
        as_subject(three_classes(), output="logit", features=["a", "b"]), "multiclass",
    ),
    "a module of numbers": lambda: (as_subject(network(), features=["a", "b"]), "regression"),
    "a graph of numbers": lambda: (OnnxSubject(graph("FLOAT", 1), features=["a", "b"]), "regression"),
    "codes of text labels": lambda: (LogisticRegression().fit(X, data("multiclass").y_true), "multiclass"),
    "a subject of a plug-in": lambda: (Subject(), "binary"),
}  # fmt: skip


ELSEWHERE = ("huggingface", "remote", "survival")
"""Adapters whose models need more than this file has, and are asked the rules in a file of their own."""


def test_each_adapter_has_a_model_here_or_in_a_file_of_its_own() -> None:
    assert {*MODELS, *ELSEWHERE} == set(ADAPTERS.own)
    for name in ELSEWHERE:
        assert "check_subject(" in Path(__file__).with_name(f"test_subjects_{name}.py").read_text("utf-8")


@pytest.mark.parametrize("name", [*MODELS, *MORE])
def test_every_adapter_keeps_the_rules(name: str) -> None:
    model, task = {**MODELS, **MORE}[name]()
    found = check_subject(model, words("binary") if task == "words" else data(task), rows=24)
    assert not found.of("failed", "reported"), found.of("failed", "reported")
    skipped = {check.name for check in found.of("skipped")}
    assert ("batch" in skipped) == (name == "predictions"), "predictions without a model have no batches"


def test_models_that_are_trained_and_compressed_here_keep_the_rules() -> None:
    pytest.importorskip("onnxruntime")
    rows = data("binary")
    trained = fit(rows, config=TrainingConfig(epochs=2, hidden=(4,), seed=0))
    assert not check_subject(trained, rows, rows=16, on_fail=None).of("failed")
    for recipe in (HalfPrecision(), Int8()):
        small = compress(trained, recipe, train=rows)
        assert not check_subject(small, rows, rows=16, on_fail=None).of("failed"), recipe


@dataclass
class Broken:
    """Breaks several rules at once."""

    name: str = ""
    threshold: float = 0.5
    score_kind: str = "probability"

    @property
    def facts(self) -> dict[str, object]:
        return {"layers": (1, 2), "features": ["a", "b"]}

    def predict(self, X: Any) -> Any:
        return np.random.default_rng().random(len(X))


def test_all_rules_that_are_broken_are_raised_together() -> None:
    with pytest.raises(ModelError) as caught:
        check_subject(Broken(), data("binary"))
    assert len(caught.value.problems) == 2, "the members and the facts; what rests on them is not asked"
    with pytest.raises(ModelError, match="the same rows, asked again, get other scores") as caught:
        check_subject(lambda X: Broken().predict(X), data("binary"))
    assert len(caught.value.problems) > 3
    assert all("rule '" in problem for problem in caught.value.problems)


def test_what_may_be_meant_so_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="look swapped"):
        found = check_subject(lambda X: 1 - p(X), data("binary"))
    assert [check.outcome for check in found.of("failed", "reported")] == ["reported"]
    with pytest.warns(UserWarning, match="asked again"):
        check_subject(lambda X: Broken().predict(X), data("binary"), on_fail="warn")
    told = {check.name: check.outcome for check in check_subject(Broken(), data("binary"), on_fail=None).checks}
    assert (told["members"], told["facts"], told["batch"]) == ("failed", "failed", "skipped")


def test_a_module_without_declared_columns_takes_them_by_place() -> None:
    with pytest.warns(UserWarning, match="takes columns by their place"):
        check_subject(as_subject(network(), output="logit"), data("binary"))


def test_inputs_that_are_no_table() -> None:
    images = np.stack([np.full((4, 4), value) for value in TABLE.a], dtype=np.float32)
    rows = eh.read_evaluation_set(TABLE[["y", "sex"]], label="y", sensitive_features="sex", inputs=images)
    found = check_subject(lambda batch: 1 / (1 + np.exp(-batch.mean(axis=(1, 2)))), rows)
    assert isinstance(found.checks[0], Check)
    assert not found.of("failed", "reported")
    with pytest.raises(ModelError, match="alone"):
        check_subject(lambda batch: 1 / (1 + np.exp(-(batch - batch.mean()).mean(axis=(1, 2)))), rows)


def test_no_rule_changes_the_rows() -> None:
    rows, before = data("binary"), TABLE.copy()
    check_subject(Subject(ask=lambda X: X.__setitem__("a", 0.0) or p(X)), rows, on_fail=None)
    assert rows.table[before.columns].equals(before)


def named(X: Any, order: list[Any]) -> pd.DataFrame:
    """The probability of each class under its name."""
    return pd.DataFrame({0: 1 - p(X), 1: p(X)})[order]


class Table:
    """A model whose `predict_proba` gives a table, as AutoGluon's does."""

    def predict(self, X: Any) -> Any:
        return (p(X) >= 0.5).astype(int)

    def predict_proba(self, X: Any) -> Any:
        return named(X, [1, 0])


def test_columns_that_are_named_by_classes_are_read_by_name() -> None:
    quick: dict[str, Any] = {"explain": False, "footprint": False}
    right = eh.audit(p, data("binary"), **quick)["accuracy"].estimate
    for model in (lambda X: named(X, [0, 1]), lambda X: named(X, [1, 0]), Table()):
        assert eh.audit(model, data("binary"), **quick)["accuracy"].estimate == right
    classes = ["top", "low", "mid"]
    fitted = LogisticRegression().fit(X, TABLE.k)
    places = [list(fitted.classes_).index(name) for name in classes]
    several = eh.audit(
        lambda X: pd.DataFrame(fitted.predict_proba(X)[:, places], columns=classes), data("multiclass"), **quick
    )
    assert several["accuracy"].estimate == eh.audit(fitted, data("multiclass"), **quick)["accuracy"].estimate


def test_dates_are_no_numbers() -> None:
    with pytest.raises(ModelError, match="no array of numbers"):
        eh.audit(lambda X: np.full(len(X), "2026-01-01", dtype="datetime64[D]"), data("regression"), explain=False)
