"""What the gate promises, held by simulation: chance fails no fair model, and a bad one is not let through."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evenhand.audits.statement import disparity_finding
from evenhand.data import evaluation_set_from_arrays
from evenhand.findings import AuditRecord
from evenhand.keys import Key
from evenhand.metrics import Tally, disparity
from evenhand.policy import judge, load_policy

RELEASES = 400


def releases(rates: list[float], rows: list[int], name: str, limit: dict[str, float]) -> tuple[Counter[str], float]:
    """Return how often a limit passes, fails or stays open over simulated releases, and a point gate's failures."""
    rng = np.random.default_rng(11)
    names = [f"g{at}" for at in range(len(rows))]
    data = evaluation_set_from_arrays(np.arange(2 * len(rows)) % 2, sensitive_features={"group": names * 2})
    grouping = data.grouping("group")
    policy = load_policy({"limits": {f"{name}[group]": limit}})
    found: Counter[str] = Counter()
    beyond = 0
    for _ in range(RELEASES):
        counts = np.zeros((len(rows), 2, 2), dtype=np.int64)
        for group, (rate, n) in enumerate(zip(rates, rows, strict=True)):
            selected = rng.binomial(n, rate)
            counts[group, 1] = n - selected, selected
        stated = disparity_finding(Key.of(name, ["group"]), "fairness", disparity(name, Tally(counts)), grouping, 0.95)
        found[judge(AuditRecord((stated,)), policy).status] += 1
        assert stated.estimate is not None
        beyond += stated.estimate > limit["at_most"] if "at_most" in limit else stated.estimate < limit["at_least"]
    return found, beyond / RELEASES


def tell(what: str, found: Counter[str], point: float) -> None:
    shares = ", ".join(f"{status} {found[status] / RELEASES:.1%}" for status in ("passed", "failed", "undecided"))
    print(f"{what}: {shares}; a gate of point estimates fails {point:.1%}")


@pytest.mark.parametrize("rows", [100, 1000])
def test_twelve_equal_groups_are_hardly_ever_failed(rows: int) -> None:
    found, point = releases([0.5] * 12, [rows] * 12, "selection_rate_difference", {"at_most": 0.05})
    tell(f"12 equal groups of {rows}, limit 0.05", found, point)
    assert found["failed"] <= 0.03 * RELEASES
    assert point > 0.5, "a point gate fails most of these releases"


CROSSED = (18, 20, 24, 28, 32, 36, 42, 48, 54, 60, 72, 90)
"""Rows of twelve crossings of features: most are small."""


@pytest.mark.parametrize("rate", [0.7, 0.3])
def test_four_fifths_over_twelve_equal_groups_hardly_ever_fails(rate: float) -> None:
    found, point = releases([rate] * 12, list(CROSSED), "selection_rate_ratio", {"at_least": 0.8})
    tell(f"12 equal crossings of 18 to 90 rows, base rate {rate}, limit 0.80", found, point)
    assert found["failed"] <= 0.03 * RELEASES
    assert point >= 0.9, "a gate of point estimates raises a false alarm nearly always"


def test_an_unfair_ratio_is_failed() -> None:
    found, point = releases([0.7 * 0.65, 0.7], [300, 1500], "selection_rate_ratio", {"at_least": 0.8})
    tell("300 against 1,500 rows, true ratio 0.65, limit 0.80", found, point)
    assert found["failed"] >= 0.85 * RELEASES
    assert found["passed"] == 0


def test_the_power_over_twelve_groups_grows_with_the_rows() -> None:
    shares = []
    for rows in (100, 400, 1600):
        found, point = releases([0.5] * 11 + [0.3], [rows] * 12, "selection_rate_difference", {"at_most": 0.1})
        tell(f"12 groups of {rows}, one 0.20 below the others, limit 0.10", found, point)
        shares.append(found["failed"] / RELEASES)
        assert found["passed"] <= 0.03 * RELEASES
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
