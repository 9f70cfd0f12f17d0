"""Measure the memory of a prediction, in a separate process, and its energy, where there is a meter."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evenhand.findings import Batch
    from evenhand.subjects import Subject

_CHILD: Final = """
import sys, numpy as np
from evenhand.compression import open_model
from evenhand.training.metering import peak_bytes
model = open_model(sys.argv[1], isolate=False)
model.answer(np.load(sys.argv[2]))
print(peak_bytes())
"""


def peak_memory(model: Subject, batch: Batch) -> int | None:
    """Return the peak bytes of a process that loads the model's file and predicts these rows once.

    The runtime counts, as it has to be loaded too: torch for a trained model, ONNX Runtime for an exported one. None
    for a model that cannot be saved or loaded by itself, and where the system does not report it.
    """
    import numpy as np

    save, prepare = getattr(model, "save", None), getattr(model, "prepare", None)
    if not callable(save) or not callable(prepare):
        return None
    with tempfile.TemporaryDirectory() as folder:
        suffix = ".onnx" if model.facts.get("kind") == "onnx" else ".safetensors"
        file, rows = Path(folder) / f"model{suffix}", Path(folder) / "rows.npy"
        save(file)
        np.save(rows, prepare(batch), allow_pickle=False)
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(file), str(rows)], capture_output=True, text=True, check=False
        )
    said = done.stdout.strip()
    return int(said) if done.returncode == 0 and said.isdigit() else None


def energy_of(model: Subject, batch: Batch, seconds: float) -> float | None:
    """Return the joules of predicting a thousand rows, by the processor's meter; None where there is none to read.

    The meter is that of the whole processor, so the machine should have nothing else to do.
    """
    from evenhand.training.metering import joules

    before = joules()
    if before is None:
        return None
    ready = model.prepare(batch) if hasattr(model, "answer") and hasattr(model, "prepare") else None
    began, rows = time.perf_counter(), 0
    while time.perf_counter() - began < max(0.05, seconds / 4):
        _ = model.predict(batch) if ready is None else model.answer(ready)  # type: ignore[attr-defined]
        rows += len(batch)
    after = joules()
    return None if after is None or after < before else (after - before) * 1_000 / rows
