"""audit.json: what is written is what is read, a changed file is noticed, and half a file never lies about."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evenhand as eh
from evenhand.errors import OutputError, RecordError
from evenhand.findings import AuditRecord, Finding, Interval, Section
from evenhand.keys import Key
from evenhand.messages import Message, joined, lowered, message, message_to_plain, messages, sentences
from evenhand.output.writing import check_writable, write_bytes, write_text
from evenhand.records import digest, from_plain, to_plain


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    score = np.clip(0.3 * y + rng.random(300) * 0.7, 0, 1)
    groups = {"race": rng.choice(["a", "b, c", '"d"', "<e>"], 300), "sex": rng.choice(["f", "m"], 300)}
    return eh.audit_predictions(y, y_score=score, sensitive_features=groups)


def test_a_record_comes_back_as_it_was(record: AuditRecord, tmp_path: Path) -> None:
    eh.write_record(tmp_path / "audit.json", record)
    again = eh.read_record(tmp_path / "audit.json")
    assert again.findings == record.findings
    assert again.tallies == record.tallies
    assert again.sections == record.sections
    assert digest(again) == digest(record)
    eh.write_record(tmp_path / "again.json", again)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "audit.json").read_bytes()


def test_the_document_follows_the_schema_that_is_shipped(record: AuditRecord) -> None:
    schema = json.loads(files("evenhand.schemas").joinpath("audit-2.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(to_plain(record), schema)


def test_every_number_is_finite(record: AuditRecord) -> None:
    def numbers(part: object) -> list[float]:
        if isinstance(part, dict):
            return [number for value in part.values() for number in numbers(value)]
        if isinstance(part, list):
            return [number for value in part for number in numbers(value)]
        return [part] if isinstance(part, float) else []

    assert all(math.isfinite(number) for number in numbers(to_plain(record)))


def test_a_number_that_json_cannot_say_is_refused(tmp_path: Path) -> None:
    bad = AuditRecord((Finding(Key.of("accuracy"), "performance", float("nan")),))
    with pytest.raises(RecordError, match="not finite"):
        eh.write_record(tmp_path / "audit.json", bad)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_changed_estimate_is_noticed(record: AuditRecord, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(record.findings) - 1))
    finding = record.findings[at]
    changed = replace(finding, estimate=(finding.estimate or 0.0) + 1e-9)
    other = replace(record, findings=(*record.findings[:at], changed, *record.findings[at + 1 :]))
    assert digest(other) != digest(record)


def test_a_file_edited_by_hand_is_refused(record: AuditRecord, tmp_path: Path) -> None:
    place = tmp_path / "audit.json"
    eh.write_record(place, record)
    document = json.loads(place.read_text())
    document["findings"][0]["estimate"] = 0.999
    place.write_text(json.dumps(document))
    with pytest.raises(RecordError, match="changed since evenhand wrote it"):
        eh.read_record(place)


def test_times_are_outside_the_digest(record: AuditRecord) -> None:
    later = replace(record, measurements={"started": "2031-01-01T00:00:00+00:00", "seconds": 9.0})
    timed = Finding(Key.of("latency", batch="1"), "compression", 0.1, unit="seconds", volatile=True)
    assert digest(replace(later, findings=(*record.findings, timed))) == digest(record)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 99}, "newer"),
        ({"schema": "something"}, "audit.json"),
        ({"findings": [{"key": "accuracy"}]}, "schema"),
    ],
)
def test_other_files_get_a_sentence(record: AuditRecord, tmp_path: Path, change: dict[str, object], said: str) -> None:
    place = tmp_path / "audit.json"
    place.write_text(json.dumps({**to_plain(record), **change}))
    with pytest.raises(RecordError, match=said):
        eh.read_record(place)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "accuracy,0.9\n", '{"a": NaN}'])
def test_what_is_no_record_gets_a_sentence(text: str, tmp_path: Path) -> None:
    place = tmp_path / "audit.json"
    place.write_text(text)
    with pytest.raises(RecordError, match=r"audit\.json"):
        eh.read_record(place)
    with pytest.raises(RecordError, match="no such file"):
        eh.read_record(tmp_path / "absent.json")


def test_an_open_end_is_kept() -> None:
    open_ended = Finding(Key.of("recall_difference", ["sex"]), "fairness", 0.1, Interval(0.0, None, 0.95, "newcombe"))
    again = from_plain(to_plain(AuditRecord((open_ended,))))
    assert again.findings[0].interval == open_ended.interval


def test_the_tidy_table_has_a_row_a_finding(record: AuditRecord) -> None:
    frame = record.to_frame()
    assert len(frame) == len(record.findings)
    row = frame.set_index("key").loc["accuracy"]
    assert row["estimate"] == record["accuracy"].estimate
    assert row["low"] == record["accuracy"].interval.low  # type: ignore[union-attr]
    assert str(frame["estimate"].dtype) == "float64"


def test_fairlearns_frame_says_the_same(record: AuditRecord) -> None:
    frame = record.to_metric_frame("race")
    for group, row in frame.by_group.iterrows():
        found = record[str(Key.of("recall", {"race": str(group)}))]
        assert row["recall"] == pytest.approx(found.estimate, abs=1e-12)
    assert frame.difference()["selection_rate"] == pytest.approx(
        record["selection_rate_difference[race]"].estimate, abs=1e-12
    )
    with pytest.raises(RecordError, match="no counts"):
        record.to_metric_frame("age")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "page.html"
    write_text(place, "the old page")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        write_text(place, "the new page")
    assert place.read_text() == "the old page"
    assert [part.name for part in tmp_path.iterdir()] == ["page.html"]


def test_places_that_cannot_be_written_to_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_bytes(tmp_path / "absent" / "x", b"")
    with pytest.raises(OutputError, match="is a folder"):
        write_bytes(tmp_path, b"")


def test_a_place_that_cannot_be_renamed_into_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "page.html"
    place.write_text("old")

    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr("pathlib.Path.replace", busy)
    with pytest.raises(OutputError, match="Device or resource busy"):
        write_text(place, "new")
    assert place.read_text() == "old"
    assert [part.name for part in tmp_path.iterdir()] == ["page.html"]


def test_a_folder_without_permission_is_told_before_long_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # a test may run as root, whom no folder refuses
    with pytest.raises(OutputError, match="may not be written to"):
        check_writable(tmp_path / "audit.json")


HOSTILE = (
    "</script><img onerror=x>",
    '"; DROP',
    "\u202eabc",
    "🦉",
    "a\nb\x00",
    "x" * 10_000,
    "*",
    "[;]=,",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_come_back_and_can_be_drawn(name: str, tmp_path: Path) -> None:
    groups = {"race": [name, "other"] * 50, name: ["f", "m"] * 50}
    found = eh.audit_predictions([1, 0, 1, 1] * 25, [1, 0, 0, 1] * 25, sensitive_features=groups)
    eh.write_record(tmp_path / "audit.json", found)
    again = eh.read_record(tmp_path / "audit.json")
    assert again.findings == found.findings
    key = str(Key.of("recall", {"race": name}))
    assert again[key] == found[key]
    verdict = eh.judge(again, eh.load_policy({"limits": {key: {"at_least": 0.1}, "accuracy": {"at_least": 0.1}}}))
    for form in ("html", "markdown", "text", "json", "csv", "junit", "sarif"):
        place = tmp_path / f"out.{form}"
        eh.write_report(place, again, verdict, format=form)
        text = place.read_text("utf-8")
        assert "<img onerror" not in text or form in ("json", "sarif", "text", "csv")


def test_half_a_character_comes_back_as_it_was(tmp_path: Path) -> None:
    found = Finding(Key.of("recall", {"race": "\ud800 half"}), "fairness", 0.5, note="\udfff")
    eh.write_record(tmp_path / "audit.json", AuditRecord((found,), provenance={"data": {}}))
    assert eh.read_record(tmp_path / "audit.json").findings == (found,)
    write_text(tmp_path / "page.html", "\ud800")
    assert (tmp_path / "page.html").read_text("utf-8") == "\\ud800"


def test_older_records_are_migrated_step_by_step_and_checked_before(
    record: AuditRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the format were at version 3: sections were called parts in version 1, and had no reason in version 2."""
    from evenhand import migrating, records

    def first(document: dict[str, object]) -> dict[str, object]:
        return {name.replace("parts", "sections"): value for name, value in document.items()}

    def second(document: dict[str, object]) -> dict[str, object]:
        sections: list[dict[str, object]] = document["sections"]  # type: ignore[assignment]
        return {**document, "sections": [{"reason": "", **section} for section in sections]}

    steps = {1: first, 2: second}
    old = {**to_plain(record), "schema_version": 1}
    old["parts"] = [
        {name: value for name, value in part.items() if name != "reason"}  # type: ignore[union-attr]
        for part in old.pop("sections")  # type: ignore[union-attr]
    ]
    found = migrating.migrated(old, 3, steps)  # type: ignore[arg-type]
    assert found["schema_version"] == 3
    assert "parts" not in found
    assert [section.audit for section in from_plain(found).sections] == [section.audit for section in record.sections]
    with pytest.raises(RecordError, match="no way from schema 2"):
        migrating.migrated(old, 3, {1: first})  # type: ignore[arg-type]

    eh.write_record(tmp_path / "audit.json", record)
    monkeypatch.setattr(records, "migrated", lambda document, version: {**document, "provenance": {"data": {}}})
    assert eh.read_record(tmp_path / "audit.json").provenance == {"data": {}}, "the digest is of what was written"
    text = (tmp_path / "audit.json").read_text()
    (tmp_path / "audit.json").write_text(text.replace('"rows": 300', '"rows": 301'))
    with pytest.raises(RecordError, match="changed since"):
        eh.read_record(tmp_path / "audit.json")


