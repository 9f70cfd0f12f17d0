"""Torch networks: layers on which shap's DeepExplainer is wrong, the split first layer, what is no Shapley value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.explaining import explain
from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.preparing import prepared_parts
from evenhand.explaining.table import CodedTable

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 6


class FunctionalRelu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(WIDTH, 16), nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(F.relu(self.first(x)))


class ReusedRelu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(WIDTH, 16), nn.Linear(16, 16), nn.Linear(16, 1)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.relu(self.second(self.relu(self.first(x)))))


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate, self.last = nn.Linear(WIDTH, 16), nn.Linear(WIDTH, 16), nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(x) * torch.sigmoid(self.gate(x)))


class Attentive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.last = nn.Linear(1, 8), nn.Linear(8, 1)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.embed(x[:, :, None])
        return self.last(self.attend(tokens, tokens, tokens)[0].mean(dim=1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.read, self.last = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.read(x[:, :, None])[0][:, -1])


class WideBeside(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(WIDTH, 1, bias=False)
        self.deep = nn.Sequential(nn.Linear(WIDTH, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.wide(x) + self.deep(x)


class ReadsTwice(nn.Module):
    """The input goes another way too, which no answer of the first layer can stand for."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(WIDTH, 8), nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x))) + x[:, :1] * x[:, 1:2]


def chain(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(WIDTH, 16), *layers, nn.Linear(16, 1))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], bool]] = {
    "functional relu": (FunctionalRelu, True),
    "re-used relu": (ReusedRelu, True),
    "layer norm": (lambda: chain(nn.LayerNorm(16), nn.ReLU()), True),
    "silu": (lambda: chain(nn.SiLU()), True),
    "gating": (Gated, True),
    "wide beside deep": (WideBeside, True),
    "reads the input twice": (ReadsTwice, False),
    "attention": (Attentive, False),
    "lstm": (Recurrent, False),
}


def rows(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, WIDTH)).astype(np.float32)


