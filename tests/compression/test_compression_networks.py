"""Neurons really go, in exact numbers, and what is left does as much as it can of what was done before."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from evenhand.compression.masks import masks_of_largest, sparse
from evenhand.compression.networks import (
    hidden_sizes,
    linear_chain,
    network_macs,
    without_neurons,
)
from evenhand.errors import ModelError

torch.set_num_threads(1)


def mlp(columns: int, *hidden: int, norm: bool = False, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(columns, width))
        if norm:
            layers.append(nn.BatchNorm1d(width))
        layers += [nn.ReLU(), nn.Dropout(0.1)]
        columns = width
    return nn.Sequential(*layers, nn.Linear(columns, 1)).eval()


def rows(columns: int, count: int = 300) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, columns)).astype(np.float32)


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def run(network: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network.eval()(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("share", "left"), [(0.5, (32, 16)), (0.25, (48, 24)), (0.3, (45, 23)), (0.99, (1, 1))])
def test_exact_numbers_of_neurons_are_left(share: float, left: tuple[int, int], norm: bool) -> None:
    network = mlp(30, 64, 32, norm=norm)
    smaller = without_neurons(network, share, rows(30))
    assert hidden_sizes(smaller) == left
    a, b = left
    assert count(smaller) == 30 * a + a + a * b + b + b + 1 + (2 * (a + b) if norm else 0)
    assert network_macs(smaller, (30,)) == 30 * a + a * b + b
    assert run(smaller, rows(30)).shape == (300, 1)
    assert hidden_sizes(network) == (64, 32), "the original stays as it is"


@given(st.floats(0.05, 0.95), st.integers(1, 20), st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_a_layer_never_loses_all_its_neurons(share: float, first: int, second: int) -> None:
    network = mlp(4, first, second)
    removed = [int(np.floor(share * width + 1e-9)) for width in (first, second)]
    if not any(removed):
        with pytest.raises(ModelError, match="less than one neuron"):
            without_neurons(network, share, rows(4))
        return
    left = hidden_sizes(without_neurons(network, share, rows(4)))
    assert left == (first - removed[0], second - removed[1])
    assert min(left) >= 1


def test_neurons_without_effect_go_first_and_nothing_changes() -> None:
    network = mlp(6, 10)
    with torch.no_grad():
        network[0].bias[:3] = -100.0  # never active
        network[3].weight[:, 3:5] = 0.0  # never heard
    smaller = without_neurons(network, 0.5, rows(6))
    assert np.allclose(run(smaller, rows(6)), run(network, rows(6)), atol=2e-3)


def test_the_refit_comes_nearer_to_the_original_than_cutting_alone() -> None:
    network = mlp(8, 40)
    x = rows(8, 2000)
    smaller = without_neurons(network, 0.5, x)
    cut = without_neurons(network, 0.5, x)
    chosen = [int((network[0].weight == row).all(dim=1).nonzero()[0]) for row in smaller[0].weight]
    with torch.no_grad():
        cut[3].weight.copy_(network[3].weight[:, chosen])
        cut[3].bias.copy_(network[3].bias)
    wanted = run(network, x)
    assert np.abs(run(smaller, x) - wanted).mean() < 0.7 * np.abs(run(cut, x) - wanted).mean()


def test_pruning_twice_gives_the_same_network() -> None:
    network = mlp(8, 20, 10)
    one, other = (without_neurons(network, 0.5, rows(8)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_networks_that_are_no_chain_are_refused() -> None:
    with pytest.raises(ModelError, match="no such chain"):
        linear_chain(nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 1)))
    with pytest.raises(ModelError, match="no such chain"):
        linear_chain(nn.ReLU())
    normed = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    with pytest.raises(ModelError, match="a LayerNorm"):
        without_neurons(normed, 0.5, rows(3))


@given(st.floats(0.05, 0.95))
@settings(max_examples=25, deadline=None)
def test_masks_reach_their_share_exactly_and_keep_the_largest(share: float) -> None:
    network = mlp(7, 12, 5)
    masks = masks_of_largest(network, share)
    weights = torch.cat([network.get_parameter(name).abs().flatten() for name in masks])
    stays = torch.cat([mask.flatten() for mask in masks.values()])
    assert int((~stays).sum()) == int(np.floor(share * len(weights) + 1e-9))
    assert weights[~stays].max() <= weights[stays].min()
    thinned = sparse(network, masks)
    zeros = sum(int((thinned.get_parameter(name) == 0).sum()) for name in masks)
    assert zeros == int((~stays).sum())
    assert count(thinned) == count(network)
