"""Beside scikit-learn and fairlearn: equal to 1e-12 wherever both define a value, different on purpose where not."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import fairlearn.metrics as fair
import numpy as np
import pytest
import sklearn.metrics as sk
from scipy.special import rel_entr

from evenhand.metrics import (
    METRICS,
    Tally,
    brier_score,
    disparity,
    log_loss,
    measure,
    roc_auc,
    score_disparity,
)
from evenhand.metrics.comparisons.group_inequality import class_imbalance, kl_divergence

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Oracle = Callable[..., float]

GROUPS = 5


@pytest.fixture(params=[0, 1, 2])
def rows(request: pytest.FixtureRequest) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(request.param)
    n = 900
    codes = rng.choice(GROUPS, n, p=[0.5, 0.3, 0.1, 0.06, 0.04])
    truth = (rng.random(n) < 0.3 + 0.1 * codes).astype(int)
    score = np.clip(0.35 * truth + 0.6 * rng.random(n), 0, 1)
    return {
        "y_true": truth,
        "y_pred": (score > 0.45 + 0.03 * codes).astype(int),
        "score": score,
        "codes": codes,
        "weight": rng.gamma(2.0, 1.0, n),
    }


def specificity(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    return float(fair.true_negative_rate(y_true, y_pred, sample_weight=sample_weight))


def error_rate(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    return float(sk.zero_one_loss(y_true, y_pred, sample_weight=sample_weight))


def base_rate(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    return float(np.average(np.asarray(y_true), weights=sample_weight))


def negative_precision(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    return float(sk.precision_score(y_true, y_pred, pos_label=0, sample_weight=sample_weight))


def false_discovery(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    return 1 - float(sk.precision_score(y_true, y_pred, sample_weight=sample_weight))


def false_omission(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    return 1 - negative_precision(y_true, y_pred, sample_weight)


def _benefit(y_true: object, y_pred: object, sample_weight: object) -> tuple[np.ndarray, np.ndarray]:
    benefit = np.asarray(y_pred, dtype=float) - np.asarray(y_true, dtype=float) + 1
    return benefit / np.average(benefit, weights=sample_weight), benefit  # type: ignore[arg-type]


def entropy(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    share, _ = _benefit(y_true, y_pred, sample_weight)
    return float(np.average(share**2 - 1, weights=sample_weight) / 2)  # type: ignore[arg-type]


def theil(y_true: object, y_pred: object, sample_weight: object = None) -> float:
    share, _ = _benefit(y_true, y_pred, sample_weight)
    logs = np.where(share > 0, share * np.log(np.where(share > 0, share, 1)), 0)
    return float(np.average(logs, weights=sample_weight))  # type: ignore[arg-type]


def wrong_by_wrong(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    one = np.ones(len(y_true)) if sample_weight is None else sample_weight
    false_positives = one[(y_true == 0) & (y_pred == 1)].sum()
    return float(one[(y_true == 1) & (y_pred == 0)].sum() / false_positives) if false_positives else float("nan")


def variation(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    return float(np.sqrt(2 * entropy(y_true, y_pred, sample_weight)))


def rejection(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    return float(fair.selection_rate(y_true, y_pred, pos_label=0, sample_weight=sample_weight))


def predictive_value(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """AIF360 halves the sum of the gaps in these two, so its difference is one of their halved sums."""
    upper = sk.precision_score(y_true, y_pred, sample_weight=sample_weight)
    return float(upper + false_omission(y_true, y_pred, sample_weight)) / 2


ORACLES: dict[str, Oracle] = {
    "average_predictive_value": predictive_value,
    "matthews_correlation": sk.matthews_corrcoef,
    "cohen_kappa": sk.cohen_kappa_score,
    "generalized_entropy": entropy,
    "theil_index": theil,
    "coefficient_of_variation": variation,
    "rejection_rate": rejection,
    "stereotype_rate": fair.selection_rate,
    "treatment_equality": wrong_by_wrong,
    "accuracy": sk.accuracy_score,
    "error_rate": error_rate,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
    "specificity": specificity,
    "false_positive_rate": fair.false_positive_rate,
    "false_negative_rate": fair.false_negative_rate,
    "selection_rate": fair.selection_rate,
    "favourable_rate": fair.selection_rate,
    "base_rate": base_rate,
    "negative_predictive_value": negative_precision,
    "false_discovery_rate": false_discovery,
    "false_omission_rate": false_omission,
}


def test_every_count_metric_has_an_oracle() -> None:
    counted = {name for name, m in METRICS.items() if m.kind in ("rate", "composite") and m.task == "binary"}
    elsewhere = {"net_benefit", "net_benefit_of_all", "net_benefit_gain"}  # by hand in test_metrics_net_benefit.py
    assert counted - set(ORACLES) - elsewhere <= {"flip_rate", "scoring_rate"}


@pytest.mark.parametrize("name", sorted(set(ORACLES) & set(METRICS)))
@pytest.mark.parametrize("weighted", [False, True])
def test_rates_of_every_group(name: str, weighted: bool, rows: dict[str, NDArray[np.float64]]) -> None:
    weight = rows["weight"] if weighted else None
    tally = Tally.count(rows["y_true"], rows["y_pred"], rows["codes"], GROUPS, weight)
    found = measure(name, tally)
    for group in range(GROUPS):
        mine = rows["codes"] == group
        theirs = ORACLES[name](
            rows["y_true"][mine], rows["y_pred"][mine], sample_weight=None if weight is None else weight[mine]
        )
        assert found.estimate[group] == pytest.approx(theirs, abs=1e-12, nan_ok=True)
    whole = measure(name, tally.overall()).estimate[0]
    assert whole == pytest.approx(ORACLES[name](rows["y_true"], rows["y_pred"], sample_weight=weight), abs=1e-12)


@pytest.mark.parametrize("name", ["selection_rate", "recall", "precision", "accuracy", "false_positive_rate", "f1"])
@pytest.mark.parametrize("weighted", [False, True])
def test_disparities(name: str, weighted: bool, rows: dict[str, NDArray[np.float64]]) -> None:
    weight = rows["weight"] if weighted else None
    frame = fair.MetricFrame(
        metrics=ORACLES[name],
        y_true=rows["y_true"],
        y_pred=rows["y_pred"],
        sensitive_features=rows["codes"],
        sample_params=None if weight is None else {"sample_weight": weight},
    )
    tally = Tally.count(rows["y_true"], rows["y_pred"], rows["codes"], GROUPS, weight)
    theirs = {
        "difference": frame.difference(),
        "ratio": frame.ratio(),
        "group_min": frame.group_min(),
        "group_max": frame.group_max(),
    }
    for how, value in theirs.items():
        assert disparity(f"{name}_{how}", tally).estimate == pytest.approx(value, abs=1e-12), how


FAIRLEARN = {
    "demographic_parity_difference": fair.demographic_parity_difference,
    "demographic_parity_ratio": fair.demographic_parity_ratio,
    "equalized_odds_difference": fair.equalized_odds_difference,
    "equalized_odds_ratio": fair.equalized_odds_ratio,
    "equal_opportunity_difference": fair.equal_opportunity_difference,
    "equal_opportunity_ratio": fair.equal_opportunity_ratio,
}


@pytest.mark.parametrize("name", sorted(FAIRLEARN))
@pytest.mark.parametrize("weighted", [False, True])
def test_fairlearns_own_disparities_by_their_own_names(
    name: str, weighted: bool, rows: dict[str, NDArray[np.float64]]
) -> None:
    weight = rows["weight"] if weighted else None
    theirs = FAIRLEARN[name](rows["y_true"], rows["y_pred"], sensitive_features=rows["codes"], sample_weight=weight)
    tally = Tally.count(rows["y_true"], rows["y_pred"], rows["codes"], GROUPS, weight)
    assert disparity(name, tally).estimate == pytest.approx(theirs, abs=1e-12)


def _shares(y_pred: NDArray[np.float64], weight: NDArray[np.float64]) -> list[float]:
    """AIF360's base_rate by label: the share of each label, here of the two decisions."""
    return [float(np.average(y_pred == label, weights=weight)) for label in (0, 1)]


