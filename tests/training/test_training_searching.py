"""Searches: bounded, resumable, the same for a seed, on rows held out of training rows; and scikit-learn's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV, TimeSeriesSplit, cross_val_score

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.training import TabularClassifier, TrainingConfig, load_model, searching, tune

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)
pytest.importorskip("optuna")
BASE = TrainingConfig(epochs=3, hidden=(4,), batch_size=64)
SPACE = {"learning_rate": (1e-4, 1e-1), "hidden": ((4,), (8,))}


def frame(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    y = (x[:, 0] + 0.5 * x[:, 1] + 0.3 * rng.normal(size=n) > 0).astype(int)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=y, person=np.arange(n) // 3, day=rng.permutation(n))


@pytest.fixture(scope="module")
def train() -> EvaluationSet:
    return eh.read_evaluation_set(frame(), label="y", exclude=["person", "day"], name="rows")


def test_the_same_seed_finds_the_same(train: EvaluationSet) -> None:
    first, again = (tune(train, trials=4, config=BASE, space=SPACE, seed=1) for _ in range(2))
    assert first == again
    assert first.loss == min(trial["loss"] for trial in first.trials if trial["state"] == "complete")  # type: ignore[type-var]
    assert len(first.trials) == 4
    assert first.config.epochs == 3 and 1e-4 <= first.config.learning_rate <= 1e-1
    assert first.config.hidden in SPACE["hidden"]


def test_a_killed_search_goes_on(train: EvaluationSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = 0
    fit = searching.fit

    def counted(*given: object, **named: object) -> object:
        nonlocal fits
        fits += 1
        if fits == 3:
            raise KeyboardInterrupt
        return fit(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(searching, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        tune(train, trials=4, config=BASE, space=SPACE, storage=tmp_path / "study.db")
    found = tune(train, trials=4, config=BASE, space=SPACE, storage=tmp_path / "study.db")
    done = [trial for trial in found.trials if trial["state"] in ("complete", "pruned")]
    assert len(done) == 4
    assert fits == 5, "two before the kill, the killed one, and two more"


def test_rows_are_held_out_by_class_person_or_time(train: EvaluationSet) -> None:
    by_class = list(searching._parts(train, 3, None, 0))
    assert all(abs(held.y_true.mean() - train.y_true.mean()) < 0.02 for _, held in by_class)
    persons = eh.read_evaluation_set(frame(), label="y", cluster="person", exclude=["day"])
    for learn, held in searching._parts(persons, 3, None, 0):
        assert not set(learn.table.person) & set(held.table.person)
    for learn, held in searching._parts(train, 3, "day", 0):
        assert learn.table.day.max() < held.table.day.min()
    assert sum(len(held) for _, held in by_class) == len(train)


def test_a_hopeless_trial_ends_early(train: EvaluationSet) -> None:
    config = TrainingConfig(epochs=12, hidden=(), patience=12)
    found = tune(train, trials=14, config=config, space={"learning_rate": (1e-6, 1e-1)}, seed=0)
    assert any(trial["state"] == "pruned" for trial in found.trials)


def test_what_cannot_be_searched_is_told(train: EvaluationSet) -> None:
    with pytest.raises(InputError, match="one trial at least"):
        tune(train, trials=0)
    with pytest.raises(InputError, match="Did you mean 'dropout'"):
        tune(train, trials=1, space={"droput": (0.0, 0.5)})


def test_scikit_learn_searches_and_splits(train: EvaluationSet) -> None:
    table = frame()
    X, y = table[["a", "b", "c"]], np.where(table.y == 1, "yes", "no")
    small = TabularClassifier(hidden=(4,), epochs=10, learning_rate=0.02)
    grid = GridSearchCV(small, {"hidden": [(4,), ()]}, cv=2).fit(X, y)
    assert grid.best_score_ > 0.7
    assert set(grid.predict(X)) <= {"yes", "no"}
    RandomizedSearchCV(small, {"dropout": [0.0, 0.3]}, n_iter=1, cv=2, random_state=0).fit(X, y)
    assert len(cross_val_score(small, X, y, cv=GroupKFold(3), groups=table.person)) == 3
    assert len(cross_val_score(small, X, y, cv=TimeSeriesSplit(2))) == 2
    shares = grid.predict_proba(X)
    assert shares.shape == (300, 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame().to_csv(tmp_path / "rows.csv", index=False)
    asked = ["train", str(tmp_path / "rows.csv"), "--label", "y", "--exclude", "person", "--exclude", "day"]
    asked += ["--epochs", "2", "--network", "residual", "--tune", "2", "--tune-storage", str(tmp_path / "s.db")]
    assert exit_code([*asked, "--quiet", "-o", str(tmp_path / "m.safetensors")]) == 0
    assert (tmp_path / "s.db").exists()
    assert capsys.readouterr().err == ""
    assert load_model(tmp_path / "m.safetensors").plan.kind == "residual"
