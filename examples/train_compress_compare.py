"""Train a model, make it smaller in two ways, and ask for each what it gained and who pays for it.

Run it with: python examples/train_compress_compare.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

import evenhand as eh
from evenhand.compression import HalfPrecision, Int8, NeuronPruning, compress
from evenhand.training import TrainingConfig, fit

RECIPES = {
    "half the neurons, int8": [NeuronPruning(0.5), Int8()],
    "bfloat16": [HalfPrecision("bfloat16")],
}


def main(folder: Path) -> None:
    """Write one page for each way of making the model smaller."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = eh.split(eh.load_loanapp(), {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=0)
    full = fit(parts["train"], parts["validation"], TrainingConfig(seed=0), name="credit")
    full.save(folder / "credit.safetensors")

    for number, (words, recipes) in enumerate(RECIPES.items(), 1):
        # Fine-tuning and calibration see training rows only; the threshold stays that of the original.
        small = compress(full, recipes, train=parts["train"], seed=0)
        record = eh.audit(small, parts["test"], original=full, background=parts["train"], explain=False)
        print(f"{words}: {record['size_ratio[;of=original]'].note}")
        for group in ("black", "hispanic", "white"):
            flips = record[f"flip_rate[race={group};of=original]"]
            share, most = flips.estimate, flips.interval.high
            print(f"  {group:9} {share:.1%} of {flips.support} decisions changed, at most {most:.1%}")
        page = folder / f"compressed-{number}.html"
        eh.write_report(page, record)
        print(f"  The page: {page}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