@pytest.mark.parametrize("weighted", [False, True])
def test_what_aif360_has_for_two_groups_is_the_greatest_over_all(
    weighted: bool, rows: dict[str, NDArray[np.float64]]
) -> None:
    """AIF360: KL(privileged || unprivileged) over labels; (N_u - N_p) / (N_u + N_p); mean gap in PPV and FOR."""
    codes, weight = rows["codes"], rows["weight"] if weighted else np.ones(len(rows["codes"]))
    parts = [codes == group for group in range(GROUPS)]
    pairs = [(one, other) for one in parts for other in parts if one is not other]
    shares = {id(part): _shares(rows["y_pred"][part], weight[part]) for part in parts}
    apart = [rel_entr(shares[id(one)], shares[id(other)]).sum() for one, other in pairs]
    sizes = [(weight[one].sum(), weight[other].sum()) for one, other in pairs]
    values = {id(part): predictive_value(rows["y_true"][part], rows["y_pred"][part], weight[part]) for part in parts}
    tally = Tally.count(rows["y_true"], rows["y_pred"], codes, GROUPS, weight if weighted else None)
    assert kl_divergence(tally) == pytest.approx(max(apart), abs=1e-12)
    assert class_imbalance(tally) == pytest.approx(max((n - m) / (n + m) for n, m in sizes), abs=1e-12)
    found = disparity("average_predictive_value_difference", tally)
    gaps = [values[id(one)] - values[id(other)] for one, other in pairs]
    assert found.estimate == pytest.approx(max(gaps), abs=1e-12)
    assert found.low <= found.estimate <= found.high


