"""What the benchmarks share: CPU seconds, peak memory, data, the machine they ran on, and their place on the page."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import sys
import time
import tracemalloc
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
FITS = ROOT / "docs" / "fits.md"
DATA = Path(os.environ.get("EVENHAND_DATA", ROOT.parent / "shared" / "data"))
"""Where data sets are that no package brings: a folder for each, as in adult/adult_train.csv.gz."""
SKIPPED = 77
"""The exit status of a benchmark that lacks what it needs; its table stays as it is."""
BUSY = 1.5
"""An average load at the start above which a run on a shared machine is said to have been disturbed."""
STARTED, LOAD = time.perf_counter(), os.getloadavg()[0]


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
        "machine": ", ".join(
            [
                f"{platform.system()} {platform.machine()}",
                model or "processor not told",
                *_vectors(),
                f"{os.cpu_count()} cores",
            ]
        ),
        "load": LOAD,
    }


def needed(name: str, *files: str) -> list[Path]:
    """Return the files of a data set, or end with the status of a benchmark that is skipped."""
    paths = [DATA / name / file for file in files]
    absent = [str(path.name) for path in paths if not path.exists()]
    if absent:
        skip(f"{', '.join(absent)} of '{name}' is not below EVENHAND_DATA")
    return paths


def peers() -> str:
    """Return the Python of the peers' environment, or end with the status of a benchmark that is skipped."""
    return os.environ.get("EVENHAND_PEERS") or skip("EVENHAND_PEERS names no Python with the peers in it: make bench")


def skip(why: str) -> NoReturn:
    """End a benchmark that lacks what it needs."""
    print(f"skipped: {why}", file=sys.stderr)
    raise SystemExit(SKIPPED)


def _vectors() -> list[str]:
    """Return the widest instructions for vectors and for whole numbers of 8 bits, as far as Linux tells them."""
    flags = next((set(line.split()) for line in _lines("/proc/cpuinfo") if line.startswith("flags")), set())
    wide = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), None)
    whole = next(
        (name for flag, name in (("amx_int8", "AMX"), ("avx512_vnni", "VNNI"), ("avx_vnni", "VNNI")) if flag in flags),
        None,
    )
    return [" with ".join(filter(None, (wide, whole)))] if wide else []


def _lines(path: str) -> list[str]:
    place = Path(path)
    return place.read_text(encoding="utf-8").splitlines() if place.exists() else []


def write(name: str, figures: dict[str, object], lines: list[str], timed: str, page: Path = PAGE) -> None:
    """Write raw figures, put the table in its place on the page, and print it.

    `timed`: what the table times, told below it with the machine: a public call, an inner function, a process.
    """
    figures = {**figures, "timed": timed, "load": LOAD, "took": took()}
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    put_table(name, [*lines, "", f"*{timed} {figures['machine']}{_disturbed()}.*"], page)


def put_table(name: str, lines: list[str], page: Path) -> None:
    """Put lines between the markers of a name, and print them."""
    before, rest = page.read_text(encoding="utf-8").split(f"<!-- {name} -->\n", 1)
    after = rest.split(f"<!-- end of {name} -->", 1)[1]
    text = "\n".join([f"{before}<!-- {name} -->", "", *lines, "", f"<!-- end of {name} -->{after}"])
    page.write_text(text, encoding="utf-8")
    print("\n".join(lines))


def took() -> dict[str, float]:
    """Return the seconds since the start, and the CPU seconds of this process and of its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"wall": time.perf_counter() - STARTED, "cpu": sum(each.ru_utime + each.ru_stime for each in used)}


def _disturbed() -> str:
    """Return what tells a reader that other work ran on the machine, if so."""
    return f"; the machine had other work to do (load {LOAD:.1f} at the start)" if LOAD > BUSY else ""
