"""What the pages of real audits say of each limit, checked against their records."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.metrics.catalogue.names import split_name
from evenhand.policy.naming import named
from evenhand.policy.telling import labelled
from evenhand.report.decision import decision
from evenhand.report.page import build_page
from evenhand.serving.judging import told as on_the_policy_page

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

AUDITS = Path(__file__).parents[1] / "golden" / "audits"
TODAY = date(2026, 6, 1)


@cache
def real(name: str) -> tuple[AuditRecord, Verdict]:
    """Return one of the audits of `tests/golden/audits`, and its verdict."""
    record = eh.read_record(AUDITS / name / "audit.json")
    return record, eh.judge(record, eh.load_policy(AUDITS / name / "policy.toml"), today=TODAY)


@pytest.mark.parametrize("name", ["demo", "compas"])
def test_a_limit_that_the_present_rows_can_decide_is_told_of_as_many_rows(name: str) -> None:
    """Advice draws a table of the present size for it, and not ten times more rows."""
    record, verdict = real(name)
    (text,) = [act.text for act in decision(record, verdict).acts if act.name == "settle"]
    text = text.removeprefix("The chance that 10 times more rows decide ")
    told = dict(re.findall(r"([A-Z][\w ,]+): \d+ % \(as many as now: 80 % for a limit of ([\d.]+)\)", text))
    advised = [(judgement, judgement.advice.found) for judgement in verdict.judgements if judgement.advice is not None]
    assert told == {named(judgement.key): f"{found.settles:g}" for judgement, found in advised if found.settles}
    assert told


ESTIMATE = re.compile(r"The estimate (?:is that of|compares) .*?\.(?= [A-Z]|$)")
EXTREMES = {"group_min": slice(1), "group_max": slice(1, 2)}


@pytest.mark.parametrize("name", ["adult", "compas", "countries", "demo", "states"])
def test_every_row_names_the_groups_that_give_what_was_measured(name: str) -> None:
    """Where the estimate is of others than those that decided, they are told after them, with their values."""
    record, verdict = real(name)
    named, told = 0, []
    for judgement, row in zip(verdict.judgements, build_page(record, verdict).limits, strict=True):
        finding, (metric, how) = judgement.finding, split_name(judgement.key.metric)
        if how is None or finding is None or len(finding.groups) != 2:
            continue
        said = ESTIMATE.search(row.sentence)
        told += [said[0]] if said else []
        for part in finding.groups[EXTREMES.get(how, slice(2))]:
            group = labelled(judgement.key.columns, part.group)
            assert group in row.sentence
            value = re.search(re.escape(group) + r" (-?[\d.]+)( %)? \(n=", said[0]) if said else None
            stated = record.find(Key.of(finding.component or metric, {judgement.key.columns[0]: part.group}))
            if value is not None and isinstance(stated, Finding) and stated.estimate is not None:
                assert float(value[1]) / (100 if value[2] else 1) == pytest.approx(stated.estimate, abs=0.0051)
            named += 1
    assert named
    boxes = " ".join(reason.people for reason in decision(record, verdict).reasons)
    assert {found[0] for found in ESTIMATE.finditer(boxes)} <= set(told), "the box tells of the same groups"
    assert told


def test_the_policy_page_marks_what_only_warns_as_the_report_does() -> None:
    record, verdict = real("demo")
    rows = on_the_policy_page(verdict, None).limits
    assert [row.badge for row in rows] == [row.badge for row in build_page(record, verdict).limits]
    assert [row.badge for row in rows].count("undecided, only warns") == 3


def test_whoever_is_worse_off_is_compared_with_somebody() -> None:
    record, verdict = real("compas")
    harms = [reason.harm for reason in decision(record, verdict).reasons if reason.harm]
    rows = [row.sentence for row in build_page(record, verdict).limits]
    assert len(harms) == 2
    for harm in harms:
        assert re.search(r" are worse off than at the rate of (race|sex)=\w+\.$", harm)
        (row,) = [row for row in rows if harm in row]
        assert row[: row.index(harm)].endswith(". "), "a full stop before it"


def test_an_end_without_a_bound_and_zero_are_written_as_everywhere_on_the_page() -> None:
    record, verdict = real("states")
    measured = [row.measured for row in build_page(record, verdict).limits]
    assert "0.23 [0.00, …]" in measured
    assert not [text for text in measured if "..." in text or re.search(r"-0\.0+\b(?!\d)", text)]
    assert measured == [row.measured for row in on_the_policy_page(verdict, None).limits]


def test_the_caption_says_in_which_order_the_limits_are() -> None:
    """The advisory limits of this audit are undecided, and come after those that passed and can stop a release."""
    record, verdict = real("states")
    page = eh.render(record, verdict, "html")
    assert "Limits that can stop a release first, then advisory ones; the worst of each first" in page
    advisory = [judgement.limit.advisory for judgement in verdict.judgements]
    assert advisory == sorted(advisory)
    ranks = ["failed", "undecided", "passed"]
    for part in (False, True):
        found = [ranks.index(each.status) for each in verdict.judgements if each.limit.advisory is part]
        assert found == sorted(found)


def test_what_is_left_out_of_a_list_is_counted_in_words() -> None:
    _, verdict = real("states")
    assert [text for text in verdict.remarks if text.endswith(" and 43 more.")]
    assert not [text for text in verdict.remarks if "+43" in text]


def test_the_glossary_says_which_way_chance_misleads_and_takes_no_figures_of_the_audit() -> None:
    record, verdict = real("demo")
    entries = {entry.name: entry for entry in build_page(record, verdict).glossary}
    small = {name for name, entry in entries.items() if "chance alone makes it small" in entry.misleads}
    large = {name for name, entry in entries.items() if "chance alone makes it large" in entry.misleads}
    assert {"*_ratio", "*_group_min", "selection_rate_ratio"} <= small
    assert "*_difference" in large
    assert entries["*_group_min"].meaning == "The value of the group where it is least."
    rows = str(record.provenance["data"]["rows"])
    assert not [entry.name for entry in entries.values() if rows in entry.example]
