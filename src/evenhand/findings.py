"""What an audit states: findings with their uncertainty, and the record that keeps them.

A record has neither limits nor formats. It holds the findings, the counts behind them, and the provenance of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from evenhand.errors import RecordError, did_you_mean
from evenhand.keys import Key, answers_of, canonical_key
from evenhand.messages import message
from evenhand.metric_frames import metric_frame, of_groups, tidy
from evenhand.outlines import ends, of_finding, of_record, shown
from evenhand.provenance import Measurements, Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from fairlearn.metrics import MetricFrame
    from numpy.typing import NDArray

    from evenhand.messages import Message
    from evenhand.metric_frames import Shown

__all__ = ["Absent", "AuditRecord", "Deciding", "Finding", "GroupCounts", "GroupValue", "Interval", "Section"]

Direction: TypeAlias = Literal["higher_is_better", "lower_is_better", "neutral"]
Unit: TypeAlias = Literal["share", "number", "ratio", "bytes", "seconds", "score"]
Task: TypeAlias = Literal["binary", "multiclass", "multilabel", "regression", "ranking", "transcription"]
"""What a label is: one of two classes, one of several, several at once, a number, or the worth of an item in a list."""
Reads: TypeAlias = Literal["table", "arrays", "texts", "tokens", "records"]
"""What a model reads: columns of a table, arrays (n, ...), texts, lists of token ids, or mappings."""
Batch: TypeAlias = "pd.DataFrame | NDArray[Any] | Sequence[Any]"
"""Rows as a model is given them: a table, an array (n, ...), or a list of texts, of token ids or of mappings."""
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
"""Plain JSON data."""
MOST_MOMENTS: Final = 200_000
"""The most sums over clusters that are kept of one grouping; of more, what rests on them cannot be derived."""
SAME_LEVEL: Final = 1e-9
"""Two levels of confidence that are this near are one."""


@dataclass(frozen=True, slots=True, repr=False)
class Interval:
    """A two-sided interval. An end that is None is unbounded, for instance because a group's value is undefined.

    See Also
    --------
    evenhand.audit_predictions : Makes findings with intervals.
    evenhand.findings.Finding : Has one.
    """

    low: float | None
    """The lower end."""
    high: float | None
    """The upper end."""
    level: float
    """The confidence, such as 0.95: at most half of 1 - level is the chance of an error on either side."""
    method: str
    """How it was found: ``clopper-pearson``, ``mover``, ``newcombe``, ``delong`` ..."""

    def __repr__(self) -> str:
        return f"{ends(self)} at {self.level:.4g} ({self.method})"


@dataclass(frozen=True, slots=True)
class GroupValue:
    """One group's part in a disparity.

    See Also
    --------
    evenhand.findings.Finding : Holds the values of the groups that it compares; with an example.
    """

    group: str
    """The group as the page names it; an intersection's parts are joined by ``", "``."""
    estimate: float | None
    """The group's value of the finding's component, None when it is undefined."""
    support: int
    """The rows in the denominator of that value."""
    rows: int
    """All rows of the group."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """The groups whose bounds are the ends of a disparity's interval, each the one with the lesser value first.

    They are rarely the groups with the extreme estimates: those are often the smallest, whose bounds say least.

    See Also
    --------
    evenhand.audit_predictions : Makes findings of disparities, which hold it.
    """

    low: tuple[GroupValue, ...] = ()
    """Those of the low end; none where it is open."""
    high: tuple[GroupValue, ...] = ()
    """Those of the high end; none where it is open."""


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """One statement of an audit, with its uncertainty and the rows it rests on.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 1, 1, 0], [1, 1, 0, 0], sensitive_features={"sex": ["f", "m", "m", "m"]})
    >>> gap = record["recall_difference[sex]"]
    >>> gap.estimate, gap.unit, gap.direction
    (0.5, 'share', 'lower_is_better')
    >>> sorted((value.group, value.estimate, value.support) for value in gap.groups)
    [('f', 1.0, 1), ('m', 0.5, 2)]
    """

    key: Key
    """Its name everywhere."""
    audit: str
    """The audit that states it: ``performance``, ``fairness``, ``explanation``, ``compression`` ..."""
    estimate: float | None
    """The value, on its own scale; None means undefined, with the reasons in `undefined`."""
    interval: Interval | None = None
    """The interval that limits use. For an extreme over groups its two ends follow two rules: the end that can
    pass a limit is unadjusted (intersection-union), the end that can fail one is simultaneous."""
    support: int = 0
    """The number of rows the value rests on: a rate's denominator, a disparity's rows in all its groups."""
    direction: Direction = "neutral"
    """Which way is better."""
    unit: Unit = "share"
    """The scale of the estimate."""
    groups: tuple[GroupValue, ...] = ()
    """The groups that make a disparity, the one with the least value first."""
    component: str = ""
    """The metric whose values are in `groups`: ``recall`` or ``false_positive_rate`` for equalized odds."""
    unadjusted: Interval | None = None
    """For an extreme over groups: both ends without a correction for the number of groups."""
    critical: tuple[float, float] | None = None
    """The critical values (in standard errors) behind the low and the high end of `interval`."""
    deciding: Deciding | None = None
    """The groups behind both ends of `interval`; None for what is of one group, or of all."""
    uncovered: str = ""
    """Why no interval covers for such data: no limit passes or fails on it. Empty where one covers."""
    undefined: str = ""
    """Why there is no estimate; empty when there is one."""
    undefined_groups: tuple[str, ...] = ()
    """Groups whose value is undefined, so that a disparity's interval is open on their side."""
    note: str = ""
    """One plain sentence to show with the number."""
    withheld: bool = False
    """Whether a copy for publication holds the value back."""
    volatile: bool = False
    """True for times and memory: kept outside the record's digest."""

    def __repr__(self) -> str:
        return of_finding(self, self.support, self.undefined or self.uncovered or self.note)

    @property
    def name(self) -> str:
        """The key as text."""
        return str(self.key)

    @property
    def all_groups(self) -> tuple[GroupValue, ...]:
        """The groups that it names: those with the extreme values, and those that decide."""
        decide = () if self.deciding is None else (*self.deciding.low, *self.deciding.high)
        return (*self.groups, *decide)

    @property
    def furthest(self) -> tuple[GroupValue, ...]:
        """The groups shown to be furthest apart, by their bounds, the lesser value first.

        They are those behind the end that would fail a limit: of a ratio the high one, else the low one. Where no bound
        is known, those with the extreme estimates.
        """
        if self.deciding is None:
            return self.groups
        return (self.deciding.high if self.unit == "ratio" else self.deciding.low) or self.groups

    @property
    def defined(self) -> bool:
        """Whether there is an estimate."""
        return self.estimate is not None

    @property
    def absence(self) -> str:
        """The reason of an absent estimate: ``undefined``, or ``withheld`` in a public copy."""
        return message("withheld") if self.withheld else message("undefined")


