"""Make what a pipeline would have at hand: rows, a model, and the smaller model that is to replace it.

Run it with: python examples/ci_gate/make_candidate.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

import evenhand as eh
from evenhand.compression import CompressedModel, Int8, compress
from evenhand.training import TrainingConfig, fit


def main(folder: Path) -> None:
    """Write train.csv, test.csv, credit.safetensors and candidate.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    data = eh.load_loanapp()
    table = data.table.assign(**{data.roles.label or "approve": data.y_true})
    table.to_csv(folder / "loans.csv", index=False)
    named = {"label": "approve", "positive": 1, "favourable": 1, "sensitive_features": ["race", "sex"]}
    rows = eh.read_evaluation_set(folder / "loans.csv", **named, exclude=["married"])
    parts = eh.split(rows, {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=0)
    for name in ("train", "test"):
        parts[name].table.to_csv(folder / f"{name}.csv", index=False)
    model = fit(parts["train"], parts["validation"], TrainingConfig(seed=0), name="credit")
    model.save(folder / "credit.safetensors")
    small = compress(model, [Int8()], train=parts["train"])
    assert isinstance(small, CompressedModel)
    small.save(folder / "candidate.onnx")
    print(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
