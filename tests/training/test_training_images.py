"""Networks over images by name: their published sizes, small images, files, recipes, audits, augmentation, the door."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import evenhand as eh
from evenhand.compression import Distillation, Int8, MagnitudePruning, compress
from evenhand.errors import InputError
from evenhand.training import ImagePlan, Normalization, TrainingConfig, fit, load_model
from evenhand.training.augmentation import change, drawn_again, recoloured
from evenhand.training.schedule import Schedule

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)
PUBLISHED = {"resnet18": 11_689_512, "resnet50": 25_557_032, "densenet121": 7_978_856, "inception": 6_624_904}
"""Parameters at 1,000 classes, as published and as in torchvision's documentation."""
SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"channels": (8, 16), "hidden": (16,)},
    "resnet18": {"width": 4},
    "resnet50": {"width": 4},
    "densenet": {"width": 4},
    "inception": {"width": 8},
    "vit": {"hidden": (16, 16), "patch": 2, "learning_rate": 1e-2, "epochs": 5},
    "encoder": {"hidden": (16, 16), "learning_rate": 1e-2},
}
"""Settings under which each learns within seconds."""
QUICK: dict[str, Any] = {"epochs": 3, "batch_size": 32, "dropout": 0.0, "learning_rate": 4e-3}


@pytest.fixture(scope="module")
def parts() -> dict[str, EvaluationSet]:
    """Whether a digit is a zero or a one, of 700 of scikit-learn's: grouped by how dark it is."""
    digits = load_digits()
    kept = np.flatnonzero(digits.target < 4)
    ink = digits.images[kept].mean(axis=(1, 2))
    table = {"low": (digits.target[kept] < 2).astype(int), "ink": np.where(ink > np.median(ink), "much", "little")}
    data = eh.read_evaluation_set(table, label="low", sensitive_features="ink", inputs=digits.images[kept], name="d")
    return {"train": data.take(np.arange(520)), "test": data.take(np.arange(520, len(data)))}


def images(data: EvaluationSet) -> np.ndarray:
    return np.asarray(data.inputs.whole())


def size(plan: ImagePlan) -> int:
    with torch.device("meta"):
        network = plan.build()
        assert network.eval()(torch.empty(2, *plan.shape)).shape == (2, plan.outputs)
    return sum(values.numel() for values in network.parameters())


@pytest.mark.parametrize("kind", sorted(PUBLISHED))
def test_parameters_are_as_many_as_published(kind: str) -> None:
    assert size(ImagePlan(kind, (3, 224, 224), 1000)) == PUBLISHED[kind]  # type: ignore[arg-type]


def test_a_vision_transformer_is_as_large_as_published() -> None:
    assert size(ImagePlan("vit", (3, 224, 224), 1000, hidden=(768,) * 12, heads=12)) == 86_567_656


def test_small_images_are_not_halved_before_anything_is_seen() -> None:
    small, large = ImagePlan("resnet18", (1, 28, 28), 10), ImagePlan("resnet18", (1, 64, 64), 10)
    assert (small.small, large.small) == (True, False)
    with torch.no_grad():
        held = small.build().eval().get_submodule("pool")(torch.zeros(1, 64, 28, 28))
    assert held.shape[2:] == (28, 28)
    assert ImagePlan("vit", (1, 28, 28), 10, hidden=(16,)).patch == 4
    assert ImagePlan("vit", (3, 32, 40), 10, hidden=(16,)).patch == 4