@dataclass(frozen=True, slots=True)
class Absent:
    """A key without a finding: no audit stated it, and the record's counts cannot give it.

    See Also
    --------
    evenhand.metrics.answers.answers_of : Answers keys with a finding or with this.
    """

    key: Key
    """The requested key."""
    reason: Message
    """Why there is no finding, in one sentence."""
    uncounted: bool = False
    """Whether counts could give it, if only the record had them."""


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """The sufficient statistics of one grouping: what every count finding can be computed from again.

    See Also
    --------
    evenhand.audit_predictions : Makes records, whose ``counts`` these are.
    """

    model: str
    """``subject``, ``original``, ``joint`` for a tally of original x compressed, ``strata`` for the groups within each
    value of a control feature, the last column; ``scores`` or ``attributions``."""
    columns: tuple[str, ...]
    """The columns that make the groups; empty for all rows."""
    groups: tuple[tuple[str, ...], ...]
    """One tuple of values for each group, in the order of `counts`."""
    axes: tuple[str, ...]
    """The axes of `counts`, such as ``("group", "true", "predicted")``."""
    counts: Plain
    """Nested lists of row counts."""
    weights: Plain = None
    """Nested lists of weight sums, None when rows are not weighted."""
    squared_weights: Plain = None
    """Nested lists of sums of squared weights, None when rows are not weighted."""
    moments: Plain = None
    """For each group the sums over clusters of v v', (cells, cells), where v are the rows of a cluster, or its weights,
    in the cells of the group: what errors between clusters need. None when rows are not in clusters, and where there
    would be more than `MOST_MOMENTS` numbers."""
    clusters: Plain = None
    """For each group the number of clusters with a row in it; of joint counts also that of each class of the truth.
    None when rows are not in clusters."""


@dataclass(frozen=True, slots=True)
class Section:
    """Whether an audit ran.

    See Also
    --------
    evenhand.audit_predictions : Makes records, whose ``sections`` these are.
    """

    audit: str
    """The audit's name."""
    ran: bool
    """False when there was nothing it could work on."""
    reason: str = ""
    """Why it did not run, or what limits it."""


