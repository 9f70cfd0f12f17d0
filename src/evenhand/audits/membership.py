"""Membership inference: who can be told to have been among the rows that a model was fitted on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.audits.references import KINDS, MembershipOptions, ask, confidences, deep, told
from evenhand.audits.statement import SPARED, Audit, Statement, not_applicable, value_finding
from evenhand.errors import InputError
from evenhand.evidence.candidates import places_fitted_on, told_by
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.metrics.values.attacks import advantage, attack_auc, attack_auc_change, excess, hits_at
from evenhand.metrics.values.means import measured_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.messages import Message
    from evenhand.metrics import Measured
    from evenhand.probing.membership.pool import Pool
    from evenhand.probing.membership.references import Asked

    Floats = NDArray[np.float64]

NAME = "membership"
STANDARD: Final = "rmia"
"""The attack whose findings have no qualifier."""
AT: Final = ("0.01", "0.001")
"""Shares of false alarms at which the members found are stated."""
DRAWN: Final = message(
    "{members:,} members and {others:,} rows that the model never saw were attacked with {n} reference models, each "
    "fitted on half of them."
)
REPEATED: Final = message(
    "{n:,} evaluation rows are equal to a row that the model was fitted on. They count neither as members nor as "
    "others."
)
NO_MEMBERS: Final = message(
    "No rows were given that the model was fitted on; with them it is asked whom the model gives away (--privacy)."
)


def membership(evidence: Evidence) -> Statement:
    """State how well attacks tell members from rows the model never saw: overall, per group and class."""
    if evidence.members is None:
        return not_applicable(NO_MEMBERS)
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, which would be asked about its members.")
    if evidence.spared:
        return not_applicable(SPARED)
    from evenhand.evidence.predictions import columns_read, reads
    from evenhand.probing.membership.attacking import attack_scores
    from evenhand.probing.membership.pool import draw

    chosen, seed = evidence.options.of(MembershipOptions), evidence.options.seed
    subject, data, original = evidence.subject, evidence.data, evidence.original
    try:
        columns, kind = columns_read(subject, data), reads(subject, data)
        pool = draw(evidence.members, data, columns, kind, chosen.privacy_rows, seed)
    except InputError as wrong:
        return not_applicable("Membership was not attacked: {problem}", problem=str(wrong))
    # compression is no part of the recipe; noise is
    models = (subject, original) if told_by(subject, "privacy") else (original, subject)
    asked = ask(evidence, pool, columns, models)
    scores = attack_scores(pool, confidences(subject, pool.rows), asked, deep=deep(evidence))
    if chosen.exposed_rows:
        _keep(evidence, pool, scores[STANDARD], Path(chosen.exposed_rows))
    findings = [*_about(evidence, pool, asked), *_attacked(evidence, pool, scores), *_by_group(evidence, pool, scores)]
    if original is not None:
        before = attack_scores(pool, confidences(original, pool.rows), asked)
        findings += _changed(evidence, pool, before[STANDARD], scores[STANDARD])
    return Statement(tuple(findings), _said(pool, asked))


def _keep(evidence: Evidence, pool: Pool, scores: Floats, place: Path) -> None:
    """Write who is found first to a private file, by the place among the rows that were given."""
    from evenhand.evidence.keeping import keep_exposed

    given = evidence.candidates
    assert given is not None  # there are members
    inside = places_fitted_on(evidence.subject, given, evidence.options.member_column)[pool.inside]
    keep_exposed(place, given, inside, scores[: pool.members], scores[pool.members :])


def _said(pool: Pool, asked: Asked) -> str:
    """Return the sentences on which rows and which references it rests."""
    return sentences(
        message(DRAWN, members=pool.members, others=pool.others, n=len(asked.answers)),
        told(asked),
        message(REPEATED, n=pool.repeated) if pool.repeated else "",
    )


def _about(evidence: Evidence, pool: Pool, asked: Asked) -> Iterator[Finding]:
    """Yield how many references there were, with what they are, and how many evaluation rows are members."""
    note: str | Message = KINDS[asked.kind]
    key = Key.of("membership_references")
    yield Finding(key, NAME, float(len(asked.answers)), support=pool.attacked, unit="number", note=note)
    rows = np.array([len(evidence.data)])
    share = measured_share("repeated_members", np.array([pool.repeated]), rows, evidence.options.level)
    yield value_finding(Key.of("repeated_members"), NAME, share, 0, evidence.options.level)


def _attacked(evidence: Evidence, pool: Pool, scores: Mapping[str, Floats]) -> Iterator[Finding]:
    """Yield area, advantage and members found of every attack, over all rows and for each class."""
    level, seed, member = evidence.options.level, evidence.options.seed, pool.member
    everyone = np.zeros(pool.attacked, dtype=np.int32)
    for attack, said in scores.items():
        named: dict[str, Any] = {} if attack == STANDARD else {"attack": attack}
        yield from values(NAME, "membership_auc", attack_auc("membership_auc", member, said, everyone, 1, level), None,
                          level, "score", **named)  # fmt: skip
        found = advantage("membership_advantage", member, said, everyone, 1, level, seed)
        yield from values(NAME, "membership_advantage", found, None, level, "number", **named)
        for at in AT:
            hits = hits_at("membership_tpr", float(at), member, said, level)
            yield from values(NAME, "membership_tpr", hits, None, level, at=at, **named)
    truth, classes = pool.rows.y_true[: pool.attacked].astype(np.int32), evidence.data.classes
    of_classes = attack_auc("membership_auc", member, scores[STANDARD], truth, len(classes), level)
    for at_class, value in enumerate(classes):
        key = Key.of("membership_auc", {}, **{"class": str(value)})
        yield value_finding(key, NAME, of_classes, at_class, level, "score")


def _groupings(evidence: Evidence, pool: Pool) -> Iterator[Grouping]:
    """Yield the groups of the attacked rows; those of the evaluation rows, and any that members alone have."""
    for grouping in evidence.groupings:
        whole = pool.rows.grouping(*grouping.columns)
        yield replace(whole, codes=whole.codes[: pool.attacked])


def _by_group(evidence: Evidence, pool: Pool, scores: Mapping[str, Floats]) -> Iterator[Finding]:
    """Yield area and advantage of the standard attack in each group, and how far groups are apart."""
    level, seed, member, said = evidence.options.level, evidence.options.seed, pool.member, scores[STANDARD]
    for grouping in _groupings(evidence, pool):
        codes, groups = grouping.codes, len(grouping)
        area = attack_auc("membership_auc", member, said, codes, groups, level)
        yield from values(NAME, "membership_auc", area, grouping, level, "score")
        yield from between(NAME, "membership_auc", area, ("difference", "group_max"), grouping, level, "score")
        found = advantage("membership_advantage", member, said, codes, groups, level, seed)
        yield from values(NAME, "membership_advantage", found, grouping, level, "number")
        if groups > 1:
            beyond = excess("membership_excess", member, said, codes, groups, level)
            yield from values(NAME, "membership_excess", beyond, grouping, level, "number", vs="rest")


def _changed(evidence: Evidence, pool: Pool, before: Floats, after: Floats) -> Iterator[Finding]:
    """Yield how far the area moved by compression, by the same rows and references, overall and in each group."""
    level, member = evidence.options.level, pool.member
    for grouping in (None, *_groupings(evidence, pool)):
        codes = np.zeros(pool.attacked, dtype=np.int32) if grouping is None else grouping.codes
        groups = 1 if grouping is None else len(grouping)
        found: Measured = attack_auc_change("membership_auc_change", member, before, after, codes, groups, level)
        yield from values(NAME, "membership_auc_change", found, grouping, level, "number", of="original")


AUDIT: Final = Audit(
    membership,
    frozenset({"binary", "multiclass"}),
    options=MembershipOptions,
    wanted=lambda evidence: evidence.members is not None,
    asks_again=True,
)
