"""Suppress small cells for publication, with complementary suppression of what would reveal them.

A group with fewer rows than the limit is withheld. Of a group in which fewer people share a true class and a decision,
or nobody does (then the decision tells the class of everybody), only rates over all its rows are shown, of which no two
give away the others. A rate that counts fewer people, or all but fewer, is withheld. A group alone withheld among
groups that add up to a shown total could be subtracted; so another goes with it, in every line of every table, until no
line gives one away (`withholding`). A gap is shown where all groups that it compares are. What names no group of these
tables (slices, words, single rows) is withheld, whichever audit stated it.

Of a later copy, what the earlier one showed is known: a number that changed by fewer people than the limit is withheld,
and a group that was withheld stays so until it has outgrown all that it can have been.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.errors import InputError
from evenhand.findings import AuditRecord, GroupCounts
from evenhand.messages import Message, message
from evenhand.metrics import METRICS, parse_disparity
from evenhand.metrics.catalogue.lists import stated
from evenhand.records import digest
from evenhand.report.published import Published
from evenhand.report.withholding import Cell, Counts, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.findings import Finding
    from evenhand.keys import Key
    from evenhand.policy import Judgement, Verdict
    from evenhand.provenance import Provenance

__all__ = ["PUBLIC", "suppressed"]

PUBLIC: Final = 10
"""The fewest rows that a number of the public profile rests on: the threshold of the UK's Office for National
Statistics for health statistics."""
SIZES: Final = ("rows_per_group",)
"""The requirement whose judgement tells the rows of groups."""
PERSONAL: Final = ("word_contribution",)
"""Metrics whose keys have words of people: what is withheld leaves the copy, key and all."""
OF_THE_MODEL: Final = frozenset({"file_bytes", "parameters", "nonzero_parameters", "macs", "size_ratio"})
"""Metrics that are about no rows; so are those in bytes and seconds."""
OWN: Final = frozenset({"of", "feature", "class", "at"})
"""Qualifiers of a value of one group that name no further rows; ``given``, ``cohort`` or ``threshold`` do."""
COMPARING: Final = OWN | {"vs", "rate", "test"}
"""Those of a value that rests on other groups of the same columns, too."""
NEAR: Final = 1e-6
"""A share of rows that is this near a whole number of them counts people."""
LOCAL: Final = ("score_edges", "attribution_reach", "attribution_means", "rows_seen_in_training", "predictions", "code")
"""Provenance that tells of single rows, of few, or of the machine."""
OF_ROWS: Final = frozenset(
    {"content_hash", "missing_values", "repeated_ids", "rows_dropped", "rows_in_source", "codes_made_missing"}
)
"""Facts of the rows that count few, or by which a guess of the one row that is not known could be tried."""


def suppressed(record: AuditRecord, below: int, since: AuditRecord | None = None) -> AuditRecord:
    """Return a copy without what rests on fewer than `below` rows.

    Withheld findings are marked and have neither estimate nor interval; the gate refuses the copy.

    Parameters
    ----------
    record : AuditRecord
        The record; it stays as it is.
    below : int
        The fewest rows that a number may rest on, 2 or more.
    since : AuditRecord, optional
        The copy that was published before: what both show together gives no more away.

    Raises
    ------
    InputError
        When `below` is less than 2, all rows together are fewer, the record is a copy for publication and the earlier
        one is none, or both differ by fewer rows.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 60, [1, 0] * 60, sensitive_features={"sex": ["f"] * 6 + ["m"] * 114})
    >>> copy = suppressed(record, 5)
    >>> record["recall[sex=f]"].estimate, copy["recall[sex=f]"].withheld
    (1.0, True)
    """
    if below < 2:
        raise InputError(f"Suppression below {below} rows withholds nothing; say 5 or 10.")
    if "suppressed_below" in record.provenance:
        raise InputError(
            "This record is a copy for publication already; what it withholds was decided when it was made."
        )
    work = _Copying(record, below, None if since is None else Published.of(since))
    return work.copy()


def suppressed_verdict(verdict: Verdict, copy: AuditRecord) -> Verdict:
    """Return the verdict for a suppressed copy: every status, and only the figures that are shown."""
    judgements = tuple(_judgement(judgement, copy) for judgement in verdict.judgements)
    return replace(verdict, judgements=judgements, sentence=verdict.tally, remarks=(withheld_words(copy.provenance),))


def withheld_words(provenance: Provenance) -> Message:
    """Return the notice of a copy for publication: by which rule, and how much is withheld."""
    below, cells = provenance["suppressed_below"], provenance.get("withheld_figures")
    if cells is None:
        return message(
            "Figures that rest on fewer than {below} rows are withheld, and others that would give them away. "
            "This copy is for publication; the gate judges the full record.",
            below=below,
        )
    groups = len(provenance.get("withheld_groups", []))
    said: dict[str, Any] = {"below": below, "cells": cells, "groups": groups}
    if provenance.get("published_before"):
        return message(
            "This copy is for publication: {cells:,} figures and the sizes of {groups:,} groups are withheld, because "
            "they rest on fewer than {below} rows, would give such figures away, or changed by fewer than {below} "
            "people since the copy that was published before. The gate judges the full record.",
            **said,
        )
    return message(
        "This copy is for publication: {cells:,} figures and the sizes of {groups:,} groups are withheld, because they "
        "rest on fewer than {below} rows or would give such figures away. A later copy has to be made with this one. "
        "The gate judges the full record.",
        **said,
    )


@dataclass(slots=True)
class _Copying:
    """The making of one copy."""

    record: AuditRecord
    below: int
    since: Published | None
    rows: dict[Cell, Counts] = field(default_factory=dict)
    """Rows of every group; all rows under the empty cell."""
    leaves: dict[Cell, Counts] = field(default_factory=dict)
    """Its counts by truth and decision, of the original too."""
    hidden: set[Cell] = field(default_factory=set)
    """Groups of which nothing is shown."""
    halved: set[Cell] = field(default_factory=set)
    """Those of which rates over all rows are shown at most."""
    shown: dict[Key, bool] = field(default_factory=dict)
    """Whether a finding of a group, or of all rows, is shown."""
    stems: dict[Cell, set[str]] = field(default_factory=dict)
    """The metrics that are shown of a group, without qualifiers but the class."""

    def copy(self) -> AuditRecord:
        """Return the copy."""
        self._count()
        self._hide()
        self._choose()
        found = tuple(self._finding(finding) for finding in self.record.findings)
        kept = tuple(f for f in found if not (f.withheld and f.key.metric in PERSONAL))
        sections = tuple(
            replace(part, reason=_plain(part.reason) if not part.ran else "") for part in self.record.sections
        )
        tallies = tuple(_sizes(counts, self.hidden) for counts in self.record.tallies if counts.model == "subject")
        return AuditRecord(kept, sections, tallies, self._provenance(sum(f.withheld for f in found)), {})

    def _count(self) -> None:
        import numpy as np

        parts: dict[Cell, list[float]] = {}
        for counts in self.record.tallies:
            if counts.model not in ("subject", "original"):
                continue
            cells = np.asarray(counts.counts, dtype=float)
            for at, group in enumerate(counts.groups):
                cell: Cell = tuple(zip(counts.columns, group, strict=True))
                if counts.model == "subject":
                    self.rows[cell] = (float(cells[at].sum()),)
                parts.setdefault(cell, []).extend(np.ravel(cells[at]).tolist())
        self.rows = {cell: rows for cell, rows in self.rows.items() if rows[0]}
        self.leaves = {cell: tuple(parts[cell]) for cell in self.rows}
        total = self.rows.get((), (float(self.below),))[0]
        if total < self.below:
            raise InputError(f"All rows together are fewer than {self.below}; nothing could be shown.")

    def _hide(self) -> None:
        """Find the groups that are withheld, and those of which only rates over all rows are shown."""
        earlier = self.since
        before: dict[Cell, Counts] = {}
        before |= {} if earlier is None else {c: (float(n),) for c, n in earlier.sizes.items() if c in self.rows}
        table = Table(self.rows, self.below, before)
        if () in before and table.isolates(self.rows[()], before[()]):
            raise InputError(
                f"This record has fewer than {self.below} rows more or less than the copy that was published before: "
                "the difference would tell of those who came or went. Publish again when more have changed."
            )
        small = {
            cell
            for cell in self.rows
            if table.least(cell) < self.below or self._kept(cell, self.rows[cell], sizes=True)
        }
        self.hidden = table.withheld(small - {()}) - {()}
        known = {} if earlier is None else {c: said for c in self.rows if (said := earlier.decisions(c)) is not None}
        binary = all(len(said) in (4, 8) for said in self.leaves.values())
        before = {c: (*said, *self.leaves[c][4:]) for c, said in known.items() if binary and c not in self.hidden}
        leaves = Table(self.leaves, self.below, before)
        seen = set() if earlier is None or binary else {c for c in earlier.sizes if len(self.leaves.get(c, ())) > 1}
        thin = seen | {cell for cell in self.leaves if leaves.least(cell) < self.below}
        thin |= {cell for cell in self.leaves if cell not in known and self._kept(cell, self.leaves[cell], sizes=False)}
        self.halved = leaves.withheld(self.hidden | thin)

    def _kept(self, cell: Cell, now: Counts, *, sizes: bool) -> bool:
        """Return whether the earlier copy withheld a group, and it has not outgrown what it can have been there."""
        if self.since is None or cell not in self.since.groups:
            return False
        held = cell not in self.since.sizes if sizes else self.since.halved(cell)
        return held and min(now) < self.since.most(cell) + self.below

    def _choose(self) -> None:
        """Find which findings of groups, and of all rows, are shown: each metric is a table of its own."""
        families: dict[tuple[str, tuple[tuple[str, str], ...]], dict[Cell, Finding]] = {}
        for finding in self.record.findings:
            key = finding.key
            if len(key.group) == len(key.columns) and self._is_value(finding):
                families.setdefault((key.metric, key.qualifiers), {})[tuple(sorted(key.group))] = finding
        for (metric, _), found in families.items():
            free = set(found) - self.halved if _counted(metric) else set()
            counts = all(_counts_people(finding) for finding in found.values())
            now = {cell: _people(finding, counts) for cell, finding in found.items()}
            seed = {
                cell
                for cell in found
                if cell in self.hidden or (cell in self.halved and not self._over_all_rows(metric))
            }
            seed |= {cell for cell in found if min(now[cell]) < self.below}
            seed |= {cell for cell, finding in found.items() if self._held_before(finding, now[cell])}
            table = Table(now, self.below, self._before(found, counts))
            away = (table.withheld(seed - free, self.halved) | seed) - free
            for cell, finding in found.items():
                self.shown[finding.key] = cell not in away
                if cell not in away:
                    self.stems.setdefault(cell, set()).add(metric)

    def _is_value(self, finding: Finding) -> bool:
        """Return whether a finding is a value of a group of the tables, or of all rows, that may be shown at all."""
        if finding.estimate is None or tuple(sorted(finding.key.group)) not in self.rows:
            return False
        return {name for name, _ in finding.key.qualifiers} <= OWN and finding.support > 0

    def _over_all_rows(self, metric: str) -> bool:
        """Return whether a metric is over all rows, and no two of such give others away."""
        if any(len(said) not in (4, 8) for said in self.leaves.values()):
            return metric in ("accuracy", "mean_score")
        return metric in stated("all rows")

    def _held_before(self, finding: Finding, now: Counts) -> bool:
        if self.since is None or not self.since.withheld(finding.key) or _counted(finding.key.metric):
            return False
        return min(now) < self.since.most(tuple(sorted(finding.key.group))) + self.below

    def _before(self, found: Mapping[Cell, Finding], counts: bool) -> dict[Cell, Counts]:
        """Return the numbers of people that the earlier copy showed of the same findings."""
        if self.since is None:
            return {}
        earlier = {cell: self.since.shown(finding.key) for cell, finding in found.items()}
        return {cell: _people(finding, counts) for cell, finding in earlier.items() if finding is not None}

    def _finding(self, finding: Finding) -> Finding:
        """Return a finding, without its value where that is withheld."""
        told = self._tells_nothing(finding) or self._is_word_of_many(finding)
        if told or self.shown.get(finding.key) or self._follows(finding):
            return replace(finding, note=_plain(finding.note), undefined=_plain(finding.undefined))
        why = message("withheld: it, or what it would give away, rests on fewer than {below} rows", below=self.below)
        return replace(
            finding, estimate=None, interval=None, unadjusted=None, critical=None, support=0, groups=(), undefined=why,
            withheld=True, undefined_groups=(), note="", deciding=None, uncovered="",
        )  # fmt: skip

    def _tells_nothing(self, finding: Finding) -> bool:
        """Return whether a finding is about no rows: about a model's file, or a time."""
        about = finding.unit in ("bytes", "seconds") or finding.volatile or finding.key.metric in OF_THE_MODEL
        return about and not finding.key.features

    def _is_word_of_many(self, finding: Finding) -> bool:
        """Return whether a finding is about a word of all texts that enough people used, now and before."""
        key = finding.key
        if key.metric not in PERSONAL or key.group or key.qualifiers or finding.support < self.below:
            return False
        if self.since is None:
            return True
        earlier = self.since.shown(key)
        return earlier is not None and not 0 < abs(finding.support - earlier.support) < self.below

    def _follows(self, finding: Finding) -> bool:
        """Return whether a finding follows from what is shown of groups, each of which is."""
        key = finding.key
        if not {name for name, _ in key.qualifiers} <= COMPARING or not key.columns or key in self.shown:
            return False
        if finding.support < self.below or any(min(v.support, v.rows) < self.below for v in finding.all_groups):
            return False
        cells = [cell for cell in self.rows if tuple(column for column, _ in cell) == key.columns]
        if not cells or any(cell in self.hidden or cell in self.halved for cell in cells) or () in self.halved:
            return self._of_shown(finding, cells)
        return True

    def _of_shown(self, finding: Finding, cells: list[Cell]) -> bool:
        """Return whether a gap is one of a rate over all rows that is shown of every group."""
        split = parse_disparity(finding.key.metric)
        metric = finding.component or (split[0] if split else "")
        return (
            bool(cells) and self._over_all_rows(metric) and all(metric in self.stems.get(c, ()) for c in [(), *cells])
        )

    def _provenance(self, away: int) -> Provenance:
        kept: dict[str, Any] = {name: said for name, said in self.record.provenance.items() if name not in LOCAL}
        if "data" in kept:
            kept["data"] = {name: said for name, said in kept["data"].items() if name not in OF_ROWS}
        for model in ("subject", "original"):
            if kept.get(model):
                facts = {name: said for name, said in kept[model].items() if name != "training"}
                kept[model] = facts
        kept |= {"suppressed_below": self.below, "withheld_groups": [dict(cell) for cell in sorted(self.hidden)]}
        kept["withheld_figures"] = away
        if self.since is not None:
            kept["published_before"] = digest(self.since.record)
        return cast("Provenance", kept)


