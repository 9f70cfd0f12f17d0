"""Objects as rows: matched by the benchmark's rules, audited as clusters of images."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import evenhand as eh
from evenhand.data import detection_rows
from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pycocotools")


def box(at: int, image: int, x: float, group: str | None = None, kind: int = 1, **more: object) -> dict[str, Any]:
    held = {"id": at, "image_id": image, "category_id": kind, "bbox": [x, 0.0, 10.0, 10.0], **more}
    return held if group is None else held | {"attributes": {"skin": group}}


def truth(*boxes: dict[str, Any]) -> dict[str, Any]:
    images = [{"id": image, "width": 200, "height": 100, "site": "north"} for image in (1, 2)]
    return {"images": images, "categories": [{"id": 1, "name": "person"}, {"id": 2}], "annotations": list(boxes)}


def seen(image: int, x: float, score: float = 0.9, kind: int = 1) -> dict[str, Any]:
    return {"image_id": image, "category_id": kind, "bbox": [x, 0.0, 10.0, 10.0], "score": score}


OBJECTS = truth(box(7, 1, 0, "dark"), box(8, 1, 100, "light"), box(9, 2, 0, "dark"))


def detected(*found: dict[str, Any], **more: Any) -> list[int]:
    rows: list[int] = detection_rows(OBJECTS, list(found), **more)["detected"].tolist()
    return rows


def test_a_match_needs_overlap_image_and_category() -> None:
    assert detected(seen(1, 1), seen(2, 0)) == [1, 0, 1]
    assert detected(seen(1, 5)) == [0, 0, 0], "a third of the union"
    assert detected(seen(1, 5), iou=0.3) == [1, 0, 0]
    assert detected(seen(2, 100), seen(1, 0, kind=2)) == [0, 0, 0]
    assert detected() == [0, 0, 0]


def test_one_detection_finds_one_object_and_the_surest_chooses_first() -> None:
    close = truth(box(1, 1, 0), box(2, 1, 2))
    rows = detection_rows(close, [seen(1, 1.5, 0.8)], iou=0.5)
    assert rows["detected"].tolist() == [0, 1], "the nearer one"
    rows = detection_rows(close, [seen(1, 2, 0.8), seen(1, 1.9, 0.9)], iou=0.5)
    assert rows["score"].tolist() == [0.8, 0.9], "the less sure takes what is left"


def test_scores_below_the_threshold_are_no_detections() -> None:
    found = [seen(1, 0, 0.4), seen(1, 100, 0.6)]
    assert detected(*found, threshold=0.5) == [0, 1, 0]
    rows = detection_rows(OBJECTS, found)
    assert rows["score"].tolist() == [0.4, 0.6, 0.0]


def test_masks_are_compared_by_their_pixels() -> None:
    def mask(x: int, height: int) -> dict[str, Any]:
        return {"segmentation": [[x, 0, x + 10, 0, x + 10, height, x, height]]}

    objects = truth(box(1, 1, 0, "dark") | mask(0, 10), box(2, 1, 50, "light") | mask(50, 10))
    found = [seen(1, 0) | mask(0, 9), seen(1, 50) | mask(50, 3)]
    assert detection_rows(objects, found)["detected"].tolist() == [1, 1], "boxes say more than is there"
    assert detection_rows(objects, found, shape="masks")["detected"].tolist() == [1, 0]


def test_crowds_are_left_out_and_attributes_are_of_persons_or_images() -> None:
    rows = detection_rows(truth(box(1, 1, 0, "dark"), box(2, 2, 0, iscrowd=1)), [], attributes=["skin", "site"])
    assert rows[["annotation", "skin", "site", "category"]].values.tolist() == [[1, "dark", "north", "person"]]


def test_recall_is_that_of_the_benchmark() -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rng = np.random.default_rng(0)
    boxes = [box(at, 1 + at % 2, float(rng.integers(0, 180)), "dark") for at in range(1, 60)]
    found = [seen(1 + at % 2, float(rng.integers(0, 180)), round(float(rng.random()), 3)) for at in range(80)]
    rows = detection_rows(truth(*boxes), found)
    held = COCO()
    with contextlib.redirect_stdout(io.StringIO()):
        held.dataset = truth(*(each | {"area": 100.0, "iscrowd": 0} for each in boxes))
        held.createIndex()
        judged = COCOeval(held, held.loadRes([dict(each) for each in found]), "bbox")
        judged.params.iouThrs, judged.params.maxDets = [0.5], [1000]
        judged.evaluate()
        judged.accumulate()
    recall = judged.eval["recall"][0, 0, 0, 0]
    assert 0.2 < rows["detected"].mean() < 0.9
    assert rows["detected"].mean() == pytest.approx(recall)


WRONG = {
    "image": ({"image_id": 5}, "1 of 1 detections are of an image that the truth does not list"),
    "category": ({"category_id": 5}, "of a category that the truth does not list"),
    "box": ({"bbox": [0, 0, 0, 5]}, "1 of 1 detections are without bbox"),
    "score": ({"score": float("nan")}, "1 of 1 detections have no finite score"),
    "list of images": ({"image_id": [1]}, "of an image that the truth does not list"),
    "list of categories": ({"category_id": [1]}, "of a category that the truth does not list"),
}


@pytest.mark.parametrize("name", WRONG)
def test_detections_that_cannot_be_are_refused(name: str) -> None:
    change, said = WRONG[name]
    with pytest.raises(InputError, match=said):
        detection_rows(OBJECTS, [seen(1, 0) | change])


def test_all_that_is_wrong_with_the_truth_is_told() -> None:
    with pytest.raises(InputError) as told:
        detection_rows(truth(box(1, 5, 0), box(1, 1, 0) | {"bbox": None}), [])
    assert all(words in str(told.value) for words in ("of an image", "without bbox", "each annotation needs an id"))
    with pytest.raises(InputError, match="lists images, annotations, categories"):
        detection_rows([], [])
    with pytest.raises(InputError, match=r"No annotation or image has .*'skins'.*skin"):
        detection_rows(OBJECTS, [], attributes=["skins"])


def test_attributes_and_masks_that_are_none_are_told() -> None:
    with pytest.raises(InputError, match="attributes of 1 of 2 annotations are no table"):
        detection_rows(truth(box(1, 1, 0, attributes=["dark"]), box(2, 1, 0)), [])
    square = {"segmentation": [[0, 0, 9, 0, 9, 9, 0, 9]]}
    for wrong in ([[0, 0, 9]], [[0, 0, 9, 0, 9, "a"]], {"counts": [3, 5]}, []):
        with pytest.raises(InputError, match="1 of 2 annotations are without segmentation, a mask"):
            detection_rows(truth(box(1, 1, 0, segmentation=wrong), box(2, 1, 0, **square)), [], shape="masks")
    unsized = truth(box(1, 1, 0, **square)) | {"images": [{"id": 1}]}
    with pytest.raises(InputError, match="1 of 1 images have no width and height"):
        detection_rows(unsized, [seen(1, 0) | square], shape="masks")
    assert detection_rows(truth(box(1, 1, 0, area="big")), [seen(1, 0)])["detected"].tolist() == [1]


def many(seed: int = 0) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Objects of 600 images of two persons: those of dark skin are missed more often, after compression still more."""
    rng = np.random.default_rng(seed)
    images = [{"id": at, "width": 200, "height": 100} for at in range(600)]
    boxes = [box(at, at // 2, 100.0 * (at % 2), str(rng.choice(["dark", "light"]))) for at in range(1200)]
    found = []
    for chances in ({"dark": 0.75, "light": 0.9}, {"dark": 0.9, "light": 0.92}):
        kept = [each for each in boxes if rng.random() < chances[each["attributes"]["skin"]]]
        found.append([seen(each["image_id"], each["bbox"][0]) for each in kept])
    return {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "person"}]}, *found


