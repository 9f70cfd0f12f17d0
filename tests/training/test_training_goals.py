"""What a fit aims at: the rule of the threshold, searches of every network, networks of two logits."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.compression import Int8, MagnitudePruning, NeuronPruning, compress, load_compressed
from evenhand.training import NetworkModel, Preprocessing, TrainingConfig, fit, fit_ensemble, given_model, load_model
from evenhand.training.searching import tune, usual_space

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)
CONFIG = TrainingConfig(hidden=(8,), epochs=6, learning_rate=0.02, seed=0)


def rare(n: int = 3000) -> pd.DataFrame:
    """A class of one row in twenty, which a line finds with some errors."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    y = (x[:, 0] + 0.7 * rng.normal(size=n) > 2.1).astype(int)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=y, town=np.where(x[:, 1] > 0, "north", "south"))


@pytest.fixture(scope="module")
def few() -> EvaluationSet:
    return eh.read_evaluation_set(rare(), label="y", sensitive_features="town", name="rare")


def recall(model: NetworkModel, data: EvaluationSet) -> float:
    return float((model.predict(data.X) >= model.threshold)[data.y_true == 1].mean())


@pytest.mark.parametrize(
    "balanced",
    [{"class_weight": "balanced"}, pytest.param({"resample": "over"}, marks=pytest.mark.slow), {"resample": "under"}],
)
def test_the_threshold_follows_what_the_fit_balances(balanced: dict[str, str], few: EvaluationSet) -> None:
    config = dataclasses.replace(CONFIG, **balanced)  # type: ignore[arg-type]
    model = fit(few, config=config)
    assert recall(model, few) > 0.7, "of accuracy's threshold it is below .5 whatever the weights"
    assert model.history["threshold_rule"] == "balanced_accuracy"
    assert model.history["config"]["threshold"] == "balanced_accuracy"  # type: ignore[index,call-overload]
    plain = fit(few, config=dataclasses.replace(config, threshold="accuracy"))
    assert recall(plain, few) < recall(model, few) - 0.2
    assert plain.history["threshold_rule"] == "accuracy"


def test_the_rule_without_balance_and_of_a_number(few: EvaluationSet) -> None:
    assert fit(few, config=dataclasses.replace(CONFIG, epochs=1)).history["threshold_rule"] == "accuracy"
    told = fit(few, config=dataclasses.replace(CONFIG, epochs=1, threshold=0.25))
    assert told.threshold == 0.25 and "threshold_rule" not in told.history
    many = fit_ensemble(few, config=dataclasses.replace(CONFIG, class_weight="balanced"), members=2)
    assert recall(many, few) > 0.7
    assert many.history["threshold_rule"] == "balanced_accuracy"


def test_the_command_says_by_which_rule_it_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rare(600).to_csv(tmp_path / "rare.csv", index=False)
    asked = [
        "train",
        str(tmp_path / "rare.csv"),
        "--label",
        "y",
        "--epochs",
        "1",
        "-o",
        str(tmp_path / "m.safetensors"),
    ]
    assert exit_code([*asked, "--class-weight", "balanced"]) == 0
    assert "the best balanced accuracy on validation rows" in capsys.readouterr().err
    table = rare(600).assign(y=np.arange(600) % 3)
    table.to_csv(tmp_path / "three.csv", index=False)
    asked[1] = str(tmp_path / "three.csv")
    assert exit_code([*asked, "--task", "multiclass"]) == 0
    assert "decides for the most probable class" in capsys.readouterr().err


