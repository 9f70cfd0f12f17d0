"""The state: the same bits for the same batches, nothing twice, and nothing that was damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.monitoring.live import baseline, batch, live_rows

import evenhand as eh
from evenhand.errors import InputError
from evenhand.monitoring import Monitor, State, read_state, write_state
from evenhand.monitoring.state import MOST_MOMENTS, taken

if TYPE_CHECKING:
    from pathlib import Path

POLICY = {"limits": {"accuracy": {"at_least": 0.6}}}


def monitor(policy: dict[str, object] | None = None) -> Monitor:
    return Monitor(baseline(), eh.load_policy(policy or POLICY))


def after(batches: int, own: Monitor) -> State:
    state = own.begin()
    for at in range(batches):
        state = own.take(state, batch(live_rows(100, at), f"day {at}", time=f"2027-01-{at + 1:02d}T00:00:00+00:00"))
    return state


def test_replaying_gives_the_same_bits_also_through_the_file(tmp_path: Path) -> None:
    own = monitor()
    write_state(tmp_path / "one", after(3, own))
    state = own.begin()
    for at in range(3):
        table = live_rows(100, at)
        state = own.take(state, batch(table, f"day {at}", time=f"2027-01-{at + 1:02d}T00:00:00+00:00"))
        write_state(tmp_path / "two", state)
        state = read_state(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_same_batch_again_changes_nothing() -> None:
    own = monitor()
    state = after(2, own)
    assert own.take(state, batch(live_rows(100, 0), "again")) is state


def test_the_order_of_batches_is_in_the_chain_and_a_late_one_is_told() -> None:
    own = monitor()
    one, two = (batch(live_rows(100, at), str(at), time=f"2027-01-0{at + 1}") for at in range(2))
    state = own.take(own.take(own.begin(), two), one)
    assert state.late == 1
    assert state.last_time == "2027-01-02"
    assert state.chain != own.take(own.take(own.begin(), one), two).chain
    assert any("before that of an earlier one" in str(note) for note in own.timeline(state).notes)


@pytest.mark.parametrize("old", ['"accuracy"', '"batches":2', '"late":0'])
def test_a_damaged_state_is_refused(tmp_path: Path, old: str) -> None:
    write_state(tmp_path / "state", after(2, monitor()))
    text = (tmp_path / "state").read_text("utf-8")
    assert old in text or old == '"accuracy"'
    (tmp_path / "state").write_text(
        text.replace(old, old[:-1] + "1" + old[-1:], 1) if old in text else text[:-9], "utf-8"
    )
    with pytest.raises(InputError):
        read_state(tmp_path / "state")


def test_another_baseline_policy_or_error_than_the_state_has_is_refused() -> None:
    state = after(1, monitor())
    for other in (
        Monitor(replace(baseline(), sha256="other"), eh.load_policy(POLICY)),
        monitor({"limits": {"accuracy": {"at_least": 0.5}}}),
        Monitor(baseline(), eh.load_policy(POLICY), error=0.1),
        Monitor(baseline(), eh.load_policy(POLICY), floor=0.1),
    ):
        with pytest.raises(InputError, match="The state was made with another"):
            other.take(state, batch(live_rows(100, 9)))


def test_the_state_does_not_grow_with_batches() -> None:
    state, one = monitor().begin(), batch(live_rows(20, 1))
    sizes = []
    for at in range(1200):
        state = taken(state, replace(one, id=f"{at:064d}"))
        sizes.append((len(state.windows), len(state.moments)))
    assert max(windows for windows, _ in sizes) <= 30
    assert max(moments for _, moments in sizes) <= MOST_MOMENTS
    assert sum(moment.merged for moment in state.moments) == 1200
    assert sum(moment.rows for moment in state.moments) == 1200 * 20
    assert state.since_start["decided.0"].sum() == 1200 * 20
    assert state.position(0) == 0
    assert state.position(1199) == len(state.moments) - 1
