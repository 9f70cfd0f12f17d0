"""Every recipe on networks of every build: it works, with its size and agreement measured, or refuses in a sentence."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

import evenhand as eh
from evenhand.compression import (
    Distillation,
    HalfPrecision,
    Int4,
    Int8,
    LowRank,
    MagnitudePruning,
    QuantizationAware,
    StructuredPruning,
    agreement,
    compress,
    exporting,
)
from evenhand.errors import ModelError
from evenhand.training import Normalization, given_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.compression import Recipe
    from evenhand.data import EvaluationSet
    from evenhand.training import NetworkModel

torch.set_num_threads(1)
ROWS, WORDS = 160, 200
QUICK = {"momentum": 0.5}
"""Ten steps are enough for the averages of batch normalization."""


class Recurrent(nn.Module):
    def __init__(self, kind: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.recurrent, self.head = kind(16, 64, batch_first=True), nn.Linear(64, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.head(self.recurrent(rows)[0][:, -1]))


class Vit(nn.Module):
    """Patches, and torch's own attention, which reads the weight of its output layer past that layer."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.0)
        self.patch, self.encoder = nn.Conv2d(3, 32, 4, 4), nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.place, self.head = nn.Parameter(torch.randn(1, 16, 32)), nn.Linear(32, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        tokens = self.patch(rows).flatten(2).transpose(1, 2) + self.place
        return torch.as_tensor(self.head(self.encoder(tokens).mean(1)))


class Mobile(nn.Module):
    """Depthwise convolutions between pointwise ones."""

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16, **QUICK), nn.ReLU6()]
        for before, after in ((16, 32), (32, 64), (64, 64)):
            parts += [
                nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False),
                nn.BatchNorm2d(before, **QUICK),
            ]
            parts += [
                nn.ReLU6(),
                nn.Conv2d(before, after, 1, bias=False),
                nn.BatchNorm2d(after, **QUICK),
                nn.ReLU6(),
            ]
        self.body, self.head = nn.Sequential(*parts), nn.Linear(64, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.head(self.body(rows).mean((2, 3))))


class OfIds(nn.Module):
    """A network of token ids, which come as numbers."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.network(rows.long()).logits)


def distilbert() -> nn.Module:
    import transformers

    config = transformers.DistilBertConfig(
        vocab_size=WORDS, dim=32, n_heads=4, n_layers=2, hidden_dim=64, max_position_embeddings=12, num_labels=1
    )
    return OfIds(transformers.DistilBertForSequenceClassification(config))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "lstm": (lambda: Recurrent(nn.LSTM), (12, 16)),
    "gru": (lambda: Recurrent(nn.GRU), (12, 16)),
    "vit": (Vit, (3, 16, 16)),
    "mobilenet": (Mobile, (3, 16, 16)),
    "distilbert": (distilbert, (12,)),
}
RECIPES: dict[str, tuple[Recipe, float]] = {
    "int8": (Int8(64), 0.9),
    "int8 dynamic": (Int8(kind="dynamic"), 0.9),
    "int8 weights": (Int8(kind="weights"), 0.9),
    "int4": (Int4(), 0.95),
    "half": (HalfPrecision(), 0.65),
    "low rank": (LowRank(0.7, epochs=0), 1.0),
    "structured": (StructuredPruning(0.5, epochs=0, round_to=1), 1.0),
    "quantization aware": (QuantizationAware(epochs=1, rows=64), 1.01),
    "magnitude": (MagnitudePruning(0.3, epochs=0), 1.01),
}
"""Each with the size of the file that it makes, at most, as a share of the original's."""
REFUSED = {
    ("lstm", "int8"): r"32 bits \(LSTM\).*Int8\(kind='dynamic'\) rounds those of an LSTM",
    ("lstm", "int4"): r"32 bits \(LSTM\)",
    ("gru", "int8"): r"32 bits \(GRU\).*Int8\(kind='weights'\)",
    ("gru", "int8 dynamic"): r"32 bits \(GRU\).*Int8\(kind='weights'\)",
    ("gru", "int4"): r"32 bits \(GRU\)",
    ("lstm", "low rank"): "No linear layer becomes smaller",
    ("gru", "low rank"): "No linear layer becomes smaller",
    ("mobilenet", "low rank"): "No linear layer becomes smaller",
    ("lstm", "structured"): "torch-pruning could not follow|less than one channel",
    ("gru", "structured"): "torch-pruning could not follow|less than one channel",
    ("distilbert", "structured"): "less than one channel",
    ("vit", "structured"): "less than one channel",
    ("mobilenet", "int8 dynamic"): "is for linear layers: convolution",
    ("mobilenet", "int4"): "32 bits",
}
"""What a recipe cannot do for a network, and how the sentence goes."""
SLOW = {"gru": pytest.mark.slow, "distilbert": pytest.mark.slow}
"""An export takes seconds."""
CASES = [
    pytest.param(network, recipe, id=f"{network}-{recipe}", marks=SLOW.get(network, ()))
    for network in NETWORKS
    for recipe in RECIPES
]
STEPS = 10
"""Of training: an untrained network answers nearly alike to all rows, so that any rounding decides otherwise."""


