"""``evenhand few-shot``: what few examples teach a head over a backbone, as a record and a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress
from evenhand.cli.flags import PATH, Finite, file_flag
from evenhand.cli.outputs import check_places
from evenhand.cli.roles import file_of, read_table, role_flags
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.cli.transferring import LENGTH, backbone_flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord


class Counts(click.ParamType[tuple[int, ...]]):
    """Whole numbers with commas between."""

    name = "K,K,..."

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Read the numbers, or refuse them."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"'{value}' is no list of whole numbers; write 1,2,4,8.", param, ctx)


@click.command(name="few-shot")
@click.argument("data", type=PATH)
@backbone_flag(required=True)
@click.option("--shots", type=Counts(), default="1,2,4,8,16,32", show_default=True, help="Examples of each class.")
@click.option("--draws", type=int, default=10, show_default=True, help="How often examples are drawn for each.")
@file_flag("--test", help="Rows to ask about; a half of DATA otherwise.")
@role_flags
@click.option("--length", type=click.IntRange(min=0), default=0, help=LENGTH)
@click.option("--level", type=Finite(min=0.5, max=0.999), default=0.95, show_default=True, help="Of intervals.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides the draws.")
@file_flag("--output", "-o", default=Path("few-shot.json"), help="The record; the page is written beside it, as .html.")
@quiet_flag
def command(
    data: Path,
    backbone: Path,
    shots: tuple[int, ...],
    draws: int,
    test: Path | None,
    length: int,
    level: float,
    seed: int,
    output: Path,
    **flags: object,
) -> None:
    """Fit heads over a backbone on few examples of each class of DATA, and say how well they do, and for whom.

    Examples are drawn many times. Accuracy and the greatest difference between groups are stated for each number of
    examples, with intervals over other draws and other rows. The record is one as any other, for a policy and its gate.

    \b
    Examples:
      evenhand few-shot letters.csv --label hired --sensitive sex --texts letter --backbone MiniLM/
      evenhand few-shot people.csv --label hired --images file --inputs faces/ --backbone faces.onnx --shots 1,4,16
    """
    from evenhand.errors import OutputError
    from evenhand.records import write_record
    from evenhand.report import write_report
    from evenhand.studies import few_shot
    from evenhand.training import open_backbone

    page = output.with_suffix(".html")
    if page == output:
        raise OutputError(
            f"{output}: the record is JSON, and its page is written beside it; name it few-shot.json, say."
        )
    check_places([output, page], (data, test, backbone, flags.get("config")))
    train, asked = _parts(data, test, seed, flags)
    with progress("Few-shot") as step:
        step(0, len(shots) + 1, "opening the backbone")
        body = open_backbone(backbone, train, length=length)
        record = few_shot(body, train, asked, shots=shots, draws=draws, level=level, seed=seed, progress=step)
    write_record(output, record)
    write_report(page, record)
    summarize(_lines(record, shots, output, page), ["evenhand", "report", output])


def _parts(data: Path, test: Path | None, seed: int, flags: dict[str, object]) -> tuple[EvaluationSet, EvaluationSet]:
    """Return rows to draw examples from, and rows to ask about."""
    from evenhand.data import read_evaluation_set, split

    table = read_table(data, file_of(flags), flags)
    if test is not None:
        return table, read_evaluation_set(test, like=table)
    halves = split(table, {"train": 0.5, "test": 0.5}, seed=seed)
    return halves["train"], halves["test"]


def _lines(record: AuditRecord, shots: tuple[int, ...], output: Path, page: Path) -> Iterator[str]:
    """Yield what the fewest and the most examples reach, the gaps with the most, and where all of it is."""
    from evenhand.report.numbers import with_interval

    told = {str(f.key): f for f in record.findings}
    for k in dict.fromkeys((shots[0], shots[-1])):
        yield f"{k} of each class: accuracy {with_interval(told[f'accuracy[;at={k};over=draws]'])}"
    for key, found in told.items():
        if found.key.metric == "accuracy_difference" and found.key.qualifier("at") == str(shots[-1]):
            yield f"{shots[-1]} of each class: {key} {with_interval(found)}"
    yield f"Wrote {output} and {page}: {len(record.findings):,} findings"
