"""Disclosure: rows that can be singled out by what outsiders may know, and personal data in plain sight."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.audits.statement import EVERY_TASK, Audit, Statement, group_key, not_applicable
from evenhand.errors import InputError
from evenhand.findings import Finding, GroupValue
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet, Grouping
    from evenhand.data.disclosure.anonymity import Classes
    from evenhand.evidence import Evidence

NAME: Final = "disclosure"
MOST_FILES: Final = 20
"""Files that are searched."""


@dataclass(frozen=True, slots=True)
class DisclosureOptions(Declared):
    """Options of this audit."""

    quasi_identifiers: tuple[str, ...] = setting(
        (), "Columns by which outsiders may know people, such as age and town: who is unique in them is counted."
    )
    least_class: int = setting(5, "Rows that cannot be told apart, below which a class is small.", least=2)
    searched_files: tuple[str, ...] = setting(
        (), "Files to search for personal data, such as the model's; on the command line the model file is.",
        recorded="never",
    )  # fmt: skip


def disclosure(evidence: Evidence) -> Statement:
    """State k-anonymity over chosen quasi-identifiers, and which columns and files hold personal data."""
    options = evidence.options.of(DisclosureOptions)
    findings = list(_personal(evidence.data.table, evidence.data.rows))
    if options.searched_files:
        findings += _in_files(options.searched_files[:MOST_FILES])
    columns = options.quasi_identifiers
    for data, qualifiers in ((evidence.data, {}), (evidence.members, {"of": "members"})):
        if data is not None and columns:
            findings += _anonymity(evidence, data, columns, options.least_class, qualifiers)
    if not findings:
        return not_applicable("There is no table to look at.")
    said = (
        message("Quasi-identifiers: {columns}.", columns=columns)
        if columns
        else message("No quasi-identifiers were named, so it is not counted who can be singled out.")
    )
    return Statement(tuple(findings), said)


def _anonymity(
    evidence: Evidence, data: EvaluationSet, columns: tuple[str, ...], least: int, qualifiers: dict[str, str]
) -> Iterator[Finding]:
    from evenhand.data.disclosure.anonymity import classes_of

    table = data.table
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{data.name}: quasi_identifiers names columns that are not there: {', '.join(missing)}.")
    found = classes_of(table, columns)
    higher = Key.of("k_anonymity", (), **qualifiers)
    yield Finding(higher, NAME, float(found.k), support=len(table), direction="higher_is_better", unit="number")
    yield from _shares(evidence, data, found, least, qualifiers)
    roles = data.roles
    for column in dict.fromkeys((*roles.labels, *([roles.label] if roles.label else []), *roles.sensitive_features)):
        if column in table and column not in columns:
            yield from _diversity(column, table[column], found, qualifiers)


def _shares(
    evidence: Evidence, data: EvaluationSet, found: Classes, least: int, qualifiers: dict[str, str]
) -> Iterator[Finding]:
    """State the shares of rows that are unique, and in small classes: of this table, so without an interval."""
    small = message("Classes of fewer than {k} rows are small.", k=least)
    for metric, rows, note in (("unique_share", found.unique, ""), ("small_class_share", found.smaller(least), small)):
        yield _share(Key.of(metric, (), **qualifiers), rows, note)
        there = [each.columns for each in evidence.groupings if all(column in data.table for column in each.columns)]
        for grouping in (data.grouping(*columns) for columns in there):
            stated = [
                _share(group_key(metric, grouping, group, **qualifiers), rows[grouping.codes == group], note)
                for group in range(len(grouping))
            ]
            yield from stated
            yield from _gap(Key.of(f"{metric}_difference", grouping.columns, **qualifiers), metric, grouping, stated)


def _share(key: Key, rows: NDArray[np.bool_], note: str) -> Finding:
    return Finding(
        key, NAME, float(rows.mean()) if len(rows) else None, support=len(rows), direction="lower_is_better", note=note,
        undefined="" if len(rows) else message("There is no such row."),
    )  # fmt: skip


def _gap(key: Key, metric: str, grouping: Grouping, stated: list[Finding]) -> Iterator[Finding]:
    """State the difference between the groups with the least and the greatest share."""
    known = sorted((finding.estimate, group) for group, finding in enumerate(stated) if finding.estimate is not None)
    if len(known) < 2:
        return
    ends = [
        GroupValue(", ".join(grouping.labels[group]), share, stated[group].support, stated[group].support)
        for share, group in (known[0], known[-1])
    ]
    yield Finding(
        key, NAME, known[-1][0] - known[0][0], support=sum(finding.support for finding in stated),
        direction="lower_is_better", groups=tuple(ends), component=metric,
    )  # fmt: skip


def _diversity(column: str, values: pd.Series, found: Classes, qualifiers: dict[str, str]) -> Iterator[Finding]:
    rows = len(values)
    yield Finding(
        Key.of("l_diversity", (column,), **qualifiers), NAME, float(found.l(values)), support=rows,
        direction="higher_is_better", unit="number",
    )  # fmt: skip
    yield Finding(
        Key.of("t_closeness", (column,), **qualifiers), NAME, found.t(values), support=rows,
        direction="lower_is_better", unit="score",
    )  # fmt: skip


def _personal(table: pd.DataFrame, rows: int) -> Iterator[Finding]:
    """State in how many columns personal data were found, and of each what and in how many rows."""
    from evenhand.data.disclosure.personal import in_column

    found = {str(column): in_column(str(column), table[column]) for column in table}
    named = {column: kinds for column, kinds in found.items() if kinds}
    yield Finding(
        Key.of("personal_data_columns"),
        NAME,
        float(len(named)),
        support=rows,
        direction="lower_is_better",
        unit="number",
    )
    for column, kinds in named.items():
        for kind, times in sorted(kinds.items()):
            key = Key.of("personal_values", (column,), kind=kind)
            yield Finding(key, NAME, float(times), support=rows, direction="lower_is_better", unit="number")


def _in_files(files: tuple[str, ...]) -> Iterator[Finding]:
    """State how much personal data stand as text in the model's files."""
    from evenhand.data.disclosure.files import in_file

    found: Counter[str] = Counter()
    unread = 0
    for file in files:
        try:
            found += in_file(file)
        except OSError:
            unread += 1
    kinds = message("Found: {kinds}.", kinds=tuple(sorted(found))) if found else ""
    left = message("{n:,} of {files:,} files could not be read.", n=unread, files=len(files)) if unread else ""
    unknown = bool(unread) and not found  # nothing found in what was read is no 0 of all files
    yield Finding(
        Key.of("personal_data_in_files"), NAME, None if unknown else float(found.total()), direction="lower_is_better",
        unit="number", note="" if unknown else sentences(kinds, left), undefined=left if unknown else "",
    )  # fmt: skip


def _wanted(evidence: Evidence) -> bool:
    asked = evidence.options.everything or evidence.members is not None
    return asked or bool(evidence.options.of(DisclosureOptions).quasi_identifiers)


AUDIT: Final = Audit(disclosure, EVERY_TASK, options=DisclosureOptions, wanted=_wanted)
