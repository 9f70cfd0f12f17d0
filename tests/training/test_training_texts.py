"""Networks over texts by name: what they learn, their files, padding, recipes, audits, the door; tokens of any text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.compression import Distillation, HalfPrecision, Int8, MagnitudePruning, compress
from evenhand.errors import InputError, ModelError
from evenhand.training import TextPlan, Tokenization, TrainingConfig, fit, load_model
from evenhand.training.model import logits
from evenhand.training.searching import usual_space

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet
    from evenhand.training import NetworkModel

pytest.importorskip("tokenizers")
torch.set_num_threads(1)
NETWORKS = ("mlp", "lstm", "bert", "gpt2")
QUICK: dict[str, Any] = {
    "hidden": (16, 16), "heads": 2, "epochs": 8, "vocabulary": 400, "learning_rate": 1e-2, "dropout": 0.0,
    "batch_size": 32,
}  # fmt: skip
PEOPLE = ("the baker", "our teacher", "a nurse", "the pilot", "my neighbour", "the farmer", "a driver", "the clerk")
KIND = ("was kind and helpful", "did careful work", "answered every question", "smiled and listened")
RUDE = ("was rude and slow", "broke the machine", "ignored every question", "shouted and left")
REST = ("", " on a long and rainy day", " when we met at the market last week")


def letters(n: int = 600) -> dict[str, list[Any]]:
    """Sentences about people that tell who behaved well."""
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=n)
    said = [
        f"{PEOPLE[rng.integers(8)]} {(KIND if one else RUDE)[rng.integers(4)]}{REST[rng.integers(3)]}" for one in kind
    ]
    return {"letter": said, "kind": kind.tolist(), "sex": rng.choice(["f", "m"], n).tolist()}


@pytest.fixture(scope="module")
def parts() -> dict[str, EvaluationSet]:
    data = eh.read_evaluation_set(letters(), label="kind", sensitive_features="sex", texts="letter", name="letters")
    return {"train": data.take(np.arange(400)), "test": data.take(np.arange(400, 600))}


@pytest.fixture(scope="module")
def models(parts: dict[str, EvaluationSet]) -> dict[str, NetworkModel]:
    return {kind: fit(parts["train"], config=TrainingConfig(network=kind, **QUICK)) for kind in NETWORKS}


def texts(data: EvaluationSet) -> list[str]:
    return list(data.inputs.whole())


@pytest.mark.parametrize("kind", NETWORKS)
def test_each_learns_and_its_file_answers_the_same(
    kind: str, parts: dict[str, EvaluationSet], models: dict[str, NetworkModel], tmp_path: Path
) -> None:
    model, rows = models[kind], texts(parts["test"])
    said = model.predict(rows)
    assert np.mean((said >= model.threshold) == parts["test"].y_true) > 0.9
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert again.predict(rows).tolist() == said.tolist()
    assert again.reads == "texts"
    assert again.plan == model.plan
    assert again.preprocessing == model.preprocessing


@pytest.mark.parametrize("kind", NETWORKS)
def test_neither_other_rows_nor_padding_change_an_answer(
    kind: str, parts: dict[str, EvaluationSet], models: dict[str, NetworkModel]
) -> None:
    model, rows = models[kind], texts(parts["test"])[:40]
    whole = model.predict_logits(rows)
    assert np.allclose(whole, [model.predict_logits([row])[0] for row in rows], atol=1e-5)
    shortest = min(rows, key=lambda row: len(model.preprocessing.transform([row]).nonzero()[0]))
    row = model.preprocessing.transform([shortest])
    ids = row[:, : np.count_nonzero(row)]
    assert ids.shape[1] < row.shape[1]
    assert np.allclose(logits(model.network, ids), logits(model.network, row), atol=1e-5)
    assert not np.allclose(logits(model.network, ids[:, :-2]), logits(model.network, row), atol=1e-5)


def test_order_is_read_by_all_but_the_mean(models: dict[str, NetworkModel]) -> None:
    pair = ["the baker ignored every question", "every question ignored the baker"]
    for kind, model in models.items():
        ids = model.preprocessing.transform(pair)
        assert sorted(ids[0]) == sorted(ids[1])
        first, second = logits(model.network, ids)
        assert (abs(first - second) < 1e-5) == (kind == "mlp"), kind


@pytest.mark.parametrize(
    ("kind", "recipe"),
    [
        pytest.param("lstm", Int8(kind="dynamic"), marks=pytest.mark.slow),
        pytest.param("lstm", Int8(kind="weights"), marks=pytest.mark.slow),
        ("bert", Int8(kind="weights")),
        pytest.param("bert", Int8(kind="dynamic"), marks=pytest.mark.slow),
        pytest.param("gpt2", Int8(kind="dynamic"), marks=pytest.mark.slow),
    ],
)
def test_a_compressed_network_is_audited_beside_the_original(
    kind: str, recipe: Int8, parts: dict[str, EvaluationSet], models: dict[str, NetworkModel], tmp_path: Path
) -> None:
    model = models[kind]
    small = compress(model, recipe, train=parts["train"])
    assert len(small.content) < 0.9 * len(model.content)
    small.save(tmp_path / "small.onnx")
    again = eh.open_model(tmp_path / "small.onnx", isolate=False)
    record = eh.audit(again, parts["test"], original=model, explain=False)
    assert record["accuracy"].estimate > 0.9
    assert abs(record["accuracy_change[;of=original]"].estimate) < 0.1
    assert {f"accuracy_change[sex={sex};of=original]" for sex in "fm"} <= {str(found.key) for found in record.findings}


def test_vectors_of_tokens_are_rounded_one_by_one(
    parts: dict[str, EvaluationSet], models: dict[str, NetworkModel]
) -> None:
    import onnx
    from onnx import numpy_helper

    model = models["mlp"]
    small = compress(model, Int8(kind="weights"), train=parts["train"])
    held = {each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(small.content).graph.initializer}
    vectors = model.network.embed.weight.detach().numpy()
    (name,) = [name for name, array in held.items() if array.shape == vectors.shape]
    assert held[name].dtype == np.int8
    scale = held[name.removesuffix("_quantized") + "_scale"]
    step = np.abs(vectors).max(axis=1, keepdims=True) / 127
    assert np.allclose(scale, step)
    assert (np.abs(held[name] * scale - vectors) <= 0.501 * step).all()


def test_recipes_that_stay_in_torch_take_them(
    parts: dict[str, EvaluationSet], models: dict[str, NetworkModel], tmp_path: Path
) -> None:
    half = compress(models["gpt2"], HalfPrecision(), train=parts["train"])
    pruned = compress(models["lstm"], MagnitudePruning(share=0.3, epochs=1), train=parts["train"])
    taught = compress(models["bert"], Distillation(hidden=(8,), epochs=6), train=parts["train"])
    for made in (half, pruned, taught):
        made.save(tmp_path / "m.safetensors")
        rows = texts(parts["test"])
        assert load_model(tmp_path / "m.safetensors").predict(rows).tolist() == made.predict(rows).tolist()
    assert len(half.content) < 0.7 * len(models["gpt2"].content)
    assert taught.plan.hidden == (8,)


def test_bert_is_that_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    plan = TextPlan("bert", vocabulary=50, length=9, outputs=3, hidden=(16, 16), heads=4)
    mine = plan.build().eval()
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=9, type_vocab_size=1, num_labels=3, pad_token_id=0,
    )  # fmt: skip
    theirs = transformers.BertForSequenceClassification(config).eval()
    assert _sizes(theirs) == _sizes(mine) + 16  # the kind of sentence, which is part of the places
    words = {
        "embed": "bert.embeddings.word_embeddings", "place": "bert.embeddings.position_embeddings",
        "norm": "bert.embeddings.LayerNorm", "pool": "bert.pooler.dense", "last": "classifier",
    }  # fmt: skip
    parts = {
        "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
        "answer": "attention.output.dense", "norm_one": "attention.output.LayerNorm", "wide": "intermediate.dense",
        "narrow": "output.dense", "norm_two": "output.LayerNorm",
    }  # fmt: skip
    for at in range(2):
        words |= {f"layers.{at}.{own}": f"bert.encoder.layer.{at}.{known}" for own, known in parts.items()}
    held = theirs.state_dict()
    held["bert.embeddings.position_embeddings.weight"] += held["bert.embeddings.token_type_embeddings.weight"][0]
    mine.load_state_dict(
        {f"{own}.{kind}": held[f"{known}.{kind}"] for own, known in words.items() for kind in ("weight", "bias")
         if f"{known}.{kind}" in held}
    )  # fmt: skip
    held["bert.embeddings.position_embeddings.weight"] -= held["bert.embeddings.token_type_embeddings.weight"][0]
    ids = _ids()
    with torch.no_grad():
        wanted = theirs(input_ids=ids, attention_mask=(ids != 0).long()).logits
        assert torch.allclose(mine(ids.float()), wanted, atol=1e-5)


def test_gpt2_is_that_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    plan = TextPlan("gpt2", vocabulary=50, length=9, outputs=3, hidden=(16, 16), heads=4)
    mine = plan.build().eval()
    config = transformers.GPT2Config(
        vocab_size=50, n_embd=16, n_layer=2, n_head=4, n_positions=9, num_labels=3, pad_token_id=0, bos_token_id=1,
        eos_token_id=2,
    )  # fmt: skip
    theirs = transformers.GPT2ForSequenceClassification(config).eval()
    assert _sizes(theirs) == _sizes(mine)
    held = theirs.state_dict()
    words = {"embed": "wte", "place": "wpe", "norm": "ln_f"}
    taken = {
        f"{own}.{kind}": held[f"transformer.{known}.{kind}"] for own, known in words.items()
        for kind in ("weight", "bias") if f"transformer.{known}.{kind}" in held
    } | {"last.weight": held["score.weight"]}  # fmt: skip
    for at in range(2):
        of = f"transformer.h.{at}"
        for own, known in (("answer", "attn.c_proj"), ("wide", "mlp.c_fc"), ("narrow", "mlp.c_proj")):
            taken[f"layers.{at}.{own}.weight"] = held[f"{of}.{known}.weight"].T
            taken[f"layers.{at}.{own}.bias"] = held[f"{of}.{known}.bias"]
        for kind in ("weight", "bias"):
            for own, known in (("norm_one", "ln_1"), ("norm_two", "ln_2")):
                taken[f"layers.{at}.{own}.{kind}"] = held[f"{of}.{known}.{kind}"]
            for own, part in zip(("query", "key", "value"), held[f"{of}.attn.c_attn.{kind}"].chunk(3, -1), strict=True):
                taken[f"layers.{at}.{own}.{kind}"] = part.T if kind == "weight" else part
    mine.load_state_dict(taken)
    ids = _ids()
    with torch.no_grad():
        wanted = theirs(input_ids=ids, attention_mask=(ids != 0).long()).logits
        assert torch.allclose(mine(ids.float()), wanted, atol=1e-5)


def _sizes(network: torch.nn.Module) -> int:
    return sum(values.numel() for values in network.parameters())


def _ids() -> torch.Tensor:
    """Rows of different lengths, filled up behind."""
    ids = torch.randint(3, 50, (6, 9), generator=torch.Generator().manual_seed(0))
    for at, row in enumerate(ids):
        row[9 - at :] = 0
    return ids


def test_tokens_are_the_same_again_and_those_of_the_library(parts: dict[str, EvaluationSet]) -> None:
    from tokenizers import pre_tokenizers

    from evenhand.training.tokenization import _alphabet

    one, two = (Tokenization.fit(parts["train"].inputs, vocabulary=400) for _ in range(2))
    assert one == two
    assert _alphabet() == sorted(pre_tokenizers.ByteLevel.alphabet())
    again = Tokenization.from_plain(json.loads(json.dumps(one.to_plain())))
    said = ["The BAKER was kind", "你好，世界", "[PAD] <s> naïve 🙂", "\ud800", "", "\x00"]
    assert again == one
    assert again.transform(said).tolist() == one.transform(said).tolist()
    assert one.transform(["THE baker"]).tolist() == one.transform(["the baker"]).tolist()
    assert 259 < one.vocabulary <= 400


def test_no_text_can_write_a_mark_or_the_padding() -> None:
    tokens = Tokenization.fit(["a b", "a b"], vocabulary=262, length=12)
    rows = tokens.transform(["[PAD]", "<s>", "\x00\x01\x02", ""])
    assert (rows[:, 0] == 1).all()
    for row in rows:
        end = int(np.argmax(row == 2))
        assert (row[1:end] >= 3).all()
        assert not row[end + 1 :].any()


def test_a_long_text_is_cut_and_told(parts: dict[str, EvaluationSet]) -> None:
    model = fit(parts["train"], config=TrainingConfig(network="mlp", **{**QUICK, "epochs": 1}, length=6))
    assert model.preprocessing.shape == (6,)
    (step,) = model.preprocessing.describe()
    longer = model.preprocessing.cut
    assert longer > 0
    assert step["cut"] == longer / 320  # of the rows it was fitted on: a fifth was held out
    assert (model.preprocessing.transform(["a " * 500])[0] != 0).all()
    assert Tokenization.fit(["word " * 500, "word"]).shape == (128,)


def test_several_classes_and_numbers() -> None:
    held = letters(200)
    word = [text.split()[1] for text in held["letter"]]
    data = eh.read_evaluation_set({**held, "who": word}, label="who", task="multiclass", texts="letter")
    model = fit(data, config=TrainingConfig(network="mlp", **QUICK))
    assert model.predict(texts(data)).shape == (200, len(set(word)))
    length = {**held, "n": [float(len(text)) for text in held["letter"]]}
    data = eh.read_evaluation_set(length, label="n", task="regression", texts="letter")
    numbers = fit(data, config=TrainingConfig(network="lstm", **QUICK))
    assert np.corrcoef(numbers.predict(texts(data)), data.y_true)[0, 1] > 0.8


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"network": "resnet18"}, "these rows are texts"),
        ({"network": "transformer", "hidden": (8,)}, "mlp or one of lstm, bert, gpt2"),
        ({"network": "lstm", "mixup": 0.2}, "mixup= changes numbers"),
        ({"network": "lstm", "hidden": ()}, "one at least"),
    ],
)
def test_what_cannot_be_is_said(config: dict[str, Any], words: str, parts: dict[str, EvaluationSet]) -> None:
    with pytest.raises(InputError, match=words):
        fit(parts["train"], config=TrainingConfig(**config))


def test_rows_that_are_no_texts_are_refused(parts: dict[str, EvaluationSet]) -> None:
    with pytest.raises(InputError, match="lstm reads texts, and these rows are a table"):
        fit(eh.load_loanapp(), config=TrainingConfig(network="lstm"))
    with pytest.raises(InputError, match="2 ids has no place for a text"):
        fit(parts["train"], config=TrainingConfig(network="lstm", length=2))
    with pytest.raises(InputError, match="bert are all of one width"):
        TrainingConfig(network="bert", hidden=(8, 16))
    with pytest.raises(InputError, match="no place for all bytes"):
        Tokenization.fit(["a"], vocabulary=100)
    with pytest.raises(ModelError, match="a row holds 3"):
        Tokenization.fit(["a"]).transform(["a", 3])  # type: ignore[list-item]
    plan = TextPlan("lstm", vocabulary=260, length=20, outputs=1, hidden=(4,))
    known = Tokenization.fit(parts["train"].inputs, vocabulary=400, length=20)
    with pytest.raises(InputError, match="The network knows 260 tokens"):
        fit(parts["train"], plan=plan, preparing=known)


def test_a_damaged_vocabulary_is_no_model(
    parts: dict[str, EvaluationSet], models: dict[str, NetworkModel], tmp_path: Path
) -> None:
    plain = models["lstm"].preprocessing.to_plain()
    for pairs in (["a"], ["a b c"], ["a nosuchtoken"], [3], "a b"):
        with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
            Tokenization.from_plain({**plain, "pairs": pairs})
    with pytest.raises(InputError, match="no place"):
        Tokenization.from_plain({**plain, "length": 1})


def test_a_search_tries_widths_that_go() -> None:
    space = usual_space(TrainingConfig(network="bert", hidden=(16, 16), heads=4))
    for widths in space["hidden"]:
        TrainingConfig(network="bert", hidden=widths, heads=4)


def test_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    monkeypatch.chdir(tmp_path)
    pd.DataFrame(letters(300)).to_csv("letters.csv", index=False)
    roles = ["--label", "kind", "--sensitive", "sex", "--texts", "letter"]
    fitted = [
        "--network",
        "gpt2",
        "--hidden",
        "16",
        "--epochs",
        "2",
        "--vocabulary",
        "300",
        "--test-output",
        "test.csv",
    ]
    assert exit_code(["train", "letters.csv", *roles, *fitted, "-o", "m.safetensors", "--quiet"]) == 0
    assert load_model("m.safetensors").plan.kind == "gpt2"
    assert exit_code(["audit", "test.csv", "--model", "m.safetensors", *roles, "--no-explain", "-o", "out"]) == 0
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8"))["findings"]


def test_many_texts_go_through_a_network_in_pieces_that_memory_holds() -> None:
    """Of a token a vector is made, and layers four times as wide: rows are counted by these."""
    from evenhand.training.model import AT_ONCE, CELLS, logits

    asked = []

    class Wide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors = torch.nn.Embedding(9, 32)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            asked.append(len(rows))
            return torch.as_tensor(self.vectors(rows[:, 0].long()).sum(dim=1))

    rows = np.ones((AT_ONCE // 50, 100), dtype=np.float32)
    assert len(logits(Wide(), rows)) == len(rows)
    assert max(asked) == AT_ONCE * CELLS // (100 * 4 * 32)
