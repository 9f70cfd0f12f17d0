"""What a ranking is measured by: its lists, whose groups are those of users, and the items in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.by_group import Quantity, over_rows
from evenhand.errors import InputError, parameter, quoted, raise_all
from evenhand.messages import message
from evenhand.metrics.values.lists import (
    AT_K,
    NO_PAST,
    divergence,
    first_mean,
    measured_lift,
    measured_lists,
    shares,
)
from evenhand.metrics.values.ordering import Ordering, of_list
from evenhand.metrics.values.ranking import exposure_of, gains_of, merit_of
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.findings import Unit
    from evenhand.metrics import Measured

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

OF_ITEMS: Final = ("exposure", "exposure_to_merit")
"""The metrics of ranked items, by group of items."""
OF_PAST: Final = ("popularity_lift", "miscalibration")
"""The metrics of lists that compare them with a history."""
CHANGED: Final = ("ndcg", "recall_at_k")
"""The metrics of lists whose change by compression is one."""
SEPARATOR: Final = "|"
"""Between the categories of one item."""

LIST: Final = "(position of the list)"
"""The column that the history is given."""
USERS: Final = message(
    "{features}: the same in all rows of each list, so groups are of lists (whom they are for), and quality is stated."
)
ITEMS: Final = message("{features}: differ inside lists, so groups are of items, and exposure is stated.")


@dataclass(frozen=True, slots=True)
class RankingsOptions(Declared):
    """Options of this audit."""

    list_lengths: tuple[int, ...] = setting(
        (5, 10), "How many of the first items of a list are looked at: the k of NDCG at k, recall in the first k and "
        "exposure in the first k.", least=1, unit="items",
    )  # fmt: skip
    history: str | None = setting(
        None, "Table of earlier interactions, such as films seen: the column that names the list, and those of "
        "popularity and categories.",
    )  # fmt: skip
    popularity: str | None = setting(
        None, "Column of an item's popularity, such as how many chose it before, in the rows and in the history."
    )
    categories: str | None = setting(
        None, "Column of an item's categories, such as genres, with | between several, in the rows and in the history."
    )

    @property
    def problems(self) -> Iterator[str]:
        """What lacks the table, or the column, that it is compared with."""
        named = [name for name in ("popularity", "categories") if getattr(self, name) is not None]
        if named and self.history is None:
            yield (
                f"{parameter(named[0])} is compared with what was chosen before: name the table of that "
                f"({parameter('history')}), too."
            )
        if self.history is not None and not named:
            yield (
                f"{parameter('history')} is compared by {parameter('popularity')} or by {parameter('categories')}: "
                "name the column of one of them, or of both."
            )


class Lists:
    """The lists of the rows: whose they are, and how their items are ordered.

    Parameters
    ----------
    evidence : Evidence
        Rows of a ranking, and their scores.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.options = evidence.options.of(RankingsOptions)
        raise_all(InputError, self.options.problems)
        self.level = evidence.options.level
        self.worth = np.asarray(evidence.predictions.y_true, dtype=np.float64)
        self.query = evidence.data.roles.query or ""
        self.names = evidence.data.table[self.query]
        self._groups: dict[tuple[str, ...], Ints | None] = {}

    @cached_property
    def order(self) -> Ordering:
        """The items in their lists, by the score of the model."""
        return Ordering.of(self.evidence.predictions.y_pred, self.names.to_numpy())

    def group(self, grouping: Grouping) -> Ints | None:
        """Return (L,) the group of each list; None for groups of items, which differ inside lists."""
        if grouping.columns not in self._groups:
            self._groups[grouping.columns] = self.order.group(grouping.codes)
        return self._groups[grouping.columns]

    def of_users(self, grouping: Grouping) -> bool:
        """Whether every list is of one group, so that it says whom the list is for."""
        return self.group(grouping) is not None

    @cached_property
    def clusters(self) -> Ints | None:
        """(L,) whose list it is; None where each stands alone, or a cluster cuts through lists."""
        given = self.evidence.data.clusters
        return None if given is None else self.order.group(given)

    @cached_property
    def units(self) -> Ints:
        """(n,) what is drawn as a whole: the cluster, else the list."""
        return self.order.query if self.clusters is None else self.clusters[self.order.query]

    @cached_property
    def weight(self) -> Floats | None:
        """(L,) the weight of each list; None without weights, or where they differ inside lists."""
        given = self.evidence.data.sample_weight
        if given is None:
            return None
        kinds, codes = np.unique(given, return_inverse=True)
        mine = of_list(self.order.query, self.order.number, codes)
        return None if mine is None else np.asarray(kinds[mine], dtype=np.float64)

    @cached_property
    def past(self) -> pd.DataFrame:
        """The earlier interactions, with the position of each one's list; those of other lists are left out."""
        from evenhand.data.tables import AsText, read_table

        wanted = [name for name in (self.options.popularity, self.options.categories) if name is not None]
        texts = AsText(keys=(self.query,), groups=tuple(filter(None, (self.options.categories,))))
        table = read_table(self.options.history, None, texts)
        rows = self.evidence.data
        raise_all(InputError, [
            *(f"{table.name}: there is no column {quoted(name)}, which the history needs."
              for name in (self.query, *wanted) if name not in table.frame),
            *(f"{rows.name}: there is no column {quoted(name)} of the items." for name in wanted
              if name not in rows.table),
        ])  # fmt: skip
        raise_all(InputError, [
            f"{where}: column {quoted(name)} is empty in {missing:,} rows. Fill them, or leave these rows out."
            for where, frame in ((table.name, table.frame), (rows.name, rows.table)) for name in wanted
            if (missing := int(frame[name].isna().sum()))
        ])  # fmt: skip
        place = dict(zip(self.names.astype(str), self.order.query, strict=True))
        at = table.frame[self.query].astype(str).map(place)
        return table.frame.assign(**{LIST: at})[at.notna()].reset_index(drop=True)

    @cached_property
    def without_past(self) -> int:
        """How many lists have no earlier interaction."""
        return self.order.number - int(self.past[LIST].nunique())

    def _mean_past(self, values: Floats) -> Floats:
        """Return (L,) the mean of values of the earlier interactions; nan for lists without any."""
        place = self.past[LIST].to_numpy().astype(np.int64)
        with np.errstate(invalid="ignore", divide="ignore"):
            count = np.bincount(place, minlength=self.order.number)
            return np.asarray(np.bincount(place, values, self.order.number) / count)

    def popularity(self, at: int) -> tuple[Floats, Floats]:
        """Return (L,) the mean popularity of the first items, and (L,) that of the history."""
        name = self.options.popularity or ""
        mine, past = (_numbers(frame[name], name) for frame in (self.evidence.data.table, self.past))
        return first_mean(mine, self.order, at), self._mean_past(past)

    @cached_property
    def categories(self) -> tuple[Floats, Floats]:
        """(n, C) the share of each item in each category, and (L, C) those of the history."""
        name = self.options.categories or ""
        mine, past = (frame[name].astype(str) for frame in (self.evidence.data.table, self.past))
        words = sorted({word for text in {*mine.unique(), *past.unique()} for word in _words(text)})
        of_items, of_past = (_shares(texts, words) for texts in (mine, past))
        means = [self._mean_past(of_past[:, c]) for c in range(len(words))]
        return of_items, np.stack(means, axis=1)

    def value(self, metric: str, at: int | None, order: Ordering | None = None) -> Floats:
        """Return (L,) a metric of every list, in another order where one is given; nan where it has none."""
        order = order or self.order
        return gains_of(self.worth, order) if at is None else AT_K[metric](self.worth, order, at)

    def divergence(self, at: int) -> Floats:
        """Return (L,) how far the categories of the first items are from those of the history."""
        of_items, past = self.categories
        return divergence(past, shares(of_items, self.order, at))

    def changes(self) -> Iterator[tuple[str, int | None]]:
        """Yield the metrics of which a change is stated, and how many of the first items they look at."""
        yield "ndcg", None
        yield from ((metric, at) for metric in CHANGED for at in self.options.list_lengths)

    def quantities(self, metric: str) -> Iterator[Quantity]:
        """Yield how a metric of lists or of items is measured: in whole lists, and in the first items."""
        lengths = self.options.list_lengths
        if metric in OF_ITEMS:
            for at in (None, *lengths):
                yield self._of_items(metric, at)
        elif metric == "ndcg" or metric in AT_K:
            for at in (None, *lengths) if metric == "ndcg" else lengths:
                yield self._of_lists(metric, at, partial(measured_lists, metric, self.value(metric, at)))
        elif metric == "popularity_lift" and self.options.popularity is not None:
            for at in lengths:
                yield self._of_lists(metric, at, partial(measured_lift, *self.popularity(at)), "number")
        elif metric == "miscalibration" and self.options.categories is not None:
            for at in lengths:
                measured = partial(measured_lists, metric, self.divergence(at), why=NO_PAST)
                yield self._of_lists(metric, at, measured, "number")

    def measuring(self, measured: Callable[..., Measured]) -> Callable[[Grouping | None], Measured]:
        """Return the measuring function for groups of lists, given one of their codes, number, clusters and weights."""

        def measure(grouping: Grouping | None) -> Measured:
            codes = np.zeros(self.order.number, dtype=np.int64) if grouping is None else self.group(grouping)
            groups = 1 if grouping is None else len(grouping)
            return measured(codes=codes, n_groups=groups, level=self.level, clusters=self.clusters, weight=self.weight)

        return measure

    def _of_lists(
        self, metric: str, at: int | None, measured: Callable[..., Measured], unit: Unit = "score"
    ) -> Quantity:
        return Quantity(metric, self.measuring(measured), unit, _at(at), about=self.of_users)

    def _of_items(self, metric: str, at: int | None) -> Quantity:
        seen = self.order.discount(at)
        if metric == "exposure":
            compute = partial(exposure_of, seen, self.units, level=self.level)
        else:
            compute = partial(merit_of, self.worth, seen, self.units, level=self.level)
        unit: Unit = "score" if metric == "exposure" else "number"
        items = over_rows(self.evidence, compute)
        return Quantity(metric, items, unit, _at(at), about=lambda grouping: not self.of_users(grouping))


def _at(at: int | None) -> dict[str, str]:
    return {} if at is None else {"at": str(at)}


def _numbers(column: pd.Series, name: str) -> Floats:
    import pandas as pd

    found = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(found).all() or (found < 0).any():
        raise InputError(f"Column {quoted(name)} is the popularity of items: it takes numbers from 0 on, in every row.")
    return np.asarray(found)


def _words(text: str) -> list[str]:
    return [word for each in text.split(SEPARATOR) if (word := each.strip())]


def _shares(texts: pd.Series, words: list[str]) -> Floats:
    """Return (n, C) equal shares of each row's categories."""
    codes, kinds = texts.factorize()
    column = {word: at for at, word in enumerate(words)}
    each = np.zeros((len(kinds), len(words)))
    for row, text in enumerate(kinds):
        mine = list(dict.fromkeys(_words(str(text))))
        each[row, [column[word] for word in mine]] = 1 / max(len(mine), 1)
    return np.asarray(each[codes])
