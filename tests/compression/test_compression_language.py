"""Language models whose first and last layers are one: written once, read back, and rounded to 8 and 4 bits."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

import evenhand as eh
from evenhand.compression import Int4, Int8, agreement, compress, exporting
from evenhand.training import Normalization, given_model, load_model

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.compression import Recipe

transformers = pytest.importorskip("transformers")
torch.set_num_threads(1)
WORDS, LENGTH, ROWS, STEPS = 120, 6, 240, 25


class NextWord(nn.Module):
    """The last position's logits; token ids come as numbers."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.network(rows.long()).logits[:, -1])


def gpt2() -> nn.Module:
    config = transformers.GPT2Config(
        vocab_size=WORDS, n_positions=LENGTH, n_embd=64, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
        use_cache=False, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0,
    )  # fmt: skip
    return NextWord(transformers.GPT2LMHeadModel(config))


def bert() -> nn.Module:
    config = transformers.BertConfig(
        vocab_size=WORDS, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
        max_position_embeddings=LENGTH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return NextWord(transformers.BertForMaskedLM(config))


def perplexity(model: Any, rows: np.ndarray, word: np.ndarray) -> float:
    """Return the exponential of the mean surprise at the word that comes."""
    return float(np.exp(-np.log(model.predict(rows)[np.arange(len(rows)), word]).mean()))


def taught(network: nn.Module) -> tuple[nn.Module, np.ndarray, np.ndarray]:
    """Return a network that has learnt some of a rule, that each word follows from the one before, with rows of it."""
    rows = np.random.default_rng(0).integers(0, WORDS, (ROWS, LENGTH)).astype(np.float32)
    word = (rows[:, -1] * 7 + 3).astype(int) % WORDS
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(torch.from_numpy(rows)), torch.from_numpy(word)).backward()
        optimizer.step()
    return network.eval(), rows, word


@pytest.mark.parametrize("build", [gpt2, pytest.param(bert, marks=pytest.mark.slow)])
def test_a_language_model_is_written_once_read_back_and_rounded(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network, rows, word = taught(build())
    model = given_model(network, Normalization((LENGTH,)), outputs=WORDS, name="words")
    model.save(tmp_path / "words.safetensors")
    size = (tmp_path / "words.safetensors").stat().st_size
    numbers = sum(value.numel() for value in network.parameters())  # the shared ones count once
    assert 4 * numbers < size < 4 * numbers + 30_000
    torch.manual_seed(1)
    again = load_model(tmp_path / "words.safetensors", network=build())
    assert again.predict(rows).tolist() == model.predict(rows).tolist()

    graph = exporting.export_network(network, (LENGTH,))
    monkeypatch.setattr(exporting, "export_network", lambda *_: graph)
    data = eh.read_evaluation_set({"g": ["a", "b"] * (ROWS // 2), "y": [0, 1] * (ROWS // 2)}, inputs=rows, label="y")
    before = perplexity(model, rows, word)
    assert before < 0.25 * WORDS  # it has learnt something
    wanted: tuple[tuple[Recipe, float, float, float], ...] = (
        (Int8(kind="weights"), 0.45, 1.01, 0.98),
        (Int4(), 0.35, 1.10, 0.90),
    )
    for recipe, most, times, share in wanted:
        small = compress(copy.copy(model), recipe, train=data)
        assert small.facts["file_bytes"] < most * size  # type: ignore[operator]
        assert 1 / times < perplexity(small, rows, word) / before < times
        assert agreement(model, small, rows).share >= share
