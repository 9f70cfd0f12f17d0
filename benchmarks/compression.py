"""What compression gains and costs on the deployable files: bytes, latency beside torch and ONNX Runtime, accuracy.

Six networks: layers of neurons, convolutions, ResNet-18 and a small transformer on MNIST, layers of neurons on the same
digits as a table of 784 named columns, and on the census income data (UCI "Adult"). All variants of a network are timed
in turns in one run, on one thread; ratios are of minima, as other work on the machine disturbs these least. Writes
benchmarks/results/compression.json and its tables in docs/benchmarks.md; with names only these networks are measured
anew: python benchmarks/compression.py [--models mlp cnn ...]
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from measuring import RESULTS, machine, needed, write

import evenhand as eh
from evenhand.compression import (
    Distillation,
    HalfPrecision,
    Int4,
    Int8,
    LowRank,
    MagnitudePruning,
    NeuronPruning,
    OnnxExport,
    QuantizationAware,
    StructuredPruning,
    agreement,
    batch_dependence,
    compress,
    measure_footprint,
)
from evenhand.training import ImagePlan, TrainingConfig, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evenhand.compression import Recipe
    from evenhand.training import NetworkModel

    Rows: TypeAlias = dict[str, eh.EvaluationSet]

OUT = RESULTS / "compression.json"
EAGER, RUNTIME = "torch, fp32", "ONNX Runtime, fp32"
ONE_CYCLE = {"schedule": "one_cycle", "optimizer": "adamw", "weight_decay": 1e-2, "batch_size": 128}
BASIC: dict[str, list[Recipe]] = {
    RUNTIME: [OnnxExport()],
    "bfloat16 file": [HalfPrecision("bfloat16")],
    "int8": [Int8()],
    "int8 weights only": [Int8(kind="weights")],
    "int4 weights only": [Int4()],
}
PRUNED = NeuronPruning(0.5, epochs=8)
CHANNELS = StructuredPruning(0.5, epochs=3)
RECIPES: dict[str, dict[str, list[Recipe]]] = {
    "mlp": {
        **BASIC,
        "int8, trained with rounding": [QuantizationAware(1), Int8()],
        "90 % of weights zero": [MagnitudePruning(0.9, epochs=4, steps=2)],
        "low rank, int8": [LowRank(0.8, epochs=5), Int8()],
        "pruned": [PRUNED],
        "pruned, int8": [PRUNED, Int8()],
    },
    "adult": {
        **BASIC,
        "pruned": [NeuronPruning(0.5, epochs=5)],
        "pruned, int8": [NeuronPruning(0.5, epochs=5), Int8()],
        "student of 32, int8": [Distillation((32,), epochs=12), Int8()],
    },
    "columns": {name: BASIC[name] for name in (RUNTIME, "int8")},
    "cnn": {**BASIC, "pruned": [CHANNELS], "pruned, int8": [CHANNELS, Int8()]},
    "resnet18": {name: BASIC[name] for name in (RUNTIME, "bfloat16 file", "int8")},
    "encoder": {
        RUNTIME: BASIC[RUNTIME],
        "int8": [Int8()],
        "int8, dynamic": [Int8(kind="dynamic")],
        "half the heads": [StructuredPruning(0.0, heads=0.5, epochs=1)],
        "half the heads, int8, dynamic": [StructuredPruning(0.0, heads=0.5, epochs=1), Int8(kind="dynamic")],
    },
}
BATCHES = {"resnet18": (1, 32), "encoder": (1, 32)}
TARGETS: dict[tuple[str, str], dict[str, float]] = {
    ("mlp", "int8"): {"size": 3.5, "1 eager": 2.5, "1 runtime": 1.5, "256 eager": 4, "256 runtime": 3, "points": 0.2},
    ("mlp", "pruned"): {"points": 0.5},
    ("mlp", "pruned, int8"): {"size": 7.5, "256 eager": 5, "256 runtime": 4},
    ("adult", "int8"): {"size": 3.0, "1 eager": 1.7, "256 eager": 2.5, "256 runtime": 2, "points": 0.2},
    ("adult", "pruned"): {"points": 0.7},
    ("adult", "pruned, int8"): {"size": 7, "256 eager": 3.5, "256 runtime": 2.5},
    ("cnn", "int8"): {"size": 3.8, "256 eager": 5, "256 runtime": 1.4, "points": 0.2},
    ("cnn", "pruned"): {"points": 0.6},
    ("cnn", "pruned, int8"): {"size": 13, "256 eager": 8, "256 runtime": 2.5},
    ("resnet18", "int8"): {"size": 3.9, "1 eager": 4.5, "1 runtime": 2.5, "points": 0.3},
    ("encoder", "int8, dynamic"): {"size": 3.8, "1 eager": 3, "1 runtime": 2, "32 eager": 2.2, "32 runtime": 2},
}
"""Least ratios of size and, by batch and baseline, of speed; most points of accuracy lost."""


def images(side: int, rows: int | None = None) -> Rows:
    """Return digits to train on, to choose by and to test on, enlarged to `side` by repetition."""
    arrays = np.load(needed("mnist", "mnist.npz")[0])
    sets: list[eh.EvaluationSet] = []
    for part, most in (("train", rows), ("test", 2_000 if rows else None)):
        pixels, label = arrays[f"x_{part}"][:most], arrays[f"y_{part}"][:most].astype(int)
        if side != 28:
            at = np.arange(side) * 28 // side
            pixels = pixels[:, at][:, :, at]
        known = {"label": "digit", "task": "multiclass", "name": part}
        sets.append(eh.read_evaluation_set({"digit": label}, inputs=pixels, **known))  # type: ignore[arg-type]
    return {**eh.split(sets[0], {"train": 0.9, "validation": 0.1}, seed=0), "test": sets[1]}


def of_images(plan: ImagePlan, rows: Rows, **settings: object) -> tuple[NetworkModel, Rows]:
    """Fit a network over images."""
    config = TrainingConfig(**{**ONE_CYCLE, **settings}, patience=99, seed=0)  # type: ignore[arg-type]
    return fit(rows["train"], rows["validation"], config, plan=plan, name=plan.kind), rows


def mlp() -> tuple[NetworkModel, Rows]:
    """235,146 parameters on MNIST."""
    rows = images(28)
    plan = ImagePlan("image_mlp", (1, 28, 28), 10, (256, 128), dropout=0.2)
    return of_images(plan, rows, epochs=10, learning_rate=3e-3)


def cnn() -> tuple[NetworkModel, Rows]:
    """421,834 parameters on 12,000 digits; 2,000 test rows."""
    rows = images(28, 12_000)
    plan = ImagePlan("cnn", (1, 28, 28), 10, (128,), channels=(32, 64), dropout=0.2)
    return of_images(plan, rows, epochs=4, learning_rate=5e-3)


def resnet18() -> tuple[NetworkModel, Rows]:
    """11.2 million parameters on 3,000 digits of 64 x 64; 2,000 test rows."""
    rows = images(64, 3_000)
    plan = ImagePlan("resnet18", (1, 64, 64), 10, ())
    return of_images(plan, rows, epochs=3, learning_rate=2e-3, batch_size=64, precision="bfloat16")


def encoder() -> tuple[NetworkModel, Rows]:
    """3.2 million parameters on 4,000 digits; 2,000 test rows."""
    rows = images(28, 4_000)
    plan = ImagePlan("encoder", (1, 28, 28), 10, (256,) * 4, heads=4)
    return of_images(plan, rows, epochs=6, learning_rate=1e-3, precision="bfloat16")


def adult(epochs: int = 12) -> tuple[NetworkModel, Rows]:
    """100,865 parameters on the census income data."""
    train_file, test_file = needed("adult", "adult_train.csv.gz", "adult_test.csv.gz")
    train = eh.read_evaluation_set(
        train_file, label="income", positive=">50K", sensitive_features=["sex", "race"], exclude=["fnlwgt"]
    )
    rows = {
        **eh.split(train, {"train": 0.8, "validation": 0.2}, seed=0),
        "test": eh.read_evaluation_set(test_file, like=train),
    }
    config = TrainingConfig(hidden=(256, 128), epochs=epochs, batch_size=256, seed=0)
    return fit(rows["train"], rows["validation"], config=config, name="adult"), rows


def columns() -> tuple[NetworkModel, Rows]:
    """12,000 digits as a table whose 784 columns have names; 2,000 test rows."""
    arrays = np.load(needed("mnist", "mnist.npz")[0])
    sets = []
    for part, most in (("train", 12_000), ("test", 2_000)):
        pixels = arrays[f"x_{part}"][:most].reshape(most, -1).astype(np.float32)
        table = pd.DataFrame(pixels, columns=[f"pixel_{at // 28}_{at % 28}" for at in range(784)])
        table["digit"] = arrays[f"y_{part}"][:most].astype(int)
        sets.append(eh.read_evaluation_set(table, label="digit", task="multiclass", name=part))
    rows = {**eh.split(sets[0], {"train": 0.9, "validation": 0.1}, seed=0), "test": sets[1]}
    config = TrainingConfig(hidden=(256, 128), epochs=5, batch_size=128, seed=0)
    return fit(rows["train"], rows["validation"], config=config, name="columns"), rows


MODELS: dict[str, Callable[..., tuple[NetworkModel, Rows]]] = {
    "mlp": mlp, "columns": columns, "adult": adult, "cnn": cnn, "resnet18": resnet18, "encoder": encoder,
}  # fmt: skip
TITLES = {
    "mlp": "Layers of neurons on MNIST, 235,146 parameters",
    "columns": "Layers of as many neurons on 12,000 digits as a table of 784 named columns",
    "adult": "Layers of neurons on the census income data, 100,865 parameters",
    "cnn": "Convolutions on 12,000 digits, 421,834 parameters",
    "resnet18": "ResNet-18 on 3,000 digits of 64 x 64, 11.2 million parameters",
    "encoder": "A transformer of four layers on 4,000 digits, 3.2 million parameters",
}


def worst_flips(model: Any, original: NetworkModel, test: eh.EvaluationSet) -> list[object] | None:
    """Return the group in which most decisions may have changed, the rate and the interval's upper end."""
    if not test.roles.sensitive_features:
        return None
    record = eh.audit(model, test, original=original, audits=["compression"], footprint=False, intersections=1)
    flips = [f for f in record.findings if f.key.metric == "flip_rate" and f.key.group and f.interval]
    worst = max(flips, key=lambda f: f.interval.high)
    return [worst.name, worst.estimate, worst.interval.high]


