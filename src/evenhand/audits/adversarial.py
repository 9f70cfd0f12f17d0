"""Adversarial robustness: how many right decisions an attack within a budget turns, overall and for each group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np

from evenhand.audits.by_group import between, codes_of, values
from evenhand.audits.statement import SPARED, Audit, Statement, not_applicable
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.metrics import Tally, measure
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured
    from evenhand.metrics.catalogue.entry import How
    from evenhand.probing.attacks import Attacked, Threat
    from evenhand.subjects import Subject

    Marks = NDArray[np.bool_]

NAME = "adversarial"
UNTRUSTED: Final = message("The attacks cannot be trusted here, so no limit rests on this number.")
LINF: Final = message("Threat model: each number of a row moved by at most {radius}, within {low} to {high}.")
L2: Final = message(
    "Threat model: each row moved by at most {radius} in Euclidean length, its numbers within {low} to {high}."
)
OF_COLUMNS: Final = message(
    "Threat model: {columns} moved by at most {share:.1%} of their range each, within the range of the known rows."
)
WHITE: Final = message(
    "Attackers know the model: noise, FGSM, 20 steps of PGD from 5 starts, then a search by squares."
)
WHITE_L2: Final = message("Attackers know the model: noise, FGSM, and 20 steps of PGD from 5 starts.")
BLACK: Final = message("Attackers see scores alone: noise, and a search by squares with {queries:,} questions a row.")
SAMPLED: Final = message("{n:,} of {rows:,} rows were attacked, drawn with the seed.")
HOWS: Final[Mapping[str, tuple[How, ...]]] = {
    "robust_accuracy": ("difference", "ratio", "group_min"), "robust_accuracy_drop": ("difference", "group_max"),
    "transfer_accuracy": ("difference",),
}  # fmt: skip
"""How groups are compared."""
METHODS: Final = ("none", "noise", "fgsm", "pgd", "square", "transfer")


@dataclass(frozen=True, slots=True)
class AdversarialOptions(Declared):
    """Options of this audit."""

    attack: bool = setting(False, "Whether rows are attacked: moved so that the model decides wrongly.")
    attack_budget: float | None = setting(
        None, "How far an attack moves a row, as a share of the range of its numbers; without, 8/255 for each number, "
        "0.5 in Euclidean length, and 0.05 for columns of a table.", above=0,
    )  # fmt: skip
    attack_norm: Literal["linf", "l2"] = setting(
        "linf", "How a move is measured: by its greatest number (linf) or its Euclidean length (l2)."
    )
    attack_rows: int = setting(500, "The most rows that are attacked; of more, a sample.", least=1, unit="rows")
    attack_queries: int = setting(
        500, "How often an attack that sees scores alone asks about a row.", least=1, unit="questions"
    )
    attack_columns: tuple[str, ...] = setting(
        (), "Columns of numbers of a table that an attack may move; without any, no table is attacked."
    )


def asked_for(evidence: Evidence) -> bool:
    """Return whether an attack was asked for: by name, by its columns, or with everything where arrays are read."""
    own = evidence.options.of(AdversarialOptions)
    return own.attack or bool(own.attack_columns) or (evidence.options.everything and evidence.reads == "arrays")


def adversarial(evidence: Evidence) -> Statement:
    """State robust accuracy under attacks within a budget, for each group, and whether the attacks can be trusted."""
    own = evidence.options.of(AdversarialOptions)
    if (never := _never(evidence, own)) is not None:
        return never
    rows = _drawn(evidence, own.attack_rows)
    found = _attacked(evidence, evidence.subject, rows)
    before = None
    if (original := evidence.original) is not None and _alike(evidence, original):
        before = _attacked(evidence, original, rows)
        if evidence.reads == "arrays":  # what misleads one may mislead the other: both face both attacks
            found, before = (
                _transferred(evidence, rows, found, evidence.subject, before),
                _transferred(evidence, rows, before, original, found),
            )
    findings = list(_stated(evidence, rows, found))
    if before is not None:
        findings += _beside_original(evidence, rows, found, before)
    return Statement(tuple(findings), sentences(*_words(evidence, rows, found)))


def _never(evidence: Evidence, own: AdversarialOptions) -> Statement | None:
    """Return why nothing can be attacked; None where it can."""
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, which would be asked about moved rows.")
    if evidence.data.frequency is not None:
        return not_applicable("Rows that stand for several cannot be moved one by one.")
    return not_applicable(SPARED) if evidence.spared else _never_such(evidence, own)


def _never_such(evidence: Evidence, own: AdversarialOptions) -> Statement | None:
    """Return why inputs of this kind cannot be attacked; None where they can."""
    if evidence.reads not in ("arrays", "table"):
        reads = evidence.reads
        return not_applicable("The model reads {inputs}; attacks move numbers of arrays or tables.", inputs=reads)
    if evidence.reads == "table" and not own.attack_columns:
        return not_applicable("Of a table, name the columns that an attack may move (attack_columns).")
    if evidence.reads == "arrays" and own.attack_norm == "l2" and not _has_gradients(evidence):
        return not_applicable(
            "The gradients of this model cannot be had, and the search without them is about linf alone."
        )
    return None


def _alike(evidence: Evidence, original: Subject) -> bool:
    """Return whether the original can be attacked in the same way: it is a model that reads the same inputs."""
    from evenhand.evidence.predictions import reads

    return original.facts.get("kind") != "predictions" and reads(original, evidence.data) == evidence.reads


def _has_gradients(evidence: Evidence) -> bool:
    from evenhand.probing.attacks import gradients_of

    return gradients_of(evidence.subject, cast("NDArray[Any]", evidence.inputs.take(slice(1)).whole())) is not None


def _drawn(evidence: Evidence, most: int) -> NDArray[np.intp]:
    """Return the attacked rows: all, or a sample of as many as are allowed."""
    n = len(evidence.data)
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng([evidence.options.seed, 30]).choice(n, most, replace=False))


def _attacked(evidence: Evidence, subject: Subject, rows: NDArray[np.intp]) -> Attacked:
    from evenhand.evidence.predictions import inputs
    from evenhand.probing.attacks import attack, attack_columns, threat_of

    own, seed = evidence.options.of(AdversarialOptions), evidence.options.seed
    batch, truth = inputs(subject, evidence.data).take(rows).whole(), evidence.data.y_true[rows]
    several = evidence.data.task == "multiclass"
    if evidence.reads == "table":
        known = (evidence.background or evidence.members or evidence.data).table
        return attack_columns(
            subject, cast("pd.DataFrame", batch), truth, own.attack_columns, known, budget=own.attack_budget,
            several=several, queries=own.attack_queries, seed=seed,
        )  # fmt: skip
    held = np.asarray(batch)
    threat = threat_of(held, own.attack_norm, own.attack_budget)
    return attack(subject, held, truth, threat, several=several, queries=own.attack_queries, seed=seed)


def _words(evidence: Evidence, rows: NDArray[np.intp], found: Attacked) -> Iterator[str]:
    own, threat = evidence.options.of(AdversarialOptions), found.threat
    if evidence.reads == "table":
        yield message(OF_COLUMNS, columns=own.attack_columns, share=threat.radius)
    else:
        yield message(LINF if threat.norm == "linf" else L2, **_ends(threat))
    if found.gradients:
        yield WHITE if threat.norm == "linf" else WHITE_L2
    else:
        yield message(BLACK, queries=own.attack_queries)
    if len(rows) < len(evidence.data):
        yield message(SAMPLED, n=len(rows), rows=len(evidence.data))


def _ends(threat: Threat) -> dict[str, str]:
    return {"radius": f"{threat.radius:.4g}", "low": f"{threat.low:.4g}", "high": f"{threat.high:.4g}"}


def _stated(evidence: Evidence, rows: NDArray[np.intp], found: Attacked) -> Iterator[Finding]:
    """Yield accuracy after all attacks and what they cost, for all rows and groups, and after each attack overall."""
    lost = found.right["none"] & ~found.standing
    for metric, marks in (("robust_accuracy", found.standing), ("robust_accuracy_drop", lost)):
        yield from _of_groups(evidence, metric, rows, marks, found)
    for name in METHODS:
        if name in found.right:
            share = _share(evidence, None, rows, found.right[name])
            measured = replace(share, metric="robust_accuracy")
            doubtful = found if name not in ("none", "noise") else None
            yield from values(
                NAME, "robust_accuracy", _told(measured, doubtful), None, evidence.options.level, attack=name
            )
    yield _reliability(found)


def _reliability(found: Attacked, **qualifiers: str) -> Finding:
    key, why = Key.of("attack_unreliable", **qualifiers), sentences(*found.unreliable)
    rows = int(found.right["none"].sum())
    return Finding(
        key, NAME, float(bool(found.unreliable)), support=rows, unit="number", direction="lower_is_better", note=why
    )


def _beside_original(
    evidence: Evidence, rows: NDArray[np.intp], found: Attacked, before: Attacked
) -> Iterator[Finding]:
    """Yield robust accuracy against that of the original, and accuracy under attacks on the original."""
    level = evidence.options.level
    yield from values(
        NAME, "robust_accuracy", _told(replace(_share(evidence, None, rows, before.standing), metric="robust_accuracy"),
        before), None, level, of="original",
    )  # fmt: skip
    yield _reliability(before, of="original")
    doubtful = found if found.unreliable else before
    for grouping in (None, *evidence.groupings):
        codes, groups = codes_of(grouping, rows)
        one = np.ones(len(rows), dtype=np.int8)
        joint = JointTally.count(one, before.standing, found.standing, codes, groups, **_worth(evidence, rows))
        change = replace(measure_change("accuracy", joint, level), metric="robust_accuracy_change")
        yield from values(NAME, "robust_accuracy_change", _told(change, doubtful), grouping, level, of="original")
    if "transfer" in found.right:
        yield from _of_groups(evidence, "transfer_accuracy", rows, found.right["transfer"], None, of="original")


def _transferred(
    evidence: Evidence, rows: NDArray[np.intp], found: Attacked, subject: Subject, other: Attacked
) -> Attacked:
    """Return what is known of a model with the attacks that were made for the other one, too."""
    from evenhand.probing.attacks import answers_of

    right = answers_of(subject, evidence.data.task == "multiclass")(other.moved, evidence.data.y_true[rows])[0]
    return replace(found, right={**found.right, "transfer": right & found.right["none"]})


def _of_groups(
    evidence: Evidence, metric: str, rows: NDArray[np.intp], marks: Marks, found: Attacked | None, **qualifiers: str
) -> Iterator[Finding]:
    """Yield a share of the attacked rows overall, for each group, and between groups."""
    level = evidence.options.level
    for grouping in (None, *evidence.groupings):
        share = _told(replace(_share(evidence, grouping, rows, marks), metric=metric), found)
        yield from values(NAME, metric, share, grouping, level, "share", **qualifiers)
        if grouping is not None:
            yield from between(NAME, metric, share, HOWS[metric], grouping, level, "share", **qualifiers)


def _share(evidence: Evidence, grouping: Grouping | None, rows: NDArray[np.intp], marks: Marks) -> Measured:
    codes, groups = codes_of(grouping, rows)
    one, worth = np.ones(len(rows), dtype=np.int8), _worth(evidence, rows)
    tally = Tally.count(one, marks.astype(np.int8), codes, groups, **worth)
    return measure("accuracy", tally, evidence.options.level)


def _worth(evidence: Evidence, rows: NDArray[np.intp]) -> dict[str, Any]:
    data = evidence.data
    parts = {"sample_weight": data.sample_weight, "clusters": data.clusters}
    return {name: None if part is None else part[rows] for name, part in parts.items()}


def _told(measured: Measured, found: Attacked | None) -> Measured:
    """Return values of which no interval covers where the attacks behind them cannot be trusted."""
    if found is None or not found.unreliable:
        return measured
    return replace(measured, uncovered=(UNTRUSTED,) * len(measured.estimate))


AUDIT: Final = Audit(
    adversarial, frozenset({"binary", "multiclass"}), options=AdversarialOptions, wanted=asked_for, asks_again=True
)
