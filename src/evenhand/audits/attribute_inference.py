"""Attribute inference: what the model gives away of the sensitive values of the people it was fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.statement import SPARED, Audit, Statement, group_key, interval_of, not_applicable, singles
from evenhand.errors import InputError
from evenhand.findings import Finding
from evenhand.messages import message
from evenhand.metrics.inference.intervals import difference_interval
from evenhand.metrics.values.attacks import attack_auc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping, Inputs
    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured
    from evenhand.probing.membership.pool import Pool

    Floats = NDArray[np.float64]

NAME = "attribute_inference"
MOST_ROWS: Final = 10_000
"""The most members, and the most others, that are asked about."""
MOST_GROUPS: Final = 12
"""Groups of a feature that are tried."""
ONE_VALUE: Final = message("No row of this group, or no other one, is among them.")
TOLD: Final = message(
    "Of {columns}, which the model reads, every value was tried in {members:,} members and {others:,} rows that it "
    "never saw. The attacker knows all other columns and the truth."
)
LEFT: Final = message("Not tried: {columns}, of more than {most} groups.")


def attribute_inference(evidence: Evidence) -> Statement:
    """State how much better the model tells a sensitive value of members than of others, beside an imputation."""
    if evidence.members is None:
        return not_applicable("No rows were given that the model was fitted on (--privacy).")
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, which would be asked about changed rows.")
    if evidence.spared:
        return not_applicable(SPARED)
    from evenhand.evidence.predictions import columns_read, reads
    from evenhand.probing.membership.pool import draw

    columns, seed = columns_read(evidence.subject, evidence.data), evidence.options.seed
    read = [grouping for grouping in singles(evidence) if grouping.columns[0] in columns]
    if not read:
        return not_applicable("The model reads no sensitive feature, so none was tried in its inputs.")
    try:
        kind = reads(evidence.subject, evidence.data)
        pool = draw(evidence.members, evidence.data, columns, kind, MOST_ROWS, seed)
    except InputError as wrong:
        return not_applicable("No value was tried: {problem}", problem=str(wrong))
    tried = [grouping for grouping in read if len(grouping) <= MOST_GROUPS]
    findings = [finding for grouping in tried for finding in _tried(evidence, pool, columns, grouping.columns[0])]
    left = [grouping.columns[0] for grouping in read if grouping not in tried]
    said = message(TOLD, columns=tuple(g.columns[0] for g in tried), members=pool.members, others=pool.others)
    return Statement(tuple(findings), message(LEFT, columns=tuple(left), most=MOST_GROUPS) if left else said)


def _tried(evidence: Evidence, pool: Pool, columns: tuple[str, ...], column: str) -> Iterator[Finding]:
    """Yield, for each value of a column, how well it is told of members and of others, and without the model."""
    from evenhand.probing.attributes import fits, imputed, representatives

    level, rows, n = evidence.options.level, pool.rows, pool.attacked
    grouping = rows.grouping(column)
    table = rows.table[list(columns)].iloc[:n]
    shares = fits(table, column, representatives(rows, grouping), _asked(evidence, pool))
    known, half = np.arange(n, len(rows)), np.arange(pool.members, n)[::2]
    guessed = imputed(rows, [name for name in columns if name != column], grouping.codes, np.append(half, known))
    parts = {"members": np.arange(pool.members), "others": np.arange(pool.members, n)}
    judged = {"imputation": np.arange(pool.members, n)[1::2]}
    for group in range(1 if len(grouping) == 2 else len(grouping)):  # of two groups, one is enough
        has = (grouping.codes == group).astype(np.int8)
        found = {part: _area(has[at], shares[at, group], level) for part, at in parts.items()}
        found |= {part: _area(has[at], guessed[at, group], level) for part, at in judged.items()}
        for part, area in found.items():
            yield _finding("attribute_auc", grouping, group, area, level, part)
        yield _gain(grouping, group, found, level)


def _asked(evidence: Evidence, pool: Pool) -> Any:
    """Return a function from changed inputs of the attacked rows to the confidence in their truth."""
    from evenhand.evidence.own_decisions import decided
    from evenhand.evidence.predictions import ask, of_task
    from evenhand.probing.membership.signals import confidence

    subject, data, truth = evidence.subject, evidence.data, pool.rows.y_true[: pool.attacked]

    def confident(inputs: Inputs) -> Floats:
        said = ask(subject, inputs)
        kind, threshold = subject.score_kind, float(subject.threshold)
        if data.task != "binary":
            scores = of_task(data, said, kind).y_score
            return confidence(truth, scores, said.argmax(axis=1), kind, threshold)
        return confidence(truth, said, decided(subject, inputs, said), kind, threshold)

    return confident


def _area(has: NDArray[np.int8], score: Floats, level: float) -> Measured:
    return attack_auc("attribute_auc", has, score, np.zeros(len(has), dtype=np.int32), 1, level)


def _finding(metric: str, grouping: Grouping, group: int, found: Measured, level: float, part: str) -> Finding:
    key, rows = group_key(metric, grouping, group, of=part), int(found.rows[0])
    if not found.defined[0]:
        return Finding(key, NAME, None, support=rows, direction="lower_is_better", unit="score", undefined=ONE_VALUE)
    ends = interval_of(found.low[0], found.high[0], level, found.method)
    return Finding(key, NAME, float(found.estimate[0]), ends, rows, "lower_is_better", unit="score")


def _gain(grouping: Grouping, group: int, found: dict[str, Measured], level: float) -> Finding:
    """Return the area of members less that of others; they are other rows, so the two are independent."""
    mine, others = found["members"], found["others"]
    key, rows = group_key("attribute_gain", grouping, group), int(mine.rows[0] + others.rows[0])
    if not (mine.defined[0] and others.defined[0]):
        return Finding(key, NAME, None, support=rows, direction="lower_is_better", unit="number", undefined=ONE_VALUE)
    low, high = difference_interval((mine.estimate, mine.low, mine.high), (others.estimate, others.low, others.high))
    ends = interval_of(low[0], high[0], level, f"mover, {mine.method}")
    estimate = float(mine.estimate[0] - others.estimate[0])
    return Finding(key, NAME, estimate, ends, rows, "lower_is_better", unit="number")


AUDIT: Final = Audit(
    attribute_inference,
    frozenset({"binary", "multiclass"}),
    of_columns=True,
    wanted=lambda evidence: evidence.members is not None,
    asks_again=True,
)
