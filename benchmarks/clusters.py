"""A private PostgreSQL server in a temporary folder, reached by a socket in it; it can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "postgres"
"""Whom Debian's packages bring; initdb refuses to run as root."""


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(there[-1]) if there else None)
    return None if found is None else Path(found).resolve().parent


@dataclass
class Cluster:
    """A server that belongs to this process."""

    folder: Path
    programs: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"postgresql://evenhand@/postgres?host={self.folder}"

    def make(self) -> None:
        """Make its files."""
        told = ["-D", str(self.folder / "data"), "-U", "evenhand", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([self.programs / "initdb", *told], stdout=subprocess.DEVNULL, cwd="/", check=True, **_as_user())

    def start(self) -> None:
        """Start it, and wait until it answers."""
        told = ["-k", str(self.folder), "-c", "listen_addresses=", "-c", "max_connections=20"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", str(self.folder / "data"), *told],
                stdout=log, stderr=log, cwd="/", **_as_user(),
            )  # fmt: skip
        ready = [self.programs / "pg_isready", "-q", "-h", str(self.folder)]
        for _ in range(1200):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)
        raise RuntimeError("the server does not answer")

    def stop(self) -> None:
        """Stop it as an administrator does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def kill(self) -> None:
        """Kill the server and all its processes at once, and wait until they are gone."""
        assert self.process is not None
        first = self.process.pid
        children = [int(each) for each in Path(f"/proc/{first}/task/{first}/children").read_text().split()]
        for number in (first, *children):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.process.wait(60)
        for _ in range(1200):
            if not any(_runs(number) for number in children):
                return
            time.sleep(0.05)


def _as_user() -> dict[str, Any]:
    return {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}


def _runs(number: int) -> bool:
    """Return whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a server for the time of a block."""
    found = programs()
    assert found is not None
    folder = Path(tempfile.mkdtemp(prefix="evenhand-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    made = Cluster(folder, found)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
