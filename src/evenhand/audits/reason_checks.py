"""Whether the stated reasons are those of the model that decides, and what compression makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import between, codes_of, share_of, values, worth_of
from evenhand.audits.statement import SPARED, Audit, Statement, not_applicable, singles, without_model
from evenhand.messages import message, sentences
from evenhand.metrics import means, measured_mean
from evenhand.metrics.values.bounded import bounded_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.explaining.erasure import Erasure
    from evenhand.findings import Finding, Unit
    from evenhand.metrics import Measured

NAME = "reason_checks"
LEAST: Final = 5
"""The fewest adverse decisions with reasons among the explained rows."""
NONE_HERE: Final = message("No adverse decision with reasons among the explained rows.")
NONE_BY_BOTH: Final = message("No row was decided against the person by both models.")
UNBOUNDED: Final = message("The score has no bounds, so what a row that was not seen may add to the mean is not known.")
CHECKED: Final = message(
    "{n} adverse decisions; the model was asked again with the reasons of each taken from {usual} rows of the "
    "reference."
)
LEFT_OUT: Final = message(
    "For {n} of them fewer other features are left than were stated: they have no control and are not counted in "
    "unfaithful reasons."
)


def reason_checks(evidence: Evidence) -> Statement:
    """State whether stated reasons move the deciding model more than other features, and what compression changed."""
    words = message("Predictions were given without a model, which would be asked again without the stated reasons.")
    if (absent := without_model(evidence, words)) is not None:
        return absent
    if evidence.spared:
        return not_applicable(SPARED)
    from evenhand.explaining.erasure import DRAWS
    from evenhand.explaining.reasons import reasons_against

    good = _good(evidence)
    adverse = np.flatnonzero(evidence.predictions.y_pred[evidence.explained_rows] != good)
    if len(adverse) < LEAST:
        return not_applicable(
            "{n} of the explained rows were decided against the person: too few to say.", n=len(adverse)
        )
    reasons = reasons_against(evidence.reason_attributions.values[adverse], low_is_bad=good == 1)
    told = (reasons >= 0).any(axis=1)
    adverse, reasons = adverse[told], reasons[told]
    if len(adverse) < LEAST:
        return not_applicable("{n} adverse decisions have a reason: too few to say.", n=len(adverse))
    findings = (*_erased(evidence, adverse, reasons), *_changed(evidence, adverse))
    usual = min(DRAWS, len(evidence.reason_background))
    said = message(CHECKED, n=len(adverse), usual=usual)
    alone = int((2 * (reasons >= 0).sum(axis=1) > evidence.explained_table.shape[1]).sum())
    return Statement(findings, sentences(said, message(LEFT_OUT, n=alone) if alone else ""))


def _good(evidence: Evidence) -> int:
    return 0 if evidence.data.roles.favourable_is_positive is False else 1


def _erased(evidence: Evidence, adverse: NDArray[np.int64], reasons: NDArray[np.int64]) -> Iterator[Finding]:
    """State what the model says with the reasons taken away, with them alone, and with other features taken."""
    from evenhand.explaining.erasure import erase

    found = erase(
        evidence.subject.predict, evidence.explained_table.iloc[adverse], evidence.reason_background, reasons,
        threshold=evidence.predictions.threshold, low_is_bad=_good(evidence) == 1,
        link=evidence.reason_attributions.link, seed=evidence.options.seed,
    )  # fmt: skip
    for grouping in (None, *singles(evidence)):
        yield from _moved(evidence, grouping, found, evidence.explained_rows[adverse])


def _moved(evidence: Evidence, grouping: Grouping | None, found: Erasure, rows: NDArray[np.int64]) -> Iterator[Finding]:
    """State the means of what was asked again, and how often reasons are no better than other features."""
    beyond = found.comprehensiveness - found.comprehensiveness_at_random
    some, level = found.comparable, evidence.options.level
    told: tuple[tuple[str, NDArray[np.float64], Unit, dict[str, str]], ...] = (
        ("reason_comprehensiveness", found.comprehensiveness, "score", {}),
        ("reason_comprehensiveness", found.comprehensiveness_at_random, "score", {"of": "random"}),
        ("reason_comprehensiveness_gain", beyond, "score", {}),
        ("reason_sufficiency", found.sufficiency, "score", {}),
        ("reason_flip_rate", found.turned, "share", {}),
        ("reason_flip_rate", found.turned_at_random, "share", {"of": "random"}),
    )
    for metric, each, unit, qualifiers in told:
        known = np.isfinite(each)
        measured = _mean(evidence, metric, each[known], _bounds(evidence, metric), grouping, rows[known])
        yield from values(NAME, metric, measured, grouping, level, unit, **qualifiers)
    yield from _share(evidence, "unfaithful_reasons", found.beyond[some] <= 0, grouping, rows[some], NONE_HERE)


def _bounds(evidence: Evidence, metric: str) -> tuple[float, float] | None:
    """Return what no value of a refusal can be beyond; None of a score that is no probability."""
    if metric == "reason_flip_rate":
        return 0.0, 1.0
    if evidence.predictions.kind != "probability":
        return None
    cut = evidence.predictions.threshold
    return (-1.0, 1.0) if metric.endswith("_gain") else (-cut if _good(evidence) else cut - 1, 1.0)


def _changed(evidence: Evidence, adverse: NDArray[np.int64]) -> Iterator[Finding]:
    """State how often reasons differ from those the original would have stated, of refusals that both make."""
    from evenhand.explaining.reason_changes import reason_changes

    after, said = evidence.reason_attributions, evidence.original_predictions
    if evidence.options.reason_reference == "mean":
        before = evidence.original_attributions
    else:
        before = evidence.of_original(evidence.reason_background, after)
    if said is None or before is None or before.feature_names != after.feature_names:
        return
    both = adverse[said.y_pred[evidence.explained_rows[adverse]] != _good(evidence)]
    found = reason_changes(after, before, both, low_is_bad=_good(evidence) == 1)
    told = (
        ("first_reason_change_rate", found.first, "original"),
        ("first_reason_change_rate", found.by_chance, "other background"),
        ("clear_reason_change_rate", found.clear, "original"),
        ("reason_set_change_rate", found.stated, "original"),
    )
    for metric, hits, of in told:
        for grouping in (None, *singles(evidence)) if hits is not None else ():
            assert hits is not None  # there would be no grouping
            yield from _share(evidence, metric, hits, grouping, evidence.explained_rows[both], NONE_BY_BOTH, of=of)


def _mean(
    evidence: Evidence, metric: str, each: NDArray[np.float64], bounds: tuple[float, float] | None,
    grouping: Grouping | None, rows: NDArray[np.int64],
) -> Measured:  # fmt: skip
    """Return the means of some rows' values, with what each row is worth; without bounds none carries a limit."""
    (codes, groups), level = codes_of(grouping, rows), evidence.options.level
    worth = worth_of(evidence, rows)
    if bounds is None:
        found = measured_mean(metric, means(each, codes, groups, **worth), level)
        found = replace(found, uncovered=(UNBOUNDED,) * groups)
    else:
        found = bounded_mean(metric, each, codes, groups, bounds, level, **worth)
    return replace(found, reason=tuple(NONE_HERE if why else "" for why in found.reason))


def _share(
    evidence: Evidence, metric: str, hits: NDArray[np.bool_], grouping: Grouping | None, rows: NDArray[np.int64],
    none: str, of: str = "",
) -> Iterator[Finding]:  # fmt: skip
    """State a share of some rows: for all or each group, and between groups."""
    found, level = share_of(evidence, hits, rows, grouping, none), evidence.options.level
    qualifiers = {"of": of} if of else {}
    yield from values(NAME, metric, found, grouping, level, "share", **qualifiers)
    if grouping is not None:
        yield from between(NAME, metric, found, ("difference",), grouping, level, "share", **qualifiers)


AUDIT: Final = Audit(reason_checks, of_columns=True, asks_again=True)
