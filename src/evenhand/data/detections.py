"""Objects that a detector or a segmentation had to find, as rows: found or not, of whom, in which image.

Boxes and masks are matched by the reference code of the COCO benchmark (Lin et al. 2014), pycocotools: in the order of
their scores, detections take the object that they overlap most, of the same category and the same image.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import pandas as pd

from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, argument, did_you_mean, need, quoted, raise_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Shape: TypeAlias = Literal["boxes", "masks"]
"""What of objects is compared: their boxes, or their masks."""
IOU_TYPES: Final[dict[Shape, str]] = {"boxes": "bbox", "masks": "segm"}
"""Words of pycocotools."""
COCO_KEYS: Final = (
    "id",
    "image_id",
    "category_id",
    "bbox",
    "segmentation",
    "area",
    "iscrowd",
    "attributes",
    "keypoints",
)
"""What an annotation has that says nothing about a person."""
OWN: Final = ("object", "detected", "score", "original_detected", "original_score", "image", "annotation", "category")
"""The columns that are made here."""
MOST: Final = 10_000
"""Most detections of an image and category; the benchmark itself looks at 100."""


def detection_rows(
    truth: object,
    found: object,
    *,
    original: object = None,
    attributes: Sequence[str] | None = None,
    iou: float = 0.5,
    threshold: float = 0.0,
    shape: Shape = "boxes",
) -> pd.DataFrame:
    """Return one row for each true object: whether it was detected, and the attributes of whom it shows.

    The rows are audited like any others, each image a cluster. A detection that matches no object is of nobody: only
    what is said of true objects, such as recall, can be told by group.

    Parameters
    ----------
    truth : path or mapping
        Objects in COCO's format: ``images``, ``annotations`` and ``categories``. Crowds are no single objects and are
        left out, as in the benchmark.
    found : path or list of mappings
        Detections in COCO's format: ``image_id``, ``category_id``, ``bbox`` or ``segmentation``, ``score``.
    original : path or list of mappings, optional
        Detections of the model before compression, on the same images.
    attributes : sequence of str, optional
        Which attributes become columns: keys in ``attributes`` of an annotation, of the annotation, or of its image.
        All keys in ``attributes`` when absent.
    iou : float
        Least intersection over union of a match.
    threshold : float
        Least score of a detection.
    shape : "boxes" or "masks"
        What is compared; masks are polygons or run lengths.

    Returns
    -------
    DataFrame
        (n objects) ``object``, the label, always 1, so that ``task="binary"`` is to be declared; ``detected``, 0 or 1;
        ``score`` of the detection that matched, 0 without one; ``original_detected`` and ``original_score`` with
        `original`; ``image``, ``annotation``, ``category``; and the attributes.

    Raises
    ------
    InputError
        With all problems of the documents.
    MissingExtraError
        When pycocotools is absent.

    Examples
    --------
    >>> truth = {
    ...     "images": [{"id": 1, "width": 100, "height": 100}], "categories": [{"id": 1, "name": "person"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 20], "attributes": {"skin": "dark"}},
    ...         {"id": 2, "image_id": 1, "category_id": 1, "bbox": [50, 50, 20, 20], "attributes": {"skin": "light"}},
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [50, 51, 20, 20], "score": 0.9}]
    >>> detection_rows(truth, found)[["skin", "object", "detected"]].values.tolist()
    [['dark', 1, 0], ['light', 1, 1]]
    """
    need("pycocotools", "detection")
    raise_all(InputError, _out_of_range(iou, threshold, shape))
    objects = _objects(truth, shape)
    rows = _described(objects, attributes)
    for prefix, said in (("", found), ("original_", original)):
        if said is not None:
            scores = _matched(objects, _detections(said, objects, threshold, shape), iou, shape)
            rows.insert(1, f"{prefix}score", rows["annotation"].map(scores).fillna(0.0))
            rows.insert(1, f"{prefix}detected", rows["annotation"].isin(scores).astype("int8"))
    return rows


def _out_of_range(iou: float, threshold: float, shape: str) -> Iterator[str]:
    if not 0 < iou <= 1:
        yield f"{argument('iou', iou)}: an intersection over union is above 0 and at most 1, such as 0.5."
    if not math.isfinite(threshold):
        yield f"{argument('threshold', threshold)} is no finite number."
    if shape not in IOU_TYPES:
        yield f"{argument('shape', shape)}: boxes or masks are compared."


def _read(document: object, where: str) -> tuple[object, str]:
    """Return a document and its name in sentences."""
    if isinstance(document, (str, Path)):
        return parse_json(read_bytes(Path(document)), document), str(document)
    return document, where


def _objects(truth: object, shape: Shape) -> dict[str, Any]:
    """Return what is to be found, checked."""
    held, name = _read(truth, "truth")
    parts = ("images", "annotations", "categories")
    if not isinstance(held, Mapping) or not all(isinstance(held.get(part), list) for part in parts):
        raise InputError(f"{name}: objects in COCO's format are a table of the lists {', '.join(parts)}.")
    images, kinds = ({_id(each) for each in held[part]} for part in ("images", "categories"))
    whole = [each for each in held["annotations"] if isinstance(each, Mapping) and not each.get("iscrowd")]
    strange = len(held["annotations"]) - sum(isinstance(each, Mapping) for each in held["annotations"])
    raise_all(InputError, [
        *([f"{name}: {strange:,} annotations are no tables."] if strange else []),
        *_misplaced(name, "annotation", whole, images, kinds, shape),
        *_twice(name, "image", held["images"]), *_twice(name, "annotation", whole),
        *_of_no_use(name, whole, held["images"], shape),
        *([] if whole else [f"{name}: it has no annotation that is no crowd, so nothing was to be found."]),
    ])  # fmt: skip
    return {part: held[part] for part in parts} | {"annotations": whole}


def _detections(found: object, objects: Mapping[str, Any], threshold: float, shape: Shape) -> list[dict[str, Any]]:
    """Return the detections from the threshold on, checked."""
    held, name = _read(found, "detections")
    if not isinstance(held, Sequence) or not all(isinstance(each, Mapping) for each in held):
        raise InputError(f"{name}: detections in COCO's format are a list of tables.")
    images, kinds = ({_id(each) for each in objects[part]} for part in ("images", "categories"))
    unsure = sum(not _is_number(each.get("score")) for each in held)
    raise_all(InputError, [
        *_misplaced(name, "detection", held, images, kinds, shape),
        *([f"{name}: {unsure:,} of {len(held):,} detections have no finite score."] if unsure else []),
    ])  # fmt: skip
    return [dict(each) for each in held if each["score"] >= threshold]


def _misplaced(
    name: str, what: str, boxes: Sequence[Mapping[str, Any]], images: set[object], kinds: set[object], shape: Shape
) -> Iterator[str]:
    """Yield complaints about boxes and masks of other images or categories, or of no extent."""
    key, wanted = ("bbox", "[x, y, width, height], from 0") if shape == "boxes" else ("segmentation", "a mask")
    wrong = {
        "of an image that the truth does not list": lambda each: not _among(each.get("image_id"), images),
        "of a category that the truth does not list": lambda each: not _among(each.get("category_id"), kinds),
        f"without {key}, {wanted}": lambda each: (
            not (_is_box(each.get(key)) if shape == "boxes" else _is_mask(each.get(key)))
        ),
    }
    for words, told in wrong.items():
        if count := sum(map(told, boxes)):
            yield f"{name}: {count:,} of {len(boxes):,} {what}s are {words}."


def _of_no_use(name: str, whole: Sequence[Mapping[str, Any]], images: Sequence[object], shape: Shape) -> Iterator[str]:
    """Yield complaints about attributes that name nothing, and about images of no size, where masks need one."""
    if strange := sum(not isinstance(each.get("attributes") or {}, Mapping) for each in whole):
        yield f"{name}: the attributes of {strange:,} of {len(whole):,} annotations are no table of names and values."
    sizes = ((each.get("width"), each.get("height")) for each in images if isinstance(each, Mapping))
    if shape == "masks" and (lacking := sum(not all(map(_is_number, size)) for size in sizes)):
        yield f"{name}: {lacking:,} of {len(images):,} images have no width and height, without which no mask is drawn."


def _twice(name: str, what: str, listed: Sequence[object]) -> Iterator[str]:
    ids = [_id(each) for each in listed]
    if len(set(ids)) < len(ids) or None in ids:
        yield f"{name}: each {what} needs an id of its own."


def _id(each: object) -> object:
    found = each.get("id") if isinstance(each, Mapping) else None
    return found if isinstance(found, (int, str)) else None


def _among(value: object, ids: set[object]) -> bool:
    return isinstance(value, (int, str)) and value in ids


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_box(value: object) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 4 and all(map(_is_number, value)) and min(value[2:]) > 0


def _is_mask(value: object) -> bool:
    """Whether a mask is polygons of three points or more, or run lengths with the size of their image."""
    if isinstance(value, Mapping):
        size = value.get("size")
        counts = value.get("counts")
        return isinstance(size, (list, tuple)) and len(size) == 2 and isinstance(counts, (list, str, bytes))
    return isinstance(value, list) and bool(value) and all(map(_is_polygon, value))


def _is_polygon(value: object) -> bool:
    return isinstance(value, list) and len(value) >= 6 and len(value) % 2 == 0 and all(map(_is_number, value))


def _described(objects: Mapping[str, Any], attributes: Sequence[str] | None) -> pd.DataFrame:
    """Return the objects with their attributes, and the label."""
    held = objects["annotations"]
    names = {_id(each): str(each.get("name", each["id"])) for each in objects["categories"]}
    images = {_id(each): each for each in objects["images"]}
    chosen = _known(attributes, held, images.values())
    rows = pd.DataFrame(
        {
            "object": 1,
            "image": [each["image_id"] for each in held],
            "annotation": [each["id"] for each in held],
            "category": [names[each["category_id"]] for each in held],
        }
    )
    for name in chosen:
        places = ((each.get("attributes") or {}, each, images[each["image_id"]]) for each in held)
        rows[name] = [next((place[name] for place in found if name in place), None) for found in places]
    return rows


def _known(
    attributes: Sequence[str] | None, held: Iterable[Mapping[str, Any]], images: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return the names of attributes; InputError for one that nothing has."""
    said = list(dict.fromkeys(name for each in held for name in each.get("attributes") or {}))
    known = {*said, *(key for each in (*held, *images) for key in each if key not in COCO_KEYS)}
    names = said if attributes is None else [attributes] if isinstance(attributes, str) else list(attributes)
    wrong = {name: f"No annotation or image has {quoted(name)}.{did_you_mean(name, known)}" for name in names}
    taken = {name: f"{quoted(name)} is the name of a column that is made; rename the attribute." for name in OWN}
    raise_all(InputError, [
        *(wrong[name] for name in names if name not in known), *(taken[name] for name in names if name in taken),
    ])  # fmt: skip
    return names


