"""Situations whose outcome is required, forbidden, or to be the same for all: a part of ethics that is tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import Audit, Statement, interval_of, not_applicable
from evenhand.errors import InputError, quoted, raise_all, shorten
from evenhand.evidence.own_decisions import classes_decided, decided
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.inference.intervals import clopper_pearson, sidak_z, z_of
from evenhand.settings import Declared, setting
from evenhand.subjects.target import listed, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.data.inputs import Inputs
    from evenhand.evidence import Evidence

NAME = "scenarios"
METRIC: Final = "scenario_violation_rate"
RULES: Final = ("required", "forbidden", "invariant")
TEXT: Final = "text"
"""The column of texts, for a model that reads them."""
TOLD = message(
    "{cases} cases of {situations} situations from {file}, sha256 {digest}. Intervals of single situations and groups "
    "hold together (Sidak), over cases such as these."
)
CASES = message("A case is a row; or all rows that are to be decided alike, compared with the first of them.")


@dataclass(frozen=True, slots=True)
class ScenariosOptions(Declared):
    """Options of this audit."""

    scenarios: str | None = setting(
        None, "Table of situations: columns situation and required, forbidden (a class of the label) or invariant "
        "(rows with the same word in it are to be decided alike), beside what the model reads: its columns, or text.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """One test: a row, or the rows that are to be decided alike."""

    situation: str
    rows: list[int]
    broken: list[bool]


def scenarios(evidence: Evidence) -> Statement:
    """State how often the rules written down for situations are broken, by situation and group."""
    source = evidence.options.of(ScenariosOptions).scenarios
    if source is None:
        return not_applicable("No situations were given.")
    if evidence.subject.facts.get("kind") == "predictions" or not evidence.asked:
        return not_applicable("There is no model to ask about situations.")
    from evenhand.data.tables import AsText, read_table

    table = read_table(source, None, AsText(groups=("situation", *RULES, *evidence.data.roles.sensitive_features)))
    classes = tuple(evidence.data.classes)
    raise_all(InputError, _problems(table.name, table.frame, classes))
    cases = [*_cases(table.frame, _decided(evidence, table.frame, table.name), classes)]
    groups = {
        column: [str(value) for value in table.frame[column]]
        for column in sorted(evidence.data.roles.sensitive_features)
        if column in table.frame
    }
    digest = str(table.provenance.get("sha256", ""))[:12]
    situations = list(dict.fromkeys(case.situation for case in cases))
    told = message(TOLD, cases=len(cases), situations=len(situations), file=Path(table.name).name, digest=digest)
    return Statement(tuple(_findings(cases, situations, groups, evidence.options.level)), told)


def _problems(name: str, frame: pd.DataFrame, classes: tuple[object, ...]) -> Iterator[str]:
    if "situation" not in frame:
        yield f"{name}: there is no column situation, which names what is tested."
    rules = [rule for rule in RULES if rule in frame]
    if not rules:
        yield f"{name}: there is none of the columns required, forbidden and invariant, so nothing is tested."
        return
    given = frame[rules].notna().sum(axis=1)
    for count, words in ((0, "none"), (2, "several")):
        wrong = int((given == 0).sum() if count == 0 else (given > 1).sum())
        if wrong:
            yield f"{name}: {wrong:,} rows have {words} of required, forbidden and invariant; each needs one."
    for rule in ("required", "forbidden"):
        for value in dict.fromkeys(frame[rule].dropna() if rule in frame else ()):
            if place(value, classes) is None:
                yield f"{name}: {quoted(value)} in column {rule} is no class of the label: {listed(classes)}."
    if "invariant" in frame:
        sizes = frame["invariant"].dropna().value_counts()
        alone = [str(word) for word, size in sizes.items() if size < 2]
        if alone:
            yield (
                f"{name}: invariant compares rows, and {shorten(', '.join(alone), 80)} stands in one row alone. Give "
                "the rows that are to be decided alike the same word."
            )


def _decided(evidence: Evidence, frame: pd.DataFrame, name: str) -> NDArray[np.intp]:
    """Return the position of the class that the model decides for in each row."""
    from evenhand.evidence.predictions import ask

    subject, rows = evidence.subject, _inputs(evidence, frame, name)
    values = ask(subject, rows)
    if evidence.data.task == "binary":
        return np.asarray(decided(subject, rows, values), dtype=np.intp)
    return np.asarray(classes_decided(subject, rows, values), dtype=np.intp)


def _inputs(evidence: Evidence, frame: pd.DataFrame, name: str) -> Inputs:
    from evenhand.data.inputs import as_inputs
    from evenhand.data.reading import read_background
    from evenhand.evidence.predictions import inputs

    if evidence.reads == "table":
        return inputs(evidence.subject, read_background(frame, evidence.data, name))
    if evidence.reads != "texts":
        raise InputError(f"{name}: situations are rows of a table or texts, and the model reads {evidence.reads}.")
    if TEXT not in frame:
        raise InputError(f"{name}: the model reads texts, and there is no column {TEXT}.")
    if missing := int(frame[TEXT].isna().sum()):
        raise InputError(f"{name}: column {TEXT} is empty in {missing:,} rows.")
    return as_inputs([str(text) for text in frame[TEXT]])


def _cases(frame: pd.DataFrame, decisions: NDArray[np.intp], classes: tuple[object, ...]) -> Iterator[_Case]:
    alike: dict[tuple[str, str], list[int]] = {}
    for at, said in enumerate(decisions.tolist()):
        row = frame.iloc[at]
        situation = str(row["situation"])
        for rule in RULES:
            if rule not in frame or row[rule] is None or row[rule] != row[rule]:
                continue
            if rule == "invariant":
                alike.setdefault((situation, str(row[rule])), []).append(at)
            else:
                wanted = place(row[rule], classes)
                yield _Case(situation, [at], [(said == wanted) == (rule == "forbidden")])
    for (situation, _), rows in alike.items():
        first = decisions[rows[0]]
        yield _Case(situation, rows, [bool(decisions[at] != first) for at in rows])


def _findings(
    cases: list[_Case], situations: list[str], groups: dict[str, list[str]], level: float
) -> Iterator[Finding]:
    broken = {name: [any(case.broken) for case in cases if case.situation == name] for name in situations}
    yield _finding(Key.of(METRIC), [any(case.broken) for case in cases], z_of(level), level)
    z = sidak_z(len(situations), level)
    yield from (_finding(Key.of(METRIC, {"situation": name}), broken[name], z, level) for name in situations)
    for column, values in groups.items():
        parts = {
            (name, group): found
            for name in situations
            for group in dict.fromkeys(values)
            if (found := [*_of_group(cases, name, values, group)])
        }
        for (name, group), found in parts.items():
            key = Key.of(METRIC, {column: group, "situation": name})
            yield _finding(key, found, sidak_z(len(parts), level), level)


def _of_group(cases: list[_Case], situation: str, values: list[str], group: str) -> Iterator[bool]:
    """Yield for each case of a situation with rows of a group whether any of these breaks its rule.

    Of rows that are to be decided alike the first is what the others are compared with, and is no test of its group.
    """
    for case in cases:
        tested = [*zip(case.rows, case.broken, strict=True)][int(len(case.rows) > 1) :]
        mine = [broken for at, broken in tested if values[at] == group]
        if case.situation == situation and mine:
            yield any(mine)


def _finding(key: Key, broken: list[bool], z: float, level: float) -> Finding:
    low, high = clopper_pearson([sum(broken)], [len(broken)], z)
    interval = interval_of(low[0], high[0], level, "clopper-pearson, sidak" if key.features else "clopper-pearson")
    share = sum(broken) / len(broken)
    return Finding(key, NAME, share, interval, len(broken), "lower_is_better", note=CASES)


def _wanted(evidence: Evidence) -> bool:
    """Whether situations were given."""
    return evidence.options.of(ScenariosOptions).scenarios is not None


AUDIT: Final = Audit(scenarios, frozenset({"binary", "multiclass"}), options=ScenariosOptions, wanted=_wanted)
