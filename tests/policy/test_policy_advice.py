"""Advice that comes true: rows that are asked for decide about as often as is said, over truths from the prior."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.findings import AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.metrics.answers.simulated import Table, simulated_ends
from evenhand.metrics.comparisons.shrinkage import pooled_draws, pooled_rates
from evenhand.metrics.counts.tally import Tally
from evenhand.policy.advice.allocating import Allocation, round_up
from evenhand.policy.advice.assurance import TIMES, TRIALS, Advice, Trial, Trials, advise, decided
from evenhand.policy.advice.futures import _fewer, drawn_futures
from evenhand.policy.judging import ADVISED
from evenhand.policy.limits import Limit

if TYPE_CHECKING:
    from evenhand.policy.verdict import Judgement


def table(selected: np.ndarray, rows: np.ndarray) -> Table:
    """Return counts of so many selected of so many rows of each group."""
    cells = np.zeros((len(rows), 2, 2), dtype=np.int64)
    cells[:, 1, 0], cells[:, 1, 1] = rows - selected, selected
    return Table(("g",), tuple((f"g{at}",) for at in range(len(rows))), ("0", "1"), cells)


def is_decided(found: Table, limit: Limit) -> bool:
    return bool(decided(simulated_ends(limit.key, found, found.cells[None], 0.95), limit, "simultaneous")[0])


def record_of(cells: np.ndarray) -> AuditRecord:
    """Return the record of counts (groups, 2, 2)."""
    y_true, y_pred = np.tile([0, 0, 1, 1], len(cells)), np.tile([0, 1, 0, 1], len(cells))
    group, times = np.repeat([f"g{at}" for at in range(len(cells))], 4), cells.ravel()
    return eh.audit_predictions(
        np.repeat(y_true, times), np.repeat(y_pred, times), sensitive_features={"g": np.repeat(group, times)}
    )


def judged(cells: np.ndarray, key: str, **limit: float) -> Judgement:
    return eh.judge(record_of(cells), eh.load_policy({"limits": {key: limit}})).judgements[0]


@pytest.mark.parametrize(
    ("key", "bound", "rows", "wanted"),
    [
        ("selection_rate_group_min[g]", {"at_least": 0.3}, (60, 100, 300), 40),
        ("selection_rate_difference[g]", {"at_most": 0.2}, (60, 540), 20),
    ],
)
def test_what_is_advised_decides_about_as_often_as_is_said(
    key: str, bound: dict[str, float], rows: tuple[int, ...], wanted: int
) -> None:
    """Truths, present rows, advice, the new rows of that same truth, and the judgement of all of them."""
    rng, limit, sizes = np.random.default_rng(8), Limit(Key.parse(key), **bound), np.array(rows)
    usual, hits, said = len(rows) / (1 / sizes).sum(), [], []
    while len(hits) < wanted:
        shrinkage = rng.uniform()
        strength = min(usual * (1 - shrinkage) / shrinkage, 1e5)
        middle = rng.uniform(0.1, 0.9)
        truth = rng.beta(strength * middle + 1e-6, strength * (1 - middle) + 1e-6, len(rows))
        selected = rng.binomial(sizes, truth)
        present = table(selected, sizes)
        if is_decided(present, limit):
            continue
        futures = drawn_futures(limit.key, present, np.ones(len(rows)), 0.95, TRIALS, rng)
        advice = advise(futures, limit, "simultaneous", rng)
        if advice.chance is not None and advice.rows:
            more = np.array([dict(advice.rows).get(f"g=g{at}", 0) for at in range(len(rows))])
            hits.append(is_decided(table(selected + rng.binomial(more, truth), sizes + more), limit))
            said.append(advice.chance.value)
    spread = 3 * np.sqrt(0.16 / wanted)
    assert np.mean(hits) == pytest.approx(np.mean(said), abs=spread)
    assert np.mean(said) == pytest.approx(0.8, abs=0.03)


def test_twelve_equal_groups_are_never_told_of_one_pair() -> None:
    """The pair with the extreme values is the luckiest: rows for it alone decide nothing."""
    rng = np.random.default_rng(2)
    for _ in range(3):
        selected = rng.binomial(100, 0.5, 12)
        cells = np.stack([np.tile([1, 0], (12, 1)), np.column_stack([100 - selected, selected])], axis=1)
        found = judged(cells, "selection_rate_difference[g]", at_most=0.1)
        assert found.status == "undecided" and found.advice is not None
        advice = found.advice.found
        assert len(advice.rows) in (0, *range(6, 13))
        assert found.needed_rows is None or found.needed_rows <= TIMES * 1200 * 1.1


def test_data_that_cannot_settle_a_limit_say_which_one_they_can() -> None:
    cells = np.array([[[40, 10], [5, 10]], [[45, 12], [5, 8]]])
    found = judged(cells, "selection_rate_difference[g]", at_most=0.02)
    assert found.needed_rows is None
    assert "10 times more rows do not surely decide it: the chance is" in found.sentence
    told = re.search(r"a table of the present size decides a limit of ([\d.]+) \(80 %\)", found.sentence)
    assert told is not None and 0.02 < float(told[1]) < 0.5


def test_the_same_record_gets_the_same_advice() -> None:
    cells = np.array([[[160, 40], [40, 160]], [[26, 6], [7, 21]], [[32, 8], [8, 32]]])
    one, other = (judged(cells, "recall_group_min[g]", at_least=0.6) for _ in range(2))
    assert one.status == "undecided" and one.sentence == other.sentence
    assert one.advice is not None and other.advice is not None and one.advice.found == other.advice.found


def test_a_group_of_its_own_and_all_rows_get_rows() -> None:
    cells = np.array([[[160, 40], [40, 160]], [[26, 6], [7, 21]]])
    one, whole = judged(cells, "recall[g=g1]", at_least=0.6), judged(cells, "accuracy", at_least=0.77)
    assert one.advice is not None and [group for group, _ in one.advice.found.rows] == ["g=g1"]
    assert whole.advice is not None and [group for group, _ in whole.advice.found.rows] == [""]
    assert re.search(r"about [\d,]+ more rows: chance to decide it \d+ % \(\d+ to \d+ by simulation\)", whole.sentence)


def test_advice_is_simulated_when_it_is_asked_for_and_for_the_first_limits_only() -> None:
    cells = np.array([[[30, 10], [8, 30]]] * 8)
    policy = eh.load_policy({"limits": {f"recall[g=g{at}]": {"at_least": 0.75} for at in range(8)}})
    verdict = eh.judge(record_of(cells), policy)
    given = [judgement.advice for judgement in verdict.judgements if judgement.advice is not None]
    assert len(given) == ADVISED
    assert not any(advice._found for advice in given)
    assert all(judgement.needed_rows is None for judgement in verdict.judgements[ADVISED:])


def test_what_stops_nothing_gets_no_advice() -> None:
    limits = {"accuracy": {"at_least": 0.77, "undecided": "warn"}}
    verdict = eh.judge(record_of(np.array([[[30, 10], [8, 30]]])), eh.load_policy({"limits": limits}))
    assert verdict.judgements[0].status == "undecided" and verdict.judgements[0].advice is None


def test_a_single_value_without_counts_gets_the_rows_of_a_normal_error() -> None:
    interval = Interval(0.8, 0.9, 0.95, "delong")
    groups = (GroupValue("", 0.85, 200, 200),)
    found = Finding(Key.of("roc_auc"), "performance", 0.85, interval, 200, "higher_is_better", "score", groups)
    policy = eh.load_policy({"limits": {"roc_auc": {"at_least": 0.81}}})
    (one,) = eh.judge(AuditRecord((found,)), policy).judgements
    assert one.needed_rows == pytest.approx(
        960, abs=20
    )  # 5.8 times the rows: (1.57 - 1.96 / 5.8**.5) / (1 - 1 / 5.8)**.5 = 0.83
    assert "by simulation" not in one.sentence
    near = eh.judge(AuditRecord((found,)), eh.load_policy({"limits": {"roc_auc": {"at_least": 0.849}}})).judgements[0]
    assert near.needed_rows is None and "10 times more rows do not surely decide it" in near.sentence


def test_a_comparison_without_counts_gets_no_number() -> None:
    interval = Interval(0.0, 0.2, 0.95, "mover")
    groups = (GroupValue("f", 0.8, 90, 90), GroupValue("m", 0.85, 90, 90))
    found = Finding(Key.of("roc_auc_difference", ["sex"]), "fairness", 0.05, interval, 180, groups=groups)
    policy = eh.load_policy({"limits": {"roc_auc_difference[sex]": {"at_most": 0.1}}})
    (one,) = eh.judge(AuditRecord((found,)), policy).judgements
    assert one.advice is not None and one.advice.found == Advice()
    assert "cannot be told" in one.sentence


def test_rows_are_advised_for_changes_too_and_decide() -> None:
    """One group of a compressed model's change is too small to pass, and is told how many rows it lacks."""
    y = np.tile([0, 1], 400)
    old, sex = np.where(y == 1, 0.9, 0.1), np.array(["f"] * 100 + ["m"] * 700)
    new = old.copy()
    new[[0, *range(100, 106)]] = 0.9  # one row of the small group, six of the large, are now decided wrongly

    def of(times: int) -> Judgement:
        where = np.concatenate([np.tile(np.flatnonzero(sex == "f"), times), np.flatnonzero(sex == "m")])
        record = eh.audit_predictions(
            y[where], y_score=new[where], original_score=old[where], sensitive_features={"sex": sex[where]}
        )
        limits = {"accuracy_change_group_min[sex;of=original]": {"at_least": -0.05}}
        return eh.judge(record, eh.load_policy({"limits": limits})).judgements[0]

    few = of(1)
    assert few.status == "undecided" and few.needed_rows is not None
    assert "of sex=f" in few.sentence
    assert of(1 + -(-few.needed_rows // 100)).status == "passed"


def test_rows_in_clusters_are_worth_less_so_more_are_asked_for() -> None:
    truth, person = np.tile([0, 1], 100), np.repeat(np.arange(40), 5)
    decisions = np.where(person % 5 > 0, truth, 1 - truth)  # each person is always right, or always wrong
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.745}}})
    plain, clustered = (
        eh.judge(eh.audit_predictions(truth, decisions, **more), policy).judgements[0]
        for more in ({}, {"cluster": person})
    )
    assert plain.status == clustered.status == "undecided"
    assert plain.needed_rows is not None
    assert clustered.needed_rows is None or clustered.needed_rows > 2 * plain.needed_rows


