"""Writes logs as lm-evaluation-harness 0.4.13 and Inspect 0.3.285 write them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

DATE = "2026-11-01T10-00-00.123456"
Rows = Sequence[Mapping[str, Any]]


def harness(folder: Path, tasks: Mapping[str, Rows], *, shots: int = 5, model: str = "base", date: str = DATE) -> Path:
    """Write samples and results of each task; a row's keys win over the usual ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for task, rows in tasks.items():
        lines = [json.dumps(_harness_row(task, at, shots, row)) + "\n" for at, row in enumerate(rows)]
        (folder / f"samples_{task}_{date}.jsonl").write_text("".join(lines), encoding="utf-8")
    results = {
        "model_name": model, "n-shot": dict.fromkeys(tasks, shots), "group_subtasks": {"suite_a": list(tasks)},
        "configs": {task: {"task": task, "num_fewshot": shots, "output_type": "multiple_choice"} for task in tasks},
        "results": {task: {"acc,none": float("nan")} for task in tasks},
    }  # fmt: skip
    (folder / f"results_{date}.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


def _harness_row(task: str, at: int, shots: int, row: Mapping[str, Any]) -> dict[str, Any]:
    usual = {
        "doc_id": at, "doc": {"question": f"{task} {at}?"}, "target": "1", "arguments": {"gen_args_0": {"arg_0": "q"}},
        "resps": [[["-1.5", "False"]]], "filtered_resps": [["-1.5", "False"]], "filter": "none",
        "metrics": ["acc", "acc_norm"], "doc_hash": f"doc {task} {at}", "prompt_hash": f"prompt {shots} {at}",
        "target_hash": "target", "acc": 0.0, "acc_norm": 1.0,
    }  # fmt: skip
    return usual | dict(row)


def inspect_header(task: str, model: str, status: str = "success", **args: object) -> dict[str, Any]:
    return {
        "version": 2, "status": status, "eval": {"task": task, "model": model, "task_args": args},
        "plan": {"name": "plan", "steps": [{"solver": "multiple_choice", "params": {}}]},
    }  # fmt: skip


def inspect_sample(id: object, value: object, epoch: int = 1, **metadata: object) -> dict[str, Any]:
    return {
        "id": id, "epoch": epoch, "input": f"question {id}", "choices": ["a", "b"], "target": "A", "metadata": metadata,
        "scores": {"choice": {"value": value, "answer": "A", "history": []}},
    }  # fmt: skip


def inspect_eval(place: Path, header: Mapping[str, Any], samples: Rows, *, zstd: bool = False) -> Path:
    """Write an archive; its members compressed by deflate, or by Zstandard as Inspect does since 2026."""
    place.parent.mkdir(parents=True, exist_ok=True)
    members = {"header.json": header} | {f"samples/{s['id']}_epoch_{s['epoch']}.json": s for s in samples}
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED if zstd else zipfile.ZIP_DEFLATED) as archive:
        for name, held in members.items():
            archive.writestr(name, json.dumps(held))
    if zstd:
        _recompressed(place)
    return place


def _recompressed(place: Path) -> None:
    """Replace stored members by ones of Zstandard, for which Python's own writer exists from 3.14 on."""
    import struct
    import zlib

    import pyarrow as pa

    with zipfile.ZipFile(place) as archive:
        members = [(info.filename.encode(), archive.read(info)) for info in archive.infolist()]
    body, directory = b"", b""
    for name, content in members:
        half = len(content) // 2  # two frames, as Inspect writes large members
        packed = b"".join(pa.compress(part, codec="zstd", asbytes=True) for part in (content[:half], content[half:]))
        about = struct.pack(
            "<HHHHHIIIHH", 63, 0, 93, 0, 33, zlib.crc32(content), len(packed), len(content), len(name), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 63) + about
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + about + name + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    place.write_bytes(body + directory + b"PK\x05\x06" + end)
