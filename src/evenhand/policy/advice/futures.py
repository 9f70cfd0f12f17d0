"""Draw futures: what the groups may truly be like, given the present rows, and the tables that more rows would give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from evenhand.keys import canonical_key
from evenhand.metrics.answers.counts import RecordCounts
from evenhand.metrics.answers.questions import NoAnswerError, question, takes_all_groups
from evenhand.metrics.answers.simulated import Table, quick_ends, simulated_ends
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.comparisons.shrinkage import pooled_draws
from evenhand.metrics.counts.tally import Tally
from evenhand.metrics.values.net_benefit import BENEFITS, benefit_ends
from evenhand.metrics.values.rates import measure

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.keys import Key
    from evenhand.metrics.answers.questions import Question
    from evenhand.metrics.answers.simulated import Ends
    from evenhand.metrics.counts.arrays import Floats, Ints
    from evenhand.metrics.counts.joint import JointTally

Tree: TypeAlias = "tuple[Tree, Tree] | list[int]"
"""How cells are drawn: the share of the first part among both, from what groups have in common, then within each."""
MOST_GROUPS: Final = 300
"""Groups beyond which nothing is simulated: it would take too long."""
MOST_EACH: Final = 300
"""Futures of one trial at most."""
MOST_PAIRS: Final = 2_000_000
"""Pairs of groups in all futures of one trial at most."""
FULL: Final = 40
"""Futures of one trial that are judged in full where groups are compared."""
WIDTH: Final = 1.96
"""Critical value of the intervals that tell what rows are worth."""
BY_TRUTH: Final[Tree] = (([0], [1]), ([2], [3]))
"""Of truth and decision: the base rate, then the rates of decisions within each truth."""


@dataclass(frozen=True, slots=True, eq=False)
class Futures:
    """Groups, their present rows, and what they may truly be like; K cells a group."""

    key: Key
    """The finding that is decided."""
    level: float
    """Two-sided confidence of its interval."""
    table: Table
    """The present counts; of weighted rows, or of rows in clusters, as many as they are worth."""
    worth: Floats
    """(G,) rows that each of these counts stands for: 1 of independent rows."""
    truths: Floats
    """(S, G, K) shares of the cells in each of S truths."""
    each: int
    """How many of them make one trial."""
    full: int
    """How many of these are judged in full."""

    @property
    def cells(self) -> Ints:
        """(G, K) present counts."""
        return _flat(self.table.cells, self.table.kind)

    @property
    def rows(self) -> Floats:
        """(G,) present rows."""
        return np.asarray(self.cells.sum(axis=1) * self.worth)

    def drawn(self, more: Floats, rng: np.random.Generator, *, afresh: bool = False) -> Ints:
        """Return the cells of a table in each truth, with `more` (G,) rows of each group.

        `afresh` leaves the present rows out.
        """
        new = np.rint(more / self.worth).astype(np.int64)
        drawn = rng.multinomial(new, self.truths) + (0 if afresh else self.cells)
        shape = self.table.cells.shape
        if self.table.kind == "strata":  # the cells of a group follow one another, whatever the stratum
            return np.moveaxis(drawn.reshape(len(drawn), shape[1], shape[0], *shape[2:]), 2, 1)
        return np.asarray(drawn.reshape(len(drawn), *shape))

    def ends(self, drawn: Ints) -> Ends:
        """Return the ends of the finding's interval in each of these tables."""
        return simulated_ends(self.key, self.table, drawn, self.level)

    def quick_ends(self, drawn: Ints) -> Ends | None:
        """Return about the same ends, quickly; None where there is no quick way."""
        return quick_ends(self.key, self.table, drawn, self.level)

    def name(self, at: int) -> str:
        """Return a group as text; empty for all rows."""
        pairs = zip(self.table.columns, self.table.labels[at], strict=True)
        return ", ".join(f"{column}={value}" for column, value in pairs)

    def trial(self, number: int) -> Futures:
        """Return it with the truths of one trial, from 0."""
        return replace(self, truths=self.truths[self.each * number : self.each * (number + 1)])


