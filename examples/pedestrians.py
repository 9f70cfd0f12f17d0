"""Whom a detector of pedestrians misses, and whom its int8 twin misses besides: made tables with known causes.

No image is read and no detector is run: truth and detections are made by `streets` and `detections`, from the chances
that are written below, so that what the audit finds can be held against what was put there.
Run it with: python examples/pedestrians.py [folder]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import evenhand as eh
from evenhand.data import detection_rows

FOUND = {("adult", "day"): 0.94, ("adult", "night"): 0.90, ("child", "day"): 0.92, ("child", "night"): 0.66}
"""The chance that the detector finds somebody who is not hidden: children at night are missed."""
HIDDEN = 0.12
"""By how much that chance is lower for whom something hides in part, whoever it is."""
LOST = {("child", "night"): 0.15}
"""The share of those found that the int8 twin loses; of all others it loses ELSE."""
ELSE = 0.01
ATTRIBUTES = ("age", "skin", "light", "occlusion")
IMAGES = 1_200
POLICY = """
# Who is missed can be run over: of each group 80 of 100 are to be found, of children at night, too.
[limits."recall[age=*,light=*]"]
at_least = 0.8

# By skin no more than 5 of 100 may lie between the groups.
[limits."recall_difference[skin]"]
at_most = 0.05

[limits."recall_difference[age]"]
at_most = 0.05

[limits."recall_difference[light]"]
at_most = 0.05

# A smaller model is to lose at most 3 of 100 of those whom the original finds, of each group.
[limits."recall_change[age=*,light=*;of=original]"]
at_least = -0.03

[limits."recall_change[skin=*;of=original]"]
at_least = -0.03
"""


def streets(rng: np.random.Generator) -> dict[str, Any]:
    """Return images of streets with one to five people each, in COCO's format; an image is by day or at night."""
    images = [{"id": at, "width": 640, "height": 360} for at in range(1, IMAGES + 1)]
    people: list[dict[str, Any]] = []
    for image in images:
        light = "night" if rng.random() < 0.4 else "day"
        for place in range(rng.integers(1, 6)):
            age = "child" if rng.random() < 0.3 else "adult"
            height = int(rng.integers(40, 70) if age == "child" else rng.integers(60, 110))
            seen = {
                "age": age, "skin": "dark" if rng.random() < 0.4 else "light", "light": light,
                "occlusion": "partly" if rng.random() < 0.3 else "none",
            }  # fmt: skip
            box = [120 * place + int(rng.integers(0, 40)), int(rng.integers(100, 200)), height // 2, height]
            people.append(
                {"id": len(people) + 1, "image_id": image["id"], "category_id": 1, "bbox": box, "attributes": seen}
            )
    return {"images": images, "categories": [{"id": 1, "name": "person"}], "annotations": people}


def detections(truth: dict[str, Any], rng: np.random.Generator) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the detector finds, and what its int8 twin does; some images are clearer than others."""
    clear = {image["id"]: rng.uniform(-0.05, 0.05) for image in truth["images"]}
    full, small = [], []
    for person in truth["annotations"]:
        seen = person["attributes"]
        group = (seen["age"], seen["light"])
        chance = FOUND[group] - HIDDEN * (seen["occlusion"] == "partly") + clear[person["image_id"]]
        if rng.random() < chance:
            full.append(_box(person, rng, 0.1))
            if rng.random() >= LOST.get(group, ELSE):
                small.append(_box(person, rng, 0.1))
        elif rng.random() < 0.3:  # something is seen, but too far off to count
            full.append(_box(person, rng, 0.1, aside=0.7))
    return full, small


def _box(person: dict[str, Any], rng: np.random.Generator, noise: float, aside: float = 0.0) -> dict[str, Any]:
    """Return a detection whose box lies about that of the person, or aside by a part of its width."""
    x, y, width, height = person["bbox"]
    moved = [round(float(x + width * (aside + rng.uniform(-noise, noise))), 1), y, width, height]
    score = round(float(rng.uniform(0.5, 1.0)), 3)
    return {"image_id": person["image_id"], "category_id": 1, "bbox": moved, "score": score}


def said(record: eh.AuditRecord, key: str) -> str:
    """Return an estimate with its interval."""
    found = record[key]
    assert found.estimate is not None
    assert found.interval is not None
    return f"{found.estimate:+.3f} [{found.interval.low:+.3f}, {found.interval.high:+.3f}]"


def audited(seed: int = 0) -> tuple[eh.AuditRecord, dict[str, object]]:
    """Make the tables, match them, and audit the twin beside the detector, each image a cluster."""
    rng = np.random.default_rng(seed)
    truth = streets(rng)
    full, small = detections(truth, rng)
    rows = detection_rows(truth, small, original=full)
    record = eh.audit_predictions(
        rows["object"], rows["detected"], original_pred=rows["original_detected"], task="binary",
        sensitive_features=rows[list(ATTRIBUTES)], cluster=rows["image"], name="pedestrians, int8",
    )  # fmt: skip
    return record, {"truth": truth, "found": full, "found_int8": small}


def main(folder: Path) -> None:
    """Write the tables, the record, the policy and the page, and print what was planted beside what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    record, tables = audited()
    for name, table in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(table), encoding="utf-8")
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, eh.judge(record, folder / "policy.toml"))

    print(f"Made: {record['recall'].support:,} people in {IMAGES:,} images")
    print("Recall of the int8 twin, and what compression did to it, beside what was planted")
    for (age, light), chance in FOUND.items():
        group, lost = f"age={age},light={light}", LOST.get((age, light), ELSE)
        before = chance - 0.3 * HIDDEN
        print(f"  {age} by {light:6} {said(record, f'recall[{group}]')}, planted {before * (1 - lost):.3f}; ", end="")
        print(f"change {said(record, f'recall_change[{group};of=original]')}, planted {-before * lost:+.3f}")
    print("Differences in recall")
    for name in ATTRIBUTES:
        planted = ", none planted" if name == "skin" else ""
        print(f"  by {name:10} {said(record, f'recall_difference[{name}]')}{planted}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
