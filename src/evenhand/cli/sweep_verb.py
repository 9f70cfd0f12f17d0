"""``evenhand sweep``: a policy at every threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.cli.outputs import check_places
from evenhand.cli.places import NEAREST, usual_policy
from evenhand.output.printing import put, remark

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.policy.thresholds import Step, Sweep

SIGNS = {"passed": "+", "failed": "x", "undecided": "?"}


@click.command(name="sweep")
@click.argument("record", type=PATH)
@file_flag("--policy", "-p", default=usual_policy, show_default=NEAREST)
@file_flag("--output", "-o", help="Write every threshold to a CSV file.")
def command(record: Path, policy: Path, output: Path | None) -> None:
    """Judge a policy at every threshold that RECORD (audit.json) has counts of, without the model or its data.

    \b
    Example:
      evenhand sweep audit.json --policy policy.toml
    """
    from evenhand.output.writing import write_text
    from evenhand.policy import load_policy
    from evenhand.policy.thresholds import sweep
    from evenhand.records import read_record

    check_places([output], (record, policy))
    found = sweep(read_record(record), load_policy(policy))
    for line in _table(found):
        put(line)
    if output is not None:
        write_text(output, "\n".join(_csv(found)) + "\n")
        remark(f"Wrote {output}: {len(found.steps):,} thresholds")


def _table(found: Sweep, most: int = 24) -> list[str]:
    keys = [str(judgement.key) for judgement in found.steps[0].judgements]
    lines = [f"({letter}) {key}" for letter, key in zip(_letters(len(keys)), keys, strict=True)]
    lines += ["", f"{'threshold':>10} {'accuracy':>9} {'selected':>9}  {' '.join(_letters(len(keys)))}"]
    every = max(1, len(found.steps) // most)
    shown = [step for at, step in enumerate(found.steps) if at % every == 0 or step.in_use]
    lines += [_line(step) for step in shown]
    lines += ["", "+ passed  x failed  ? undecided  < the threshold in use", *_regions(found)]
    if found.left_out:
        lines.append(f"Not about decisions at the threshold in use, so not swept: {', '.join(found.left_out)}.")
    return lines


def _line(step: Step) -> str:
    signs = " ".join(SIGNS[judgement.status] for judgement in step.judgements)
    return f"{step.threshold:>10.4g} {_share(step.accuracy)} {_share(step.selection_rate)}  {signs}{' <' * step.in_use}"


def _share(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:.3f}':>9}"


def _regions(found: Sweep) -> list[str]:
    where = found.regions("passed")
    best = found.operating_point
    if best is None:
        open_ = found.regions("undecided")
        more = f" None fails from {_span(open_)}." if open_ else " At each threshold one fails."
        return [f"At no threshold do all limits hold.{more}"]
    accuracy = "" if best.accuracy is None else f", accuracy {best.accuracy:.3f}"
    return [f"All limits hold from {_span(where)}; most accurate at {best.threshold:.4g}{accuracy}."]


def _span(regions: tuple[tuple[float, float], ...]) -> str:
    return ", and from ".join(f"{low:.4g} to {high:.4g}" for low, high in regions)


def _letters(count: int) -> list[str]:
    return [chr(97 + at) if at < 26 else f"{at}" for at in range(count)]


def _csv(found: Sweep) -> list[str]:
    keys = ['"' + str(judgement.key).replace('"', '""') + '"' for judgement in found.steps[0].judgements]
    lines = [",".join(["threshold", "in_use", "accuracy", "selection_rate", "status", *keys])]
    for step in found.steps:
        cells = [step.threshold, int(step.in_use), step.accuracy, step.selection_rate, step.status]
        lines.append(",".join(map(str, [*cells, *(judgement.status for judgement in step.judgements)])))
    return lines
