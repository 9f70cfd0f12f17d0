"""Which formats go where: ``--format NAME`` and ``--format NAME=FILE``, as often as wanted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict


def check_places(outputs: Iterable[Path | None], inputs: Iterable[object]) -> None:
    """Raise before any work when an output cannot be written, or would replace an input.

    Raises
    ------
    OutputError
        Also where two outputs are one file.
    """
    from evenhand.errors import OutputError
    from evenhand.output.writing import check_writable, is_device

    read = {os.path.realpath(place) for place in inputs if isinstance(place, (str, Path))}
    taken: set[str] = set()
    for place in outputs:
        if place is None:
            continue
        check_writable(place)
        if is_device(place):
            continue
        behind = os.path.realpath(place)
        if behind in read:
            raise OutputError(f"{place}: this file is read, and would be lost. Name another for the output.")
        if behind in taken:
            raise OutputError(f"{place}: two outputs would be written here. Name another for one of them.")
        taken.add(behind)


def wanted_outputs(forms: Sequence[str], output: Path | None, inputs: Iterable[object] = ()) -> dict[str, Path | None]:
    """Return each format with its file, None for stdout, which one of them may have; `inputs` are not replaced.

    Raises
    ------
    InputError
        All that is wrong together: unknown names, two formats for one file or for stdout, a format named twice.
    OutputError
        When one of the files cannot be written to; found before any work is done.
    """
    from evenhand.errors import InputError, raise_all

    pairs = [form.partition("=") for form in forms]
    raise_all(InputError, _problems(pairs, output))
    wanted = {name: Path(file) if file else output for name, _, file in pairs}
    check_places(wanted.values(), inputs)
    return wanted


def _problems(pairs: Sequence[tuple[str, str, str]], output: Path | None) -> Iterator[str]:
    from evenhand.errors import EvenhandError
    from evenhand.output.writing import is_device
    from evenhand.report import FORMATS

    for name, sign, file in pairs:
        try:
            FORMATS.find(name)
        except EvenhandError as unknown:
            yield from unknown.marked
        if sign and not file:
            yield f"--format {name}= names no file. Name one, or write --format {name} for stdout."
    if output is not None and (len(pairs) > 1 or pairs[0][1]):
        yield "--output names the file of one format; name each file with --format NAME=FILE."
    if sum(not sign for _, sign, _ in pairs) > 1:
        yield "Only one format can go to stdout; name files for the others with --format NAME=FILE."
    names = [name for name, _, _ in pairs]
    yield from (f"The format {name} is named twice." for name in dict.fromkeys(names) if names.count(name) > 1)
    yield from _unprintable(pairs, output)
    files = [os.path.realpath(file) for _, _, file in pairs if file and not is_device(Path(file))]
    yield from (f"{file}: two formats would be written here." for file in dict.fromkeys(files) if files.count(file) > 1)


def _unprintable(pairs: Sequence[tuple[str, str, str]], output: Path | None) -> Iterator[str]:
    """Yield the formats that are no text and have no file."""
    from evenhand.report import FORMATS

    for name, sign, _ in pairs:
        if not sign and output is None and name in FORMATS and FORMATS.find(name).of:
            yield f"The format {name} is no text; name its file with --format {name}=FILE."


def put(
    record: AuditRecord,
    verdict: Verdict | None,
    wanted: dict[str, Path | None],
    assets: str = "inline",
    **options: object,
) -> None:
    """Render every format, then write the files, then stdout: nothing is written when one cannot be rendered."""
    from evenhand.output.printing import put_document
    from evenhand.output.writing import write_bytes
    from evenhand.report.rendering import rendered

    page = wanted.get("html")
    if page is not None and assets == "external":
        from evenhand.report.rendering import write_style

        options["stylesheet"] = write_style(page, options.get("template_dir"))  # type: ignore[arg-type]
    made = {name: rendered(record, verdict, name, **options) for name in wanted}
    for name, place in wanted.items():
        if place is not None:
            write_bytes(place, made[name])
    for name, place in wanted.items():
        if place is None:
            put_document(made[name].decode(), commands=name == "github")
