"""The audited rows: their source, group sizes, and base rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from evenhand.keys import Key
from evenhand.messages import joined, message, sentences
from evenhand.metrics import describe
from evenhand.policy.telling import labelled
from evenhand.report.drawings import Table, table
from evenhand.report.numbers import cut, named, show, with_interval
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.declarations import DATASHEET, said
from evenhand.report.sections.facts import graded_by, group_label, group_rows, groupings, listed, text
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord
    from evenhand.messages import Place
    from evenhand.provenance import DataFacts
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Data")
MOST_GROUPS: Final = 100
REFERENT: Final = message("Whom a pronoun refers to: which of the endings of '\"She\" refers to ...' is likeliest.")
ASKED: Final = {
    "crows_pairs": message(
        "Which of two sentences is likelier: the more stereotypical one, or the one about somebody else."
    ),
    "winobias": REFERENT,
    "winogender": REFERENT,
    "bbq": message("Which of three answers is likeliest after a context and a question; one is that nobody can tell."),
    "bbq_stereotype": message(
        "Which of the two people is the likelier answer after a context and a question: the one whom the stereotype "
        "names, or the other."
    ),
}
"""What a language model was asked, by the bias set."""
MOST_NAMED: Final = 3


def data_part(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Draw the facts of the audited rows."""
    data = record.provenance.get("data", {})
    seen, again = record.provenance.get("rows_seen_in_training"), data.get("repeated_ids")
    alone = message("a group of their own") if data.get("missing") == "group" else message("refused")
    rows = [
        (TITLE, text(data.get("name"))),
        *([(message("Source"), text(data["source"]))] if data.get("source") else []),
        (message("Rows"), show(data.get("rows", 0), "number")),
        *([(message("Rows whose id occurred before: one cluster with it"), show(again, "number"))] if again else []),
        *_left_out(data),
        *_censored(data),
        *_logs(data),
        *_bias_set(data),
        (message("Label"), text(data.get("label"))),
        (message("Columns with missing values"), listed(data.get("missing_values", ()))),
        (message("Missing sensitive values"), alone),
        (
            message("Evaluation rows with an equal row among the fitted"),
            message("unknown") if seen is None else show(seen, "number"),
        ),
        *((f.key.columns[0], f.note) for f in record.of_audit("group_names") if f.note),
    ]
    facts = Table("data-facts", message("The rows"), ("", ""), tuple(rows))
    return (Part("data", TITLE, (), (facts, *_people(record), said(record, DATASHEET, "data-declared"))),)


def _left_out(data: DataFacts) -> Iterator[tuple[str, str]]:
    """Yield the rows that were left out, of which rows, and why."""
    dropped, of = data.get("rows_dropped"), data.get("rows_in_source")
    if dropped:
        counted = message("{n:,} of the {rows:,} rows of the source, before any split", n=dropped, rows=of or 0)
        told = counted if of else show(dropped, "number")
        yield message("Rows left out"), joined(": ", (told, text(data.get("rows_dropped_because"))))


def _censored(data: DataFacts) -> Iterator[tuple[str, str]]:
    """Yield how many rows that were followed in time are not among the rows, as their outcome is not known."""
    told = data.get("follow_up", {})
    lost, rows = told.get("censored_before"), told.get("rows")
    if isinstance(lost, int) and isinstance(rows, int):
        said = message("{n:,} of {rows:,}: they count in the figures of the time until the event", n=lost, rows=rows)
        yield message("Rows censored before the horizon"), said


def _logs(data: DataFacts) -> Iterator[tuple[str, str]]:
    """Yield of logs of a language model whose they are, and by which metric each task was graded."""
    logs = data.get("logs", {})
    models = [str(model) for model in (logs.get("model"), logs.get("original_model")) if model]
    if models:
        yield message("Language model, and its original"), listed(models)
    metrics = logs.get("metrics")
    if isinstance(metrics, Mapping):
        yield message("Graded by"), listed([f"{task}: {metric}" for task, metric in metrics.items()][:MOST_GROUPS])


def _bias_set(data: DataFacts) -> Iterator[tuple[str, str]]:
    """Yield of a bias set which models were asked, and what."""
    held = data.get("bias_set", {})
    models = [str(told["name"]) for role in ("model", "original") if isinstance(told := held.get(role), Mapping)]
    if models:
        yield message("Language model, and its original"), listed(models)
        yield message("What the model was asked"), ASKED.get(str(held.get("set")), text(held.get("set")))


def _people(record: AuditRecord) -> tuple[Table, ...]:
    """State for each feature the size and base rate of each group."""
    rows, known, graded = [], False, graded_by(record)
    for counts in (each for each in groupings(record) if len(each.columns) == 1):
        sizes = [group_rows(counts, at) for at in range(len(counts.groups))]
        for (group,), size in zip(counts.groups, sizes, strict=True):
            base = None if graded else record.get(Key.of("base_rate", {counts.columns[0]: group}))
            known = known or base is not None
            share = f"{100 * size / max(sum(sizes), 1):.1f} %"
            rows.append((cut(f"{counts.columns[0]}={group}", 200), f"{size:,}", share, with_interval(base)))
    head = (message("group"), message("rows"), message("share of rows"), describe("base_rate").label)
    columns = 4 if known else 3
    cells = (row[:columns] for row in rows)
    return table("data-groups", message("Who is in the rows"), head[:columns], cells, most=MOST_GROUPS)


def answer(record: AuditRecord, _: Judged) -> Answer:
    """State the number of rows and the smallest group; rows that the model was fitted on have to be seen."""
    rows, seen = record.provenance.get("data", {}).get("rows", 0), record.provenance.get("rows_seen_in_training")
    sizes = [
        (group_rows(counts, at), labelled(counts.columns, group_label(counts, at, 60)))
        for counts in groupings(record)
        if len(counts.columns) == 1
        for at in range(len(counts.groups))
    ]
    said = message("{rows:,} rows.", rows=rows)
    if sizes:
        least = min(sizes)[0]
        alike = named([group for size, group in sizes if size == least], MOST_NAMED)
        told: dict[str, Place] = {"rows": rows, "least": least, "group": alike}
        said = message("{rows:,} rows; fewest in a group by one feature: {least:,} ({group}).", **told)
        if "suppressed_below" in record.provenance:
            said = message(
                "{rows:,} rows; fewest in a group by one feature that is shown: {least:,} ({group}).", **told
            )
    if not seen:
        return Answer(said)
    again = message("{seen:,} of them have an equal row among those the model was fitted on.", seen=seen)
    return Answer(sentences(said, again), "notable")


SECTION: Final = Section("data", TITLE, ("group_names",), 200, data_part, theme=MODEL, answer=answer)