def test_a_net_benefit_of_clusters_is_not_decided_by_a_handful_of_rows() -> None:
    rng = np.random.default_rng(3)
    risk = rng.beta(1, 4, 700)
    truth, person = (rng.random(700) < risk).astype(int), rng.integers(0, 60, 700)
    record = eh.audit_predictions(truth, y_score=risk, threshold=0.2, cluster=person)
    policy = eh.load_policy({"limits": {"net_benefit_gain": {"at_least": 0.005}}})
    (judgement,) = eh.judge(record, policy).judgements
    assert judgement.status == "undecided"
    assert judgement.needed_rows is None or judgement.needed_rows > 100


def test_an_allocation_first_fills_up_what_lacks_most() -> None:
    shares = Allocation(np.array([60.0, 540.0, 30.0]), np.array([1.0, 1.0, 0.0]))
    assert shares.rows(100).tolist() == [100.0, 0.0, 0.0]
    assert shares.rows(1_000).tolist() == pytest.approx([740.0, 260.0, 0.0])
    assert shares.rows(481).sum() == pytest.approx(481)
    assert shares.rounded(1_000).tolist() == [740.0, 260.0, 0.0]
    assert [round_up(rows) for rows in (0.2, 99.1, 100.5)] == [1, 100, 110]


def test_draws_follow_the_model_of_the_pooled_rates() -> None:
    selected, rows = np.array([3, 20, 55, 160]), np.array([10, 50, 100, 400])
    cells = np.zeros((4, 2, 2), dtype=np.int64)
    cells[:, 1, 0], cells[:, 1, 1] = rows - selected, selected
    drawn = pooled_draws(selected, rows, 20_000, np.random.default_rng(1))
    stated = pooled_rates("recall", Tally(cells))
    assert np.allclose(drawn.mean(axis=0), stated.mean, atol=0.005)
    assert np.allclose(np.quantile(drawn, 0.025, axis=0), stated.low, atol=0.01)
    empty = pooled_draws(np.array([0, 50]), np.array([0, 100]), 100, np.random.default_rng(1))
    assert np.isfinite(empty).all()


