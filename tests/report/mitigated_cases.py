"""Facts of mitigations as `evenhand mitigate` writes them, for pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.provenance import MitigatedGroup, MitigatedLimit, MitigationCandidate, MitigationFacts

RATIO = "selection_rate_ratio[race]"
GAP = "equalized_odds_difference[race]"
State: TypeAlias = 'Literal["passed", "failed", "undecided"]'


def limit(key: str, estimate: float, wide: float, status: State | None = None) -> MitigatedLimit:
    """Return a value with its interval."""
    return {"key": key, "estimate": estimate, "low": estimate - wide, "high": estimate + wide, "status": status}


def group(name: str, rows: int, gained: int, lost: int) -> MitigatedGroup:
    """Return how many of a group gain and lose."""
    return {"feature": "race", "group": name, "rows": rows, "gained": gained, "lost": lost}


def candidate(
    name: str,
    performance: float,
    ratio: tuple[float, State],
    gap: tuple[float, State],
    people: tuple[int, int, int, int] = (0, 0, 0, 0),
    *,
    told: bool = False,
    lots: bool = False,
    chosen: bool = False,
) -> MitigationCandidate:
    """Return a candidate that was made."""
    return {
        "name": name, "method": name.replace(" ", "_"), "settings": {}, "needs_sensitive": told,
        "randomized": lots, "failure": "", "performance": limit("accuracy", performance, 0.015),
        "limits": [limit(RATIO, ratio[0], 0.06, ratio[1]), limit(GAP, gap[0], 0.04, gap[1])],
        "groups": [group("black", 640, *people[:2]), group("white", 1210, *people[2:])], "chosen": chosen,
    }  # fmt: skip


def not_made(name: str, why: str) -> MitigationCandidate:
    """Return a candidate that could not be made."""
    return {
        "name": name, "method": name, "settings": {}, "needs_sensitive": False, "randomized": False, "failure": why,
        "performance": None, "limits": [], "groups": [], "chosen": False,
    }  # fmt: skip


def facts(sha256: str = "", *, name: str = "thresholds by group", recommended: bool = True) -> MitigationFacts:
    """Return the facts of a mitigation of five candidates and one that could not be made."""
    return {
        "candidates": [
            candidate("unchanged", 0.914, (0.52, "failed"), (0.17, "undecided")),
            candidate("one threshold", 0.882, (0.61, "failed"), (0.15, "passed"), (22, 0, 31, 0)),
            candidate(
                name, 0.897, (0.91, "passed"), (0.12, "passed"), (68, 3, 2, 41), told=True, chosen=recommended
            ),
            candidate(
                "ThresholdOptimizer (demographic parity)", 0.893, (0.97, "passed"), (0.19, "undecided"),
                (77, 9, 11, 60), told=True, lots=True,
            ),
            candidate("exponentiated gradient", 0.861, (0.84, "undecided"), (0.10, "passed"), (51, 12, 30, 44)),
            not_made("correlation remover", "The model reads texts: columns are needed, from which it is removed."),
        ],
        "performance": "accuracy",
        "rows": {"fit": 2400, "choose": 1850, "judge": 1850},
        "policy": {"name": "policy.toml", "sha256": sha256},
        "recommended": recommended,
        "infeasible": None,
        "seed": 0,
    }  # fmt: skip


def impossible() -> MitigationFacts:
    """Return the facts of a mitigation that no threshold by group can meet."""
    told = facts(recommended=False)
    why = "No thresholds by group meet both {first} and {second} on these rows."
    return {**told, "infeasible": {"id": why, "places": {"first": RATIO, "second": GAP}}}


def mitigated(record: AuditRecord, told: MitigationFacts) -> AuditRecord:
    """Return the record of a mitigation."""
    return replace(record, provenance={**record.provenance, "mitigation": told})
