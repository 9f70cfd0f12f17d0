"""A network that knows its training rows by heart: how that is seen, and what mends it.

Run it with: python examples/overfitting.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import evenhand as eh
from evenhand.training import TrainingConfig, fit, tune

FEW = 300
WIDE = TrainingConfig(hidden=(256, 256), dropout=0.0, weight_decay=0.0, epochs=60, patience=60, learning_rate=3e-3)
REMEDIES = {
    "300 rows, a wide network": (FEW, WIDE),
    "all rows": (None, WIDE),
    "noise": (FEW, replace(WIDE, noise=0.5)),
    "mixup": (FEW, replace(WIDE, mixup=0.4)),
    "dropout, weight decay": (FEW, replace(WIDE, dropout=0.5, weight_decay=0.3)),
    "a small network": (FEW, replace(WIDE, hidden=(8,))),
}


def last_state(rows: eh.EvaluationSet, config: TrainingConfig) -> eh.Subject:
    """Fit without early stopping: the training rows themselves say which epoch is kept."""
    return fit(rows, rows, replace(config, threshold=0.5))


def main() -> None:
    """Print, for each remedy, accuracy on known and on new rows, whether they differ for sure, and who gains."""
    parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3}, seed=0)
    chosen = np.sort(np.random.default_rng(0).permutation(len(parts["train"]))[:FEW])
    few = parts["train"].take(chosen, "300 applications")
    models = {words: last_state(few if rows else parts["train"], config) for words, (rows, config) in REMEDIES.items()}
    models["early stopping"] = fit(few, config=replace(WIDE, patience=8, threshold=0.5))
    space = {"hidden": ((8,), (32,), (256, 256)), "dropout": (0.0, 0.5), "weight_decay": (1e-3, 1.0)}
    found = tune(few, trials=8, config=replace(WIDE, epochs=25, patience=5), space=space, folds=3)
    models["settings by cross-validation"] = fit(few, config=replace(found.config, threshold=0.5))

    print(f"{'':30} {'known rows':>10}  {'new rows':>22}  {'gap':>22}   new rows by race")
    for words, model in models.items():
        record = eh.audit(model, parts["test"], explain=False, footprint=False)
        known, new = record["accuracy[;of=train]"], record["accuracy"]
        gap = record["generalization_gap[;rate=accuracy]"]
        groups = "  ".join(
            f"{race} {record[f'accuracy[race={race}]'].estimate:.2f}" for race in ("black", "hispanic", "white")
        )
        print(f"{words:30} {known.estimate:10.3f}  {said(new):>22}  {said(gap):>22}   {groups}")
        if gap.note:
            print(f"{'':30} {gap.note}")


def said(finding: eh.Finding) -> str:
    """Return an estimate with its interval."""
    return f"{finding.estimate:.3f} [{finding.interval.low:.3f}, {finding.interval.high:.3f}]"


if __name__ == "__main__":
    main()
