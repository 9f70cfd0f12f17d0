"""``evenhand detections``: what a detector found and what it missed, as rows to audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, Finite, file_flag
from evenhand.cli.outputs import check_places
from evenhand.cli.summary import quiet_flag, summarize

if TYPE_CHECKING:
    from evenhand.data.detections import Shape

ROLES = ("--label", "object", "--task", "binary", "--prediction", "detected", "--cluster", "image")


@click.command(name="detections")
@click.argument("truth", type=PATH)
@click.argument("found", type=PATH)
@file_flag("--original", help="Detections of the model before compression.")
@click.option("--attribute", "attributes", multiple=True, help="Attribute of persons or images; all when not given.")
@click.option("--iou", type=Finite(min=0, max=1), default=0.5, show_default=True, help="Least overlap of a match.")
@click.option("--threshold", type=Finite(), default=0.0, show_default=True, help="Least score of a detection.")
@click.option("--shape", type=click.Choice(["boxes", "masks"]), default="boxes", show_default=True)
@file_flag("--output", "-o", default=Path("objects.parquet"))
@quiet_flag
def command(
    truth: Path,
    found: Path,
    original: Path | None,
    attributes: tuple[str, ...],
    iou: float,
    threshold: float,
    shape: Shape,
    output: Path,
) -> None:
    """Match FOUND, detections, with TRUTH, objects, both in COCO's JSON, and write one row for each object.

    \b
    Example:
      evenhand detections people.json found.json --attribute skin -o objects.parquet
      evenhand audit objects.parquet --label object --task binary --prediction detected --sensitive skin \\
        --cluster image
    """
    from evenhand.data.detections import OWN, detection_rows
    from evenhand.errors import OutputError, need
    from evenhand.output.writing import write_bytes

    if output.suffix != ".parquet":
        raise OutputError(f"{output}: objects are written as .parquet; name it {output.with_suffix('.parquet')}.")
    need("pyarrow", "data")
    check_places([output], (truth, found, original))
    rows = detection_rows(
        truth, found, original=original, attributes=attributes or None, iou=iou, threshold=threshold, shape=shape
    )
    write_bytes(output, rows.to_parquet(index=False))
    groups = [word for name in rows if name not in OWN for word in ("--sensitive", name)]
    earlier = ["--original-prediction", "original_detected"] if original is not None else []
    summarize(
        [f"Wrote {output}: {len(rows):,} objects, {int(rows['detected'].sum()):,} detected"],
        ["evenhand", "audit", output, *ROLES, *earlier, *groups],
    )
