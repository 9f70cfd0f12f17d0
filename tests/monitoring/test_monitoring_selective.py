"""Labels of some rows only, of other rows, or twice: what cannot be known neither alarms nor passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.monitoring.live import baseline, batch, live_rows

import evenhand as eh
from evenhand.errors import InputError
from evenhand.monitoring import Monitor
from evenhand.timelines import said_of

if TYPE_CHECKING:
    import pandas as pd


def labelled(table: pd.DataFrame, of_refused: float, seed: int = 0) -> pd.DataFrame:
    """Return rows of which all approved are labelled, and a share of the refused."""
    kept = (table["score"] >= 0.5) | (np.random.default_rng(seed).random(len(table)) < of_refused)
    return table.assign(paid=table["paid"].astype(object).where(kept, None))


def monitor(**limits: dict[str, float]) -> Monitor:
    return Monitor(baseline(), eh.load_policy({"limits": limits}))


def test_labels_of_the_approved_alone_from_some_batch_on_raise_no_alarm() -> None:
    own = monitor(false_positive_rate={"at_most": 0.3})
    state = own.begin()
    for at in range(8):
        state = own.take(state, batch(labelled(live_rows(1_500, 40 + at), 1.0 if at < 4 else 0.0), f"day {at}"))
        status = own.timeline(state).verdict
    assert state.alarms == ()
    assert status == "undecided"


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
def test_what_rests_on_selected_labels_does_not_pass(share: float) -> None:
    own = monitor(recall={"at_least": 0.5})
    timeline = own.timeline(own.take(own.begin(), batch(labelled(live_rows(6_000, 50), share))))
    assert timeline.verdict == "undecided"
    assert next(one for one in timeline.series if one.key == "recall").points[-1].batch_estimate is None
    assert any("less often than of others" in str(said_of(note)) for note in timeline.notes)


def test_labels_that_are_missing_by_chance_are_no_selection() -> None:
    own, table = monitor(recall={"at_least": 0.5}), live_rows(6_000, 51)
    kept = np.random.default_rng(1).random(len(table)) < 0.3
    table = table.assign(paid=table["paid"].astype(object).where(kept, None))
    assert own.timeline(own.take(own.begin(), batch(table))).verdict == "passed"


def test_labels_that_were_given_before_or_are_of_other_rows_are_refused() -> None:
    own, table = monitor(accuracy={"at_least": 0.5}), live_rows(500, 52)
    state = own.take(own.begin(), batch(table))
    for other in (table, live_rows(500, 53)):
        with pytest.raises(InputError, match="more labels would be known than there are rows"):
            own.take(state, batch(other.assign(appeal="open"), "labels", late=True))


@pytest.mark.parametrize("key", ["recall[sex=x]", "recall[nobody=f]", "selection_rate[sex=x]"])
def test_a_group_that_the_audit_lacks_is_undecided_with_its_reason(key: str) -> None:
    own = monitor(**{key: {"at_least": 0.1}})
    timeline = own.timeline(own.take(own.begin(), batch(live_rows(500, 54))))
    assert timeline.verdict == "undecided"
