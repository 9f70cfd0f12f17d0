"""Logs of Inspect: ``.eval`` archives with a sample in each member, and ``.json`` files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from evenhand.data.lm_logs.archive import Archive
from evenhand.data.lm_logs.samples import Log, LogReading, Sample, chosen, fingerprint, grouping_fields
from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, argument, quoted, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

WORDS: Final = {"c": 1.0, "i": 0.0, "p": 0.5, "n": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
"""What Inspect's grades count: correct, incorrect, partial, no answer."""
HEADER: Final = "header.json"
UNFINISHED: Final = "it has no header, so the evaluation did not end. Run it to its end (inspect eval-retry)"
Plain = Mapping[str, object]


def read_inspect(files: Sequence[Path], name: str, reading: LogReading, wanted: frozenset[str]) -> Log:
    """Read the samples of every log.

    Parameters
    ----------
    files : paths
        ``.eval`` and ``.json`` logs, one a task.
    name : str
        What sentences call the log.
    reading : LogReading
        Which scorer counts.
    wanted : names
        Fields of the samples' metadata that make groups.

    Raises
    ------
    InputError
        When a file is no such log, or one of an evaluation that did not succeed, a task is there twice, or several
        scorers graded and none was named.
    """
    samples: list[Sample] = []
    settings: dict[str, dict[str, str]] = {}
    metrics: dict[str, str] = {}
    model = ""
    for file in files:
        with _Opened(file) as opened:
            about = _part(opened.header, "eval")
            task = shorten(about.get("task") or file.stem, 200)
            if task in settings:
                raise InputError(
                    f"{name}: task {task} is there twice, in {file.name} too. Leave one of its logs there."
                )
            model = model or str(about.get("model") or "")
            settings[task] = _settings(opened.header, about)
            found, metrics[task] = _samples(opened.samples(), file, task, reading, wanted)
            samples += found
    return Log(name, model, tuple(samples), settings, metrics)


class _Opened:
    """A log of either kind, read one sample after the other."""

    def __init__(self, file: Path) -> None:
        self.file, self._archive, self._held = file, None, {}  # type: tuple[Path, Archive | None, Plain]
        if file.suffix == ".eval":
            self._archive = Archive(file)
        else:
            self._held = _document(read_bytes(file), file)
        try:
            self.header = self._header()
        except InputError:
            self.__exit__()
            raise

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *about: object) -> None:
        if self._archive is not None:
            self._archive.__exit__()

    def _header(self) -> Plain:
        held = self._held
        if self._archive is not None:
            if HEADER not in self._archive.members:
                raise InputError(f"{self.file}: {UNFINISHED}, or the file is no log of Inspect.")
            held = _document(self._archive.read(HEADER), f"{self.file}, {HEADER}")
        if not isinstance(held.get("eval"), Mapping):
            raise InputError(f"{self.file}: this is no log of Inspect: it has no 'eval'.")
        status = held.get("status")
        if status != "success":
            raise InputError(
                f"{self.file}: the evaluation has the status {quoted(shorten(status))}. What was not answered is not "
                "left out by chance: run it to its end (inspect eval-retry)."
            )
        return held

    def samples(self) -> Iterator[Plain]:
        """Yield the samples."""
        if self._archive is None:
            held = self._held.get("samples")
            rows: Iterable[object] = held if isinstance(held, list) else ()
            yield from (row for row in rows if isinstance(row, Mapping))
            return
        for name in self._archive.members:
            if name.startswith("samples/") and name.endswith(".json"):
                yield _document(self._archive.read(name), f"{self.file}, {shorten(name)}")


def _samples(
    rows: Iterable[Plain], file: Path, task: str, reading: LogReading, wanted: frozenset[str]
) -> tuple[list[Sample], str]:
    """Return the answers of one task, and the scorer that graded them."""
    found, grades = [], []
    names: dict[str, None] = {}
    for row in rows:
        held = _part(row, "scores")
        grades.append(dict(_grades(held, names)))
        found.append(_sample(row, file, task, wanted))
    if not found:
        raise InputError(f"{file}: there is no sample in it.")
    if not names:
        raise InputError(f"{file}: no sample was scored; score the log first (inspect score).")
    scorer = chosen(f"{file}, scorers", tuple(names), reading.lm_metric, (), argument("lm_metric"))
    return [_with_score(each, own.get(scorer)) for each, own in zip(found, grades, strict=True)], scorer


def _grades(scores: Plain, names: dict[str, None]) -> Iterator[tuple[str, float | None]]:
    """Yield each score by its scorer, and ``scorer.part`` of those with several parts; names are added."""
    for scorer, held in scores.items():
        value = held.get("value") if isinstance(held, Mapping) else held
        parts = {scorer: value} if not isinstance(value, Mapping) else {f"{scorer}.{p}": v for p, v in value.items()}
        for name, part in parts.items():
            if not isinstance(part, (list, Mapping)):
                names[name] = None
                yield name, _number(part)


def _number(value: object) -> float | None:
    """Return what a grade counts; None where it is none."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in WORDS:
            return WORDS[word]
        try:
            value = float(word)
        except ValueError:
            return None
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _sample(row: Plain, file: Path, task: str, wanted: frozenset[str]) -> Sample:
    if "id" not in row:
        raise InputError(f"{file}: a sample has no id; this is no log of Inspect.")
    epoch = row.get("epoch", 1)
    content = fingerprint(row.get("input"), row.get("target"), row.get("choices"))
    fields = grouping_fields(row.get("metadata"), wanted, "metadata.")
    return Sample(task, shorten(row["id"], 200), epoch if isinstance(epoch, int) else 1, None, content, "", fields)


def _with_score(sample: Sample, score: float | None) -> Sample:
    return Sample(sample.task, sample.document, sample.epoch, score, sample.content, "", sample.fields)


def _settings(header: Plain, about: Plain) -> dict[str, str]:
    """Return what decides an answer besides the model: arguments of the task and the steps of its plan."""
    steps = _part(header, "plan").get("steps")
    solvers = [
        (str(step.get("solver")), step.get("params")) for step in (steps if isinstance(steps, list) else ())
        if isinstance(step, Mapping)
    ]  # fmt: skip
    found = {name: str(value) for name, value in _part(about, "task_args").items()}
    return found | ({"solvers": fingerprint(solvers)} if solvers else {})


def _part(held: Plain, name: str) -> Plain:
    found = held.get(name)
    return found if isinstance(found, Mapping) else {}


def _document(content: bytes, where: object) -> Plain:
    found = parse_json(content, where, finite=False)
    if not isinstance(found, Mapping):
        raise InputError(f"{where}: this is no log of Inspect.")
    return found
