"""Models that are wrong on purpose, and what tells each of them: the door, a rule of `check_subject`, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import evenhand as eh
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.data import EvaluationSet

DOOR = "door"
"""`eh.audit` refuses it in a sentence."""
UNTOLD = "untold"
"""Neither the door nor a rule can tell; docs/trust.md lists it."""

N = 240
_RNG = np.random.default_rng(11)
TABLE = pd.DataFrame({"a": _RNG.normal(size=N), "b": _RNG.normal(size=N), "sex": _RNG.choice(["f", "m"], N)})
TABLE["y"] = (TABLE.a + 0.5 * _RNG.normal(size=N) > 0).astype(int)
TABLE["k"] = np.array(["low", "mid", "top"])[np.digitize(TABLE.a, [-0.5, 0.5])]
TABLE["r"] = 2 * TABLE.a + 1
X = TABLE[["a", "b"]]


def data(task: str) -> EvaluationSet:
    """The rows with a label of two classes, of three, or a number."""
    label = {"binary": "y", "multiclass": "k", "regression": "r"}[task]
    hidden = [name for name in ("y", "k", "r") if name != label]
    return eh.read_evaluation_set(TABLE, label=label, sensitive_features="sex", exclude=hidden, task=task)


@dataclass(frozen=True)
class Wrong:
    """One wrong model."""

    told_by: str
    """`DOOR`, `UNTOLD`, or the rule that tells."""
    make: Callable[[], Any]
    """Makes it anew."""
    task: str = "binary"
    """The label that it is audited on."""


def p(X: pd.DataFrame) -> np.ndarray:
    """The right probabilities."""
    return np.asarray(1 / (1 + np.exp(-3 * X["a"].to_numpy())))


def says(change: Callable[[np.ndarray], Any]) -> Callable[[], Any]:
    """Return what makes a function with a change to the right probabilities."""
    return lambda: lambda X: change(p(X))


def reads(function: Callable[[pd.DataFrame], Any]) -> Callable[[], Any]:
    """Return what makes a function of the table."""
    return lambda: function


class Classifier:
    """A classifier that says right what is not changed."""

    classes_ = np.array([0, 1])

    def predict(self, X: pd.DataFrame) -> Any:
        return (p(X) >= 0.5).astype(int)

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return np.c_[1 - p(X), p(X)]


def with_methods(**methods: Any) -> Callable[[], Any]:
    return type("Changed", (Classifier,), methods)


class Subject:
    """A subject as a plug-in has it."""

    def __init__(self, **changed: Any) -> None:
        self.name, self.threshold, self.score_kind = "own", 0.5, "probability"
        self.facts: Any = {"kind": "own", "features": ["a", "b"]}
        self.ask: Callable[[pd.DataFrame], Any] = lambda X: p(X.fillna(0.0))
        self.__dict__.update(changed)

    def predict(self, X: pd.DataFrame) -> Any:
        return self.ask(X)


def subject(**changed: Any) -> Callable[[], Any]:
    return lambda: Subject(**changed)


class Grows:
    """Adds to what it says with every call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, X: pd.DataFrame) -> np.ndarray:
        self.calls += 1
        return np.asarray(p(X) / self.calls)


class Remembers:
    """Answers from a cache whose key is the number of rows."""

    def __init__(self) -> None:
        self.kept: dict[int, np.ndarray] = {}

    def __call__(self, X: pd.DataFrame) -> np.ndarray:
        return self.kept.setdefault(len(X), p(X))


def strict(X: pd.DataFrame) -> np.ndarray:
    if X["a"].isna().any():
        raise ValueError("Input X contains NaN.")
    return p(X)


def by_index(X: pd.DataFrame) -> np.ndarray:
    return np.asarray([0.5 + 0.4 * (str(at) < "5") for at in X.index])


def changes(X: pd.DataFrame) -> np.ndarray:
    said = p(X)
    X["a"] = 0.0
    return said


class Module(nn.Module):
    """A module of the columns."""

    def __init__(self, made: Callable[[torch.Tensor], Any], *parts: nn.Module) -> None:
        super().__init__()
        self.made, self.parts = made, nn.Sequential(*parts)

    def forward(self, X: torch.Tensor) -> Any:
        return self.made(self.parts(X))


def module(made: Callable[[torch.Tensor], Any], *parts: nn.Module, output: Any = "probability") -> Callable[[], Any]:
    return lambda: as_subject(Module(made, *parts), output=output, features=["a", "b"])


def _masked(said: np.ndarray) -> Any:
    return np.ma.masked_array(said, said < 0.1)


def _shuffled_series(X: pd.DataFrame) -> pd.Series:
    return pd.Series(p(X), index=X.index).sort_values()


def _wrapped(said: np.ndarray) -> Any:
    return (said * 300).astype(np.uint16).astype(np.uint8)


