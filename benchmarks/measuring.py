"""What the benchmarks share: CPU seconds, peak memory, the machine they ran on, and their place on the page."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
import tracemalloc
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def seconds(call: Callable[[], object], repeats: int, warm: bool = True) -> list[float]:
    """Return CPU seconds of each call, after one that does not count (unless it takes minutes)."""
    if warm:
        call()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return taken


def peak_megabytes(call: Callable[[], object]) -> float:
    """Return the most memory that Python and numpy hold at once during a call, beside what was there before."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def middle(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def machine(*packages: str) -> dict[str, object]:
    """Return versions and what the machine is."""
    found: dict[str, str] = {}
    for name in ("evenhand", "numpy", "pandas", *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    return {
        "versions": found,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {model or 'processor not told'}, {os.cpu_count()} cores",
    }


def _lines(path: str) -> list[str]:
    place = Path(path)
    return place.read_text(encoding="utf-8").splitlines() if place.exists() else []


def write(name: str, figures: dict[str, object], lines: list[str]) -> None:
    """Write raw figures, put the table in its place on the page, and print it."""
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    before, rest = PAGE.read_text(encoding="utf-8").split(f"<!-- {name} -->\n", 1)
    after = rest.split(f"<!-- end of {name} -->", 1)[1]
    text = "\n".join([f"{before}<!-- {name} -->", "", *lines, "", f"<!-- end of {name} -->{after}"])
    PAGE.write_text(text, encoding="utf-8")
    print("\n".join(lines))
