"""What the pages of real audits say of each limit, checked against their records."""

from __future__ import annotations

import re
from dataclasses import replace
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
from evenhand.report.drawings import Points, Table
from evenhand.report.page import build_page
from evenhand.serving.viewing.judging import told as on_the_policy_page

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

AUDITS = Path(__file__).parents[1] / "golden" / "audits"
STUDY = AUDITS / "study" / "audit.json"
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


def test_every_group_whose_own_interval_is_open_is_named() -> None:
    """Of three states there is one row each: more rows of one of them would leave the interval open."""
    record, verdict = real("states")
    (reason,) = decision(record, verdict).reasons
    alone = [
        finding for finding in record.findings if finding.key.metric == "mean_absolute_error" and finding.key.group
    ]
    open_ = [each for each in alone if each.interval is not None and each.interval.high is None]
    assert len(open_) == 3
    assert {f"state={dict(each.key.group)['state']} ({each.support})" for each in open_} == set(
        re.findall(r"state=state \d+ \(\d+\)", reason.people.split(" The estimate ")[0])
    )


class TestStudy:
    """The page of a study, whose models have a verdict each."""

    record = eh.read_record(STUDY)

    def cells(self, name: str) -> tuple[tuple[str, ...], ...]:
        page = build_page(self.record, None)
        blocks = [block for part in (*page.parts, *page.last) for block in part.blocks]
        (found,) = [block for block in blocks if isinstance(block, Table) and block.name == name]
        return found.rows

    def test_a_group_is_named_where_one_lost_accuracy_and_none_where_none_did(self) -> None:
        _, *rows = self.cells("search-table")
        assert {row[7] for row in rows} == {"none", "race=black"}
        for row in rows:
            lost = row[6].startswith("-")
            assert (row[7] != "none") == lost, row
            changes = [
                finding.estimate
                for finding in self.record.findings
                if finding.key.metric == "accuracy_change" and finding.key.qualifier("recipe") == row[0]
                and len(finding.key.columns) == 1 and finding.estimate is not None
            ]  # fmt: skip
            assert f"{min(changes):z.3f}" == row[6].split()[0], "of single features, the head says"

    def test_the_original_is_the_first_row(self) -> None:
        first, *rows = self.cells("search-table")
        assert first[:2] == ("the original", "26.9 kB")
        larger = [row[0] for row in rows if float(row[1].split()[0]) > 26.9]
        assert larger == ["magnitude_pruning=0.8", "magnitude_pruning=0.95"]
        change = self.record['accuracy_change[;of=original;recipe="magnitude_pruning=0.95"]'].estimate
        after = self.record['accuracy[;recipe="magnitude_pruning=0.95"]'].estimate
        assert after is not None and change is not None and first[4] == f"{after - change:.3f}"

    def test_no_model_is_called_the_closest_where_others_passed_as_many_limits(self) -> None:
        (reason,) = decision(self.record, None).reasons
        assert reason.people.startswith("9 models come equally close, by limits passed; for example onnx_export, ")
        first, *others = self.record.provenance["study"]["candidates"]
        turned = {**self.record.provenance["study"], "candidates": [*reversed(others), first]}
        record = replace(self.record, provenance={**self.record.provenance, "study": turned})  # type: ignore[typeddict-item]
        (reason,) = decision(record, None).reasons
        assert "magnitude_pruning=0.95" not in reason.people, "it passed 8 limits, the others 12"
        least = {**turned, "candidates": [others[-1], *others[:1]]}
        record = replace(self.record, provenance={**self.record.provenance, "study": least})  # type: ignore[typeddict-item]
        (reason,) = decision(record, None).reasons
        assert reason.people == "Closest to passing: half_precision."

    def test_its_verdict_is_said_in_words_that_the_glossary_explains(self) -> None:
        (reason,) = decision(self.record, None).reasons
        assert "First: Equalized odds difference, race is 0.45" in reason.harm
        assert "equalized_odds_difference" in {entry.name for entry in build_page(self.record, None).glossary}

    def test_what_signs_and_what_repeats_it_is_on_the_page(self) -> None:
        told = self.record.provenance["study"]
        policy = told["policy"]
        assert policy is not None
        signed = {row[0]: row[1] for row in self.cells("sign-off-lines")}
        assert signed["Policy (SHA-256)"] == f"{policy['name']}: {policy['sha256']}"
        facts = {row[0]: row[1] for row in self.cells("provenance-table")}
        assert facts["study: seeds"] == "1"
        assert facts["study: first_seed"] == "0"
        assert facts["study: train_content_hash"] == told["train_content_hash"]
        for each in told["candidates"]:
            recipes = each["recipes"]
            assert isinstance(recipes, list)
            for recipe in recipes:
                assert all(f"{name}={value}" in facts[f"study: {each['name']}"] for name, value in recipe.items())

    def test_those_on_the_front_are_ringed_and_the_line_says_so(self) -> None:
        blocks = [block for part in build_page(self.record, None).parts for block in part.blocks]
        (drawn,) = [block for block in blocks if isinstance(block, Points)]
        assert {point.label for point in drawn.points if point.ringed} == set(
            self.record.measurements["study"]["front"]
        )
        assert drawn.line.startswith("ringed, ")
        assert eh.render(self.record, None, "html").count('r="9"') == 5
        assert drawn.table.within == "search-table"
