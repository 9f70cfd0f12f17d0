"""``evenhand export``: a model as a folder that can be deployed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from evenhand.cli.flags import PATH, Finite, file_flag, opening, opening_flags, refuse_idle
from evenhand.cli.roles import file_of, read_table, role_flags
from evenhand.cli.summary import quiet_flag, summarize

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.compression import Exported
    from evenhand.compression.deploying.files import ExportFormat

UNITS: Final = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
"""Bytes of each unit of memory."""


class Size(click.ParamType[int]):
    """Bytes as people write them: ``8MB``, ``512KiB``."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size, or refuse it."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?I?B)?", str(value).strip().upper())
        if found is None or (found[2] or "") not in UNITS or float(found[1]) <= 0:
            self.fail(f"'{value}' is no size; write 8MB, 512KiB or a number of bytes.", param, ctx)
        return int(float(found[1]) * UNITS[found[2] or ""])


@click.command(name="export")
@click.argument("model", type=PATH)
@file_flag("--output", "-o", required=True, help="New folder for the model and what belongs to it.")
@click.option(
    "--format", "-f", "form", type=click.Choice(["onnx", "ort", "torch-export", "executorch"]), default="onnx",
    show_default=True, help="ONNX; ONNX Runtime's format for small devices; a program of torch.export or ExecuTorch.",
)  # fmt: skip
@file_flag("--audit", help="The record of its audit; its card is written, too.")
@file_flag("--data", help="Rows of the audit: model and file must answer alike on all of them.")
@file_flag("--train", help="Training rows, whose ranges the schema states.")
@click.option(
    "--tolerance", type=Finite(0, 1), default=1e-6, show_default=True,
    help="By how much scores may differ by rounding; decisions must not.",
)  # fmt: skip
@click.option("--memory", is_flag=True, help="Measure the memory of the exported file, in a process of its own.")
@click.option("--memory-cap", type=Size(), help="Export nothing that takes more than this: 8MB.")
@role_flags
@opening_flags
@quiet_flag
def command(
    model: Path,
    output: Path,
    form: ExportFormat,
    audit: Path | None,
    data: Path | None,
    train: Path | None,
    tolerance: float,
    memory: bool,
    memory_cap: int | None,
    **flags: object,
) -> None:
    """Export MODEL with its preprocessing inside the file, checked row by row, with its card, record and schema.

    Nothing is written when a decision differs, the record is of another model, or more memory is taken than allowed.

    \b
    Examples:
      evenhand export credit.safetensors --audit audit.json --data test.parquet -o exported
      evenhand export credit.safetensors --format ort --memory-cap 16MB -o device
    """
    from evenhand.compression import export_model, open_model
    from evenhand.output.folders import check_new_folder
    from evenhand.records import read_record

    refuse_idle("--data", data, "tolerance")
    check_new_folder(output)
    record = None if audit is None else read_record(audit)
    settings, how = file_of(flags), opening(flags)
    opened = open_model(model, **{**how, "isolate": False} if how["isolate"] is None else how)  # type: ignore[arg-type]
    rows, fitted = (None if place is None else read_table(place, settings, dict(flags)) for place in (data, train))
    made = export_model(
        opened, form, rows=rows, train=fitted, record=record, tolerance=tolerance, measure=memory,
        memory_cap=memory_cap,
    )  # fmt: skip
    made.save(output, {} if audit is None else _beside(audit, record))
    summarize(_lines(made, output))


def _beside(audit: Path, record: Any) -> dict[str, bytes]:
    """Return the record, its card, and its signature where there is one."""
    from evenhand.report import render

    signature = audit.with_name(f"{audit.name}.sig")
    signed = {"audit.json.sig": signature.read_bytes()} if signature.is_file() else {}
    return {"audit.json": audit.read_bytes(), "card.md": render(record, None, "model-card").encode(), **signed}


def _lines(made: Exported, output: Path) -> list[str]:
    lines = [f"Wrote {output}: {made.file}, {len(made.files[made.file]):,} bytes, and what belongs to it"]
    if made.compared is None:
        lines.append("Not compared with the model: give rows with --data to prove that it answers alike")
    else:
        lines.append(
            f"All {made.compared.rows:,} rows are decided alike; scores differ by {made.compared.largest:.1g} at most"
        )
    if made.memory is not None:
        lines.append(
            f"Memory: {made.memory.model_bytes:,} bytes for the model and {made.memory.rows:,} rows, "
            f"{made.memory.peak_bytes:,} with interpreter and runtime"
        )
    return lines
