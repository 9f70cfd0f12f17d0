"""Private fits: rows are clipped, noise is what the budget asks for, and what cannot be private is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import evenhand as eh
from evenhand.data.coin import Coin
from evenhand.errors import InputError, ModelError
from evenhand.training import TrainingConfig, fit, fit_boosting, fit_ensemble, load_model, tune
from evenhand.training.dataset import Dataset
from evenhand.training.loop import run
from evenhand.training.placing import Here
from evenhand.training.schedule import Schedule

pytest.importorskip("opacus")

from evenhand.training.private.going import PrivateGoing
from evenhand.training.private.layers import mode_of
from evenhand.training.private.plan import Privacy, epsilon_of, noise_for, usual_delta

if TYPE_CHECKING:
    from pathlib import Path

torch.set_num_threads(1)
WITHOUT_NOISE = Privacy(1.0, 1e-5, 0.0, 0.5, 1.0, 4, 40.0, "ghost", by_seed=True)


def rows(n: int = 40, seed: int = 0) -> Dataset:
    chance = np.random.default_rng(seed)
    columns = chance.normal(size=(n, 5)).astype("float32")
    return Dataset(columns, (chance.random(n) < 0.5).astype("float32"), np.ones(n, "float32"))


def network(seed: int = 0, *more: nn.Module) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.ReLU(), *more, nn.Linear(8, 1))


def course(private: Privacy, **settings: Any) -> Schedule:
    plain = {"epochs": 1, "optimizer": "sgd", "schedule": "constant", "weight_decay": 0.0, "learning_rate": 1.0}
    return Schedule(**{**plain, "batch_size": 40, **settings}, private=private)


def moved(net: nn.Module, data: Dataset, schedule: Schedule) -> np.ndarray:
    """Return how far one epoch moved each weight."""
    going = PrivateGoing(net, data, data, schedule, Here(), {})
    before = torch.cat([weight.detach().clone().flatten() for weight in net.parameters()])
    going.learn(0)
    return (torch.cat([weight.detach().flatten() for weight in net.parameters()]) - before).numpy()


def clipped_by_hand(net: nn.Module, data: Dataset, most: float) -> np.ndarray:
    """The mean of the rows' gradients, each computed alone and clipped."""
    total = 0.0
    for at in range(len(data.target)):
        net.zero_grad()
        logit = net(torch.from_numpy(data.columns[at : at + 1])).reshape(-1)
        loss = data.weight[at] * nn.functional.binary_cross_entropy_with_logits(
            logit, torch.tensor(data.target[at : at + 1])
        )
        loss.backward()
        slope = np.concatenate([weight.grad.numpy().ravel() for weight in net.parameters()])  # type: ignore[union-attr]
        total = total + slope * min(1.0, most / np.linalg.norm(slope))
    return total / len(data.target)  # type: ignore[return-value]


@pytest.mark.parametrize("mode", ["ghost", "hooks"])
@pytest.mark.parametrize("clip", [0.05, 0.5, 100.0])
def test_a_step_without_noise_is_that_of_rows_clipped_one_by_one(mode: str, clip: float) -> None:
    data = rows()
    data = Dataset(data.columns, data.target, np.linspace(0.2, 1.8, 40, dtype="float32"))
    private = replace(WITHOUT_NOISE, mode=mode, clip=clip)
    found = moved(network(), data, course(private))
    assert np.allclose(found, -clipped_by_hand(network(), data, clip), atol=2e-6)


@pytest.mark.parametrize("mode", ["ghost", "hooks"])
def test_a_large_sample_in_several_pieces_is_one_step(mode: str) -> None:
    private = replace(WITHOUT_NOISE, mode=mode)
    whole = moved(network(), rows(), course(private))
    pieces = moved(network(), rows(), course(private, batch_size=4))  # 5 pieces of 8 rows
    assert np.allclose(whole, pieces, atol=2e-6)


@pytest.mark.parametrize("mode", ["ghost", "hooks"])
def test_noise_has_the_deviation_that_the_budget_asked_for(mode: str) -> None:
    wide = nn.Sequential(nn.Linear(5, 2000), nn.Linear(2000, 1))
    private = replace(WITHOUT_NOISE, mode=mode, noise_multiplier=3.0, clip=0.01)
    found = moved(wide, rows(), course(private)) * private.batch
    spread = float(found.std())
    assert spread == pytest.approx(3.0 * 0.01, rel=0.03)  # the clipped sum adds nothing to speak of