def futures_of(key: Key, record: AuditRecord, level: float, trials: int, rng: np.random.Generator) -> Futures | None:
    """Return what may become of a finding; None where counts do not say it, or say it of too many groups."""
    try:
        key = canonical_key(key)
        asked = None if takes_all_groups(key) else question(key)
        table, worth = _present(key, asked, RecordCounts(record))
    except NoAnswerError:
        return None
    if len(table.labels) > MOST_GROUPS:
        if asked is None or asked.how is not None or asked.group not in table.labels:
            return None
        own = slice(table.labels.index(asked.group), table.labels.index(asked.group) + 1)
        cells = table.cells[:, own] if table.kind == "strata" else table.cells[own]
        table, worth = replace(table, labels=table.labels[own], cells=cells), worth[own]
    return drawn_futures(key, table, worth, level, trials, rng)


def drawn_futures(
    key: Key, table: Table, worth: Floats, level: float, trials: int, rng: np.random.Generator
) -> Futures:
    """Return the futures of a table of independent rows, enough for a number of trials."""
    cells = _flat(table.cells, table.kind)
    single = not takes_all_groups(key) and question(key).how is None
    each = MOST_EACH if single else min(max(MOST_PAIRS // len(cells) ** 2, FULL), MOST_EACH)
    truths = np.zeros((each * trials, *cells.shape))
    _fill(truths, np.ones(truths.shape[:2]), cells, _tree(key, table), rng)
    return Futures(key, level, table, worth, truths, each, each if single else FULL)


def _present(key: Key, asked: Question | None, counts: RecordCounts) -> tuple[Table, Floats]:
    """Return the counts that a key is answered from, and the rows that each of them stands for."""
    columns, kind = key.columns, "original" if asked is not None and asked.original else "subject"
    at = asked.threshold if asked is not None else ""
    tally = counts.tally_at(columns, float(at)) if at else counts.tally(columns, kind)
    cells, worth = _independent(tally, asked)
    groups, classes = counts.groups(columns), tuple(counts.classes)
    table = Table(
        columns, groups, classes, cells, counts.favourable, kind, truth=counts.truth, threshold=tally.threshold
    )
    if asked is not None and asked.paired:
        cells, worth = _both_models(counts.joint(columns, "decisions"), worth)
        return replace(table, cells=cells, kind="joint"), worth
    if asked is not None and asked.given is not None:
        values, parts = counts.strata(columns, asked.given.column)
        cells = _fewer(np.stack([part.counts for part in parts]), worth[:, None, None])
        return replace(table, cells=cells, kind="strata", values=tuple(values)), worth
    return table, worth


def _both_models(joint: JointTally, worth: Floats) -> tuple[Ints, Floats]:
    """Return joint counts of independent rows; of a labelled sample, those of all the rows that it was drawn from."""
    if joint.weights is None:
        return _fewer(joint.counts, worth[:, None, None, None]), worth
    if joint.labelled:
        return np.rint(joint.weights).astype(np.int64), np.ones(len(worth))
    every = (1, 2, 3)
    scale = joint.counts.sum(axis=every) / np.maximum(joint.weights.sum(axis=every), 1e-12)
    return _fewer(joint.weights * scale[:, None, None, None], worth[:, None, None, None]), worth


def _independent(tally: Tally, asked: Question | None) -> tuple[Ints, Floats]:
    """Return counts of independent rows that are worth as much as weighted or clustered ones, and how many those are.

    They are so many that the interval of what is asked is as wide: of a net benefit, or else of a rate.
    """
    if tally.weights is None and tally.clusters is None:
        return tally.counts, np.ones(len(tally.counts))
    scale = tally.rows / np.maximum(tally.mass.sum(axis=(1, 2)), 1e-12)
    plain = Tally(np.rint(tally.mass * scale[:, None, None]).astype(np.int64), threshold=tally.threshold)
    real, ideal = (_widths(part, asked) for part in (tally, plain))
    with np.errstate(invalid="ignore", divide="ignore"):
        worth = (real / ideal) ** 2
    usual = float(np.median([1.0, *worth[np.isfinite(worth)]]))
    worth = np.where(np.isfinite(worth), np.maximum(worth, 1.0), usual)
    return _fewer(plain.counts, worth[:, None, None]), worth


def _widths(tally: Tally, asked: Question | None) -> Floats:
    """Return (G,) how wide an interval of each group is."""
    if asked is not None and asked.metric in BENEFITS:
        low, high = benefit_ends(asked.metric, tally, WIDTH)
        return np.asarray(high - low)
    found = measure("recall", tally.agreement()) if tally.classes > 2 else measure(_rate_of(asked), tally)
    return np.asarray(found.high - found.low)


def _rate_of(asked: Question | None) -> str:
    entry = None if asked is None else METRICS.get(asked.metric)
    return asked.metric if asked and entry and entry.kind == "rate" and entry.task == "binary" else "accuracy"


def _fewer(counts: Ints | Floats, worth: Floats) -> Ints:
    """Return counts divided by what each is worth, in whole rows, with the total of each group kept.

    Sums up to each cell are rounded, not cells: of many small cells, such as the errors between ten classes, each alone
    would be rounded to nothing.
    """
    fewer = counts / worth
    cells = fewer.reshape(*fewer.shape[: fewer.ndim - worth.ndim + 1], -1)
    upto = np.rint(np.cumsum(cells, axis=-1) + 1e-9)
    return np.asarray(np.diff(upto, axis=-1, prepend=0.0), dtype=np.int64).reshape(fewer.shape)


def _tree(key: Key, table: Table) -> Tree:
    """Return how the cells of a group are drawn: a rate and what it is among from what groups have in common."""
    if table.kind == "joint":
        agree = [0, 3, 4, 7]
        return [at for at in range(8) if at not in agree], agree
    width = len(table.classes)
    if table.kind == "strata":
        each = width * width
        return list(range(each * len(table.values)))
    asked = None if takes_all_groups(key) else question(key)
    entry = None if asked is None else METRICS.get(asked.metric)
    if width > 2:
        right = [at * width + at for at in range(width)]
        return right, [at for at in range(width * width) if at not in right]
    if entry is None or entry.kind != "rate" or asked is None or asked.chosen or entry.task != "binary":
        return BY_TRUTH
    turned = asked.metric == "favourable_rate" and table.favourable is False
    hit, among = ({2 * t + d for t, d in cells} for cells in (entry.numerator, entry.denominator))
    if turned:
        hit, among = ({3 - cell for cell in cells} for cells in (hit, among))
    rest = [cell for cell in range(4) if cell not in among]
    rate: Tree = sorted(hit), sorted(among - hit)
    return (rate, rest) if rest else rate


def _fill(truths: Floats, share: Floats, cells: Ints, tree: Tree, rng: np.random.Generator) -> None:
    """Write into `truths` the shares of the cells of a tree, which together are `share` (S, G)."""
    if isinstance(tree, list):
        truths[:, :, tree] = share[:, :, None] * _within(cells[:, tree], len(truths), rng)
        return
    first, whole = cells[:, _leaves(tree[0])].sum(axis=1), cells[:, _leaves(tree)].sum(axis=1)
    part = pooled_draws(first, whole, len(truths), rng)
    _fill(truths, share * part, cells, tree[0], rng)
    _fill(truths, share * (1 - part), cells, tree[1], rng)


def _within(cells: Ints, draws: int, rng: np.random.Generator) -> Floats:
    """Draw shares of cells, those of a group from its own counts and half a row spread as in all groups."""
    if cells.shape[1] == 1:
        return np.ones((draws, *cells.shape))
    spread = (cells.sum(axis=0) + 0.5) / (cells.sum() + cells.shape[1] / 2)
    drawn = rng.gamma(cells + spread * cells.shape[1] / 2, size=(draws, *cells.shape)) + 1e-300
    return np.asarray(drawn / drawn.sum(axis=2, keepdims=True))


def _leaves(tree: Tree) -> list[int]:
    return tree if isinstance(tree, list) else [*_leaves(tree[0]), *_leaves(tree[1])]


def _flat(cells: Ints, kind: str) -> Ints:
    """Return cells (G, K)."""
    whole = np.moveaxis(cells, 0, 1) if kind == "strata" else cells
    return np.asarray(whole.reshape(len(whole), -1))
