"""Alarms: what alarms, what cannot be known, and how seldom without cause."""

from __future__ import annotations

import numpy as np
import pytest
from tests.monitoring.live import audited, baseline, batch, live_rows

import evenhand as eh
from evenhand.metrics.answers.always_valid import always_valid_answers
from evenhand.metrics.answers.answering import Answers
from evenhand.monitoring import Monitor
from evenhand.monitoring.estimating import estimates
from evenhand.monitoring.live_counts import LiveCounts
from evenhand.monitoring.screening import cannot_fail
from evenhand.monitoring.windows import advanced
from evenhand.policy.deciding import ends_of, status
from evenhand.timelines import read_timeline, said_of, write_timeline

GAPS = {"limits": {"recall_difference[sex]": {"at_most": 0.1}, "selection_rate_difference[sex]": {"at_most": 0.1}}}


def test_a_planted_disparity_alarms_and_names_the_groups(tmp_path) -> None:
    own = Monitor(baseline(), eh.load_policy(GAPS))
    state = own.begin()
    for at in range(4):
        state = own.take(state, batch(live_rows(800, 100 + at, gap=0.4 * (at >= 2)), f"day {at}"))
    timeline = own.timeline(state)
    alarms = {alarm.key: alarm for alarm in timeline.alarms}
    assert alarms["recall_difference[sex]"].groups == ("f", "m")
    assert alarms["recall_difference[sex]"].at in (2, 3)
    assert (timeline.verdict, timeline.exit_code) == ("failed", 1)
    write_timeline(tmp_path / "monitor.json", timeline)
    assert read_timeline(tmp_path / "monitor.json") == timeline


def test_a_change_late_in_a_long_series_is_found_since_then() -> None:
    own, windows = Monitor(baseline(), eh.load_policy(GAPS)), {}
    for at in range(24):
        windows = advanced(windows, batch(live_rows(500, 200 + at, older=8.0 * (at >= 20))).counts, at)
    found = {one.watched.key: one.since for one in own.detector.found(windows)}
    assert found["drift[age]"] == 20
    assert "drift[region]" not in found
    assert "share[sex=f]" not in found


def test_missing_values_alarm() -> None:
    own, table = Monitor(baseline(), eh.load_policy(GAPS)), live_rows(1000, 300)
    table.loc[::2, "age"] = np.nan
    windows = advanced({}, batch(table).counts, 0)
    assert [one.watched.key for one in own.detector.found(windows)] == ["drift[age]"]


def test_with_labels_of_the_approved_alone_recall_cannot_be_known_and_never_passes() -> None:
    policy = {"limits": {"recall[sex=f]": {"at_least": 0.01}, "precision": {"at_least": 0.5}}}
    own, table = Monitor(baseline(), eh.load_policy(policy)), live_rows(3000, 400)
    table["paid"] = table["paid"].astype(object).where(table["score"] >= 0.5, None)
    timeline = own.timeline(own.take(own.begin(), batch(table)))
    said = {one.key: one for one in timeline.series if one.kind == "limit"}
    assert said["recall[sex=f]"].points[-1].status == "undecided"
    assert "cannot be known" in str(said_of(said["recall[sex=f]"].note))
    assert said["precision"].points[-1].status == "passed"
    assert (timeline.verdict, timeline.exit_code) == ("undecided", 3)


def test_selection_needs_no_labels_and_recall_waits_for_them() -> None:
    own, table = Monitor(baseline(), eh.load_policy(GAPS)), live_rows(2000, 500)
    state = own.take(own.begin(), batch(table.drop(columns=["paid"])))
    rows = {key: points[-1] for key, points in state.points.items()}
    assert rows["limit selection_rate_difference[sex]"][4] == 2000
    assert rows["limit recall_difference[sex]"][1] is None
    later = own.take(state, batch(table, "labels", late=True))
    assert later.moments[-1].rows == 0
    assert later.moments[-1].labelled == 2000
    assert later.points["limit recall_difference[sex]"][-1][4] == int(table["paid"].sum())
    assert later.since_start["decided.0"].sum() == 2000


def test_what_counts_cannot_say_is_undecided_with_its_reason() -> None:
    own = Monitor(baseline(), eh.load_policy({"limits": {"calibration_error": {"at_most": 0.9}}}))
    timeline = own.timeline(own.take(own.begin(), batch(live_rows(500, 1))))
    assert timeline.verdict == "undecided"
    assert "do not say it" in str(said_of(timeline.series[0].note))