@pytest.fixture(scope="module", autouse=True)
def _exported_once() -> Any:
    """Export each network once: what is tested is what comes after."""
    kept: dict[int, tuple[nn.Module, bytes]] = {}
    export = exporting.export_network

    def once(network: nn.Module, shape: tuple[int, ...]) -> bytes:
        if id(network) not in kept:
            kept[id(network)] = (network, export(network, shape))
        return kept[id(network)][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "export_network", once)
        yield


def rows_of(name: str, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows, and the class of each, which all of the row tells: its level, or the half its token ids are from."""
    rng = np.random.default_rng(0)
    label = np.arange(ROWS) % 2
    of_row = label.reshape(-1, *(1 for _ in shape))
    if name == "distilbert":
        rows = rng.integers(0, WORDS // 2, (ROWS, *shape)) + of_row * WORDS // 2
    else:
        rows = (4 * of_row - 2) * rng.uniform(0.5, 1.5, of_row.shape) + rng.normal(size=(ROWS, *shape))
    return rows.astype(np.float32), label


def learn(network: nn.Module, rows: np.ndarray, label: np.ndarray) -> nn.Module:
    """Train a network until it tells the classes apart."""
    given, wanted = torch.from_numpy(rows), torch.from_numpy(label).float()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(given)[:, 0], wanted).backward()
        optimizer.step()
    return network.eval()


@cache
def made(name: str) -> tuple[NetworkModel, EvaluationSet, np.ndarray]:
    """Return a network, trained, with its rows."""
    if name == "distilbert":
        pytest.importorskip("transformers")
    build, shape = NETWORKS[name]
    torch.manual_seed(0)
    rows, label = rows_of(name, shape)
    model = given_model(learn(build(), rows, label), Normalization(shape), name=name)
    assert ((model.predict(rows) >= 0.5) == label).mean() > 0.95
    table = {"group": ["a", "a", "b", "b"] * (ROWS // 4), "y": label}
    return model, eh.read_evaluation_set(table, inputs=rows, label="y", sensitive_features="group"), rows


@pytest.mark.parametrize(("network", "recipe"), CASES)
def test_a_recipe_works_or_refuses_in_a_sentence(network: str, recipe: str) -> None:
    (model, data, rows), (how, most) = made(network), RECIPES[recipe]
    if (network, recipe) in REFUSED:
        with pytest.raises(ModelError, match=REFUSED[network, recipe]):
            compress(model, how, train=data)
        return
    small = compress(model, how, train=data)
    assert small.facts["file_bytes"] < most * model.facts["file_bytes"]  # type: ignore[operator]
    assert agreement(model, small, rows).share >= how.floor


@pytest.mark.parametrize("network", ["lstm", "vit"])
def test_any_module_may_be_the_student(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Distillation, "floor", 0.0)  # three epochs teach little
    model, data, rows = made(network)
    student = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(rows.shape[1:])), 1))
    before = student[1].weight.detach().clone()
    small = compress(model, Distillation(student=student, epochs=3), train=data)
    assert isinstance(small.network[1], nn.Linear)  # type: ignore[union-attr, index]
    assert not torch.equal(small.network[1].weight, before)  # type: ignore[union-attr, index]
    assert torch.equal(student[1].weight, before)
    with pytest.raises(ModelError, match="could not take rows of shape"):
        compress(model, Distillation(student=nn.Linear(3, 1), epochs=1), train=data)


def test_rounded_attention_is_rounded_and_comes_back() -> None:
    from evenhand.compression.rounding import rounding, without_rounding

    torch.manual_seed(0)
    network, rows = Vit().eval(), torch.randn(20, 3, 16, 16)
    rounded = rounding(network, rows.numpy())
    attention = rounded.encoder.layers[0].self_attn  # type: ignore[union-attr, index]
    for weight in (attention.out_proj.weight, attention.in_proj_weight):  # type: ignore[union-attr]
        assert all(len(row.unique()) <= 255 for row in weight)  # type: ignore[union-attr]
    with torch.no_grad():
        exact = network(rows)
        assert 0 < float((rounded.eval()(rows) - exact).abs().max()) < 0.2
        for one in (rounded, copy.deepcopy(rounded), rounded):  # copies share the classes that rounding made
            plain = without_rounding(one)
            assert torch.equal(plain(rows), exact)
            assert plain.state_dict().keys() == network.state_dict().keys()
        assert float((rounded(rows) - exact).abs().max()) > 0


def test_rounding_leaves_other_parametrizations_in_place() -> None:
    from evenhand.compression.rounding import rounding, without_rounding

    torch.manual_seed(0)
    network = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 4)), nn.ReLU(), nn.Linear(4, 1)).eval()
    rows = torch.randn(20, 6)
    rounded = rounding(network, rows.numpy())
    assert len(rounded[0].weight[0].unique()) <= 255  # type: ignore[index]
    plain = without_rounding(rounded)
    with torch.no_grad():
        assert not torch.equal(rounded(rows), network(rows))
        assert torch.equal(plain(rows), network(rows))
    assert plain.state_dict().keys() == network.state_dict().keys()
