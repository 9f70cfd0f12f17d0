"""Windows: their shares of the error, what is kept, and that sums are sums."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.monitoring.windows import added, advanced, is_kept, weight


def test_the_shares_of_the_error_add_up_to_one_over_all_starts_for_ever() -> None:
    total = sum(weight(start) for start in range(100_000))
    assert total < 1
    assert total == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("batches", [1, 7, 100, 5_000, 1_000_000])
def test_few_starts_are_kept_and_none_comes_back(batches: int) -> None:
    near = range(max(0, batches - 3_000), batches) if batches > 10_000 else range(batches)
    levels = [2**power * odd for power in range(8, 21) for odd in range(1, 4096, 2) if 2**power * odd < batches]
    kept = {start for start in (*near, *levels, 0) if is_kept(start, batches)}
    assert {0, batches - 1} <= kept
    assert len(kept) <= 45
    assert all(is_kept(start, batches - 1) for start in kept if start < batches - 1)


def test_a_window_is_the_sum_since_its_start() -> None:
    random, windows, told = np.random.default_rng(1), {}, []
    for at in range(50):
        told.append({"a": random.integers(9, size=(2, 2))})
        windows = advanced(windows, told[-1], at)
    for start, held in windows.items():
        assert (held["a"] == sum(part["a"] for part in told[start:])).all()


def test_adding_takes_a_name_from_either_side() -> None:
    found = added({"a": np.ones(2, int)}, {"b": np.ones(3, int)})
    assert sorted(found) == ["a", "b"]