@pytest.mark.parametrize(
    "key", ["recall_difference[g]", "selection_rate_ratio[g]", "equalized_odds_difference[g]", "f1[g=g1]",
            "precision_group_min[g]", "selection_rate_difference[g;vs=overall]", "average_odds_difference[g]"],
)  # fmt: skip
def test_simulated_ends_are_those_of_the_record(key: str) -> None:
    cells = np.array([[[160, 40], [40, 160]], [[26, 6], [7, 21]], [[12, 8], [8, 32]]])
    stated, parsed = record_of(cells)[key], Key.parse(key)
    found = Table(("g",), (("g0",), ("g1",), ("g2",)), ("0", "1"), cells)
    ends = simulated_ends(parsed, found, np.stack([cells, cells[::-1]]), 0.95)
    assert stated.interval is not None
    assert (ends.low[0], ends.high[0]) == pytest.approx((stated.interval.low, stated.interval.high))
    assert np.isfinite(ends.low).all()


def test_the_chance_is_that_of_the_futures_however_steeply_it_rises() -> None:
    trials = Trials.__new__(Trials)
    for top, low in [(240, 3), (240, 43), (207, 0), (290, 30)]:
        trials._tried = [Trial(12_000, 300, top), Trial(2_400, 300, low), Trial(11_000, 300, top - 12)]
        assert trials.chance(12_000).value == pytest.approx(top / 300, abs=0.08)


def test_advice_after_a_whole_sentence_begins_one() -> None:
    cells = np.array([[[60, 40], [40, 60]], [[60, 40], [35, 65]], [[50, 30], [0, 0]]])
    sentence = judged(cells, "recall_difference[g]", at_most=0.1).sentence
    assert "; the interval allows for any value of theirs. " in sentence
    assert ".;" not in sentence


def test_many_small_cells_of_clustered_rows_are_not_rounded_to_nothing() -> None:
    """1,350 right and 450 wrong of ten classes, each row worth 1 / 130: ten and four, not ten and none."""
    counts = np.full((1, 10, 10), 5) + np.eye(10, dtype=int)[None] * 130
    found = _fewer(counts, np.array([130.0])[:, None, None])
    right = np.trace(found[0])
    assert (right, found.sum() - right) == (10, 4)
    assert _fewer(counts, np.ones((1, 1, 1))).tolist() == counts.tolist()
    strata = _fewer(np.stack([counts[0], counts[0]])[:, None], np.array([130.0])[:, None, None])
    assert strata.sum(axis=(2, 3)).tolist() == [[14], [14]]