@pytest.mark.parametrize("mode", ["ghost", "hooks"])
def test_a_sample_without_rows_is_a_step_of_noise_alone(mode: str) -> None:
    private = replace(WITHOUT_NOISE, mode=mode, noise_multiplier=1.0, sample_rate=1e-9)
    going = PrivateGoing(net := network(), rows(), rows(), course(private), Here(), {})
    before = [weight.detach().clone() for weight in net.parameters()]
    going._private_step(np.empty(0, dtype=np.intp))
    assert all(bool((new != old).any()) for new, old in zip(net.parameters(), before, strict=True))


def test_noise_is_the_systems_chance_unless_the_seed_is_asked_for() -> None:
    secret = course(replace(WITHOUT_NOISE, noise_multiplier=1.0, by_seed=False))
    seeded = course(replace(WITHOUT_NOISE, noise_multiplier=1.0))
    assert not np.allclose(moved(network(), rows(), secret), moved(network(), rows(), secret))
    assert np.array_equal(moved(network(), rows(), seeded), moved(network(), rows(), seeded))


def test_samples_are_drawn_row_by_row() -> None:
    """Poisson samples differ in size; a shuffle cut into batches does not, and the accountant would be wrong."""
    sizes: list[int] = []
    private = replace(WITHOUT_NOISE, sample_rate=0.1, batch=40.0)
    going = PrivateGoing(network(), rows(400), rows(400), course(private), Here(), {})
    going._private_step = lambda rows: sizes.append(len(rows))  # type: ignore[method-assign]
    for epoch in range(30):
        going.learn(epoch)
    assert len(sizes) == 300
    assert np.mean(sizes) == pytest.approx(40, abs=2)
    assert np.var(sizes) == pytest.approx(400 * 0.1 * 0.9, rel=0.4)


LOSSES = [(1.5, 0.02, 500, 1.37010), (0.9, 0.01, 300, 1.41871), (5.0, 1.0, 20, 3.84862)]
"""Noise, rate, steps, and epsilon at delta 1e-5 by privacy loss distributions of dp-accounting 0.6.0, which wants an
older attrs than other packages: `from_gaussian_mechanism(noise, sampling_prob=rate,
value_discretization_interval=1e-3)`, composed with itself."""


@pytest.mark.parametrize(("noise", "rate", "steps", "oracle"), LOSSES)
def test_the_accountant_agrees_with_privacy_loss_distributions(
    noise: float, rate: float, steps: int, oracle: float
) -> None:
    assert epsilon_of(noise, rate, steps, 1e-5) == pytest.approx(oracle, rel=0.03, abs=0.02)


@pytest.mark.parametrize("epsilon", [0.5, 3.0, 20.0])
def test_noise_is_the_least_that_keeps_the_budget(epsilon: float) -> None:
    noise = noise_for(epsilon, 1e-5, 0.02, 500)
    assert epsilon_of(noise, 0.02, 500, 1e-5) <= epsilon < epsilon_of(0.95 * noise, 0.02, 500, 1e-5)


def test_delta_is_far_below_one_row() -> None:
    assert all(n**-1.1 / 2 <= usual_delta(n) <= n**-1.1 for n in (40_000, 10**6, 10**7))
    assert usual_delta(2) == usual_delta(997) == 1e-5


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"batch_norm": True}, "batch_norm"), ({"resample": "over"}, "resample"), ({"mixup": 0.2}, "mixup"),
        ({"class_weight": "balanced"}, "class_weight"), ({"model": "boosting"}, "model"),
        ({"precision": "bfloat16"}, "precision"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_private_are_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        TrainingConfig(epsilon=1.0, **settings)
    TrainingConfig(**settings)


def test_networks_that_cannot_be_private_are_refused_by_their_layer() -> None:
    with pytest.raises(ModelError, match="BatchNorm1d"):
        mode_of(network(0, nn.BatchNorm1d(8)), (5,))
    with pytest.raises(ModelError, match="LSTM"):
        mode_of(nn.LSTM(5, 3), (5, 5))

    class Centred(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 1)

        def forward(self, columns: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.layer(columns - columns.mean(dim=0)))

    with pytest.raises(ModelError, match="depends on the other rows"):
        mode_of(Centred(), (5,))
    assert mode_of(network(), (5,)) == "ghost"
    assert mode_of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 1)), (1, 4, 4)) == "hooks"
    tied = nn.Sequential(layer := nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5))
    tied[2].weight = layer.weight
    assert mode_of(tied, (5,)) == "hooks"


