"""What files beside a model say of it: the schema of an export, and the record of a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from evenhand.findings import Plain
    from evenhand.serving.predicting.columns import InputColumn

SCHEMA: Final = "schema.json"
"""What `evenhand export` writes beside a model, of its inputs and outputs."""
RECORD: Final = "audit.json"
"""What `evenhand promote` keeps beside a model."""


def columns_beside(file: Path, schema: Path | None) -> Sequence[InputColumn]:
    """Return the columns of the schema that is named, or stands beside a model; none where there is neither.

    Raises
    ------
    InputError
        With every problem of the schema.
    """
    from evenhand.serving.predicting.columns import read_columns

    beside = file.parent / SCHEMA
    return read_columns(schema or beside) if schema is not None or beside.is_file() else ()


def classes_beside(file: Path, sha256: str) -> tuple[str, ...]:
    """Return the label's negative and positive value, or its classes, as the record of this very model has them.

    Parameters
    ----------
    file : Path
        The model's file.
    sha256 : str
        Its hash; a record of another model is passed over.
    """
    from evenhand.records import read_record

    place = file.parent / RECORD
    if not place.is_file():
        return ()
    provenance = cast("Mapping[str, Mapping[str, Plain]]", read_record(place).provenance)
    data = provenance.get("data", {})
    if provenance.get("subject", {}).get("sha256") != sha256:
        return ()
    if several := cast("list[str] | None", data.get("classes")):
        return tuple(map(str, several))
    words = data.get("negative"), data.get("positive")
    return () if None in words else tuple(map(str, words))
