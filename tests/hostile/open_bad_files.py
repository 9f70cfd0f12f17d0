"""Opens every bad file in one process, by Python and by the command line: ``open_bad_files.py FOLDER``.

A line of JSON says what happened to each.

Python is asked with limits of two seconds, the verbs have them for their usual ones.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import bad_files
import bad_graphs
import bad_tensors
import numpy as np
import pandas as pd

from evenhand.cli.main import exit_code
from evenhand.compression import open_model
from evenhand.errors import EvenhandError
from evenhand.subjects import Limits

LIMITS = Limits(seconds=2.0)
ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})


def every(folder: Path) -> dict[str, list[tuple[str, Path]]]:
    """Write the files, and return name and place by family."""
    made = {
        "tensors": {f"{name}.safetensors": held for name, held in bad_tensors.FILES.items()},
        "declared": {f"{name}.onnx": held for name, held in bad_graphs.DECLARED.items()},
        "run": {f"{name}.onnx": held for name, held in bad_graphs.RUN.items()},
        "models": bad_files.MODELS,
        "inputs": bad_files.INPUTS,
    }
    found: dict[str, list[tuple[str, Path]]] = {}
    for family, files in made.items():
        (folder / family).mkdir()
        for name, held in files.items():
            place = folder / family / name.replace("/", "|")
            place.write_bytes(held)
            found.setdefault(family, []).append((name, place))
    (folder / "none").mkdir()
    for name, make in bad_files.NO_FILES.items():
        place = folder / "none" / name
        make(place)
        found.setdefault("none", []).append((name, place))
    return found


def names() -> list[str]:
    """Every case, as a test is called by it."""
    families = {
        "tensors": bad_tensors.FILES, "declared": bad_graphs.DECLARED, "run": bad_graphs.RUN,
        "models": bad_files.MODELS, "inputs": bad_files.INPUTS, "none": bad_files.NO_FILES,
    }  # fmt: skip
    endings = {"tensors": ".safetensors", "declared": ".onnx", "run": ".onnx"}
    return [f"{family}: {name}{endings.get(family, '')}" for family, files in families.items() for name in files]


def by_python(place: Path) -> dict[str, Any]:
    """Open a file and ask it, as a program does."""
    try:
        model = open_model(place, isolate=None if place.suffix != ".onnx" else LIMITS)
        return {"kind": "ran", "said": repr(model.predict(ROWS)), "facts": repr(model.facts)[:80]}
    except EvenhandError as problem:
        return {"kind": "refused", "said": str(problem)}
    except BaseException as problem:
        return {"kind": "raw", "said": f"{type(problem).__name__}: {problem}"}


def by_verb(words: list[str]) -> dict[str, Any]:
    """Audit with a file, as a person does."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = exit_code(words)
    return {"kind": "refused" if code == 2 else f"exit code {code}", "said": said.getvalue()}


def main(folder: Path) -> None:
    """Open them all."""
    Limits.__init__.__defaults__ = (2.0, *Limits.__init__.__defaults__[1:])
    rows = folder / "rows.csv"
    ROWS.assign(y=[0, 1, 1], g=["f", "m", "f"]).to_csv(rows, index=False)
    honest = folder / "honest.onnx"
    honest.write_bytes(bad_graphs.HONEST)
    to = ["--label", "y", "--positive", "1", "--sensitive", "g", "-o", str(folder / "audit.json")]
    for family, files in every(folder).items():
        for name, place in files:
            began = time.perf_counter()
            found = {}
            timed = "loop" in name  # once, as it takes its limit
            if family != "inputs" and (family != "run" or timed):
                found["python"] = by_python(place)
            if family == "inputs":
                words = ["audit", str(rows), "--model", str(honest), "--inputs", str(place), *to]
            else:
                words = ["audit", str(rows), "--model", str(place), *to]
            if not timed:
                found["verb"] = by_verb(words)
            seconds = time.perf_counter() - began
            print(json.dumps({"name": f"{family}: {name}", "seconds": seconds, **found}), flush=True)
    import resource

    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    scale = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"name": "peak", "bytes": max(own, children) * scale}))


if __name__ == "__main__":
    np.seterr(all="raise")
    main(Path(sys.argv[1]))
