"""Shapley values of tree ensembles beside shap's TreeExplainer in one run: CPU seconds, as ratios, both exact.

shap is given every background row, and behind preprocessing the prepared rows, whose columns' values are then summed
for each feature: that is not a feature's value where the model lets columns interact, and the table says by how much.
A few rows are compared with all coalitions of features, asked of the model's own predict. Both sides run in turns on
one thread, after a first call that does not count; shap explains 200 of the rows, and is taken to need five times as
long for all. Writes benchmarks/results/trees.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING

import lightgbm
import numpy as np
import pandas as pd
import shap
import xgboost
from measuring import DATA, machine, middle, seconds, write
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import evenhand as eh
from evenhand.explaining import explain
from evenhand.explaining.trees import shapley
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROWS, SOME, BACKGROUND, REPEATS, GOAL = 1000, 200, 100, 3, 4
TREES, FITTED = 100, 10_000
PLAYERS = 10
"""Most features of which all coalitions are asked; more columns are dealt into so many features for that."""


@dataclass(frozen=True)
class Case:
    """A model, and its rows: those to explain come first, the background last."""

    words: str
    model: object
    table: pd.DataFrame
    background: int = BACKGROUND

    @property
    def rows(self) -> pd.DataFrame:
        """The rows to explain."""
        return self.table.iloc[:ROWS]

    @property
    def against(self) -> pd.DataFrame:
        """The background."""
        return self.table.iloc[-self.background :]

    def ours(self) -> np.ndarray:
        """Return the values of the public call."""
        found = explain(as_subject(self.model), self.rows, self.against)
        if found.method != "tree":
            raise RuntimeError(f"{self.words}: explained by {found.method}: {found.reason}")
        return found.values

    def theirs(self) -> tuple[float, np.ndarray]:
        """Return the seconds that shap takes for all rows, told by some, and their values, summed for each feature."""
        model, rows, against = self.model, self.rows.iloc[:SOME], self.against
        start = time.process_time()
        steps, owner = getattr(model, "steps", None), np.arange(rows.shape[1])
        if steps is not None:
            prepare, model = steps[0][1], steps[1][1]
            names = [name.split("__")[1] for name in prepare.get_feature_names_out()]
            owner = np.array([_feature(name, list(rows.columns)) for name in names])
            rows, against = prepare.transform(rows), prepare.transform(against)
        rows, against = np.asarray(rows, dtype=np.float64), np.asarray(against, dtype=np.float64)
        masker = shap.maskers.Independent(against, max_samples=len(against))
        explainer = shap.TreeExplainer(model, masker, feature_perturbation="interventional", model_output="raw")
        ready = time.process_time()
        values = np.asarray(explainer.shap_values(rows, check_additivity=False))
        taken = ready - start + (time.process_time() - ready) * ROWS / SOME
        values = values[:, :, 1] if values.ndim == 3 else values
        return taken, values @ np.eye(self.rows.shape[1])[owner]

    def miss(self) -> float:
        """Return the greatest difference to all coalitions of a few rows, relative to the largest value.

        The model is given as a function, so that nothing is known of its trees.
        """
        rows, against = self.rows.iloc[:4], self.against.iloc[:12]
        columns, players = list(rows.columns), None
        if len(columns) > 14:
            players = {f"part {at}": columns[at::PLAYERS] for at in range(PLAYERS)}
        link = "identity" if isinstance(self.model, RandomForestClassifier) else "logit"
        found = explain(as_subject(self.model), rows, against, players=players)
        asked = explain(self.predict, rows, against, players=players, method="exact", link=link)
        return float(np.abs(found.values - asked.values).max() / np.abs(asked.values).max())

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        """Return the probability of the second class."""
        return self.model.predict_proba(table)[:, 1]  # type: ignore[attr-defined]


def _feature(name: str, columns: Sequence[str]) -> int:
    """Return the place of the feature that a prepared column is of."""
    return next(at for at, column in enumerate(columns) if name == column or name.startswith(f"{column}_v="))


def cases() -> Iterator[Case]:
    """Fit and yield one model after the other."""
    yield from _census()
    mortgages = eh.load_loanapp()
    table, approved = mortgages.X.astype(np.float64), np.asarray(mortgages.y_true)
    yield Case("Boston mortgages, 38 columns with missing values: HGB", _boosting().fit(table, approved), table)
    for columns in (10, 30, 100):
        table, y = _synthetic(columns)
        model = _boosting().fit(table[:FITTED], y[:FITTED])
        yield Case(f"{columns} columns: HGB", model, table)
        if columns == 10:
            yield Case("10 columns: HGB", model, table, background=400)
    table, y = _synthetic(10)
    for depth in (6, None):
        forest = RandomForestClassifier(TREES, max_depth=depth, random_state=0).fit(table[:FITTED], y[:FITTED])
        words = f"of depth {depth}" if depth else "of full depth"
        yield Case(f"10 columns: RandomForest {words}", forest, table)
    for depth in (3, 6, 12):
        model = xgboost.XGBClassifier(n_estimators=TREES, max_depth=depth, n_jobs=1).fit(table[:FITTED], y[:FITTED])
        yield Case(f"10 columns: XGBoost of depth {depth}", model, table)
    for depth in (3, 6, 12):
        # As many leaves as the depth has, up to 256.
        model = lightgbm.LGBMClassifier(
            n_estimators=TREES, max_depth=depth, num_leaves=2 ** min(depth, 8), n_jobs=1, verbose=-1
        )
        yield Case(f"10 columns: LightGBM of depth {depth}", model.fit(table[:FITTED], y[:FITTED]), table)


def _boosting() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=TREES, early_stopping=False)


def _census() -> Iterator[Case]:
    """Yield boosting behind one-hot coding on the census income data, where it is."""
    file = DATA / "adult" / "adult_train.csv.gz"
    if not file.exists():
        return
    table = pd.read_csv(file)
    y = (table["income"] == ">50K").astype(int)
    table = table.drop(columns="income")
    words = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    for name in words:
        table[name] = "v=" + table[name].astype("string").fillna("?").astype(object)
    coding = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    before = make_column_transformer((coding, words), remainder="passthrough")
    for depth in (3, 6, 12, None):
        leaves = 31 if depth is None else None
        last = _boosting().set_params(max_depth=depth, max_leaf_nodes=leaves)
        model = make_pipeline(before, last).fit(table, y)
        told = f"census income, 14 features: one-hot coding and HGB of {f'depth {depth}' if depth else '31 leaves'}"
        yield Case(told, model, table)
    yield Case(told, model, table, background=400)


def _synthetic(columns: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows whose values single precision holds, since shap narrows them, and labels that ask for ten columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(FITTED + ROWS + 400, columns)).astype(np.float32).astype(np.float64)
    score = X[:, :10] @ rng.normal(size=10) + X[:, 0] * X[:, 1] + rng.normal(scale=1.5, size=len(X))
    return pd.DataFrame(X, columns=[f"c{at}" for at in range(columns)]), (score > 0).astype(int)


def compared(case: Case) -> dict[str, object]:
    """Run both sides in turns."""
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    case.ours()
    for _ in range(REPEATS):
        start = time.process_time()
        values = case.ours()
        taken["ours"].append(time.process_time() - start)
        with redirect_stderr(StringIO()):  # where shap draws how far it is
            seconds_of_all, peer = case.theirs()
        taken["theirs"].append(seconds_of_all)
    some = values[:SOME]
    return {
        **taken,
        "background": case.background,
        "ratio": middle(taken["theirs"]) / middle(taken["ours"]),
        "to_shap": float(np.linalg.norm(some - peer) / np.linalg.norm(some)),
        "to_coalitions": case.miss(),
    }


def without_numba(case: Case) -> list[float]:
    """Return the seconds of the loops in numpy."""
    chosen = shapley.compiled
    shapley.compiled = lambda loop: None
    try:
        return seconds(case.ours, REPEATS)
    finally:
        shapley.compiled = chosen


def decided(case: Case) -> list[float]:
    """Return the seconds of the values of decisions, against 400 rows, by one order a pair and its reverse."""
    against = case.table.iloc[-400:]
    return seconds(partial(explain, as_subject(case.model), case.rows, against, decide_at=0.5), 2)


FIRST = """
import time
import numpy as np
from evenhand.explaining import explain
from evenhand.subjects import as_subject
from sklearn.ensemble import HistGradientBoostingClassifier
rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 10))
model = HistGradientBoostingClassifier(early_stopping=False).fit(X, X[:, 0] * X[:, 1] > 0)
start = time.process_time()
explain(as_subject(model), X[:1000], X[-100:])
print(time.process_time() - start)
"""


def first_calls() -> list[float]:
    """Return the seconds of the first call of a process, where nothing has been compiled before and where it has."""
    with tempfile.TemporaryDirectory() as folder:
        known = {**os.environ, "NUMBA_CACHE_DIR": folder}
        done = [
            subprocess.run([sys.executable, "-c", FIRST], env=known, capture_output=True, text=True, check=True).stdout
            for _ in range(2)
        ]
    return [float(text) for text in done]


def main() -> None:
    """Run all, write the table and the figures."""
    warnings.filterwarnings("ignore")
    found: dict[str, Mapping[str, object]] = {}
    lines = [
        "| model | background | shap | evenhand | shap / evenhand | to shap | to all coalitions |",
        "|" + "---|" * 7,
    ]
    others = {}
    for case in cases():
        figures = compared(case)
        found[f"{case.words}, {case.background}"] = figures
        ours, theirs = (middle(figures[side]) for side in ("ours", "theirs"))  # type: ignore[arg-type]
        lines.append(
            f"| {case.words} | {case.background} | {theirs:.2f} | {ours:.2f} | {figures['ratio']:.1f} x | "
            f"{figures['to_shap']:.0e} | {figures['to_coalitions']:.0e} |"
        )
        print(lines[-1], flush=True)
        if case.words == "10 columns: HGB" and case.background == BACKGROUND:
            others = {"numpy": without_numba(case), "decisions": decided(case), "first": first_calls()}
    least = min(float(figures["ratio"]) for figures in found.values())  # type: ignore[arg-type]
    compiled_now, compiled_before = others["first"]
    lines += [
        "",
        f"The goal is {GOAL} x; the least is {least:.1f} x. HGB over 10 columns takes {middle(others['numpy']):.2f} "
        f"without numba; with it, the first call of a process takes {compiled_before:.1f}, and {compiled_now:.1f} the "
        "first time on a machine, when the loops are compiled. The values of its decisions as well, against 400 rows, "
        f"by one random order a pair and its reverse, take {middle(others['decisions']):.1f}.",
    ]
    figures = dict(machine("shap", "scikit-learn", "xgboost-cpu", "lightgbm", "numba"))
    figures |= {"rows": ROWS, "goal": GOAL, "cases": found, "others": others}
    write("trees", figures, lines, "Times the public call `evenhand.explaining.explain`.")


if __name__ == "__main__":
    main()
