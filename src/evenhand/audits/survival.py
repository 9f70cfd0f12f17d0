"""The time until an event, where follow-up may end before it: order of risks, and risks by the horizon."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.by_group import Quantity, between, values
from evenhand.audits.statement import Audit, Statement, not_applicable
from evenhand.messages import message, sentences
from evenhand.metrics import METRICS
from evenhand.metrics.catalogue.names import hows_of
from evenhand.metrics.values.survival import concordance, expected_to_observed, observed_risk, unresolved_share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evenhand.data import Grouping
    from evenhand.data.evaluation_set import FollowUp
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding
    from evenhand.metrics import Measured

NAME: Final = "survival"
NOT_FOLLOWED: Final = message("No time until an event is given, so there is no survival to audit.")
NO_SCORE: Final = message("The model gives decisions without scores, so that there is no order of risks.")
NO_RISK: Final = message(
    "The scores rank, but are no risks of the event by the horizon, so expected and observed risks are not compared."
)
WEIGHTS: Final = message(
    "{censored:,} of {rows:,} rows were censored before the horizon ({horizon:g}). Figures elsewhere are of the rows "
    "whose outcome by then is known, weighted by the inverse of the chance of not being censored, {curve}."
)
CURVES: Final = {
    "by group": message("estimated within the groups of the sensitive features together"),
    "overall": message("estimated over all rows"),
}
"""Whose censoring the weights are of."""


def survival(evidence: Evidence) -> Statement:
    """State how well scores order the times of events, and whether predicted risks by the horizon are observed."""
    data = evidence.data
    if data.follow_up is None or data.horizon is None:
        return not_applicable(NOT_FOLLOWED)
    lost, rows = int((~data.follow_up.known).sum()), len(data.follow_up.known)
    curve = CURVES[data.horizon.censoring]
    words = [message(WEIGHTS, censored=lost, rows=rows, horizon=data.horizon.at, curve=curve)]
    if evidence.followed_scores is None:
        words.append(NO_SCORE)
    elif evidence.predictions.kind != "probability":
        words.append(NO_RISK)
    findings = [
        finding for quantity in _quantities(evidence, data.follow_up, data.horizon.at)
        for finding in _stated(evidence, data.follow_up, quantity)
    ]  # fmt: skip
    return Statement(tuple(findings), sentences(*words))


def _quantities(evidence: Evidence, follow_up: FollowUp, horizon: float) -> Iterator[Quantity]:
    """Yield what is measured, each over all rows that were followed."""
    scores, level = evidence.followed_scores, evidence.options.level
    worth: dict[str, Any] = {
        "level": level, "weight": follow_up.everyone.sample_weight, "clusters": follow_up.everyone.clusters,
    }  # fmt: skip
    time, event = follow_up.time, follow_up.event

    def over(compute: Callable[..., Measured]) -> Callable[[Grouping | None], Measured]:
        def measured(grouping: Grouping | None) -> Measured:
            codes = np.zeros(len(time), dtype=np.int32) if grouping is None else grouping.codes
            return compute(codes=codes, n_groups=1 if grouping is None else len(grouping), **worth)

        return measured

    if scores is not None:
        at: dict[str, Any] = {"horizon": horizon, "censoring": follow_up.censoring}
        yield Quantity("concordance", over(partial(concordance, time, event, scores, **at)), "score")
        yield Quantity("harrell_concordance", over(partial(concordance, time, event, scores)), "score")
    yield Quantity(
        "observed_risk", over(partial(observed_risk, time, event, horizon, strata=follow_up.censoring.of_row))
    )
    if scores is not None and evidence.predictions.kind == "probability":
        ratio = partial(expected_to_observed, time, event, scores, horizon, strata=follow_up.censoring.of_row)
        yield Quantity("expected_to_observed", over(ratio), "number")
    yield Quantity("unresolved_share", over(partial(unresolved_share, time, event, horizon)))


def _stated(evidence: Evidence, follow_up: FollowUp, quantity: Quantity) -> Iterator[Finding]:
    """State a metric over all rows, for each group, and between groups: the groups are those of all rows."""
    level, metric = evidence.options.level, quantity.metric
    yield from values(NAME, metric, quantity.measure(None), None, level, quantity.unit)
    for columns in (grouping.columns for grouping in evidence.groupings):
        grouping = follow_up.everyone.grouping(*columns)
        found = quantity.measure(grouping)
        yield from values(NAME, metric, found, grouping, level, quantity.unit)
        yield from between(NAME, metric, found, hows_of(METRICS[metric]), grouping, level, quantity.unit)


AUDIT: Final = Audit(survival, wanted=lambda evidence: evidence.data.follow_up is not None)