def measure(name: str) -> dict[str, object]:
    """Train one network, compress it in every way, and measure all in one run."""
    began = time.process_time()
    original, rows_by_part = MODELS[name]()
    test = rows_by_part["test"]
    models: dict[str, Any] = {EAGER: original}
    made: dict[tuple[Recipe, ...], Any] = {(): original}
    for variant, recipes in RECIPES[name].items():
        # what begins as another variant goes on from it: the same seed would make the same again
        known = max((steps for steps in made if tuple(recipes[: len(steps)]) == steps), key=len)
        models[variant] = compress(
            made[known], recipes[len(known) :], train=rows_by_part["train"], validation=rows_by_part["validation"]
        )
        made[tuple(recipes)] = models[variant]
        print(f"  {name}: {variant}, {time.process_time() - began:.0f} s", flush=True)
    batches = BATCHES.get(name, (1, 256))
    prints = measure_footprint(
        models, test.inputs.take(slice(512)), batches=batches, repeats=200, seconds=8.0, memory=True
    )
    rows = []
    for variant, model in models.items():
        scores = model.predict(test.inputs.whole())
        said = scores >= model.threshold if scores.ndim == 1 else scores.argmax(axis=1)
        rows.append(
            {
                "variant": variant,
                "accuracy": float((said == test.y_true).mean()),
                "agreement": agreement(original, model, test.inputs.whole()).share,
                "twin_agreement": None if getattr(model, "twin", None) is None else model.twin.agreement.share,
                "batch_dependence": batch_dependence(model, test.inputs).largest_difference,
                "worst_flip_rate": worst_flips(model, original, test),
                **asdict(prints[variant]),
            }
        )
    return {"model": name, "test_rows": len(test), "variants": rows, "cpu_seconds": round(time.process_time() - began)}


