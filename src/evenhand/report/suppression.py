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
from evenhand.metrics.catalogue.lists import stated
from evenhand.records import digest
from evenhand.report.mitigated import without_figures
from evenhand.report.published import Published, chained
from evenhand.report.telling import (
    FROM_COUNTS,
    OF_TALLIES,
    component_of,
    counted,
    counts_people,
    named_component,
    nearly_equal,
    people,
    people_of_weights,
    tells_of_few,
    to_digits,
)
from evenhand.report.withholding import Cell, Counts, Table, withheld_in_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenhand.findings import Finding
    from evenhand.keys import Key
    from evenhand.provenance import Provenance

__all__ = ["PUBLIC", "suppressed"]

PUBLIC: Final = 10
"""The fewest rows that a number of the public profile rests on: the threshold of the UK's Office for National
Statistics for health statistics."""
PERSONAL: Final = ("word_contribution",)
"""Metrics whose keys have words of people."""
OF_THE_MODEL: Final = frozenset({"file_bytes", "parameters", "nonzero_parameters", "macs", "size_ratio"})
"""Metrics that are about no rows; so are those in bytes and seconds."""
OWN: Final = frozenset({"of", "feature", "class", "at"})
"""Qualifiers of a value of one group that name no further rows; ``given``, ``cohort`` or ``threshold`` do."""
COMPARING: Final = OWN | {"vs", "rate", "test"}
"""Those of a value that rests on other groups of the same columns, too."""
OF_SEVERAL: Final = frozenset({"equalized_odds", "average_odds"})
"""Components that are several rates at once."""
UNCOVERED: Final = message("No interval is known to cover the value for such rows.")
"""Of a shown figure whose reason counts rows."""
LOCAL: Final = ("score_edges", "attribution_reach", "attribution_means", "rows_seen_in_training", "predictions", "code")
"""Provenance that tells of single rows, of few, or of the machine."""
OF_ROWS: Final = frozenset(
    {
        "content_hash",
        "train_content_hash",
        "train_hash",
        "validation_hash",
        "missing_values",
        "repeated_ids",
        "rows_dropped",
        "rows_in_source",
        "codes_made_missing",
        "training",
    }
)
"""Facts of the rows, whichever block has them, that count few, or by which a guess of the one row that is not known
could be tried."""


