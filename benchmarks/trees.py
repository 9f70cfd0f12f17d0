"""Shapley values of tree ensembles beside shap's TreeExplainer, in one run: CPU seconds, as ratios, and errors.

1,000 rows against 100 background rows; shap explains the first 200 of them, on the prepared columns, whose values are
summed for each feature. Both answers are compared with the values of a few rows that are enumerated over features from
the model's own predictions. Census rows behind one-hot coding, mortgages and numbers without any, trees of depth 3 to
12 and without bound. Both sides run in turns on one thread. Writes benchmarks/results/trees.json and a table of
docs/benchmarks.md. Run it with: make bench NAMES=trees
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shap
from measuring import machine, middle, needed, write
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import evenhand as eh
from evenhand.explaining import explain
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS, BACKGROUND, PEER_ROWS, COMPARED, REPEATS = 1000, 100, 200, 2, 3
TARGET = 4
"""How many times faster than shap, at no larger error."""


@dataclass(frozen=True)
class Case:
    """A fitted pipeline or estimator, and rows for it."""

    words: str
    model: object
    X: pd.DataFrame
    enumerable: bool = True
    """Whether its features are few enough for all subsets."""


def cases() -> Iterator[Case]:
    """Yield the models: census, mortgages, numbers."""
    (place,) = needed("adult", "adult_train.csv.gz")
    census = pd.read_csv(place)
    y = (census.pop("income") == ">50K").to_numpy().astype(int)
    words = [name for name in census if not pd.api.types.is_numeric_dtype(census[name])]
    census[words] = census[words].fillna("none")
    for depth in (3, 6, 12, None):
        last = HistGradientBoostingClassifier(max_depth=depth, max_leaf_nodes=None if depth else 31, random_state=0)
        before = make_column_transformer((OneHotEncoder(sparse_output=False), words), remainder="passthrough")
        told = f"depth {depth}" if depth else "31 leaves"
        yield Case(f"census, one-hot coded: boosting, {told}", make_pipeline(before, last).fit(census, y), census)
    loans = eh.load_loanapp()
    boosting = HistGradientBoostingClassifier(random_state=0)
    yield Case("mortgages, 38 numbers: boosting", boosting.fit(loans.X, loans.y_true), loans.X, enumerable=False)
    rng = np.random.default_rng(0)
    for width in (10, 30, 100):
        X = pd.DataFrame(rng.normal(size=(4000, width)).astype(np.float32), columns=[f"n{at}" for at in range(width)])
        y = ((X["n0"] + X["n1"] * X["n2"] + X["n3"] * X["n4"]) > 0).to_numpy().astype(int)
        boosting = HistGradientBoostingClassifier(random_state=0).fit(X, y)
        yield Case(f"{width} numbers: boosting", boosting, X, enumerable=width < 11)
        if width == 10:
            forest = RandomForestClassifier(100, random_state=0).fit(X, y)
            yield Case("10 numbers: forest of 100 full trees", forest, X)


def ours(case: Case) -> np.ndarray:
    """Return evenhand's values of all rows."""
    return explain(as_subject(case.model), case.X[:ROWS], case.X[ROWS : ROWS + BACKGROUND]).values


def theirs(case: Case) -> np.ndarray:
    """Return shap's values of the first rows, those of prepared columns summed for each feature."""
    steps = getattr(case.model, "steps", None)
    last = case.model if steps is None else steps[-1][1]
    rows, background = case.X[:PEER_ROWS], case.X[ROWS : ROWS + BACKGROUND]
    belongs = np.eye(case.X.shape[1])
    if steps is not None:
        before = steps[0][1]
        rows, background = before.transform(rows), before.transform(background)
        names = [name.partition("__")[2] for name in before.get_feature_names_out()]
        features = list(case.X.columns)
        # of "education_num" and "education_Masters" the longest feature that begins the name
        owner = [max((f for f in features if name == f or name.startswith(f + "_")), key=len) for name in names]
        belongs = np.array([[each == feature for feature in features] for each in owner], dtype=float)
    masker = shap.maskers.Independent(background, max_samples=BACKGROUND)
    explainer = shap.TreeExplainer(last, masker, feature_perturbation="interventional", model_output="raw")
    values = np.asarray(explainer.shap_values(rows, check_additivity=False))
    return (values[..., 1] if values.ndim == 3 else values) @ belongs


def truth(case: Case) -> np.ndarray:
    """Return the values of a few rows, all subsets of features enumerated by the model's own predictions."""
    predict = as_subject(case.model).predict
    link = "identity" if isinstance(case.model, RandomForestClassifier) else "logit"
    rows, background = case.X[:COMPARED], case.X[ROWS : ROWS + BACKGROUND]
    return explain(predict, rows, background, method="exact", link=link).values


def error(values: np.ndarray, wanted: np.ndarray) -> float:
    """Return the norm of the error, relative to that of the values."""
    return float(np.linalg.norm(values[: len(wanted)] - wanted) / np.linalg.norm(wanted))


def compared(case: Case) -> dict[str, object]:
    """Run both sides in turns; the first turn, in which each compiles itself, is kept apart."""
    taken: dict[str, list[float]] = {"ours": [], "shap": []}
    values = {}
    for _ in range(REPEATS + 1):
        for name, call, share in (("ours", ours, 1.0), ("shap", theirs, ROWS / PEER_ROWS)):
            start = time.process_time()
            values[name] = call(case)
            taken[name].append((time.process_time() - start) * share)
    seconds = {name: middle(times[1:]) for name, times in taken.items()}
    wanted = truth(case) if case.enumerable else None
    return {
        "runs": taken,
        "seconds": seconds,
        "ratio": seconds["shap"] / seconds["ours"],
        "error": None if wanted is None else error(values["ours"], wanted),
        "shap_error": error(values["shap"], values["ours"][:PEER_ROWS] if wanted is None else wanted),
    }


def main() -> None:
    """Run all, write the table and the figures."""
    warnings.filterwarnings("ignore")
    figures: dict[str, object] = dict(machine("shap", "scikit-learn", "numba"))
    figures |= {"rows": ROWS, "background": BACKGROUND, "shap_rows": PEER_ROWS, "compared": COMPARED, "target": TARGET}
    lines = ["| model | evenhand, s | error | shap, s | error | shap / evenhand |", "|---|---|---|---|---|---|"]
    for case in cases():
        found = compared(case)
        figures[case.words] = found
        seconds, mine = found["seconds"], found["error"]
        lines.append(
            f"| {case.words} | {seconds['ours']:.2f} | {'–' if mine is None else f'{mine:.0e}'} "  # type: ignore[index]
            f"| {seconds['shap']:.1f} | {found['shap_error']:.0e} | {found['ratio']:.1f} x (target {TARGET}) |"  # type: ignore[index]
        )
        print(lines[-1], flush=True)
    write("trees", figures, lines, "Times the public call `evenhand.explaining.explain`, `shap_values` of shap.")


if __name__ == "__main__":
    main()
