"""An audit in memory needs less beside its columns than twice what they hold."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import evenhand as eh


def needed(n: int, *, scores: bool) -> float:
    """Return the peak of an audit, its columns included, in multiples of the columns."""
    rng = np.random.default_rng(0)
    truth, score = rng.integers(0, 2, n), rng.random(n)
    group = pd.Series(np.char.mod("group %03d", rng.integers(0, 100, n)), dtype="str")
    given = score if scores else (score > 0.5).astype(int)
    columns = truth.nbytes + given.nbytes + group.memory_usage(index=False)
    how = {"y_score": given} if scores else {"y_pred": given}
    eh.audit_predictions(truth[:200], **{k: v[:200] for k, v in how.items()}, sensitive_features={"g": group[:200]})  # type: ignore[arg-type]
    tracemalloc.start()
    eh.audit_predictions(truth, **how, sensitive_features={"g": group})  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(peak + columns) / columns


@pytest.mark.parametrize("scores", [False, True])
def test_half_a_million_rows(scores: bool) -> None:
    pytest.importorskip("pyarrow")
    assert needed(500_000, scores=scores) < 3


@pytest.mark.slow
@pytest.mark.parametrize("scores", [False, True])
def test_ten_million_rows(scores: bool) -> None:
    pytest.importorskip("pyarrow")
    assert needed(10_000_000, scores=scores) < 3
