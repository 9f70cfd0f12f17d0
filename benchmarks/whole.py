"""A whole audit beside MetricFrame and TreeExplainer, and black boxes of many columns beside shap's Permutation.

Writes benchmarks/results/whole.json and its table in docs/benchmarks.md. Run it with: make bench NAMES=whole
"""

from __future__ import annotations

import resource
import time
from itertools import combinations, pairwise
from math import factorial

import fairlearn.metrics as fair
import numpy as np
import pandas as pd
import shap
import sklearn.metrics as sk
from measuring import machine, middle, write
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

import evenhand as eh
from evenhand.explaining import explain

ROWS, FITTED, REPEATS = 333_000, 20_000, 3
GOAL = 5.0
CATEGORIES = {"sex": 2, "race": 5, "region": 8, "work": 12, "home": 3}
SENSITIVE = ["sex", "race"]
EXPLAINED, BACKGROUND = 200, 400
"""What an audit explains by default, and against how many rows."""
METRICS = {
    "accuracy": sk.accuracy_score, "recall": sk.recall_score, "precision": sk.precision_score,
    "selection_rate": fair.selection_rate, "false_positive_rate": fair.false_positive_rate,
}  # fmt: skip
Floats = np.ndarray


def people(rows: int, seed: int) -> pd.DataFrame:
    """Return five categories, five numbers and a label."""
    rng = np.random.default_rng(seed)
    found: dict[str, Floats] = {
        name: rng.choice([f"{name} {at}" for at in range(size)], rows) for name, size in CATEGORIES.items()
    }
    table = pd.DataFrame(found).assign(
        age=rng.integers(18, 90, rows), hours=rng.normal(38, 10, rows).round(), years=rng.integers(0, 40, rows),
        income=np.exp(rng.normal(10, 0.7, rows)).round(2), debt=rng.gamma(2, 5_000, rows).round(2),
    )  # fmt: skip
    score = table["income"] / 2e4 - 1 + 0.4 * (table["sex"] == "sex 0") - 0.3 * (table["race"] == "race 1")
    score += 0.02 * table["years"] * (table["age"] > 30) - 5e-5 * table["debt"]
    return table.assign(approved=(score + rng.logistic(size=rows) > 0).astype(int))


def fitted() -> Pipeline:
    """Return boosted trees behind one-hot encoding."""
    rows = people(FITTED, 1)
    encode = (OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(CATEGORIES))
    model = make_pipeline(
        make_column_transformer(encode, remainder="passthrough"), HistGradientBoostingClassifier(random_state=0)
    )
    return model.fit(rows.drop(columns="approved"), rows["approved"])


def ours(model: Pipeline, table: pd.DataFrame) -> dict[str, float]:
    """Return CPU seconds of a whole audit, and of each part of it."""
    marks: list[tuple[float, str]] = []
    start = time.process_time()
    eh.audit(
        model, table, label="approved", sensitive_features=SENSITIVE, use_sensitive=True,
        progress=lambda _step, _steps, name: marks.append((time.process_time(), name)),
    )  # fmt: skip
    end = time.process_time()
    marks = [(start, "reading"), *marks, (end, "")]
    parts = {name: after - now for (now, name), (after, _) in pairwise(marks)}
    return {"whole": end - start, **parts}


def theirs(model: Pipeline, table: pd.DataFrame) -> dict[str, float]:
    """Return CPU seconds of the same rows through MetricFrame and TreeExplainer, without intervals."""
    start = time.process_time()
    rows = table.drop(columns="approved")
    said = model.predict(rows)
    for columns in (["sex"], ["race"], SENSITIVE):
        frame = fair.MetricFrame(
            metrics=METRICS, y_true=table["approved"], y_pred=said, sensitive_features=table[columns]
        )
        frame.difference()
    counted = time.process_time()
    prepared = np.asarray(model[0].transform(rows.iloc[: EXPLAINED + BACKGROUND]), dtype=np.float64)
    shap.TreeExplainer(model[-1], prepared[EXPLAINED:]).shap_values(prepared[:EXPLAINED], check_additivity=False)
    return {"whole": time.process_time() - start, "shap": time.process_time() - counted}


