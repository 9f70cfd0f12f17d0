"""What the page says, and in which order: also what it could not say, and what would fill it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import evenhand as eh
from evenhand.declarations import QUESTIONS
from evenhand.findings import Finding, Interval
from evenhand.keys import Key
from evenhand.metrics import METRICS, describe, names
from evenhand.report.page import build_page
from evenhand.report.sections.declarations import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Rich = tuple[AuditRecord, Verdict]
    Make = Callable[[str], tuple[AuditRecord, Verdict]]

DECISION = ("verdict", "reasons", "acts", "limits")
"""The first layer."""
FOLDED = (
    "scope", "data", "performance", "thresholds", "fairness", "slices", "explanation", "privacy", "robustness",
    "compression", "drift", "baseline", "controls", "provenance", "limitations", "sign-off",
)  # fmt: skip
"""By theme; those that were not run come last."""


def sections(page: str) -> dict[str, str]:
    """Return each section by its name, in the order of the page."""
    return dict(re.findall(r'<section id="([^"]+)"[^>]*>(.*?)</section>', page, re.S))


def test_sections_stand_in_the_order_of_a_reader(rich: Rich, make_case: Make) -> None:
    for record, verdict in (rich, make_case("undecided"), make_case("passing")):
        page = eh.render(record, verdict)
        found, folded = list(sections(page)), page.index('id="appendix"')
        opened = [name for name in found if page.index(f'<section id="{name}"') < folded]
        decision = [name for name in found if name in DECISION]
        assert decision == (["verdict", "limits"] if verdict.status == "passed" else list(DECISION))
        assert found[: len(decision)] == decision
        absent = {part.name for part in build_page(record, verdict).absent}
        rest = sorted((name for name in FOLDED if name not in opened), key=lambda name: name in absent)
        assert [name for name in found if name in FOLDED and name not in opened] == rest
        assert {*FOLDED} <= {*found}, "nothing is lost"
        assert found[-1] == "glossary"
        linked = re.findall(r'<li><a href="#([^"]+)">', page.partition("</nav>")[0])
        assert {"verdict", "appendix", "glossary"} <= {*linked}
        assert len(linked) <= 5


def test_only_what_is_not_passed_or_beyond_chance_is_open(rich: Rich, make_case: Make) -> None:
    for record, verdict in (rich, make_case("undecided"), make_case("failing"), make_case("passing")):
        page = build_page(record, verdict)
        bad = {judgement.key for judgement in verdict.judgements if judgement.status != "passed"}
        for part in (*page.parts, *page.last):
            assert part.answer or part.state == "absent", part.name
            assert not part.open or part.state in ("failed", "undecided", "notable")
            if part.name.startswith("groups-") and len(part.title.split(" × ")) > 1:
                limited = any(" × ".join(key.columns) in part.title for key in bad if len(key.columns) > 1)
                assert part.open == limited, "a crossing opens by its limits alone"
    assert [part.name for part in build_page(*make_case("passing")).opened] == []
    opened = [part.name for part in build_page(*make_case("failing")).opened]
    assert opened[:2] == ["fairness", "groups-0"]


def test_an_open_part_shows_its_answer_and_folds_the_rest(make_case: Make) -> None:
    page = eh.render(*make_case("failing"))
    part = sections(page)["groups-0"]
    shown, _, folded = part.partition("<details>")
    assert "Selection rate" in shown and re.search(r"differs by race by \d+ to \d+ points", shown)
    assert shown.count("<figure") <= 2 and "Every group: race" in folded


def test_parts_of_a_page_hold_every_block(rich: Rich) -> None:
    record, verdict = rich
    made, page = build_page(record, verdict), eh.render(record, verdict)
    for part in (*made.parts, *made.last):
        assert part.exhibit or part.blocks == part.rest
        for block in part.blocks:
            assert f'id="{block.name}"' in page, block.name


def test_a_section_without_data_says_what_would_fill_it(make_case: Make) -> None:
    found = sections(eh.render(*make_case("failing")))
    for name in ("privacy", "robustness", "drift", "baseline", "thresholds", "explanation", "compression"):
        assert len(re.findall(r"<p><bdi>[^<]{20,}</bdi></p>", found[name])) == 1, name
        assert "<table" not in found[name]


def test_findings_of_an_audit_without_a_drawing_of_its_own_are_shown(make_case: Make) -> None:
    record, verdict = make_case("passing")
    extra = (
        Finding(Key.of("membership_auc"), "membership", 0.57, Interval(0.52, 0.61, 0.95, "bootstrap"), support=90),
        Finding(Key.of("toxicity", ["race"]), "wording", 0.2, Interval(0.1, 0.3, 0.95, "bootstrap"), support=40),
    )
    found = sections(eh.render(replace(record, findings=record.findings + extra), verdict))
    assert "0.570 [0.520,\u00a00.610]" in found["privacy"] and "<svg" in found["privacy"]
    assert "toxicity [race]" in found["wording"]


def test_what_people_did_not_declare_is_named(rich: Rich) -> None:
    found = sections(eh.render(*rich))
    told = " ".join(found[name] for name in ("scope", "data", "limitations", "sign-off"))
    declared = {"intended_use": "Small loans.", "owner": "risk@example.org"}
    absent = " ".join(re.findall(r"<th scope=\"row\">not declared</th><td[^>]*>([^<]*)", told))
    for name, question in QUESTIONS.items():
        cell = re.search(rf"<th scope=\"row\">{re.escape(question)}</th><td[^>]*>([^<]*)", told)
        assert (cell[1] if cell else None) == declared.get(name), name
        assert (question in absent) == (name not in declared and name not in PUBLISHED)


def test_what_a_model_hub_asks_for_is_shown_where_it_is_declared(rich: Rich) -> None:
    record = eh.with_declarations(rich[0], {"license": "Apache-2.0", "language": ["en", "zh"]})
    told = sections(eh.render(record))["scope"]
    for name, answer in (("license", "Apache-2.0"), ("language", "en; zh")):
        assert re.search(rf'<th scope="row">{re.escape(QUESTIONS[name])}</th><td[^>]*>{answer}', told)


def test_limits_say_group_rows_and_what_would_decide_them(rich: Rich) -> None:
    _, verdict = rich
    rows = sections(eh.render(*rich))["limits"]
    for at, judgement in enumerate(verdict.judgements):
        row = re.search(rf'<tr id="limit-{at}".*?</tr>', rows, re.S)
        assert row is not None
        finding = judgement.finding
        if finding is not None and finding.estimate is not None:
            assert re.search(r"n=[\d,]+|[\d,]+ of [\d,]+", row[0]), judgement.key
        if judgement.needed_rows is not None:
            assert "chance to decide it" in row[0]


def test_definitions_that_exclude_each_other_are_named(make_case: Make) -> None:
    record, _ = make_case("failing")
    limits = {"selection_rate_ratio[race]": {"at_least": 0.8}, "equalized_odds_difference[race]": {"at_most": 0.2}}
    fairness = sections(eh.render(record, eh.judge(record, eh.load_policy({"limits": limits}))))["fairness"]
    assert "Base rates surely differ by race" in fairness
    assert "selection alike; errors alike" in fairness
    alike = sections(eh.render(*make_case("passing")))["fairness"]
    assert "surely differ" not in alike
    assert "Definitions in conflict" in alike


def test_small_groups_are_named(make_case: Make) -> None:
    assert "hispanic (6)" in sections(eh.render(*make_case("undecided")))["fairness"]
    assert "fewer than" not in re.sub(
        "<figure.*?</figure>|<div .*?>|<table.*?</table>",
        "",
        sections(eh.render(*make_case("passing")))["fairness"],
        flags=re.S,
    )


def test_a_baseline_says_what_became_of_each_limit(make_case: Make) -> None:
    record, _ = make_case("failing")
    before, _ = make_case("passing")
    policy = eh.load_policy(
        {"limits": {"accuracy": {"at_least": 0.5}, "selection_rate_ratio[race]": {"at_least": 0.8}}}
    )
    page = eh.render(record, eh.judge(record, policy, baseline=before))
    assert "Of 2 limits: 1 new, 0 worse, 0 better, 0 fixed, 1 unchanged." in page
    assert sections(page)["baseline"].count("unchanged") == 1


def test_every_entry_of_the_glossary_is_whole(rich: Rich) -> None:
    entries = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", sections(eh.render(*rich))["glossary"], re.S)
    assert len(entries) > 30
    for name, words in entries:
        assert len(re.sub("<.*?>", "", words)) > 20, name
        assert "Example:" in words or "Here:" in words or "declared" in name, name
    keyed = {re.search(r"<code>(.*?)</code>", name)[1] for name, _ in entries}  # type: ignore[index]
    assert {"selection_rate_ratio", "equalized_odds_difference", "recall", "*_difference"} <= keyed


def test_worked_examples_are_right() -> None:
    """Whatever an example computes in plain arithmetic comes out as it says."""
    from math import log, log2, sqrt

    checked = 0
    for name in names():
        worked = describe(name).worked
        if not worked:
            assert METRICS[name].kind in ("statement", "change"), (
                f"{name}: every rate, composite and score has an example"
            )
            continue
        formula, _, result = worked.rpartition(" = ")
        formula = re.sub(
            r"\|([^|]*)\|", r"abs(\1)", formula.replace(",", "," if "max(" in formula or "min(" in formula else "")
        )
        for sign, python in ((" x ", " * "), ("²", "**2"), ("log2 ", "log2 "), ("-ln ", "-ln ")):
            formula = formula.replace(sign, python)
        formula = re.sub(r"(ln|log2) ([\d.]+)", r"\1(\2)", formula)
        if re.search("mean|median|[a-z]: |, [01]:|^\\d[^()]*:", formula):
            continue  # an example over rows: said in words
        value = eval(formula, {"ln": log, "log2": log2, "sqrt": sqrt, "abs": abs, "max": max, "min": min})
        digits = len(result.partition(".")[2])
        assert round(value, digits) == float(result) or abs(value - float(result)) <= 0.5 * 10**-digits + 1e-12, (
            name,
            value,
        )
        checked += 1
    assert checked > 100


def test_each_term_opens_its_one_definition_where_it_first_stands(rich: Rich) -> None:
    page = eh.render(*rich)
    buttons = [(found.start(), found[1]) for found in re.finditer(r'popovertarget="([^"]+)"', page)]
    index = page.index('<section id="glossary"')
    first = [anchor for at, anchor in buttons if at < index]
    assert len(first) > 5
    assert len(first) == len(set(first)), "a term is a button once, and once more in the folded glossary"
    assert sorted(anchor for at, anchor in buttons if at > index) == sorted(first)
    for anchor in first:
        assert page.count(f'<div id="{anchor}" popover>') == 1
    meanings = re.findall(r"<dd>([^<]{30,})", page[index:])
    assert len(meanings) == len(set(meanings)), "no definition is written twice"
