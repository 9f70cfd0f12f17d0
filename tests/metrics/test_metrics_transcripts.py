"""Edits against an oracle, and error rates with their intervals."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.metrics import compare, disparity, means
from evenhand.metrics.counts import edits as counting
from evenhand.metrics.counts.edits import edits
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.values.totals import quotient_of_totals
from evenhand.metrics.values.transcripts import (
    LEAST,
    OF_TRANSCRIPTS,
    changed_transcripts,
    edits_of,
    measure_transcripts,
)

SEQUENCES = st.lists(st.lists(st.integers(0, 3), max_size=7), min_size=1, max_size=6)


def counted(reference: tuple[int, ...], hypothesis: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the edits by trying every alignment, fewest first and then those with fewest substitutions."""

    @cache
    def best(rows: int, columns: int) -> tuple[int, int, int, int]:
        if not rows or not columns:
            return rows + columns, 0, rows, columns
        total, changed, gone, more = best(rows - 1, columns - 1)
        other = reference[rows - 1] != hypothesis[columns - 1]
        ways = [(total + other, changed + other, gone, more)]
        total, changed, gone, more = best(rows - 1, columns)
        ways.append((total + 1, changed, gone + 1, more))
        total, changed, gone, more = best(rows, columns - 1)
        return min(*ways, (total + 1, changed, gone, more + 1))

    return best(len(reference), len(hypothesis))[1:]


@settings(max_examples=60, deadline=None)
@given(SEQUENCES, SEQUENCES)
def test_edits_are_those_of_every_alignment_tried(one: list[list[int]], other: list[list[int]]) -> None:
    pairs = list(zip(one, other, strict=False))
    upper, lower = ([np.array(pair[side], dtype=np.int64) for pair in pairs] for side in (0, 1))
    found = edits(upper, lower)
    assert [tuple(row) for row in found.tolist()] == [counted(tuple(a), tuple(b)) for a, b in pairs]
    back = edits(lower, upper)
    assert found.sum(axis=1).tolist() == back.sum(axis=1).tolist(), "a distance is the same in both directions"
    assert found[:, [0, 2, 1]].tolist() == back.tolist()


def test_pairs_are_counted_alike_however_many_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    upper, lower = ([rng.integers(0, 5, size=size) for size in rng.integers(0, 40, size=60)] for _ in range(2))
    together = edits(upper, lower)
    monkeypatch.setattr(counting, "CELLS", 1)
    assert edits(upper, lower).tolist() == together.tolist()


def test_known_rates() -> None:
    found = edits_of(["the cat sat on the mat", "yes", ""], ["the cat sat mat mat", "yes", "oh no"])
    assert found[:, :4].tolist() == [[1, 1, 0, 6], [0, 0, 0, 1], [0, 0, 2, 0]]
    codes = np.zeros(3, dtype=np.int64)
    rates = {metric: measure_transcripts(metric, found, codes).estimate[0] for metric in OF_TRANSCRIPTS}
    assert rates["word_error_rate"] == pytest.approx(4 / 7), "errors and words are added up before they are divided"
    assert rates["substitution_rate"] + rates["deletion_rate"] + rates["insertion_rate"] == pytest.approx(4 / 7)
    assert rates["sentence_error_rate"] == pytest.approx(2 / 3)
    assert edits_of(["kitten"], ["sitting"])[0, 4:].tolist() == [2, 0, 1, 6]


def test_silence_alone_has_no_rate_and_says_why() -> None:
    found = edits_of(["", "a b"], ["boo", "a"])
    rates = measure_transcripts("word_error_rate", found, [0, 1], 2)
    assert np.isnan(rates.estimate[0])
    assert rates.reason[0] == "No reference of these rows has a word: word error rate is a number over 0."
    gap = compare(rates, "difference")
    assert gap.estimate is None and "Fewer than 2 groups" in gap.reason
    assert measure_transcripts("sentence_error_rate", found, [0, 1], 2).estimate.tolist() == [1.0, 1.0]


def test_rates_exceed_1_and_their_gaps_are_open_above() -> None:
    found = edits_of(["a", "b c"] * 4, ["x y z", "b c"] * 4)
    rates = measure_transcripts("word_error_rate", found, [0, 1] * 4, 2)
    assert rates.estimate.tolist() == [3.0, 0.0]
    assert 0 < rates.high[1] < 1, "no error among four rows is not the certainty of none"
    assert compare(rates, "difference").estimate == 3.0


def test_a_quotient_over_rows_of_one_size_is_a_mean() -> None:
    rng = np.random.default_rng(1)
    errors, codes, speakers = rng.integers(0, 5, 90), rng.integers(0, 2, 90), rng.integers(0, 12, 90)
    for weight in (None, rng.uniform(0.5, 2, 90)):
        found = quotient_of_totals(errors, np.full(90, 10), codes, 2, weight, speakers)
        same = means(errors / 10, codes, 2, weight, speakers)
        assert found.mean == pytest.approx(same.mean)
        assert found.error == pytest.approx(same.error)
        assert found.freedom.tolist() == same.freedom.tolist()


def test_weights_are_as_repeated_rows_and_order_and_names_of_groups_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    found = np.column_stack([rng.integers(0, 3, (40, 3)), rng.integers(4, 12, 40)] * 2)
    codes, weight = rng.integers(0, 3, 40), rng.integers(1, 4, 40)
    weighted = measure_transcripts("word_error_rate", found, codes, 3, weight=weight)
    again = measure_transcripts("word_error_rate", np.repeat(found, weight, axis=0), np.repeat(codes, weight), 3)
    assert weighted.estimate == pytest.approx(again.estimate)
    order, names = rng.permutation(40), np.array([2, 0, 1])
    turned = measure_transcripts("word_error_rate", found[order], names[codes][order], 3)
    plain = measure_transcripts("word_error_rate", found, codes, 3)
    assert turned.high[names] == pytest.approx(plain.high)