PARTS = eh.split(eh.load_loanapp(), {"train": 0.5, "validation": 0.2, "test": 0.3})
PRIVATE = TrainingConfig(epochs=3, hidden=(8,), epsilon=3.0, seed=1)


def test_a_private_model_says_what_its_budget_is_about_and_nothing_of_its_rows(tmp_path: Path) -> None:
    model = fit(PARTS["train"], PARTS["validation"], PRIVATE)
    told = model.history["privacy"]
    assert isinstance(told, dict)
    assert told["epsilon"] <= 3.0 and told["epsilon"] > 2.9  # type: ignore[operator]
    assert told["mode"] == "ghost" and told["noise"] == "secret" and told["unit"] == "row"
    assert "preprocessing" in told["does_not_cover"]  # type: ignore[operator]
    assert not {"train_loss", "counts", "baseline"} & set(model.history)
    model.save(tmp_path / "private.safetensors")
    again = load_model(tmp_path / "private.safetensors")
    assert again.facts["training"]["privacy"] == told  # type: ignore[index, call-overload]
    json.dumps(again.history)


def test_a_private_fit_by_the_seed_is_the_same_twice() -> None:
    config = replace(PRIVATE, seeded_noise=True)
    one, two = (fit(PARTS["train"], PARTS["validation"], config) for _ in range(2))
    assert np.array_equal(one.predict(PARTS["test"].X), two.predict(PARTS["test"].X))
    other = fit(PARTS["train"], PARTS["validation"], replace(config, epsilon=1.0))
    assert not np.array_equal(one.predict(PARTS["test"].X), other.predict(PARTS["test"].X))


def test_validation_rows_must_be_others() -> None:
    with pytest.raises(InputError, match="training rows, too"):
        fit(PARTS["train"], PARTS["train"], PRIVATE)


def test_numbers_are_refused() -> None:
    chance = np.random.default_rng(0)
    table = pd.DataFrame({"x": chance.normal(size=60), "y": chance.normal(size=60)})
    with pytest.raises(InputError, match="learns classes"):
        fit(eh.read_evaluation_set(table, label="y", task="regression"), config=PRIVATE)


def test_coins_are_fair_of_the_row_and_leave_out_what_they_say() -> None:
    data = PARTS["train"]
    model = fit(
        data, PARTS["validation"], TrainingConfig(epochs=1, hidden=(4,), canary_share=0.6, seed=5, baseline=False)
    )
    coin = Coin.from_plain(model.history["coin"])  # type: ignore[arg-type]
    drawn, inside = coin.flipped(data)
    assert coin.knows(data) and not coin.knows(PARTS["test"])
    assert model.history["train_rows"] == inside.sum() < len(data)
    assert 0.5 < drawn.mean() < 0.7 and 0.42 < inside[drawn].mean() < 0.58
    order = np.random.default_rng(0).permutation(len(data))
    again = Coin.from_plain(coin.to_plain()).flipped(data.take(order))
    assert np.array_equal(again[1], inside[order])
    seen = set(model.fit_row_hashes)
    out = data.row_hashes(model.preprocessing.features)[drawn & ~inside]
    assert np.mean([row in seen for row in out]) < 0.1  # but for rows that equal another one


def test_rows_that_stand_twice_are_always_in() -> None:
    data = PARTS["train"]
    twice = data.take(np.r_[0 : len(data), 0:50])
    drawn, inside = Coin.of(twice, 1.0, 3).flipped(twice)
    assert not drawn[:50].any() and inside[:50].all() and inside[-50:].all()


def test_a_killed_private_fit_goes_on(tmp_path: Path) -> None:
    data, private = rows(), replace(WITHOUT_NOISE, noise_multiplier=1.0)
    learned = run(network(), data, data, course(private, epochs=2))
    assert len(learned.check_loss) == 2 and not any(learned.train_loss)


@pytest.mark.parametrize("setting", [{"epsilon": 1.0}, {"canary_share": 0.5}])
def test_what_is_no_single_fit_has_no_budget_and_no_coins(setting: dict[str, Any]) -> None:
    config = TrainingConfig(epochs=1, hidden=(4,), **setting)
    for call in (fit_ensemble, fit_boosting):
        with pytest.raises(InputError, match="one fit of one network"):
            call(PARTS["train"], PARTS["validation"], config)
    pytest.importorskip("optuna")
    with pytest.raises(InputError, match="one fit of one network"):
        tune(PARTS["train"], trials=1, config=config)
