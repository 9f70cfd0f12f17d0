"""What scores are worth: errors beside chance, sets that keep their promise, corrections, rows outside."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.probing.uncertainty.calibration import calibration_excess
from evenhand.probing.uncertainty.conformal import (
    adaptive_scores,
    group_thresholds,
    least_rows,
    overlapping_thresholds,
    quantile_scores,
    sets,
    threshold,
)
from evenhand.probing.uncertainty.halves import halves
from evenhand.probing.uncertainty.outside import outside
from evenhand.probing.uncertainty.recalibration import METHODS, recalibrated
from evenhand.probing.uncertainty.venn_abers import VennAbers

DRAWS = 1_000


def test_a_calibrated_model_of_any_size_is_called_so_and_a_shifted_one_is_not() -> None:
    """The calibration error itself is .09 at 50 rows, so a limit of .05 on it fails every small group."""
    rng = np.random.default_rng(0)
    for rows, times in ((50, 400), (200, 300), (2_000, 100)):
        above = surprising = 0
        for seed in range(times):
            score = rng.beta(0.6, 0.9, size=rows)
            found = calibration_excess(rng.uniform(size=rows) < score, score, seed=seed, draws=300)
            above += found.low[0] > 0
            surprising += found.p_value[0] <= 0.05
        error = 2 * (0.05 * 0.95 / times) ** 0.5
        assert above / times <= 0.05 + error
        assert surprising / times <= 0.05 + error
    assert calibration_excess(rng.uniform(size=2_000) < 0.5 * score, score).low[0] > 0.1


def test_the_interval_of_the_error_holds_the_true_one() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(200):
        score = np.repeat([0.1, 0.3, 0.5, 0.9], 40)
        truth = np.repeat([0.1, 0.4, 0.5, 0.7], 40)
        found = calibration_excess(rng.uniform(size=160) < truth, score, seed=seed, draws=300)
        held += found.low[0] <= 0.075 <= found.high[0]
    assert held >= 190 - 6


def test_a_group_without_rows_has_no_error() -> None:
    found = calibration_excess([0, 1, 0], [0.2, 0.6, 0.4], [0, 0, 2], 3)
    assert found.rows.tolist() == [2, 0, 1]
    assert np.isnan(found.error).tolist() == [False, True, False]


def drawn(rng: np.random.Generator, rows: int, draws: int) -> tuple[np.ndarray, ...]:
    """Nonconformity in two overlapping features, worst where both are 1; (draws, rows) each."""
    sex, race = (rng.uniform(size=(draws, rows)) < share for share in (0.5, 0.2))
    return (sex * 1, race * 1, rng.exponential(1 + sex + 3 * race * sex, size=(draws, rows)))


def test_overlapping_groups_all_have_the_promised_coverage_in_a_thousand_draws() -> None:
    """One threshold for all covers the intersection at .6; the greatest of a row's groups covers each group."""
    rng = np.random.default_rng(2)
    rows, new = 200, 50
    covered = {name: np.zeros((2, 2, DRAWS)) for name in ("marginal", "sex", "overlapping")}
    number = np.zeros((2, 2, DRAWS))
    for draw in range(DRAWS):
        sex, race, score = (part[0] for part in drawn(rng, rows + new, 1))
        fit, judged = slice(0, rows), slice(rows, None)
        codes = [sex, race, 2 * sex + race]
        limits = {
            "marginal": np.full(new, threshold(score[fit])),
            "sex": group_thresholds(score[fit], sex[fit], 2)[sex[judged]],
            "overlapping": overlapping_thresholds(score[fit], [c[fit] for c in codes], [c[judged] for c in codes]),
        }
        for one, other in product((0, 1), (0, 1)):
            mine = (sex[judged] == one) & (race[judged] == other)
            number[one, other, draw] = mine.sum()
            for name, limit in limits.items():
                covered[name][one, other, draw] = (score[judged] <= limit)[mine].sum()

    def share(name: str, *index: object) -> float:
        return float(covered[name][index].sum() / number[index].sum())

    everything = slice(None)
    groups = [(everything, everything), *((s, everything) for s in (0, 1)), *((everything, r) for r in (0, 1))]
    groups += list(product((0, 1), (0, 1)))
    for group in groups:
        assert share("overlapping", *group) >= 0.9 - 0.01
    assert share("marginal", 1, 1) < 0.75
    assert all(0.89 <= share("sex", sex, everything) <= 0.93 for sex in (0, 1))
    assert share("sex", 1, 1) < 0.8


