"""Proxy features, their contribution to the gap, and the effect of swapping the sensitive feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import values
from evenhand.audits.statement import Audit, Statement, group_key, interval_of, not_applicable, singles
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.metrics import Tally, measure
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.explaining.proxies import Telling

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


SPARED_SWAPS: Final = message(
    "A model behind HTTP is asked about its rows alone: no row was given another group, unless this audit is named."
)
SAMPLED: Final = message("Swaps were made in at most {n:,} rows of each group, drawn with the seed.")


@dataclass(frozen=True, slots=True)
class RelianceOptions(Declared):
    """Options of this audit."""

    swap_rows: int = setting(
        5_000, "The most rows of each group in which a sensitive input is given another value.", least=1, unit="rows"
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
    told = _told(evidence, features, table)
    findings: list[Finding] = []
    sampled = False
    for grouping, areas in zip(features, told, strict=True):
        findings += (*areas, *_proxies(evidence, grouping, areas))
        if grouping.columns[0] in table.columns and not evidence.spared:
            rows = _drawn(grouping, evidence)
            sampled |= len(rows) < len(table)
            findings += _swapped(evidence, grouping, table, rows)
    if evidence.reads != "table":
        seen = message("The model reads {inputs}; whether they show a group is not looked for.", inputs=evidence.reads)
        return Statement(tuple(findings), seen)
    read = tuple(grouping.columns[0] for grouping in features if grouping.columns[0] in table.columns)
    words, none = message("The model itself reads {features}."), message("The model reads no sensitive feature itself.")
    said = [message(words, features=read) if read else none]
    if evidence.spared:
        said.append(SPARED_SWAPS)
    if sampled:
        said.append(message(SAMPLED, n=evidence.options.of(RelianceOptions).swap_rows))
    return Statement(tuple(findings), sentences(*said))


def _columns(evidence: Evidence, table: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for name in table.columns:
        yield str(name), table[name]
    if evidence.predictions.y_score is not None:
        import pandas as pd

        yield SCORE, pd.Series(evidence.predictions.y_score)


def _told(evidence: Evidence, features: Sequence[Grouping], table: pd.DataFrame) -> list[list[Finding]]:
    """State for each feature how well each other column, and the score, predicts its groups; one column at a time."""
    from evenhand.explaining.proxies import Telling

    found: list[list[Finding]] = [[] for _ in features]
    for name, column in _columns(evidence, table):
        telling = Telling(column, evidence.options.seed)
        for grouping, mine in zip(features, found, strict=True):
            if name != grouping.columns[0]:
                mine.extend(_told_by(telling, name, grouping, evidence.options.level))
    return found


def _told_by(telling: Telling, name: str, grouping: Grouping, level: float) -> Iterator[Finding]:
    groups, rows = len(grouping.labels), len(grouping.codes)
    key = Key.of("mutual_information", grouping.columns, feature=name)
    yield Finding(key, NAME, telling.shares(grouping.codes, groups), support=rows, unit="number")
    if groups > MOST_GROUPS:
        return
    for group in range(1 if groups == 2 else groups):  # of two groups, one is enough
        found = telling.predicts(grouping.codes == group, level)
        if found is not None:
            interval = interval_of(found.low, found.high, level, "delong, logit")
            key = group_key("proxy_auc", grouping, group, feature=name)
            yield Finding(key, NAME, found.auc, interval, support=rows, unit="score")


def _proxies(evidence: Evidence, grouping: Grouping, told: list[Finding]) -> Iterator[Finding]:
    """State the columns that predict a group and clearly contribute to its gap in mean score."""
    if not evidence.options.explain or evidence.reads != "table" or evidence.spared:
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


def _drawn(grouping: Grouping, evidence: Evidence) -> NDArray[np.intp]:
    """Return the rows whose sensitive input is swapped: those of each group, or as many of them as are allowed."""
    most = evidence.options.of(RelianceOptions).swap_rows
    rng = np.random.default_rng([evidence.options.seed, 12])
    of_groups = [np.flatnonzero(grouping.codes == group) for group in range(len(grouping.labels))]
    kept = [rows if len(rows) <= most else rng.choice(rows, most, replace=False) for rows in of_groups]
    return np.sort(np.concatenate(kept))


def _swapped(evidence: Evidence, grouping: Grouping, table: pd.DataFrame, rows: NDArray[np.intp]) -> Iterator[Finding]:
    """State the share of each group whose decision flips when only the sensitive input changes.

    A row whose decision has flipped, or that has the value itself, is not asked again.
    """
    import pandas as pd

    column, threshold = grouping.columns[0], evidence.predictions.threshold
    own, mine = evidence.predictions.y_pred[rows] == 1, table[column].iloc[rows]
    turned = np.zeros(len(rows), dtype=bool)
    for value in table[column].dropna().unique()[:MOST_VALUES]:
        asked = np.flatnonzero(~turned & ~np.asarray(mine == value, dtype=bool))
        if not len(asked):
            continue
        changed = table.iloc[rows[asked]].copy()
        changed[column] = pd.Series([value] * len(asked), index=changed.index).astype(table[column].dtype)
        scores = np.asarray(evidence.subject.predict(changed), dtype=np.float64)
        turned[asked] = (scores >= threshold) != own[asked]
    tally = Tally.count(turned.astype(np.int8), turned.astype(np.int8), grouping.codes[rows], len(grouping.labels))
    found = measure("selection_rate", tally, evidence.options.level)
    yield from values(NAME, "counterfactual_flip_rate", found, grouping, evidence.options.level)


AUDIT: Final = Audit(reliance, options=RelianceOptions)