def _matched(objects: Mapping[str, Any], found: list[dict[str, Any]], iou: float, shape: Shape) -> dict[object, float]:
    """Return, of each annotation that was detected, the score of its detection."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if not found:
        return {}
    numbers = {each["id"]: number for number, each in enumerate(objects["annotations"], 1)}  # 0 says "none" there
    truth, said = COCO(), COCO()
    shown = [each | {"id": numbers[each["id"]], "iscrowd": 0, "area": _area(each)} for each in objects["annotations"]]
    seen = [each | {"id": at, "iscrowd": 0, "area": _area(each)} for at, each in enumerate(found, 1)]
    with contextlib.redirect_stdout(io.StringIO()):
        for held, boxes in ((truth, shown), (said, seen)):
            held.dataset = {**objects, "annotations": boxes}
            held.createIndex()
        judged = COCOeval(truth, said, IOU_TYPES[shape])
        judged.params.iouThrs, judged.params.maxDets = [iou], [MOST]
        judged.params.areaRng, judged.params.areaRngLbl = [[0, float("inf")]], ["all"]
        judged.evaluate()
    by_number = {number: name for name, number in numbers.items()}
    return {
        by_number[int(number)]: float(score)
        for image in judged.evalImgs if image is not None
        for number, score in zip(image["dtMatches"][0], image["dtScores"], strict=True) if number
    }  # fmt: skip


def _area(each: Mapping[str, Any]) -> float:
    """Return an area for the benchmark's ranges of sizes, which are not used here."""
    area = each.get("area")
    return float(area) if _is_number(area) and area else 1.0
