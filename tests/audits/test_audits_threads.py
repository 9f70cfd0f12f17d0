"""A record is the same on one thread and on several."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

MADE = """
import sys
import numpy as np
import pandas as pd
import evenhand as eh
from evenhand.records import digest

rng = np.random.default_rng(0)
rows, other = rng.normal(size=200_000), rng.normal(size=200_000)

def numpy_sum():
    return float(np.dot(rows, other)) * 1_000

def torch_sum():
    import torch

    return float(torch.from_numpy(rows.astype("float32")).sum())

table = pd.DataFrame({"x": rows[:400], "y": (rows[:400] > 0).astype(int)})
summed = numpy_sum if sys.argv[1] == "numpy" else torch_sum
if sys.argv[1] == "torch":
    import torch

def model(batch):  # all scores depend on the last digits of a sum over many rows
    return 1 / (1 + np.exp(-batch["x"].to_numpy() * summed() / 200_000))

read = eh.read_evaluation_set(table, label="y", positive=1)
print(digest(eh.audit(model, read, audits=["performance"])))
"""


def _digest(kind: str, threads: int) -> str:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    limits = dict.fromkeys(names, str(threads))
    done = subprocess.run(
        [sys.executable, "-c", MADE, kind], env={**os.environ, **limits}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_a_record_is_the_same_on_one_thread_and_on_four(kind: str) -> None:
    pytest.importorskip("torch" if kind == "torch" else "numpy")
    assert _digest(kind, 1) == _digest(kind, 4)
