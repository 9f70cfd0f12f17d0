"""What an audit of many groups computes once: causes of its cost, counted."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import evenhand as eh
from evenhand.metrics import Tally
from evenhand.metrics.answers import all_groups, answering
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.comparisons import references, significance
from evenhand.metrics.inference import two_shares

if TYPE_CHECKING:
    from collections.abc import Callable


def rows_of(groups: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    true, codes = rng.integers(0, 2, 20 * groups), np.repeat(np.arange(groups), 20)
    decided = np.where(rng.random(len(true)) < 0.8, true, 1 - true)
    return {"y_true": true, "y_pred": decided, "sensitive_features": {"area": [f"a{code:03d}" for code in codes]}}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each function of interest is called."""
    calls: Counter[str] = Counter()

    def count(place: object, name: str) -> None:
        real: Callable[..., Any] = getattr(place, name)

        def counting(*args: Any, **more: Any) -> Any:
            calls[name] += 1
            return real(*args, **more)

        monkeypatch.setattr(place, name, counting)

    for place, name in (
        (significance, "_gaps"), (references, "share_interval"), (answering, "measure"), (answering, "compare"),
        (all_groups, "share_of_selected"), (all_groups, "demographic_disparity"), (two_shares, "beyond_difference"),
        (significance, "fisher"),
    ):  # fmt: skip
        count(place, name)
    real_rows = Tally.rows.fget  # type: ignore[attr-defined]

    def rows(tally: Tally) -> Any:
        calls["rows"] += 1
        return real_rows(tally)

    monkeypatch.setattr(Tally, "rows", property(rows))
    return calls


def test_nothing_is_computed_again_for_each_group(counted: Counter[str]) -> None:
    """Of 400 groups slices are not searched for, of 80 neither, so all else is the same."""
    found = []
    for groups in (80, 400):
        counted.clear()
        assert len(eh.audit_predictions(**rows_of(groups)).findings) > 20 * groups
        found.append(dict(counted))
    few, many = found
    few.pop("beyond_difference"), many.pop("beyond_difference")
    assert few == many


def test_tables_are_drawn_once_a_rate_and_both_references_share_one_search(counted: Counter[str]) -> None:
    eh.audit_predictions(**rows_of(80))
    rates = {name.rsplit("_", 1)[0] for name in stated("gap to a reference")}
    assert counted["_gaps"] == len(stated("chance"))
    assert counted["share_interval"] == len(stated("gap to a reference")) == len(rates) + 1
    assert counted["share_of_selected"] == counted["demographic_disparity"] == 1


@pytest.mark.parametrize("pairs", [10, 3_000])
def test_ends_of_many_pairs_are_found_in_the_steps_of_one(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, evaluated, real = np.random.default_rng(1), [], two_shares.beyond_difference

    def counting(*args: Any) -> Any:
        evaluated.append(1)
        return real(*args)

    monkeypatch.setattr(two_shares, "beyond_difference", counting)
    size = rng.integers(1, 500, (2, pairs)).astype(float)
    events = rng.binomial(size.astype(int), 0.3).astype(float)
    two_shares.share_interval("difference", two_shares.Pair(events[0], size[0], events[1], size[1]), 1.96)
    assert len(evaluated) < 60


def test_an_audit_of_counts_needs_no_scipy_stats() -> None:
    code = (
        "import sys, numpy as np, evenhand as eh\n"
        "rng = np.random.default_rng(0)\n"
        "true, decided = rng.integers(0, 2, (2, 300))\n"
        "record = eh.audit_predictions(true, decided, sensitive_features={'area': rng.choice(['a', 'b', 'c'], 300)})\n"
        "assert record['p_value[area=a;rate=recall]'].estimate is not None\n"
        "assert 'scipy.special' in sys.modules and 'scipy.stats' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
