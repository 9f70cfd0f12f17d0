"""The part of the page about a mitigation: what was tried, what it costs, who gains and loses, what is infeasible."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.report.conftest import CASES, HOSTILE, record_of, verdict_of
from tests.report.mitigated_cases import RATIO, facts, group, impossible, mitigated
from tests.report.test_report_page import Reader, measured, without_digests

import evenhand as eh
from evenhand.report.decision import decision
from evenhand.report.drawings import Points, Table
from evenhand.report.figures.tradeoffs import Traded, undominated
from evenhand.report.sections.judged import Judged
from evenhand.report.sections.mitigation import SECTION
from evenhand.report.suppression import suppressed

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.provenance import MitigatedLimit
    from evenhand.report.view import Part

GOLDEN = Path(__file__).parents[1] / "golden" / "report"


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditRecord, Verdict]:
    """An audit of the judged rows."""
    record = record_of(CASES["passing"])
    return record, verdict_of(record, tmp_path_factory.mktemp("passing"))


def part_of(record: AuditRecord, verdict: Verdict | None = None) -> Part:
    (found,) = SECTION.parts(record, Judged(verdict))
    return found


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_golden(form: str, passing: tuple[AuditRecord, Verdict]) -> None:
    record, verdict = passing
    made = eh.render(mitigated(measured(record), facts(verdict.policy_sha256)), verdict, form)
    place = GOLDEN / f"mitigated.{'html' if form == 'html' else 'md'}"
    if os.environ.get("EVENHAND_UPDATE_GOLDEN"):
        place.write_text(made, encoding="utf-8")
    assert without_digests(made) == without_digests(place.read_text(encoding="utf-8"))


def test_a_usual_audit_has_no_such_part(passing: tuple[AuditRecord, Verdict]) -> None:
    assert SECTION.parts(passing[0], Judged(passing[1])) == ()


def test_it_is_first_and_told_before_everything_else(passing: tuple[AuditRecord, Verdict]) -> None:
    record, verdict = passing
    page = Reader(eh.render(mitigated(record, facts()), verdict))
    opened = [attrs["id"] for tag, attrs in page.tags if tag == "section" and "open" in str(attrs.get("class")).split()]
    assert opened[0] == "mitigation"
    (caution, *_) = decision(mitigated(record, facts()), verdict).cautions
    assert "thresholds by group" in caution.sentence
    assert "can be unlawful" in caution.sentence


def test_who_gains_and_loses_adds_up(passing: tuple[AuditRecord, Verdict]) -> None:
    part = part_of(mitigated(passing[0], facts()))
    (chosen,) = (block for block in part.blocks if isinstance(block, Table) and block.name == "mitigation-people-2")
    assert [row[1:4] for row in chosen.rows] == [("640", "68", "3"), ("1,210", "2", "41")]
    assert "70 are decided in their favour" in part.answer
    assert "44 the other way round" in part.answer
    assert not chosen.folded


def test_people_are_counted_once_where_there_are_two_features(passing: tuple[AuditRecord, Verdict]) -> None:
    told = facts()
    for each in told["candidates"]:
        each["groups"] += [{**group("F", 1850, 70, 44), "feature": "sex"}] if each["groups"] else []
    assert "Of 1,850 people, 70 are" in part_of(mitigated(passing[0], told)).answer


def test_the_limit_is_drawn_only_by_the_policy_that_judged(passing: tuple[AuditRecord, Verdict]) -> None:
    record, verdict = passing

    def drawn(sha256: str) -> Points:
        first = part_of(mitigated(record, facts(sha256)), verdict).blocks[0]
        assert isinstance(first, Points)
        return first

    assert drawn(verdict.policy_sha256).marker is not None
    assert "0.80" in drawn(verdict.policy_sha256).marked
    assert drawn("another").marker is None


def test_a_picture_has_intervals_on_both_axes_and_says_it_all_in_words(passing: tuple[AuditRecord, Verdict]) -> None:
    first = part_of(mitigated(passing[0], facts())).blocks[0]
    assert isinstance(first, Points)
    assert all("H" in point.bars and "V" in point.bars for point in first.points)
    assert [point.label for point in first.points if point.ringed] == ["thresholds by group"]
    assert all(point.label in first.description for point in first.points)


def test_no_other_point_beats_those_that_are_joined() -> None:
    both = (None, None)
    points = [
        Traded(str(at), "plain", x, y, both, both)
        for at, (x, y) in enumerate([(0.3, 0.9), (0.1, 0.8), (0.2, 0.8), (0.1, 0.7), (0.3, 0.9), (0.05, 0.6)])
    ]
    best = undominated(points)
    assert [point.label for point in best] == ["5", "1", "0", "4"]
    flipped = undominated([replace(point, x=-point.x) for point in points], lower=False)
    assert {point.label for point in flipped} == {point.label for point in best}


def test_what_is_infeasible_says_why(passing: tuple[AuditRecord, Verdict]) -> None:
    part = part_of(mitigated(passing[0], impossible()))
    assert part.state == "failed"
    assert "No thresholds by group meet both" in part.answer
    assert RATIO in part.answer
    failed = next(block for block in part.blocks if isinstance(block, Table) and block.name == "mitigation-failures")
    assert "columns are needed" in failed.rows[0][1]


def test_what_was_not_recommended_is_not_said_to_be(passing: tuple[AuditRecord, Verdict]) -> None:
    told = facts(recommended=False)
    told["candidates"][2]["chosen"] = True
    part = part_of(mitigated(passing[0], told))
    assert "not recommended" in part.answer
    assert part.state == "undecided"


def test_what_is_left_out_is_said_with_what_was_needed(passing: tuple[AuditRecord, Verdict]) -> None:
    told = facts()
    told["candidates"][1]["idle"] = True
    performance: MitigatedLimit = {"key": "accuracy", "estimate": 0.877, "low": 0.85, "high": 0.9}
    told["alike"] = {"positive": True, "performance": performance, "least": 0.895}
    part = part_of(mitigated(passing[0], told))
    (said,) = (each for each in part.lead if "left out" in each)
    assert said.startswith("1 candidate is left out")
    assert "accuracy is 0.877 where everybody is selected, and 0.895 was needed" in said
    rows = next(block.rows for block in part.blocks if isinstance(block, Table) and block.name == "mitigation-table")
    assert [row[-1] for row in rows] == ["–", "left out", "yes", "–", "–", "–"]
    assert "alike" not in suppressed(mitigated(passing[0], told), 10).provenance["mitigation"]


def test_the_paired_part_speaks_of_the_deployed_model_and_not_of_compression() -> None:
    decided = [1, 0, 1, 1, 0, 1] * 20
    record = eh.audit_predictions(
        [1, 0] * 60, decided, original_pred=decided[::-1], sensitive_features=["a", "b", "b"] * 40,
        audits=["compression"],
    )  # fmt: skip
    assert "compressed against original" in eh.render(record)
    page = eh.render(mitigated(record, facts()))
    assert "Beside the deployed model" in page
    assert "compressed against original" not in page


def test_a_copy_for_publication_counts_nobody(passing: tuple[AuditRecord, Verdict]) -> None:
    copy = suppressed(mitigated(passing[0], facts()), 10)
    kept = copy.provenance["mitigation"]["candidates"]
    assert [each["name"] for each in kept] == [each["name"] for each in facts()["candidates"]]
    assert not any(each["groups"] or each["limits"] or each["performance"] for each in kept)
    assert "thresholds by group" in eh.render(copy)


def test_any_name_is_text(passing: tuple[AuditRecord, Verdict]) -> None:
    told = facts()
    told["candidates"] += [{**told["candidates"][1], "name": name} for name in HOSTILE]
    told["candidates"][2]["groups"] = [group(name, 640, 3, 2) for name in HOSTILE]
    told["infeasible"] = {"id": "<script>{0.__class__}"}
    page = Reader(eh.render(mitigated(passing[0], told), passing[1]))
    assert page.wrong == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})


def test_chinese_has_no_english_sentence(passing: tuple[AuditRecord, Verdict]) -> None:
    part = part_of(mitigated(passing[0], facts()))
    from evenhand.report.view import said
    from evenhand.words import language

    told = said(part, language("zh-CN"))
    if told.title == part.title:
        pytest.skip("the catalogue has no words of this part")
    assert not any(sentence.isascii() for sentence in (told.answer, *told.lead))
