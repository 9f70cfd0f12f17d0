"""References show more of epsilon than confidence alone, and know of the coins by the model alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import evenhand as eh
from evenhand.probing.epsilon.bound import epsilon_bound

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet

FEATURES = list("abcdef")


def people(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(rows, len(FEATURES))), columns=FEATURES)
    table["y"] = (2 * table["a"] + table["b"] + rng.normal(size=rows) > 0).astype(int)
    return table.assign(inside=rng.integers(0, 2, rows))


CANDIDATES, TEST = people(1_600, 1), people(200, 2).drop(columns="inside")


def audited(model: object, candidates: pd.DataFrame = CANDIDATES, **more: Any) -> eh.AuditRecord:
    return eh.audit(
        model, TEST, members=candidates, label="y", claimed_epsilon=1.0, member_column="inside",
        audits=["differential_privacy"], **more,
    )  # fmt: skip


def test_references_show_more_of_a_forest_than_its_confidence_and_are_told() -> None:
    inside = CANDIDATES[CANDIDATES["inside"] == 1]
    forest = RandomForestClassifier(40, min_samples_leaf=3, random_state=0).fit(inside[FEATURES], inside["y"])
    record = audited(forest)
    bound = record["epsilon_lower_bound"]
    said = forest.predict_proba(CANDIDATES[FEATURES])[np.arange(len(CANDIDATES)), CANDIDATES["y"]]
    alone = epsilon_bound(said, CANDIDATES["inside"] == 1, 1e-5).epsilon
    assert bound.estimate is not None and bound.estimate > alone + 0.3
    assert "reference models guessed best" in bound.note
    (section,) = record.sections
    assert "4 reference models" in section.reason and "own recipe" in section.reason


def test_equal_answers_show_nothing_in_whatever_order_the_file_is() -> None:
    for ascending in (True, False):
        given = CANDIDATES.sort_values("inside", ascending=ascending)
        record = audited(lambda table: np.full(len(table), 0.5), given)
        assert record["epsilon_lower_bound"].estimate == 0


def test_references_are_the_same_whoever_was_in_and_whatever_the_order_of_the_file() -> None:
    """Else guesses would know the coins from elsewhere than the model, and their bound would be none."""

    def fitted_on(candidates: pd.DataFrame) -> list[list[float]]:
        seen: list[list[float]] = []

        def train(rows: EvaluationSet, seed: int) -> object:
            assert "inside" not in rows.table
            seen.append([float(seed), *rows.table["a"]])
            return LogisticRegression().fit(rows.table[FEATURES], rows.y_true)

        audited(lambda table: 1 / (1 + np.exp(-table["a"])), candidates, train_fn=train, privacy_rows=400)
        return seen

    usual = fitted_on(CANDIDATES)
    assert len(usual) == 4 and {len(rows) for rows in usual} == {401}
    others_in = CANDIDATES.assign(inside=1 - CANDIDATES["inside"])
    assert fitted_on(others_in) == usual
    assert fitted_on(CANDIDATES.sort_values("inside")) == usual


def test_without_rows_to_compare_with_confidence_guesses_alone() -> None:
    record = eh.audit(
        lambda table: 1 / (1 + np.exp(-table["a"])), CANDIDATES.drop(columns="inside"), members=CANDIDATES, label="y",
        claimed_epsilon=1.0, member_column="inside", audits=["differential_privacy"],
    )  # fmt: skip
    assert record["epsilon_lower_bound"].estimate == pytest.approx(0, abs=0.2)
    (section,) = record.sections
    assert "confidence alone" in section.reason


def test_a_model_that_reads_who_was_in_has_no_bound() -> None:
    record = eh.audit(
        lambda table: 0.2 + 0.6 * table["inside"], TEST.assign(inside=0), members=CANDIDATES, label="y",
        claimed_epsilon=1.0, member_column="inside", audits=["differential_privacy"],
    )  # fmt: skip
    assert "reads 'inside'" in record["epsilon_lower_bound"].undefined