def test_limits_beside_another_model_were_decided_at_the_release_and_hold_nothing_up() -> None:
    compared = {"flip_rate[;of=original]": {"at_most": 0.05}, "calibration_error": {"at_most": 0.9, "missing": "warn"}}
    policy = {"limits": {"accuracy": {"at_least": 0.6, "max_drop": 0.02}, **compared}}
    own = Monitor(baseline(), eh.load_policy(policy))
    timeline = own.timeline(own.take(own.begin(), batch(live_rows(2000, 1))))
    assert timeline.verdict == "passed"
    assert [one.key for one in timeline.series if one.kind == "limit"] == ["accuracy"]
    told = [str(said_of(note)) for note in timeline.notes if "Not judged live" in str(said_of(note))]
    assert told[0].startswith("Not judged live: accuracy max_drop, flip_rate[;of=original]. That was decided")
    assert told[1].startswith("Not judged live: calibration_error. ")
    assert own.limits.each == own.error / 2


def test_a_policy_of_which_live_batches_say_nothing_is_not_passed() -> None:
    own = Monitor(baseline(), eh.load_policy({"limits": {"flip_rate[;of=original]": {"at_most": 0.05}}}))
    assert own.timeline(own.take(own.begin(), batch(live_rows(2000, 1)))).verdict == "undecided"


def test_estimates_without_labels_are_near_what_labels_say_while_nothing_changed() -> None:
    table = live_rows(20_000, 600)
    found = {key: value for key, value, _ in estimates(baseline(), batch(table.drop(columns=["paid"])).counts)}
    decided = table["score"] >= 0.5
    assert found["estimated_accuracy"] == pytest.approx((decided == table["paid"]).mean(), abs=0.015)
    assert found["estimated_recall"] == pytest.approx(decided[table["paid"] == 1].mean(), abs=0.02)


def test_appeals_and_complaints_are_counted_by_group() -> None:
    table = live_rows(100, 700).assign(appeal=["won", "lost", None, "open"] * 25, complaint=["late", None] * 50)
    own = Monitor(baseline(), eh.load_policy({"limits": {"accuracy": {"at_least": 0.1}}}))
    state = own.take(own.begin(), batch(table))
    assert state.total["feedback.0"].tolist() == [[25, 25, 50]]
    won = table[table["sex"] == "f"]["appeal"]
    share = (won == "won").sum() / won.isin(["won", "lost"]).sum()
    assert state.points["feedback appeals_won[sex=f]"][-1][1] == pytest.approx(share, abs=1e-5)
    assert state.points["feedback complaints_per_1000"][-1][1] == 500


@pytest.mark.parametrize("bound", [0.01, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("gap", [0.1, 0.3])
def test_what_is_screened_out_would_not_have_failed(bound: float, gap: float) -> None:
    policy = eh.load_policy({"limits": {"recall_difference[sex]": {"at_most": bound}}})
    counts = batch(live_rows(400, 800, gap=gap)).counts
    live, limit, error = LiveCounts(baseline(), counts, labelled=True), policy.limits[0], 0.001
    found = always_valid_answers(live, error)(limit.key)
    fails = status(ends_of(found, limit, policy), limit) == "failed"
    assert not (fails and cannot_fail(Answers(live, 0.5), limit.key, limit, error))


def alarms_of_series(seed: int, batches: int, rows: int) -> list[str]:
    """Return what alarms in a series in which nothing changes, whose limits are exactly true."""
    own, windows, found = Monitor(baseline(), eh.load_policy(TRUE)), {}, []
    for at in range(batches):
        windows = advanced(windows, batch(live_rows(rows, 1000 * seed + at)).counts, at)
        found += [str(watch.key) for watch in own.limits.failed(windows)]
        found += [one.watched.key for one in own.detector.found(windows)]
    return found


TRUE = {"limits": {"selection_rate_difference[sex]": {"at_most": 0.0001}, "accuracy": {"at_least": 0.7779}}}
"""What holds of the population of `live_rows`: both groups are alike, and accuracy is E max(p, 1 - p) = 0.7779."""


def test_series_in_which_nothing_changes_hardly_ever_alarm() -> None:
    alarmed = sum(bool(alarms_of_series(seed, 8, 200)) for seed in range(1, 21))
    assert alarmed <= 3  # of 20 at 0.05: a chance of 0.016 of more


@pytest.mark.slow
def test_five_hundred_long_series_hardly_ever_alarm() -> None:
    alarmed = sum(bool(alarms_of_series(seed, 100, 200)) for seed in range(1, 501))
    assert alarmed <= 37  # of 500 at 0.05: a chance of 0.008 of more


def test_the_baseline_knows_its_audit() -> None:
    assert baseline().rows == len(audited()[0])
