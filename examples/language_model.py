"""A language model and its int4 copy, judged by the logs of an evaluation: which task lost, and may it be released?

The logs are written as lm-evaluation-harness writes them, from a stated simulation: three tasks, right in 60, 75 and
45 % of 600 documents each, of two subjects. The int4 copy answers 1 % of the documents otherwise by chance, in either
direction; and of gsm8k's documents that the original had right it loses a quarter. With real models the folders come
from ``lm_eval --log_samples --output_path original/`` and the rest stays the same.

Run it with a folder for its files: python examples/language_model.py /tmp/language_model
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

import evenhand as eh

DOCUMENTS, DATE = 600, "2026-11-01T10-00-00.000000"
RIGHT = {"arc_easy": 0.60, "hellaswag": 0.75, "gsm8k": 0.45}
LOST = {"gsm8k": 0.25}
OTHERWISE = 0.01
POLICY = """\
schema = 1
[defaults]
family = "holm"  # the three limits fail together, not one by one

[limits]
"accuracy_change[task=*;of=original]" = { at_least = -0.03 }
"negative_flip_rate[;of=original]" = { at_most = 0.10 }
"""


def answers(rng: np.random.Generator, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Return whether the original and the int4 copy have each document right."""
    original = rng.random(DOCUMENTS) < RIGHT[task]
    int4 = original ^ (rng.random(DOCUMENTS) < OTHERWISE)
    return original, int4 & ~(original & (rng.random(DOCUMENTS) < LOST.get(task, 0.0)))


def write_log(folder: Path, task: str, right: np.ndarray) -> None:
    """Write the samples of one task."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        {
            "doc_id": number,
            "doc": {"question": f"{task} {number}", "subject": ("numbers", "words")[number % 2]},
            "target": "A",
            "filter": "none",
            "metrics": ["acc"],
            "acc": float(each),
            "doc_hash": f"{task}-{number}",
            "prompt_hash": f"5-shot-{task}-{number}",
            "target_hash": "A",
        }
        for number, each in enumerate(right)
    ]
    place = folder / f"samples_{task}_{DATE}.jsonl"
    place.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def main(folder: Path) -> None:
    """Write two logs, audit them, draw the page and ask the gate."""
    rng = np.random.default_rng(3)
    for task in RIGHT:
        for model, right in zip(("original", "int4"), answers(rng, task), strict=True):
            write_log(folder / model, task, right)
    record = eh.audit_lm_logs(
        folder / "int4", folder / "original", name="int4", sensitive_features=["task", "subject"], intersections=1
    )
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    for task in RIGHT:
        found = record[f"accuracy_change[task={task};of=original]"]
        lost, gained = (
            record[f"{way}_flip_rate[task={task};of=original]"].estimate for way in ("negative", "positive")
        )
        low, high = found.interval.low, found.interval.high
        print(
            f"{task:10} {100 * found.estimate:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}], "
            f"{lost:.1%} newly wrong, {gained:.1%} newly right"
        )
    print(verdict)
    print(f"Exit code of the gate: {verdict.exit_code}. Page: {folder / 'report.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
