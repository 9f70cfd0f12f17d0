"""What a model reads: said, told from the model, or taken from what the evaluation set holds; for every adapter."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import evenhand as eh
from evenhand.compression import open_model
from evenhand.errors import InputError, ModelError
from evenhand.evidence.predictions import predict, reads
from evenhand.subjects import Subject, as_subject, open_subject, reads_of

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)
N = 300
SHAPE = (4, 4, 3)


def rows(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """People, a text and an image each, both of which tell the label."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, N)
    images = np.clip(rng.normal(100, 20, (N, *SHAPE)) + 50 * y[:, None, None, None], 0, 255).astype(np.uint8)
    texts = [("good " if chance < 0.9 * label + 0.05 else "bad ") + f"w{at % 7}" for at, (label, chance) in
             enumerate(zip(y, rng.random(N), strict=True))]  # fmt: skip
    table = pd.DataFrame({"y": y, "sex": rng.choice(["f", "m"], N), "text": texts, "age": rng.integers(20, 60, N)})
    return table, images


def sets(**more: Any) -> dict[str, EvaluationSet]:
    table, images = rows()
    known: dict[str, Any] = {"label": "y", "sensitive_features": "sex", **more}
    return {
        "arrays": eh.read_evaluation_set(table, inputs=images, exclude="text", name="faces", **known),
        "texts": eh.read_evaluation_set(table, texts="text", name="reviews", **known),
        "table": eh.read_evaluation_set(table, exclude="text", name="people", **known),
    }


def scaled(batch: Any) -> np.ndarray:
    """Bytes of images as fractions, channels first."""
    return np.asarray(batch.transpose(0, 3, 1, 2) / 255, dtype=np.float32)


class Words(torch.nn.Module):
    """Takes a list of texts."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, texts: list[str]) -> torch.Tensor:
        return torch.sigmoid(self.weight * torch.tensor([2.0 * text.startswith("good") - 1 for text in texts]))


def network(outputs: int = 1) -> torch.nn.Module:
    """Return an untrained network that decides both ways."""
    torch.manual_seed(0)
    made = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, outputs)).eval()
    with torch.no_grad():
        made[2].bias -= 0.6
    return made


class Scaling(torch.nn.Module):
    """Takes bytes, channels last: whoever exported it knew how they are scaled."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images.permute(0, 3, 1, 2).float() / 255)  # type: ignore[no-any-return]


def exported(folder: Path, module: torch.nn.Module | None = None, like: torch.Tensor | None = None) -> Path:
    pytest.importorskip("onnxscript")
    place = folder / "net.onnx"
    given = torch.zeros(2, 3, 4, 4) if like is None else like
    torch.onnx.export(
        module or network(), (given,), str(place), dynamo=True, external_data=False, verbose=False,
        dynamic_shapes=({0: torch.export.Dim("rows")},),
    )  # fmt: skip
    return place


def models(folder: Path) -> dict[str, tuple[str, Subject]]:
    table, images = rows()
    flat = make_pipeline(StandardScaler(), LogisticRegression()).fit(images.reshape(N, -1), table["y"])
    shaped = make_pipeline(FunctionTransformer(lambda X: X.mean(axis=(1, 2))), LogisticRegression())
    return {
        "pipeline of texts": (
            "texts", as_subject(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(table["text"], table["y"])),
        ),
        "estimator of flat images": ("arrays", as_subject(flat)),
        "pipeline of images": ("arrays", as_subject(shaped.fit(images, table["y"]))),
        "torch module of images": ("arrays", as_subject(network(), output="logit", prepare=scaled)),
        "torch module of texts": ("texts", as_subject(Words())),
        "ONNX file": ("arrays", as_subject(open_subject(exported(folder), output="logit"), prepare=scaled)),
        "function of arrays": ("arrays", as_subject(lambda batch: batch.mean(axis=(1, 2, 3)) / 255)),
        "function of texts": ("texts", as_subject(lambda texts: [float("good" in text) for text in texts])),
    }  # fmt: skip