def test_the_parts_that_are_fitted_and_judged_on_are_alike_in_coverage() -> None:
    """Halves are shared out by class and group: over many sets of rows the promise holds for each class."""
    rng, found = np.random.default_rng(11), []
    for _ in range(60):
        score, group = rng.uniform(size=400), rng.choice(["a", "b"], 400)
        true = (rng.uniform(size=400) < score).astype(int)
        data = eh.read_evaluation_set({"y": true, "g": group, "p": score}, label="y", sensitive_features="g")
        fitted, judged = halves(data)
        wrong = np.where(true == 1, 1 - score, score)
        limit = group_thresholds(wrong[fitted], true[fitted], 2)[true[judged]]
        found.append([(wrong[judged] <= limit)[true[judged] == name].mean() for name in (0, 1)])
    assert np.abs(np.mean(found, axis=0) - 0.9).max() < 0.025


def test_a_group_of_too_few_rows_gets_every_class_or_no_promise() -> None:
    assert least_rows(0.9) == 9
    codes = [np.array([0] * 30 + [1] * 8)]
    scores = np.linspace(0, 1, 38)
    assert np.isinf(overlapping_thresholds(scores, codes, [np.array([1])]))
    assert overlapping_thresholds(scores, codes, [np.array([1])], finite=True) == threshold(scores)
    assert sets([[0.99, 0.01]], np.inf).all()


def test_thresholds_and_sets_are_those_of_mapie() -> None:
    mapie = pytest.importorskip("mapie.classification")
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    X = rng.normal(size=(900, 3))
    y = (X @ [1, -1, 0.5] + rng.normal(size=900) > 0).astype(int) + (X[:, 0] > 1)
    model = LogisticRegression().fit(X[:300], y[:300])
    theirs = mapie.SplitConformalClassifier(model, confidence_level=0.9, conformity_score="lac", prefit=True)
    expected = theirs.conformalize(X[300:600], y[300:600]).predict_set(X[600:])[1][:, :, 0]
    probability = model.predict_proba(X)
    limit = threshold(1 - probability[np.arange(300, 600), y[300:600]], 0.9)
    assert (sets(probability[600:], limit) == expected).all()


def test_intervals_are_those_of_mapie() -> None:
    mapie = pytest.importorskip("mapie.regression")
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(4)
    X = rng.normal(size=(400, 2))
    y = X[:, 0] + rng.normal(size=400)
    model = LinearRegression().fit(X[:100], y[:100])
    theirs = mapie.SplitConformalRegressor(model, confidence_level=0.8, prefit=True).conformalize(
        X[100:300], y[100:300]
    )
    ends = theirs.predict_interval(X[300:])[1][:, :, 0]
    said = model.predict(X)
    limit = threshold(np.abs(y - said)[100:300], 0.8)
    np.testing.assert_allclose(ends, np.column_stack([said[300:] - limit, said[300:] + limit]))


def test_venn_abers_is_two_isotonic_fits_with_the_row_added() -> None:
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(5)
    for _ in range(40):
        score = np.round(rng.uniform(size=rng.integers(2, 40)), rng.integers(1, 4))
        true = (rng.uniform(size=len(score)) < score).astype(int)
        new = np.concatenate([score[:4], rng.uniform(-0.1, 1.1, size=6)])
        for truth, found in zip((0, 1), VennAbers(score, true).pair(new), strict=True):
            expected = [IsotonicRegression().fit([*score, row], [*true, truth]).predict([row])[0] for row in new]
            np.testing.assert_allclose(found, expected, atol=1e-12)


