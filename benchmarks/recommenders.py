"""Recommenders on MovieLens-100K: who likes which film (four stars or more), and for whom that is told better.

A user and a film are categories, and the user's age, sex and occupation and the film's year stand beside them. Ratings
are split at random; each network is compressed to int8, and audited for women and men.

Writes benchmarks/results/recommenders.json and its table in docs/fits.md. Data: the folder dataset_example/ml-100k of
the package recbole 1.2.1, as movielens_100k below EVENHAND_DATA. Run it with: python benchmarks/recommenders.py [rows]
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
from measuring import FITS, machine, needed, write

import evenhand as eh
from evenhand.compression import Int8, compress
from evenhand.training import TrainingConfig, fit, fit_boosting

NETWORKS = ("mlp", "wide_deep", "deepfm")
PARTS = ("inter", "user", "item")
SETTINGS = {"epochs": 15, "patience": 3, "hidden": (32,), "baseline": False}


def ratings(rows: int) -> eh.EvaluationSet:
    """Return a random part of the ratings with what is known of user and film."""
    files = [pd.read_csv(file, sep="\t") for file in needed("movielens_100k", *(f"ml-100k.{of}" for of in PARTS))]
    given, users, films = (part.rename(columns=lambda name: str(name).partition(":")[0]) for part in files)
    table = given.merge(users, on="user_id").merge(films[["item_id", "release_year"]], on="item_id")
    table = table.sample(min(rows, len(table)), random_state=0).sort_index()
    # ids are names, whatever they are written with
    table = table.assign(**{name: "n" + table[name].astype(str) for name in ("user_id", "item_id", "release_year")})
    table = table.assign(liked=table["rating"] >= 4).drop(columns=["rating", "timestamp", "zip_code"])
    return eh.read_evaluation_set(table, label="liked", sensitive_features=["gender"], name="MovieLens-100K")


def line(name: str, model: eh.Subject, test: eh.EvaluationSet, taken: float, small: eh.Subject | None) -> str:
    """Return a row of the table."""
    record = eh.audit(model, test, audits=["performance", "fairness"], explain=False, footprint=False)
    gap = record["recall_difference[gender]"]
    by_sex = [record[f"recall[gender={sex}]"].estimate for sex in ("F", "M")]
    cells = [name, f"{record['roc_auc'].estimate:.4f}", f"{record['accuracy'].estimate:.3f}"]
    cells += [" ".join(f"{value:.3f}" for value in by_sex), f"[{gap.interval.low:.3f}, {gap.interval.high:.3f}]"]
    same = "" if small is None else f"{(decided(small, test) == decided(model, test)).mean():.1%}"
    return f"| {' | '.join([*cells, same, f'{taken:.1f}'])} |"


def decided(model: eh.Subject, data: eh.EvaluationSet) -> np.ndarray:
    """Return (n,) decisions."""
    return np.asarray(model.predict(data.X) >= model.threshold)


def main(rows: int) -> None:
    """Fit, compress, audit, and write the table."""
    parts = eh.split(ratings(rows), {"train": 0.7, "validation": 0.1, "test": 0.2}, seed=0)
    train, held, test = (parts[name] for name in ("train", "validation", "test"))
    lines = [
        "| model | AUC | accuracy | recall of women and men | gap, 95 % | int8 decides alike | CPU seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for network in NETWORKS:
        start = time.process_time()
        model = fit(train, held, TrainingConfig(network=network, **SETTINGS), name=network)
        taken = time.process_time() - start
        lines.append(line(network, model, test, taken, compress(model, Int8(), train=train)))
        print(lines[-1], flush=True)
    start = time.process_time()
    trees = fit_boosting(train, held)
    lines.append(line("boosted trees", trees, test, time.process_time() - start, None))
    lines += ["", f"{len(train):,} ratings to fit on, {len(test):,} to measure on."]
    write("recommenders", {**machine("torch"), "rows": rows, "table": lines}, lines, "Measures `fit`.", FITS)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