@dataclass(frozen=True, slots=True, repr=False)
class AuditRecord:
    """Everything an audit found, with the counts behind it and its provenance.

    Examples
    --------
    >>> from evenhand.findings import AuditRecord, Finding
    >>> from evenhand.keys import Key
    >>> record = AuditRecord((Finding(Key.of("accuracy"), "performance", 0.9, support=10),))
    >>> record["accuracy"].estimate
    0.9
    """

    findings: tuple[Finding, ...]
    """All findings, in the order in which the audits state them."""
    sections: tuple[Section, ...] = ()
    """Which audits ran, and why others did not."""
    tallies: tuple[GroupCounts, ...] = ()
    """The counts behind the findings."""
    provenance: Provenance = field(default_factory=Provenance)
    """Hashes of model and data, versions, seed, roles, recipe: the same for the same run."""
    measurements: Measurements = field(default_factory=Measurements)
    """What differs from run to run: time, duration, machine load. Outside the digest."""
    _index: dict[Key, Finding] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Findings by key, built on first use."""
    _answers: dict[tuple[float, bool], Callable[[Key], Finding | Absent]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What answers a key from the counts, by confidence."""

    def __getitem__(self, key: str | Key) -> Finding:
        """Return the finding of that key, in any accepted spelling: stated by an audit, or computed from counts."""
        found = self.find(key)
        if isinstance(found, Absent):
            hint = did_you_mean(str(found.key), (finding.name for finding in self.findings))
            raise RecordError(f"No finding '{found.key}': {found.reason}{hint}")
        return found

    def __repr__(self) -> str:
        idle = [section.audit for section in self.sections if not section.ran]
        return of_record(self.findings, self.provenance, idle)

    def _repr_html_(self) -> str | None:
        return shown(self)

    def _ipython_key_completions_(self) -> list[str]:
        """Return the keys that ``record[<tab>`` completes."""
        return [finding.name for finding in self.findings]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, (str, Key)) and self.get(key) is not None

    def get(self, key: str | Key) -> Finding | None:
        """Return the finding of that key, or None where no audit stated it and counts cannot give it."""
        found = self.find(key)
        return None if isinstance(found, Absent) else found

    def stated(self, key: str | Key) -> Finding | None:
        """Return the finding of that key, in any accepted spelling, if an audit stated it."""
        wanted = Key.parse(key) if isinstance(key, str) else key
        if not self._index:
            own = {finding.key: finding for finding in reversed(self.findings)}
            others = {name: found for key, found in own.items() if (name := canonical_key(key)) is not key}
            self._index.update(others | own)
        found = self._index.get(wanted)
        return found if found is not None else self._index.get(canonical_key(wanted))

    def find(self, key: str | Key, level: float | None = None, *, always_valid: bool = False) -> Finding | Absent:
        """Return the finding of that key, or why there is none.

        Parameters
        ----------
        key : str or Key
            In any accepted spelling.
        level : float, optional
            The confidence of the interval, that of the record when absent. A stated finding whose interval no count
            can give again comes back as it is.
        always_valid : bool
            Whether the interval is to hold at all times, for a record of data that grows. A finding without such an
            interval has none, and says so in ``uncovered``.
        """
        wanted = Key.parse(key) if isinstance(key, str) else key
        found = self.stated(wanted)
        if found is None:
            return self._answer(wanted, self.level if level is None else level, always_valid)
        same = found.interval is None or level is None or abs(found.interval.level - level) <= SAME_LEVEL
        if same and not always_valid:
            return found
        again = self._answer(wanted, self.level if level is None else level, always_valid)
        if isinstance(again, Absent) or found.estimate is None or (again.interval is None and not always_valid):
            return found
        ends = {name: getattr(again, name) for name in ("interval", "unadjusted", "critical", "deciding")}
        return replace(found, **ends, uncovered=again.uncovered)

    @property
    def level(self) -> float:
        """The confidence of the record's intervals."""
        usual = next((finding.interval.level for finding in self.findings if finding.interval is not None), 0.95)
        return self.provenance.get("options", {}).get("level", usual)

    def _answer(self, key: Key, level: float, always_valid: bool = False) -> Finding | Absent:
        asked = (level, always_valid)
        if asked not in self._answers:
            self._answers[asked] = cast("Callable[[Key], Finding | Absent]", answers_of(self, *asked))
        return self._answers[asked](canonical_key(key))

    def of_audit(self, audit: str) -> tuple[Finding, ...]:
        """Return the findings of one audit."""
        return tuple(finding for finding in self.findings if finding.audit == audit)

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy pandas table, one row a finding: key, audit, metric, columns, group, estimate, low, high ..."""
        return tidy(self.findings)

    def by_group(self, *columns: str, what: Shown = "estimate") -> pd.DataFrame:
        """Return a table of what is stated of each group: one row a group, one column a metric, as in a MetricFrame.

        Without columns, of the one sensitive feature that there is. `what` is the estimate, an end of its interval
        (``"low"``, ``"high"``) or its ``"support"``; nan where it is undefined, or open.
        """
        return of_groups(self.findings, columns, what)

    def to_metric_frame(self, *columns: str | Sequence[str], model: str = "subject") -> MetricFrame:
        """Return fairlearn's `MetricFrame` of the count metrics over `columns`, made from the record's counts.

        Columns are named one by one, or as one list. Without any, over the one sensitive feature of the record.
        """
        named = (name for part in columns for name in ((part,) if isinstance(part, str) else part))
        return metric_frame(self.tallies, tuple(named), model)
