"""Names: from any accepted spelling to the one canonical one, and the entry behind it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Final, cast

from evenhand.catalogues import added, load
from evenhand.errors import InputError
from evenhand.messages import lowered, message
from evenhand.metrics.catalogue import METRICS, Metric

if TYPE_CHECKING:
    from evenhand.findings import Direction
    from evenhand.metrics.catalogue.entry import How

HOWS: Final[dict[How, str]] = {
    "difference": message("The greatest difference between the groups' {metric}: 0 when all are alike."),
    "ratio": message("The least of the groups' {metric} over the greatest: 1 when all are alike."),
    "group_min": message("The {metric} of the group where it is least."),
    "group_max": message("The {metric} of the group where it is greatest."),
}
"""How the values of groups become one, each in a sentence."""

WORDS: Final[dict[How, tuple[str, str, str, str]]] = {
    "difference": (message("{metric} difference"), message("Difference between groups"),
        "max over groups of {} - min over groups", "0.80 - 0.60 = 0.20"),
    "ratio": (message("{metric} ratio"), message("Ratio between groups"),
        "min over groups of {} / max over groups", "0.60 / 0.80 = 0.75"),
    "group_min": (message("{metric} of the lowest group"), message("Value of the lowest group"),
        "min over groups of {}", "min(0.80, 0.60) = 0.60"),
    "group_max": (message("{metric} of the highest group"), message("Value of the highest group"),
        "max over groups of {}", "max(0.80, 0.60) = 0.80"),
}  # fmt: skip
"""Of each the label, the label whatever is compared, the formula, and an example of two groups of 0.80 and 0.60."""

EQUALIZED_ODDS: Final = ("recall", "false_positive_rate")
"""The two rates of equalized odds."""

COMBINED: Final = ("equalized_odds_difference", "equalized_odds_ratio", "average_odds_difference")
"""Disparities of these two rates together: the worse of both, or their mean."""

OTHER_NAMES: Final = {
    "demographic_parity_difference": "selection_rate_difference",
    "demographic_parity_ratio": "selection_rate_ratio",
    "statistical_parity_difference": "selection_rate_difference",
    "disparate_impact": "selection_rate_ratio",
    "impact_ratio": "selection_rate_ratio",
    "equal_opportunity_difference": "recall_difference",
    "equal_opportunity_ratio": "recall_ratio",
    "predictive_parity_difference": "precision_difference",
    "predictive_parity_ratio": "precision_ratio",
    "predictive_equality_difference": "false_positive_rate_difference",
    "predictive_equality_ratio": "false_positive_rate_ratio",
    "average_abs_odds_difference": "average_odds_difference",
}
"""Names of disparities in the field, and the canonical ones."""

_PARSED: Final[dict[str, tuple[str, How]]] = {}
"""Names of disparities that were parsed, since a record asks for the same ones over and over."""
_COMPARED: Final = ("rate", "composite", "score", "change")


@cache
def extra_metrics() -> tuple[Metric, ...]:
    """Return the rates that installed packages add (entry point ``evenhand.metrics``), and register them.

    Each entry point is a `Metric` or a tuple of them: rates, with numerator and denominator, and what audits state.
    They are looked for when an audit begins or a name is not known otherwise, so a gate on known metrics does not wait
    for it.

    Raises
    ------
    InputError
        When one has a name that is taken, or is neither.
    """
    found: list[Metric] = []
    for point in added("evenhand.metrics", {}).values():
        brought = load(point, (Metric, tuple))
        found += [brought] if isinstance(brought, Metric) else cast("tuple[Metric, ...]", brought)
    for metric in found:
        if metric.name in METRICS or not (metric.kind == "statement" or (metric.kind == "rate" and metric.denominator)):
            raise InputError(
                f"The metric '{metric.name}' of another package has a name that is taken, or is neither a rate nor a "
                "statement."
            )
        of_counts = metric.kind == "rate" and not metric.shown
        METRICS[metric.name] = replace(metric, shown=("overall", "group", "gap")) if of_counts else metric
    _aliases.cache_clear()
    describe.cache_clear()
    return tuple(metric for metric in found if metric.kind == "rate")


def canonical(name: str) -> str | None:
    """Return the canonical spelling of a metric or disparity, None when it is unknown.

    Parameters
    ----------
    name : str
        Any spelling.

    Examples
    --------
    >>> canonical("demographic_parity_ratio"), canonical("tpr_difference"), canonical("recal")
    ('selection_rate_ratio', 'recall_difference', None)
    """
    if name in METRICS:
        return name
    known = OTHER_NAMES.get(name) or _aliases().get(name)
    if known is not None:
        return known
    split = parse_disparity(name)
    if split is not None:
        return f"{split[0]}_{split[1]}"
    return canonical(name) if _looked() else None


def _looked() -> bool:
    """Look for metrics of other packages, once; whether there are any that were not known before."""
    known = len(METRICS)
    extra_metrics()
    return len(METRICS) > known


def parse_disparity(name: str) -> tuple[str, How] | None:
    """Return the canonical metric and the way of comparing of a disparity's name, None when it is none.

    Parameters
    ----------
    name : str
        Any accepted name.

    Examples
    --------
    >>> parse_disparity("recall_group_min"), parse_disparity("equalized_odds_ratio")
    (('recall', 'group_min'), ('equalized_odds', 'ratio'))
    """
    found = _PARSED.get(name) or _parsed(OTHER_NAMES.get(name, name))
    if found is not None:
        _PARSED[name] = found
    return found


def _parsed(name: str) -> tuple[str, How] | None:
    for how in HOWS:
        metric = name.removesuffix(f"_{how}")
        if metric == name:
            continue
        if metric in ("equalized_odds", "average_odds"):
            return (metric, how) if name in COMBINED else None
        metric = _aliases().get(metric, metric)
        if metric in METRICS and how in hows_of(METRICS[metric]):
            return metric, how
    return None


@cache
def describe(name: str) -> Metric:
    """Return the entry of a metric or disparity; of an unknown one, an entry with its name only.

    Parameters
    ----------
    name : str
        Any accepted name.

    Examples
    --------
    >>> describe("recall").direction, describe("recall").formula
    ('higher_is_better', 'TP / (TP + FN)')
    """
    known = canonical(name)
    if known is None:
        base, how = split_name(name)
        words = message("A metric that was brought to this audit.")
        entry = Metric(base, base, "statement", "neutral", "", words, lowest=None, highest=None)
        return entry if how is None else _disparity(entry, how)
    if known in METRICS:
        return METRICS[known]
    if known in ODDS:
        return ODDS[known]
    split = parse_disparity(known)
    assert split is not None  # a canonical name is a metric's or a disparity's
    return _disparity(METRICS[split[0]], split[1])


def names() -> tuple[str, ...]:
    """Return every canonical name: metrics, then the disparities of each that can be compared between groups.

    Examples
    --------
    >>> {"recall", "recall_difference", "roc_auc_ratio"} <= set(names())
    True
    """
    extra_metrics()
    disparities = [f"{metric.name}_{how}" for metric in METRICS.values() for how in hows_of(metric)]
    return (*METRICS, *disparities, *COMBINED)


def hows_of(metric: Metric) -> tuple[How, ...]:
    """Return the ways in which groups can be compared by a metric: no ratio where values may be below 0."""
    if metric.kind not in _COMPARED:
        return ()
    return tuple(how for how in HOWS if how != "ratio" or metric.lowest == 0)


@cache
def _aliases() -> dict[str, str]:
    return {alias: metric.name for metric in METRICS.values() for alias in metric.aliases}


def split_name(name: str) -> tuple[str, How | None]:
    """Return the metric, known or not, and the way of comparing groups in a name; None where it compares none.

    Examples
    --------
    >>> split_name("g_mean_difference"), split_name("g_mean")
    (('g_mean', 'difference'), ('g_mean', None))
    """
    return next(((name.removesuffix(f"_{how}"), how) for how in HOWS if name.endswith(f"_{how}")), (name, None))


SOURCES: Final = {
    "selection_rate_ratio": "29 CFR 1607.4(D), the four-fifths rule; Feldman et al. (2015), KDD",
    "selection_rate_difference": "Dwork et al. (2012), ITCS",
    "recall_difference": "Hardt et al. (2016), NeurIPS",
    "precision_difference": "Chouldechova (2017), Big Data 5",
}
"""Where a disparity has another source than its metric."""


BY_CHANCE: Final = (
    message("Over many small groups chance alone makes it large; the interval allows for that, the estimate does not."),
    message("Over many small groups chance alone makes it small; the interval allows for that, the estimate does not."),
)
"""How a disparity misleads: the extreme of many values is far out, and the least of them far down."""


def _disparity(entry: Metric, how: How) -> Metric:
    name, (label, _, formula, example) = f"{entry.name}_{how}", WORDS[how]
    directions: dict[How, Direction] = {"difference": "lower_is_better", "ratio": "higher_is_better"}
    lowest, highest = _compared_range(entry, how)
    return Metric(
        name,
        message(label, metric=entry.label),
        "disparity",
        directions.get(how, entry.direction),
        formula.format(entry.name),
        message(HOWS[how], metric=lowered(entry.label)),
        BY_CHANCE[how in ("ratio", "group_min")],
        SOURCES.get(name, entry.source),
        tuple(other for other, known in OTHER_NAMES.items() if known == name),
        lowest=lowest,
        highest=highest,
        example=example,
    )


def _compared_range(entry: Metric, how: How) -> tuple[float | None, float | None]:
    """Return the least and the greatest value of a disparity: a difference spans the range, a ratio is a share."""
    if how in ("group_min", "group_max"):
        return entry.lowest, entry.highest
    if how == "ratio" and entry.lowest == 0:
        return 0.0, 1.0
    least, most = entry.range
    return (0.0, most - least if most - least < inf else None) if how == "difference" else (None, None)


def any_disparity(how: How) -> Metric:
    """Return the entry of a way of comparing groups, whatever is compared."""
    _, label, formula, _ = WORDS[how]
    return replace(
        _disparity(METRICS["accuracy"], how),
        name=f"*_{how}",
        label=label,
        formula=formula.format("values"),
        meaning=message(HOWS[how], metric=message("value" if how in ("group_min", "group_max") else "values")),
        source="",
        aliases=(),
    )


ODDS: Final = {
    metric.name: metric
    for metric in (
        Metric("average_odds_difference", "Average odds difference", "disparity", "lower_is_better",
            "mean of recall_difference and false_positive_rate_difference",
            "The mean of the differences in recall and in false positive rate: 0 when both are alike in all groups.",
            "A wide gap in one of both is halved; the equalized odds difference is not.",
            "Bellamy et al. (2019), AI Fairness 360, for absolute differences; Fairlearn's equalized odds with "
            "agg='mean'", ("average_abs_odds_difference",), example="(0.20 + 0.10) / 2 = 0.15"),
        Metric("equalized_odds_difference", "Equalized odds difference", "disparity", "lower_is_better",
            "the greater of recall_difference and false_positive_rate_difference",
            "The worse of the differences in recall and in false positive rate: 0 when both are alike in all groups.",
            "It cannot hold together with equal precision when base rates differ, unless the model is perfect.",
            "Hardt et al. (2016), NeurIPS", example="max(0.80 - 0.60, 0.25 - 0.20) = 0.20"),
        Metric("equalized_odds_ratio", "Equalized odds ratio", "disparity", "higher_is_better",
            "the lesser of recall_ratio and false_positive_rate_ratio",
            "The worse of the ratios in recall and in false positive rate: 1 when both are alike in all groups.",
            "It cannot hold together with equal precision when base rates differ, unless the model is perfect.",
            "Hardt et al. (2016), NeurIPS", example="min(0.60 / 0.80, 0.20 / 0.25) = 0.75"),
    )
}  # fmt: skip
"""Disparities of the two rates of equalized odds together: their mean, or the worse of both."""