def test_a_record_of_the_first_version_opens_with_its_facts_typed() -> None:
    """Written when the format was at version 1: its prose stays as it is, and what only prose said is a fact."""
    record = eh.read_record(Path(__file__).with_name("audit-v1.json"))
    withheld = [finding for finding in record.findings if finding.withheld]
    assert withheld
    assert {str(finding.absence) for finding in withheld} == {"withheld"}
    assert record["accuracy"].absence == "undefined"
    assert "unobserved_groups" in {section.audit for section in record.sections}
    assert all(type(section.reason) is str for section in record.sections)
    assert eh.render(record, None, "markdown")


def test_messages_come_back_with_their_places(tmp_path: Path) -> None:
    told = sentences(
        message("{metric} of {group} is {value:.2f}.", metric=lowered(message("Recall")), group="<b>", value=0.5),
        messages("{n} row", "{n} rows", 3),
        message("Groups: {groups}.", groups=("a", joined(" or ", ["b", message("Recall")]))),
    )
    found = Finding(Key.of("accuracy"), "performance", None, undefined=told, note=told)
    eh.write_record(
        tmp_path / "audit.json", AuditRecord((found,), (Section("fairness", False, told),), provenance={"data": {}})
    )
    again = eh.read_record(tmp_path / "audit.json")
    for text in (again.findings[0].undefined, again.findings[0].note, again.sections[0].reason):
        assert isinstance(text, Message)
        assert text == told == "recall of <b> is 0.50. 3 rows Groups: a, b or Recall."
        assert message_to_plain(text) == message_to_plain(told)


