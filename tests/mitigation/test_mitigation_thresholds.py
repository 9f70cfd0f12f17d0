"""Thresholds under limits: the linear programme against brute force, and Fairlearn's own rates as the oracle."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.evidence.predictions import proven
from evenhand.keys import Key
from evenhand.mitigation.curves import Curve, curves, shares_of
from evenhand.mitigation.demands import Demand, performance
from evenhand.mitigation.feasibility import definitions, infeasible
from evenhand.mitigation.mitigating import _problem
from evenhand.mitigation.programme import excluding, solve
from evenhand.mitigation.rates import Cells
from evenhand.mitigation.ruling import Ruled
from evenhand.mitigation.searching import thresholds
from evenhand.mitigation.threshold_optimizer import _made
from evenhand.subjects import as_subject
from evenhand.subjects.rules import Steps

if TYPE_CHECKING:
    from evenhand.mitigation.candidate import Problem


def table(rows: int = 800, seed: int = 0, shift: float = 0.25) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b"], rows, p=[0.4, 0.6])
    p = np.clip(rng.random(rows) * 0.75 + shift * (group == "b"), 0, 1)
    return pd.DataFrame({"p": np.round(p, 3), "group": group, "y": (rng.random(rows) < p).astype(int)})


def problem(rows: pd.DataFrame, limits: dict[str, Any], performance: str = "accuracy") -> Problem:
    data = eh.read_evaluation_set(rows, label="y", sensitive_features="group")
    model = proven(as_subject(lambda X: X["p"], name="by p", features=["p"]), data)
    policy = eh.load_policy({"limits": limits})
    options = eh.AuditOptions()
    return _problem(model, data, policy, Key.parse(performance), options, (), None)


LIMITS = [
    {"demographic_parity_difference[group]": {"at_most": 0.05}},
    {"equalized_odds_difference[group]": {"at_most": 0.05}},
    {"selection_rate_ratio[group]": {"at_least": 0.9}},
    {"recall[group=a]": {"at_least": 0.9}, "false_positive_rate[group=a]": {"at_most": 0.3}},
    {"recall_difference[group]": {"at_most": 0.02}, "accuracy": {"at_least": 0.6}},
    {"recall_group_min[group]": {"at_least": 0.8}, "accuracy_difference[group]": {"at_most": 0.1}},
]


@pytest.mark.parametrize("limits", LIMITS)
def test_demands_say_of_decisions_what_an_audit_measures(limits: dict[str, Any]) -> None:
    asked = problem(table(), limits)
    ruled = Ruled(asked)
    for cut in (0.2, 0.45, 0.7):
        decided = asked.scores >= cut
        shares = shares_of(asked.fit, decided.astype(float), ruled.cells)
        record = eh.audit_predictions(
            asked.fit.y_true, decided.astype(int), sensitive_features=asked.fit.table[["group"]]
        )
        for key in dict.fromkeys(demand.key for demand in ruled.demands):
            limit = next(limit for limit, one in asked.wanted if one == key)
            value = record[str(key)].estimate
            assert value is not None
            meets = value <= limit.at_most if limit.at_most is not None else value >= limit.bound
            said = [float(d.number.at(shares)) <= d.bound + 1e-9 for d in ruled.demands if d.key == key]
            assert all(said) == meets, (key, cut)


@pytest.mark.parametrize("limits", LIMITS)
def test_the_programme_is_no_worse_than_any_pair_of_thresholds(limits: dict[str, Any]) -> None:
    asked = problem(table(250, seed=1), limits)
    ruled = Ruled(asked)
    points = curves(asked.fit, asked.scores, ruled.cells)
    best = solve(points, ruled.demands, ruled.goal)
    found = -np.inf
    for one, other in product(*(curve.shares for curve in points)):
        shares = np.array([one[0], other[0], one[1], other[1]])
        if all(float(demand.number.at(shares)) <= demand.bound + 1e-9 for demand in ruled.demands):
            found = max(found, float(ruled.goal.at(shares)))
    if np.isfinite(found):
        assert best is not None
        assert float(ruled.goal.at(best.shares)) >= found - 1e-7
        cuts, met = thresholds(points, ruled.demands, ruled.goal, best.shares)
        assert met
        decided = np.where(ruled.cells.codes == 0, asked.scores >= cuts[0], asked.scores >= cuts[1])
        reached = float(ruled.goal.at(shares_of(asked.fit, decided.astype(float), ruled.cells)))
        assert found - 0.01 <= reached <= found + 1e-9


def test_whether_demands_can_be_met_agrees_with_brute_force_over_mixes() -> None:
    rng = np.random.default_rng(7)
    agreed = {True: 0, False: 0}
    for _ in range(60):
        curve = [Curve.of(rng.random(6), np.array([1, 1, 1, 0, 0, 0], dtype=np.int8), np.ones(6)) for _ in range(2)]
        cells = Cells(
            ("g",), np.array([0] * 6 + [1] * 6, dtype=np.int32), (("a",), ("b",)), np.full(2, 3.0), np.full(2, 3.0)
        )
        recall = [cells.rate("recall", np.array(who)) for who in ([True, False], [False, True])]
        wrong = [cells.rate("false_positive_rate", np.array(who)) for who in ([True, False], [False, True])]
        assert recall[0] and recall[1] and wrong[0] and wrong[1]
        low, high = rng.uniform(0.3, 1), rng.uniform(0, 0.5)
        demands = [Demand(Key.parse("recall"), each.times(-1), -low, -np.inf) for each in recall] + [
            Demand(Key.parse("false_positive_rate"), each, high, -np.inf) for each in wrong
        ]
        feasible = all(_reaches(each, low, high) for each in curve)
        assert (solve(curve, demands) is not None) == feasible
        assert bool(excluding(curve, demands)) == (not feasible)
        agreed[feasible] += 1
    assert min(agreed.values()) > 5


def _reaches(curve: Curve, low: float, high: float) -> bool:
    """Whether a mix of two points has a recall of `low` with false positives of `high` at most: all pairs, finely."""
    mix = np.linspace(0, 1, 2_001)[:, None]
    for one in curve.shares:
        for other in curve.shares:
            both = mix * one + (1 - mix) * other
            if ((both[:, 0] >= low - 5e-4) & (both[:, 1] <= high + 5e-4)).any():
                return True
    return False


def test_a_randomized_rule_selects_the_shares_that_the_programme_promises() -> None:
    asked = problem(table(6_000, seed=2), {"equalized_odds_difference[group]": {"at_most": 0.01}})
    ruled = Ruled(asked)
    best = solve(curves(asked.fit, asked.scores, ruled.cells), ruled.demands, ruled.goal)
    assert best is not None
    chances = ruled.subject(best.steps, "mixed").rule
    assert chances is not None
    promised = shares_of(asked.fit, chances.chances(asked.fit.table, asked.scores), ruled.cells)
    assert np.allclose(promised, best.shares, atol=1e-6)


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds", "true_positive_rate_parity"])
def test_our_rule_has_the_chances_of_fairlearns_own(constraint: str) -> None:
    from fairlearn.postprocessing import ThresholdOptimizer
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Frozen(ClassifierMixin, BaseEstimator):
        def fit(self, X: Any, y: Any) -> Any:
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, X: Any) -> Any:
            return np.asarray(X)[:, 0]

    asked = problem(table(), {"demographic_parity_difference[group]": {"at_most": 0.05}})
    ours: Any = _made(asked, constraint, 0.0, "ours", asked.fit, 0)
    rows = asked.fit.table
    theirs = ThresholdOptimizer(estimator=Frozen(), constraints=constraint, prefit=True, predict_method="predict")
    theirs.fit(rows[["p"]], rows["y"], sensitive_features=rows["group"])
    wanted = theirs._pmf_predict(rows[["p"]], sensitive_features=rows["group"])[:, 1]
    assert np.allclose(ours.rule.chances(rows, asked.scores), wanted, atol=1e-12)
    drawn = ours.predict(rows) >= 0.5
    assert abs(drawn.mean() - wanted.mean()) < 4 * np.sqrt((wanted * (1 - wanted)).sum()) / len(rows) + 1e-9


def unlike(rows: int = 4_000) -> pd.DataFrame:
    """Rows whose groups' base rates are far apart, with scores that nearly tell the truth."""
    rng = np.random.default_rng(0)
    group = rng.choice(["a", "b"], rows)
    y = rng.random(rows) < np.where(group == "a", 0.2, 0.7)
    p = np.clip(np.where(y, 0.7, 0.3) + rng.normal(0, 0.1, rows), 0, 1)
    return pd.DataFrame({"p": p, "group": group, "y": y.astype(int)})


