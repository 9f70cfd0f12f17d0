"""audit.json: the contract between measuring, judging and drawing.

The document is versioned, validated against its JSON Schema on reading, and carries a digest over everything but what
differs from run to run (times, memory), so that a changed record does not pass for the one that was written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.documents import parse_json, read_bytes, uncollected
from evenhand.errors import RecordError, check_kind, raise_all, shorten
from evenhand.findings import AuditRecord, Deciding, Finding, GroupCounts, GroupValue, Interval, Plain, Section
from evenhand.keys import Key, canonical_key, may_vary
from evenhand.messages import Message, message_from_plain, message_to_plain
from evenhand.migrating import migrated
from evenhand.output.sanitising import plain_json
from evenhand.output.writing import write_text
from evenhand.schemas.following import follows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.messages import PlainMessage
    from evenhand.provenance import Measurements

__all__ = ["digest", "read_record", "write_record"]

NAME: Final = "evenhand-audit"
SCHEMA_VERSION: Final = 2

Document = dict[str, Plain]
Checked = Mapping[str, Any]
"""A part of a document that follows the schema."""


def to_plain(record: AuditRecord) -> Document:
    """Return the record as the plain data that audit.json holds."""
    steady = _steady(record)
    volatile = [_finding(finding) for finding in record.findings if finding.volatile]
    return {
        "schema": NAME,
        "schema_version": SCHEMA_VERSION,
        "digest": _digest(steady),
        **steady,
        "measurements": cast("Plain", {**record.measurements, "findings": volatile}),
    }


def digest(record: AuditRecord) -> str:
    """Return the sha256 over all of a record but its volatile findings and measurements.

    Parameters
    ----------
    record : AuditRecord
        The record.

    Returns
    -------
    str
        64 hexadecimal digits; the same for the same findings, counts and provenance.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0], [1, 1])
    >>> len(digest(record)), digest(record) == digest(eh.audit_predictions([1, 0], [1, 0]))
    (64, False)
    """
    return _digest(_steady(record))


def from_plain(document: Mapping[str, Plain]) -> AuditRecord:
    """Return the record from plain data, which must follow the schema."""
    whole = cast("Checked", document)
    measurements = dict(whole["measurements"])
    volatile = measurements.pop("findings", [])
    findings = [_read_finding(part, False) for part in whole["findings"]]
    return AuditRecord(
        (*findings, *(_read_finding(part, True) for part in volatile)),
        tuple(Section(part["audit"], part["ran"], _read_said(part["reason"])) for part in whole["sections"]),
        tuple(_read_counts(part) for part in whole["tallies"]),
        whole["provenance"],
        cast("Measurements", measurements),
    )


def write_record(path: str | Path, record: AuditRecord) -> None:
    """Write audit.json, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where it is written.
    record : AuditRecord
        The record; its file holds counts and findings, no rows.

    Raises
    ------
    OutputError
        When the place cannot be written to.
    RecordError
        When the record has a number that JSON cannot represent.

    Examples
    --------
    >>> import evenhand as eh
    >>> eh.write_record("audit.json", eh.audit_predictions([1, 0, 1], [1, 0, 0]))
    >>> eh.read_record("audit.json")["recall"].estimate
    0.5
    """
    check_kind("write_record(path, record)", record, AuditRecord, "audit and read_record return", path)
    write_text(path, dump(to_plain(record)))


def dump(document: Mapping[str, Plain]) -> str:
    """Return a document as the text of audit.json: the same text for the same record."""
    # As escapes, what a terminal would obey and halves of surrogate pairs, which are not UTF-8, come back as they were.
    return plain_json(_json(document, indent=1)) + "\n"


def read_record(path: str | Path) -> AuditRecord:
    """Read and check an audit.json.

    Parameters
    ----------
    path : str or Path
        The audit.json.

    Returns
    -------
    AuditRecord

    Raises
    ------
    RecordError
        When the file is missing, is not an audit.json, is of a newer schema, or was changed since it was written; when
        a finding outside the digest is of a metric that does not differ from run to run; when it does not say of which
        rows its findings are.

    Examples
    --------
    >>> import evenhand as eh
    >>> eh.write_record("audit.json", eh.audit_predictions([1, 0, 1], [1, 0, 0]))
    >>> eh.read_record("audit.json")["accuracy"].support
    3
    """
    return parse_record(read_bytes(Path(path), kind=RecordError, make="evenhand audit"), path)


def volatile_problems(record: AuditRecord) -> Iterator[str]:
    """Yield what is wrong with the findings outside the digest: only times, memory and energy may be there, once."""
    measured = [finding for finding in record.findings if finding.volatile]
    if not measured:
        return
    seen = {canonical_key(finding.key) for finding in record.findings if not finding.volatile}
    for finding in measured:
        key = canonical_key(finding.key)
        if not may_vary(key.metric):
            yield (
                f"'{shorten(finding.name)}' is among the measurements, which the digest does not cover; only times, "
                "memory and energy may be there. Audit again, or restore the file."
            )
        elif key in seen:
            yield f"'{shorten(finding.name)}' is there twice, once among the measurements. Audit again."
        seen.add(key)


def origin_problems(record: AuditRecord) -> Iterator[str]:
    """Yield what is wrong with a record in a file that does not say which rows it is of, as every audit does.

    Its findings could not be told from invented ones. In Python, records are made by hand, too.
    """
    if record.findings and "data" not in record.provenance:
        yield (
            "it has findings, and does not say of which rows ('data' in its provenance), so nothing shows that an "
            "audit made them. Audit again, or restore the file."
        )


def open_record(path: str | Path) -> AuditRecord:
    """Read an audit.json as `read_record` does, without a look at what its digest does not cover."""
    return _record(read_bytes(Path(path), kind=RecordError, make="evenhand audit"), path)


def parse_record(raw: bytes, path: str | Path) -> AuditRecord:
    """Return the record that the bytes of an audit.json hold; `path` names them in errors.

    Raises
    ------
    RecordError
        As `read_record`, but for a file that is missing.
    """
    record = _record(raw, path)
    raise_all(RecordError, (f"{path}: {problem}" for problem in (*volatile_problems(record), *origin_problems(record))))
    return record


def _record(raw: bytes, path: str | Path) -> AuditRecord:
    place = Path(path)
    document = _parse(raw, place)
    _check_written(place, document)  # before anything is migrated
    document = migrated(document, SCHEMA_VERSION)
    try:
        with uncollected():
            _check_schema(place, document)
            return from_plain(document)
    except (ValueError, RecursionError) as wrong:
        raise RecordError(f"{place}: holds a message that cannot be said: {shorten(wrong, 160)}") from None


_STEADY: Final = ("findings", "sections", "tallies", "provenance")


def _steady(record: AuditRecord) -> Document:
    return {
        "findings": [_finding(finding) for finding in record.findings if not finding.volatile],
        "sections": [
            {"audit": section.audit, "ran": section.ran, "reason": _said(section.reason)} for section in record.sections
        ],
        "tallies": [_counts(counts) for counts in record.tallies],
        "provenance": cast("Plain", record.provenance),
    }


def _digest(steady: Mapping[str, Plain]) -> str:
    return hashlib.sha256(_json(steady, separators=(",", ":")).encode("utf-8", "surrogatepass")).hexdigest()


def _json(document: Mapping[str, Plain], **form: Any) -> str:
    try:
        return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, **form)
    except ValueError:
        raise RecordError("The record holds a number that is not finite, which JSON cannot say.") from None


def _finding(finding: Finding) -> Document:
    """Return a finding as plain data, without empty fields."""
    document: Document = {
        "key": finding.name,
        "audit": finding.audit,
        "estimate": finding.estimate,
        "support": finding.support,
        "direction": finding.direction,
        "unit": finding.unit,
    }
    for name, plain in _OPTIONAL.items():
        value = getattr(finding, name)
        if value:  # records and numbers are true; what is empty or None is left out
            document[name] = plain(value)
    return document


def _interval(interval: Interval) -> Document:
    return {"low": interval.low, "high": interval.high, "level": interval.level, "method": interval.method}


def _groups(groups: Sequence[GroupValue]) -> list[Plain]:
    return [
        {"group": part.group, "estimate": part.estimate, "support": part.support, "rows": part.rows} for part in groups
    ]


def _decides(deciding: Deciding) -> Document:
    return {"low": _groups(deciding.low), "high": _groups(deciding.high)}


def _said(text: str) -> Plain:
    return cast("Plain", message_to_plain(text)) if isinstance(text, Message) else text


_OPTIONAL: Final[Mapping[str, Callable[..., Plain]]] = {
    "interval": _interval, "groups": _groups, "component": str, "unadjusted": _interval, "critical": list,
    "deciding": _decides, "uncovered": _said, "undefined": _said, "undefined_groups": list, "note": _said,
    "withheld": bool,
}  # fmt: skip
"""By name what of a finding is left out where it is empty, and what makes plain data of it."""


def _counts(counts: GroupCounts) -> Document:
    document: Document = {
        "model": counts.model,
        "columns": list(counts.columns),
        "groups": [list(group) for group in counts.groups],
        "axes": list(counts.axes),
        "counts": counts.counts,
    }
    if counts.weights is not None:
        document |= {"weights": counts.weights, "squared_weights": counts.squared_weights}
    if counts.clusters is not None:
        document |= {"clusters": counts.clusters} | ({} if counts.moments is None else {"moments": counts.moments})
    return document


def _read_finding(values: Checked, volatile: bool) -> Finding:
    critical, deciding = values.get("critical"), values.get("deciding")
    return Finding(
        key=Key.parse(values["key"]),
        audit=values["audit"],
        estimate=_real(values["estimate"]),
        interval=_read_interval(values.get("interval")),
        support=values["support"],
        direction=values["direction"],
        unit=values["unit"],
        groups=_read_groups(values.get("groups", [])),
        component=values.get("component", ""),
        unadjusted=_read_interval(values.get("unadjusted")),
        critical=None if critical is None else (float(critical[0]), float(critical[1])),
        deciding=None if deciding is None else Deciding(*(_read_groups(deciding[end]) for end in ("low", "high"))),
        uncovered=_read_said(values.get("uncovered", "")),
        undefined=_read_said(values.get("undefined", "")),
        undefined_groups=tuple(values.get("undefined_groups", [])),
        note=_read_said(values.get("note", "")),
        withheld=bool(values.get("withheld")),
        volatile=volatile,
    )


def _read_groups(parts: Sequence[Checked]) -> tuple[GroupValue, ...]:
    return tuple(GroupValue(part["group"], _real(part["estimate"]), part["support"], part["rows"]) for part in parts)


def _read_said(part: PlainMessage) -> str:
    return part if isinstance(part, str) else cast("str", message_from_plain(part))


def _read_interval(part: Checked | None) -> Interval | None:
    if part is None:
        return None
    return Interval(_real(part["low"]), _real(part["high"]), part["level"], part["method"])


def _real(value: float | None) -> float | None:
    return None if value is None else float(value)


def _read_counts(part: Checked) -> GroupCounts:
    return GroupCounts(
        part["model"],
        tuple(part["columns"]),
        tuple(tuple(group) for group in part["groups"]),
        tuple(part["axes"]),
        part["counts"],
        part.get("weights"),
        part.get("squared_weights"),
        part.get("moments"),
        part.get("clusters"),
    )


def _parse(raw: bytes, place: Path) -> Mapping[str, Plain]:
    if raw.lstrip()[:1] not in (b"{", b""):
        raise RecordError(f"{place}: this is no audit.json, which begins with a brace. Make one with: evenhand audit")
    document = parse_json(raw, place, kind=RecordError)
    if not isinstance(document, dict) or document.get("schema") != NAME:
        raise RecordError(f"{place}: this is JSON, but no audit.json of evenhand. Make one with: evenhand audit")
    return document


def _check_written(place: Path, document: Mapping[str, Plain]) -> None:
    """Refuse a document of a newer evenhand, and one whose digest does not match."""
    version = document.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RecordError(
            f"{place}: was written by a newer evenhand (schema {version}; this one reads up to {SCHEMA_VERSION}). "
            "Upgrade with: pip install -U evenhand"
        )
    if not isinstance(version, int) or not {*_STEADY, "digest"} <= document.keys():
        _check_schema(place, document)  # raises with the details
        return
    if _digest({name: document[name] for name in _STEADY}) != document["digest"]:
        if version == SCHEMA_VERSION:
            _check_schema(place, document)  # the error names the place of a broken part
        raise RecordError(
            f"{place}: changed since evenhand wrote it (its digest differs). Audit again, or restore the file."
        )


def _check_schema(place: Path, document: Mapping[str, Plain]) -> None:
    from importlib.resources import files

    schema = json.loads(files("evenhand.schemas").joinpath(f"audit-{SCHEMA_VERSION}.json").read_text("utf-8"))
    if follows(document, schema):
        return
    import jsonschema

    wrong = jsonschema.Draft202012Validator(schema).iter_errors(document)
    first = next(iter(wrong), None)
    if first is not None:
        where = "/" + "/".join(map(str, first.absolute_path))
        raise RecordError(f"{place}: breaks the schema of audit.json at {where}: {shorten(first.message, 160)}")
