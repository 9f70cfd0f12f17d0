"""Cat or not: ten neurons, squared error, 1,000 gray images of 28 x 28; rounded to int8, audited with maps, and judged.

Run it with: python examples/images.py [folder] [cifar10]

`cifar10` is a folder with cifar10_train.parquet and cifar10_test.parquet, columns image (a file's bytes) and label.
Without it the question is whether one of scikit-learn's digits is a three.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import evenhand as eh
from evenhand.compression import Int8, compress
from evenhand.training import TrainingConfig, fit

ROWS, SIDE = 1_000, 28
POLICY = """
[limits]
accuracy = { at_least = 0.55 }
"accuracy_difference[light]" = { at_most = 0.15 }
"accuracy_change[light=*;of=original]" = { at_least = -0.05 }
"deletion_insertion_gap[;of=values]" = { at_least = 0.0 }
"""


def cats(folder: Path, part: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return gray images of 28 x 28 and whether each is a cat, as often as not."""
    from PIL import Image

    table = pd.read_parquet(folder / f"cifar10_{part}.parquet")
    is_cat = (table["label"] == "cat").to_numpy()
    chance = np.random.default_rng(0)
    half = min(rows // 2, int(is_cat.sum()))
    chosen = np.concatenate([chance.permutation(np.flatnonzero(is_cat == cat))[:half] for cat in (True, False)])
    files = (Image.open(io.BytesIO(table["image"][at])).convert("L").resize((SIDE, SIDE)) for at in chosen)
    return np.stack([np.asarray(file) for file in files]), is_cat[chosen]


def threes(part: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return digits of 8 x 8 and whether each is a three."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    where = slice(0, rows) if part == "train" else slice(rows, None)
    return digits.images[where], digits.target[where] == 3


def data_of(images: np.ndarray, answer: np.ndarray, middle: float, name: str) -> eh.EvaluationSet:
    """Return the images beside a table: what is asked, and whether an image is dark or bright."""
    light = np.where(images.mean(axis=(1, 2)) < middle, "dark", "bright")
    table = pd.DataFrame({"is_it": answer.astype(int), "light": light})
    return eh.read_evaluation_set(table, label="is_it", sensitive_features="light", inputs=images, name=name)


def main(folder: Path, cifar: Path | None) -> None:
    """Train, compress, audit, judge and write the page."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {part: threes(part, ROWS) if cifar is None else cats(cifar, part, ROWS) for part in ("train", "test")}
    middle = float(np.median(parts["train"][0].mean(axis=(1, 2))))
    train, test = (data_of(*parts[part], middle, part) for part in ("train", "test"))

    model = fit(train, config=TrainingConfig(hidden=(10,), loss="mse", dropout=0.0, epochs=40, shift=1), name="cat")
    small = compress(model, Int8(), train=train)
    small.save(folder / "cat.onnx")
    record = eh.audit(small, test, original=model, background=train)
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)

    for key in ("accuracy", "accuracy[light=dark]", "accuracy[light=bright]", "size_ratio[;of=original]"):
        print(f"{key}: {record[key].estimate:.3f}")
    for order in ("values", "random"):
        gap = record[f"deletion_insertion_gap[;of={order}]"]
        print(
            f"score that follows the map, {order}: {gap.estimate:.2f} [{gap.interval.low:.2f}, {gap.interval.high:.2f}]"
        )
    print(verdict.sentence)
    print(f"The page: {folder / 'report.html'}")


if __name__ == "__main__":
    given = [Path(word) for word in sys.argv[1:3]]
    main(given[0] if given else Path("evenhand-example"), given[1] if len(given) > 1 else None)
