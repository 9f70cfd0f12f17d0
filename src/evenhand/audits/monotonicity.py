"""Scores that move against a declared direction while one feature grows and all else stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.audits.by_group import between, codes_of, values
from evenhand.audits.statement import SPARED, Audit, Statement, not_applicable
from evenhand.errors import InputError, did_you_mean, raise_all
from evenhand.messages import message
from evenhand.metrics import Tally, means, measure, measured_mean
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "monotonicity"
WAYS: Final = ("increase", "decrease")
SAID: Final = message("{n:,} rows, each with {points} quantiles of a feature among the known rows; all else stays.")


@dataclass(frozen=True, slots=True)
class MonotonicityOptions(Declared):
    """Options of this audit."""

    monotone: Mapping[str, str] = setting(
        {}, "Features by which the score may only increase, or only decrease, all else equal.",
        alone="increase", recorded="always",
    )  # fmt: skip
    monotone_rows: int = setting(500, "The most rows that are looked at; of more, a sample.", least=1, unit="rows")
    monotone_points: int = setting(11, "Quantiles that each feature is put to.", least=2, most=201, unit="points")


def monotonicity(evidence: Evidence) -> Statement:
    """State how many rows' scores move against a declared direction, and how far, for each group."""
    own = evidence.options.of(MonotonicityOptions)
    if not own.monotone:
        return not_applicable("No direction was declared (monotone), such as income=increase.")
    if evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Predictions were given without a model, which would be asked about changed rows.")
    if evidence.spared:
        return not_applicable(SPARED)
    if evidence.data.frequency is not None:
        return not_applicable("Rows that stand for several cannot be changed one by one.")
    table = cast("pd.DataFrame", evidence.inputs.whole())
    raise_all(InputError, _problems(table, own.monotone))
    rows = np.arange(len(table))
    if len(rows) > own.monotone_rows:
        rng = np.random.default_rng([evidence.options.seed, 37])
        rows = np.sort(rng.choice(len(table), own.monotone_rows, replace=False))
    findings: list[Finding] = []
    for feature, way in sorted(own.monotone.items()):
        findings += _stated(evidence, feature, rows, _falls(evidence, table.iloc[rows], feature, way))
    return Statement(tuple(findings), message(SAID, n=len(rows), points=own.monotone_points))


def _problems(table: pd.DataFrame, declared: Mapping[str, str]) -> Iterator[str]:
    names = [str(name) for name in table.columns]
    for feature, way in declared.items():
        if feature not in names:
            yield f"monotone: the model reads no column '{feature}'.{did_you_mean(feature, names)}"
        elif table[feature].dtype.kind not in "iuf":
            yield f"monotone: '{feature}' is no column of numbers, and only these can grow."
        if way not in WAYS:
            yield f"monotone: '{feature}' goes {way!r}; known are {', '.join(WAYS)}.{did_you_mean(way, WAYS)}"


def _falls(evidence: Evidence, table: pd.DataFrame, feature: str, way: str) -> NDArray[np.float64]:
    """Return (n,) the greatest move of each row's score against the direction, between any two points of the grid."""
    known = (evidence.background or evidence.members or evidence.data).table[feature].dropna()
    points = evidence.options.of(MonotonicityOptions).monotone_points
    grid = np.unique(np.quantile(known, np.linspace(0, 1, points), method="nearest"))
    kind, best = table[feature].dtype, np.full(len(table), -np.inf)
    worst = np.zeros(len(table))
    for value in grid if way == "increase" else grid[::-1]:
        changed = table.copy()
        changed[feature] = np.full(len(table), value).astype(cast("np.dtype[np.generic]", kind))
        scores = np.asarray(evidence.subject.predict(changed), dtype=np.float64)
        best = np.maximum(best, scores)
        worst = np.maximum(worst, best - scores)
    size = float(np.abs(best).max(initial=0.0))
    return np.where(worst > _rounding(size), worst, 0.0)


def _spread(evidence: Evidence) -> float:
    """Return how far apart the scores of all rows are: what a row that falls by all of it would count."""
    said = evidence.predictions
    scores = said.y_pred if said.y_score is None else said.y_score
    return float(np.ptp(scores)) if said.kind != "probability" else 1.0


def _rounding(size: float) -> float:
    """Return how far single precision may move scores of such a size."""
    return 1e-6 * max(size, 1e-3)


def _stated(evidence: Evidence, feature: str, rows: NDArray[np.intp], falls: NDArray[np.float64]) -> Iterator[Finding]:
    level, data = evidence.options.level, evidence.data
    one, against = np.ones(len(rows), dtype=np.int8), (falls > 0).astype(np.int8)
    weight, clusters = (None if part is None else part[rows] for part in (data.sample_weight, data.clusters))
    numbers = data.task == "regression"
    for grouping in (None, *evidence.groupings):
        codes, groups = codes_of(grouping, rows)
        worth: dict[str, Any] = {"sample_weight": weight, "clusters": clusters}
        share = replace(
            measure("accuracy", Tally.count(one, against, codes, groups, **worth), level),
            metric="monotonicity_violations",
        )
        found = means(falls, codes, groups, weight=weight, clusters=clusters)
        size = measured_mean("monotonicity_fall", found, level, unseen=np.full(groups, _spread(evidence)))
        yield from values(NAME, "monotonicity_violations", share, grouping, level, feature=feature)
        yield from values(
            NAME, "monotonicity_fall", size, grouping, level, "number" if numbers else "score", feature=feature
        )
        if grouping is not None:
            yield from between(
                NAME, "monotonicity_violations", share, ("difference", "group_max"), grouping, level, feature=feature
            )


AUDIT: Final = Audit(
    monotonicity, frozenset({"binary", "regression"}), options=MonotonicityOptions, of_columns=True,
    wanted=lambda evidence: bool(evidence.options.of(MonotonicityOptions).monotone), asks_again=True,
)  # fmt: skip
