"""The networks of compression_matrix.py, each trained at least briefly on real rows, and what it is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from measuring import needed
from torch import nn

import compression
import evenhand as eh
from evenhand.training import ImagePlan, Normalization, given_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.findings import Task
    from evenhand.training import NetworkModel
    from evenhand.training.config import ImageNetwork as ImageKind

    Array: TypeAlias = NDArray[np.float32]

WORDS, LENGTH, CONTEXT, VOCABULARY, FEW = 4_000, 48, 64, 50_257, 192


@dataclass(frozen=True, slots=True)
class Case:
    """A trained network with the rows that recipes may see, those it is tested on, and how many a batch has."""

    model: NetworkModel
    train: eh.EvaluationSet
    rows: Array
    """Prepared test rows."""
    label: NDArray[Any] | None
    """Their classes; None where the network has learnt none."""
    batch: int = 64
    calibration: int = 256
    """Training rows that give the ranges of activations, to every recipe and peer."""
    attends: bool = False
    """Whether its layers attend, which a peer wants to be told."""


class Recurrent(nn.Module):
    """Reads the lines of an image one after the other."""

    def __init__(self, kind: type[nn.LSTM | nn.GRU]) -> None:
        super().__init__()
        self.recurrent, self.head = kind(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, 10) logits."""
        return torch.as_tensor(self.head(self.recurrent(rows[:, 0])[0][:, -1]))


class Block(nn.Module):
    """Wide, depthwise, narrow, around a shortcut. Source: Sandler et al. 2018, "MobileNetV2"."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        wide = 4 * before
        self.inner = nn.Sequential(
            *_convolution(before, wide, 1, 1, 1), nn.ReLU6(),
            *_convolution(wide, wide, 3, stride, wide), nn.ReLU6(),
            *_convolution(wide, after, 1, 1, 1),
        )  # fmt: skip
        self.adds = before == after and stride == 1

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Return (n, channels, height, width)."""
        found = self.inner(given)
        return torch.as_tensor(given + found if self.adds else found)


def _convolution(before: int, after: int, kernel: int, stride: int, groups: int) -> list[nn.Module]:
    layer = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(after)]


