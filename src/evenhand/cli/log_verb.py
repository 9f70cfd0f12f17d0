"""``evenhand log``: look through, export, prune and erase the log of a served model, and add feedback to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.cli.log_keys import encryption_key_flag, hash_key_flag, key_of_hashes, keyring
from evenhand.output.printing import put, remark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from evenhand.monitoring.log.checking import LogState

AT_ONCE: Final = 10_000
"""Events of a file that are stored by one transaction."""


@click.group(name="log")
def command() -> None:
    """Look through, export, prune and erase the log of a served model, and add feedback to it.

    PLACE is an SQLite file, or postgresql://USER@HOST/DATABASE.

    \b
    Exit codes: 0 done, 2 could not run.
    Example: evenhand log check log.db
    """


@command.command(name="table")
@click.argument("place")
@file_flag("--output", "-o", required=True, help="Write the table here: .parquet, .csv or .jsonl.")
@click.option("--after", metavar="TIME", help="Only predictions made at this time or later, such as 2027-01-31.")
@click.option("--before", metavar="TIME", help="Only predictions made earlier than this.")
@encryption_key_flag
def table(place: str, output: Path, after: str | None, before: str | None, encryption_key: str | None) -> None:
    """Write the predictions of PLACE with their labels as a table, a prediction a row.

    \b
    Example: evenhand log table log.db --after 2027-01-01 -o january.parquet
    """
    from evenhand.cli.outputs import check_places
    from evenhand.errors import OutputError, shorten
    from evenhand.monitoring.log.reading import log_table
    from evenhand.output.writing import write_bytes

    check_places([output], ())
    if output.suffix.lower() not in (".parquet", ".csv", ".jsonl"):
        raise OutputError(f"{shorten(output)}: a table is written as .parquet, .csv or .jsonl.")
    found = log_table(place, after=after, before=before, encryption_key=keyring(encryption_key))
    write_bytes(output, _written(found, output.suffix.lower()), private=True)
    remark(f"Wrote {len(found):,} predictions to {output}")


@command.command(name="check")
@click.argument("place")
@encryption_key_flag
def check(place: str, encryption_key: str | None) -> None:
    """Look every row of PLACE through: damage, counts, feedback without predictions, clocks that went back.

    \b
    Exit codes: 0 whole, 2 damaged, or could not run.
    Example: evenhand log check log.db
    """
    _need()
    from evenhand.monitoring.log.checking import check_log

    for line in _said(check_log(place, encryption_key=keyring(encryption_key))):
        put(line)


@command.command(name="feedback")
@click.argument("place")
@click.argument("file", type=PATH)
@encryption_key_flag
def feedback(place: str, file: Path, encryption_key: str | None) -> None:
    """Store the events of FILE in PLACE: columns id, prediction, kind, value, time and source; a known one once.

    Kinds are label, rating, complaint and appeal (open, won, lost). FILE is .csv, .jsonl or .parquet.

    \b
    Example: evenhand log feedback log.db outcomes.csv
    """
    _need()
    from evenhand.monitoring.log.places import place_of, refuse_absent
    from evenhand.monitoring.log.told import read_feedback
    from evenhand.serving.journal.opening import open_journal

    events = read_feedback(file)
    refuse_absent(place_of(place))
    journal = open_journal(place, encryption_key=keyring(encryption_key))
    try:
        stored = [how for at in range(0, len(events), AT_ONCE) for how in journal.tell(events[at : at + AT_ONCE])]
    finally:
        journal.close()
    put(
        f"{stored.count('stored'):,} stored, {stored.count('known'):,} known before, "
        f"{stored.count('orphan'):,} stored of predictions that are not there."
    )


@command.command(name="prune")
@click.argument("place")
@click.option("--keep-days", type=click.FloatRange(0), required=True, help="Days that are kept.")
def prune(place: str, keep_days: float) -> None:
    """Remove predictions older than some days with their feedback, and give their pages back.

    \b
    Example: evenhand log prune log.db --keep-days 90
    """
    _need()
    from evenhand.monitoring.log.erasing import prune as remove

    gone = remove(place, keep_days)
    put(f"{gone.predictions:,} predictions and {gone.feedback:,} events were removed. {gone.proven}")


@command.command(name="erase")
@click.argument("place")
@click.argument("id")
@hash_key_flag
def erase(place: str, id: str, hash_key: str | None) -> None:
    """Erase all rows of the prediction ID, with --hash-key of a person, and prove that no byte is left in the files.

    A hash that is in no other table stays, with the time and the numbers of rows. What evenhand monitor keeps are sums
    over people; they stay.

    \b
    Example: evenhand log erase log.db 4711 --hash-key person.key
    """
    _need()
    from evenhand.monitoring.log.erasing import erase as remove

    gone = remove(place, id, hash_key=key_of_hashes(hash_key))
    put(f"{gone.predictions:,} predictions and {gone.feedback:,} events were erased. {gone.proven}")


@command.command(name="key")
@click.argument("name")
@file_flag("--output", "-o", required=True, help="The file of keys; a new key is put first, the others stay.")
def key(name: str, output: Path) -> None:
    """Make an encryption key called NAME. Rows are written with the first key of the file, and read with any.

    \b
    Example: evenhand log key 2027 -o log.keys
    """
    from evenhand.errors import InputError, quoted
    from evenhand.monitoring.log.sealing import new_key_line, read_keyring
    from evenhand.output.writing import write_bytes

    if not name or name.split() != [name] or name.startswith("#"):
        raise InputError(f"{quoted(name)} is no name of a key: it is one word.")
    earlier = ""
    if output.exists():
        if name in read_keyring(output).keys:
            raise InputError(f"{output}: it has a key {quoted(name)}. Give the new one another name.")
        earlier = output.read_text("utf-8")
    write_bytes(output, (new_key_line(name) + earlier).encode(), private=True)
    put(f"Wrote key {name} to {output}. Without it nobody reads what is encrypted with it: keep a copy elsewhere.")


def _need() -> None:
    from evenhand.errors import need

    need("sqlalchemy", "serve")


def _written(frame: pd.DataFrame, ending: str) -> bytes:
    """Return a table as a file; a column of texts and numbers is one of texts in Parquet, which has one type each."""
    import io

    if ending == ".csv":
        return frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S.%f%z").encode()
    if ending == ".jsonl":
        return frame.to_json(orient="records", lines=True, date_format="iso", date_unit="us").encode()
    from evenhand.errors import need

    need("pyarrow", "data")
    held, buffer = frame.copy(), io.BytesIO()
    for name in held.columns:
        if held[name].dtype.kind == "O" and held[name].dropna().map(type).nunique() > 1:
            held[name] = held[name].map(str, na_action="ignore")
    held.attrs = {}
    held.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _said(state: LogState) -> Iterator[str]:
    span = f", from {state.first} to {state.last}" if state.predictions else ""
    yield f"{state.predictions:,} predictions{span}; {state.labelled:,} have a label."
    for kind, number in sorted(state.feedback.items()):
        yield f"  {number:,} of kind {kind}"
    if state.orphans:
        yield f"{state.orphans:,} events are of predictions that are not there; they count when these arrive."
    if state.relabelled:
        yield f"{state.relabelled:,} predictions have labels that differ; the latest counts."
    if state.early:
        yield f"{state.early:,} events happened before their prediction: a clock is wrong."
    if state.clock_back:
        yield f"The clock of a server went back {state.clock_back:,} times; rows keep the order of receipt."
    if state.erased:
        yield f"{state.erased:,} predictions and persons were erased."
    for name, number in state.sealed_by.items():
        yield f"{number:,} rows are encrypted with key {name}."
    if state.sealed_by and state.clear:
        yield "1 row is in the clear." if state.clear == 1 else f"{state.clear:,} rows are in the clear."