@pytest.mark.parametrize(
    "note",
    [
        {"id": "{x.__class__}", "places": {"x": 1}},
        {"id": "{x:>999999999}", "places": {"x": 1}},
        {"id": "{x!r}", "places": {"x": "a"}},
        {"id": "{y}", "places": {"x": 1}},
        {"id": "{0}", "places": {"x": 1}},
        {"id": "{x", "places": {"x": 1}},
        {"id": "{x:.2f}", "places": {"x": "no number"}},
        {"id": "row", "plural": "rows", "places": {"x": 1}},
        {"id": ", ", "places": {"": "ab"}},
        {"id": 7},
        {"places": {"x": 1}},
    ],
)
def test_a_message_that_cannot_be_said_is_refused(tmp_path: Path, note: object) -> None:
    document = to_plain(AuditRecord((Finding(Key.of("accuracy"), "performance", 0.5, note="in order"),)))
    document["findings"][0]["note"] = note  # type: ignore[index, call-overload]
    steady = {name: document[name] for name in ("findings", "sections", "tallies", "provenance")}
    text = json.dumps(steady, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    document["digest"] = hashlib.sha256(text.encode()).hexdigest()
    (tmp_path / "audit.json").write_text(json.dumps(document))
    with pytest.raises(RecordError, match=r"schema|cannot be said"):
        eh.read_record(tmp_path / "audit.json")
