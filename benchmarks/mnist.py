"""What three recipes reach on MNIST, over seeds: the classic one, a better one in as many epochs, a small convolution.

Give it the usual file of arrays (x_train, y_train, x_test, y_test) and, if you like, recipes by name and seeds:
python benchmarks/mnist.py mnist.npz [--recipes classic better cnn] [--seeds 5]
Recipes were fixed beforehand; nothing is chosen by test rows. The state that is kept is that of the last epoch or, by
early stopping's rule, the one with the least loss on the 6,000 validation rows. Each fit is added to
benchmarks/results/mnist.json as soon as it is done, and one that stands there is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

import evenhand as eh
from evenhand.training import ImagePlan, TrainingConfig, fit

OUT = Path(__file__).parent / "results" / "mnist.json"
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
    """Fit what is not there yet, and print the table of docs/benchmarks.md."""
    asked = argparse.ArgumentParser()
    asked.add_argument("path", type=Path)
    asked.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    asked.add_argument("--seeds", type=int, default=5)
    given = asked.parse_args()
    torch.set_num_threads(1)
    train, test = sets(given.path)
    for seed in range(given.seeds):
        for recipe in given.recipes:
            held = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {"fits": []}
            if any((fit["recipe"], fit["seed"]) == (recipe, seed) for fit in held["fits"]):
                continue
            found = measure(recipe, seed, train, test)
            print(found, flush=True)
            held["versions"] = {name: version(name) for name in ("evenhand", "torch", "skorch")}
            held["fits"].append(found)
            OUT.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    print("| recipe | parameters | test accuracy by seed | mean | least |\n|---|---|---|---|---|")
    for recipe in given.recipes:
        rows = [fit for fit in json.loads(OUT.read_text("utf-8"))["fits"] if fit["recipe"] == recipe]
        values = [row["accuracy"] for row in sorted(rows, key=lambda row: row["seed"])]
        each = " ".join(f"{value:.2%}" for value in values)
        print(f"| {recipe} | {rows[0]['parameters']:,} | {each} | {np.mean(values):.2%} | {min(values):.2%} |")


if __name__ == "__main__":
    main()
