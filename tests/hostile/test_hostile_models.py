"""Models that say something else than scores of the label's positive class: refused in a sentence, or audited as they
decide."""

from __future__ import annotations

import functools
import pickle
import re
import sys
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.data import EvaluationSet, read_evaluation_set
from evenhand.errors import EvenhandError, ModelError
from evenhand.subjects import as_subject, open_subject
from evenhand.subjects.binding import bound
from evenhand.subjects.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUDIT = {"three": ["classes"], "amounts": ["numbers"]}
N = 400
RNG = np.random.default_rng(11)
X = pd.DataFrame(RNG.normal(size=(N, 3)), columns=list("abc"))
Y = (X["a"] + 0.6 * RNG.normal(size=N) > 0.6).to_numpy().astype(int)
SEX = np.where(RNG.random(N) < 0.5, "f", "m")
THREE = np.digitize(X["a"], [-0.5, 0.5])
LABELS: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "0/1": (Y, {}),
    "1 is negative": (Y, {"positive": 0}),
    "no/yes": (np.where(Y == 1, "yes", "no"), {"positive": "yes"}),
    "1/2": (Y + 1, {"positive": 2}),
    "-1/1": (2 * Y - 1, {}),
    "booleans": (Y == 1, {}),
    "texts of digits": (Y.astype(str), {}),
    "three": (np.array(["high", "low", "middle"])[THREE], {}),
    "amounts": (X["a"].to_numpy() * 3, {"task": "regression"}),
}


@functools.cache
def rows(label: str) -> EvaluationSet:
    values, more = LABELS[label]
    table = X.assign(sex=SEX, y=values)
    return read_evaluation_set(table, label="y", sensitive_features="sex", **more)


def fitted(model: Any, label: object = "0/1") -> Any:
    return model.fit(X, LABELS[label][0] if isinstance(label, str) else label)


class Says:
    """A model without a type, such as a network of Keras: only `predict`."""

    def __init__(self, answer: Callable[[pd.DataFrame], object]) -> None:
        self.answer = answer

    def predict(self, table: pd.DataFrame) -> object:
        return self.answer(table)


class Booster(Says):
    """A booster, as lightgbm and xgboost have it."""

    def __init__(self, objective: str | None, answer: Callable[[pd.DataFrame], object]) -> None:
        super().__init__(answer)
        self.params = {} if objective is None else {"objective": objective}


Booster.__module__ = "lightgbm.basic"


class Wrapper(Says):
    """Results of statsmodels: the kind of model lies in `.model`."""

    def __init__(self, kind: str, answer: Callable[[pd.DataFrame], object]) -> None:
        super().__init__(answer)
        self.model = type(kind, (), {})()


Wrapper.__module__ = "statsmodels.base.wrapper"


class Both(Says):
    """Scores and decisions that need not agree."""

    def __init__(self, scores: Callable[[pd.DataFrame], np.ndarray], answer: Callable[[pd.DataFrame], object]) -> None:
        super().__init__(answer)
        self.scores = scores
        self.classes_ = np.array([0, 1])

    def predict_proba(self, table: pd.DataFrame) -> np.ndarray:
        high = self.scores(table)
        return np.c_[1 - high, high]


def chance(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-table["a"].to_numpy())))


def cut(at: float) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda table: (chance(table) >= at).astype(int)


def failing(table: pd.DataFrame) -> np.ndarray:
    found = chance(table)
    found[3] = np.nan
    return found