@pytest.mark.parametrize("network", ["residual", "transformer", pytest.param("wide_deep", marks=pytest.mark.slow)])
def test_a_search_suits_the_network(network: str, few: EvaluationSet) -> None:
    pytest.importorskip("optuna")
    base = TrainingConfig(network=network, hidden=(20, 20), heads=5, epochs=1, batch_size=256)  # type: ignore[arg-type]
    for hidden in usual_space(base)["hidden"]:
        dataclasses.replace(base, hidden=hidden)  # type: ignore[arg-type]
    if network != "wide_deep":
        assert {len(hidden) for hidden in usual_space(base)["hidden"]} == {2}, "as many blocks as were asked for"  # type: ignore[arg-type]
    small = few.take(np.arange(400))
    found = tune(small, trials=1, config=base)
    assert found.config.hidden in usual_space(base)["hidden"]
    assert found.config.network == network


def test_a_search_of_several_classes_and_of_a_network_by_the_command(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    rare(400).assign(y=np.arange(400) % 3).to_csv(tmp_path / "three.csv", index=False)
    asked = [
        "train", str(tmp_path / "three.csv"), "--label", "y", "--task", "multiclass", "--network", "residual",
        "--epochs", "1", "--tune", "2", "--tune-storage", str(tmp_path / "t.db"), "-o", str(tmp_path / "m.safetensors"),
    ]  # fmt: skip
    assert exit_code(asked) == 0
    plan = load_model(tmp_path / "m.safetensors").plan
    assert plan.outputs == 3
    assert len(set(plan.to_plain()["hidden"])) == 1  # type: ignore[arg-type]


def test_trials_of_other_settings_are_not_mixed(few: EvaluationSet, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    small = few.take(np.arange(400))
    space = {"hidden": ((4,), (6,))}
    base = TrainingConfig(epochs=1)
    tune(small, trials=2, config=base, space=space, storage=tmp_path / "t.db")
    other = tune(small, trials=2, config=dataclasses.replace(base, loss="mse"), space=space, storage=tmp_path / "t.db")
    assert other.loss == tune(small, trials=2, config=dataclasses.replace(base, loss="mse"), space=space).loss


class Branching(nn.Module):
    """No chain of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.one(rows) + torch.relu(self.other(rows))


def chain() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2)))


@pytest.mark.parametrize("build", [pytest.param(chain, marks=pytest.mark.slow), Branching])
def test_two_logits_of_two_classes(build: type[nn.Module], few: EvaluationSet, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build()
    model = given_model(network, Preprocessing.fit(few.X), outputs=2, name="two")
    rows = torch.from_numpy(model.prepare(few.X))
    with torch.no_grad():
        share = network(rows).softmax(dim=1)[:, 1].numpy()
    np.testing.assert_allclose(model.predict(few.X), share, atol=1e-6)
    model.save(tmp_path / "two.safetensors")
    again = load_model(tmp_path / "two.safetensors", network=network)
    np.testing.assert_array_equal(again.predict(few.X), model.predict(few.X))
    small = compress(model, Int8(), train=few)
    assert np.abs(small.predict(few.X) - share).mean() < 0.05
    small.save(tmp_path / "two.onnx")
    np.testing.assert_array_equal(
        load_compressed(tmp_path / "two.onnx", isolate=False).predict(few.X), small.predict(few.X)
    )
    record = eh.audit(small, few, original=again, explain=False, footprint=False)
    decided = share >= 0.5
    assert record["selection_rate"].estimate == pytest.approx(decided.mean(), abs=0.05)
    sparse = compress(again, MagnitudePruning(0.3, epochs=1), train=few)
    assert isinstance(sparse, NetworkModel)
    sparse.save(tmp_path / "sparse.safetensors")
    np.testing.assert_array_equal(
        load_model(tmp_path / "sparse.safetensors", network=network).predict(few.X), sparse.predict(few.X)
    )


def test_a_chain_of_two_logits_stays_a_chain(few: EvaluationSet) -> None:
    torch.manual_seed(0)
    model = given_model(chain(), Preprocessing.fit(few.X), outputs=2)
    less = compress(model, NeuronPruning(0.25, epochs=1), train=few)
    assert [tuple(values.shape) for name, values in less.network.named_parameters() if "weight" in name] == [
        (6, 3), (3, 6), (1, 3),
    ]  # fmt: skip
