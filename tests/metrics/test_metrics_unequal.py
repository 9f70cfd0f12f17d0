"""Weighted rows and rows in clusters: limits that count one more unit, and groups that share clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.keys import Key
from evenhand.metrics import Tally, disparity, measure
from evenhand.metrics.answers.answering import Answers
from evenhand.metrics.answers.counts import RecordCounts
from evenhand.metrics.comparisons.changes import excess_change
from evenhand.metrics.comparisons.references import disparity_to
from evenhand.metrics.counts.joint import JointTally

if TYPE_CHECKING:
    from numpy.typing import NDArray

ERROR = 0.035 + 3 * (0.025 / 1_000) ** 0.5
"""The most that an end errs, with three Monte-Carlo errors of 1,000 rounds."""


def clustered(hits: NDArray[np.int64], rows: NDArray[np.int64], shared: int = 0) -> Tally:
    """Return the tally of (groups, persons): so many of a person's rows, all with truth 1, are decided right."""
    parts = np.stack([rows - hits, hits], axis=-1).astype(float)
    moments, counts = np.zeros((len(hits), 4, 4)), np.zeros((len(hits), 2, 2), dtype=np.int64)
    moments[:, 2:, 2:] = np.einsum("gki,gkj->gij", parts, parts)
    counts[:, 1] = parts.sum(axis=1)
    return Tally(counts, moments=moments, clusters=(rows > 0).sum(axis=1), shared=shared)


def test_a_cluster_of_one_row_is_a_row() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, 90), rng.integers(0, 2, 90), rng.integers(0, 3, 90)
    plain, alone = Tally.count(*rows, 3), Tally.count(*rows, 3, clusters=np.arange(90))
    for metric in ("recall", "precision", "f1", "accuracy"):
        one, other = measure(metric, plain), measure(metric, alone)
        np.testing.assert_allclose(np.r_[one.low, one.high], np.r_[other.low, other.high], rtol=1e-12)