WAYS = r"[Pp]ass (threshold=|decide=|positive=)"
REFUSED: dict[str, tuple[Callable[[], object], str, dict[str, Any], str]] = {
    "linear regression": (lambda: fitted(LinearRegression()), "0/1", {}, f"is a regressor.*{WAYS}"),
    "boosted regression": (lambda: fitted(HistGradientBoostingRegressor(max_iter=5)), "0/1", {}, f"regressor.*{WAYS}"),
    "regressor in [0, 1]": (lambda: fitted(DummyRegressor()), "0/1", {}, "is a regressor"),
    "support vector regression": (lambda: fitted(SVR()), "0/1", {}, "is a regressor"),
    "pipeline of a regressor": (lambda: fitted(make_pipeline(StandardScaler(), LinearRegression())), "0/1", {}, WAYS),
    "search over regressors": (
        lambda: fitted(GridSearchCV(LinearRegression(), {"fit_intercept": [True]}, cv=2)), "0/1", {}, "is a regressor",
    ),
    "predict of a regressor": (lambda: fitted(LinearRegression()).predict, "0/1", {}, "is a regressor"),
    "regressor, texts": (lambda: fitted(LinearRegression(), Y), "no/yes", {}, "'no' and 'yes'"),
    "ranking without threshold": (lambda: fitted(LinearRegression()), "0/1", {"score_kind": "ranking"}, "threshold="),
    "regressor called probability": (
        lambda: fitted(LinearRegression()), "0/1", {"score_kind": "probability"}, r"outside \[0, 1\]",
    ),
    "regressor called label": (lambda: fitted(LinearRegression()), "0/1", {"score_kind": "label"}, "returned numbers"),
    "clusters": (lambda: KMeans(2, n_init=1, random_state=0).fit(X), "0/1", {}, "is a clusterer.*decide="),
    "clusters with a threshold": (
        lambda: KMeans(2, n_init=1, random_state=0).fit(X), "0/1", {"threshold": 0.5}, "is a clusterer",
    ),
    "mixture": (lambda: GaussianMixture(2).fit(X), "0/1", {}, "is a density estimator"),
    "outliers": (lambda: IsolationForest(n_estimators=5).fit(X), "0/1", {}, "answers -1 and 1.*0 and 1.*positive="),
    "booster of numbers": (lambda: Booster("regression", chance), "0/1", {}, f"returned numbers.*{WAYS}"),
    "booster of no objective": (lambda: Booster(None, chance), "0/1", {}, "returned numbers"),
    "booster of probabilities outside": (
        lambda: Booster("binary", lambda t: t["a"].to_numpy()), "0/1", {}, r"outside \[0, 1\]",
    ),
    "booster, 1 is negative": (lambda: Booster("binary", chance), "1 is negative", {}, "positive="),
    "ordinary least squares": (lambda: Wrapper("OLS", chance), "0/1", {}, "returned numbers"),
    "statsmodels GLM": (lambda: Wrapper("GLM", chance), "0/1", {}, "returned numbers"),
    "keras, one column": (lambda: Says(lambda t: chance(t)[:, None]), "0/1", {}, f"400 values.*{WAYS}"),
    "keras, log-odds": (lambda: Says(lambda t: t[["a"]].to_numpy()), "0/1", {}, "returned numbers"),
    "keras, two columns of log-odds": (
        lambda: Says(lambda t: t[["a", "b"]].to_numpy()), "0/1", {}, r"outside \[0, 1\]|add up to 1",
    ),
    "float32 numbers": (lambda: Says(lambda t: chance(t).astype("float32")), "0/1", {}, "returned numbers"),
    "one half, always": (lambda: Says(lambda t: np.full(len(t), 0.5)), "0/1", {}, "returned numbers"),
    "deciles": (lambda: Says(lambda t: (chance(t) * 10).astype(int)), "0/1", {}, "values"),
    "approve and deny": (
        lambda: fitted(LogisticRegression(), np.where(Y == 1, "approve", "deny")), "0/1", {},
        r"answers 'approve' and 'deny', and the label's classes are 0 and 1\. .*pass positive=",
    ),
    "approve and deny, decisions": (
        lambda: Says(lambda t: np.where(chance(t) > 0.5, "approve", "deny")), "0/1", {}, "'approve'.*0 and 1",
    ),
    "approve and deny, function": (
        lambda: lambda t: np.where(chance(t) > 0.5, "approve", "deny"), "0/1", {}, "'approve'.*0 and 1",
    ),
    "approve and deny, texts": (
        lambda: fitted(LogisticRegression(), np.where(Y == 1, "approve", "deny")), "no/yes", {}, "'no' and 'yes'",
    ),
    "half of the classes": (lambda: Says(lambda t: np.where(chance(t) > 0.5, "yes", "maybe")), "no/yes", {}, "'maybe'"),
    "three classes": (lambda: fitted(LogisticRegression(), THREE), "0/1", {}, "answers 0, 1 and 2"),
    "one class": (lambda: fitted(DummyClassifier(), np.ones(N, dtype=int)), "0/1", {}, "knows only 1"),
    "positive turned": (lambda: fitted(LogisticRegression(), "no/yes"), "no/yes", {"positive": "no"}, "Leave out pos"),
    "positive unknown": (lambda: fitted(LogisticRegression()), "0/1", {"positive": "good"}, "knows no class 'good'"),
    "codes from one": (lambda: fitted(LogisticRegression(), Y + 1), "no/yes", {}, "answers 1 and 2"),
    "labels and codes mixed": (
        lambda: Says(lambda t: np.array(["yes", 0], dtype=object)[cut(0.5)(t)]), "no/yes", {}, "no class of the label",
    ),
    "no label": (lambda: Says(lambda t: np.where(chance(t) > 0.5, 1, None)), "0/1", {}, r"no label \(NaN or None\)"),
    "nan": (lambda: Says(failing), "0/1", {}, r"no label \(NaN or None\) for 1 of 400"),
    "nan in probabilities": (lambda: Both(failing, cut(0.5)), "0/1", {}, "1 NaN|2 NaN"),
    "nan in a function": (lambda: failing, "0/1", {}, "1 NaN and 0 infinite"),
    "lists for labels": (lambda: Says(lambda t: [["yes"], ["no"]] * (len(t) // 2)), "0/1", {}, "'yes'|'no'"),
    "sets for labels": (
        lambda: Says(lambda t: np.array([{1}] * len(t) + [0], dtype=object)[:-1]), "0/1", {}, "one label is meant",
    ),
    "one label for all": (lambda: Says(lambda t: 1), "0/1", {}, "a single number"),
    "rows missing": (lambda: Says(lambda t: cut(0.5)(t)[1:]), "0/1", {}, "returned 399"),
    "rows twice": (lambda: Says(lambda t: np.r_[cut(0.5)(t), cut(0.5)(t)]), "0/1", {}, "returned 800"),
    "three axes": (lambda: Says(lambda t: np.zeros((len(t), 2, 2))), "0/1", {}, "400x2x2"),
    "two columns of labels": (lambda: Says(lambda t: np.c_[cut(0.5)(t), cut(0.5)(t)]), "0/1", {}, "2 columns"),
    "complex numbers": (lambda: lambda t: chance(t) + 1j, "0/1", {"score_kind": "probability"}, "no array of numbers"),
    "columns that do not add up": (
        lambda: lambda t: np.c_[chance(t), chance(t)], "0/1", {}, "do not add up to 1",
    ),
    "a model that fails": (lambda: Says(lambda t: 1 / 0), "0/1", {}, "could not predict these rows: ZeroDivisionError"),
    "decide that fails": (
        lambda: fitted(LinearRegression()), "0/1", {"decide": lambda y: y["high"]}, "could not predict these rows",
    ),
    "decide to scores": (lambda: fitted(LinearRegression()), "0/1", {"decide": lambda y: y}, "returned numbers"),
    "decide to fewer rows": (lambda: chance, "0/1", {"decide": lambda y: y[1:] > 0.5}, "returned 399"),
    "decide and threshold": (lambda: chance, "0/1", {"decide": lambda y: y > 0.5, "threshold": 0.3}, "of use"),
    "decide is no function": (lambda: chance, "0/1", {"decide": 0.5}, "decide= takes a function"),
    "unknown kind": (lambda: chance, "0/1", {"score_kind": "odds"}, "score_kind takes"),
    "text for threshold": (lambda: chance, "0/1", {"threshold": "0.5"}, "must be a finite number"),
    "nan for threshold": (lambda: fitted(LogisticRegression()), "0/1", {"threshold": float("nan")}, "finite number"),
    "infinite threshold": (lambda: fitted(LinearRegression()), "0/1", {"threshold": float("inf")}, "finite number"),
    "threshold beyond probabilities": (lambda: fitted(LogisticRegression()), "0/1", {"threshold": 50}, "one side"),
    "threshold beyond decisions": (lambda: Says(cut(0.5)), "0/1", {"threshold": 2}, "one side"),
    "logit without log-odds": (
        lambda: fitted(RandomForestClassifier(3)), "0/1", {"score_kind": "logit"}, "nothing of it is a logit",
    ),
    "margins called probabilities": (lambda: fitted(LinearSVC()), "0/1", {"score_kind": "probability"}, r"outside \[0"),
    "decisions of another rule": (
        lambda: Both(chance, lambda t: (t["b"] > 0).astype(int)), "0/1", {}, "no threshold on them gives",
    ),
    "swapped classes": (lambda: Both(chance, lambda t: 1 - cut(0.5)(t)), "0/1", {}, "no threshold on them gives"),
    "decisions of other classes": (
        lambda: Both(chance, lambda t: np.where(chance(t) > 0.5, "yes", "no")), "0/1", {}, "no class of the label",
    ),
    "fitted on codes, 1 is negative": (
        lambda: fitted(LogisticRegression(), rows("1 is negative").y_true), "1 is negative", {},
        r"the other way round.*Pass positive=1 if it was fitted on the codes",
    ),
    "decisions in codes, 1 is negative": (
        lambda: lambda t: 1 - cut(0.5)(t), "1 is negative", {}, r"Pass positive=1 if it was fitted on the codes",
    ),
    "a model that ends the process": (lambda: lambda t: sys.exit(0), "0/1", {}, "could not predict.*SystemExit: 0"),
    "regressor of several classes": (lambda: fitted(LinearRegression(), THREE), "three", {}, "is a regressor"),
    "clusters of several classes": (lambda: KMeans(3, n_init=1).fit(X), "three", {}, "is a clusterer"),
    "two classes of three codes": (lambda: fitted(LogisticRegression()), "three", {}, "no class of the label"),
    "four classes of three": (
        lambda: fitted(LogisticRegression(), np.where(THREE == 2, "top", LABELS["three"][0])), "three", {}, "'top'",
    ),
    "log-odds of classes": (lambda: lambda t: t[["a", "b", "c"]].to_numpy(), "three", {}, "add up to 1"),
    "two columns of three": (lambda: lambda t: t[["a", "b"]].to_numpy(), "three", {}, "one column for each class"),
    "numbers of three": (lambda: Says(chance), "three", {}, "returned numbers"),
    "threshold of three": (
        lambda: fitted(LogisticRegression(), "three"), "three", {"threshold": 0.3}, "threshold= is about two classes",
    ),
    "votes against probabilities": (
        lambda: type("Voting", (Says,), {"predict_proba": lambda s, t: np.eye(3)[(THREE + 1) % 3]})(lambda t: THREE),
        "three", {}, "another class than that of its largest score",
    ),
    "classifier of amounts": (lambda: fitted(LogisticRegression()), "amounts", {}, "a classifier.*label is a number"),
    "clusters of amounts": (lambda: KMeans(2, n_init=1).fit(X), "amounts", {}, "is a clusterer"),
    "texts of amounts": (lambda: Says(lambda t: np.where(t["a"] > 0, "much", "little")), "amounts", {}, "no array of"),
    "two amounts a row": (lambda: Says(lambda t: t[["a", "b"]].to_numpy()), "amounts", {}, "2 columns"),
    "nan of amounts": (lambda: Says(failing), "amounts", {}, "1 NaN"),
    "decide of amounts": (
        lambda: fitted(LinearRegression(), "amounts"), "amounts", {"decide": lambda y: y}, "decide= is about two",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_told_is_refused_in_a_sentence(case: str) -> None:
    make, label, said, sentence = REFUSED[case]
    with pytest.raises(EvenhandError) as caught:
        eh.audit(make(), rows(label), audits=AUDIT.get(label, ["performance"]), explain=False, **said)
    assert re.search(sentence, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


RIGHT: dict[str, tuple[Callable[[], Any], str, dict[str, Any], Callable[[Any], np.ndarray]]] = {
    "regressor with a threshold": (
        lambda: fitted(LinearRegression()), "0/1", {"threshold": 0.4}, lambda m: m.predict(X) >= 0.4,
    ),
    "regressor with decide": (
        lambda: fitted(LinearRegression()), "no/yes", {"decide": lambda y: np.where(y > 0.4, "yes", "no")},
        lambda m: m.predict(X) > 0.4,
    ),
    "clusters with decide": (
        lambda: KMeans(2, n_init=1, random_state=0).fit(X), "0/1", {"decide": lambda y: y == 0},
        lambda m: m.predict(X) == 0,
    ),
    "outliers, the positive class named": (
        lambda: IsolationForest(n_estimators=5, random_state=0).fit(X), "0/1", {"positive": -1},
        lambda m: m.predict(X) == -1,
    ),
    "booster of probabilities": (lambda: Booster("binary sigmoid:1", chance), "no/yes", {}, lambda m: cut(0.5)(X)),
    "booster, 1 is negative, told": (
        lambda: Booster("binary", chance), "1 is negative", {"positive": 1}, lambda m: cut(0.5)(X),
    ),
    "statsmodels Logit": (lambda: Wrapper("Logit", chance), "0/1", {}, lambda m: cut(0.5)(X)),
    "keras, declared": (
        lambda: Says(lambda t: chance(t)[:, None]), "0/1", {"score_kind": "probability"}, lambda m: cut(0.5)(X),
    ),
    "keras, log-odds declared": (
        lambda: Says(lambda t: t[["a"]].to_numpy()), "0/1", {"score_kind": "log-odds"}, lambda m: cut(0.5)(X),
    ),
    "keras, output declared": (
        lambda: Says(lambda t: t[["a"]].to_numpy()), "0/1", {"output": "logit"}, lambda m: cut(0.5)(X),
    ),
    "keras, two columns": (lambda: Says(lambda t: np.c_[1 - chance(t), chance(t)]), "0/1", {}, lambda m: cut(0.5)(X)),
    "decisions as floats": (lambda: Says(lambda t: cut(0.5)(t) * 1.0), "0/1", {}, lambda m: cut(0.5)(X)),
    "decisions as booleans": (lambda: Says(lambda t: cut(0.5)(t) == 1), "0/1", {}, lambda m: cut(0.5)(X)),
    "decisions as texts": (lambda: Says(lambda t: cut(0.5)(t).astype(str)), "0/1", {}, lambda m: cut(0.5)(X)),
    "decisions in a column": (lambda: Says(lambda t: cut(0.5)(t)[:, None]), "0/1", {}, lambda m: cut(0.5)(X)),
    "codes for texts": (lambda: Says(cut(0.5)), "no/yes", {}, lambda m: cut(0.5)(X)),
    "codes for booleans": (lambda: Says(cut(0.5)), "booleans", {}, lambda m: cut(0.5)(X)),
    "codes for 1 and 2": (lambda: Says(cut(0.5)), "1/2", {}, lambda m: cut(0.5)(X)),
    "classes 1 and 2": (lambda: Says(lambda t: cut(0.5)(t) + 1), "1/2", {}, lambda m: cut(0.5)(X)),
    "1 alone of 1 and 2 is the label's own": (lambda: Says(lambda t: np.ones(len(t))), "1/2", {}, lambda m: 0 * Y),
    "codes for -1 and 1": (lambda: Says(cut(0.5)), "-1/1", {}, lambda m: cut(0.5)(X)),
    "the label's own 0 and 1 before codes": (
        lambda: fitted(LogisticRegression()), "1 is negative", {}, lambda m: m.predict(X) == 0,
    ),
    "fitted on codes, 1 is negative, told": (
        lambda: fitted(LogisticRegression(), rows("1 is negative").y_true), "1 is negative", {"positive": 1},
        lambda m: m.predict(X) == 1,
    ),
    "a bad model of values, 1 is negative, told": (
        lambda: lambda t: 1 - cut(0.5)(t), "1 is negative", {"positive": 0}, lambda m: cut(0.5)(X),
    ),
    "fitted on codes": (
        lambda: fitted(LogisticRegression(), rows("no/yes").y_true), "no/yes", {}, lambda m: m.predict(X) == 1,
    ),
    "support vectors fitted on codes": (lambda: fitted(SVC(), Y), "no/yes", {}, lambda m: m.predict(X) == 1),
    "decisions fitted on codes": (lambda: Says(lambda t: Y), "texts of digits", {}, lambda m: Y),
    "approve, told": (
        lambda: fitted(LogisticRegression(), np.where(Y == 1, "approve", "deny")), "0/1", {"positive": "approve"},
        lambda m: m.predict(X) == "approve",
    ),
    "approve, decided": (
        lambda: fitted(LogisticRegression(), np.where(Y == 1, "approve", "deny")), "0/1",
        {"decide": lambda said: said == "approve"}, lambda m: m.predict(X) == "approve",
    ),
    "function of approve, told": (
        lambda: lambda t: np.where(chance(t) >= 0.5, "approve", "deny"), "0/1", {"positive": "approve"},
        lambda m: cut(0.5)(X),
    ),
    "a fixed threshold": (
        lambda: fitted(FixedThresholdClassifier(LogisticRegression(), threshold=0.277)), "0/1", {},
        lambda m: m.predict(X) == 1,
    ),
    "a fixed threshold of the other class": (
        lambda: fitted(FixedThresholdClassifier(LogisticRegression(), threshold=0.3, pos_label="no"), "no/yes"),
        "no/yes", {}, lambda m: m.predict(X) == "yes",
    ),
    "a fixed threshold of log-odds": (
        lambda: fitted(
            FixedThresholdClassifier(LogisticRegression(), threshold=-1.0, response_method="decision_function")
        ),
        "0/1", {}, lambda m: m.predict(X) == 1,
    ),
    "a tuned threshold": (
        lambda: fitted(TunedThresholdClassifierCV(LogisticRegression(), scoring="f1", cv=3)), "0/1", {},
        lambda m: m.predict(X) == 1,
    ),
    "a threshold given for a tuned one": (
        lambda: fitted(FixedThresholdClassifier(LogisticRegression(), threshold=0.277)), "0/1", {"threshold": 0.6},
        lambda m: m.predict_proba(X)[:, 1] >= 0.6,
    ),
    "a threshold of its own": (lambda: Both(chance, cut(0.31)), "0/1", {}, lambda m: cut(0.31)(X)),
    "nobody is decided for": (lambda: Both(chance, lambda t: 0 * cut(0.5)(t)), "0/1", {}, lambda m: 0 * Y),
    "everybody is decided for": (lambda: Both(chance, lambda t: cut(0.5)(t) | 1), "0/1", {}, lambda m: 0 * Y + 1),
    "ties are the model's": (lambda: fitted(KNeighborsClassifier(2)), "0/1", {}, lambda m: m.predict(X) == 1),
    "its decisions alone": (
        lambda: Both(chance, lambda t: (t["b"] > 0).astype(int)), "0/1", {"score_kind": "label"}, lambda m: X["b"] > 0,
    ),
    "support vectors": (lambda: fitted(SVC()), "no/yes", {}, lambda m: m.decision_function(X) > 0),
    "ridge of the other class": (
        lambda: fitted(RidgeClassifier()), "1 is negative", {}, lambda m: m.predict(X) == 0,
    ),
    "log-odds of a classifier": (
        lambda: fitted(LogisticRegression()), "0/1", {"score_kind": "logit"}, lambda m: m.predict(X) == 1,
    ),
    "ranks of a classifier": (
        lambda: fitted(LogisticRegression()), "0/1", {"score_kind": "ranking"}, lambda m: m.predict(X) == 1,
    ),
    "pipeline": (
        lambda: fitted(make_pipeline(StandardScaler(), LogisticRegression()), "no/yes"), "no/yes", {},
        lambda m: m.predict(X) == "yes",
    ),
    "calibrated": (
        lambda: fitted(CalibratedClassifierCV(LinearSVC(), cv=2), "no/yes"), "no/yes", {},
        lambda m: m.predict(X) == "yes",
    ),
    "search": (
        lambda: fitted(GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2), "no/yes"), "no/yes", {},
        lambda m: m.predict(X) == "yes",
    ),
    "several classes": (
        lambda: fitted(LogisticRegression(), "three"), "three", {},
        lambda m: np.searchsorted(rows("three").classes, m.predict(X)),
    ),
    "several classes, search": (
        lambda: fitted(GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2), "three"), "three", {},
        lambda m: np.searchsorted(rows("three").classes, m.predict(X)),
    ),
    "several classes, codes": (
        lambda: fitted(RandomForestClassifier(3, random_state=0), rows("three").y_true), "three", {},
        lambda m: m.predict(X),
    ),
    "several classes, decisions": (
        lambda: fitted(SVC(), "three"), "three", {}, lambda m: np.searchsorted(rows("three").classes, m.predict(X)),
    ),
    "several classes, log-odds": (
        lambda: lambda t: t[["a", "b", "c"]].to_numpy(), "three", {"score_kind": "logit"},
        lambda m: X.to_numpy().argmax(axis=1),
    ),
    "several classes, decided": (
        lambda: fitted(LinearRegression(), THREE), "three",
        {"decide": lambda y: np.clip(np.round(y), 0, 2).astype(int)},
        lambda m: np.clip(np.round(m.predict(X)), 0, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_what_can_be_told_is_audited_as_it_decides(case: str) -> None:
    make, label, said, oracle = RIGHT[case]
    model, data = make(), rows(label)
    record = eh.audit(model, data, audits=AUDIT.get(label, ["performance"]), explain=False, **said)
    assert record["accuracy"].estimate == pytest.approx(float((oracle(model) == data.y_true).mean()), abs=1e-12)


@pytest.mark.parametrize("case", ["a fixed threshold", "codes for texts", "approve, told", "clusters with decide"])
def test_a_wrapped_model_is_proven_like_a_bare_one(case: str) -> None:
    make, label, said, oracle = RIGHT[case]
    model = make()
    prepared = as_subject(as_subject(model, **said), name="wrapped", prepare=lambda batch: batch.copy())
    record = eh.audit(prepared, rows(label), audits=["performance"], explain=False)
    assert record["accuracy"].estimate == pytest.approx(float((oracle(model) == rows(label).y_true).mean()), abs=1e-12)


@pytest.mark.parametrize("case", ["linear regression", "approve and deny", "keras, one column"])
def test_a_wrapped_model_is_refused_like_a_bare_one(case: str) -> None:
    make, label, _, sentence = REFUSED[case]
    for model in (as_subject(make()), as_subject(as_subject(make()), name="wrapped")):
        with pytest.raises(EvenhandError, match=sentence):
            eh.audit(model, rows(label), audits=["performance"], explain=False)


def test_several_labels_of_a_forest_come_as_one_matrix_a_label() -> None:
    labels = pd.DataFrame({"p": Y, "q": (X["b"] > 0).astype(int)})
    table = X.assign(sex=SEX).join(labels)
    data = read_evaluation_set(table, labels=["p", "q"], sensitive_features="sex")
    model = MultiOutputClassifier(LogisticRegression()).fit(X, labels)
    record = eh.audit(model, data, audits=["labels"], explain=False)
    assert record["recall[;class=p]"].estimate == pytest.approx(model.predict(X)[Y == 1, 0].mean())


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A test set, a policy, and models that say no decisions, each in a pickle."""
    X.assign(sex=SEX, y=Y).to_csv(tmp_path / "test.csv", index=False)
    X.assign(sex=SEX, y=LABELS["no/yes"][0]).to_csv(tmp_path / "words.csv", index=False)
    (tmp_path / "policy.toml").write_text(
        'schema = 1\n[limits]\n"selection_rate_difference[sex]" = { at_most = 0.1 }\n', "utf-8"
    )
    for name, model in {
        "regressor": fitted(LinearRegression()),
        "approve": fitted(LogisticRegression(), np.where(Y == 1, "approve", "deny")),
        "fixed": fitted(FixedThresholdClassifier(LogisticRegression(), threshold=0.277)),
    }.items():
        joblib.dump(model, tmp_path / f"{name}.joblib")
    return {place.name: place for place in tmp_path.iterdir()}


def audited(files: dict[str, Path], model: str, *more: str, data: str = "test.csv") -> int:
    output = files["test.csv"].with_name("audit.json")
    return exit_code([
        "audit", str(files[data]), "--model", str(files[model]), "--label", "y", "--sensitive", "sex", "--trust-pickle",
        "--no-explain", "-o", str(output), *more,
    ])  # fmt: skip


@pytest.mark.parametrize("model", ["regressor.joblib", "approve.joblib"])
def test_no_gate_passes_a_model_that_says_no_decisions(
    model: str, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert audited(files, model) == 2
    said = capsys.readouterr()
    assert re.search("[Pp]ass (--threshold|decide=|positive=)", said.err)
    assert "Traceback" not in said.err
    assert not files["test.csv"].with_name("audit.json").exists()


def test_the_command_line_takes_the_way_out(files: dict[str, Path]) -> None:
    assert audited(files, "regressor.joblib", "--threshold", "0.3") == 0
    record = eh.read_record(files["test.csv"].with_name("audit.json"))
    assert record.provenance["subject"]["decided_by"] == "given"
    decided = fitted(LinearRegression()).predict(X) >= 0.3
    assert record["selection_rate"].estimate == pytest.approx(decided.mean())
    again = ["verify", str(files["test.csv"].with_name("audit.json")), "--rerun", "--trust-pickle", "--data"]
    assert exit_code([*again, str(files["test.csv"]), "--model", str(files["regressor.joblib"])]) == 0


def test_the_models_own_threshold_is_on_the_page_and_found_again(files: dict[str, Path]) -> None:
    assert audited(files, "fixed.joblib", "--pos-label", "yes", data="words.csv") == 0
    place = files["test.csv"].with_name("audit.json")
    record = eh.read_record(place)
    told = record.provenance["subject"]
    assert (told["threshold"], told["decided_by"], told["classes_read_as"]) == (0.277, "model", "codes")
    assert "0.277, where the model" in eh.render(record, None, "html")
    again = ["verify", str(place), "--rerun", "--trust-pickle", "--data", str(files["words.csv"])]
    assert exit_code([*again, "--model", str(files["fixed.joblib"])]) == 0


def test_a_model_in_a_process_of_its_own_is_proven_there(files: dict[str, Path]) -> None:
    def opened(name: str) -> Any:
        return open_subject(files[f"{name}.joblib"], trust_pickle=True, isolate=True)

    record = eh.audit(opened("fixed"), rows("no/yes"), audits=["performance"], explain=False)
    told = record.provenance["subject"]
    assert (told["threshold"], told["decided_by"], told["classes_read_as"]) == (0.277, "model", "codes")
    assert pickle.loads(pickle.dumps(bound(opened("fixed"), Target("binary", ("no", "yes"))))).facts["classes_read_as"]
    with pytest.raises(ModelError, match="is a regressor"):
        eh.audit(opened("regressor"), rows("0/1"), audits=["performance"], explain=False)
    ranked = eh.audit(opened("regressor"), rows("0/1"), audits=["performance"], explain=False, threshold=0.3)
    assert ranked.provenance["subject"]["decided_by"] == "given"
    with pytest.raises(ModelError, match="to which decide= cannot be passed"):
        eh.audit(opened("regressor"), rows("0/1"), decide=lambda y: y > 0.3)
