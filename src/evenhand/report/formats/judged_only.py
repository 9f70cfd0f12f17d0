"""Helpers of the formats for pipelines: they need a verdict, a level and a unique name for each limit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from evenhand.errors import InputError
from evenhand.policy.telling import harm_sentence
from evenhand.policy.wording import limit_text, measured
from evenhand.report.formats.plain_text import short

if TYPE_CHECKING:
    from evenhand.policy import Judgement, Verdict


Level: TypeAlias = Literal["error", "warning", "none"]
"""How loud a pipeline is about a limit."""


def level(judgement: Judgement) -> Level:
    """Return ``error`` for what stops the release, ``warning`` for what else did not pass, ``none`` for what passed.

    Annotations, SARIF, JUnit and code quality all follow it, so that no two of them disagree about a release.
    """
    if judgement.stops:
        return "error"
    return "none" if judgement.status == "passed" else "warning"


def need_verdict(verdict: Verdict | None, name: str) -> Verdict:
    """Return the verdict.

    Raises
    ------
    InputError
        When there is none: nothing passes or fails without a policy.
    """
    if verdict is None:
        raise InputError(f"The format {name} tells of limits, so it needs a policy: add --policy policy.toml.")
    return verdict


def names(verdict: Verdict) -> list[str]:
    """Return a name for each judgement, unique: its key and limit, with a number where they repeat."""
    seen: Counter[str] = Counter()
    found = []
    for judgement in verdict.judgements:
        name = f"{short(str(judgement.key))} {limit_text(judgement.limit)}"
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def message(judgement: Judgement) -> str:
    """Return the finding, the groups that decided and the people harmed in a sentence each."""
    status = judgement.status + (f", {judgement.aside}" if judgement.aside else "")
    if judgement.limit.required:
        return f"{status}: {short(str(judgement.key))} is required. {short(judgement.sentence)}"
    shown = f"{measured(judgement.finding, judgement.limit)}, the limit is {limit_text(judgement.limit)}"
    harm = harm_sentence(judgement)
    return f"{status}: {short(str(judgement.key))} is {shown}. {short(judgement.sentence)}{harm and f'. {short(harm)}'}"


def stable_id(judgement: Judgement) -> str:
    """Return a name of the limit and finding without measured values, so it is stable between runs."""
    import hashlib

    text = f"{judgement.limit.key}\n{judgement.limit.sign}\n{judgement.key}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
