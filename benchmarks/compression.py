"""What compression gains and costs on the deployable files: bytes, latency beside torch and ONNX Runtime, accuracy.

Give it a training and a test table of the census income data (UCI "Adult"), with the label ``income``:
python benchmarks/compression.py adult_train.csv.gz adult_test.csv.gz. Without them the demo's mortgage data are used.
Writes benchmarks/results/compression.json and prints the table of docs/benchmarks.md.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch

import evenhand as eh
from evenhand.compression import HalfPrecision, Int8, NeuronPruning, OnnxExport, compress, measure_footprint
from evenhand.training import TrainingConfig, fit

OUT = Path(__file__).parent / "results" / "compression.json"
RECIPES = {
    "ONNX Runtime, fp32": [OnnxExport()],
    "bfloat16 file": [HalfPrecision("bfloat16")],
    "int8": [Int8()],
    "half the neurons": [NeuronPruning(0.5, epochs=5)],
    "half the neurons, int8": [NeuronPruning(0.5, epochs=5), Int8()],
}


def tables() -> tuple[eh.EvaluationSet, eh.EvaluationSet, list[str]]:
    """Return training and test rows and the columns of groups."""
    if len(sys.argv) < 3:
        parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3}, seed=0)
        return parts["train"], parts["test"], ["race", "sex"]
    train = eh.read_evaluation_set(
        sys.argv[1], label="income", positive=">50K", sensitive_features=["sex", "race"], exclude=["fnlwgt"]
    )
    return train, eh.read_evaluation_set(sys.argv[2], like=train), ["sex", "race"]


def main() -> None:
    """Train, compress in every way, measure all in one run, print, write."""
    torch.set_num_threads(1)
    train, test, columns = tables()
    full = fit(train, config=TrainingConfig(hidden=(256, 128), epochs=12, batch_size=256, seed=0), name="full")
    models = {"torch, fp32": full} | {
        name: compress(full, recipes, train=train, seed=0) for name, recipes in RECIPES.items()
    }
    prints = measure_footprint(models, test.X, batches=(1, 256), repeats=80, seconds=4.0)
    base = prints["torch, fp32"]
    rows = []
    for name, model in models.items():
        record = eh.audit(
            model, test, original=full, audits=["performance", "compression"], footprint=False, intersections=1
        )
        flips = [f for f in record.findings if f.key.metric == "flip_rate" and f.key.group and f.interval]
        worst = max(flips, key=lambda f: f.interval.high)
        found = prints[name]
        rows.append(
            {
                "model": name,
                "bytes": found.file_bytes,
                "parameters": found.parameters,
                "latency": {str(size): taken.median for size, taken in found.latency.items()},
                "accuracy": record["accuracy"].estimate,
                "worst_flip_rate": [worst.name, worst.estimate, worst.interval.high],
            }
        )
    head = "| model | size | batch 1 | batch 256 | accuracy | most decisions that may have changed in a group |"
    print(f"{head}\n|---|---|---|---|---|---|")
    for row in rows:
        size = (base.file_bytes or 0) / (row["bytes"] or 1)  # type: ignore[operator]
        fast = {size: base.latency[size].median / row["latency"][str(size)] for size in base.latency}  # type: ignore[index]
        key, share, high = row["worst_flip_rate"]  # type: ignore[misc]
        group = key[key.index("[") + 1 : key.index(";")]
        print(
            f"| {row['model']} | {size:.1f} x | {fast[1]:.1f} x | {fast[256]:.1f} x | {row['accuracy']:.4f} "
            f"| {group}: {share:.1%}, at most {high:.1%} |"
        )
    print(f"\nThe original: {base.parameters:,} parameters, {base.file_bytes:,} bytes; {columns} are the groups.")
    versions = {name: version(name) for name in ("evenhand", "torch", "onnxruntime")}
    OUT.write_text(json.dumps({"versions": versions, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