def test_limits_that_exclude_each_other_are_named_and_the_others_are_not() -> None:
    limits = {
        "selection_rate_difference[group]": {"at_most": 0.05},
        "accuracy": {"at_least": 0.9},
        "recall[group=a]": {"at_least": 0.1},
    }
    said = infeasible(problem(unlike(), limits))
    assert said.startswith("No threshold meets both limits on these rows")
    assert "selection_rate_difference[group] <= 0.05; accuracy >= 0.90" in said
    assert "recall" not in said
    del limits["accuracy"]
    assert infeasible(problem(unlike(), limits)) == ""


def test_definitions_that_exclude_each_other_are_told_with_their_sources() -> None:
    pairs = [
        (("selection_rate_difference[g]", "equalized_odds_difference[g]"), "Barocas, Hardt and Narayanan"),
        (("precision_difference[g]", "false_positive_rate_difference[g]"), "Chouldechova 2017"),
        (("selection_rate_difference[g]", "accuracy"), ""),
        (("selection_rate_difference[g]", "recall_group_min[g]"), ""),
    ]
    for keys, source in pairs:
        said = " ".join(definitions(tuple(map(Key.parse, keys))))
        assert (source in said) if source else said == ""


def test_a_curve_selects_what_its_thresholds_select() -> None:
    rng = np.random.default_rng(5)
    scores, truth, weight = rng.random(3_000).round(2), rng.integers(0, 2, 3_000).astype(np.int8), rng.random(3_000)
    for curve in (Curve.of(scores, truth, weight), Curve.at(scores, truth, weight, np.linspace(1, 0, 33))):
        for threshold, shares in zip(curve.thresholds, curve.shares, strict=True):
            for at, wanted in enumerate((1, 0)):
                here = truth == wanted
                assert abs(shares[at] - weight[here & (scores >= threshold)].sum() / weight[here].sum()) < 1e-9


def test_performance_that_is_not_linear_is_accuracy_for_thresholds() -> None:
    asked = problem(table(), LIMITS[0], "roc_auc")
    cells = Cells.of(asked.fit, ("group",))
    number, accuracy = performance(asked.performance, asked.fit, cells), cells.rate("accuracy", np.ones(2, dtype=bool))
    assert accuracy is not None
    assert (number.weights == accuracy.weights).all()


def test_steps_refuse_what_is_no_chance() -> None:
    from evenhand.errors import ModelError

    with pytest.raises(ModelError, match="between 0 and 1"):
        Steps((0.5,), (0.0, 1.5))
    with pytest.raises(ModelError, match="one more is needed"):
        Steps((0.5,), (1.0,))
