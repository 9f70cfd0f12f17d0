"""A rate, which has groups, gaps, ratios and limits from its cells, and the share that an audit states."""

from evenhand.metrics import Metric

METRICS = (
    Metric(
        "missed_share",
        "Missed share",
        "rate",
        "lower_is_better",
        "FN / n",
        "The share of all rows that are positive and were decided negative.",
        misleads="It is small wherever positives are few.",
        numerator=((1, 0),),
        denominator=((0, 0), (0, 1), (1, 0), (1, 1)),
    ),
    Metric(
        "borderline_share",
        "Borderline share",
        "statement",
        "neutral",
        "rows within the margin / rows",
        "The share of rows whose score is within a margin of the threshold.",
    ),
)
