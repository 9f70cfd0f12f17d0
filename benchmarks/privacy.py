"""Attacks on membership on census rows: what each finds in networks of few and many epochs and in a forest.

The rows are those of Adult without missing values; 10,000 members, 10,000 others, a population of 2,500, and four
reference models, fitted by the same recipe or as logistic regressions. Needs adult/ below EVENHAND_DATA. Writes
benchmarks/results/privacy.json. Run it with: python benchmarks/privacy.py
"""

from __future__ import annotations

import json
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from measuring import DATA, RESULTS, machine
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import evenhand as eh

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCHS = (20, 5, 60)
ATTACKS = ("", "rmia_offline", "loss", "lira")
MEMBERS, OTHERS = 10_000, 20_000
"""A part of the others is the population."""
TREES = 5_000
"""Members of the forest."""


def census() -> pd.DataFrame:
    """Return the rows of both files without missing values, in an order drawn by a seed."""
    parts = [pd.read_csv(DATA / "adult" / f"adult_{part}.csv.gz", na_values="?") for part in ("train", "test")]
    table = pd.concat(parts, ignore_index=True).dropna().drop(columns="fnlwgt")
    table = table.astype(dict.fromkeys(table.select_dtypes("number").columns, "float32"))
    return table.iloc[np.random.default_rng(0).permutation(len(table))].reset_index(drop=True)


def pipeline(table: pd.DataFrame, model: object) -> Any:
    """Return a model over all columns but the label, one-hot and scaled."""
    inputs = table.drop(columns="income")
    texts = list(inputs.select_dtypes(exclude="number").columns)
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    encode = make_column_transformer((one_hot, texts), remainder=StandardScaler())
    return make_pipeline(encode, model)


def attacked(name: str, model: object, members: pd.DataFrame, others: pd.DataFrame, **more: Any) -> dict[str, Any]:
    """Fit a model on the members, attack it, and return what was found, with its cost."""
    inputs = [column for column in members if column != "income"]
    made = pipeline(members, model).fit(members[inputs], members["income"])
    right = [float((made.predict(part[inputs]) == part["income"]).mean()) for part in (members, others)]
    started = time.process_time()
    record = eh.audit(
        made, others, members=members, label="income", pos_label=">50K", sensitive_features=["sex", "race"],
        use_sensitive=True, explain=False, footprint=False, audits=["membership"], **more,
    )  # fmt: skip
    found = {
        "model": name, "references": str(record["membership_references"].note),
        "number": record["membership_references"].estimate, "accuracy": right,
        "cpu_seconds": time.process_time() - started, "attacks": {}, "groups": {},
    }  # fmt: skip
    for attack in ATTACKS:
        named = f";attack={attack}" if attack else ""
        keys = {"auc": "membership_auc", "advantage": "membership_advantage"}
        keys |= {f"tpr_{at}": f"membership_tpr[;at={at}" for at in ("0.01", "0.001")}
        told = {short: record.get(key + f"{named}]" if "[" in key else key + (f"[{named}]" if named else ""))
                for short, key in keys.items()}  # fmt: skip
        if told["auc"] is not None:
            found["attacks"][attack or "rmia"] = {short: ends(finding) for short, finding in told.items()}
    for finding in record.findings:
        if finding.key.metric == "membership_auc" and len(finding.key.group) == 1:
            found["groups"][finding.name] = [*ends(finding), finding.support]
    return found


def ends(finding: Any) -> list[float | None]:
    """Return an estimate and the ends of its interval."""
    interval = finding.interval
    return [finding.estimate, *((None, None) if interval is None else (interval.low, interval.high))]


def measure() -> Iterator[dict[str, Any]]:
    """Yield what was found in each model."""
    table = census()
    members, others = table[:MEMBERS], table[MEMBERS : MEMBERS + OTHERS].reset_index(drop=True)
    forest = RandomForestClassifier(100, random_state=0, n_jobs=1)
    yield attacked("forest", forest, members[:TREES], others)
    for epochs in EPOCHS:
        network = MLPClassifier((256, 128), alpha=0.0, batch_size=256, max_iter=epochs, tol=0.0, n_iter_no_change=1_000,
                                random_state=0)  # fmt: skip
        yield attacked(f"network, {epochs} epochs", network, members, others)
        if epochs == EPOCHS[0]:
            fitted = logistic(members)
            yield attacked(f"network, {epochs} epochs, logistic references", network, members, others, train_fn=fitted)


def logistic(members: pd.DataFrame) -> Any:
    """Return what fits logistic references."""

    def train(rows: eh.EvaluationSet, seed: int) -> object:
        inputs = [column for column in members if column != "income"]
        return pipeline(members, LogisticRegression(max_iter=200)).fit(rows.table[inputs], rows.table["income"])

    return train


def main() -> None:
    """Measure, print, and write the figures."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for row in measure():
        rows.append(row)
        print(row["model"], [round(part, 3) for part in row["accuracy"]], f"{row['cpu_seconds']:.1f} CPU-s")
        for attack, figures in row["attacks"].items():
            print("  ", attack, {name: said[0] for name, said in figures.items()})
        print("  ", {name: (said[0], said[-1]) for name, said in row["groups"].items()}, flush=True)
        text = json.dumps({**machine("scikit-learn"), "rows": rows}, indent=1, sort_keys=True)
        (RESULTS / "privacy.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
