"""The model's own decisions: compared where a difference would show, and taken where there is one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evenhand.data.inputs import as_inputs
from evenhand.errors import ModelError
from evenhand.evidence.own_decisions import NEAREST, SPREAD, classes_decided, decided

N = 50_000
SCORES = np.random.default_rng(5).permutation(np.linspace(0, 1, N))


class Decides:
    """A subject with decisions of its own; counts the rows it is asked for."""

    name, score_kind, own_threshold = "own", "probability", None

    def __init__(self, answers: np.ndarray, threshold: float = 0.5) -> None:
        self.answers = answers
        self.threshold = threshold
        self.asked = 0

    def own_decisions(self, batch: pd.DataFrame) -> np.ndarray:
        self.asked += len(batch)
        return np.asarray(self.answers[batch["row"]])

    def settle(self, threshold: float) -> None:
        self.threshold = threshold


def rows(n: int = N) -> object:
    return as_inputs(pd.DataFrame({"row": np.arange(n)}))


def ask(model: Decides, scores: np.ndarray = SCORES) -> np.ndarray:
    return decided(model, rows(len(scores)), scores)  # type: ignore[arg-type]


def test_where_they_agree_few_rows_are_asked() -> None:
    model = Decides((SCORES >= 0.5).astype(int))
    assert np.array_equal(ask(model), SCORES >= 0.5)
    assert model.asked <= SPREAD + NEAREST
    assert model.threshold == 0.5


@pytest.mark.parametrize("own", [0.001, 0.277, 0.4995, 0.5005, 0.999])
def test_a_threshold_of_its_own_is_found_however_near_it_is(own: float) -> None:
    model = Decides((own <= SCORES).astype(int))
    assert np.array_equal(ask(model), own <= SCORES)
    assert np.array_equal(model.threshold <= SCORES, own <= SCORES)


def test_the_threshold_that_the_model_names_is_used_where_it_is_the_one() -> None:
    for named, expected in ((0.277, 0.277), (0.9, SCORES[SCORES >= 0.277].min())):
        model = Decides((SCORES >= 0.277).astype(int))
        model.own_threshold = named  # type: ignore[assignment]
        ask(model)
        assert model.threshold == expected


def test_ties_are_decided_as_the_model_decides_them() -> None:
    scores = np.where(np.arange(N) % 3 == 0, 0.5, SCORES)
    above = Decides((scores > 0.5).astype(int))
    assert np.array_equal(ask(above, scores), scores > 0.5)
    assert np.array_equal(scores >= above.threshold, scores > 0.5)
    coin = (np.arange(N) % 2).astype(int)
    mixed = Decides(np.where(scores == 0.5, coin, scores > 0.5))
    assert np.array_equal(ask(mixed, scores), np.where(scores == 0.5, coin, scores > 0.5))


def test_what_no_threshold_explains_is_refused() -> None:
    with pytest.raises(ModelError, match=r"decides otherwise than its scores in [\d,]+ of 50,000 rows"):
        ask(Decides((np.arange(N) % 2).astype(int)))
    with pytest.raises(ModelError, match="no threshold on them gives its decisions"):
        ask(Decides((SCORES < 0.5).astype(int)))


def test_several_classes_follow_the_largest_score_and_ties_the_model() -> None:
    scores = np.random.default_rng(1).dirichlet(np.ones(3), 5_000)
    scores[::10] = [0.4, 0.4, 0.2]
    own = scores.argmax(axis=1)
    own[::20] = 1
    found = classes_decided(Decides(own), rows(5_000), scores)  # type: ignore[arg-type]
    assert np.array_equal(found, own)
    with pytest.raises(ModelError, match="another class than that of its largest score"):
        classes_decided(Decides((own + 1) % 3), rows(5_000), scores)  # type: ignore[arg-type]
