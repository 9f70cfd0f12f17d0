"""Logs of lm-evaluation-harness: ``samples_TASK_DATE.jsonl`` of each task, and ``results_DATE.json`` beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from evenhand.data.lm_logs.samples import Log, LogReading, Sample, chosen, fingerprint, grouping_fields
from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, argument, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAMED: Final = re.compile(r"samples_(?P<task>.+?)(_(?P<date>\d{4}-\d\d-\d\dT[\d\-.:+]+))?\.jsonl")
USUAL: Final = ("acc", "exact_match")
"""Metrics that are 1 where an answer is right, the usual first."""
LONGEST_LINE: Final = 1 << 26
"""Bytes of one sample."""
MOST_SAMPLES: Final = 5_000_000
OWN: Final = frozenset(
    [
        "doc_id",
        "doc",
        "target",
        "arguments",
        "resps",
        "filtered_resps",
        "filter",
        "metrics",
        "doc_hash",
        "prompt_hash",
        "target_hash",
    ]
)
"""Keys of a sample that are no metric."""
LONG: Final = frozenset({"arguments", "resps", "filtered_resps"})
"""Keys of a sample that are not kept: prompts and answers, most of a log."""
DECIDING: Final = ("num_fewshot", "fewshot_as_multiturn", "description", "doc_to_text", "doc_to_choice", "output_type",
                   "generation_kwargs", "system_instruction", "chat_template_sha")  # fmt: skip
"""What of a task's configuration makes the prompt, or ends the answer."""


def read_harness(files: Sequence[Path], name: str, reading: LogReading, wanted: frozenset[str]) -> Log:
    """Read the samples of every task.

    Parameters
    ----------
    files : paths
        ``samples_*.jsonl``.
    name : str
        What sentences call the log.
    reading : LogReading
        Which metric and filter count.
    wanted : names
        Fields of the documents that make groups.

    Raises
    ------
    InputError
        When a file is no such log, a task is there twice, or several metrics or filters are and none was named.
    """
    by_task: dict[str, Path] = {}
    for file in files:
        named = NAMED.fullmatch(file.name)
        task = named["task"] if named else file.stem
        if task in by_task:
            raise InputError(
                f"{name}: task {task} was run twice: {by_task[task].name} and {file.name}. Leave one of them there."
            )
        by_task[task] = file
    results = [_results(file) for file in sorted({_beside(file) for file in by_task.values()} - {None}, key=str)]
    settings = {task: _settings(task, results) for task in by_task}
    samples: list[Sample] = []
    metrics: dict[str, str] = {}
    for task, file in by_task.items():
        rows = [*_rows(file)]
        filters = tuple(dict.fromkeys(str(row.get("filter", "none")) for row in rows))
        kept = chosen(f"{name}, task {task}, filters", filters, reading.lm_filter, (), argument("lm_filter"))
        of_filter = [row for row in rows if str(row.get("filter", "none")) == kept]
        there = _metrics(of_filter[0])
        if not there:
            raise InputError(f"{file}: its samples have no metric; run lm_eval with --log_samples.")
        where = f"{name}, task {task}, metrics"
        metric = chosen(where, there, reading.lm_metric, USUAL, argument("lm_metric"))
        metrics[task] = metric if kept == "none" else f"{metric}, {kept}"
        samples += _samples(file, task, of_filter, metric, wanted)
    model = next((str(found["model_name"]) for found in results if found.get("model_name")), "")
    suites = {task: suite for found in results for task, suite in _suites(found).items()}
    return Log(name, model, tuple(samples), settings, metrics, suites)


def _rows(file: Path) -> Iterator[Mapping[str, object]]:
    """Yield the samples of a file, one a line."""
    number = 0
    try:
        with file.open("rb") as held:
            while line := held.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE or number > MOST_SAMPLES:
                    raise InputError(f"{file}: line {number:,} is longer, or there are more, than any log of samples.")
                if not line.strip():
                    continue
                row = parse_json(line, f"{file}, line {number:,}", finite=False)
                if not isinstance(row, Mapping) or "doc_id" not in row:
                    raise InputError(
                        f"{file}, line {number:,}: this is no sample of lm-evaluation-harness (no doc_id)."
                    )
                yield {name: part for name, part in row.items() if name not in LONG}
    except OSError as wrong:
        raise InputError(f"{file}: cannot be read: {wrong.strerror or shorten(wrong)}.") from None
    if not number:
        raise InputError(f"{file}: there is no sample in it.")


def _metrics(row: Mapping[str, object]) -> tuple[str, ...]:
    """Return the metrics of a sample that are one number."""
    told = row.get("metrics")
    names = [str(each) for each in told] if isinstance(told, list) else [key for key in row if key not in OWN]
    return tuple(name for name in names if isinstance(row.get(name), (int, float, bool)))


def _samples(
    file: Path, task: str, rows: Sequence[Mapping[str, object]], metric: str, wanted: frozenset[str]
) -> Iterator[Sample]:
    """Yield the answers of one task; a document that is there again is another epoch of it."""
    again: dict[str, int] = {}
    for row in rows:
        document = shorten(row["doc_id"], 200)
        again[document] = again.get(document, 0) + 1
        score = row.get(metric)
        number = float(score) if isinstance(score, (int, float)) and score == score else None  # noqa: PLR0124  # nan
        doc = row.get("doc")
        content = str(row.get("doc_hash") or ("" if doc is None else fingerprint(doc)))
        content = fingerprint(content, row.get("target_hash") or str(row.get("target")))
        fields = grouping_fields(doc, wanted, "doc.")
        yield Sample(task, document, again[document], number, content, str(row.get("prompt_hash") or ""), fields)


def _beside(file: Path) -> Path | None:
    """Return the results that were written with the samples of a task."""
    named = NAMED.fullmatch(file.name)
    place = file.with_name(f"results_{named['date']}.json") if named and named["date"] else None
    return place if place is not None and place.is_file() else None


def _results(place: Path | None) -> Mapping[str, object]:
    if place is None:
        return {}
    found = parse_json(read_bytes(place), place, finite=False)
    return found if isinstance(found, Mapping) else {}


def _part(held: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = held.get(name)
    return found if isinstance(found, Mapping) else {}


def _settings(task: str, results: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Return what decides the prompts of a task, by the configurations that the results hold."""
    found: dict[str, str] = {}
    for result in results:
        shots, config = _part(result, "n-shot").get(task), _part(_part(result, "configs"), task)
        if shots is not None or config:
            found |= {name: str(config[name]) for name in DECIDING if config.get(name) is not None}
            found |= {name: str(result[name]) for name in DECIDING if isinstance(result.get(name), str)}
            found |= {} if shots is None else {"num_fewshot": str(shots)}
    return found


def _suites(result: Mapping[str, object]) -> dict[str, str]:
    """Return the nearest group of each task: that with the fewest tasks."""
    groups = {str(name): parts for name, parts in _part(result, "group_subtasks").items() if isinstance(parts, list)}
    found: dict[str, str] = {}
    for name in sorted(groups, key=lambda name: -len(groups[name])):
        found |= {str(task): name for task in groups[name] if str(task) not in groups}
    return found
