"""Honest records of every kind, and forged copies of them with a digest that fits."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

import evenhand as eh
from evenhand.records import dump, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = 400
Document = dict[str, Any]
STEADY = ("findings", "sections", "tallies", "provenance")
AUDITS = ("performance", "fairness", "impact", "compression", "strata", "calibration")


@cache
def honest(kind: str) -> eh.AuditRecord:
    """Return an honest record of one kind."""
    rng = np.random.default_rng(5)
    groups = {"sex": rng.choice(["F", "M"], ROWS), "race": rng.choice(["a", "b, =", "c"], ROWS)}
    job, household = rng.choice(["j1", "j2", "j3"], ROWS), rng.integers(0, 120, ROWS)
    weight = rng.uniform(0.2, 3, ROWS)
    score = 1 / (1 + np.exp(-rng.normal(size=ROWS) - 0.8 * (groups["sex"] == "M")))
    truth, other = (rng.random(ROWS) < score).astype(int), np.clip(score + rng.normal(0, 0.1, ROWS), 0, 1)
    several, said, before = (rng.integers(0, 3, ROWS) for _ in range(3))
    scored: Document = {"y_score": score, "original_score": other, "control_features": {"job": job}}
    more: dict[str, Document] = {
        "scores": {"y_score": score},
        "decisions": {"y_pred": (score > 0.5).astype(int)},
        "compressed": scored,
        "favourable": scored | {"favourable": 0},
        "weighted": scored | {"sample_weight": weight},
        "clustered": scored | {"cluster": household},
        "weighted clusters": scored | {"cluster": household, "sample_weight": weight},
        "level": {"y_score": score, "level": 0.9},
        "classes": {"y_pred": said, "original_pred": before, "task": "multiclass"},
        "clustered classes": {"y_pred": said, "original_pred": before, "task": "multiclass", "cluster": household},
        "ungrouped": {"y_score": score, "sensitive_features": None},
    }
    given = {"sensitive_features": groups} | more[kind]
    return eh.audit_predictions(several if "classes" in kind else truth, **given)


KINDS = (
    "scores", "decisions", "compressed", "favourable", "weighted", "clustered", "weighted clusters", "level", "classes",
    "clustered classes", "ungrouped",
)  # fmt: skip


def forged(kind: str, edit: Callable[[Document], object], place: Path) -> Path:
    """Write an honest record with a change to it and a digest that fits, and return its file."""
    document: Document = deepcopy(json.loads(dump(to_plain(honest(kind)))))
    edit(document)
    held = json.dumps(
        {name: document[name] for name in STEADY}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    document["digest"] = hashlib.sha256(held.encode()).hexdigest()
    place.write_text(dump(document), encoding="utf-8")
    return place


def finding(document: Document, key: str) -> Document:
    """Return a finding of a document by its key."""
    return next(found for found in document["findings"] if found["key"] == key)


def tally(document: Document, columns: str = "", model: str = "subject") -> Document:
    """Return the counts of a document over columns, separated by commas."""
    wanted = columns.split(",") if columns else []
    return next(part for part in document["tallies"] if (part["model"], part["columns"]) == (model, wanted))
