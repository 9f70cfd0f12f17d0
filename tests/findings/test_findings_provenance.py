"""What a record says of where it comes from is of the types it is declared with, and checked where it is read."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand import provenance
from evenhand.errors import RecordError
from evenhand.records import digest, dump, from_plain, to_plain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def record() -> eh.AuditRecord:
    made = eh.audit_predictions(
        [1, 0, 1, 0] * 20, y_score=[0.9, 0.2, 0.4, 0.6] * 20, sensitive_features={"sex": ["f", "m"] * 40}
    )
    return eh.with_declarations(made, {"owner": "me"})


def test_the_schema_names_what_the_types_name() -> None:
    schema = json.loads(files("evenhand.schemas").joinpath("audit-2.json").read_text("utf-8"))
    blocks = schema["$defs"]["provenance"]["properties"]
    assert set(blocks) == set(provenance.Provenance.__annotations__)
    assert set(schema["$defs"]["subject"]["properties"]) == set(provenance.SubjectFacts.__annotations__)
    known = set(provenance.DataFacts.__annotations__) - {"positive", "favourable"}  # of any type
    assert set(schema["$defs"]["data"]["properties"]) == known


def test_what_an_audit_says_is_of_the_declared_types(record: eh.AuditRecord, tmp_path: Path) -> None:
    eh.write_record(tmp_path / "audit.json", record)
    again = eh.read_record(tmp_path / "audit.json")
    assert again.provenance == record.provenance
    assert digest(again) == digest(record)
    assert set(record.provenance) <= set(provenance.Provenance.__annotations__)


@pytest.mark.parametrize(
    ("block", "wrong"),
    [("subject", []), ("data", {"rows": "many"}), ("declared", {"owner": 3}), ("score_edges", 0.5), ("policy", {})],
)
def test_a_record_of_other_types_is_refused_with_the_place(
    record: eh.AuditRecord, tmp_path: Path, block: str, wrong: object
) -> None:
    document = to_plain(record)
    document["provenance"] = {**document["provenance"], block: wrong}  # type: ignore[dict-item]
    document["digest"] = digest(from_plain(document))
    (tmp_path / "audit.json").write_text(dump(document))
    with pytest.raises(RecordError, match=f"breaks the schema of audit.json at /provenance/{block}"):
        eh.read_record(tmp_path / "audit.json")
