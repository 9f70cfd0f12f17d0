"""Recourse: the smallest change that flips an adverse decision, and its cost by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.audits.by_group import between, values
from evenhand.audits.statement import Audit, Statement, not_applicable
from evenhand.messages import message
from evenhand.metrics import Tally, means, measure, measured_mean
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.explaining.recourse import Direction
    from evenhand.findings import Finding, Unit
    from evenhand.metrics import Measured

NAME = "recourse"
MOST_ROWS: Final = 300
"""The most refused rows for which recourse is searched; of more, a seeded sample."""


@dataclass(frozen=True, slots=True)
class RecourseOptions(Declared):
    """Options of this audit."""

    actionable: Mapping[str, str] = setting(
        {}, "Features that a person can change, with the direction: increase, decrease or any.",
        alone="any", recorded="always",
    )  # fmt: skip


def recourse(evidence: Evidence) -> Statement:
    """State the cost of the smallest change that flips an adverse decision, and how many have none, by group."""
    actionable = evidence.options.of(RecourseOptions).actionable
    if not actionable:
        return not_applicable(
            "No feature was said to be actionable; with some, the way out of a refusal is looked for."
        )
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, which would be asked about changed rows.")
    from evenhand.explaining.recourse import recourse as least_change

    table = cast("pd.DataFrame", evidence.inputs.whole())
    good = evidence.data.roles.favourable_is_positive is not False
    refused = np.flatnonzero((evidence.predictions.y_pred == 1) != good)
    if not len(refused):
        return not_applicable("Nobody was refused.")
    rng = np.random.default_rng([evidence.options.seed, 11])
    chosen = np.sort(rng.permutation(refused)[:MOST_ROWS])
    threshold = evidence.predictions.threshold

    def accepts(rows: pd.DataFrame) -> NDArray[np.bool_]:
        return np.asarray((evidence.subject.predict(rows) >= threshold) == good)

    given = cast("dict[str, Direction]", dict(actionable))
    found = least_change(accepts, table.iloc[chosen], evidence.background_table, given)
    findings = list(_stated(evidence, None, np.zeros(len(chosen), dtype=np.int64), found.cost))
    for grouping in evidence.groupings:
        findings += _stated(evidence, grouping, grouping.codes[chosen].astype(np.int64), found.cost)
    words = message("{n:,} of {rows:,} refused rows; one or two of {features} are changed.")
    said = message(words, n=len(chosen), rows=len(refused), features=tuple(actionable))
    return Statement(tuple(findings), said)


def _stated(
    evidence: Evidence, grouping: Grouping | None, codes: NDArray[np.int64], cost: NDArray[np.float64]
) -> Iterator[Finding]:
    level, groups = evidence.options.level, 1 if grouping is None else len(grouping.labels)
    stuck = np.isinf(cost).astype(np.int8)
    none = measure("selection_rate", Tally.count(stuck, stuck, codes, groups), level)
    price = measured_mean("recourse_cost", means(cost[stuck == 0], codes[stuck == 0], groups), level)
    stated: tuple[tuple[Measured, Unit], ...] = ((none, "share"), (price, "number"))
    for metric, (found, unit) in zip(("no_recourse_rate", "recourse_cost"), stated, strict=True):
        yield from values(NAME, metric, found, grouping, level, unit)
        if grouping is not None:
            yield from between(NAME, metric, found, ("difference",), grouping, level, unit)


AUDIT: Final = Audit(recourse, of_columns=True, options=RecourseOptions)
