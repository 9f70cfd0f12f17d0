"""What was audited on what, and who stands for it: facts of the record beside what people declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.keys import Key
from evenhand.records import digest
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.declarations import DATASHEET, NOTHING, SCOPE, SIGN_OFF, nothing_said, said
from evenhand.report.sections.groups import group_rows, groupings
from evenhand.report.view import Block, Part, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Verdict

MOST_GROUPS: Final = 100
BLANK: Final = "…………………………"


def scope(record: AuditRecord) -> Part:
    """What was audited, and what it is for."""
    data, subject = mapping(record.provenance.get("data")), mapping(record.provenance.get("subject"))
    task = data.get("task")
    classes = [] if task else [("Positive class", text(data.get("positive")))]
    rows = [
        ("Model", text(subject.get("name"))),
        ("Task", _task_words(data))
        if task
        else ("Decides positive at a score of at least", text(subject.get("threshold"))),
        *classes,
        *([] if task else [("Favourable outcome", text(data.get("favourable")))]),
        ("Sensitive features", listed(data.get("sensitive_features"))),
        ("What the model reads", text(subject["reads"]))
        if subject.get("reads")
        else ("Sensitive features the model reads", listed(record.provenance.get("sensitive_inputs"))),
    ]
    facts = Table("scope-facts", "What was audited", ("", ""), tuple(rows))
    lead = (NOTHING,) if nothing_said(record) else ()
    return Part("scope", "Scope", lead, (facts, said(record, SCOPE, "scope-declared")))


def data_part(record: AuditRecord) -> Part:
    """Which rows it was audited on: where they come from, who is in them, and what the label says of whom."""
    data = mapping(record.provenance.get("data"))
    dropped = data.get("rows_dropped")
    rows = [
        ("Data", text(data.get("name"))),
        *([("Source", text(data["source"]))] if data.get("source") else []),
        ("Rows", show(cast("float", data.get("rows") or 0), "number")),
        *([("Rows left out", f"{dropped}: {text(data.get('rows_dropped_because'))}")] if dropped else []),
        ("Label", text(data.get("label"))),
        ("Columns with missing values", listed(list(mapping(data.get("missing_values"))))),
        ("Missing sensitive values", "a group of their own" if data.get("missing") == "group" else "refused"),
        ("Evaluation rows with an equal row among the fitted", _seen(record.provenance.get("rows_seen_in_training"))),
    ]
    told = said(record, DATASHEET, "data-declared")
    blocks: list[Block] = [Table("data-facts", "The rows", ("", ""), tuple(rows)), *_people(record), told]
    return Part("data", "Data", (), tuple(blocks))


def _people(record: AuditRecord) -> list[Block]:
    """Say for each feature how many rows each group has, and how often its label is positive."""
    found = [
        (counts, group, record.get(Key.of("base_rate", dict(zip(counts.columns, group, strict=True)))))
        for counts in groupings(record)
        if len(counts.columns) == 1
        for group in counts.groups
    ]
    sizes = {id(counts): [group_rows(counts, at) for at in range(len(counts.groups))] for counts, _, _ in found}
    rows = []
    for counts, group, base in found:
        size = sizes[id(counts)][counts.groups.index(group)]
        share = size / max(sum(sizes[id(counts)]), 1)
        rows.append(
            (
                cut(f"{counts.columns[0]}={group[0]}", 200),
                f"{size:,}",
                f"{100 * share:.1f} %",
                with_interval(base),
            )
        )
    if not rows:
        return []
    head = ("group", "rows", "share of rows", "Base rate")
    columns = 4 if any(base is not None for _, _, base in found) else 3
    cells = tuple(row[:columns] for row in rows)
    table = Table("data-groups", "Who is in the rows", head[:columns], cells, frozenset(range(1, columns)))
    return [table.bounded(MOST_GROUPS)]


def sign_off(record: AuditRecord, verdict: Verdict | None) -> Part:
    """Who answers for the release: declared answers, what is signed, and lines to sign on."""
    signed = [("Digest of the record (SHA-256)", digest(record))]
    if verdict is not None:
        signed.append(("Policy (SHA-256)", f"{cut(verdict.policy_name, 60)}: {verdict.policy_sha256}"))
    signed += [(words, BLANK) for words in ("Decision", "Conditions", "Name and role", "Date", "Signature")]
    table = Table("sign-off-lines", "To be signed by people", ("", ""), tuple(signed))
    words = "evenhand sign writes a signature of audit.json beside it; evenhand verify --signature checks it."
    return Part("sign-off", "Sign-off", (words,), (said(record, SIGN_OFF, "sign-off-declared"), table))


def _task_words(data: Mapping[str, Plain]) -> str:
    classes = data.get("classes")
    return f"{data.get('task')}: {listed(classes)}" if classes else str(data.get("task"))


def _seen(value: Plain) -> str:
    return "unknown" if value is None else show(cast("float", value), "number")


def mapping(value: Plain | Mapping[str, Plain]) -> Mapping[str, Plain]:
    """Return a block of facts; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def text(value: Plain) -> str:
    """Return a fact as text."""
    if value is None:
        return "not declared"
    return f"{value:.4g}" if isinstance(value, float) else cut(str(value), 300)


def listed(value: Plain) -> str:
    """Return a list of names as text."""
    return ", ".join(cut(str(name), 100) for name in value) if isinstance(value, list) and value else "none"
