"""One saved model of each kind of file, fitted on the rows of `wrong_models`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from test_subjects_modules import graph
from wrong_models import TABLE, X

import evenhand as eh
from evenhand.subjects.keras import keras_package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenhand.data import EvaluationSet

WORDS = TABLE.assign(c=np.array(["u", "v", "w"])[np.arange(len(TABLE)) % 3])
WORDS.loc[::17, "b"] = np.nan
LABELS = {
    "binary": (WORDS.a + (WORDS.c == "u") > 0).astype(int),
    "multiclass": pd.Series(np.digitize(WORDS.a + (WORDS.c == "u"), [0, 0.8])),
    "regression": 2 * WORDS.a + (WORDS.c == "u"),
}
COLUMNS = ["a", "b", "c"]


def rows() -> pd.DataFrame:
    """The columns, words as categories."""
    return WORDS[COLUMNS].assign(c=WORDS.c.astype("category"))


def words(task: str) -> EvaluationSet:
    """Rows with a column of words, as they come from a file of text."""
    table = WORDS[[*COLUMNS, "sex"]].assign(label=LABELS[task])
    return eh.read_evaluation_set(table, label="label", sensitive_features="sex", task=task)


def xgboost_model(task: str) -> Any:
    package = pytest.importorskip("xgboost")
    kind = package.XGBRegressor if task == "regression" else package.XGBClassifier
    return kind(n_estimators=6, max_depth=3, enable_categorical=True, n_jobs=1).fit(rows(), LABELS[task])


def lightgbm_model(task: str) -> Any:
    package = pytest.importorskip("lightgbm")
    kind = package.LGBMRegressor if task == "regression" else package.LGBMClassifier
    return kind(n_estimators=6, num_leaves=6, verbose=-1, n_jobs=1).fit(rows(), LABELS[task])


def catboost_model(task: str) -> Any:
    package = pytest.importorskip("catboost")
    kind = package.CatBoostRegressor if task == "regression" else package.CatBoostClassifier
    made = kind(
        iterations=6, depth=3, cat_features=["c"], one_hot_max_size=10, verbose=0, allow_writing_files=False,
        thread_count=1,
    )  # fmt: skip
    return made.fit(WORDS[COLUMNS], LABELS[task])


def save_xgboost(folder: Path, task: str = "binary", ending: str = "ubj") -> Path:
    place = folder / f"trees.{ending}"
    xgboost_model(task).save_model(place)
    return place


def save_lightgbm(folder: Path, task: str = "binary") -> Path:
    place = folder / "trees.txt"
    lightgbm_model(task).booster_.save_model(place)
    return place


def save_catboost(folder: Path, task: str = "binary") -> Path:
    place = folder / "trees.cbm"
    catboost_model(task).save_model(str(place))
    return place


def save_skops(folder: Path) -> Path:
    package = pytest.importorskip("skops.io")
    place = folder / "model.skops"
    package.dump(LogisticRegression().fit(X, TABLE.y), place)
    return place


def save_pickle(folder: Path) -> Path:
    place = folder / "model.joblib"
    joblib.dump(LogisticRegression().fit(X, TABLE.y), place)
    return place


def save_onnx(folder: Path) -> Path:
    place = folder / "model.onnx"
    place.write_bytes(graph("FLOAT", 1, "Sigmoid"))
    return place


def network() -> Any:
    """A module that ranks by the first column."""
    torch = pytest.importorskip("torch")
    made = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid()).eval()
    with torch.no_grad():
        made[0].weight[:], made[0].bias[:] = torch.tensor([[3.0, 0.0]]), 0.0
    return made


def save_exported(folder: Path) -> Path:
    torch = pytest.importorskip("torch")
    place = folder / "model.pt2"
    program = torch.export.export(network(), (torch.zeros(4, 2),), dynamic_shapes=({0: torch.export.Dim("rows")},))
    torch.export.save(program, place)
    return place


def save_script(folder: Path) -> Path:
    torch = pytest.importorskip("torch")
    place = folder / "model.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network()).save(str(place))
    return place


def keras_model() -> Any:
    """A network of three neurons that ranks by the first column."""
    keras = keras_package()
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    made.set_weights([np.array([[3.0], [0.0]]), np.zeros(1)])
    return made


def save_keras(folder: Path) -> Path:
    place = folder / "model.keras"
    keras_model().save(place)
    return place


def statsmodels_results() -> Any:
    formulas = pytest.importorskip("statsmodels.formula.api")
    return formulas.logit("y ~ a + np.tanh(b)", TABLE).fit(disp=0)


def save_under_rule(folder: Path) -> Path:
    """Another threshold over a model of skops."""
    from evenhand.subjects import open_subject
    from evenhand.subjects.mitigated import save_mitigated
    from evenhand.subjects.post_processing import PostProcessed
    from evenhand.subjects.rules import Rule, Steps

    base = save_skops(folder)
    place = folder / "model.mitigated"
    save_mitigated(PostProcessed(open_subject(base), Rule(Steps.at(0.4)), ["a", "b"], name="model"), place, base)
    return place


SAVED: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "onnx": (save_onnx, {"features": ["a", "b"]}),
    "pickle": (save_pickle, {"trust_pickle": True}),
    "xgboost": (save_xgboost, {"isolate": False}),
    "lightgbm": (save_lightgbm, {"isolate": False}),
    "catboost": (save_catboost, {"isolate": False}),
    "skops": (save_skops, {}),
    "mitigated": (save_under_rule, {}),
    "keras": (save_keras, {"features": ["a", "b"]}),
    "torch.export": (save_exported, {"trust_pickle": True, "features": ["a", "b"]}),
    "torchscript": (save_script, {"trust_pickle": True, "features": ["a", "b"]}),
}
"""By the kind of file: what saves one, and how it is opened."""
