"""The training loop beside a plain loop of torch: the same network, batches, optimizer, epochs and validation pass.

The plain loop is what a tutorial writes: shuffled positions, whole batches by index, AdamW as torch gives it, a cosine
of the learning rate, the loss kept without leaving the device, a pass over the validation rows after each epoch. It
keeps no best state and holds no gradient; evenhand does both. Three ratios to it: the loop alone, `fit` with the
preparing of the columns, fingerprints, threshold and decisions, and the plain loop with the gradient held by
`clip_grad_norm_`. What `fit` does around its loop is done once however many epochs there are, so its time is given
too, and beside it that of the boosted trees which a fit of a table compares itself with, if not told otherwise. Runs
alternate, each on a set of rows whose fingerprints are not known yet; the middle of five counts.
Writes benchmarks/results/fitting.json and its table in docs/benchmarks.md.
"""

from __future__ import annotations

import copy
import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from measuring import machine, middle, write
from torch import nn

import evenhand as eh
from evenhand.training import ImagePlan, TrainingConfig, fit
from evenhand.training.fitting import dataset_of
from evenhand.training.loop import run
from evenhand.training.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS, EPOCHS, CHECKED = 5, 10, 4096
SIZES = {"table": (4_000, 1_000), "images": (640, 160)}
"""Rows to learn from and to choose by."""


def table(n: int, seed: int) -> eh.EvaluationSet:
    """Return rows of 30 numbers and two categories of five levels."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 30)), columns=[f"x{at}" for at in range(30)])
    X["town"], X["trade"] = rng.choice(list("abcde"), n), rng.choice(list("vwxyz"), n)
    X["y"] = (X["x0"] + X["x1"] * X["x2"] + rng.normal(size=n) > 0).astype(int)
    return eh.read_evaluation_set(X, label="y", positive=1, sensitive_features=(), name="made rows")


def images(n: int, seed: int) -> eh.EvaluationSet:
    """Return images of 28 x 28 with a bright corner, or another."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    pixels = rng.integers(0, 120, (n, 1, 28, 28))
    pixels[kind == 1, :, :9, :9] += 100
    rows = pd.DataFrame({"y": kind})
    return eh.read_evaluation_set(rows, label="y", positive=1, inputs=pixels.astype(np.uint8), name="made images")


def plain(
    network: nn.Module, train: Any, check: Any, batch: int, rate: float, decay: float, clip: float | None
) -> None:
    """Train a copy of a network as a tutorial does."""
    network = copy.deepcopy(network)
    torch.manual_seed(0)
    x, y = torch.from_numpy(train.columns), torch.from_numpy(train.target)
    held, truth = torch.from_numpy(check.columns), torch.from_numpy(check.target)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    course = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    loss_of = nn.BCEWithLogitsLoss()
    for _ in range(EPOCHS):
        network.train()
        order, total = torch.randperm(len(x)), torch.zeros(())
        for at in range(0, len(x), batch):
            rows = order[at : at + batch]
            loss = loss_of(network(x[rows]).reshape(-1), y[rows])
            optimizer.zero_grad()
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            total += loss.detach() * len(rows)
        course.step()
        network.eval()
        with torch.no_grad():
            parts = [
                loss_of(network(held[at : at + CHECKED]).reshape(-1), truth[at : at + CHECKED])
                for at in range(0, len(held), CHECKED)
            ]
        float(total), [float(part) for part in parts]


def case(kind: str, batch: int) -> dict[str, object]:
    """Return CPU seconds of each way."""
    sizes = SIZES[kind]
    train, check = ((table if kind == "table" else images)(n, seed) for seed, n in enumerate(sizes))
    plan = None if kind == "table" else ImagePlan("cnn", (1, 28, 28), 1, (32,), channels=(8, 16))
    config = TrainingConfig(
        epochs=EPOCHS, batch_size=batch, patience=EPOCHS, pieces=0, read_codes=False, baseline=False
    )
    made = fit(train, check, dataclasses.replace(config, epochs=1), plan=plan)
    torch.manual_seed(0)
    network = made.plan.build()
    rows, checked = (dataset_of(made.preprocessing, part, config) for part in (train, check))
    shared = {field.name for field in dataclasses.fields(Schedule)} & {f.name for f in dataclasses.fields(config)}
    schedule = Schedule(**{name: getattr(config, name) for name in shared})
    told = (batch, config.learning_rate, config.weight_decay)
    ways: dict[str, Callable[[], object]] = {
        "plain": lambda: plain(network, rows, checked, *told, None),
        "plain, held": lambda: plain(network, rows, checked, *told, config.clip),
        "loop": lambda: run(network, rows, checked, schedule),
        "fit": lambda: fit(*new, config, plan=plan),
    }
    if kind == "table":
        ways["fit, trees"] = lambda: fit(*new, dataclasses.replace(config, baseline=True), plan=plan)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, call in ways.items():
            new = [part.take(np.arange(len(part))) for part in (train, check)]
            began = time.process_time()
            call()
            taken[name].append(time.process_time() - began)
    steps = EPOCHS * -(-sizes[0] // batch)
    return {"kind": kind, "batch": batch, "rows": sizes[0], "steps": steps, "seconds": taken}


def main() -> None:
    """Measure all cases and write the table."""
    torch.set_num_threads(1)
    cases = [case(kind, batch) for kind in SIZES for batch in (64, 256)]
    lines = [
        "| network | batch | plain loop | with clipping | evenhand's loop | `fit` | around its loop | boosted trees |",
        "|---|---|---|---|---|---|---|---|",
    ]
    named = {"table": "perceptron 64-32, 40 columns", "images": "convolutions 8-16, 28 x 28"}
    for found in cases:
        seconds: Any = found["seconds"]
        base = middle(seconds["plain"])
        ratios = [middle(seconds[way]) / base for way in ("plain, held", "loop", "fit")]
        each = f"{1e6 * base / int(str(found['steps'])):,.0f} us a step"
        around, trees = (
            f"{middle(seconds[more]) - middle(seconds[less]):.2f} s" if more in seconds else "none"
            for more, less in (("fit", "loop"), ("fit, trees", "fit"))
        )
        cells = [f"{named[str(found['kind'])]}, {found['rows']:,} rows", found["batch"], each]
        cells += [*(f"{ratio:.2f} x" for ratio in ratios), around, trees]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    figures = {"cases": cases, "epochs": EPOCHS, "repeats": REPEATS, **machine("torch")}
    write("fitting", figures, lines, "Times the loop `training.loop.run` and the public call `fit`, CPU seconds.")


if __name__ == "__main__":
    main()
