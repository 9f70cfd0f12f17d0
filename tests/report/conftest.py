"""Records with known verdicts, the same on every machine: given predictions, fixed versions, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict


@pytest.fixture(autouse=True)
def _one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are drawn for one day, so that what they say of rules does not change with the calendar."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795824000")


HOSTILE = (
    "<script>alert(1)</script>",
    '"; DROP TABLE people; --',
    "</style></svg><img src=x onerror=alert(1)>",
    "\u202eright to left\u202c",
    "مجموعة",
    "🦉",
    "{{ 7*7 }}{% raw %}",
    "a, [b]; c=d *",
    "</script><img onerror=alert(1) src=x>",
    "]]>",
    "::error::no such limit",
    "left|right",
    "=cmd()",
    "two\nlines",
    "x" * 10_000,
)
"""Group names as somebody may well have them in a table."""


def predictions(rates: dict[str, tuple[int, float, float]]) -> dict[str, list[object]]:
    """Return rows in which each group has exactly (rows, share of positives, accuracy)."""
    columns: dict[str, list[object]] = {"group": [], "y_true": [], "y_pred": []}
    for group, (rows, positive, right) in rates.items():
        truth = np.arange(rows) < round(rows * positive)
        order = np.random.default_rng(5).permutation(rows)
        wrong = order >= round(rows * right)
        columns["group"] += [group] * rows
        columns["y_true"] += truth.astype(int).tolist()
        columns["y_pred"] += np.where(wrong, ~truth, truth).astype(int).tolist()
    return columns


def record_of(rates: dict[str, tuple[int, float, float]], feature: str = "race") -> AuditRecord:
    """Return the audit of such rows, without what differs between machines."""
    rows = predictions(rates)
    made = eh.audit_predictions(
        rows["y_true"], rows["y_pred"], sensitive_features={feature: rows["group"]}, favourable=1, name="applications"
    )
    provenance = {**made.provenance, "versions": {"evenhand": "0.0.0", "python": "3.11.0"}}
    return replace(made, provenance=provenance, measurements={})


def verdict_of(record: AuditRecord, folder: Path, feature: str = "race") -> Verdict:
    """Return the verdict of a usual policy."""
    place = folder / "policy.toml"
    place.write_text(
        f"""schema = 1
[limits]
"accuracy" = {{ at_least = 0.80 }}
"selection_rate_ratio[{feature}]" = {{ at_least = 0.80 }}
"recall[{feature}=*]" = {{ at_least = 0.50 }}
"equalized_odds_difference[{feature}]" = {{ at_most = 0.20, advisory = true }}
"""
    )
    return eh.judge(record, eh.load_policy(place), today=date(2026, 1, 1))


CASES: dict[str, dict[str, tuple[int, float, float]]] = {
    "passing": {"black": (4000, 0.6, 0.95), "white": (4000, 0.6, 0.95)},
    "failing": {"black": (900, 0.3, 0.9), "white": (1500, 0.8, 0.95)},
    "undecided": {"black": (40, 0.55, 0.9), "hispanic": (6, 0.5, 0.84), "white": (400, 0.65, 0.92)},
    "hostile": {name: (30 + 5 * at, 0.5, 0.9) for at, name in enumerate(HOSTILE)},
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, AuditRecord, Verdict]:
    """Each case by name, with its record and verdict."""
    name: str = request.param
    record = record_of(CASES[name])
    return name, record, verdict_of(record, tmp_path)


@pytest.fixture
def make_case(tmp_path: Path) -> Callable[[str], tuple[AuditRecord, Verdict]]:
    """One case by its name."""

    def make(name: str) -> tuple[AuditRecord, Verdict]:
        record = record_of(CASES[name])
        return record, verdict_of(record, tmp_path)

    return make


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditRecord, Verdict, Path]:
    """The case that fails, for tests that draw it once, and the folder of its policy.toml."""
    folder = tmp_path_factory.mktemp("failing")
    record = record_of(CASES["failing"])
    return record, verdict_of(record, folder), folder


@pytest.fixture(scope="session")
def rich() -> tuple[AuditRecord, Verdict]:
    """An audit with nearly everything: scores, slices, crossings, explanations, an original, waivers, a baseline."""
    rng = np.random.default_rng(4)
    rows = 1200
    race = rng.choice(["none", "score", "group"], rows, p=[0.7, 0.28, 0.02])
    table = pd.DataFrame(
        {
            "income": rng.normal(size=rows) + (race == "none"),
            "debt": rng.normal(size=rows),
            "area": rng.choice(["north", "south", "west"], rows),
            "town": rng.choice(["x", "y"], rows),
            "race": race,
            "sex": rng.choice(["f", "m"], rows),
        }
    )
    noise = np.where(table["area"] == "south", 3.0, 0.7)
    table["paid"] = (table["income"] - table["debt"] + noise * rng.normal(size=rows) > 0).astype(int)
    data = eh.read_evaluation_set(
        table, label="paid", favourable=1, sensitive_features=["race", "sex"], control_features=["town"], name="loans"
    )

    def score(X: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(X["debt"] - X["income"] - 0.3 * (X["area"] == "south"))))

    def coarse(X: pd.DataFrame) -> np.ndarray:
        return np.round(score(X), 1)

    record = eh.audit(
        coarse, data, original=score, explain_rows=20, background_rows=20, actionable={"debt": "decrease"}
    )
    record = eh.with_declarations(record, {"intended_use": "Small loans.", "owner": "risk@example.org"})
    limits = {
        "accuracy": {"at_least": 0.6},
        "selection_rate_ratio[race]": {"at_least": 0.95},
        "equalized_odds_difference[race]": {"at_most": 0.05},
        "recall[race=*]": {"at_least": 0.5},
        "precision": {"at_least": 0.99},
        "roc_auc": {"at_least": 0.5, "max_drop": 0.01},
        "declared[human_oversight]": {"required": True},
        "declared[owner]": {"required": True},
        "latency[;batch=7]": {"at_most": 1.0},
    }
    waiver = {"limit": "precision", "reason": "RISK-3", "owner": "a@example.org", "expires": date(2026, 12, 1)}
    late = {**waiver, "limit": "accuracy", "expires": date(2026, 1, 1)}
    policy = eh.load_policy(
        {"extends": ["builtin:four-fifths@1"], "limits": limits, "waivers": [waiver, late],
         "defaults": {"minimum_group_size": 30}}
    )  # fmt: skip
    return record, eh.judge(record, policy, baseline=record, today=date(2026, 11, 1))
