"""Sign-off: declared answers, what is signed, and signature lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.records import digest
from evenhand.report.drawings import Table
from evenhand.report.numbers import cut
from evenhand.report.sections.answering import Answer
from evenhand.report.sections.declarations import SIGN_OFF, said
from evenhand.report.sections.section import Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.sections.judged import Judged

TITLE: Final = message("Sign-off")
BLANK: Final = "…………………………"
LINES: Final = (
    message("Decision"), message("Conditions"), message("Name and role"), message("Date"), message("Signature"),
)  # fmt: skip


def sign_off(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Return the part about responsibility for the release."""
    signed: list[tuple[str, str]] = [(message("Digest of the record (SHA-256)"), digest(record))]
    if (policy := _policy(record, judged)) is not None:
        signed.append((message("Policy (SHA-256)"), policy))
    signed += [(words, BLANK) for words in LINES]
    table = Table("sign-off-lines", message("To be signed by people"), ("", ""), tuple(signed))
    words = message("evenhand sign writes a signature of audit.json next to it; evenhand verify --signature checks it.")
    return (Part("sign-off", TITLE, (words,), (said(record, SIGN_OFF, "sign-off-declared"), table)),)


def _policy(record: AuditRecord, judged: Judged) -> str | None:
    """Return the name and the hash of the policy that judged the model, or the models of a study."""
    if (verdict := judged.verdict) is not None:
        return f"{cut(verdict.policy_name, 60)}: {verdict.policy_sha256}"
    of_study = record.provenance.get("study", {}).get("policy")
    return None if of_study is None else f"{cut(of_study['name'], 60)}: {of_study['sha256']}"


def answer(_: AuditRecord, __: Judged) -> Answer:
    """State what is to be signed."""
    return Answer(message("Lines for a decision, its conditions and a signature."))


SECTION: Final = Section("sign-off", TITLE, (), 2000, sign_off, of_studies=True, answer=answer)
