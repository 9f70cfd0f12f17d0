"""Memory of an audit of more images and texts than are held at once, beside a model, each in a process of its own.

Twenty thousand images of 64 x 64 x 3 (a memory-mapped array, and image files where Pillow is there) and two hundred
thousand texts are made in a temporary folder and audited. What counts is the most memory of the process, less what it
held when packages and model were loaded. Writes benchmarks/results/inputs.json. Run it with:
python benchmarks/inputs.py [--images 20000] [--texts 200000]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

OUT = Path(__file__).parent / "results" / "inputs.json"
SIDE = 64
KINDS = ("array file", "image files", "text column", "text file")
MEASURE = """
import resource, sys, time
from pathlib import Path
import joblib, numpy as np, pandas as pd
import evenhand as eh

def most():  # of this program: ru_maxrss would be that of the process that started it, where that is larger
    words = Path("/proc/self/status").read_text().split()
    return int(words[words.index("VmHWM:") + 1]) / 1024

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

def read(rows=None):
    source = pd.read_csv(folder / "table.csv", nrows=rows, usecols=columns)
    known = dict(label="y", sensitive_features="sex")
    if kind == "array file":
        images = np.load(folder / "images.npy", mmap_mode="r")
        return eh.read_evaluation_set(source, inputs=images if rows is None else images[:rows], **known)
    if kind == "image files":
        return eh.read_evaluation_set(source, images="file", inputs=folder, **known)
    if kind == "text column":
        return eh.read_evaluation_set(source, texts="text", **known)
    lines = (folder / "texts.txt").open().read(1 << 20).splitlines()[:rows]
    return eh.read_evaluation_set(source, inputs=folder / "texts.txt" if rows is None else lines, **known)

kind, folder = sys.argv[1], Path(sys.argv[2])
columns = ["y", "sex", *{"image files": ["file"], "text column": ["text"]}.get(kind, [])]
model = joblib.load(folder / "model.joblib")
eh.audit(model, read(200))  # loads the packages that an audit needs
before, start = held(), time.perf_counter()
record = eh.audit(model, read())
print(most() - before, before, time.perf_counter() - start, record.provenance["data"]["rows"])
"""


def make(folder: Path, kind: str, rows: int) -> None:
    """Write a table, and the images or texts of its rows, a few thousand at a time."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"y": rng.integers(0, 2, rows), "sex": rng.choice(["f", "m"], rows)})
    words = np.array([f"word{at}" for at in range(5_000)])
    if "image" in kind or "array" in kind:
        shape = (rows, SIDE, SIDE, 3)
        held = np.lib.format.open_memmap(folder / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
        for at in range(0, rows, 1_000):
            part = rng.integers(0, 200, (min(1_000, rows - at), *shape[1:]), dtype=np.uint8)
            held[at : at + 1_000] = part + 40 * table["y"].to_numpy(dtype=np.uint8)[at : at + 1_000, None, None, None]
        if kind == "image files":
            from PIL import Image

            table["file"] = [f"{at}.bmp" for at in range(rows)]
            for name, pixels in zip(table["file"], held, strict=True):
                Image.fromarray(np.asarray(pixels)).save(folder / name)
    else:
        texts = [" ".join(rng.choice(words, 20)) + (" good" if y else " bad") for y in table["y"]]
        (folder / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
        table = table.assign(text=texts) if kind == "text column" else table
    table.to_csv(folder / "table.csv", index=False)
    first, images = table["y"][:500], "image" in kind or "array" in kind
    few = held[:500].reshape(500, -1) if images else texts[:500]
    of_texts = [TfidfVectorizer(), LogisticRegression()]
    steps = [SGDClassifier(loss="log_loss", max_iter=5, tol=None, random_state=0)] if images else of_texts
    joblib.dump(make_pipeline(*steps).fit(few, first), folder / "model.joblib")


def measured(kind: str, rows: int) -> dict[str, object]:
    """Return by how many MB an audit grows its process, what it began with, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--make", kind, folder, "--rows", str(rows)], check=True)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, kind, folder], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    growth, before, seconds, seen = (float(part) for part in done.stdout.split()[-4:])
    assert seen == rows
    return {
        "inputs": kind, "rows": rows, "needed_mb": round(growth, 1), "before_mb": round(before, 1),
        "seconds": round(seconds, 1),
    }  # fmt: skip


def main() -> None:
    """Measure each kind in turn, and print the table of docs/benchmarks.md."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--images", type=int, default=20_000)
    asked.add_argument("--texts", type=int, default=200_000)
    asked.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    asked.add_argument("--rows", type=int, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.make:
        make(Path(given.make[1]), given.make[0], given.rows)
        return
    known = [kind for kind in KINDS if kind != "image files" or importlib.util.find_spec("PIL")]
    found = [measured(kind, given.texts if "text" in kind else given.images) for kind in known]
    held = {"versions": {name: version(name) for name in ("evenhand", "numpy", "pandas", "scikit-learn")}}
    OUT.write_text(json.dumps({**held, "audits": found}, indent=1) + "\n", encoding="utf-8")
    print("| inputs | rows | MB needed by the audit | MB before | seconds |\n|---|---|---|---|---|")
    for row in found:
        numbers = " | ".join(str(row[name]) for name in ("needed_mb", "before_mb", "seconds"))
        print(f"| {row['inputs']} | {row['rows']:,} | {numbers} |")


if __name__ == "__main__":
    main()