def built(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    network = make().eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(2.0)
    return network


def function_of(network: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    def predict(X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(np.array(X))).double().numpy()[:, 0]

    return predict


def brute(f: Callable[[np.ndarray], np.ndarray], X: np.ndarray, background: np.ndarray) -> np.ndarray:
    """All subsets of six columns against every background row, by Shapley's formula."""
    from math import factorial

    m = X.shape[1]
    values = np.zeros((len(X), m))
    for i, x in enumerate(X):
        v = [
            f(np.where([(s >> j) & 1 for j in range(m)], x, background).astype(np.float32)).mean() for s in range(2**m)
        ]
        for j in range(m):
            for s in range(2**m):
                if not (s >> j) & 1:
                    size = s.bit_count()
                    weight = factorial(size) * factorial(m - size - 1) / factorial(m)
                    values[i, j] += weight * (v[s | (1 << j)] - v[s])
    return values


@pytest.mark.parametrize("name", NETWORKS)
def test_values_are_right_where_deep_explainer_is_not(name: str) -> None:
    make, splits = NETWORKS[name]
    network = built(make)
    X, background = rows(4, 0), rows(12, 1)
    found = explain(network, X, background, link="identity")
    wanted = brute(function_of(network), X, background)
    np.testing.assert_allclose(found.values, wanted, atol=2e-6 * max(1.0, np.abs(wanted).max()))
    assert found.residual < 1e-5
    assert ("first layer was taken apart" in found.reason) == splits
    assert not any("forward" in module.__dict__ for module in network.modules())


@pytest.mark.parametrize("name", [name for name, (_, splits) in NETWORKS.items() if splits])
def test_walks_over_a_split_layer_are_those_of_whole_rows(name: str) -> None:
    network = built(NETWORKS[name][0])
    X, background = rows(5, 0), rows(40, 1)
    split = explain(network, X, background, link="identity", budget_evaluations=5 * 40 * 10, permutations=2)
    whole = explain(
        function_of(network), X, background, link="identity", budget_evaluations=5 * 40 * 10, permutations=2
    )
    assert not split.exact and "taken apart" in split.reason and "taken apart" not in whole.reason
    assert split.evaluations == whole.evaluations
    np.testing.assert_allclose(split.values, whole.values, atol=3e-6)
    assert split.sampling_error is not None and split.repetitions == 2


def test_shap_exact_explainer_agrees_over_twelve_players() -> None:
    shap = pytest.importorskip("shap")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(12, 16), nn.LayerNorm(16), nn.SiLU(), nn.Linear(16, 1)).eval()
    rng = np.random.default_rng(0)
    X, background = rng.normal(size=(3, 12)).astype(np.float32), rng.normal(size=(15, 12)).astype(np.float32)
    found = explain(network, X, background, link="identity", method="exact")
    f = function_of(network)
    explainer = shap.ExactExplainer(
        lambda a: f(a.astype(np.float32)), shap.maskers.Independent(background, max_samples=15)
    )
    wanted = explainer(X, max_evals=2**13, silent=True)
    np.testing.assert_allclose(found.values, wanted.values, atol=1e-5)


def test_a_softmax_output_is_explained_by_its_log_odds() -> None:
    torch.manual_seed(1)
    logits = nn.Sequential(nn.Linear(WIDTH, 8), nn.ReLU(), nn.Linear(8, 2))
    network = nn.Sequential(logits, nn.Softmax(dim=1)).eval()
    X, background = rows(3, 0), rows(10, 1)

    def margin(a: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            two = logits(torch.from_numpy(np.array(a))).double().numpy()
        return two[:, 1] - two[:, 0]

    found = explain(network, X, background)
    np.testing.assert_allclose(found.values, brute(margin, X, background), atol=1e-5)
    assert found.link == "logit"


def test_a_module_left_in_training_is_explained_as_it_predicts() -> None:
    network = chain(nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5)).train()
    found = explain(network, rows(3, 0), rows(8, 1), link="identity")
    assert not found.notes and found.residual < 1e-5


def test_gradients_and_the_rescale_rule_come_near_and_say_what_they_miss() -> None:
    torch.manual_seed(2)
    network = nn.Sequential(nn.Linear(WIDTH, 32), nn.Softplus(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1)).eval()
    X, background = rows(20, 0), rows(100, 1)
    exact = explain(network, X, background, link="identity", method="exact")
    for method in ("gradients", "rescale"):
        found = explain(network, X, background, link="identity", method=method)  # type: ignore[arg-type]
        assert found.method == method and not (method == "gradients" and found.exact)
        assert np.linalg.norm(found.values - exact.values) < 0.12 * np.linalg.norm(exact.values)
        assert found.standard_errors is not None
    assert found.residual < 1e-5  # the rescale rule adds up


def test_the_rescale_rule_is_refused_where_it_is_not_known_to_hold() -> None:
    network = built(lambda: chain(nn.LayerNorm(16), nn.ReLU()))
    found = explain(network, rows(3, 0), rows(8, 1), link="identity", method="rescale")
    assert found.method == "pairs" and "not known to hold for LayerNorm" in found.reason
    found = explain(function_of(network), rows(3, 0), rows(8, 1), link="identity", method="gradients")
    assert found.method == "pairs" and "no torch network" in found.reason


def test_prepared_columns_are_given_to_the_players_that_make_them() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=40), "kind": rng.choice(list("abc"), 40), "flat": 1.0})
    coded = CodedTable(table.iloc[:10], table.iloc[10:], {name: (name,) for name in table})

    def prepare(t: pd.DataFrame) -> np.ndarray:
        size = t["size"].to_numpy()
        hot = [(t["kind"] == kind).to_numpy(float) for kind in "abc"]
        return np.stack([hot[0], size, hot[1], size**2, hot[2], t["flat"].to_numpy()], axis=1)

    parts = prepared_parts(prepare, coded, table)
    np.testing.assert_array_equal(parts.compose(coded.rows), prepare(table.iloc[:10]))
    assert [np.arange(6)[place].tolist() for place in parts.places] == [[1, 3], [0, 2, 4], []]
    # a column that two players make, and one that depends on the other rows, are seen
    for wrong, why in (
        (lambda t: prepare(t) * t[["size"]].to_numpy(), "more than one feature"),
        (lambda t: prepare(t) - prepare(t).mean(axis=0), "from other rows"),
    ):
        with pytest.raises(NotThisWay, match=why):
            prepared_parts(wrong, coded, table)
