"""Scope of the audit: facts of the record, with the declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.report.drawings import Table
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.declarations import NOTHING, PUBLISHED, SCOPE, nothing_said, said
from evenhand.report.sections.facts import listed, text
from evenhand.report.sections.section import MODEL, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.provenance import DataFacts, SubjectFacts
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Scope")
TASKS: Final = {
    "multiclass": message("multiclass"),
    "multilabel": message("multilabel"),
    "regression": message("regression"),
    "ranking": message("ranking"),
    "transcription": message("transcription"),
}


def scope(record: AuditRecord, _: Judged) -> tuple[Part, ...]:
    """Draw what was audited, and its purpose."""
    data, subject = record.provenance.get("data", {}), record.provenance.get("subject", {})
    task = data.get("task")
    classes = [] if task else [(message("Positive class"), text(data.get("positive")))]
    rows = [
        (message("Model"), text(subject.get("name"))),
        (message("Task"), _task_words(data))
        if task
        else (message("Decides positive at a score of at least"), _threshold(subject)),
        *classes,
        *([] if task else [(message("Favourable outcome"), text(data.get("favourable")))]),
        (message("Sensitive features"), listed(data.get("sensitive_features", ()))),
        (message("What the model reads"), subject["reads"])
        if "reads" in subject
        else (message("Sensitive features the model reads"), listed(record.provenance.get("sensitive_inputs", ()))),
    ]
    facts = Table("scope-facts", message("What was audited"), ("", ""), tuple(rows))
    return (Part("scope", TITLE, (), (facts, said(record, (*SCOPE, *PUBLISHED), "scope-declared"))),)


def _threshold(subject: SubjectFacts) -> str:
    """Return the threshold, and whose it is where it is not the usual one."""
    told = text(subject.get("threshold"))
    if subject.get("decided_by") == "given":
        return message("{threshold}, as given for this audit", threshold=told)
    if subject.get("decided_by") == "model" and subject.get("score_kind") != "label":
        return message("{threshold}, where the model's own decisions change", threshold=told)
    return told


def _task_words(data: DataFacts) -> str:
    classes, task = data.get("classes"), data.get("task", "")
    words = TASKS.get(task, task)
    return joined(": ", (words, listed(classes))) if classes else words


def answer(record: AuditRecord, _: Judged) -> Answer:
    """Name the task and the features compared, and how much was declared of the model's use."""
    told, given = record.provenance.get("data", {}), record.provenance.get("declared", {})
    features = listed(told.get("sensitive_features", ()))
    said = message("Sensitive features: {features}.", features=features)
    answers = sum(bool(given.get(name)) for name in SCOPE)
    declared = message(
        "Of {questions} questions about its use {answers} are answered.", questions=len(SCOPE), answers=answers
    )
    return Answer(sentences(said, NOTHING if nothing_said(record) else declared))


SECTION: Final = Section("scope", TITLE, (), 100, scope, of_studies=True, theme=MODEL, answer=answer)
