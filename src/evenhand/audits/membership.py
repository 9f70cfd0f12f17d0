"""Membership inference: who can be told to have been among the rows that a model was fitted on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.audits.statement import SPARED, Audit, Statement, not_applicable, value_finding
from evenhand.errors import InputError
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.metrics.values.attacks import advantage, attack_auc, attack_auc_change, excess, hits_at
from evenhand.metrics.values.means import measured_share
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.evidence import Evidence
    from evenhand.messages import Message
    from evenhand.metrics import Measured
    from evenhand.probing.membership.pool import Pool
    from evenhand.probing.membership.references import Asked, Recipe
    from evenhand.subjects import Subject

    Floats = NDArray[np.float64]

NAME = "membership"
STANDARD: Final = "rmia"
"""The attack whose findings have no qualifier."""
DEEP: Final = 16
"""References of a deep audit, at least."""
AT: Final = ("0.01", "0.001")
"""Shares of false alarms at which the members found are stated."""
KINDS: Final = {
    "function": message("They were fitted by the function that was given."),
    "same recipe": message("They were fitted by the model's own recipe."),
    "proxy": message(
        "The model's recipe is not known, so they are logistic regressions: what is found is a lower bound, from proxy "
        "references."
    ),
}
"""What the reference models were."""
DRAWN: Final = message(
    "{members:,} members and {others:,} rows that the model never saw were attacked with {n} reference models, each "
    "fitted on half of them."
)
STOPPED: Final = message("The time was over after {n} of {wanted} reference models.")
INSTEAD: Final = message("The model's own recipe could not be used: {problem}")
REPEATED: Final = message(
    "{n:,} evaluation rows are equal to a row that the model was fitted on. They count neither as members nor as "
    "others."
)
NO_MEMBERS: Final = message(
    "No rows were given that the model was fitted on; with them it is asked whom the model gives away (--privacy)."
)


@dataclass(frozen=True, slots=True)
class MembershipOptions(Declared):
    """Options of this audit."""

    privacy_rows: int = setting(
        10_000, "The most members, and the most other rows, that are attacked; of more, as many are drawn by the seed.",
        least=20, unit="rows",
    )  # fmt: skip
    privacy_references: int = setting(
        4, "Reference models fitted to attack membership, in pairs that share the rows between them.", least=2,
        unit="models",
    )  # fmt: skip
    privacy_deep: bool = setting(
        False, "Whether membership is attacked with at least 16 reference models, and by LiRA, too."
    )
    privacy_budget: float | None = setting(
        None, "Time after which no further pair of reference models is fitted.", above=0, unit="seconds"
    )
    privacy_folder: str | None = setting(
        None, "Private folder that keeps what reference models answered, row by row, so that a run goes on from there.",
        recorded="never",
    )  # fmt: skip
    train_fn: Callable[..., object] | None = setting(
        None, "Function from rows (an EvaluationSet) and a seed to a model fitted on them, as the audited one was.",
        recorded="never", only="Functions are not written in a file or on a command line.",
    )  # fmt: skip


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
    from evenhand.probing.membership.references import ask_references

    chosen = evidence.options.of(MembershipOptions)
    deep, seed = chosen.privacy_deep or evidence.options.everything, evidence.options.seed
    subject, data = evidence.subject, evidence.data
    try:
        columns, kind = columns_read(subject, data), reads(subject, data)
        pool = draw(evidence.members, data, columns, kind, chosen.privacy_rows, seed)
    except InputError as wrong:
        return not_applicable("Membership was not attacked: {problem}", problem=str(wrong))
    number = -(-max(chosen.privacy_references, DEEP if deep else 0) // 2) * 2
    asked = ask_references(
        pool, _recipes(evidence, chosen, columns), number, seed, chosen.privacy_folder, chosen.privacy_budget
    )
    scores = attack_scores(pool, _confidences(subject, pool.rows), asked, deep=deep)
    findings = [*_about(evidence, pool, asked), *_attacked(evidence, pool, scores), *_by_group(evidence, pool, scores)]
    if evidence.original is not None:
        before = attack_scores(pool, _confidences(evidence.original, pool.rows), asked)
        findings += _changed(evidence, pool, before[STANDARD], scores[STANDARD])
    return Statement(tuple(findings), _said(pool, asked))


def _said(pool: Pool, asked: Asked) -> str:
    """Return the sentences on which rows and which references it rests."""
    k = len(asked.answers)
    return sentences(
        message(DRAWN, members=pool.members, others=pool.others, n=k),
        KINDS[asked.kind],
        message(STOPPED, n=k, wanted=asked.wanted) if k < asked.wanted else "",
        message(INSTEAD, problem=asked.instead) if asked.instead else "",
        message(REPEATED, n=pool.repeated) if pool.repeated else "",
    )


def _confidences(model: object, rows: EvaluationSet) -> Floats:
    """Return the probability that a model gives to the truth of each row."""
    from evenhand.evidence.predictions import predict, proven
    from evenhand.probing.membership.signals import confidence
    from evenhand.subjects import as_subject

    said = predict(proven(as_subject(model), rows), rows)
    return confidence(said.y_true, said.y_score, said.y_pred, said.kind, said.threshold)


def _recipes(evidence: Evidence, chosen: MembershipOptions, columns: tuple[str, ...]) -> Mapping[str, Recipe]:
    """Return the ways to fit references, the best first."""
    from evenhand.probing.membership.proxies import Proxy
    from evenhand.probing.membership.references import ByFitting

    if chosen.train_fn is not None:
        return {"function": ByFitting("function", chosen.train_fn, _confidences)}
    found: dict[str, Recipe] = {}
    for model in (evidence.original, evidence.subject):  # compression is no part of the recipe
        refit = getattr(model, "refit", None)
        if callable(refit) and not found:
            found["same recipe"] = ByFitting("same recipe", refit, _confidences, _about_model(model))
    return found | {"proxy": Proxy(columns)}


def _about_model(model: Subject | None) -> str:
    """Return what tells a model's recipe from another's."""
    facts = {} if model is None else model.facts
    told = {name: facts.get(name) for name in ("kind", "class", "sha256", "features")}
    estimator: Any = getattr(model, "estimator", getattr(model, "model", None))
    return json.dumps([told, repr(estimator) if hasattr(estimator, "get_params") else ""], sort_keys=True)


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
)
