"""Effects and interactions of the top features, and a surrogate tree."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import Audit, Statement, interval_of, not_applicable, without_model
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.messages import joined, message, messages
from evenhand.metrics.inference.intervals import clopper_pearson, z_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from evenhand.evidence import Evidence
    from evenhand.explaining.dependence import Effect
    from evenhand.explaining.scores import LinkedScore

NAME = "dependence"
FEATURES: Final = 3
"""Features whose effects are stated, the most important ones."""
PAIRED: Final = 3
"""Of these, features whose interactions are stated."""
MOST_ROWS: Final = 300
"""Rows over which effects are averaged."""
LEAST_ROWS: Final = 20
"""Rows below which nothing is averaged."""


def dependence(evidence: Evidence) -> Statement:
    """State effects and interactions of the top features, and the fidelity of a small surrogate tree."""
    words = message("Predictions were given without a model, which would be asked about changed rows.")
    if (absent := without_model(evidence, words)) is not None:
        return absent
    table = evidence.explained_table.iloc[:MOST_ROWS]
    if len(table) < LEAST_ROWS:
        return not_applicable("{n} explained rows are too few to average effects over.", n=len(table))
    from evenhand.explaining.scores import score_of

    score = score_of(evidence.subject, table, evidence.attributions.link)
    findings = [*_effects(evidence, score, table), *_interactions(evidence, score, table)]
    told, rules = _surrogate(evidence, score)
    return Statement((*findings, *told), rules)


def _top(evidence: Evidence, most: int) -> list[str]:
    """Return the most important features that are single columns."""
    attributions = evidence.attributions
    order = np.argsort(-np.abs(attributions.values).mean(axis=0), kind="stable")
    names = [attributions.feature_names[at] for at in order]
    return [name for name in names if name in evidence.explained_table.columns][:most]


def _effects(evidence: Evidence, score: LinkedScore, table: pd.DataFrame) -> Iterator[Finding]:
    from evenhand.explaining.dependence import accumulated_effect, partial_dependence

    level = evidence.options.level
    for name in _top(evidence, FEATURES):
        yield from _stated(partial_dependence(score, table, name, level), level)
        local = accumulated_effect(score, table, name, level)
        if local is not None:
            yield from _stated(local, level)


def _stated(effect: Effect, level: float) -> Iterator[Finding]:
    for at, place in enumerate(effect.places):
        text = f"{place:.6g}" if isinstance(place, float) else str(place)
        key, ends = Key.of(effect.kind, [effect.feature], at=text), (effect.low[at], effect.high[at])
        interval = interval_of(*ends, level, "t, rows")
        yield Finding(key, NAME, float(effect.estimate[at]), interval, support=effect.rows, unit="score")


def _interactions(evidence: Evidence, score: LinkedScore, table: pd.DataFrame) -> Iterator[Finding]:
    from evenhand.explaining.blocks import t_quantile
    from evenhand.explaining.dependence import interaction

    level = evidence.options.level
    for one, other in combinations(_top(evidence, PAIRED), 2):
        strength, error = interaction(score, table, one, other, evidence.options.seed)
        half = t_quantile(level, 9) * error
        interval = Interval(max(strength - half, 0.0), min(strength + half, 1.0), level, "jackknife over rows")
        key = Key.of("interaction_strength", [one, other])
        yield Finding(key, NAME, strength, interval, support=len(table), unit="score")


def _surrogate(evidence: Evidence, score: LinkedScore) -> tuple[list[Finding], str]:
    """State the fidelity of a small surrogate tree, and its rules in words."""
    from evenhand.explaining.surrogate import surrogate

    table, wanted = evidence.explained_table, evidence.attributions.predictions
    tree = surrogate(table, wanted, evidence.options.seed)
    held = wanted[tree.held_out]
    findings = [Finding(Key.of("surrogate_fidelity"), NAME, tree.fidelity(held), support=len(held), unit="score")]
    if evidence.data.task == "binary":
        cut = float(score.on_scale(np.array([evidence.predictions.threshold]))[0])
        alike = int(((tree.scores >= cut) == (held >= cut)).sum())
        low, high = clopper_pearson([alike], [len(held)], z_of(evidence.options.level))
        interval = interval_of(low[0], high[0], evidence.options.level, "clopper-pearson")
        key = Key.of("surrogate_agreement")
        findings.append(Finding(key, NAME, alike / len(held), interval, support=len(held)))
    leaves = [
        messages("{rule}: {mean:+.2f} ({n} row)", "{rule}: {mean:+.2f} ({n} rows)", rows, rule=said, mean=mean)
        for said, mean, rows in tree.rules
    ]
    told = message(
        "A tree of at most three questions a row, mean scores of its leaves: {leaves}.", leaves=joined("; ", leaves)
    )
    return findings, told


AUDIT: Final = Audit(dependence, frozenset({"binary", "regression"}), of_columns=True)