class OfIds(nn.Module):
    """A network of transformers over token ids, which come as numbers; of a language model, what follows the last."""

    def __init__(self, network: nn.Module, last: bool) -> None:
        super().__init__()
        self.network, self.last = network, last

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return (n, classes) logits."""
        said = self.network(rows.long()).logits
        return torch.as_tensor(said[:, -1] if self.last else said)


def adult() -> Case:
    """Layers of neurons, 256 and 128, on the census income data."""
    model, parts = compression.adult(epochs=3)
    return _tested(model, parts["train"], parts["test"].take(np.arange(2_000)), batch=256)


def cnn() -> Case:
    """Two convolutions and a layer of neurons on digits."""
    plan = ImagePlan("cnn", (1, 28, 28), 10, (128,), channels=(32, 64), dropout=0.2)
    model, parts = compression.of_images(plan, compression.images(28, 3_000), epochs=3, learning_rate=5e-3)
    return _tested(model, parts["train"], parts["test"].take(np.arange(1_000)), batch=32)


def resnet18() -> Case:
    """ResNet-18 on digits of 64 x 64: random features under a last layer that is fitted."""
    return _of_random_features("resnet18", 3, 64, 8)


def vit() -> Case:
    """A vision transformer of four layers of 128 on digits, in patches of 4 x 4."""
    parts = compression.images(28, 1_500)
    plan = ImagePlan("vit", (1, 28, 28), 10, (128,) * 4, heads=4)
    model, parts = compression.of_images(plan, parts, epochs=5, learning_rate=1e-3)
    return _tested(model, parts["train"], parts["test"].take(np.arange(500)), batch=16, attends=True)


def lstm() -> Case:
    """An LSTM of 128 over the 28 lines of digits."""
    return _of_digits(Recurrent(nn.LSTM), "lstm", 4_000, 4, 4e-3)


def gru() -> Case:
    """A GRU of 128 over the 28 lines of digits."""
    return _of_digits(Recurrent(nn.GRU), "gru", 4_000, 4, 4e-3)


def mobilenet() -> Case:
    """Seven blocks with depthwise convolutions on digits."""
    sizes = ((16, 24, 2), (24, 24, 1), (24, 40, 2), (40, 40, 1), (40, 80, 2), (80, 80, 1), (80, 80, 1))
    network = nn.Sequential(
        *_convolution(1, 16, 3, 1, 1), nn.ReLU6(), *(Block(*each) for each in sizes), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(80, 10),
    )  # fmt: skip
    return _of_digits(network, "mobilenet", 1_500, 4, 4e-3)


def distilbert() -> Case:
    """DistilBERT from a configuration: four layers of 256, on tweets that are offensive or not."""
    import transformers

    (file,) = needed("text_toxicity", "davidson_tweets.csv.gz")
    table = pd.read_csv(file)
    table = table[table["class"] > 0].groupby("class").sample(1_500, random_state=0).sample(frac=1, random_state=0)
    words = table["tweet"].str.lower().str.findall(r"[a-z']+")
    common = words[:2_000].explode().value_counts().index[: WORDS - 2]
    number = {word: at for at, word in enumerate(common, 2)}
    ids = np.zeros((len(table), LENGTH), dtype=np.float32)
    for row, said in zip(ids, words, strict=True):
        known = [number.get(word, 1) for word in said[:LENGTH]]
        row[: len(known)] = known
    config = transformers.DistilBertConfig(
        vocab_size=WORDS, dim=256, n_heads=4, n_layers=4, hidden_dim=1_024, max_position_embeddings=LENGTH, num_labels=2
    )
    network = OfIds(transformers.DistilBertForSequenceClassification(config), last=False)
    label = table["class"].to_numpy() - 1
    _learn(network, ids[:2_000], label[:2_000], 2, 4e-4)
    model = given_model(network, Normalization((LENGTH,)), outputs=2, name="distilbert")
    train = _as_set(ids[:2_000], label[:2_000], "binary")
    return Case(model, train, ids[2_000:2_500], label[2_000:2_500], batch=16, attends=True)


def resnet50() -> Case:
    """ResNet-50 at 224 x 224: random features of digits under a last layer that is fitted."""
    return _of_random_features("resnet50", 3, 224, 4)


def gpt2() -> Case:
    """GPT-2 in its small configuration, 124 million random weights, over contexts of 64 tokens."""
    import transformers

    config = transformers.GPT2Config(use_cache=False)
    network = OfIds(transformers.GPT2LMHeadModel(config), last=True).eval()
    model = given_model(network, Normalization((CONTEXT,)), outputs=VOCABULARY, name="gpt2")
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (24, CONTEXT)).astype(np.float32)
    train = _as_set(ids[:16], np.arange(16) % 2)
    return Case(model, train, ids[16:], None, batch=4, calibration=16, attends=True)


def _tested(model: NetworkModel, train: eh.EvaluationSet, test: eh.EvaluationSet, **known: Any) -> Case:
    return Case(model, train, model.prepare(test.inputs.whole()), test.y_true, **known)


def _as_set(rows: Array, label: NDArray[Any], task: Task = "multiclass") -> eh.EvaluationSet:
    return eh.read_evaluation_set({"y": label}, inputs=rows, label="y", task=task, name="train")


def _of_digits(network: nn.Module, name: str, most: int, epochs: int, rate: float) -> Case:
    arrays = np.load(needed("mnist", "mnist.npz")[0])
    rows, test = ((arrays[f"x_{part}"][:, None] / 255).astype(np.float32) for part in ("train", "test"))
    label, wanted = (arrays[f"y_{part}"].astype(int) for part in ("train", "test"))
    _learn(network, rows[:most], label[:most], epochs, rate)
    model = given_model(network, Normalization((1, 28, 28)), outputs=10, name=name)
    return Case(model, _as_set(rows[:most], label[:most]), test[:1_000], wanted[:1_000])


def _learn(network: nn.Module, rows: Array, label: NDArray[Any], epochs: int, rate: float) -> None:
    """Train by one cycle of AdamW, in batches of 64."""
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-2)
    steps = epochs * -(-len(rows) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    drawn = np.random.default_rng(0)
    network.train()
    for _ in range(epochs):
        for at in np.array_split(drawn.permutation(len(rows)), -(-len(rows) // 64)):
            optimizer.zero_grad()
            said = network(torch.from_numpy(rows[at]))
            nn.functional.cross_entropy(said, torch.from_numpy(label[at])).backward()
            optimizer.step()
            schedule.step()
    network.eval()


def _of_random_features(kind: ImageKind, channels: int, side: int, batch: int) -> Case:
    """Return a network whose last layer alone has learnt, which for images of full size takes seconds."""
    arrays = np.load(needed("mnist", "mnist.npz")[0])
    at = np.arange(side) * 28 // side
    pixels = arrays["x_train"][:FEW][:, at][:, :, at]
    rows = (pixels[:, None].repeat(channels, axis=1) / 255).astype(np.float32)
    label = arrays["y_train"][:FEW].astype(int)
    network = ImagePlan(kind, (channels, side, side), 10, ()).build()
    _settle(network, torch.from_numpy(rows[:32]))
    known = FEW - FEW // 4
    _fit_last(network, rows[:known], label[:known])
    model = given_model(network.eval(), Normalization((channels, side, side)), outputs=10, name=kind)
    train = _as_set(rows[:32], label[:32])
    return Case(model, train, rows[known:], label[known:], batch=batch, calibration=32)


def _settle(network: nn.Module, rows: torch.Tensor) -> None:
    """Give batch normalization the averages of the rows, so that random features stay in range."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    network.train()
    with torch.no_grad():
        for part in rows.split(16):
            network(part)
    network.eval()


def _fit_last(network: nn.Module, rows: Array, label: NDArray[Any]) -> None:
    """Fit the last layer by ridge regression on what reaches it."""
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    caught: list[torch.Tensor] = []
    hook = last.register_forward_pre_hook(lambda _module, given: caught.append(given[0].double()))
    with torch.no_grad():
        for part in torch.from_numpy(rows).split(16):
            network(part)
        hook.remove()
        features = torch.cat(caught)
        mean = features.mean(0)
        centred = features - mean
        gram = centred @ centred.T
        wanted = nn.functional.one_hot(torch.from_numpy(label), 10).double()
        ridge = 1e-2 * gram.diagonal().mean() * torch.eye(len(gram), dtype=torch.float64)
        weight = centred.T @ torch.linalg.solve(gram + ridge, wanted - wanted.mean(0))
        # tenfold, as logits: answers between 0 and 1 are all nearly as probable
        last.weight.copy_(10 * weight.T)
        last.bias.copy_(10 * (wanted.mean(0) - mean @ weight))


NETWORKS: dict[str, Callable[[], Case]] = {
    "adult": adult, "cnn": cnn, "lstm": lstm, "gru": gru, "vit": vit, "mobilenet": mobilenet, "distilbert": distilbert,
    "resnet18": resnet18, "resnet50": resnet50, "gpt2": gpt2,
}  # fmt: skip