def ratios(found: dict[str, Any], row: dict[str, Any]) -> dict[str, float]:
    """Return how many times smaller and faster a variant is than each baseline, and the points of accuracy it lost."""
    by_name = {variant["variant"]: variant for variant in found["variants"]}
    told = {
        "size": by_name[EAGER]["file_bytes"] / row["file_bytes"],
        "points": 100 * (by_name[EAGER]["accuracy"] - row["accuracy"]),
    }
    for of, before in (("latency", ""), ("end_to_end", "predict ")):
        for batch, taken in row[of].items():
            for base, name in ((EAGER, "eager"), (RUNTIME, "runtime")):
                told[f"{before}{batch} {name}"] = by_name[base][of][batch]["minimum"] / taken["minimum"]
    return told


def table(found: dict[str, Any]) -> list[str]:
    """Return the table of one network, and which targets were not met."""
    small, large = (str(batch) for batch in BATCHES.get(found["model"], (1, 256)))
    lines = [f"**{TITLES[found['model']]}**; {found['test_rows']:,} test rows.", ""]
    lines.append(
        f"| variant | size | network, {small} row | {large} rows | `predict`, {small} row | memory | accuracy |"
    )
    lines.append("|---|---|---|---|---|---|---|")
    missed = []
    for row in found["variants"]:
        told = ratios(found, row)
        speed = [
            f"{told[f'{b} eager']:.1f} x / {told[f'{b} runtime']:.1f} x" for b in (small, large, f"predict {small}")
        ]
        memory = f"{row['peak_bytes'] / 1e6:.0f} MB" if row["peak_bytes"] else "-"
        lines.append(
            f"| {row['variant']} | {told['size']:.1f} x | {' | '.join(speed)} | {memory} | {row['accuracy']:.2%} |"
        )
        for key, wanted in TARGETS.get((found["model"], row["variant"]), {}).items():
            met = told[key] <= wanted if key == "points" else told[key] >= wanted
            if not met:
                missed.append(f"{row['variant']}, {key}: {told[key]:.2f}, wanted {wanted:g}")
    return [*lines, "", *([f"Not reached: {'; '.join(missed)}.", ""] if missed else [])]


def main(given: Sequence[str] | None = None) -> None:
    """Measure all, or what is asked for, and write it down."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    asked.add_argument("--show", action="store_true", help="write the tables of what was measured before")
    chosen = asked.parse_args(given)
    torch.set_num_threads(1)
    held = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {"models": []}
    if not chosen.show:
        held |= machine("torch", "onnxruntime", "torch-pruning")
        fresh = {name: measure(name) for name in chosen.models}
        by_name = {found["model"]: found for found in held["models"]} | fresh
        held["models"] = [by_name[name] for name in MODELS if name in by_name]
    lines = [line for found in held["models"] for line in table(found)]
    write("compression", held, lines[:-1], "Times the network alone, and the public call `predict`.")


if __name__ == "__main__":
    main()