def test_a_divergence_has_no_value_where_it_is_infinite_or_alone() -> None:
    never = Tally(np.array([[[30, 0], [20, 0]], [[20, 10], [10, 20]]]))
    assert kl_divergence(never) == np.inf
    assert kl_divergence(Tally(never.counts[[0, 0]])) == 0
    assert np.isnan(kl_divergence(Tally(never.counts[:1])))
    assert np.isnan(class_imbalance(Tally(never.counts[:1])))


def test_scores_of_every_group(rows: dict[str, NDArray[np.float64]]) -> None:
    y, score, codes = rows["y_true"], rows["score"], rows["codes"]
    ours = {
        "auc": roc_auc(y, score, codes, GROUPS).estimate,
        "brier": brier_score(y, score, codes, GROUPS).estimate,
        "loss": log_loss(y, score, codes, GROUPS).estimate,
    }
    theirs = {"auc": sk.roc_auc_score, "brier": sk.brier_score_loss, "loss": sk.log_loss}
    for group in range(GROUPS):
        mine = codes == group
        for name, oracle in theirs.items():
            assert ours[name][group] == pytest.approx(oracle(y[mine], score[mine]), abs=1e-12), name
    areas = [sk.roc_auc_score(y[codes == group], score[codes == group]) for group in range(GROUPS)]
    gap = score_disparity("roc_auc_difference", y, score, codes, GROUPS).estimate
    assert gap == pytest.approx(max(areas) - min(areas), abs=1e-12)


def test_tied_scores_count_half() -> None:
    y, score = np.array([0, 1, 0, 1, 1]), np.array([0.3, 0.3, 0.3, 0.7, 0.3])
    assert roc_auc(y, score, np.zeros(5, dtype=int)).estimate[0] == pytest.approx(sk.roc_auc_score(y, score))


class TestWhereWeDifferOnPurpose:
    """A group without positives has no recall. Fairlearn takes it for 0 and reports the greatest gap there is."""

    y_true = np.array([1, 1, 0, 0, 0, 0])
    y_pred = np.array([1, 1, 0, 0, 0, 1])
    codes = np.array([0, 0, 0, 1, 1, 1])

    def test_the_peer_invents_a_gap(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = fair.equal_opportunity_difference(self.y_true, self.y_pred, sensitive_features=self.codes)
        assert theirs == 1.0

    def test_ours_is_undefined_with_a_reason_and_the_group_stays(self) -> None:
        tally = Tally.count(self.y_true, self.y_pred, self.codes, 2)
        found = disparity("equal_opportunity_difference", tally)
        assert found.estimate is None
        assert found.undefined == (1,)
        assert "nothing to compare" in found.reason
        values = measure("recall", tally)
        assert np.isnan(values.estimate[1])
        assert values.reason[1] == "No row whose truth is positive: recall is 0 of 0."

    def test_with_three_groups_the_gap_is_over_the_two_that_have_a_value_and_open_above(self) -> None:
        codes = np.array([0, 2, 0, 1, 1, 1])
        found = disparity("recall_difference", Tally.count(self.y_true, self.y_pred, codes, 3))
        assert found.estimate == 0.0
        assert found.high == 1.0, "nothing can pass a limit because a group has no value"
