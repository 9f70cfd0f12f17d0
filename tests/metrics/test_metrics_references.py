"""Groups beside all rows, beside the others, beside a reference group."""

from __future__ import annotations

import fairlearn.metrics as fair
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evenhand.errors import InputError
from evenhand.metrics import Tally, disparity, disparity_to, measure

ORACLES = {
    "selection_rate": fair.selection_rate,
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "accuracy": sk.accuracy_score,
    "false_positive_rate": fair.false_positive_rate,
}


@pytest.mark.parametrize("metric", sorted(ORACLES))
@pytest.mark.parametrize("how", ["difference", "ratio"])
@pytest.mark.parametrize("weighted", [False, True])
def test_to_overall_equals_fairlearns(metric: str, how: str, weighted: bool) -> None:
    rng = np.random.default_rng(3)
    codes, y = rng.choice(4, 800, p=[0.6, 0.2, 0.15, 0.05]), rng.integers(0, 2, 800)
    predicted = np.where(rng.random(800) < 0.7 + 0.05 * codes, y, 1 - y)
    weight = rng.gamma(2, 1, 800) if weighted else None
    frame = fair.MetricFrame(
        metrics=ORACLES[metric],
        y_true=y,
        y_pred=predicted,
        sensitive_features=codes,
        sample_params=None if weight is None else {"sample_weight": weight},
    )
    ours = disparity_to(f"{metric}_{how}", Tally.count(y, predicted, codes, 4, weight), "overall")
    assert ours.estimate == pytest.approx(getattr(frame, how)(method="to_overall"), abs=1e-12)


COUNTS = arrays(np.int64, st.tuples(st.integers(2, 5), st.just(2), st.just(2)), elements=st.integers(0, 80))


@given(counts=COUNTS, how=st.sampled_from(["difference", "ratio"]), to=st.sampled_from(["overall", "rest", 0]))
def test_ends_hold_the_estimate_and_the_simultaneous_one_is_stricter(
    counts: np.ndarray, how: str, to: str | int
) -> None:
    found = disparity_to(f"recall_{how}", Tally(counts), to)  # type: ignore[arg-type]
    if found.estimate is None:
        assert found.reason
        return
    assert found.low is not None
    assert found.high is not None
    assert found.low - 1e-9 <= found.estimate <= found.high + 1e-9
    assert 0 <= found.low <= 1 + 1e-12
    if how == "difference":
        assert found.low <= (found.unadjusted_low or 0) + 1e-12
    else:
        assert found.high >= (found.unadjusted_high or 0) - 1e-12


def test_two_groups_beside_the_rest_are_the_two_groups_beside_each_other() -> None:
    tally = Tally(np.array([[[20, 10], [5, 40]], [[50, 5], [30, 60]]]))
    rest, between = disparity_to("recall_difference", tally, "rest"), disparity("recall_difference", tally)
    assert rest.estimate == pytest.approx(between.estimate)
    assert rest.high == pytest.approx(between.high)


def test_a_group_without_a_value_lets_nothing_pass() -> None:
    tally = Tally(np.array([[[20, 10], [0, 0]], [[50, 5], [30, 60]], [[50, 5], [30, 60]]]))
    found = disparity_to("recall_difference", tally, "overall")
    assert found.undefined == (0,)
    assert found.high == 1.0


@pytest.mark.parametrize("to", ["overall", "rest"])
@pytest.mark.parametrize("rates", [[0.5] * 6, [0.5] * 5 + [0.8]])
def test_each_side_errs_rarely(to: str, rates: list[float]) -> None:
    rng = np.random.default_rng(9)
    n, p = np.array([300, 100, 60, 40, 40, 40]), np.array(rates)
    overall = (n * p).sum() / n.sum()
    others = ((n * p).sum() - n * p) / (n.sum() - n)
    true = np.abs(p - (overall if to == "overall" else others)).max()
    above = below = 0
    for _ in range(800):
        hits = rng.binomial(n, p)
        counts = np.zeros((6, 2, 2), dtype=np.int64)
        counts[:, 1, 1], counts[:, 1, 0] = hits, n - hits
        found = disparity_to("recall_difference", Tally(counts), to)  # type: ignore[arg-type]
        above += (found.low or 0) > true + 1e-12
        below += (found.high or 0) < true - 1e-12
    assert above / 800 <= 0.045
    assert below / 800 <= 0.045


def test_what_cannot_be_compared_so() -> None:
    tally = Tally(np.ones((2, 2, 2), dtype=np.int64))
    for name in ("recall_group_min", "f1_difference", "recal_difference"):
        with pytest.raises(InputError):
            disparity_to(name, tally)
    with pytest.raises(InputError, match="no group 5"):
        disparity_to("recall_difference", tally, 5)
    assert measure("recall", tally).estimate[0] == 0.5
