"""What a mitigation chose, in the few sentences that come before everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import lowered, message, messages, sentences
from evenhand.metrics import describe
from evenhand.policy.wording import number
from evenhand.report.numbers import cut
from evenhand.report.spoken import in_words, key_of, spoken

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.provenance import MitigationCandidate, MitigationFacts

MOST_NAME: Final = 60
EVERYBODY: Final = message("everybody is selected")
NOBODY: Final = message("nobody is selected")
BY_GROUP: Final = message("It decides by group, which can be unlawful.")


def mitigation_of(record: AuditRecord) -> MitigationFacts | None:
    """Return what was tried to meet a policy; None where the record is of no mitigation."""
    found = record.provenance.get("mitigation")
    return found if found and found.get("candidates") else None


def chosen_of(told: MitigationFacts) -> MitigationCandidate | None:
    """Return the candidate that was judged."""
    return next((each for each in told["candidates"] if each["chosen"]), None)


def short_answer(told: MitigationFacts) -> str:
    """State which candidate the record is about, and whether it is recommended.

    Examples
    --------
    >>> none = {"name": "unchanged", "chosen": False, "needs_sensitive": False}
    >>> print(short_answer({"candidates": [none] * 3, "infeasible": {"id": "No threshold meets both limits."}}))
    None of 3 candidates is recommended. No threshold meets both limits.
    """
    chosen, impossible = chosen_of(told), spoken(told.get("infeasible"))
    if told.get("recommended") and chosen is not None:
        said = message("Recommended by rows that nothing was chosen on: {name}.", name=cut(chosen["name"], MOST_NAME))
        return sentences(said, BY_GROUP if chosen["needs_sensitive"] else "")
    tried = len(told["candidates"])
    if chosen is None or impossible:
        return sentences(message("None of {tried} candidates is recommended.", tried=tried), impossible)
    return message(
        "Best of {tried} candidates, but rows that nothing was chosen on do not recommend it: {name}.",
        name=cut(chosen["name"], MOST_NAME), tried=tried,
    )  # fmt: skip


def left_out(told: MitigationFacts) -> str:
    """State how many candidates keep too little over one decision for everybody; empty where none does.

    Examples
    --------
    >>> print(left_out({
    ...     "candidates": [{"name": "unchanged"}, {"idle": True}], "performance": "accuracy",
    ...     "alike": {"positive": True, "performance": {"key": "accuracy", "estimate": 0.75}, "least": 0.8},
    ... }))  # fmt: skip
    1 candidate is left out, as it keeps too little of what the model gains over one decision for everybody: accuracy
    is 0.750 where everybody is selected, and 0.800 was needed.
    """
    same, n = told.get("alike"), sum(bool(each.get("idle")) for each in told["candidates"])
    if same is None or not n:
        return ""
    return messages(
        "{n} candidate is left out, as it keeps too little of what the model gains over one decision for everybody: "
        "{performance} is {alike} where {who}, and {least} was needed.",
        "{n} candidates are left out, as they keep too little of what the model gains over one decision for "
        "everybody: {performance} is {alike} where {who}, and {least} was needed.",
        n, performance=lowered(measure_label(same["performance"]["key"])),
        alike=number(same["performance"]["estimate"], None, 3),
        who=EVERYBODY if same["positive"] else NOBODY, least=number(same["least"], None, 3),
    )  # fmt: skip


def measure_label(text: str) -> str:
    """Return what the measure of a key is called."""
    key = key_of(text)
    return in_words(text) if key is None or key.columns else describe(key.metric).label


def without_figures(told: MitigationFacts) -> MitigationFacts:
    """Return what a copy for publication says of a mitigation: what was tried, without counts of people and values.

    Who gains and who loses counts few, and values on other rows than the audited ones would be compared with those.
    """
    kept: list[MitigationCandidate] = [
        {**each, "performance": None, "limits": [], "groups": [], "settings": {}} for each in told["candidates"]
    ]
    published: MitigationFacts = {**told, "candidates": kept}
    for name in ("alike", "price"):
        published.pop(name, None)  # type: ignore[misc]
    return published
