"""Ranking metrics: quality of the order for each group of users, and exposure of each group of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import state
from evenhand.audits.lists import ITEMS, OF_ITEMS, OF_PAST, USERS, Lists, RankingsOptions
from evenhand.audits.statement import Audit, Statement
from evenhand.messages import joined, message, sentences
from evenhand.metrics.values.lists import AT_K

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence

NAME = "rankings"
UNWEIGHTED: Final = message("Weights differ inside lists, so every list counts alike.")
CUT: Final = message("Clusters cut through lists, so lists are what is drawn.")
UNKNOWN: Final = message(
    "{n} of {all} lists have no earlier interaction, and have no part in what is compared with the history."
)


def rankings(evidence: Evidence) -> Statement:
    """State the quality of lists, overall and by group of users, and the exposure of each group of items."""
    lists = Lists(evidence)
    findings = [
        finding
        for metric in (*AT_K, *OF_PAST, *OF_ITEMS)
        for quantity in lists.quantities(metric)
        for finding in state(evidence, NAME, quantity)
    ]
    return Statement(tuple(findings), sentences(*_told(lists)))


def _told(lists: Lists) -> Iterator[str]:
    """Yield which features say whom a list is for, which say what is in it, and what is left out."""
    data = lists.evidence.data
    features = {name: lists.of_users(data.grouping(name)) for name in sorted(data.roles.sensitive_features)}
    for words, users in ((USERS, True), (ITEMS, False)):
        named = [name for name, of_users in features.items() if of_users is users]
        yield message(words, features=joined(", ", named)) if named else ""
    yield CUT if data.clusters is not None and lists.clusters is None else ""
    yield UNWEIGHTED if data.sample_weight is not None and lists.weight is None else ""
    if lists.options.history is not None and lists.without_past:
        yield message(UNKNOWN, n=lists.without_past, all=lists.order.number)


AUDIT: Final = Audit(rankings, frozenset({"ranking"}), options=RankingsOptions)