def test_who_is_missed_more_often_is_found_and_what_compression_did(tmp_path: Path, monkeypatch: Any) -> None:
    from evenhand.cli.main import exit_code

    monkeypatch.chdir(tmp_path)
    for name, held in zip(("truth", "small", "full"), many(), strict=True):
        (tmp_path / f"{name}.json").write_text(json.dumps(held))
    assert exit_code(["detections", "truth.json", "small.json", "--original", "full.json", "-o", "rows.parquet"]) == 0
    words = [
        "--label",
        "object",
        "--task",
        "binary",
        "--prediction",
        "detected",
        "--original-prediction",
        "original_detected",
    ]
    code = exit_code(["audit", "rows.parquet", *words, "--sensitive", "skin", "--cluster", "image", "-o", "a.json"])
    assert code == 0
    record = eh.read_record("a.json")
    assert record["recall_difference[skin]"].interval.low > 0.05
    assert record["recall_change[skin=dark;of=original]"].interval.high < 0
    assert record["false_positive_rate"].estimate is None, "a false detection is of nobody"
    (tmp_path / "policy.toml").write_text('schema = 1\n[limits]\n"recall_difference[skin]" = { at_most = 0.05 }\n')
    assert exit_code(["gate", "a.json", "--policy", "policy.toml"]) == 1


def test_a_label_of_one_class_is_taken_only_where_two_are_declared() -> None:
    rows = {"y": [1] * 20, "d": [1, 0] * 10, "sex": ["f", "m"] * 10}
    with pytest.raises(InputError, match="one class only"):
        eh.read_evaluation_set(rows, label="y", prediction="d", sensitive_features="sex")
    data = eh.read_evaluation_set(rows, label="y", prediction="d", sensitive_features="sex", task="binary")
    assert data.classes == (0, 1)
