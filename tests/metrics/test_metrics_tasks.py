"""Several classes, several labels, numbers, lists: equal to scikit-learn, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk

import evenhand as eh
from evenhand.metrics import METRICS, Tally, compare, measure
from evenhand.metrics.comparisons.distributions import equalized_odds_distance, score_distance, selection_distance
from evenhand.metrics.comparisons.group_inequality import between_group_entropy
from evenhand.metrics.inference.intervals import clopper_pearson
from evenhand.metrics.inference.share_functions import ShareFunction, limits
from evenhand.metrics.values.composites import COMPOSITES, composite
from evenhand.metrics.values.multilabel import f1_over_labels, hamming_loss, subset_accuracy
from evenhand.metrics.values.ranking import exposure, exposure_to_merit, ndcg, places
from evenhand.metrics.values.regression import NUMBERS, measure_numbers, moments

GROUPS, CLASSES = 3, 4


@pytest.fixture
def classed() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    true = rng.choice(CLASSES, 800, p=[0.4, 0.3, 0.2, 0.1])
    predicted = np.where(rng.random(800) < 0.7, true, rng.choice(CLASSES, 800))
    return true, predicted, rng.choice(GROUPS, 800, p=[0.6, 0.3, 0.1]), rng.gamma(2.0, 1.0, 800)


SKLEARN = {
    "macro_recall": lambda t, p, w: sk.recall_score(t, p, average="macro", sample_weight=w),
    "macro_precision": lambda t, p, w: sk.precision_score(t, p, average="macro", sample_weight=w),
    "macro_f1": lambda t, p, w: sk.f1_score(t, p, average="macro", sample_weight=w),
    "weighted_precision": lambda t, p, w: sk.precision_score(t, p, average="weighted", sample_weight=w),
    "weighted_f1": lambda t, p, w: sk.f1_score(t, p, average="weighted", sample_weight=w),
    "matthews_correlation": lambda t, p, w: sk.matthews_corrcoef(t, p, sample_weight=w),
    "cohen_kappa": lambda t, p, w: sk.cohen_kappa_score(t, p, sample_weight=w),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", sorted(SKLEARN))
def test_metrics_over_classes(name: str, weighted: bool, classed: tuple[np.ndarray, ...]) -> None:
    true, predicted, codes, weight = classed
    tally = Tally.count(true, predicted, codes, GROUPS, weight if weighted else None, n_classes=CLASSES)
    for group in range(GROUPS):
        mine = codes == group
        theirs = SKLEARN[name](true[mine], predicted[mine], weight[mine] if weighted else None)
        assert measure(name, tally).estimate[group] == pytest.approx(theirs, abs=1e-12)


def test_one_class_against_the_rest_and_right_against_wrong(classed: tuple[np.ndarray, ...]) -> None:
    true, predicted, codes, weight = classed
    clusters = np.arange(len(true)) // 5
    tally = Tally.count(true, predicted, codes, GROUPS, weight, clusters=clusters, n_classes=CLASSES)
    for chosen in range(CLASSES):
        direct = Tally.count(true == chosen, predicted == chosen, codes, GROUPS, weight, clusters=clusters)
        folded = tally.one_vs_rest(chosen)
        assert np.array_equal(folded.counts, direct.counts)
        np.testing.assert_allclose(folded.squared_weights, direct.squared_weights)
        np.testing.assert_allclose(folded.moments, direct.moments)
    right = measure("accuracy", tally.agreement()).estimate
    weights = [np.average((true == predicted)[codes == g], weights=weight[codes == g]) for g in range(GROUPS)]
    np.testing.assert_allclose(right, weights)


@pytest.mark.parametrize("name", sorted(COMPOSITES))
def test_the_complex_step_is_the_gradient(name: str) -> None:
    """Moving a tenth of a row into each cell changes the value as the gradient says."""
    size = 2 if METRICS[name].task == "binary" else 3
    what, cells = composite(name, size), np.random.default_rng(1).uniform(50, 400, (size * size, 1))
    slopes = what.gradient(cells)[:, 0]
    moved = [
        (what.value(cells + step) - what.value(cells - step))[0] / 0.2 for step in 0.1 * np.eye(size**2)[..., None]
    ]
    np.testing.assert_allclose(slopes, moved, rtol=1e-5, atol=1e-9)
    assert slopes @ cells[:, 0] == pytest.approx(0, abs=1e-9), "it does not change with the number of rows"


@pytest.mark.parametrize("rows", [5, 30, 10_000])
def test_limits_of_a_share_are_those_of_clopper_and_pearson(rows: int) -> None:
    """A share is a function of cells, too, and the row that is added makes its limits exact."""
    hits = np.unique(np.linspace(0, rows, 6).astype(int))
    share = ShareFunction(lambda sums: sums[0] / sums[1], np.array([[1.0, 0.0], [1.0, 1.0]]))
    found = limits(share, np.array([hits, rows - hits], dtype=float), 1.96)
    np.testing.assert_allclose(found, clopper_pearson(hits, rows, 1.96), atol=2.5e-3)


@pytest.mark.parametrize("name", sorted(COMPOSITES))
@pytest.mark.parametrize(("rows", "base"), [(10, 0.5), (30, 0.1), (100, 0.02), (400, 0.5)])
def test_composites_cover(name: str, rows: int, base: float) -> None:
    """Neither end errs more than 2.5 %, but for the noise of 2,000 samples; the cells of the issue are in covering."""
    shares = np.array([[0.8, 0.2], [0.2, 0.8]]) * [[1 - base], [base]]
    truth = composite(name, 2).value(1e6 * shares.reshape(4, 1))[0]
    drawn = np.random.default_rng(2).multinomial(rows, shares.ravel(), 2_000)
    kinds, times = np.unique(drawn, axis=0, return_counts=True)
    found = measure(name, Tally(kinds.reshape(-1, 2, 2)))
    for missed in (found.high < truth, found.low > truth):
        assert times[missed].sum() <= 2_000 * 0.025 + 3 * np.sqrt(2_000 * 0.025)


def test_limits_do_not_depend_on_the_other_groups() -> None:
    drawn = np.random.default_rng(3).multinomial(60, [0.3, 0.1, 0.2, 0.4], 50).reshape(-1, 2, 2)
    together = measure("matthews_correlation", Tally(drawn))
    alone = [measure("matthews_correlation", Tally(each[None])) for each in drawn]
    np.testing.assert_allclose(together.low, [one.low[0] for one in alone], atol=1e-9)
    np.testing.assert_allclose(together.high, [one.high[0] for one in alone], atol=1e-9)


def test_weights_that_are_all_alike_change_no_limits() -> None:
    counts = np.random.default_rng(4).multinomial(80, [0.3, 0.1, 0.2, 0.4], 3).reshape(-1, 2, 2)
    plain, weighted = Tally(counts), Tally(counts, 3.0 * counts, 9.0 * counts)
    for name in ("cohen_kappa", "theil_index"):
        np.testing.assert_allclose(measure(name, plain).low, measure(name, weighted).low, atol=1e-9)
    uneven = Tally(counts, 3.0 * counts, 27.0 * counts)
    assert (measure("cohen_kappa", uneven).low < measure("cohen_kappa", plain).low).all()


def test_a_mean_over_classes_that_hardly_occur_is_marked() -> None:
    rare = np.diag([40, 20, 2, 2, 1])[None]
    assert "fewer than 3 rows" in str(measure("macro_f1", Tally(rare)).uncovered[0])
    assert not measure("macro_f1", Tally(10 * rare)).uncovered
    assert not measure("cohen_kappa", Tally(rare)).uncovered


def test_entropy_between_groups_is_that_of_group_means(classed: tuple[np.ndarray, ...]) -> None:
    true, predicted, codes, _ = classed
    y, decided = true % 2, predicted % 2
    benefit = decided - y + 1
    means = np.array([benefit[codes == g].mean() for g in range(GROUPS)])[codes]
    expected = ((means / benefit.mean()) ** 2 - 1).mean() / 2
    assert between_group_entropy(Tally.count(y, decided, codes, GROUPS)) == pytest.approx(expected, abs=1e-12)


def test_distance_between_predictions_is_the_total_variation(classed: tuple[np.ndarray, ...]) -> None:
    true, predicted, codes, _ = classed
    tally = Tally.count(true, predicted, codes, GROUPS, n_classes=CLASSES)
    shares = np.array([np.bincount(predicted[codes == g], minlength=CLASSES) / (codes == g).sum() for g in range(3)])
    brute = max(np.abs(a - b).sum() / 2 for a in shares for b in shares)
    found = selection_distance(tally)
    assert found.estimate == pytest.approx(brute, abs=1e-12)
    assert found.low == 0.0, "three groups of the same model"
    assert equalized_odds_distance(tally).low == 0.0


def test_distances_hold_their_promise_for_equal_groups_and_find_unequal_ones() -> None:
    rng = np.random.default_rng(5)
    wrong = far = 0
    for _ in range(300):
        counts = rng.multinomial(150, [0.5, 0.3, 0.2], 5)
        tally = Tally(np.stack([np.array([row, row * 0, row * 0]) for row in counts]))
        found = selection_distance(tally)
        wrong += (found.low or 0) > 0
    for _ in range(100):
        counts = np.stack([rng.multinomial(400, [0.5, 0.3, 0.2]), rng.multinomial(400, [0.2, 0.3, 0.5])])
        found = selection_distance(Tally(np.stack([np.array([row, row * 0, row * 0]) for row in counts])))
        far += (found.low or 0) > 0.1
        assert found.high is not None
        assert found.high >= 0.3 - 0.08
    assert wrong <= 9  # 3 % of 300
    assert far >= 95


def test_distance_of_scores_is_that_of_kolmogorov_and_smirnov() -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 1_500)
    score = rng.random(1_500) ** (1 + codes)
    found = score_distance(score, codes, 2)
    assert found.estimate == pytest.approx(ks_2samp(score[codes == 0], score[codes == 1]).statistic, abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert 0.1 < found.low < 0.25 < found.high
    null = [score_distance(rng.random(300), rng.integers(0, 3, 300), 3).unadjusted_low for _ in range(200)]
    assert np.mean(np.array(null) > 0) <= 0.03


def test_numbers_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(10, 3, 600)
    predicted, codes = true + rng.normal(0.4, 2, 600), rng.integers(0, GROUPS, 600)
    oracles = {
        "mean_absolute_error": sk.mean_absolute_error,
        "median_absolute_error": sk.median_absolute_error,
        "mean_squared_error": sk.mean_squared_error,
        "root_mean_squared_error": sk.root_mean_squared_error,
        "r2": sk.r2_score,
        "mean_residual": lambda t, p: float(np.mean(p - t)),
        "mean_prediction": lambda _, p: float(np.mean(p)),
        "quantile_coverage": lambda t, p: float(np.mean(t <= p)),
    }
    assert set(oracles) == set(NUMBERS)
    for name, oracle in oracles.items():
        found = measure_numbers(name, true, predicted, codes, GROUPS)
        for group in range(GROUPS):
            mine = codes == group
            assert found.estimate[group] == pytest.approx(oracle(true[mine], predicted[mine]), abs=1e-12), name
            assert found.low[group] < found.estimate[group] < found.high[group]
    halves = moments(true[:300], predicted[:300], codes[:300], 3) + moments(true[300:], predicted[300:], codes[300:], 3)
    np.testing.assert_allclose(halves, moments(true, predicted, codes, 3))


@pytest.mark.parametrize("name", ["mean_absolute_error", "root_mean_squared_error", "r2", "quantile_coverage"])
def test_numbers_cover_alone_in_clusters_and_as_a_gap(name: str) -> None:
    rng = np.random.default_rng(7)
    missed, gaps = 0, 0
    big = rng.normal(0, 2, 400_000)
    truth = measure_numbers(name, big, big + rng.normal(0, 1, 400_000), np.zeros(400_000, dtype=int)).estimate[0]
    for _ in range(400):
        person = np.repeat(np.arange(150), 2)
        true = rng.normal(0, 2, 300)
        shared = np.repeat(rng.normal(0, 0.7, 150), 2)
        error = shared + rng.normal(0, np.sqrt(1 - 0.49), 300)
        found = measure_numbers(name, true, true + error, np.zeros(300, dtype=int), clusters=person)
        missed += not found.low[0] <= truth <= found.high[0]
        plain = measure_numbers(name, true, true + rng.normal(0, 1, 300), np.arange(300) % 3, 3)
        gaps += (compare(plain, "difference").low or 0) > 0
    assert missed <= 30  # 7.5 % of 400
    assert gaps <= 14  # 3.5 %


def test_a_constant_truth_has_nothing_to_explain() -> None:
    found = measure_numbers("r2", [1.0, 1.0], [1.0, 2.0], [0, 0])
    assert not found.defined[0]
    assert "does not vary" in found.reason[0]


def test_several_labels() -> None:
    rng = np.random.default_rng(0)
    true = (rng.random((500, 4)) < [0.5, 0.3, 0.2, 0.05]).astype(int)
    predicted = np.where(rng.random((500, 4)) < 0.8, true, 1 - true)
    codes = rng.integers(0, 2, 500)
    for group in range(2):
        t, p = true[codes == group], predicted[codes == group]
        assert hamming_loss(true, predicted, codes, 2).estimate[group] == pytest.approx(sk.hamming_loss(t, p))
        assert subset_accuracy(true, predicted, codes, 2).estimate[group] == pytest.approx(sk.accuracy_score(t, p))
        for metric, average in (("micro_f1", "micro"), ("macro_f1", "macro")):
            found = f1_over_labels(metric, true, predicted, codes, 2)
            assert found.estimate[group] == pytest.approx(sk.f1_score(t, p, average=average), abs=1e-12)


def test_f1_over_labels_covers_although_labels_of_a_row_go_together() -> None:
    rng = np.random.default_rng(1)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        hard = rng.random((n, 1)) < 0.4
        true = (rng.random((n, 3)) < 0.4).astype(int)
        return true, np.where(rng.random((n, 3)) < np.where(hard, 0.5, 0.95), true, 1 - true)

    many = draw(300_000)
    truth = sk.f1_score(*many, average="macro")
    missed = 0
    for _ in range(400):
        found = f1_over_labels("macro_f1", *draw(200), np.zeros(200, dtype=int))
        missed += not found.low[0] <= truth <= found.high[0]
    assert missed <= 30


def test_ndcg_is_that_of_scikit_learn_with_and_without_ties() -> None:
    rng = np.random.default_rng(0)
    relevance, queries = rng.integers(0, 4, 600).astype(float), np.repeat(np.arange(30), 20)
    for score in (rng.random(600), rng.integers(0, 5, 600).astype(float)):
        for at in (None, 5):
            rows = (relevance.reshape(30, 20), score.reshape(30, 20))
            kept = rows[0].max(axis=1) > 0
            theirs = sk.ndcg_score(rows[0][kept], rows[1][kept], k=at)
            assert ndcg(relevance, score, queries, at=at).estimate[0] == pytest.approx(theirs, abs=1e-12)


def test_exposure_by_hand() -> None:
    score, queries, codes = [3.0, 2.0, 1.0, 9.0], ["a", "a", "a", "b"], [0, 1, 1, 0]
    assert places(score, queries).tolist() == [1, 2, 3, 1]
    found = exposure(score, queries, codes, 2)
    assert found.estimate.tolist() == pytest.approx([1.0, (1 / np.log2(3) + 0.5) / 2])
    merit = exposure_to_merit([1.0, 1.0, 0.0, 1.0], score, queries, codes, 2)
    assert merit.estimate.tolist() == pytest.approx([1.0, (1 / np.log2(3) + 0.5)])


def test_equal_groups_get_equal_exposure_although_items_push_each_other_aside() -> None:
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(400):
        codes, queries = np.tile([0, 0, 0, 1, 1, 1], 40), np.repeat(np.arange(40), 6)
        found = compare(exposure(rng.random(240), queries, codes, 2), "difference")
        wrong += (found.low or 0) > 0
    assert wrong <= 14


def test_a_group_of_one_row_opens_the_interval_and_is_not_left_out() -> None:
    rng = np.random.default_rng(0)
    score, y = rng.random(200), rng.integers(0, 2, 200)
    sex = np.array(["x"] + ["f", "m"] * 99 + ["f"])
    record = eh.audit_predictions(y, y_score=score, sensitive_features={"sex": sex})
    for metric, opened, beyond in (("log_loss", None, None), ("brier_score", 1.0, 0.6)):
        assert record[f"{metric}_group_max[sex]"].interval.high == opened
        widest = record[f"{metric}_difference[sex]"].interval.high
        assert widest is beyond or widest > beyond
        alone = record[f"{metric}[sex=x]"]
        assert alone.estimate is not None and alone.support == 1