class Products:
    """A score that sums single columns and products of two and three: its Shapley values are known."""

    def __init__(self, columns: int) -> None:
        rng = np.random.default_rng(columns)
        self.slopes = rng.normal(0, 1, columns)
        sizes = [2] * columns + [3] * (columns // 2)
        self.terms = [(rng.choice(columns, size, replace=False), rng.normal(0, 0.5)) for size in sizes]
        self.asked = 0

    def __call__(self, table: pd.DataFrame | Floats) -> Floats:
        """Return (n,) scores."""
        cells = np.asarray(table)
        self.asked += len(cells)
        score = cells @ self.slopes
        for term, weight in self.terms:
            product = weight * cells[:, term[0]]
            for column in term[1:]:
                product = product * cells[:, column]
            score += product
        return score

    def exact(self, rows: Floats, others: Floats) -> Floats:
        """Return (n, columns) exact values against all background rows."""
        values = (rows - others.mean(axis=0)) * self.slopes
        for term, weight in self.terms:
            for player in term:
                rest = [each for each in term if each != player]
                for size in range(len(term)):
                    share = factorial(size) * factorial(len(term) - size - 1) / factorial(len(term)) * weight
                    for inside in combinations(rest, size):
                        without = [each for each in rest if each not in inside]
                        left, both = others[:, without].prod(axis=1), rows[:, list(inside)].prod(axis=1)
                        gain = rows[:, player] * left.mean() - (others[:, player] * left).mean()
                        values[:, player] += share * both * gain
        return values


def black_box(columns: int) -> dict[str, float]:
    """Return the error told and the true one at the default budget, and that of shap at as many evaluations."""
    rng, model = np.random.default_rng(columns), Products(columns)
    rows, others = rng.normal(size=(EXPLAINED, columns)), rng.normal(size=(BACKGROUND, columns))
    names = [f"c{at}" for at in range(columns)]
    exact = model.exact(rows, others)
    start = time.process_time()
    found = explain(model, pd.DataFrame(rows, columns=names), pd.DataFrame(others, columns=names), link="identity")
    took, asked = time.process_time() - start, model.asked
    used = max(asked // (EXPLAINED * (2 * columns + 1)), 1)
    start = time.process_time()
    said = shap.explainers.Permutation(model, shap.maskers.Independent(others[:used], max_samples=used), seed=0)(
        rows, max_evals=2 * columns + 1, silent=True
    )
    shap_took = time.process_time() - start
    return {
        "columns": columns, "evaluations": asked, "background": found.background_rows, "seconds": took,
        "told": float("nan") if found.relative_error is None else found.relative_error,
        "true": error(found.values, exact), "shap": error(said.values, exact), "shap_seconds": shap_took,
        "shap_background": used,
    }  # fmt: skip


def error(values: Floats, exact: Floats) -> float:
    """Return the distance from the exact values, relative to their size."""
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


def main() -> None:
    """Measure both, write the figures and the table."""
    model, table = fitted(), people(ROWS, 2)
    start = time.process_time()
    model.predict_proba(table.drop(columns="approved"))
    alone = time.process_time() - start
    runs, others = [], []
    for _ in range(REPEATS):
        runs.append(ours(model, table))
        others.append(theirs(model, table))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    boxes = [black_box(columns) for columns in (100, 300)]
    whole, peer = (middle(run["whole"] for run in each) for each in (runs, others))
    parts = {name: middle(run[name] for run in runs) for name in runs[0] if name != "whole"}
    longest = sorted(parts.items(), key=lambda part: -part[1])
    lines = [
        f"| a whole audit of {ROWS:,} rows, 10 columns | CPU seconds | goal | peers / evenhand |", "|---|---|---|---|",
        f"| `eh.audit`, all audits, intervals | {whole:.1f} | {GOAL:.0f} | |",
        f"| of which predicting all rows once | {alone:.1f} | | |",
        *(f"| of which {name} | {taken:.1f} | | |" for name, taken in longest[:7]),
        f"| `MetricFrame` of 5 metrics, `TreeExplainer` of {EXPLAINED} rows | {peer:.1f} | | {peer / whole:.1f} x |",
        "", f"All of the process takes {peak:,.0f} MB at most.", "",
        "| a black box | evaluations | background rows used | error told | true error | shap's Permutation |",
        "|---|---|---|---|---|---|",
        *(
            f"| {box['columns']} columns | {box['evaluations']:,} | {box['background']} of {BACKGROUND} | "
            f"{box['told']:.3f} | {box['true']:.3f} | {box['shap']:.3f}, {box['shap_background']} background rows |"
            for box in boxes
        ),
    ]  # fmt: skip
    figures = {
        **machine("scikit-learn", "fairlearn", "shap"), "rows": ROWS, "goal": GOAL, "predicting": alone, "ours": runs,
        "peers": others, "peak_megabytes": peak, "black_boxes": boxes,
    }  # fmt: skip
    write("whole", figures, lines, "Times the public calls `eh.audit` and `explain`, as they are.")


if __name__ == "__main__":
    main()