def test_every_adapter_says_the_same_of_a_batch_and_of_all(tmp_path: Path) -> None:
    """Rows are scored in batches, and a record says what was read; no row's score depends on its batch."""
    data = sets()
    for name, (kind, model) in models(tmp_path).items():
        held = data[kind]
        assert reads(model, held) == kind, name
        whole = model.predict(held.inputs.whole())
        parts = np.concatenate([model.predict(batch) for batch in held.inputs.batches(7)])
        np.testing.assert_allclose(parts, whole, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(predict(model, held).y_score, whole, atol=1e-6, err_msg=name)  # type: ignore[arg-type]
        record = eh.audit(model, held)
        expected = float(((whole >= model.threshold) == (held.y_true == 1)).mean())
        assert record["accuracy"].estimate == pytest.approx(expected), name
        assert record.provenance["subject"]["reads"] == kind  # type: ignore[index,call-overload]
        assert record.provenance["data"]["inputs"]["kind"] == kind  # type: ignore[index,call-overload]
        told = {section.audit: section.reason for section in record.sections if not section.ran}
        assert told["explanation"] == f"The model reads {kind}; this audit asks about the columns of a table."


def test_what_is_read_is_said_or_told_or_follows_from_the_set() -> None:
    table, images = rows()
    texts = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(table["text"], table["y"])
    named = LogisticRegression().fit(table[["age"]], table["y"])
    bare = LogisticRegression().fit(images.reshape(N, -1), table["y"])

    class Old:
        """A subject of before there was anything but tables."""

        name, threshold, score_kind = "old", 0.5, "probability"
        facts: dict[str, object] = {}  # noqa: RUF012

        def predict(self, X: pd.DataFrame) -> np.ndarray:
            return (X["age"] / 100).to_numpy()

    told = [
        (as_subject(texts), "texts"), (as_subject(named), "table"), (as_subject(bare), "arrays"), (Old(), "table"),
        (as_subject(lambda batch: batch, reads="records"), "records"), (as_subject(len, features=["age"]), "table"),
        (as_subject(Words(), reads="texts", name="words"), "texts"), (as_subject(network()), "arrays"),
    ]  # fmt: skip
    assert [reads_of(model, "arrays") for model, _ in told] == [kind for _, kind in told]
    data = sets()
    record = eh.audit(Old(), data["arrays"], explain=False)
    assert record["accuracy"].support == N, "every set has a table for those that read one"
    assert eh.audit(named, data["arrays"], explain=False)["accuracy"].support == N


def test_what_a_set_does_not_hold_is_refused(tmp_path: Path) -> None:
    data, table = sets(), rows()[0]
    texts = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(table["text"], table["y"])
    with pytest.raises(InputError, match=r"faces: the model 'Pipeline' reads texts.* arrays: pass inputs= or texts="):
        eh.audit(texts, data["arrays"])
    with pytest.raises(InputError, match=r"people: the model 'Pipeline' reads texts, and the set holds table"):
        eh.audit(texts, data["table"])
    with pytest.raises(ModelError, match=r"'net' takes an array of numbers, and these are texts.*inputs= or images="):
        eh.audit(open_subject(exported(tmp_path)), data["texts"])


def test_bytes_are_never_made_fractions_by_guessing(tmp_path: Path) -> None:
    data = sets()["arrays"]
    with pytest.raises(ModelError, match=r"takes float32, and the inputs are whole numbers \(uint8\).*prepare="):
        eh.audit(open_model(exported(tmp_path)), data)
    with pytest.raises(ModelError, match=r"could not take uint8 of shape \(300, 4, 4, 3\).*prepare="):
        eh.audit(network(), data)
    floats = scaled(np.asarray(data.inputs.whole()))
    ready = eh.read_evaluation_set(rows()[0], label="y", sensitive_features="sex", inputs=floats.astype(np.float64))
    left, right = (
        eh.audit(as_subject(model, name="m"), ready, explain=False)["accuracy"].estimate
        for model in (open_subject(exported(tmp_path), output="logit"), as_subject(network(), output="logit"))
    )
    assert left == right
    bytes_alone = exported(tmp_path, Scaling().eval(), torch.zeros((2, *SHAPE), dtype=torch.uint8))
    asked = open_subject(bytes_alone, output="logit")
    assert eh.audit(asked, data, explain=False)["accuracy"].estimate == left
    wide = eh.read_evaluation_set(rows()[0], label="y", sensitive_features="sex", inputs=rows()[1].astype(int) * 9)
    with pytest.raises(ModelError, match=r"takes uint8, which cannot hold the inputs \(int64\)"):
        eh.audit(asked, wide)


def test_several_classes_of_images_and_texts() -> None:
    table, images = rows()
    kinds = table["y"].to_numpy() + (table["age"].to_numpy() > 40)
    known: dict[str, Any] = {"label": "kind", "task": "multiclass", "sensitive_features": "sex"}
    faces = eh.read_evaluation_set(table.assign(kind=kinds), inputs=images, exclude="text", **known)
    reviews = eh.read_evaluation_set(table.assign(kind=kinds), texts="text", **known)
    flat = LogisticRegression(max_iter=500).fit(images.reshape(N, -1) / 255, kinds)
    module = network(3)
    subject = as_subject(module, output="logit", prepare=scaled, name="three kinds")
    with torch.inference_mode():
        said = module(torch.from_numpy(scaled(images))).argmax(dim=1).numpy()
    record = eh.audit(subject, faces)
    assert record["accuracy"].estimate == pytest.approx(float((said == kinds).mean()))
    assert record.provenance["subject"]["name"] == "three kinds"  # type: ignore[index,call-overload]
    prepared = as_subject(flat, prepare=lambda batch: batch / 255)
    wanted = float((flat.predict(images.reshape(N, -1) / 255) == kinds).mean())
    assert eh.audit(prepared, faces)["accuracy"].estimate == pytest.approx(wanted)
    texts = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(table["text"], kinds)
    wanted = float((texts.predict(table["text"]) == kinds).mean())
    assert eh.audit(texts, reviews)["accuracy"].estimate == pytest.approx(wanted)
    with pytest.raises(ModelError, match="do not add up to 1"):
        eh.audit(as_subject(module, prepare=scaled), faces)


def test_several_labels_of_images() -> None:
    table, images = rows()
    both = np.column_stack([table["y"], table["age"] > 40]).astype(int)
    data = eh.read_evaluation_set(table, label="y", sensitive_features="sex", exclude="text", inputs=images)
    data = dataclasses.replace(data, y_true=both, task="multilabel", classes=("hired", "old"), _kept={})
    module = network(2)
    with torch.inference_mode():
        said = module(torch.from_numpy(scaled(images))).numpy() >= 0
    record = eh.audit(as_subject(module, output="logit", prepare=scaled), data)
    assert record["hamming_loss"].estimate == pytest.approx(float((said != both).mean()))


def test_token_ids_and_records_reach_the_model_as_they_are() -> None:
    table = rows()[0]
    ids = [[1] * label + [at, 2] for at, label in enumerate(table["y"])]
    known: dict[str, Any] = {"label": "y", "sensitive_features": "sex", "exclude": "text"}
    tokens = eh.read_evaluation_set(table, inputs=ids, **known)
    assert eh.audit(lambda batch: [float(len(row) > 2) for row in batch], tokens)["accuracy"].estimate == 1
    records = [{"ids": row, "age": age} for row, age in zip(ids, table["age"], strict=True)]
    both = eh.read_evaluation_set(table, inputs=records, **known)
    assert eh.audit(lambda batch: [float(len(row["ids"]) > 2) for row in batch], both)["accuracy"].estimate == 1


def test_two_models_of_images_are_compared(tmp_path: Path) -> None:
    data = sets()["arrays"]
    file = as_subject(open_subject(exported(tmp_path), output="logit"), prepare=scaled)
    record = eh.audit(file, data, original=as_subject(network(), output="logit", prepare=scaled))
    assert record["flip_rate[;of=original]"].estimate == 0
    assert record["batch_dependence"].estimate == 0
    assert record["latency_ratio[;batch=256;of=original]"].estimate is not None
    assert record["parameters[;of=original]"].estimate == sum(values.numel() for values in network().parameters())