def test_sigmoid_and_temperature_are_those_of_scikit_learn() -> None:
    """Platt's own targets and a temperature by another search are within a thousandth."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(6)
    X = rng.normal(size=(4_000, 2))
    y = (X[:, 0] + rng.normal(size=4_000) > 0).astype(int)
    model = LogisticRegression().fit(X[:50], y[:50])
    said = model.predict_proba(X)[:, 1]
    for method in ("sigmoid", "isotonic"):
        theirs = CalibratedClassifierCV(FrozenEstimator(model), method=method).fit(X[:3_000], y[:3_000])
        ours = recalibrated(method, said[:3_000], y[:3_000], said[3_000:])
        np.testing.assert_allclose(ours, theirs.predict_proba(X[3_000:])[:, 1], atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_an_overconfident_model_is_corrected_by_every_method(method: str) -> None:
    rng = np.random.default_rng(7)
    odds = rng.normal(size=6_000)
    true = rng.uniform(size=6_000) < 1 / (1 + np.exp(-odds))
    said = 1 / (1 + np.exp(-4 * odds))
    found = recalibrated(method, said[:3_000], true[:3_000], said[3_000:])
    truth = 1 / (1 + np.exp(-odds[3_000:]))
    assert np.abs(found - truth).mean() < 0.04 < np.abs(said[3_000:] - truth).mean()


def test_shifted_rows_are_outside_and_others_are_seldom() -> None:
    rng = np.random.default_rng(8)

    def people(rows: int, shift: float = 0.0) -> pd.DataFrame:
        table = pd.DataFrame(rng.normal(shift, 1, size=(rows, 4)), columns=list("abcd"))
        return table.assign(job=rng.choice(["x", "y"], rows))

    training = people(3_000)
    same, moved, strange = people(2_000), people(200, 5.0), people(200).assign(job="never seen")
    found = outside(pd.concat([same, moved, strange], ignore_index=True), training)
    assert found is not None
    assert found.rows[:2_000].mean() < 0.03
    assert found.rows[2_000:2_200].mean() > 0.95
    assert outside(same, training.iloc[:100]) is None


def test_missing_cells_that_training_rows_never_had_are_outside() -> None:
    rng = np.random.default_rng(9)
    training = pd.DataFrame({"a": rng.normal(size=1_000), "b": rng.normal(size=1_000)})
    new = training.iloc[:2].copy()
    new.loc[new.index[0], "a"] = np.nan
    found = outside(new, training)
    assert found is not None
    assert found.rows.tolist() == [True, False]


def test_halves_are_complete_and_keep_clusters_together() -> None:
    rows = {"y": [0, 1] * 60, "g": ["a", "b", "b"] * 40, "p": [0.5] * 120, "home": np.repeat(np.arange(40), 3)}
    data = eh.read_evaluation_set(pd.DataFrame(rows), label="y", sensitive_features="g", cluster="home")
    fitted, judged = halves(data, 3)
    assert sorted([*fitted, *judged]) == list(range(120))
    home = data.table["home"].to_numpy()
    assert not set(home[fitted]) & set(home[judged])


def test_adaptive_sets_are_those_of_mapie() -> None:
    """With the numbers that MAPIE draws: it drops the last class by the drawn part, and we count that part of it."""
    mapie = pytest.importorskip("mapie.classification")
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(16)
    X = rng.normal(size=(900, 3))
    y = (X @ [1, -1, 0.5] + rng.normal(size=900) > 0).astype(int) + 2 * (X[:, 0] + rng.normal(size=900) > 1)
    model = LogisticRegression().fit(X[:300], y[:300])
    theirs = mapie.SplitConformalClassifier(
        model, confidence_level=0.9, conformity_score="aps", prefit=True, random_state=7
    ).conformalize(X[300:600], y[300:600])
    expected = theirs.predict_set(X[600:], conformity_score_params={"include_last_label": "randomized"})[1][:, :, 0]
    probability, drawn = model.predict_proba(X), np.random.RandomState(7).uniform(size=300)
    fit = adaptive_scores(probability[300:600], 1 - drawn)[np.arange(300), y[300:600]]
    new = adaptive_scores(probability[600:], 1 - drawn)
    assert ((new <= threshold(fit)) == expected).all()
    assert len(set(expected.sum(axis=1))) > 2


def test_adaptive_sets_cover_in_a_thousand_draws_and_widen_for_hard_rows() -> None:
    """Of a calibrated model, the least ambiguous sets miss hard rows more often; adaptive ones cover all alike."""
    rng = np.random.default_rng(17)
    draws, rows, fit = 1_000, 150, 100
    hard = rng.uniform(size=draws * rows) < 0.3
    chances = np.where(hard[:, None], rng.dirichlet([5] * 4, len(hard)), rng.dirichlet([0.1] * 4, len(hard)))
    true = (chances.cumsum(axis=1) > rng.uniform(size=len(hard))[:, None]).argmax(axis=1)
    by = {"adaptive": adaptive_scores(chances, rng.uniform(size=len(hard))), "least": 1 - chances}
    covered = {}
    for name, scores in by.items():
        mine = scores[np.arange(len(hard)), true].reshape(draws, rows)
        limit = np.partition(mine[:, :fit], int(np.ceil((fit + 1) * 0.9)) - 1)[:, [int(np.ceil((fit + 1) * 0.9)) - 1]]
        covered[name] = mine[:, fit:] <= limit
        assert covered[name].mean() == pytest.approx(0.9, abs=0.01)
    of_hard = {name: hit[hard.reshape(draws, rows)[:, fit:]].mean() for name, hit in covered.items()}
    assert of_hard["least"] < 0.8
    assert of_hard["adaptive"] > 0.87


def test_intervals_from_quantiles_are_those_of_mapie() -> None:
    mapie = pytest.importorskip("mapie.regression")
    from sklearn.linear_model import QuantileRegressor

    rng = np.random.default_rng(18)
    X = rng.uniform(size=(400, 1))
    y = X[:, 0] + rng.normal(size=400) * (0.2 + X[:, 0])
    low, high, middle = (QuantileRegressor(quantile=at, alpha=0).fit(X[:100], y[:100]) for at in (0.1, 0.9, 0.5))
    theirs = mapie.ConformalizedQuantileRegressor([low, high, middle], confidence_level=0.8, prefit=True)
    ends = theirs.conformalize(X[100:300], y[100:300]).predict_interval(X[300:], symmetric_correction=True)[1][:, :, 0]
    least, most = low.predict(X), high.predict(X)
    limit = threshold(quantile_scores(y[100:300], least[100:300], most[100:300]), 0.8)
    np.testing.assert_allclose(ends, np.column_stack([least[300:] - limit, most[300:] + limit]))
