"""Another threshold, for everybody or for each group, gives the counts that an audit at it would have made."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.cases import score, table

import evenhand as eh
from evenhand.errors import InputError
from evenhand.serving.viewing.moving import at_thresholds, decided, edges, nearest_edge, of_scores

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

ROWS = table()
SCORES = score(ROWS)


def counted(record: AuditRecord, *columns: str) -> dict[tuple[str, ...], list[list[int]]]:
    part = next(p for p in record.tallies if (p.model, p.columns) == ("subject", columns))
    return dict(zip(part.groups, part.counts, strict=True))  # type: ignore[arg-type]


def by_hand(decisions: np.ndarray, *columns: str) -> dict[tuple[str, ...], list[list[int]]]:
    truth, found = ROWS["paid"].to_numpy(), {}
    for group in product(*(sorted(ROWS[column].unique()) for column in columns)):
        mine = np.logical_and.reduce(
            [ROWS[column] == name for column, name in zip(columns, group, strict=True)] or [truth >= 0]
        )
        found[group] = [[int(np.sum(mine & (truth == t) & (decisions == d))) for d in (0, 1)] for t in (0, 1)]
    return found


@pytest.mark.parametrize("columns", [(), ("race",), ("sex",), ("race", "sex")])
@pytest.mark.parametrize("wanted", [0.1, 0.37, 0.5, 0.81])
def test_a_threshold_for_everybody_counts_as_the_rows_do(
    wanted: float, columns: tuple[str, ...], later: AuditRecord
) -> None:
    place = edges(later)[nearest_edge(edges(later), wanted)]
    moved = at_thresholds(later, wanted)
    assert counted(moved, *columns) == by_hand((place <= SCORES).astype(int), *columns)


@pytest.mark.parametrize("columns", [(), ("race",), ("sex",), ("race", "sex")])
def test_thresholds_of_groups_count_as_the_rows_do(columns: tuple[str, ...], later: AuditRecord) -> None:
    """Groupings without the feature are summed over the crossing with it."""
    each = {"Black": 0.3, "White": 0.7}
    places = {name: edges(later)[nearest_edge(edges(later), value)] for name, value in each.items()}
    own = ROWS["race"].map(places).fillna(0.5).to_numpy(dtype=float)
    moved = at_thresholds(later, None, "race", each)
    assert counted(moved, *columns) == by_hand((own <= SCORES).astype(int), *columns)


def test_a_grouping_that_no_crossing_gives_is_left_out(later: AuditRecord) -> None:
    alone = replace(later, tallies=tuple(part for part in later.tallies if part.columns != ("race", "sex")))
    moved = at_thresholds(alone, None, "race", {"Black": 0.3})
    assert {part.columns for part in moved.tallies} == {(), ("race",)}
    assert moved.get("recall_difference[sex]") is None
    assert moved["recall_difference[race]"].estimate is not None


def test_at_the_threshold_in_use_nothing_changes(later: AuditRecord) -> None:
    moved = at_thresholds(later, 0.5)
    for key in ("recall[race=Black]", "selection_rate_ratio[race]", "precision_difference[race,sex]"):
        assert moved[key].estimate == later[key].estimate
        assert moved[key].interval == later[key].interval


def test_what_is_of_scores_stays_and_what_is_of_decisions_is_counted_again(later: AuditRecord) -> None:
    moved = at_thresholds(later, 0.8)
    assert moved["roc_auc[race=Black]"] == later["roc_auc[race=Black]"]
    assert moved["recall"].estimate < later["recall"].estimate  # type: ignore[operator]
    assert {finding.key.metric for finding in moved.findings if not of_scores(finding.key.metric)} == set()


def test_a_record_without_scores_is_not_decided_anew() -> None:
    flat = eh.audit_predictions([1, 0] * 50, [1, 0] * 50, sensitive_features={"sex": ["f", "m"] * 50})
    with pytest.raises(InputError, match="no counts by score"):
        at_thresholds(flat, 0.4)


def test_unknown_groups_and_features_are_refused(later: AuditRecord) -> None:
    with pytest.raises(InputError, match=r"No row is of the group 'Blck' of 'race'\. Did you mean 'Black'"):
        at_thresholds(later, None, "race", {"Blck": 0.3})
    with pytest.raises(InputError, match="There are no scores by 'income'"):
        at_thresholds(later, None, "income", {"Blck": 0.3})


@given(st.lists(st.integers(0, 9), min_size=16, max_size=16), st.lists(st.integers(0, 2), min_size=2, max_size=2))
def test_no_row_is_lost_and_a_higher_threshold_selects_no_more(cells: list[int], places: list[int]) -> None:
    counts = np.array(cells).reshape(2, 2, 4)
    tally, higher = decided(counts, places), decided(counts, [place + 1 if place < 2 else place for place in places])
    assert (tally.counts.sum(axis=2) == counts.sum(axis=2)).all()
    assert (higher.counts[:, :, 1] <= tally.counts[:, :, 1]).all()