def test_rates_that_are_all_alike_show_no_spread() -> None:
    rates = measure_transcripts("word_error_rate", edits_of(["a b"] * 6, ["a"] * 6), [0] * 6)
    assert rates.uncovered[0].startswith("All have the same error rate")


def test_clusters_widen_intervals_and_few_of_them_say_nothing() -> None:
    rng = np.random.default_rng(3)
    speakers = np.repeat(np.arange(12), 20)
    wrong = rng.binomial(8, rng.beta(1, 5, size=12)[speakers])
    found = np.column_stack([wrong, np.zeros((240, 2), dtype=int), np.full(240, 8)] * 2)
    codes = (speakers >= LEAST - 1).astype(int)
    plain = measure_transcripts("word_error_rate", found, codes, 2)
    rates = measure_transcripts("word_error_rate", found, codes, 2, clusters=speakers)
    assert plain.estimate.tolist() == rates.estimate.tolist()
    assert (rates.high - rates.low > plain.high - plain.low).all()
    assert rates.uncovered[0].startswith("Fewer than 4 clusters, such as speakers") and not rates.uncovered[1]
    assert compare(rates, "difference").uncovered == rates.uncovered[0], "no limit rests on a gap to such a group"
    assert plain.uncovered == ()


def test_groups_that_share_speakers_are_compared_as_dependent() -> None:
    rng = np.random.default_rng(4)
    found = np.column_stack([rng.integers(0, 3, (80, 3)), np.full(80, 9)] * 2)
    codes, speakers = np.arange(80) % 2, np.arange(80) // 4
    shared = measure_transcripts("word_error_rate", found, codes, 2, clusters=speakers)
    own = measure_transcripts("word_error_rate", found, codes, 2, clusters=speakers * 2 + codes)
    assert (shared.apart, own.apart) == (pytest.approx(2**0.5), 1.0)


def test_sentences_are_counted_as_decisions_are() -> None:
    rng = np.random.default_rng(5)
    found = np.column_stack([rng.binomial(1, 0.3, (60, 3)), np.full(60, 9)] * 2)
    codes, wrong = np.arange(60) % 2, (found[:, :3].sum(axis=1) > 0).astype(np.int8)
    rates = measure_transcripts("sentence_error_rate", found, codes, 2)
    tally = Tally.count(np.zeros(60, dtype=np.int8), wrong, codes, 2)
    same = disparity("selection_rate_difference", tally)
    assert (compare(rates, "difference").low, compare(rates, "difference").high) == (same.low, same.high)


def test_a_change_is_that_of_the_rates_and_paired() -> None:
    said = ["a b c d", "e f g", "h i j k l"] * 20
    old, new = list(said), list(said)
    old[0], new[0], new[1], new[2] = "a b c", "a b", "e f", "h i"
    before, after = edits_of(said, old), edits_of(said, new)
    codes = np.zeros(60, dtype=int)
    change = changed_transcripts("word_error_rate_change", before, after, codes)
    rates = [measure_transcripts("word_error_rate", counts, codes) for counts in (before, after)]
    assert change.estimate[0] == pytest.approx(rates[1].estimate[0] - rates[0].estimate[0])
    assert "Fewer than 10 utterances" in change.uncovered[0]
    of_few = changed_transcripts("word_error_rate_change", before, after, codes, clusters=np.arange(60) // 5)
    assert "Fewer than 4 utterances" in of_few.uncovered[0]
    back = changed_transcripts("word_error_rate_change", after, before, codes)
    assert back.estimate == pytest.approx(-change.estimate)
    assert (back.low[0], back.high[0]) == (pytest.approx(-change.high[0]), pytest.approx(-change.low[0]))


def simulated(speakers: int, mean: float, spread: float, rounds: int, seed: int) -> float:
    """Return how often the interval of a rate covers, of speakers who differ (beta of mean and spread)."""
    rng, z = np.random.default_rng(seed), NormalDist().inv_cdf(0.975)

    def drawn(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        of = np.repeat(np.arange(size), np.maximum(1, rng.poisson(20, size)))
        words = 1 + rng.poisson(7, len(of))
        own = rng.beta(mean * spread, (1 - mean) * spread, size)[of] * rng.gamma(2, 0.5, len(of))
        return rng.binomial(words, np.clip(own, 0, 1)), words, of

    errors, words, _ = drawn(100_000)
    truth, inside = errors.sum() / words.sum(), 0
    for _ in range(rounds):
        errors, words, of = drawn(speakers)
        found = np.column_stack([errors, np.zeros((len(of), 2), dtype=int), words] * 2)
        rates = measure_transcripts("word_error_rate", found, np.zeros(len(of), dtype=int), clusters=of)
        low, high = rates.ends(z)
        inside += low[0] <= truth <= high[0]
    return inside / rounds


@pytest.mark.parametrize("speakers", [6, 12])
def test_intervals_cover_the_rates_of_other_speakers(speakers: int) -> None:
    assert simulated(speakers, 0.1, 10, 80, 0) > 0.93


@pytest.mark.slow
@pytest.mark.parametrize("speakers", [4, 6, 12, 40])
@pytest.mark.parametrize(("mean", "spread"), [(0.05, 30), (0.1, 10), (0.2, 8)])
def test_intervals_cover_at_many_settings(speakers: int, mean: float, spread: float) -> None:
    assert simulated(speakers, mean, spread, 600, 1) > 0.93
