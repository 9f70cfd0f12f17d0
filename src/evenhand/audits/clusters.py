"""Clusters of a clustering: how each group is spread over them, how even they are, how far rows are from the centre."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import counted, state
from evenhand.audits.quantities import of_clusters
from evenhand.audits.statement import Audit, Statement, disparity_finding, labels_of, value_finding
from evenhand.evidence.answering import answers
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.comparisons.balance import Assigned, cluster_balance, cluster_representation
from evenhand.metrics.comparisons.distributions import selection_distance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME = "clusters"
BALANCES: Final = {"cluster_balance": cluster_balance, "cluster_representation": cluster_representation}
GAPS: Final = ("selection_rate_difference", "selection_rate_ratio")
"""Gaps between the groups' shares in a cluster, and the worst of all clusters."""
WHOLE: Final = message(
    "A clustering has no truth, and no figure here says that a row is in the right cluster. Clusters are taken as "
    "given: what another run would make of the same rows is not in the intervals."
)
WHERE: Final = message("Least in cluster {cluster}.")


def clusters(evidence: Evidence) -> Statement:
    """State each group's shares of the clusters, the gaps, the balance of clusters, and mean distances to centres."""
    answer, names = answers(evidence, NAME), [str(name) for name in evidence.data.classes]
    findings: list[Finding] = []
    for name in names:
        findings += counted(answer, evidence, "selection_rate", (), **{"class": name})
    for grouping in evidence.groupings:
        for gap in GAPS:
            findings += answer.all(Key.of(gap, grouping.columns, **{"class": name}) for name in names)
            findings += answer.all([Key.of(gap, grouping.columns)])
        findings += _between(evidence, grouping, names)
    for quantity in of_clusters(evidence, "mean_distance"):
        findings += state(evidence, NAME, quantity)
    return Statement(tuple(findings), WHOLE)


def _between(evidence: Evidence, grouping: Grouping, names: list[str]) -> Iterator[Finding]:
    """State how unlike the groups are spread, and what each cluster is made of."""
    level = evidence.options.level
    distance = selection_distance(evidence.tally(grouping), level)
    weighed = evidence.data.sample_weight is not None or evidence.data.clusters is not None
    if not weighed:  # its limits are of counted rows
        yield disparity_finding(Key.of("selection_distance", grouping.columns), NAME, distance, grouping, level)
    rows = _assigned(evidence, grouping)
    for metric, measured in BALANCES.items():
        found = measured(rows, level)
        finding = disparity_finding(Key.of(metric, grouping.columns), NAME, found.found, grouping, level, "ratio")
        note = "" if found.cluster is None else message(WHERE, cluster=names[found.cluster])
        yield replace(finding, note=note)
    whole = cluster_balance(replace(rows, cluster=np.zeros_like(rows.cluster), clusters=1), level).found
    yield disparity_finding(Key.of("balance_of_rows", grouping.columns), NAME, whole, grouping, level, "ratio")
    for group in range(rows.groups):
        shares = rows.shares(group)
        for at, name in enumerate(names):
            key = partial(Key.of, "cluster_share", labels_of(grouping, group))
            yield value_finding(key(**{"class": name}), NAME, shares, at, level)


def _assigned(evidence: Evidence, grouping: Grouping) -> Assigned:
    data, decided = evidence.data, evidence.predictions.y_pred.astype(np.int64)
    return Assigned(
        decided, grouping.codes.astype(np.int64), len(data.classes), len(grouping.labels), data.sample_weight,
        data.clusters,
    )  # fmt: skip


AUDIT: Final = Audit(clusters, frozenset({"clustering"}))
