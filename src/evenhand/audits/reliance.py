"""Proxy features, their contribution to the gap, and the effect of swapping the sensitive feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import values
from evenhand.audits.statement import Audit, Statement, group_key, interval_of, not_applicable, singles
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import Tally, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence

NAME = "reliance"
MOST_GROUPS: Final = 12
"""For features of more groups, only the mutual information with a column is stated."""
MOST_VALUES: Final = 12
"""Values of a sensitive input that are swapped in."""
TELLS: Final = 0.55
"""A column is a proxy when the whole interval of its AUC is above this."""
MATERIAL: Final = 0.10
"""A column contributes to the gap when its interval excludes 0 and its share is at least this."""
SCORE = "(score)"
CARRIES: Final = message(
    "{feature} tells the group and carries a part of the gap in mean score between {group} and {other}."
)


def reliance(evidence: Evidence) -> Statement:
    """State the proxies of each group, those that contribute to its gap, and how many decisions a swap flips."""
    features = singles(evidence)
    if not features or evidence.subject.facts.get("kind") == "predictions":
        return not_applicable("Proxies are looked for with a model and a sensitive feature.")
    if evidence.data.frequency is not None:
        return not_applicable("Counts do not say which columns tell a group.")
    from evenhand.evidence.predictions import columns_read

    table = evidence.data.table[list(columns_read(evidence.subject, evidence.data))]
    findings: list[Finding] = []
    for grouping in features:
        findings += _predictability(evidence, grouping, table)
        findings += _proxies(evidence, grouping, findings)
        if grouping.columns[0] in table.columns:
            findings += _swapped(evidence, grouping, table)
    if evidence.reads != "table":
        seen = message("The model reads {inputs}; whether they show a group is not looked for.", inputs=evidence.reads)
        return Statement(tuple(findings), seen)
    read = tuple(grouping.columns[0] for grouping in features if grouping.columns[0] in table.columns)
    words, none = message("The model itself reads {features}."), message("The model reads no sensitive feature itself.")
    return Statement(tuple(findings), message(words, features=read) if read else none)


def _columns(evidence: Evidence, grouping: Grouping, table: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for name in table.columns:
        if name != grouping.columns[0]:
            yield str(name), table[name]
    if evidence.predictions.y_score is not None:
        import pandas as pd

        yield SCORE, pd.Series(evidence.predictions.y_score)


def _predictability(evidence: Evidence, grouping: Grouping, table: pd.DataFrame) -> Iterator[Finding]:
    """State how well each column, and the score, predicts each group."""
    from evenhand.explaining.reliance import predictability, shared_information

    level, groups = evidence.options.level, len(grouping.labels)
    alone = groups == 2  # of two groups, one is enough
    for name, column in _columns(evidence, grouping, table):
        shared = shared_information(column, grouping.codes, groups)
        key = Key.of("mutual_information", grouping.columns, feature=name)
        yield Finding(key, NAME, shared, support=len(column), unit="number")
        for group in range((1 if alone else groups) if groups <= MOST_GROUPS else 0):
            found = predictability(column, grouping.codes == group, level, evidence.options.seed)
            if found is not None:
                interval = interval_of(found.low, found.high, level, "delong, logit")
                key = group_key("proxy_auc", grouping, group, feature=name)
                yield Finding(key, NAME, found.auc, interval, support=len(column), unit="score")


def _proxies(evidence: Evidence, grouping: Grouping, told: list[Finding]) -> Iterator[Finding]:
    """State the columns that predict a group and clearly contribute to its gap in mean score."""
    if not evidence.options.explain or evidence.reads != "table":
        return
    from evenhand.explaining import gap_parts

    pair = evidence.extreme_pair(grouping)
    if pair is None:
        return
    codes, level = grouping.codes[evidence.explained_rows], evidence.options.level
    found = gap_parts(evidence.attributions, codes, *pair, level=level)
    if not np.isfinite(found.gap) or found.gap == 0:
        return
    column = grouping.columns[0]
    areas = (f for f in told if f.key.metric == "proxy_auc" and f.key.columns == (column,))
    telling = {f.key.qualifier("feature") for f in areas if f.interval is not None and (f.interval.low or 0) > TELLS}
    for at, name in enumerate(found.feature_names):
        part, sure = float(found.estimate[at]), bool(found.low[at] > 0 or found.high[at] < 0)
        if name in telling and name != column and sure and part / found.gap >= MATERIAL:
            low, high = sorted((float(found.low[at]) / found.gap, float(found.high[at]) / found.gap))
            one, other = (grouping.name(group) for group in pair)
            key, interval = Key.of("proxy_part", [column], feature=name), interval_of(low, high, level, found.method)
            note, share = message(CARRIES, feature=name, group=one, other=other), part / float(found.gap)
            yield Finding(key, NAME, share, interval, support=sum(found.rows), unit="number", note=note)


def _swapped(evidence: Evidence, grouping: Grouping, table: pd.DataFrame) -> Iterator[Finding]:
    """State the share of each group whose decision flips when only the sensitive input changes."""
    import pandas as pd

    column, threshold = grouping.columns[0], evidence.predictions.threshold
    turned = np.zeros(len(table), dtype=bool)
    for value in table[column].dropna().unique()[:MOST_VALUES]:
        changed = table.copy()
        changed[column] = pd.Series([value] * len(table), index=table.index).astype(table[column].dtype)
        scores = np.asarray(evidence.subject.predict(changed), dtype=np.float64)
        turned |= (scores >= threshold) != (evidence.predictions.y_pred == 1)
    tally = Tally.count(turned.astype(np.int8), turned.astype(np.int8), grouping.codes, len(grouping.labels))
    found = measure("selection_rate", tally, evidence.options.level)
    yield from values(NAME, "counterfactual_flip_rate", found, grouping, evidence.options.level)


AUDIT: Final = Audit(reliance)
