"""The memory of an exported file, measured in a process of its own that does nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import ModelError, shorten
from evenhand.output.writing import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Plain

_READING: Final = """
def held(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return 1024 * int(line.split()[1])
def begin():
    try:
        open("/proc/self/clear_refs", "w").write("5")
    except OSError:
        pass
    return held("VmRSS:")
"""
_RUNNERS: Final = {
    "onnx": """
import sys, numpy as np, onnxruntime as runtime
rows = {name: each.astype(object) if each.dtype.kind == "U" else each for name, each in np.load(sys.argv[2]).items()}
options = runtime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.log_severity_level = 3
before = begin()
session = runtime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
session.run(None, rows)
""",
    "torch-export": """
import sys, numpy as np, torch, torch.export, warnings
warnings.simplefilter("ignore")
torch.set_num_threads(1)
rows = torch.from_numpy(np.load(sys.argv[2])["rows"])
before = begin()
program = torch.export.load(sys.argv[1]).module()
with torch.inference_mode():
    program(rows)
""",
    "executorch": """
import sys, numpy as np, torch
from executorch.runtime import Runtime
torch.set_num_threads(1)
rows = torch.from_numpy(np.load(sys.argv[2])["rows"])
before = begin()
method = Runtime.get().load_program(sys.argv[1]).load_method("forward")
method.execute([rows])
""",
}
"""What loads a file and predicts once, without evenhand."""
SECONDS: Final = 300
"""How long it may take."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What loading a file and predicting some rows took.

    See Also
    --------
    evenhand.compression.export_model : Measures it.
    """

    model_bytes: int
    """The most that the process held, less what it held before: the model and its working memory."""
    peak_bytes: int
    """The most that the process held, the interpreter and the runtime among it."""
    rows: int
    """The rows that were predicted at once."""

    def to_plain(self) -> dict[str, Plain]:
        """Return the figures as plain data."""
        return {"model_bytes": self.model_bytes, "peak_bytes": self.peak_bytes, "rows": self.rows}


def measure_memory(content: bytes, suffix: str, runner: str, rows: Mapping[str, NDArray[np.generic]]) -> Memory:
    """Return the memory of a file in a process that loads it and predicts these rows once.

    `runner`: which of the runtimes loads it; `rows`: what it is given, by the name of the input.

    Raises
    ------
    ModelError
        When the system does not report it, or the process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        model, given = Path(folder) / f"model{suffix}", Path(folder) / "rows.npz"
        write_bytes(model, content)
        plain = {name: each.astype(str) if each.dtype == object else each for name, each in rows.items()}
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, **plain)
        write_bytes(given, held.getvalue())
        code = f"{_READING}{_RUNNERS[runner]}\nprint('memory', before, held('VmHWM:'))"
        done = _run([sys.executable, "-c", code, str(model), str(given)])
    told = next((line.split() for line in done.stdout.splitlines() if line.startswith("memory ")), ["", "", ""])
    if done.returncode or not (told[1].isdigit() and told[2].isdigit()):
        raise ModelError(
            "The memory of the exported file could not be measured; it is read from Linux's /proc: "
            f"{shorten(done.stderr.strip()[-300:] or 'the system does not report it', 300)}"
        )
    before, peak = int(told[1]), int(told[2])
    return Memory(max(0, peak - before), peak, len(next(iter(rows.values()))))


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ModelError(f"The exported file was not loaded and asked within {SECONDS} seconds.") from None
