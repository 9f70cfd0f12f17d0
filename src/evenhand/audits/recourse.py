"""Recourse: the smallest change that flips an adverse decision, and its cost by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.audits.by_group import between, codes_of, share_of, values, worth_of
from evenhand.audits.statement import Audit, Statement, labels_of, not_applicable
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import means, measured_mean
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.evidence.predictions import Predictions
    from evenhand.explaining.recourse import Direction, Recourse
    from evenhand.findings import Unit
    from evenhand.metrics import Measured
    from evenhand.subjects import Subject

NAME = "recourse"
UP: Final = "higher_is_better"
COUNTED: Final = message("{held:,} of {n:,} ways found were accepted when the model was asked about each alone.")
NO_WAY: Final = message("No way out was found.")
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
    """State the smallest change that flips an adverse decision, its cost, and whether it holds when asked again."""
    actionable = evidence.options.of(RecourseOptions).actionable
    if not actionable:
        return not_applicable(
            "No feature was said to be actionable; with some, the way out of a refusal is looked for."
        )
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, which would be asked about changed rows.")
    refused = _refused(evidence, evidence.predictions)
    if not len(refused):
        return not_applicable("Nobody was refused.")
    chosen = _chosen(evidence, refused)
    found = _ways(evidence, _deciding(evidence), chosen)
    findings = [*_costs(evidence, chosen, found), *_held(evidence, chosen, found), *_kept(evidence)]
    words = message("{n:,} of {rows:,} refused rows; one or two of {features} are changed.")
    said = message(words, n=len(chosen), rows=len(refused), features=tuple(actionable))
    return Statement(tuple(findings), said)


def _refused(evidence: Evidence, said: Predictions) -> NDArray[np.int64]:
    return np.flatnonzero((said.y_pred == 1) != _good(evidence))


def _good(evidence: Evidence) -> bool:
    return evidence.data.roles.favourable_is_positive is not False


def _chosen(evidence: Evidence, refused: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng([evidence.options.seed, 11]).permutation(refused)[:MOST_ROWS])


@dataclass(frozen=True, slots=True)
class _Deciding:
    """A model that decides, and which of its decisions is good for the person."""

    model: Subject
    threshold: float
    good: bool

    def accepts(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        return np.asarray((self.model.predict(rows) >= self.threshold) == self.good)

    def accepts_alone(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Return whether each row is accepted when the model is asked about nothing else."""
        return np.array([self.accepts(rows.iloc[[at]])[0] for at in range(len(rows))], dtype=bool)


def _deciding(evidence: Evidence) -> _Deciding:
    return _Deciding(evidence.subject, evidence.predictions.threshold, _good(evidence))


def _ways(evidence: Evidence, asked: _Deciding, chosen: NDArray[np.int64]) -> Recourse:
    """Return the least change of each chosen row that the model accepts."""
    from evenhand.evidence.predictions import table_of
    from evenhand.explaining.recourse import recourse as least_change

    actionable = evidence.options.of(RecourseOptions).actionable
    given = cast("dict[str, Direction]", dict(actionable))
    rows = table_of(asked.model, evidence.data).iloc[chosen]
    return least_change(asked.accepts, rows, evidence.background_table, given, _levels(asked.model, actionable))


def _levels(model: Subject, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the levels that the model has learned of each category among the features, where it tells them."""
    columns = getattr(getattr(model, "preprocessing", None), "columns", ())
    learned = {column.name: column.levels for column in columns if hasattr(column, "levels")}
    return {name: frozenset(learned[name]) for name in names if name in learned}


def _costs(evidence: Evidence, chosen: NDArray[np.int64], found: Recourse) -> Iterator[Finding]:
    """State how many refused rows have no way out, and what the way of the others costs."""
    level = evidence.options.level
    for grouping in (None, *evidence.groupings):
        none = share_of(evidence, np.isinf(found.cost), chosen, grouping)
        stated: tuple[tuple[str, Measured, Unit], ...] = (
            ("no_recourse_rate", none, "share"),
            ("recourse_cost", _mean_cost(evidence, chosen, found, grouping), "number"),
        )
        for metric, measured, unit in stated:
            yield from values(NAME, metric, measured, grouping, level, unit)
            if grouping is not None:
                yield from between(NAME, metric, measured, ("difference",), grouping, level, unit)


def _mean_cost(evidence: Evidence, chosen: NDArray[np.int64], found: Recourse, grouping: Grouping | None) -> Measured:
    rows = chosen[found.found]
    codes, groups = codes_of(grouping, rows)
    worth = worth_of(evidence, rows)
    return measured_mean(
        "recourse_cost", means(found.cost[found.found], codes, groups, **worth), evidence.options.level
    )


def _held(evidence: Evidence, chosen: NDArray[np.int64], found: Recourse) -> Iterator[Finding]:
    """State how many of the ways hold when the model is asked about each changed row alone; counted, not estimated."""
    holds = _deciding(evidence).accepts_alone(found.rows.iloc[found.found])
    for grouping in (None, *evidence.groupings):
        codes, groups = codes_of(grouping, chosen[found.found])
        for group in range(groups):
            mine = holds[codes == group]
            key = Key.of("recourse_flip_rate", labels_of(grouping, group))
            if len(mine):
                note = message(COUNTED, held=int(mine.sum()), n=len(mine))
                yield Finding(key, NAME, float(mine.mean()), support=len(mine), direction=UP, note=note)
            else:
                yield Finding(key, NAME, None, direction=UP, undefined=NO_WAY)


def _kept(evidence: Evidence) -> Iterator[Finding]:
    """State how many people who were told a way by the original are accepted by the audited model when they took it."""
    from evenhand.evidence.predictions import reads, table_of

    original, said = evidence.original, evidence.original_predictions
    if original is None or said is None or reads(original, evidence.data) != "table":
        return
    wanted = set(table_of(evidence.subject, evidence.data))
    read = set(table_of(original, evidence.data))
    actionable = set(evidence.options.of(RecourseOptions).actionable)
    if not (actionable | wanted <= read <= set(evidence.background_table)):
        return
    chosen = _chosen(evidence, _refused(evidence, said))
    found = _ways(evidence, _Deciding(original, said.threshold, _good(evidence)), chosen)
    told, level = found.found, evidence.options.level
    holds = _deciding(evidence).accepts_alone(found.rows.iloc[told])
    for grouping in (None, *evidence.groupings):
        measured = share_of(evidence, holds, chosen[told], grouping, NO_WAY)
        yield from values(NAME, "recourse_kept_rate", measured, grouping, level, of="original")
        if grouping is not None:
            yield from between(NAME, "recourse_kept_rate", measured, ("difference",), grouping, level, of="original")


AUDIT: Final = Audit(recourse, of_columns=True, options=RecourseOptions)