def _counted(metric: str) -> bool:
    """Return whether a metric follows from counts of truth and decision of the model that is audited."""
    return metric in METRICS and METRICS[metric].counted and not METRICS[metric].pairs


def _counts_people(finding: Finding) -> bool:
    """Return whether a finding is a share that counts some of its rows; it may, where another package states it."""
    if finding.unit != "share" or finding.estimate is None:
        return False
    count = abs(finding.estimate) * finding.support
    kind = METRICS[finding.key.metric].kind if finding.key.metric in METRICS else "statement"
    return kind == "statement" or abs(count - round(count)) <= NEAR


def _people(finding: Finding, counts: bool) -> Counts:
    """Return the numbers of people that a finding tells: of a share those it counts and the others, else its rows."""
    if not counts:
        return (float(finding.support),)
    count = float(round(abs(finding.estimate or 0.0) * finding.support))
    return (count, finding.support - count)


def _plain(words: str) -> str:
    """Return a sentence that has no places, which might name rows or count few; else nothing."""
    return words if isinstance(words, Message) and not words.places else ""


def _sizes(counts: GroupCounts, hidden: set[Cell]) -> GroupCounts:
    """Return the rows of the groups that are shown, and no other counts."""
    import numpy as np

    named = (tuple(zip(counts.columns, group, strict=True)) for group in counts.groups)
    kept = [at for at, cell in enumerate(named) if cell not in hidden]
    cells, groups = np.asarray(counts.counts, dtype=float), tuple(counts.groups[at] for at in kept)
    return GroupCounts("subject", counts.columns, groups, ("group",), [int(cells[at].sum()) for at in kept])


def _judgement(judgement: Judgement, copy: AuditRecord) -> Judgement:
    if judgement.limit.required and judgement.key.columns != SIZES:
        return judgement
    finding = judgement.finding and copy.get(judgement.finding.key)
    if finding is not None and finding.estimate is not None:
        if copy.provenance["withheld_groups"]:  # what would decide, and whom it burdens, may be told of other groups
            return replace(judgement, finding=finding, advice=None, burden=())
        return judgement
    below = copy.provenance["suppressed_below"]
    words = message("Its figures are withheld: they rest on fewer than {below} rows.", below=below)
    return replace(judgement, finding=finding, reason=words, advice=None, evidence=None, burden=())
