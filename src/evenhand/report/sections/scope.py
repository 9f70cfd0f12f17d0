"""What was audited on what, and who stands for it: facts of the record beside what people declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from evenhand.keys import Key
from evenhand.messages import joined, message
from evenhand.metrics import describe
from evenhand.records import digest
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.declarations import DATASHEET, NOTHING, SCOPE, SIGN_OFF, nothing_said, said
from evenhand.report.sections.groups import group_rows, groupings
from evenhand.report.view import Block, Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy import Verdict

MOST_GROUPS: Final = 100
BLANK: Final = "…………………………"
LINES: Final = (
    message("Decision"), message("Conditions"), message("Name and role"), message("Date"), message("Signature"),
)  # fmt: skip
TASKS: Final = {
    "multiclass": message("multiclass"),
    "multilabel": message("multilabel"),
    "regression": message("regression"),
    "ranking": message("ranking"),
}


def scope(record: AuditRecord) -> Part:
    """What was audited, and what it is for."""
    data, subject = mapping(record.provenance.get("data")), mapping(record.provenance.get("subject"))
    task = data.get("task")
    classes = [] if task else [(message("Positive class"), text(data.get("positive")))]
    rows = [
        (message("Model"), text(subject.get("name"))),
        (message("Task"), _task_words(data))
        if task
        else (message("Decides positive at a score of at least"), text(subject.get("threshold"))),
        *classes,
        *([] if task else [(message("Favourable outcome"), text(data.get("favourable")))]),
        (message("Sensitive features"), listed(data.get("sensitive_features"))),
        (message("Sensitive features the model reads"), listed(record.provenance.get("sensitive_inputs"))),
    ]
    facts = Table("scope-facts", message("What was audited"), ("", ""), tuple(rows))
    lead = (NOTHING,) if nothing_said(record) else ()
    return Part("scope", message("Scope"), lead, (facts, said(record, SCOPE, "scope-declared")))


def data_part(record: AuditRecord) -> Part:
    """Which rows it was audited on: where they come from, who is in them, and what the label says of whom."""
    data = mapping(record.provenance.get("data"))
    dropped, because = data.get("rows_dropped"), text(data.get("rows_dropped_because"))
    rows = [
        (message("Data"), text(data.get("name"))),
        *([(message("Source"), text(data["source"]))] if data.get("source") else []),
        (message("Rows"), show(cast("float", data.get("rows") or 0), "number")),
        *([(message("Rows left out"), joined(": ", (str(dropped), because)))] if dropped else []),
        (message("Label"), text(data.get("label"))),
        (message("Columns with missing values"), listed(list(mapping(data.get("missing_values"))))),
        (
            message("Missing sensitive values"),
            message("a group of their own") if data.get("missing") == "group" else message("refused"),
        ),
        (
            message("Evaluation rows with an equal row among the fitted"),
            _seen(record.provenance.get("rows_seen_in_training")),
        ),
    ]
    told = said(record, DATASHEET, "data-declared")
    blocks: list[Block] = [Table("data-facts", message("The rows"), ("", ""), tuple(rows)), *_people(record), told]
    return Part("data", message("Data"), (), tuple(blocks))


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
    head = (message("group"), message("rows"), message("share of rows"), describe("base_rate").label)
    columns = 4 if any(base is not None for _, _, base in found) else 3
    cells = tuple(row[:columns] for row in rows)
    table = Table("data-groups", message("Who is in the rows"), head[:columns], cells, frozenset(range(1, columns)))
    return [table.bounded(MOST_GROUPS)]


def sign_off(record: AuditRecord, verdict: Verdict | None) -> Part:
    """Who answers for the release: declared answers, what is signed, and lines to sign on."""
    signed: list[tuple[str, str]] = [(message("Digest of the record (SHA-256)"), digest(record))]
    if verdict is not None:
        signed.append((message("Policy (SHA-256)"), f"{cut(verdict.policy_name, 60)}: {verdict.policy_sha256}"))
    signed += [(words, BLANK) for words in LINES]
    table = Table("sign-off-lines", message("To be signed by people"), ("", ""), tuple(signed))
    words = message("evenhand sign writes a signature of audit.json beside it; evenhand verify --signature checks it.")
    return Part("sign-off", message("Sign-off"), (words,), (said(record, SIGN_OFF, "sign-off-declared"), table))


def _task_words(data: Mapping[str, Plain]) -> str:
    classes, task = data.get("classes"), str(data.get("task"))
    words = TASKS.get(task, task)
    return joined(": ", (words, listed(classes))) if classes else words


def _seen(value: Plain) -> str:
    return message("unknown") if value is None else show(cast("float", value), "number")


def mapping(value: Plain | Mapping[str, Plain]) -> Mapping[str, Plain]:
    """Return a block of facts; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def text(value: Plain) -> str:
    """Return a fact as text."""
    if value is None:
        return message("not declared")
    return f"{value:.4g}" if isinstance(value, float) else cut(str(value), 300)


def listed(value: Plain) -> str:
    """Return a list of names as text."""
    if not isinstance(value, list) or not value:
        return message("none")
    return joined(", ", (cut(str(name), 100) for name in value))
