"""Ways of dealing with a rare class, in one table: recall, precision, F1, calibration, and the gap between groups.

Needs the vehicle insurance claims (label ``FraudFound_P``, 6 % positive) below EVENHAND_DATA, split by time as they
fell: every way is fitted with three seeds on the claims of 1994 and 1995 and measured on those of 1996; figures are
means. Writes benchmarks/results/imbalance.json and its table in docs/fits.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import torch
from measuring import FITS, machine, needed, write

import evenhand as eh
from evenhand.training import TrainingConfig, fit_ways

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (0, 1, 2)
KEYS = {
    "recall": "recall", "precision": "precision", "F1": "f1", "AUC": "roc_auc",
    "calibration error": "calibration_error",
    "recall gap": "recall_difference[Sex]", "false positive gap": "false_positive_rate_difference[Sex]",
}  # fmt: skip


def parts(path: Path) -> tuple[eh.EvaluationSet, eh.EvaluationSet, eh.EvaluationSet]:
    """Return rows to fit on, to choose by, and to measure on: the last year."""
    table = pd.read_csv(path)
    names = {"label": "FraudFound_P", "positive": 1, "sensitive_features": "Sex",
             "exclude": ["PolicyNumber", "RepNumber", "Year", "Age", "AgeOfPolicyHolder", "MaritalStatus"]}  # fmt: skip
    early = eh.read_evaluation_set(table[table.Year < 1996], **names, name="1994 and 1995")
    late = eh.read_evaluation_set(table[table.Year == 1996], like=early, name="1996")
    held = eh.split(early, {"train": 0.8, "validation": 0.2}, seed=0)
    return held["train"], held["validation"], late


def measure(path: Path) -> list[dict[str, object]]:
    """Return one row a way."""
    train, validation, test = parts(path)
    figures: dict[str, list[dict[str, float | None]]] = {}
    for seed in SEEDS:
        config = TrainingConfig(hidden=(64, 32), epochs=20, batch_size=256, patience=5, seed=seed)
        for way, model in fit_ways(train, validation, config).items():
            record = eh.audit(
                model, test, explain=False, footprint=False, audits=["performance", "calibration", "fairness"]
            )
            known = {finding.name: finding for finding in record.findings}
            figures.setdefault(way, []).append(
                {name: known[key].estimate if key in known else None for name, key in KEYS.items()}
            )
            print(f"  seed {seed}: {way}", flush=True)
    return [{"way": way, "seeds": rows, **_mean(rows)} for way, rows in figures.items()]


def _mean(rows: list[dict[str, float | None]]) -> dict[str, float | None]:
    """Return the mean of each figure over the seeds; None where one is not defined."""
    told = {name: [row[name] for row in rows] for name in KEYS}
    return {
        name: None if any(value is None for value in values) else float(sum(values) / len(values))  # type: ignore[arg-type]
        for name, values in told.items()
    }


def main() -> None:
    """Measure, and write the table and the figures."""
    torch.set_num_threads(1)
    rows = measure(needed("insurance_fraud", "vehicle_insurance_fraud.csv.gz")[0])
    lines = ["| way | " + " | ".join(KEYS) + " |", "|" + "---|" * (len(KEYS) + 1)]
    for row in rows:
        values = ["-" if row[name] is None else f"{row[name]:.3f}" for name in KEYS]
        lines.append(f"| {row['way']} | " + " | ".join(values) + " |")
    write("imbalance", {**machine("torch"), "rows": rows}, lines, "Fits by the public call `fit_ways`.", FITS)


if __name__ == "__main__":
    main()
