"""Finding the logs in a folder, and telling whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.data.lm_logs.harness import read_harness
from evenhand.data.lm_logs.inspect_logs import read_inspect
from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.data.lm_logs.samples import Log, LogReading

MOST_FILES: Final = 20_000
"""Files that a folder is searched for."""


def open_log(place: str | Path, reading: LogReading, wanted: frozenset[str]) -> Log:
    """Read the logs of one model: a file, or all in a folder and the folders in it.

    Parameters
    ----------
    place : path
        ``samples_*.jsonl`` of lm-evaluation-harness; ``.eval`` or ``.json`` of Inspect; or a folder of either.
    reading : LogReading
        Which metric counts.
    wanted : names
        Fields of the documents that make groups.

    Raises
    ------
    InputError
        When nothing of either kind is there, or both kinds are.
    """
    where = Path(place)
    harness, inspect = _found(where)
    if harness and inspect:
        raise InputError(f"{where}: there are logs of lm-evaluation-harness and of Inspect; name a folder of one kind.")
    if harness:
        return read_harness(harness, str(place), reading, wanted)
    if inspect:
        return read_inspect(inspect, str(place), reading, wanted)
    raise InputError(
        f"{where}: there are no logs by sample: neither samples_*.jsonl (lm_eval --log_samples --output_path ...) nor "
        ".eval or .json of Inspect."
    )


def _found(where: Path) -> tuple[list[Path], list[Path]]:
    """Return the files of lm-evaluation-harness, and those of Inspect."""
    if not where.exists():
        raise InputError(f"{where}: there is no such file or folder.")
    if where.is_file():
        return ([where], []) if where.suffix == ".jsonl" else ([], [where])
    files: list[Path] = []
    for number, file in enumerate(where.rglob("*")):
        if number > MOST_FILES:
            raise InputError(f"{where}: there are more than {MOST_FILES:,} files; name the folder of the logs.")
        files.append(file)
    files = sorted(file for file in files if file.is_file() and not file.is_symlink())
    harness = [file for file in files if file.name.startswith("samples_") and file.suffix == ".jsonl"]
    evals = [file for file in files if file.suffix == ".eval"]
    own = [file for file in files if file.suffix == ".json" and not file.name.startswith(("results_", "logs."))]
    return harness, evals or ([] if harness else own)