def suppressed(
    record: AuditRecord, below: int, since: AuditRecord | Sequence[AuditRecord] | None = None
) -> AuditRecord:
    """Return a copy without what rests on fewer than `below` rows.

    Withheld findings are marked and have neither estimate nor interval; the gate refuses the copy.

    Parameters
    ----------
    record : AuditRecord
        The record; it stays as it is.
    below : int
        The fewest rows that a number may rest on, 2 or more.
    since : AuditRecord or sequence of AuditRecord, optional
        The copies that were published before, the latest last: what all show together gives no more away.

    Raises
    ------
    InputError
        When `below` is less than 2, all rows together are fewer, the record is a copy for publication or an earlier
        one is none, a copy that an earlier one was made with is missing, or two differ by fewer rows.

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
    work = _Copying(record, below, chained(since))
    return work.copy()


@dataclass(slots=True)
class _Copying:
    """The making of one copy."""

    record: AuditRecord
    below: int
    since: tuple[Published, ...]
    """The copies that were published before, the latest last."""
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
    exact: set[str] = field(default_factory=set)
    """Metrics whose values count people."""
    weighted: bool = False
    """Whether rows have weights, so that a share times rows is no count."""

    def copy(self) -> AuditRecord:
        """Return the copy."""
        self._count()
        self._hide()
        self._choose()
        found = tuple(self._finding(finding) for finding in self.record.findings)
        kept = tuple(f for f in found if not (f.withheld and _named_by_rows(f.key)))
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
        self.weighted = any(counts.weights is not None for counts in self.record.tallies)
        self.rows = {cell: rows for cell, rows in self.rows.items() if rows[0]}
        self.leaves = {cell: tuple(parts[cell]) for cell in self.rows}
        total = self.rows.get((), (float(self.below),))[0]
        if total < self.below:
            raise InputError(f"All rows together are fewer than {self.below}; nothing could be shown.")

    def _hide(self) -> None:
        """Find the groups that are withheld, and those of which only rates over all rows are shown."""
        befores = [{c: (float(n),) for c, n in one.sizes.items() if c in self.rows} for one in self.since] or [{}]
        tables = [Table(self.rows, self.below, before) for before in befores]
        if any(() in table.before and table.isolates(self.rows[()], table.before[()]) for table in tables):
            raise InputError(
                f"This record has fewer than {self.below} rows more or less than a copy that was published before: "
                "the difference would tell of those who came or went. Publish again when more have changed."
            )
        small = {c for c, rows in self.rows.items() if min(rows) < self.below or self._kept(c, rows, sizes=True)}
        self.hidden = withheld_in_all(tables, small - {()}) - {()}
        thin = {cell for cell, said in self.leaves.items() if min(said) < self.below}
        binary = not self.weighted and all(len(said) in (4, 8) for said in self.leaves.values())
        leaves = []
        for one in self.since:
            known = {c: said for c in self.rows if (said := one.decisions(c)) is not None}
            before = {c: (*said, *self.leaves[c][4:]) for c, said in known.items() if binary and c not in self.hidden}
            leaves.append(Table(self.leaves, self.below, before))
            thin |= set() if binary else {c for c in one.sizes if len(self.leaves.get(c, ())) > 1}
            thin |= {
                c for c, said in self.leaves.items() if c not in known and self._kept_by(one, c, said, sizes=False)
            }
        self.halved = withheld_in_all(leaves or [Table(self.leaves, self.below)], self.hidden | thin)

    def _kept(self, cell: Cell, now: Counts, *, sizes: bool) -> bool:
        return any(self._kept_by(one, cell, now, sizes=sizes) for one in self.since)

    def _kept_by(self, earlier: Published, cell: Cell, now: Counts, *, sizes: bool) -> bool:
        """Return whether an earlier copy withheld a group, and it has not outgrown what it can have been there."""
        if cell not in earlier.groups:
            return False
        held = cell not in earlier.sizes if sizes else earlier.halved(cell)
        return held and min(now) < earlier.most(cell) + self.below

    def _choose(self) -> None:
        """Find which findings of groups, and of all rows, are shown: each metric is a table of its own."""
        families: dict[tuple[str, tuple[tuple[str, str], ...]], dict[Cell, Finding]] = {}
        for finding in self.record.findings:
            key = finding.key
            if len(key.group) == len(key.columns) and self._is_value(finding):
                families.setdefault((key.metric, key.qualifiers), {})[tuple(sorted(key.group))] = finding
        few = set(nearly_equal(families, self.below))
        for (metric, _), found in families.items():
            free = set(found) - self.halved if counted(metric) else set()
            counts = all(counts_people(finding, self.weighted) for finding in found.values())
            self.exact |= {metric} if counts else set()
            now = {cell: people(finding, counts) for cell, finding in found.items()}
            seed = {
                cell
                for cell in found
                if cell in self.hidden or (cell in self.halved and not self._over_all_rows(metric))
            }
            seed |= {c for c, f in found.items() if min(now[c] + self._of_weights(f, c)) < self.below or f.key in few}
            seed |= {c for c, f in found.items() if tells_of_few(f, self.below) or self._leaves_out_few(f, c)}
            seed |= {c for c, finding in found.items() if self._held_before(finding, now[c])}
            tables = [Table(now, self.below, self._before(one, found, counts)) for one in self.since]
            away = (withheld_in_all(tables or [Table(now, self.below)], seed - free, self.halved) | seed) - free
            for cell, finding in found.items():
                self.shown[finding.key] = cell not in away
                if cell not in away:
                    self.stems.setdefault(cell, set()).add(metric)

    def _leaves_out_few(self, finding: Finding, cell: Cell) -> bool:
        """Return whether a finding rests on few rows less, or more, than its group has."""
        return not counted(finding.key.metric) and 0 < abs(finding.support - self.rows[cell][0]) < self.below

    def _of_weights(self, finding: Finding, cell: Cell) -> Counts:
        """Return the numbers of people behind a rate of weighted rows."""
        leaves = self.leaves[cell][4:] if finding.key.qualifier("of") else self.leaves[cell]
        return people_of_weights(finding.key.metric, leaves) if self.weighted else ()

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
        """Return whether an earlier copy held a finding back, and its group has not outgrown what it can have been."""
        cell = tuple(sorted(finding.key.group))
        free = counted(finding.key.metric)
        held = (one for one in self.since if not free and one.withheld(finding.key))
        return any(min(now) < one.most(cell) + self.below for one in held)

    def _before(self, earlier: Published, found: Mapping[Cell, Finding], counts: bool) -> dict[Cell, Counts]:
        """Return the numbers of people that an earlier copy showed of the same findings."""
        told = {cell: earlier.shown(finding.key) for cell, finding in found.items()}
        return {cell: people(finding, counts) for cell, finding in told.items() if finding is not None}

    def _finding(self, finding: Finding) -> Finding:
        """Return a finding, without its value where that is withheld."""
        if self._tells_nothing(finding):
            return replace(finding, note=_plain(finding.note), undefined=_plain(finding.undefined))
        if self._is_word_of_many(finding) or self.shown.get(finding.key) or self._follows(finding):
            uncovered = finding.uncovered and (_plain(finding.uncovered) or UNCOVERED)
            said = replace(finding, note=_plain(finding.note), undefined=_plain(finding.undefined), uncovered=uncovered)
            return to_digits(said, self.exact, self.weighted)
        why = message("withheld: it, or what it would give away, rests on fewer than {below} rows", below=self.below)
        return replace(
            finding, estimate=None, interval=None, unadjusted=None, critical=None, support=0, groups=(), undefined=why,
            withheld=True, undefined_groups=(), note="", deciding=None, uncovered="",
            component=named_component(finding),
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
        earlier = [one.shown(key) for one in self.since]
        return all(f is not None and not 0 < abs(finding.support - f.support) < self.below for f in earlier)

    def _follows(self, finding: Finding) -> bool:
        """Return whether a finding follows from what is shown of groups, each of which is."""
        key = finding.key
        if not {name for name, _ in key.qualifiers} <= COMPARING or not key.columns or key in self.shown:
            return False
        if finding.support < self.below or any(min(v.support, v.rows) < self.below for v in finding.all_groups):
            return False
        cells = [cell for cell in self.rows if tuple(column for column, _ in cell) == key.columns]
        metric = component_of(finding)
        of_counts = counted(metric) or metric in OF_SEVERAL if metric else finding.audit in OF_TALLIES
        away = not cells or () in self.halved or any(cell in self.hidden or cell in self.halved for cell in cells)
        if (of_counts or key.metric in FROM_COUNTS) and not away:
            return True
        if not metric or (away and not self._over_all_rows(metric)):
            return False
        return bool(cells) and all(metric in self.stems.get(cell, ()) for cell in [(), *cells])

    def _provenance(self, away: int) -> Provenance:
        kept: dict[str, Any] = {name: said for name, said in self.record.provenance.items() if name not in LOCAL}
        for block in ("data", "members", "subject", "original", "study"):
            if kept.get(block):
                kept[block] = {name: said for name, said in kept[block].items() if name not in OF_ROWS}
        if kept.get("mitigation"):
            kept["mitigation"] = without_figures(kept["mitigation"])
        kept |= {"suppressed_below": self.below, "withheld_groups": [dict(cell) for cell in sorted(self.hidden)]}
        kept["withheld_figures"] = away
        if self.since:
            *earlier, last = (digest(one.record) for one in self.since)
            kept["published_before"] = last
            kept |= {"published_earlier": earlier} if earlier else {}
        return cast("Provenance", kept)


def _named_by_rows(key: Key) -> bool:
    """Return whether it tells of rows that there is such a key: of words, of all groups but the highest."""
    return key.metric in PERSONAL or key.qualifier("vs") in ("highest", "lowest")


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
