"""The adapter of this package keeps the rules of a subject: a score depends on its row alone."""

from __future__ import annotations

from evenhand_example.scorecard import Scorecard

import evenhand as eh
from evenhand.testing import check_subject


def test_score_cards_keep_the_rules() -> None:
    rows = {"home": ["own", "rent"] * 20, "sex": ["f", "m", "m", "f"] * 10, "paid": [1, 0] * 20}
    data = eh.read_evaluation_set(rows, label="paid", sensitive_features="sex")
    found = check_subject(Scorecard({"home": {"own": 30, "rent": 5}}, passing=20), data)
    assert not found.of("reported")