Y = TABLE.y
WRONG: dict[str, Wrong] = {
    # what is returned is not one finite score a row
    "missing numbers in some rows": Wrong(DOOR, says(lambda s: np.where(s < 0.1, np.nan, s))),
    "an infinite score": Wrong(DOOR, says(lambda s: np.where(s == s.max(), np.inf, s))),
    "rows left out": Wrong(DOOR, says(lambda s: s[s > 0.1])),
    "two rows transposed": Wrong(DOOR, says(lambda s: np.array([1 - s, s]))),
    "three axes": Wrong(DOOR, says(lambda s: s[:, None, None])),
    "one number for all": Wrong(DOOR, says(lambda s: s.mean())),
    "nothing": Wrong(DOOR, says(lambda _: None)),
    "a generator": Wrong(DOOR, says(lambda s: (each for each in s))),
    "a text": Wrong(DOOR, says(str)),
    "a mapping": Wrong(DOOR, says(lambda s: {"score": s})),
    "a sparse matrix": Wrong(DOOR, says(lambda s: scipy.sparse.csr_matrix(s[:, None]))),
    "a masked array": Wrong(DOOR, says(_masked)),
    "complex numbers": Wrong(DOOR, says(lambda s: s + 1j)),
    "dates": Wrong(DOOR, says(lambda s: np.full(len(s), "2026-01-01", dtype="datetime64[D]"))),
    "texts of numbers": Wrong(DOOR, says(lambda s: s.astype(str))),
    "objects": Wrong(DOOR, says(lambda s: np.array([object() for _ in s]))),
    "lists of several lengths": Wrong(DOOR, says(lambda s: [[1] * (1 + at % 2) for at in range(len(s))])),
    "a Series in another order": Wrong(DOOR, reads(_shuffled_series)),
    "a function that fails": Wrong(DOOR, reads(lambda X: X["c"])),
    "a subject that fails": Wrong(DOOR, subject(ask=lambda X: X["c"])),
    "a subject that needs an absent column": Wrong(DOOR, subject(facts={"features": ["a", "c"]})),
    # numbers that are no probabilities and no decisions
    "logits called probabilities": Wrong(DOOR, says(lambda s: np.log(s / (1 - s)))),
    "per cent": Wrong(DOOR, says(lambda s: 100 * s)),
    "whole per cent": Wrong(DOOR, says(lambda s: (100 * s).astype(int))),
    "deciles": Wrong(DOOR, says(lambda s: np.ceil(10 * s).astype(int))),
    "scores that overflow eight bits": Wrong(DOOR, says(_wrapped)),
    "decisions as 1.0 and 2.0": Wrong(DOOR, says(lambda s: 1.0 + (s > 0.5))),
    "decisions as 1 and 2": Wrong(DOOR, says(lambda s: 1 + (s > 0.5))),
    "decisions as approve and deny": Wrong(DOOR, says(lambda s: np.where(s > 0.5, "approve", "deny"))),
    "a column for each of three classes": Wrong(DOOR, says(lambda s: np.c_[1 - s, s / 2, s / 2])),
    "columns that do not add up": Wrong(DOOR, says(lambda s: np.c_[s, s])),
    "a threshold that nothing reaches": Wrong(DOOR, lambda: as_subject(p, threshold=1.5)),
    "a threshold that is no number": Wrong(DOOR, lambda: as_subject(p, threshold=float("nan"))),
    "a subject of probabilities that gives logits": Wrong(DOOR, subject(ask=lambda X: np.log(p(X)))),
    "a subject of decisions that gives fractions": Wrong(DOOR, subject(score_kind="label")),
    # other things than fitted classifiers
    "a linear regression": Wrong(DOOR, lambda: LinearRegression().fit(X, Y)),
    "a boosted regression": Wrong(DOOR, lambda: HistGradientBoostingRegressor(max_iter=5).fit(X, Y)),
    "clusters": Wrong(DOOR, lambda: KMeans(2, n_init=1, random_state=0).fit(X)),
    "outliers": Wrong(DOOR, lambda: IsolationForest(n_estimators=5, random_state=0).fit(X)),
    "a scaler": Wrong(DOOR, lambda: StandardScaler().fit(X)),
    "components": Wrong(DOOR, lambda: PCA(1).fit(X)),
    "neighbours": Wrong(DOOR, lambda: NearestNeighbors().fit(X)),
    "a pipeline of scalers": Wrong(DOOR, lambda: make_pipeline(StandardScaler()).fit(X)),
    "a model that is not fitted": Wrong(DOOR, LogisticRegression),
    "a search that is not fitted": Wrong(DOOR, lambda: GridSearchCV(LogisticRegression(), {"C": [1.0]})),
    "a class and no model": Wrong(DOOR, lambda: LogisticRegression),
    "a class of modules": Wrong(DOOR, lambda: nn.Linear, "multiclass"),
    "a classifier of three classes": Wrong(DOOR, lambda: LogisticRegression().fit(X, TABLE.k)),
    "a classifier of two classes for three": Wrong(DOOR, lambda: LogisticRegression().fit(X, Y), "multiclass"),
    "a classifier for a number": Wrong(DOOR, lambda: LogisticRegression().fit(X, Y), "regression"),
    "a classifier of other codes": Wrong(DOOR, lambda: LogisticRegression().fit(X, Y + 5)),
    # two answers of one model that cannot both be right
    "columns of probabilities in another order": Wrong(
        DOOR, with_methods(predict_proba=lambda _, X: np.c_[p(X), 1 - p(X)])
    ),
    "decisions against the scores": Wrong(DOOR, with_methods(predict=lambda _, X: (p(X) < 0.5).astype(int))),
    "decisions by another column": Wrong(DOOR, with_methods(predict=lambda _, X: (X["b"] > 0).astype(int))),
    "classes that its decisions do not have": Wrong(DOOR, with_methods(classes_=np.array(["deny", "approve"]))),
    # modules
    "two logits called probabilities": Wrong(DOOR, module(lambda z: torch.stack([-z[:, 0], z[:, 0]], 1))),
    "probabilities called logits": Wrong(DOOR, module(lambda z: z[:, 0].sigmoid(), output="logit")),
    "a softmax called logits": Wrong(DOOR, module(lambda z: z.softmax(1), output="logit")),
    "a module of five columns": Wrong(DOOR, module(lambda z: z.sigmoid(), nn.Linear(5, 1))),
    "a module of two tensors": Wrong(DOOR, module(lambda z: (z, z))),
    "a module that normalizes by the batch": Wrong(
        "batch", module(lambda z: (3 * z[:, 0]).sigmoid(), nn.BatchNorm1d(2, track_running_stats=False))
    ),
    "a module that always drops": Wrong(
        "repeated", module(lambda z: nn.functional.dropout(3 * z[:, 0], 0.5, training=True), output="logit")
    ),
    # a score that depends on more than its row
    "a mean of the batch taken away": Wrong("batch", reads(lambda X: p(X - X.mean()))),
    "ranks in the batch": Wrong("batch", reads(lambda X: X["a"].rank(pct=True).to_numpy())),
    "the row before": Wrong("batch", reads(lambda X: p(X.shift(1).fillna(0.0)))),
    "running sums": Wrong("batch", reads(lambda X: p(X.cumsum()))),
    "scores in their own order": Wrong("batch", reads(lambda X: np.sort(p(X)))),
    "the place in the batch": Wrong("batch", reads(lambda X: np.arange(len(X)) / len(X))),
    "the index of the table": Wrong("index", reads(by_index)),
    "chance": Wrong("repeated", reads(lambda X: np.random.default_rng().random(len(X)))),
    "a state that grows": Wrong("repeated", Grows),
    "a cache by length": Wrong("batch", Remembers),
    "rows that are changed": Wrong("inputs kept", subject(ask=changes)),
    "columns that it does not declare": Wrong("columns", subject(
        facts={"features": ["a"]}, ask=lambda X: p(X.select_dtypes("number").mean(axis=1).to_frame("a")))),
    # members and facts that are not as the protocol has them
    "no name": Wrong("members", subject(name="")),
    "facts of numpy": Wrong("facts", subject(facts={"parameters": np.int64(3)})),
    "facts that are not finite": Wrong("facts", subject(facts={"loss": float("nan")})),
    "features in a tuple": Wrong("facts", subject(facts={"features": ("a", "b")})),
    "a list of scores": Wrong("returned", subject(ask=lambda X: p(X).tolist())),
    "missing numbers for missing cells": Wrong("missing cells", subject(ask=p)),
    "an error of its own for missing cells": Wrong("missing cells", subject(ask=strict)),
    # what may be meant so
    "swapped classes": Wrong("direction", says(lambda s: 1 - s)),
    "swapped decisions": Wrong("direction", says(lambda s: (s < 0.5).astype(int))),
    "permuted classes": Wrong("direction", reads(
        lambda X: np.array(["mid", "top", "low"])[np.digitize(X["a"], [-0.5, 0.5])]), "multiclass"),
    "numbers of the other sign": Wrong("direction", reads(lambda X: -X["a"].to_numpy()), "regression"),
    "one score for all": Wrong("constant", says(lambda s: np.full(len(s), 0.3))),
    "one class for all": Wrong("constant", says(lambda s: np.zeros(len(s), dtype=int))),
    "decisions called probabilities": Wrong("scale", subject(ask=lambda X: (p(X) > 0.5) * 1.0)),
    # no door can tell these
    "columns shifted inside": Wrong(UNTOLD, reads(lambda X: p(X.rename(columns={"a": "b", "b": "a"})))),
    "another unit": Wrong(UNTOLD, reads(lambda X: p(X / 1000))),
    "the probability of another event": Wrong(UNTOLD, reads(lambda X: np.asarray(1 / (1 + np.exp(-X["b"]))))),
    "scores squeezed into [0, 1]": Wrong(UNTOLD, reads(lambda X: np.clip(X["a"].to_numpy() / 10 + 0.5, 0, 1))),
    "probabilities of another base rate": Wrong(UNTOLD, says(lambda s: s**3)),
    "a rule fitted on the rows that it is audited on": Wrong(
        UNTOLD, lambda: LogisticRegression(C=1e6).fit(X, Y)
    ),
    "decisions with a threshold inside": Wrong(UNTOLD, says(lambda s: (s > 0.9).astype(int))),
}  # fmt: skip