def test_where_clusters_are_all_or_nothing_they_are_the_rows() -> None:
    found = measure("accuracy", clustered(np.array([[7] * 4 + [0] * 16]), np.full((1, 20), 7)))
    exact = measure("accuracy", Tally(np.array([[[0, 0], [16, 4]]])))
    assert found.low[0] == pytest.approx(exact.low[0], rel=1e-12)
    assert found.high[0] == pytest.approx(exact.high[0], rel=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_few_persons_of_whom_a_tenth_has_ten_times_the_rows_are_covered(rate: float) -> None:
    rng = np.random.default_rng(1)
    rows = np.where(np.arange(50) < 5, 20, 2) * np.ones((1_000, 1), dtype=np.int64)
    found = measure("accuracy", clustered(rng.binomial(rows, rng.beta(rate * 2, (1 - rate) * 2, rows.shape)), rows))
    assert np.mean(found.low > rate) <= ERROR
    assert np.mean(found.high < rate) <= ERROR


def test_the_worst_of_twelve_groups_of_ten_persons_does_not_fail_at_its_limit() -> None:
    rng = np.random.default_rng(2)
    rows = np.full((12, 10), 20)
    gates = [
        disparity("accuracy_group_min", clustered(rng.binomial(rows, rng.beta(0.2, 1.8, rows.shape)), rows))
        for _ in range(300)
    ]
    assert np.mean([(gate.high or 0) < 0.1 for gate in gates]) <= 0.035 + 3 * (0.025 / 300) ** 0.5


def test_events_that_weigh_more_are_covered_even_where_none_was_seen() -> None:
    rng = np.random.default_rng(3)
    event = rng.binomial(100, 0.02, 1_000)
    counts = np.zeros((1_000, 2, 2), dtype=np.int64)
    counts[:, 0, 1], counts[:, 0, 0] = event, 100 - event
    factor = np.array([[1.0, 3.0], [1.0, 1.0]])
    found = measure("selection_rate", Tally(counts, counts * factor, counts * factor**2))
    assert np.mean(event == 0) > 0.1
    assert np.mean(found.high < 0.06 / 1.04) <= ERROR
    assert np.mean(found.low > 0.06 / 1.04) <= ERROR


def test_where_no_group_has_a_value_there_is_no_interval() -> None:
    rows = np.zeros(10, dtype=int)
    found = measure("matthews_correlation", Tally.count(rows, rows, clusters=np.arange(10)))
    assert not found.defined[0]
    assert np.isnan(found.low[0])


def test_where_weights_differ_more_the_interval_is_wider() -> None:
    event = np.arange(200) % 5 == 0
    widths = []
    for spread in (0.0, 0.5, 1.0):
        weight = np.exp(spread * np.random.default_rng(4).standard_normal(200))
        found = measure("selection_rate", Tally.count(np.zeros(200, int), event.astype(int), sample_weight=weight))
        widths.append(found.high[0] - found.low[0])
    assert widths == sorted(widths)


def test_rates_of_the_same_persons_are_not_taken_for_independent() -> None:
    """Who is found more often is also cleared more often, so balanced accuracy varies more than by two rates apart."""
    rng = np.random.default_rng(5)
    skill = rng.beta(1, 1, (500, 60))
    found, cleared = rng.binomial(20, skill), rng.binomial(20, skill)
    cells = np.stack([cleared, 20 - cleared, 20 - found, found], axis=-1).astype(float)
    moments = np.einsum("rki,rkj->rij", cells, cells)
    counts = cells.sum(axis=1).reshape(-1, 2, 2).astype(np.int64)
    got = measure("balanced_accuracy", Tally(counts, moments=moments, clusters=np.full(500, 60)))
    assert np.mean((got.low > 0.5) | (got.high < 0.5)) <= 0.07


def test_clusters_of_one_group_each_are_not_shared() -> None:
    rng = np.random.default_rng(6)
    person = np.repeat(np.arange(40), 5)
    rows = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    apart, same = (Tally.count(*rows, codes, 4, clusters=person) for codes in (person % 4, np.arange(200) % 4))
    assert apart.shared == 0
    assert measure("accuracy", apart).apart == 1.0
    assert same.shared == 40 * 3
    assert measure("accuracy", same).apart == pytest.approx(2**0.5)
    assert (apart + apart).shared == 0
    assert same.one_vs_rest(1).shared == same.shared


def test_groups_of_the_same_persons_with_opposed_effects_have_no_false_gap() -> None:
    rng = np.random.default_rng(7)
    gaps = []
    for _ in range(400):
        effect = rng.uniform(-0.35, 0.35, 50) * np.array([[1], [-1]])
        tally = clustered(rng.binomial(10, 0.6 + effect), np.full((2, 50), 10), shared=50)
        gaps.append(disparity("accuracy_difference", tally).low or 0.0)
    assert np.mean(np.array(gaps) > 0) <= 0.035 + 3 * (0.025 / 400) ** 0.5


def test_the_rest_of_the_groups_is_no_less_uncertain_than_their_rows() -> None:
    rng = np.random.default_rng(8)
    person, codes = np.repeat(np.arange(30), 12), np.tile(np.arange(4), 90)
    hit = (rng.random(360) < np.repeat(rng.beta(1, 1, 30), 12)).astype(int)
    tally = Tally.count(np.ones(360, int), hit, codes, 4, clusters=person)
    for group in range(4):
        others = codes != group
        exact = Tally.count(np.ones(int(others.sum()), int), hit[others], clusters=person[others])
        assert tally.rest().moments is not None
        assert exact.moments is not None
        assert tally.rest().moments[group][3, 3] >= 0.9 * exact.moments[0][3, 3]  # type: ignore[index]
    assert (disparity_to("accuracy_difference", tally, "rest").low or 0) == 0


@pytest.mark.parametrize("weighted", [False, True])
def test_a_record_of_shared_clusters_gives_the_findings_of_its_rows(weighted: bool) -> None:
    rng = np.random.default_rng(9)
    rows = 600
    person = np.repeat(np.arange(60), 10)
    truth, before, after = (rng.integers(0, 2, rows) for _ in range(3))
    record = eh.audit_predictions(
        truth,
        after,
        original_pred=before,
        cluster=person,
        sensitive_features={
            "time": rng.choice(["day", "night", "dawn"], rows),
            "sex": np.array(["f", "m"])[person % 2],
        },
        control_features={"place": rng.choice(["in", "out"], rows)},
        **({"sample_weight": rng.exponential(size=rows)} if weighted else {}),
    )
    derived = Answers(RecordCounts(record), 0.95)
    wanted = [
        "recall_difference[time]", "recall_difference[time;vs=rest]", "accuracy_ratio[time]",
        "accuracy_group_min[time]", "selection_rate_difference[time;given=place]", "f1_difference[time]",
        "accuracy_difference_change[time;of=original]", "excess_accuracy_change[time=day;of=original]",
        "balanced_accuracy[time=day]", "recall_difference[sex]", "equalized_odds_difference[sex,time]",
    ]  # fmt: skip
    stated = {str(finding.key): finding for finding in record.findings}
    for name in wanted:
        found = derived(Key.parse(name))
        assert found.interval is not None, found  # type: ignore[union-attr]
        if name in stated:
            assert found.interval == stated[name].interval  # type: ignore[union-attr]
    same = {name for name in wanted if name in stated}
    assert {"recall_difference[time]", "accuracy_difference_change[time;of=original]"} <= same, sorted(stated)


def test_classes_of_the_truth_share_the_persons_of_both() -> None:
    rng = np.random.default_rng(10)
    person, truth = np.repeat(np.arange(50), 8), np.tile([0, 1], 200)
    before, after = rng.integers(0, 2, 400), rng.integers(0, 2, 400)
    by_class = JointTally.count(truth, before, after, clusters=person).agreement_by_class()
    right = JointTally.count(np.ones(400, int), before == truth, after == truth, truth, 2, clusters=person)
    assert by_class.tally.shared == right.tally.shared == 50
    one, other = excess_change("recall", by_class), excess_change("recall", right)
    np.testing.assert_allclose([one.low, one.high], [other.low, other.high])
