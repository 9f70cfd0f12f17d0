"""Checks of the explanations: faithfulness, stability, and change under compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import (
    Audit,
    Statement,
    group_key,
    interval_of,
    members,
    not_applicable,
    singles,
    without_model,
)
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.explaining.game import Game

NAME = "explanation_checks"
MOST_ROWS: Final = 60
"""Explained rows that are checked: each check calls the model again."""
BACKGROUND: Final = 30
"""Background rows of these checks."""
LEAST: Final = 5
"""The fewest explained rows for the checks, and for a group."""
MOST_LEARNED: Final = 2000
"""Rows that an estimator with shuffled labels is fitted to."""


def explanation_checks(evidence: Evidence) -> Statement:
    """State faithfulness, stability and sanity checks of the explanations."""
    words = message("Predictions were given without a model, so there are no explanations to check.")
    if (absent := without_model(evidence, words)) is not None:
        return absent
    if len(evidence.explained_rows) < LEAST:
        return not_applicable("{n} explained rows are too few to check.", n=len(evidence.explained_rows))
    if evidence.attributions.values.shape[1] < 2:
        return not_applicable(
            "The model has one input: its explanation is the whole score, and there is no order to check."
        )
    from evenhand.explaining.game import Game

    table = evidence.explained_table.iloc[:MOST_ROWS]
    game = Game(evidence.subject, table, evidence.background_table.iloc[:BACKGROUND], link=evidence.attributions.link)
    findings = (
        *_followed(evidence, game), *_floor(evidence), *_stable(evidence), *_agreeing(evidence, game),
        *_spoilt(evidence, game), *_moved(evidence),
    )  # fmt: skip
    said = message("Checked on {n} of {rows} explained rows.", n=len(table), rows=len(evidence.explained_rows))
    return Statement(findings, said)


def _mean(evidence: Evidence, key: Key, values: NDArray[np.float64], note: str = "") -> Iterator[Finding]:
    from evenhand.explaining.faithfulness import mean_with_interval

    if not len(values):
        return
    mean, low, high = mean_with_interval(values, evidence.options.level)
    metric = describe(key.metric)
    lowest = -np.inf if metric.lowest is None else metric.lowest
    ends = np.clip([low, high], lowest, np.inf if metric.highest is None else metric.highest)
    interval = interval_of(ends[0], ends[1], evidence.options.level, "t, rows")
    yield Finding(key, NAME, mean, interval if len(values) > 1 else None, support=len(values), unit="score", note=note)


def _followed(evidence: Evidence, game: Game) -> Iterator[Finding]:
    """State the score as features are removed, by attribution and in random order."""
    from evenhand.explaining.faithfulness import curves

    values = evidence.attributions.values[:MOST_ROWS]
    chance = np.random.default_rng([evidence.options.seed, 23]).normal(size=values.shape)
    for order, ranked in (("values", values), ("random", chance)):
        found = curves(game, ranked)
        yield from _mean(evidence, Key.of("deletion_insertion_gap", of=order), found.gap)
        for step, count in enumerate(found.taken):
            key = Key.of("score_after_removal", at=str(count), of=order)
            yield from _mean(evidence, key, found.deletion[:, step])


def _agreement(
    evidence: Evidence, one: NDArray[np.float64], other: NDArray[np.float64], of: str, note: str = ""
) -> Iterator[Finding]:
    from evenhand.explaining.comparing import cosines

    yield from _mean(evidence, Key.of("attribution_similarity", of=of), cosines(one, other), note)


def _floor(evidence: Evidence) -> Iterator[Finding]:
    """State how similar explanations against two halves of the background are: the noise of the method."""
    from evenhand.explaining.comparing import background_halves, top_shared

    halves = background_halves(evidence.attributions)
    if halves is not None:
        yield from _agreement(evidence, *halves, of="other background", note=message("What another background moves."))
        yield from _mean(evidence, Key.of("top_features_kept", of="other background"), top_shared(*halves))


def _stable(evidence: Evidence) -> Iterator[Finding]:
    """State how similar explanations of slightly noisy rows are."""
    from evenhand.explaining.comparing import NOISE, jittered

    moved = jittered(evidence.explained_table.iloc[:MOST_ROWS], evidence.options.seed)
    if moved is None:
        return
    again = evidence.explain_again(moved)
    note = message("Columns of fractions moved by {percent:g} % of their deviation.", percent=100 * NOISE)
    yield from _agreement(evidence, evidence.attributions.values[:MOST_ROWS], again.values, "noise", note)


def _agreeing(evidence: Evidence, game: Game) -> Iterator[Finding]:
    """State the agreement with other explainers: leave-one-feature-out, and gradients where available."""
    from evenhand.explaining.game import occlusion

    values = evidence.attributions.values[:MOST_ROWS]
    yield from _agreement(evidence, values, occlusion(game), "leaving one out")
    if game.parts is not None and game.parts.network is not None:
        other = evidence.explain_again(evidence.explained_table.iloc[:MOST_ROWS], method="gradients")
        if other.method == "gradients":
            yield from _agreement(evidence, values, other.values, "expected gradients")


def _spoilt(evidence: Evidence, game: Game) -> Iterator[Finding]:
    """State how similar explanations of a model with random weights, or fitted to shuffled labels, are."""
    from evenhand.explaining.comparing import explained_at_random, relearned

    names, note = list(evidence.attributions.feature_names), message("Near 1 would show the data and not the model.")
    values = evidence.attributions.values[:MOST_ROWS]
    spoilt = explained_at_random(game, evidence.options.seed)
    if spoilt is not None:
        other = np.zeros_like(values)
        for at, name in enumerate(spoilt.feature_names):
            if name in names:
                other[:, names.index(name)] = spoilt.values[:, at]
        yield from _agreement(evidence, values, other, "random weights", note)
        return
    if evidence.data.task != "binary":
        return
    rows = evidence.data.X.iloc[:MOST_LEARNED]
    fitted = relearned(evidence.subject, rows, evidence.data.y_true[:MOST_LEARNED], evidence.options.seed)
    if fitted is not None:
        again = evidence.explain_again(evidence.explained_table.iloc[:MOST_ROWS], subject=fitted)
        yield from _agreement(evidence, values, again.values, "shuffled labels", note)


def _moved(evidence: Evidence) -> Iterator[Finding]:
    """State how similar the original's explanations are, overall and by group, from the same random orders."""
    from evenhand.explaining.comparing import cosines, top_shared

    after, before = evidence.attributions, evidence.original_attributions
    if before is None or before.feature_names != after.feature_names:
        return
    yield from _agreement(evidence, after.values, before.values, "original")
    kept = top_shared(after.values, before.values)
    yield from _mean(evidence, Key.of("top_features_kept", of="original"), kept)
    for grouping in singles(evidence):
        for group, mine in members(grouping, evidence.explained_rows, LEAST):
            key = group_key("attribution_similarity", grouping, group, of="original")
            yield from _mean(evidence, key, cosines(after.values[mine], before.values[mine]))
            yield from _mean(evidence, group_key("top_features_kept", grouping, group, of="original"), kept[mine])


AUDIT: Final = Audit(explanation_checks, frozenset({"binary", "regression"}), of_columns=True)
