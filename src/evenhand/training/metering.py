"""What a computation costs: processor seconds, memory, and an estimate of energy with its assumption."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.messages import message

if TYPE_CHECKING:
    from evenhand.findings import Plain

WATTS: Final = 15.0
MEASURED: Final = message("measured (RAPL, the whole processor)")
ESTIMATED: Final = message("estimated, {watts:g} W a core", watts=WATTS)
"""Assumed of one busy core where the machine has no meter: a server processor's 200 to 280 W over 16 to 20 cores, and
memory; the true figure may be half or twice of it."""
RAPL: Final = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
"""The processor's energy meter, in microjoules, where Linux lets it be read."""
STATUS: Final = Path("/proc/self/status")
"""The status of this process on Linux."""


class Meter:
    """Measures from when it is made until it is read.

    Examples
    --------
    >>> cost = Meter().read()
    >>> sorted(cost)
    ['cpu_seconds', 'energy_joules', 'energy_source', 'peak_bytes', 'seconds']
    """

    def __init__(self) -> None:
        self._wall, self._cpu, self._energy = time.perf_counter(), time.process_time(), joules()

    def read(self) -> dict[str, Plain]:
        """Return seconds, processor seconds, energy, and the most memory that the process ever held."""
        seconds, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        now = joules()
        measured = self._energy is not None and now is not None and now >= self._energy
        return {
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu, 3),
            "peak_bytes": peak_bytes(),
            "energy_joules": round(now - self._energy if measured else cpu * WATTS, 3),  # type: ignore[operator]
            "energy_source": MEASURED if measured else ESTIMATED,
        }


def peak_bytes() -> int | None:
    """Return the most memory that the process has held; None where the system does not report it.

    Linux's status of the process is read first: that of `getrusage` begins with the memory of the process
    that started this one.
    """
    try:
        lines = STATUS.read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def joules() -> float | None:
    """Return the reading of the processor's meter; None where there is none, or it may not be read."""
    try:
        return int(RAPL.read_text()) / 1e6
    except (OSError, ValueError):
        return None
