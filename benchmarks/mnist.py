"""What three recipes reach on MNIST, over seeds: the classic one, a better one in as many epochs, a small convolution.

Needs mnist/mnist.npz below EVENHAND_DATA, the usual file of arrays (x_train, y_train, x_test, y_test):
python benchmarks/mnist.py [--recipes classic better cnn] [--seeds 5]
Recipes were fixed beforehand; nothing is chosen by test rows. The state that is kept is that of the last epoch or, by
early stopping's rule, the one with the least loss on the 6,000 validation rows. Each fit is added to
benchmarks/results/mnist.json as soon as it is done, and one that is in it is not made again; the table goes to
docs/fits.md.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from measuring import FITS, RESULTS, machine, needed, write

import evenhand as eh
from evenhand.training import ImagePlan, TrainingConfig, fit

if TYPE_CHECKING:
    from pathlib import Path

OUT = RESULTS / "mnist.json"
SHAPE = (1, 28, 28)
BETTER = {
    "epochs": 15, "batch_size": 128, "patience": 15, "schedule": "one_cycle", "learning_rate": 3e-3,
    "weight_decay": 1e-2, "optimizer": "adamw", "shift": 2,
}  # fmt: skip
RECIPES = {
    "classic": (
        ImagePlan("image_mlp", SHAPE, 10, (128,)),
        {"epochs": 15, "batch_size": 128, "patience": 15, "schedule": "constant", "learning_rate": 1e-3,
         "weight_decay": 0.0, "optimizer": "adam"},
    ),
    "better": (ImagePlan("image_mlp", SHAPE, 10, (256, 128), dropout=0.2), BETTER),
    "cnn": (
        ImagePlan("cnn", SHAPE, 10, (64,), channels=(12, 24), kernel=5, dropout=0.2),
        {**BETTER, "learning_rate": 1e-2},
    ),
}  # fmt: skip

WORDS = {
    "classic": "784-128-10 as ever",
    "better": "784-256-128-10, dropout 0.2, AdamW, one cycle, shifts by 2 pixels",
    "cnn": "two 5 x 5 convolutions of 12 and 24 channels, 64 neurons, the same otherwise",
}


def sets(path: Path) -> tuple[eh.EvaluationSet, eh.EvaluationSet]:
    """Return training and test images with their digits."""
    arrays = np.load(path)
    train, test = (
        eh.read_evaluation_set(
            {"digit": arrays[f"y_{part}"].astype(int)},
            inputs=arrays[f"x_{part}"], label="digit", task="multiclass", name=part,
        )
        for part in ("train", "test")
    )  # fmt: skip
    return train, test


def measure(recipe: str, seed: int, train: eh.EvaluationSet, test: eh.EvaluationSet) -> dict[str, object]:
    """Fit one recipe with one seed and return what it reached."""
    plan, settings = RECIPES[recipe]
    order = np.random.default_rng(seed).permutation(len(train))
    fitted, held = train.take(np.sort(order[6000:])), train.take(np.sort(order[:6000]))
    began = time.process_time()
    model = fit(fitted, held, TrainingConfig(**settings, seed=seed), plan=plan, name=recipe)
    said = model.predict(test.inputs.whole()).argmax(axis=1)
    return {
        "recipe": recipe, "seed": seed, "parameters": model.facts["parameters"],
        "accuracy": float((said == test.y_true).mean()), "best_epoch": model.history["best_epoch"],
        "epochs": model.history["epochs"], "cpu_seconds": round(time.process_time() - began, 1),
    }  # fmt: skip


def main() -> None:
    """Fit what is not there yet, and write the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    asked.add_argument("--seeds", type=int, default=5)
    given = asked.parse_args()
    torch.set_num_threads(1)
    train, test = sets(needed("mnist", "mnist.npz")[0])
    for seed in range(given.seeds):
        for recipe in given.recipes:
            held = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {"fits": []}
            if any((fit["recipe"], fit["seed"]) == (recipe, seed) for fit in held["fits"]):
                continue
            found = measure(recipe, seed, train, test)
            print(found, flush=True)
            held |= machine("torch")
            held["fits"].append(found)
            OUT.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    held = json.loads(OUT.read_text("utf-8"))
    lines = ["| recipe | parameters | test accuracy by seed | mean | least |", "|---|---|---|---|---|"]
    for recipe in given.recipes:
        rows = sorted((fit for fit in held["fits"] if fit["recipe"] == recipe), key=lambda row: row["seed"])
        values = [row["accuracy"] for row in rows]
        each = " ".join(f"{value:.2%}" for value in values)
        spread = f"{np.mean(values):.2%} | {min(values):.2%}"
        lines.append(f"| {WORDS[recipe]} | {rows[0]['parameters']:,} | {each} | {spread} |")
    write("mnist", {"machine": "processor not told", **held}, lines, "Fits by the public call `fit`.", FITS)


if __name__ == "__main__":
    main()
