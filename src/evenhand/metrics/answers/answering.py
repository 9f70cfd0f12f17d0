"""Keys answered from counts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from evenhand.findings import Absent, Finding
from evenhand.keys import Key, group_name
from evenhand.messages import Message, message, sentences
from evenhand.metrics.answers.all_groups import beside_the_highest, of_all, shares, shares_of
from evenhand.metrics.answers.findings import disparity_finding, value_finding, without_interval
from evenhand.metrics.answers.questions import (
    CHANGE,
    OF_ALL,
    SHARES,
    NoAnswerError,
    NoCountsError,
    Question,
    cut_of,
    question,
    question_or_reason,
    takes_all_groups,
)
from evenhand.metrics.answers.ways import ALWAYS, USUAL, differing
from evenhand.metrics.catalogue import METRICS
from evenhand.metrics.catalogue.names import EQUALIZED_ODDS
from evenhand.metrics.comparisons.changes import shares_rows
from evenhand.metrics.comparisons.disparities import Disparity, compare, disparity, worst_of
from evenhand.metrics.comparisons.disparity_changes import Moved, moved
from evenhand.metrics.comparisons.references import Sides, between, sides_of
from evenhand.metrics.values.rates import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from evenhand.metrics.answers.counts import Columns, Counts, Labels
    from evenhand.metrics.catalogue.entry import How
    from evenhand.metrics.comparisons.references import Reference
    from evenhand.metrics.counts.joint import JointTally
    from evenhand.metrics.counts.tally import Tally

Kept = TypeVar("Kept")
OF_CLUSTERS: Final = message(
    "A clustering has no truth: counts say the shares of its clusters, selection_rate[;class=...], and no more."
)
OF_ONE: Final = message("Of several classes it is of one: name it with class=.")
RIGHT: Final = {"accuracy": "recall", "error_rate": "false_negative_rate"}
"""Of several classes, the rate of a tally of right and wrong decisions that each of these is."""


class Answers:
    """Answers keys from counts, at one confidence. What is measured once is kept.

    Parameters
    ----------
    counts : Counts
        Of a record, or of evidence.
    level : float
        Two-sided confidence.
    audit : str
        Who states the findings.
    always_valid : bool
        Whether intervals hold at all times, however often counts grow and are looked at again.
    """

    def __init__(self, counts: Counts, level: float, audit: str = "counts", *, always_valid: bool = False) -> None:
        self.counts, self.level, self.audit, self.always_valid = counts, level, audit, always_valid
        self._by = ALWAYS if always_valid else USUAL
        self._kept: dict[Hashable, object] = {}

    def __call__(self, key: Key) -> Finding | Absent:
        """Return the finding of a key, or why it cannot be computed from counts."""
        try:
            if takes_all_groups(key):
                return self._of_all_groups(key)
            asked = self._asked(key)
            if asked.how is None:
                measured, note = self._values(asked)
                return self._value(key, measured, note, self._place(asked))
            return self._compared(key, asked)
        except NoAnswerError as why:
            return Absent(key, why.reason, uncounted=isinstance(why, NoCountsError))

    def all(self, keys: Iterable[Key]) -> Iterator[Finding]:
        """Yield the findings of keys in order; those that counts cannot give are left out."""
        return (found for found in map(self, keys) if isinstance(found, Finding))

    def of_groups(self, metric: str, columns: Columns = (), **qualifiers: str) -> Iterator[Finding]:
        """Yield a metric's finding for each group of columns; that of all rows without columns."""
        groups = self.counts.groups(columns)
        keys = (Key.of(metric, dict(zip(columns, labels, strict=True)), **qualifiers) for labels in groups)
        if not groups:
            return
        try:
            asked = question(Key.of(metric, dict(zip(columns, groups[0], strict=True)), **qualifiers))
            measured, note = self._values(asked)
            first = self._place(asked)
        except NoAnswerError:
            return
        each = len(measured.estimate) // len(groups)
        for at, key in enumerate(keys):
            yield self._value(key, measured, note, first + at * each)

    def _asked(self, key: Key) -> Question:
        """Return what a key asks; what its group is not needed for is found out once for the groups of a metric."""
        group = tuple([group for _, group in key.group])
        asked = self._once(
            ("asked", key.metric, key.columns, key.qualifiers, len(group)), lambda: question_or_reason(key)
        )
        if isinstance(asked, Message):
            raise NoAnswerError(asked)
        return asked if asked.how is not None or asked.group == group else replace(asked, group=group)

    def _of_all_groups(self, key: Key) -> Finding:
        """Return the finding of a key that is about all groups of a feature together."""
        if not self.counts.truth:
            raise NoAnswerError(OF_CLUSTERS)
        columns = key.columns
        if len(self.counts.classes) > 2:
            raise NoAnswerError(OF_ONE)
        tally, labels = self.counts.tally(columns), self.counts.groups(columns)
        if self.always_valid and key.metric != "share_of_selected":
            return without_interval(self._of_every_group(key, tally, labels))
        return self._of_every_group(key, tally, labels)

    def _of_every_group(self, key: Key, tally: Tally, labels: Labels) -> Finding:
        columns, level = key.columns, self.level
        if key.metric in OF_ALL:
            return of_all(key, self.audit, tally, partial(_named, columns, labels), level)
        at = self._group(columns, tuple(group for _, group in key.group))
        if key.metric in SHARES:
            found = self._once(
                ("shares", key.metric, columns), lambda: (shares_of(key.metric, tally, level, self._by), tally.rows)
            )
            return shares(key, self.audit, *found, at, level)
        ratios = self._once(("highest", key.metric, columns), lambda: self._to_highest(key.metric, columns))
        ratio = ratios.get(key)
        if ratio is None:
            raise NoAnswerError(message("It is the highest, or no group has a value."))
        return ratio

    def _to_highest(self, name: str, columns: Columns) -> dict[Key, Finding]:
        metric, labels = name.removesuffix("_ratio"), self.counts.groups(columns)
        measured = measure("selection_rate", self.counted(Question(metric, None, columns, ())), self.level)
        keys = [Key.of(name, dict(zip(columns, group, strict=True)), vs="highest") for group in labels]
        names = [_named(columns, labels, at) for at in range(len(labels))]
        found = beside_the_highest(keys, self.audit, names, replace(measured, metric=metric), self.level)
        return {ratio.key: ratio for ratio in found}

    def _once(self, name: Hashable, make: Callable[[], Kept]) -> Kept:
        if name not in self._kept:
            self._kept[name] = make()
        return cast("Kept", self._kept[name])

    def _value(self, key: Key, measured: Measured, note: Callable[[int], Message] | None, at: int) -> Finding:
        found = value_finding(key, self.audit, measured, at, self.level)
        return found if note is None else replace(found, note=sentences(note(at), found.note))

    def _place(self, asked: Question) -> int:
        """Return the index of the requested group in the values."""
        at = self._group(asked.columns, asked.group or ())
        classes = len(self.counts.classes) if asked.metric == "normalized_recall_change" else 1
        return at * classes + (self._class(asked) if classes > 1 else 0)

    def _group(self, columns: Columns, group: tuple[str, ...]) -> int:
        places = self._once(
            ("places", columns), lambda: {part: at for at, part in enumerate(self.counts.groups(columns))}
        )
        at = places.get(group)
        if at is None:
            there = group_name(zip(columns, group, strict=True))
            raise NoAnswerError(message("No row is of the group {group}.", group=there))
        return at

    def _values(self, asked: Question) -> tuple[Measured, Callable[[int], Message] | None]:
        chosen = "" if asked.metric == "normalized_recall_change" else asked.chosen
        name = (asked.metric, asked.columns, asked.original, chosen)
        if not asked.paired:
            return self._measured(asked, self.level), None
        return self._once(name, lambda: self._paired(asked))

    def _measured(self, asked: Question, level: float) -> Measured:
        """Return the values of a metric, measured once; their ends are found once a critical value."""
        name = (asked.metric, asked.columns, asked.original, asked.chosen, asked.threshold, level)

        def make() -> Measured:
            found = self._by.measure(asked.metric, self.counted(asked), level)
            return replace(found, ends=cache(found.ends))

        return self._once(name, make)

    def _moved(self, asked: Question) -> list[Moved]:
        """Return the rates of which compression changed a gap, each measured once for all of its disparities."""
        rates = EQUALIZED_ODDS if asked.metric == "equalized_odds" else (asked.metric,)
        joint = self._joint(asked, "decisions")

        def make(rate: str) -> Moved:
            return moved(rate, joint, self._change(rate, asked.columns, joint), self.level, self._by.measure)

        return [self._once(("moved", rate, asked.columns), partial(make, rate)) for rate in rates]

    def _change(self, rate: str, columns: Columns, joint: JointTally) -> Measured:
        """Return the changes of a rate by the decisions of two models, measured once."""
        return self._once(("change", rate, columns), lambda: self._by.change(rate, joint, self.level))

    def _class(self, asked: Question) -> int:
        """Return the code of the requested class."""
        names = list(self.counts.classes)
        if asked.chosen not in names:
            raise NoAnswerError(message("Counts know no class {name}.", name=asked.chosen) if asked.chosen else OF_ONE)
        return names.index(asked.chosen)

    def counted(self, asked: Question) -> Tally:
        """Return the tally of two classes that a rate is counted from; of all, for what is of all classes."""
        metric, entry = asked.metric, METRICS.get(asked.metric)
        if not self.counts.truth and metric != "selection_rate":
            raise NoAnswerError(OF_CLUSTERS)
        tally = self._tally(asked)
        if metric == "favourable_rate":
            if self.counts.favourable is None or tally.classes > 2:
                raise NoAnswerError(message("No outcome was declared favourable."))
            return tally if self.counts.favourable else tally.turned()
        if asked.chosen:
            return self._one(asked, tally, self._class(asked))
        if not self.counts.truth:
            raise NoAnswerError(OF_ONE)
        if (tally.classes == 2) == (entry is None or entry.task == "binary"):
            return tally
        if tally.classes == 2:
            raise NoAnswerError(message("It is of several classes; this label has two."))
        if metric in RIGHT:
            return tally.agreement()
        if entry is not None and (entry.of_classes or entry.task == "multiclass"):
            return tally
        raise NoAnswerError(OF_ONE)

    def _tally(self, asked: Question) -> Tally:
        """Return the counts of the decisions that a question is about."""
        if not asked.threshold:
            return self.counts.tally(asked.columns, "original" if asked.original else "subject")
        cut = cut_of(asked)
        return self._once(("at", asked.columns, cut), lambda: self.counts.tally_at(asked.columns, cut))

    def _one(self, asked: Question, tally: Tally, chosen: int) -> Tally:
        return self._once(("one", asked.columns, asked.original, chosen), lambda: tally.one_vs_rest(chosen))

    def _compared(self, key: Key, asked: Question) -> Finding:
        """Return the finding of a comparison of groups."""
        assert asked.how is not None  # checked by the caller
        if asked.given is not None:
            found = self._within(key.metric, asked)
        elif asked.to:
            found = self._to(asked)
        elif asked.of_gap:
            found = self._by.changed_gap(asked.how, self._moved(asked), self.level)
        elif asked.paired:
            found = compare(self._values(asked)[0], asked.how, self.level)
        else:
            found = self._gap(key.metric, asked)
        labels = self.counts.groups(asked.columns)
        return disparity_finding(key, self.audit, found, partial(_named, asked.columns, labels), self.level)

    def values(self, asked: Question) -> tuple[Measured, Tally | None]:
        """Return the values of groups that a question is about, and the counts they are of, where those are one table.

        Raises
        ------
        NoAnswerError
            When counts do not give them, or they are not one value a group.
        """
        if asked.of_gap or asked.metric not in METRICS or METRICS[asked.metric].kind == "statement":
            raise NoAnswerError(message("It is not one value a group."))
        if asked.given is not None:
            values, parts = self.counts.strata(asked.columns, asked.given.column)
            tally = parts[list(values).index(asked.given.group or "")]
            return self._by.measure(asked.metric, tally, self.level), tally
        return self._values(asked)[0], None if asked.paired else self.counted(asked)

    def takes_worst_class(self, asked: Question) -> bool:
        """Whether a comparison of groups is the worst over classes, each against the rest."""
        entry = METRICS.get(asked.metric)
        if asked.chosen or asked.metric in (*RIGHT, "favourable_rate"):
            return False
        if not self.counts.truth:
            return asked.metric == "selection_rate"
        if len(self.counts.classes) < 3:
            return False
        return entry is None or (entry.task == "binary" and not entry.of_classes)

    def _gap(self, name: str, asked: Question) -> Disparity:
        """Compare groups with each other; with several classes, each against the rest, take the worst."""
        if not self.takes_worst_class(asked):
            if asked.metric == "equalized_odds":
                both = [partial(self._gap_of, replace(asked, metric=rate)) for rate in EQUALIZED_ODDS]
                return worst_of(both, cast("How", asked.how), self.level)
            if asked.metric not in METRICS:  # the mean of both
                return disparity(name, self.counted(asked), self.level, self._by.measure)
            return self._gap_of(asked, self.level)
        whole = self.counts.tally(asked.columns, "original" if asked.original else "subject")
        parts = [self._one(asked, whole, chosen) for chosen in range(whole.classes)]
        return self._by.worst(name, parts, cast("How", asked.how), self.level)

    def _gap_of(self, asked: Question, level: float) -> Disparity:
        """Compare the groups' values of one metric at a confidence."""
        how, name = (
            cast("How", asked.how),
            (asked.metric, asked.how, asked.columns, asked.original, asked.chosen, asked.threshold, level),
        )

        def make() -> Disparity:
            return compare(self._measured(asked, level), how, level)

        return self._once(name, make)

    def _to(self, asked: Question) -> Disparity:
        entry = METRICS.get(asked.metric)
        if entry is None or entry.kind != "rate" or asked.how not in ("difference", "ratio"):
            raise NoAnswerError(message("Only the difference or ratio of a rate is taken against something else."))
        to: Reference = "overall" if asked.to == "overall" else "rest"
        if asked.to not in ("overall", "rest"):
            names = [group_name(zip(asked.columns, part, strict=True)) for part in self.counts.groups(asked.columns)]
            if asked.to not in names:
                raise NoAnswerError(message("No row is of the group {group}.", group=asked.to))
            to = names.index(asked.to)
        return between(asked.how, self._sides(asked, to), self.level)

    def _sides(self, asked: Question, to: Reference) -> Sides:
        """Return the rates of the groups and of what they are compared with; the rest of the rows is measured once."""
        values, tally, metric = self._values(asked)[0], self.counted(asked), asked.metric
        if isinstance(to, int):
            return sides_of(metric, values, tally, to, self.level, self._by.measure)
        name = ("rest", metric, asked.columns, asked.original, asked.chosen, asked.threshold)
        rest = self._once(name, lambda: sides_of(metric, values, tally, "rest", self.level, self._by.measure))
        return rest if to == "rest" else rest.within_all(metric, tally)

    def _within(self, name: str, asked: Question) -> Disparity:
        """Compare groups within a value of a control feature, or the worst of its values."""
        assert asked.given is not None  # checked by the caller
        more = asked.original or asked.chosen or asked.to or asked.metric == "favourable_rate"
        if more or len(self.counts.classes) > 2 or asked.given.column in asked.columns:
            raise NoAnswerError(message("Within a control feature counts compare decisions of two classes only."))
        control = asked.given.column
        values, parts = self._once(
            ("strata", asked.columns, control), lambda: self.counts.strata(asked.columns, control)
        )
        if asked.given.group is None:
            return self._by.worst(name, list(parts), cast("How", asked.how), self.level)
        if asked.given.group not in values:
            raise NoAnswerError(message("No row is of the group {group}.", group=asked.given.group))
        return disparity(name, parts[values.index(asked.given.group)], self.level, self._by.measure)

    def _joint(self, asked: Question, view: str | int) -> JointTally:
        """Return joint counts; of two classes all follow from the decisions."""
        several = len(self.counts.classes) > 2
        if several and view == "decisions":
            raise NoAnswerError(message("Of several classes the joint counts do not say it."))
        return self.counts.joint(asked.columns, view)

    def _paired(self, asked: Question) -> tuple[Measured, Callable[[int], Message] | None]:
        """Return the values of a comparison of two models, and the note of each."""
        several, metric = len(self.counts.classes) > 2, asked.metric
        if METRICS[metric].pairs:
            return self._flips(asked, several), None
        if metric == "normalized_recall_change":
            return self._by.excess(self._joint(asked, "classes"), self.level), None
        if metric == "excess_accuracy_change":
            return self._by.excess(self._joint(asked, "agreement"), self.level), None
        rate = metric.removesuffix(CHANGE)
        if asked.chosen:
            at = self._class(asked)
            if not several and at != 1:
                raise NoAnswerError(message("Of two classes the change of a rate is that of the positive one."))
            if not several:
                return self._change(rate, asked.columns, self._joint(asked, "decisions")), None
            return self._by.change(rate, self._joint(asked, at), self.level), None
        if several and rate not in RIGHT:
            raise NoAnswerError(OF_ONE)
        joint = self._joint(asked, "agreement" if several else "decisions")
        rate = RIGHT[rate] if several else rate
        change = self._by.change(rate, joint, self.level) if several else self._change(rate, asked.columns, joint)
        found = replace(change, metric=metric)
        return found, differing(rate, joint) if shares_rows(rate) else None

    def _flips(self, asked: Question, several: bool) -> Measured:
        if not asked.chosen:
            view = ("flips" if asked.metric == "flip_rate" else "agreement") if several else "decisions"
            return self._by.flips(asked.metric, self._joint(asked, view), self.level, None)
        at = self._class(asked)
        if asked.metric != "flip_rate":
            raise NoAnswerError(message("Flips towards a class are counted whether right or wrong: ask for flip_rate."))
        return self._by.flips(
            "flip_rate", self._joint(asked, at if several else "decisions"), self.level, 1 if several else at
        )


def _named(columns: Columns, labels: Labels, at: int) -> str:
    return group_name(zip(columns, labels[at], strict=True))
