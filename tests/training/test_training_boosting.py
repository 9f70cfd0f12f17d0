"""Boosted trees of evenhand's own: fitted, saved as numbers, opened without running code, explained, audited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.compression import Int8, compress
from evenhand.errors import InputError, ModelError
from evenhand.explaining import explain
from evenhand.testing import check_subject
from evenhand.training import TrainingConfig, fit, fit_boosting, load_model
from evenhand.training.trees.arrays import BoostedTrees

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet
    from evenhand.training import BoostedModel

pytest.importorskip("sklearn")
pytest.importorskip("safetensors")


def mixed(n: int = 1200, seed: int = 0, classes: int = 2) -> EvaluationSet:
    """Return numbers with missing values, a category with rare levels, a flag, and text that is numbers."""
    rng = np.random.default_rng(seed)
    x, town = rng.normal(size=n), rng.integers(0, 400, n) // rng.integers(1, 60, n)
    z = x + 0.8 * np.sin(town) + rng.normal(size=n) * 0.5
    table = pd.DataFrame(
        {
            "x": np.where(rng.random(n) < 0.2, np.nan, x),
            "town": [f"t{at}" for at in town],
            "kind": pd.Categorical(np.where(rng.random(n) < 0.1, None, rng.choice(["a", "b", "c"], n))),
            "flag": rng.random(n) < 0.5,
            "amount": [f"{1000 + at:,}" for at in range(n)],
            "sex": rng.choice(["f", "m"], n),
            "y": np.digitize(z, np.quantile(z, np.arange(1, classes) / classes)),
        }
    )
    task = "binary" if classes == 2 else "multiclass"
    return eh.read_evaluation_set(table, label="y", sensitive_features=["sex"], name="mixed", task=task)


FEW = TrainingConfig(model="boosting", trees=40)


@pytest.fixture(scope="module")
def made() -> BoostedModel:
    return fit_boosting(mixed(), config=FEW)


def test_what_was_fitted_is_predicted_without_scikit_learn(made: BoostedModel, tmp_path: Path) -> None:
    import subprocess
    import sys

    made.save(tmp_path / "trees.safetensors")
    test = mixed(300, 1)
    np.save(tmp_path / "said.npy", made.predict(test.X))
    test.X.to_pickle(tmp_path / "rows.pkl")
    program = (
        "import sys, numpy as np, pandas as pd, evenhand as eh\n"
        "model = eh.open_model('trees.safetensors')\n"
        "assert (model.predict(pd.read_pickle('rows.pkl')) == np.load('said.npy')).all()\n"
        "assert not {'sklearn', 'torch'} & set(sys.modules), 'neither is needed to predict'\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_more_than_chance_and_missing_unseen_and_rare_values_are_read(made: BoostedModel) -> None:
    test = mixed(600, 1)
    assert float(((made.predict(test.X) >= made.threshold) == test.y_true).mean()) > 0.75
    strange = test.X.head(2).assign(town=["never seen", None], x=[np.inf, None], kind=["z", None])
    assert np.isfinite(made.predict(strange)).all()
    with pytest.raises(ModelError, match="needs column 'town'"):
        made.predict(test.X.drop(columns="town"))
    check_subject(made, test)


def test_several_classes_have_a_tree_each() -> None:
    train, test = mixed(classes=3), mixed(600, 1, classes=3)
    model = fit_boosting(train, config=FEW)
    share = model.predict(test.X)
    assert share.shape == (600, 3)
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert float((share.argmax(axis=1) == test.y_true).mean()) > 0.55
    record = eh.audit(model, test, audits=["performance", "training"], explain=False)
    assert record["accuracy"].estimate == pytest.approx(float((share.argmax(axis=1) == test.y_true).mean()))


def test_trees_are_explained_exactly(made: BoostedModel) -> None:
    test = mixed(60, 1)
    found = explain(made, test.X.head(20), background=test.X.tail(30))
    assert found.exact and found.method == "tree"
    total = found.values.sum(axis=1) + found.base_value
    np.testing.assert_allclose(total, made.predict_logits(test.X.head(20)), atol=1e-9)


def test_the_round_and_the_threshold_are_those_of_the_validation_rows(made: BoostedModel) -> None:
    losses = made.history["validation_losses"]
    assert isinstance(losses, list)
    assert made.history["rounds"] == int(np.argmin(losses)) + 1
    assert made.trees.trees == made.history["rounds"]
    longer = fit_boosting(mixed(), config=TrainingConfig(model="boosting", trees=300, patience=5))
    assert int(longer.history["rounds_fitted"]) < 300, "it stops when the loss rises"  # type: ignore[call-overload]


def test_rare_classes_can_be_weighed_and_drawn() -> None:
    data = mixed(2000)
    rare = data.take(np.flatnonzero((data.y_true == 0) | (np.arange(2000) % 10 == 0)), "rare")
    plain = fit_boosting(rare, config=TrainingConfig(model="boosting", trees=40, threshold=0.5))
    for settings in ({"class_weight": "balanced"}, {"resample": "under"}, {"resample": "over"}):
        asked: dict[str, Any] = {"model": "boosting", "trees": 40, "threshold": 0.5, **settings}
        moved = fit_boosting(rare, config=TrainingConfig(**asked))
        assert moved.predict(rare.X).mean() > 1.4 * plain.predict(rare.X).mean()


def test_no_recipe_compresses_trees_and_fit_makes_networks(made: BoostedModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can be compressed, not a BoostedModel"):
        compress(made, Int8(), train=mixed())  # type: ignore[arg-type]
    made.save(tmp_path / "trees.safetensors")
    with pytest.raises(ModelError, match="open_model opens"):
        load_model(tmp_path / "trees.safetensors")
    with pytest.raises(InputError, match="call fit_boosting"):
        fit(mixed(), config=FEW)
    images = eh.read_evaluation_set({"y": [0, 1] * 10}, label="y", inputs=np.zeros((20, 4, 4)))
    with pytest.raises(InputError, match="read the columns of a table"):
        fit_boosting(images)


DAMAGE: dict[str, tuple[str, Any, str]] = {
    "a child before its parent": ("left", lambda part: np.where(part > 0, 0, part), "follow its parent"),
    "a child beyond its tree": ("right", lambda part: np.where(part > 0, 10_000, part), "follow its parent"),
    "a column that is not there": ("column", lambda part: np.where(part >= 0, 99, part), "asks what there is not"),
    "a set that is not there": ("chosen", lambda part: np.where(part >= 0, 9_999, part), "asks what there is not"),
    "a leaf that is no number": ("value", lambda part: part + np.nan, "no number"),
    "trees that overlap": ("starts", lambda part: part[::-1], "where they are said to be"),
    "nodes of two lengths": ("threshold", lambda part: part[:-1], "told alike"),
    "another type": ("left", lambda part: part.astype(np.int64), "is of int64"),
}


@pytest.mark.parametrize(("name", "change", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_trees_are_refused(made: BoostedModel, name: str, change: Any, words: str) -> None:
    held = made.trees.tensors()
    held[name] = np.ascontiguousarray(change(held[name])).astype(change(held[name]).dtype)
    with pytest.raises(ValueError, match=words):
        BoostedTrees.from_tensors(made.preprocessing, held)


def test_the_same_rows_give_the_same_file(made: BoostedModel) -> None:
    assert fit_boosting(mixed(), config=FEW).content == made.content