def test_a_model_saved_before_there_were_small_first_layers_is_built_as_it_was() -> None:
    plain = {
        "kind": "resnet18", "shape": [1, 28, 28], "outputs": 10, "hidden": [], "channels": [], "kernel": 3,
        "dropout": 0.0, "heads": 4,
    }  # fmt: skip
    plan = ImagePlan.from_plain(plain)  # type: ignore[arg-type]
    assert plan.build().get_submodule("first").kernel_size == (7, 7)
    assert ImagePlan.from_plain(plan.to_plain()) == plan


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.slow] if kind in ("inception", "resnet50") else []) for kind in SMALL],
)
def test_every_network_by_name_learns_is_saved_compressed_and_audited(
    kind: str, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    config = TrainingConfig(**{"network": kind, **QUICK, **SMALL[kind]})
    model = fit(parts["train"], config=config)
    assert model.plan.kind == kind
    losses: Any = model.history["validation_loss"]
    assert min(losses) < 0.9 * math.log(2), "it learnt more than that there are two classes"
    seen = images(parts["test"])
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").predict(seen), model.predict(seen))
    recipe = Int8(kind="weights") if kind == "densenet" else MagnitudePruning(0.2, epochs=0)
    small = compress(model, recipe, train=parts["train"])
    assert np.mean((small.predict(seen) >= 0.5) == (model.predict(seen) >= 0.5)) > 0.8
    record = eh.audit(small, parts["test"], original=model, explain=False, footprint=False)
    right = (small.predict(seen) >= small.threshold) == parts["test"].y_true
    assert record["accuracy"].estimate == pytest.approx(right.mean())
    assert record["flip_rate[ink=much;of=original]"].support


def test_a_student_is_half_as_wide_as_its_teacher(parts: dict[str, EvaluationSet]) -> None:
    teacher = fit(parts["train"].take(np.arange(100)), config=TrainingConfig(network="resnet18", width=4, epochs=1))
    student = compress(teacher, Distillation(epochs=1), train=parts["train"].take(np.arange(100)))
    assert student.plan.width == 2  # type: ignore[union-attr]


def test_names_that_do_not_fit_the_rows_get_a_sentence(parts: dict[str, EvaluationSet]) -> None:
    table = eh.load_loanapp()
    with pytest.raises(InputError, match=r"A resnet18 reads images, and these rows are a table: name .*images"):
        fit(table, config=TrainingConfig(network="resnet18"))
    with pytest.raises(InputError, match=r"A residual reads columns.*rows are images"):
        fit(parts["train"], config=TrainingConfig(network="residual", hidden=(8, 8)))
    with pytest.raises(InputError, match="Halvings of densenet121 leave nothing of 4 x 4"):
        ImagePlan("densenet121", (1, 4, 4), 2)
    with pytest.raises(InputError, match="Patches of 3 pixels do not fill 8 x 8"):
        ImagePlan("vit", (1, 8, 8), 2, hidden=(16,), patch=3)
    with pytest.raises(InputError, match="Blocks of a vit are all of one width"):
        TrainingConfig(network="vit")


def test_each_channel_has_its_mean_and_scale(tmp_path: Path) -> None:
    prepared = Normalization((3, 2, 2), (1.0, 2.0, 3.0), (1.0, 2.0, 4.0))
    values = prepared.transform(np.full((5, 2, 2, 3), 5, dtype=np.uint8))
    np.testing.assert_allclose(values[0, :, 0, 0], [4.0, 1.5, 0.5])
    assert Normalization.from_plain(prepared.to_plain()) == prepared
    with pytest.raises(InputError, match="mean has 2 numbers, and the images have 3 channels"):
        Normalization((3, 2, 2), (1.0, 2.0))


# augmentation


def picture() -> torch.Tensor:
    return torch.arange(60, dtype=torch.float32).reshape(1, 1, 6, 10).repeat(64, 1, 1, 1)


def test_half_of_the_images_are_mirrored_and_no_pixel_changes() -> None:
    torch.manual_seed(0)
    drawn = drawn_again(picture(), flip=True, rotate=0, crop=0)
    plain, mirrored = picture()[0, 0], picture()[0, 0].flip(-1)
    which = [bool(torch.allclose(image[0], mirrored, atol=1e-4)) for image in drawn]
    assert all(way or torch.allclose(image[0], plain, atol=1e-4) for way, image in zip(which, drawn, strict=True))
    assert 16 < sum(which) < 48


def test_images_are_turned_by_no_more_than_said_whatever_their_sides() -> None:
    """A pixel's place is found again at the angle that torch drew, about the middle, in pixels and not in shares."""
    blank = torch.zeros(64, 1, 21, 41)
    blank[:, :, 9:12, 34:37] = 1.0  # 15 pixels right of the middle
    torch.manual_seed(1)
    drawn = drawn_again(blank, flip=False, rotate=20, crop=0)
    rows, columns = torch.arange(21.0)[:, None] - 10, torch.arange(41.0)[None, :] - 20
    ink = drawn[:, 0].sum(dim=(1, 2))
    down, across = ((drawn[:, 0] * at).sum(dim=(1, 2)) / ink for at in (rows, columns))
    torch.testing.assert_close((down**2 + across**2).sqrt(), torch.full((64,), 15.0), atol=0.3, rtol=0)
    angles = torch.atan2(down, across).rad2deg()
    assert angles.abs().max() < 21
    assert angles.max() > 12 and angles.min() < -12


def test_a_cut_image_holds_only_what_was_there_and_less_of_it() -> None:
    ramp = torch.linspace(0, 1, 40)[None, None, None, :].repeat(64, 1, 8, 1)
    torch.manual_seed(2)
    drawn = drawn_again(ramp, flip=False, rotate=0, crop=0.5)
    spread = drawn[:, 0, 0].amax(dim=1) - drawn[:, 0, 0].amin(dim=1)
    assert spread.min() > 0.45 and spread.max() <= 1.0
    assert spread.min() < 0.6, "some are cut by nearly half"
    assert bool((drawn >= 0).all()) and bool((drawn <= 1).all())


def test_colour_changes_each_image_in_its_own_way_and_keeps_its_pattern() -> None:
    torch.manual_seed(3)
    pictures = torch.randn(50, 3, 6, 6)
    drawn = recoloured(pictures, 0.4)
    gray, before = drawn.mean(dim=1).flatten(1), pictures.mean(dim=1).flatten(1)
    together = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(gray, before, strict=True)])
    assert together.min() > 0.999
    moved = gray.mean(dim=1) - before.mean(dim=1)
    assert 0.3 < moved.abs().max() <= 0.4
    contrast = gray.std(dim=1) / before.std(dim=1)
    assert 0.6 <= contrast.min() < 0.75 and 1.25 < contrast.max() <= 1.4


