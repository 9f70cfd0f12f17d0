"""baseline.json: the counts of an audit in a file, without rows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.data.roles import Roles
from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, check_kind
from evenhand.monitoring.baseline import Baseline, with_hash
from evenhand.monitoring.columns import Column
from evenhand.records import from_plain, to_plain
from evenhand.sealed import digest_of, json_text, write_sealed

if TYPE_CHECKING:
    from evenhand.findings import Plain

NAME: Final = "evenhand-baseline"
SCHEMA_VERSION: Final = 1


def write_baseline(path: str | Path, baseline: Baseline) -> None:
    """Write baseline.json, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where it is written.
    baseline : Baseline
        What `make_baseline` returned.

    Raises
    ------
    OutputError
        When the place cannot be written to.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.monitoring import make_baseline
    >>> rows = {"score": [0.2, 0.8] * 100, "paid": [0, 1] * 100, "sex": ["f", "m"] * 100}
    >>> data = eh.read_evaluation_set(rows, label="paid", sensitive_features="sex", score="score")
    >>> record = eh.audit_predictions(rows["paid"], y_score=rows["score"], sensitive_features={"sex": rows["sex"]})
    >>> baseline = make_baseline(data, record)
    >>> write_baseline("baseline.json", baseline)
    >>> read_baseline("baseline.json").rows
    200
    """
    check_kind("write_baseline(path, baseline)", baseline, Baseline, "make_baseline and read_baseline return", path)
    write_sealed(path, _to_plain(baseline), indent=1)


def read_baseline(path: str | Path) -> Baseline:
    """Read a baseline.json.

    Parameters
    ----------
    path : str or Path
        The file that `write_baseline` wrote.

    Returns
    -------
    Baseline

    Raises
    ------
    InputError
        When it is missing, no baseline, or was changed since it was written.

    Examples
    --------
    >>> read_baseline("nowhere.json")
    Traceback (most recent call last):
    ...
    evenhand.errors.InputError: nowhere.json: there is no such file. Make one with: evenhand baseline
    """
    place = Path(path)
    document = parse_json(read_bytes(place, kind=InputError, make="evenhand baseline"), place, kind=InputError)
    if not isinstance(document, dict) or document.get("schema") != NAME:
        raise InputError(f"{place}: this is no baseline of evenhand. Make one with: evenhand baseline")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{place}: the baseline is of another version of evenhand ({document.get('schema_version')}).")
    told = document.pop("digest", None)
    if digest_of(document) != told:
        raise InputError(
            f"{place}: changed since evenhand wrote it (its digest differs). Make it again, or restore it."
        )
    return with_hash(_from_plain(cast("dict[str, Any]", document)), cast("str", told))


def hashed(baseline: Baseline) -> Baseline:
    """Return a baseline with the hash that its file would have."""
    return with_hash(baseline, digest_of(_to_plain(baseline)))


def _to_plain(baseline: Baseline) -> dict[str, Plain]:
    record = to_plain(baseline.record)
    roles = {name: value for name, value in asdict(baseline.roles).items() if value not in (None, (), {})}
    columns = [{"name": one.name, "type": one.kind, "whole": one.whole} for one in baseline.columns]
    document: dict[str, Any] = {
        "schema": NAME, "schema_version": SCHEMA_VERSION,
        "audit": baseline.audit, "model": baseline.model,
        "columns_sha256": hashlib.sha256(json_text({"columns": columns}).encode()).hexdigest(),
        "record": record, "roles": roles, "classes": list(baseline.classes),
        "columns": [asdict(column) for column in baseline.columns],
        "score": None if baseline.score is None else asdict(baseline.score),
        "calibration": [list(part) for part in baseline.calibration], "threshold": baseline.threshold,
        "bins": {name: list(edges) for name, edges in baseline.bins.items()},
    }  # fmt: skip
    return cast("dict[str, Plain]", json.loads(json_text(document)))


def _from_plain(document: dict[str, Any]) -> Baseline:
    roles: dict[str, Any] = {name: _frozen(value) for name, value in document["roles"].items()}
    return Baseline(
        from_plain(document["record"]),
        Roles(**roles),
        tuple(document["classes"]),
        tuple(_column(part) for part in document["columns"]),
        None if document["score"] is None else _column(document["score"]),
        tuple((int(n), int(k)) for n, k in document["calibration"]),
        document["threshold"],
        document["bins"],
        audit=document["audit"],
        model=document["model"],
    )


def _column(part: dict[str, Any]) -> Column:
    fields: dict[str, Any] = {name: _frozen(value) for name, value in part.items()}
    return Column(**fields)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
