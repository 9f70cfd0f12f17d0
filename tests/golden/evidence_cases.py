"""Golden cases of evidence: records of known counts, one limit each, and who must be named."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import evenhand as eh
from evenhand.records import read_record

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

FOLDER = Path(__file__).parent / "evidence"
CASES: dict[str, dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text("utf-8"))
"""Each case: the counts [truth][decision] of each group or a record, the limit, and what it comes to. `named` are in
the sentence, `harmed` is first by people, and `innocent` are in neither."""


def rows(case: dict[str, Any]) -> pd.DataFrame:
    """Return the rows of a case: its cells, each as often as it was counted."""
    classes = case["classes"]
    cells = [
        (group, classes[true], classes[decided], n)
        for group, table in case["groups"].items()
        for true, counts in enumerate(table)
        for decided, n in enumerate(counts)
    ]
    table = pd.DataFrame(cells, columns=["group", "true", "decided", "n"])
    return table.loc[table.index.repeat(table["n"])].reset_index(drop=True)


def record_of(case: dict[str, Any]) -> AuditRecord:
    """Return the record of a case."""
    if "record" in case:
        return read_record(FOLDER / case["record"])
    table, roles = rows(case), {}
    if len(case["classes"]) == 2:
        roles = {"positive": case["classes"][1], "favourable": case["favourable"]}
    groups = {case["feature"]: table["group"]}
    return eh.audit_predictions(
        table["true"].rename(case["label"]), table["decided"], sensitive_features=groups, **roles
    )


def judged(name: str) -> tuple[AuditRecord, Verdict]:
    """Return the record of a case, and the verdict of its one limit."""
    case = CASES[name]
    record, policy = record_of(case), eh.load_policy({"limits": {case["key"]: case["limit"]}})
    return record, eh.judge(record, policy, today=date(2026, 6, 1))