def test_a_step_is_augmented_as_the_schedule_says_and_by_the_seed_alone() -> None:
    def changed(**settings: object) -> torch.Tensor:
        torch.manual_seed(0)
        rows = picture().clone()
        change(Schedule(epochs=1, **settings), rows, torch.ones(64, 2))  # type: ignore[arg-type]
        return rows

    assert torch.equal(changed(), picture()), "nothing is changed by default"
    for settings in ({"flip": True}, {"rotate": 10.0}, {"crop": 0.3}, {"colour": 0.3}):
        assert not torch.equal(changed(**settings), picture())
        assert torch.equal(changed(**settings), changed(**settings))


def test_the_same_seed_gives_the_same_augmented_model(parts: dict[str, EvaluationSet]) -> None:
    settings: dict[str, Any] = {"network": "cnn", "channels": (4,), "hidden": (8,), "epochs": 4, "learning_rate": 1e-2}
    change_all: dict[str, Any] = {"flip": True, "rotate": 15.0, "crop": 0.2, "colour": 0.2}
    one, two = (fit(parts["train"], config=TrainingConfig(**settings, **change_all)) for _ in range(2))
    plain = fit(parts["train"], config=TrainingConfig(**settings))
    assert one.history["best_epoch"] > 0 and plain.history["best_epoch"] > 0, "something was learnt"  # type: ignore[operator]
    assert one.content == two.content
    np.testing.assert_array_equal(one.predict(images(parts["test"])), two.predict(images(parts["test"])))
    assert np.abs(one.predict(images(parts["test"])) - plain.predict(images(parts["test"]))).max() > 1e-6


def test_a_folder_of_images_is_trained_compressed_and_audited_by_commands(
    parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    from click.testing import CliRunner
    from PIL import Image

    from evenhand.cli.main import cli

    for at, pixels in enumerate(images(parts["train"])):
        Image.fromarray((pixels * 15).astype(np.uint8)).save(tmp_path / f"{at}.png")
    table = parts["train"].table.assign(file=[f"{at}.png" for at in range(len(parts["train"]))])
    table.to_csv(tmp_path / "digits.csv", index=False)
    roles = ["--label", "low", "--sensitive", "ink", "--images", "file"]
    model, held = str(tmp_path / "m.safetensors"), str(tmp_path / "test.csv")

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, list(words))
        assert result.exit_code == 0, result.output
        return result.output

    run(
        "train", str(tmp_path / "digits.csv"), *roles, "--network", "resnet18", "--width", "4", "--epochs", "3",
        "--test-output", held, "-o", model, "--rotate", "5", "--crop", "0.1",
    )  # fmt: skip
    assert load_model(model).plan.kind == "resnet18"
    small, said = str(tmp_path / "small.safetensors"), str(tmp_path / "audit.json")
    run("compress", model, "--train", str(tmp_path / "digits.csv"), *roles, "-r", "half_precision", "-o", small)
    run(
        "audit", held, *roles, "--model", small, "--original", model, "--no-footprint", "--no-explain", "-o", said
    )  # fmt: skip
    assert eh.read_record(said)["accuracy"].estimate > 0.55  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(PUBLISHED))
def test_networks_of_full_size_learn_are_compressed_and_audited(kind: str, parts: dict[str, EvaluationSet]) -> None:
    model = fit(parts["train"].take(np.arange(160)), config=TrainingConfig(network=kind, epochs=2, batch_size=16))  # type: ignore[arg-type]
    losses: Any = model.history["validation_loss"]
    assert np.isfinite(losses).all()
    small = compress(model, Int8(kind="weights"), train=parts["train"])
    record = eh.audit(small, parts["test"], original=model, explain=False, footprint=False)
    assert record["flip_rate[;of=original]"].estimate < 0.05  # type: ignore[operator]
