"""Several classes, rare classes, categories as vectors, texts that are numbers; and what a fit refuses or survives."""

from __future__ import annotations

import dataclasses
import errno
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, ModelError
from evenhand.training import (
    ImagePlan,
    Normalization,
    Preprocessing,
    TrainingConfig,
    fit,
    fit_ensemble,
    fit_ways,
    load_model,
)
from evenhand.training.augmentation import mix, shifted
from evenhand.training.dataset import Dataset
from evenhand.training.fitting import dataset_of
from evenhand.training.imbalance import WAYS
from evenhand.training.loop import run
from evenhand.training.objective import weighted_loss
from evenhand.training.schedule import Schedule
from evenhand.training.weighing import class_weights, resampled

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)


def flowers(n: int = 600, seed: int = 0) -> pd.DataFrame:
    """Three kinds that two columns tell, one of them rare, in two gardens."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["iris", "rose", "tulip"], n, p=[0.45, 0.45, 0.1])
    centre = pd.DataFrame({"iris": [0, 2], "rose": [2, 0], "tulip": [-2, -2]})[kind].to_numpy().T
    X = centre + rng.normal(size=(n, 2))
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "garden": rng.choice(["north", "south"], n), "kind": kind})


@pytest.fixture(scope="module")
def three() -> tuple[EvaluationSet, EvaluationSet]:
    train = eh.read_evaluation_set(flowers(), label="kind", sensitive_features="garden", name="flowers")
    return train, eh.read_evaluation_set(flowers(400, 1), like=train, name="other flowers")


CONFIG = TrainingConfig(hidden=(16,), epochs=15, learning_rate=0.01, seed=0)


@pytest.mark.parametrize("network", ["mlp", "residual", "wide_deep", "deepfm", "transformer"])
def test_every_network_learns_several_classes(
    network: str, three: tuple[EvaluationSet, EvaluationSet], tmp_path: Path
) -> None:
    train, test = three
    model = fit(train, config=dataclasses.replace(CONFIG, network=network))  # type: ignore[arg-type]
    share = model.predict(test.X)
    assert share.shape == (400, 3)
    assert (share.argmax(axis=1) == test.y_true).mean() > 0.8
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").predict(test.X), share)
    counts = np.asarray(cast("dict[str, object]", model.history["counts"])["train"])
    assert counts.shape == (3, 3)
    assert counts.sum() == model.history["train_rows"]


def test_an_audit_of_several_classes_tells_how_the_model_was_trained(
    three: tuple[EvaluationSet, EvaluationSet],
) -> None:
    train, test = three
    record = eh.audit(fit(train, config=CONFIG), test, explain=False, footprint=False)
    assert record["accuracy"].estimate == pytest.approx(
        float((fit(train, config=CONFIG).predict(test.X).argmax(axis=1) == test.y_true).mean())
    )
    training = record.provenance["subject"]["training"]  # type: ignore[index,call-overload]
    assert training["config"]["seed"] == 0
    assert training["train_hash"] and training["train_loss"]
    assert training["classes"] == ["iris", "rose", "tulip"]
    counts = np.asarray(training["counts"]["train"])
    seen = record["accuracy[;of=train]"]
    assert (seen.estimate, seen.support) == (pytest.approx(counts.trace() / counts.sum()), counts.sum())
    gap = record["generalization_gap[;rate=accuracy]"].estimate
    assert gap == pytest.approx(seen.estimate - record["accuracy"].estimate)


def test_losses_of_several_classes() -> None:
    logit, target = torch.randn(5, 3), torch.eye(3)[[0, 1, 2, 0, 1]]
    answer = torch.cat([target, torch.ones(5, 1)], dim=1)
    plain = torch.nn.functional.cross_entropy(logit, target)

    def loss(**settings: object) -> float:
        return float(weighted_loss(Schedule(1, **settings))()(logit, answer))  # type: ignore[arg-type]

    assert loss() == pytest.approx(float(plain), rel=1e-5)
    smooth = torch.nn.functional.cross_entropy(logit, target, label_smoothing=0.2)
    assert loss(label_smoothing=0.2) == pytest.approx(float(smooth), rel=1e-5)
    assert loss(loss="focal", focal_gamma=0.0) == pytest.approx(float(plain), rel=1e-5)
    assert loss(loss="focal") < loss()
    assert loss(loss="mse") == pytest.approx(float(((logit.softmax(1) - target) ** 2).sum(1).mean()), rel=1e-5)
    assert loss(temperature=2.0) == pytest.approx(float(torch.nn.functional.cross_entropy(logit / 2, target)), rel=1e-5)


def test_classes_weigh_alike_and_are_drawn_alike(three: tuple[EvaluationSet, EvaluationSet]) -> None:
    train, _ = three
    weight = class_weights(train.y_true)
    sums = [weight[train.y_true == label].sum() for label in range(3)]
    assert sums == pytest.approx([len(train) / 3] * 3)
    counts = np.bincount(train.y_true)
    dataset = dataset_of(Preprocessing.fit(train.X), train, CONFIG)
    for how, each in (("over", counts.max()), ("under", counts.min())):
        drawn = resampled(dataset, train, TrainingConfig(resample=how))  # type: ignore[arg-type]
        assert drawn.target.sum(axis=0).tolist() == [each] * 3
    over = resampled(dataset, train, TrainingConfig(resample="over"))
    assert {row.tobytes() for row in over.columns} == {row.tobytes() for row in dataset.columns}, "no row is lost"


def test_ways_with_a_rare_class_beside_each_other() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 3))
    y = (x[:, 0] + 0.7 * rng.normal(size=3000) > 2.1).astype(int)
    data = eh.read_evaluation_set(pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=y), label="y", name="rare")
    assert 0.02 < y.mean() < 0.08
    # At this rate recall is 0.00 to 0.02 without a remedy and above 0.84 with one, whatever the seed.
    models = fit_ways(data, config=TrainingConfig(hidden=(8,), epochs=6, learning_rate=0.02, seed=0))
    assert set(models) == set(WAYS)
    recall = {way: (model.predict(data.X) >= model.threshold)[y == 1].mean() for way, model in models.items()}
    assert all(
        recall[way] > recall["nothing"] + 0.5 for way in ("weights", "oversampling", "undersampling", "ensemble")
    )
    assert models["nothing"].threshold == 0.5 != models["threshold moved"].threshold


def test_ways_and_checkpoints_of_several_classes(three: tuple[EvaluationSet, EvaluationSet], tmp_path: Path) -> None:
    train, test = three
    config = dataclasses.replace(CONFIG, epochs=4)
    ways = fit_ways(train, config=config)
    assert set(ways) == set(WAYS) - {"threshold moved"}, "several classes have no threshold"
    assert {model.plan.outputs for model in ways.values()} == {3}
    place = tmp_path / "fit.ckpt"

    def killed(epoch: int, _: float) -> None:
        if epoch == 2:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fit(train, config=config, checkpoint=place, watch=killed)
    went_on = fit(train, config=config, checkpoint=place)
    np.testing.assert_array_equal(went_on.predict(test.X), ways["nothing"].predict(test.X))
    numbers = eh.read_evaluation_set(flowers(60), label="a", task="regression")
    with pytest.raises(InputError, match="ways with a rare class are of classes"):
        fit_ways(numbers)


def test_an_ensemble_is_one_model(three: tuple[EvaluationSet, EvaluationSet], tmp_path: Path) -> None:
    train, test = three
    many = fit_ensemble(train, config=dataclasses.replace(CONFIG, epochs=4), members=3)
    single = [fit(train, config=dataclasses.replace(CONFIG, epochs=4, seed=0))]
    assert many.network.members[0](torch.zeros(1, single[0].plan.columns)).shape == (1, 3)  # type: ignore[attr-defined,index]
    prepared = torch.from_numpy(many.prepare(test.X))
    with torch.no_grad():
        mean = torch.stack([member(prepared).softmax(1) for member in many.network.members]).mean(0)  # type: ignore[union-attr]
    np.testing.assert_allclose(many.predict(test.X), mean.numpy(), atol=1e-6)
    many.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").predict(test.X), many.predict(test.X))
    with pytest.raises(InputError, match="one member at least"):
        fit_ensemble(train, members=0)


def test_a_category_is_a_vector() -> None:
    rng = np.random.default_rng(0)
    town = rng.choice([f"town {at:02}" for at in range(30)], 2000)
    y = np.asarray([int(name[-2:]) % 2 for name in town])
    data = eh.read_evaluation_set(pd.DataFrame({"x": rng.normal(size=2000), "town": town, "y": y}), label="y")
    model = fit(data, config=TrainingConfig(hidden=(8,), embedding=3, epochs=15, learning_rate=0.02, pieces=0))
    vectors = model.network[0].vectors["1"].weight  # type: ignore[index,union-attr]
    assert vectors.shape == (3, 30)
    assert ((model.predict(data.X) >= 0.5) == y).mean() > 0.95
    one = torch.zeros(1, 31)
    one[0, 5] = 1.0
    torch.testing.assert_close(model.network[0](one)[0, 1:], vectors[:, 4])  # type: ignore[index]
    with pytest.raises(InputError, match="go before an mlp"):
        TrainingConfig(network="residual", hidden=(8,), embedding=2)


def test_texts_that_are_numbers_are_read_as_numbers_and_counted() -> None:
    n = 300
    amount = [f" {1000 + at:,} " for at in range(n)]
    amount[7], amount[9] = "unknown", None  # type: ignore[call-overload]
    fitted = Preprocessing.fit(pd.DataFrame({"amount": amount, "code": ["1", "2"] * (n // 2)}))
    told = {str(column["column"]): column for column in fitted.describe()}  # type: ignore[index,call-overload]
    assert told["amount"]["kind"] == "number"
    assert (told["amount"]["converted_cells"], told["amount"]["missing_cells"]) == (n - 2, 2)
    assert told["code"]["kind"] == "category", "few different values are a category, whatever they are written like"
    made = fitted.transform(pd.DataFrame({"amount": ["1,150", 1150, "?"], "code": ["1", "2", "1"]}))
    assert made[0, 0] == made[1, 0]
    assert made[2, 1] == 1.0, "marked as missing"
    assert Preprocessing.from_plain(fitted.to_plain()) == fitted
    assert fitted.cleaning() == {
        "cells": 600, "missing_filled": 2, "outliers_held": 0, "text_read_as_numbers": 298, "rare_levels_joined": 0,
        "columns_left_out": 0,
    }  # fmt: skip


def test_the_command_tells_what_was_done_to_how_many_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = flowers(200).assign(day=pd.date_range("2020-01-01", periods=200).astype(str), big=[1e9] + [1.0] * 199)
    table.loc[:9, "a"] = np.nan
    table.to_csv(tmp_path / "flowers.csv", index=False)
    asked = ["train", str(tmp_path / "flowers.csv"), "--label", "kind", "--epochs", "2"]
    assert exit_code([*asked, "-o", str(tmp_path / "m.safetensors")]) == 0
    said = capsys.readouterr().err
    assert "missing filled" in said and "1 outliers held at 10 deviations" in said


def test_rows_are_mixed_with_their_answers() -> None:
    torch.manual_seed(0)
    columns, answer = torch.eye(6), torch.cat([torch.eye(6), torch.ones(6, 1)], dim=1)
    mix(columns, answer, 1.0)
    torch.testing.assert_close(columns, answer[:, :6])
    torch.testing.assert_close(columns.sum(dim=1), torch.ones(6))


def test_prepared_images_lie_row_by_row() -> None:
    images = np.arange(54, dtype=np.uint8).reshape(2, 3, 3, 3)
    made = Normalization((3, 3, 3)).transform(images)
    np.testing.assert_array_equal(made, images, "one shape is taken as it is, whatever its axes mean")
    wide = np.arange(72, dtype=np.uint8).reshape(2, 3, 4, 3)
    made = Normalization((3, 3, 4)).transform(wide)
    assert made.flags.c_contiguous, "else every call of a network copies them first"
    np.testing.assert_array_equal(made, wide.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(Normalization((12,)).transform(made[:, 0]), made[:, 0].reshape(2, 12))


def test_images_are_moved_and_nothing_of_them_comes_in_again() -> None:
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 9, 9)
    images[:, 0, 4, 4] = 1.0
    moved = shifted(images, 2)
    assert moved.sum() == 200
    at = moved[:, 0].flatten(1).argmax(dim=1)
    assert set((at // 9).tolist()) == set((at % 9).tolist()) == {2, 3, 4, 5, 6}
    assert shifted(torch.ones(50, 1, 9, 9), 2).min() == 0.0


def test_products_in_half_precision_learn_too(three: tuple[EvaluationSet, EvaluationSet]) -> None:
    train, test = three
    model = fit(train, config=dataclasses.replace(CONFIG, precision="bfloat16"))
    assert (model.predict(test.X).argmax(axis=1) == test.y_true).mean() > 0.8
    assert all(values.dtype == torch.float32 for values in model.network.parameters())


# What is refused, or survived, in words.


def test_labels_of_a_wrong_kind() -> None:
    table = flowers().assign(pink=lambda t: (t["a"] > 0).astype(int), tall=lambda t: (t["b"] > 0).astype(int))
    data = eh.read_evaluation_set(table.drop(columns="kind"), labels=["pink", "tall"], task="multilabel")
    with pytest.raises(InputError, match="learns classes, numbers or a ranking, and the label's task is multilabel"):
        fit(data)


def test_one_class() -> None:
    table = flowers().assign(kind=["iris", "rose"] * 300)
    data = eh.read_evaluation_set(table, label="kind", positive="iris", name="two")
    with pytest.raises(InputError, match="all 300 training rows have the same label"):
        fit(data.take(np.flatnonzero(data.y_true == 1)))


def test_classes_absent_from_training(three: tuple[EvaluationSet, EvaluationSet]) -> None:
    train, test = three
    poor = train.take(np.flatnonzero(train.y_true != 2), "no tulips")
    with pytest.raises(InputError, match="no tulips: no training row is of 'tulip', so the class cannot be learnt"):
        fit(poor, test)
    other = eh.read_evaluation_set(flowers().replace("tulip", "lily"), label="kind", name="lilies")
    with pytest.raises(InputError, match="lilies: its label has the classes 'iris', 'lily', 'rose' and that of"):
        fit(train, other)


def test_a_network_for_other_rows_or_classes(three: tuple[EvaluationSet, EvaluationSet]) -> None:
    train, _ = three
    plan = ImagePlan("image_mlp", (1, 2, 2), 4)
    with pytest.raises(InputError) as told:
        fit(train, plan=plan, preparing=Preprocessing.fit(train.X))
    assert "3 logits, and this one has 4" in str(told.value)
    assert "takes rows of shape (1, 2, 2), and prepared are (2,)" in str(told.value)
    with pytest.raises(InputError, match="4 halvings leave nothing of 8 x 8"):
        ImagePlan("cnn", (1, 8, 8), 10, channels=(4, 4, 4, 4))
    with pytest.raises(InputError, match="multiple of its 4 heads"):
        ImagePlan("encoder", (1, 8, 8), 10, (30, 30))
    with pytest.raises(InputError, match=r"reads arrays of shape \(1, 2, 2\), and these are of shape \(1, 2\)"):
        Normalization.fit(np.ones((3, 1, 2)), (1, 2, 2))
    with pytest.raises(ModelError, match="1 missing or infinite numbers"):
        Normalization((1, 2)).transform(np.array([[1.0, np.nan]]))


def dataset(n: int = 60) -> Dataset:
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(n, 3)).astype(np.float32)
    return Dataset(columns, (columns[:, 0] > 0).astype(np.float32), np.ones(n, dtype=np.float32))


def test_a_disk_that_is_full_during_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fit goes on, the state before stays readable, and what happened is told."""
    from evenhand.output import writing
    from evenhand.training.resuming import Checkpoint

    place = tmp_path / "fit.ckpt"
    written = 0
    whole = writing._write_beside

    def full(path: Path, content: bytes, *rest: object) -> Path:
        nonlocal written
        written += 1
        if written > 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return whole(path, content, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "_write_beside", full)
    held = Checkpoint(place, "a")
    seen: list[int] = []

    def look(epoch: int, _epochs: int, _text: str) -> None:
        seen.append(len(torch.load(place, weights_only=True)["check_loss"]))

    learned = run(torch.nn.Linear(3, 1), dataset(), dataset(), Schedule(5), checkpoint=held, progress=look)
    assert len(learned.check_loss) == 5
    assert seen == [1, 2, 2, 2, 2], "the last state that could be written stays"
    assert "No space left on device" in held.problem


def test_time_that_is_bounded() -> None:
    learned = run(torch.nn.Linear(3, 1), dataset(), dataset(), Schedule(500, seconds=0.0))
    assert len(learned.check_loss) == 1
    assert learned.stopped == "time"
