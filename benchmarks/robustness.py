"""Which decisions on Adult turn under everyday errors, for whom, and what asking costs: a network on 20,000 rows.

Writes benchmarks/results/robustness.json. The first rows are those of a table that was measured by hand before: noise
of .1 and .5 standard deviations, 10 and 30 % of the cells of numbers at their mean, sex swapped.
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import evenhand as eh
from evenhand.probing.corruption import CORRUPTIONS, learn_ranges

if TYPE_CHECKING:
    from evenhand.data.evaluation_set import EvaluationSet

PLACE: Final = Path(__file__).parents[2] / "shared" / "data" / "adult"
OUT: Final = Path(__file__).parent / "results" / "robustness.json"
LABEL: Final = "income"
NUMBERS: Final = ["age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"]
ROWS: Final = 20_000
Change = Callable[[pd.DataFrame], pd.DataFrame]


def tables(place: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return 10,000 training rows and 20,000 others, none of them missing a value."""
    both = pd.concat([pd.read_csv(place / f"adult_{part}.csv.gz") for part in ("train", "test")])
    rows = both.replace("?", np.nan).dropna().sample(frac=1, random_state=0).reset_index(drop=True)
    return rows.iloc[:10_000].reset_index(drop=True), rows.iloc[10_000 : 10_000 + ROWS].reset_index(drop=True)


def fitted(train: pd.DataFrame) -> object:
    """Return a network of 256 and 128 units over numbers and levels, fitted for 20 epochs."""
    words = [name for name in train if name not in (*NUMBERS, LABEL)]
    columns = make_column_transformer(
        (StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words)
    )
    network = MLPClassifier((256, 128), max_iter=20, random_state=0)
    return make_pipeline(columns, network).fit(train.drop(columns=LABEL), train[LABEL] == ">50K")


def by_hand(train: pd.DataFrame) -> dict[str, Change]:
    """Return the errors of the earlier table."""
    found = learn_ranges(train[NUMBERS])
    all_cells = {name: replace(column, usual=math.nan) for name, column in found.columns.items()}
    ranges = replace(found, columns=all_cells)
    noise, missing = CORRUPTIONS["table"]["noise"], CORRUPTIONS["table"]["missing"]

    def of_numbers(change: Change) -> Change:
        return lambda rows: rows.assign(**change(rows[NUMBERS]))

    return {
        "noise .1 sd": of_numbers(lambda rows: noise.apply(rows, 1, 0, ranges)),  # type: ignore[arg-type, return-value]
        "noise .5 sd": of_numbers(lambda rows: noise.apply(rows, 3, 0, ranges)),  # type: ignore[arg-type, return-value]
        "10 % of numbers at the mean": of_numbers(lambda rows: missing.apply(rows, 2, 0, ranges)),  # type: ignore[arg-type, return-value]
        "30 % of numbers at the mean": of_numbers(lambda rows: missing.apply(rows, 3, 0, ranges)),  # type: ignore[arg-type, return-value]
        "sex swapped": lambda rows: rows.assign(sex=rows["sex"].map({"Male": "Female", "Female": "Male"})),
    }


def earlier(model: object, train: pd.DataFrame, test: pd.DataFrame) -> list[dict[str, object]]:
    """Return what each of these does to accuracy and decisions, of women and men."""
    truth, rows = (test[LABEL] == ">50K").to_numpy(), test.drop(columns=LABEL)
    before, women = model.predict(rows), (test["sex"] == "Female").to_numpy()  # type: ignore[attr-defined]
    found: list[dict[str, object]] = []
    for name, change in by_hand(train.drop(columns=LABEL)).items():
        after = model.predict(change(rows))  # type: ignore[attr-defined]
        lost = (before == truth).astype(float) - (after == truth)
        drops = {who: round(float(lost[at].mean()), 4) for who, at in (("women", women), ("men", ~women))}
        flips = round(float((after != before).mean()), 4)
        found.append({"error": name, "drop": round(float(lost.mean()), 4), "flips": flips, **drops})
    return found


def data_of(test: pd.DataFrame) -> EvaluationSet:
    """Return the rows with their roles."""
    return eh.read_evaluation_set(
        test, label=LABEL, pos_label=">50K", sensitive_features=["sex", "race"], use_sensitive=True
    )


def main() -> None:
    """Measure, write and print."""
    train, test = tables(PLACE)
    model, data = fitted(train), data_of(test)
    clock = time.process_time()
    model.predict_proba(data.X)  # type: ignore[attr-defined]
    scoring = time.process_time() - clock
    clock = time.process_time()
    record = eh.audit(model, data, audits="robustness", members=train)
    cost = time.process_time() - clock
    rates = {
        f"{f.key.qualifier('corruption')} {f.key.qualifier('severity')}": round(f.estimate or 0.0, 4)
        for f in record.findings
        if f.key.metric == "corrupted_flip_rate" and not f.key.columns
    }
    unlike = {
        f.name: [round(value or 0.0, 4) for value in (f.estimate, f.interval.low, f.interval.high)]
        for f in record.findings
        if f.key.metric == "corrupted_flip_rate_difference"
        and len(f.key.columns) == 1
        and f.interval is not None
        and (f.interval.low or 0) > 0
    }
    asked = len({key for key in rates if not key.startswith("worst")})
    figures = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}", "rows": len(test),
        "accuracy": round(float((model.predict(data.X) == data.y_true).mean()), 4),  # type: ignore[attr-defined]
        "earlier": earlier(model, train, test), "flip_rates": rates, "gaps_above_0": unlike,
        "cpu_seconds": round(cost, 2), "one_scoring_cpu_seconds": round(scoring, 3), "scorings": asked,
        "ratio": round(cost / scoring, 1), "findings": len(record.findings),
    }  # fmt: skip
    OUT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
