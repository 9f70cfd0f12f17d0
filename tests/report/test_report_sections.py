"""What sections say of the committed audits: each sentence names the groups that have its numbers."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.browsing import AUDITS

import evenhand as eh
from evenhand.report.drawings import Drawing, Table
from evenhand.report.sections.answering import beyond, others_apart
from evenhand.report.sections.catalogue import parts

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.report.view import Part

NAMES = ("demo", "compas", "adult", "countries", "states")


@cache
def record_of(name: str) -> AuditRecord:
    return eh.read_record(AUDITS / name / "audit.json")


@cache
def parts_of(name: str) -> dict[str, Part]:
    """Return the parts of an audit's page by name."""
    verdict = eh.judge(record_of(name), eh.load_policy(AUDITS / name / "policy.toml"))
    return {part.name: part for found in parts(record_of(name), verdict) for part in found}


def table_of(name: str, part: str, table: str) -> Table:
    """Return a table of a part, or that of a figure."""
    blocks = parts_of(name)[part].blocks
    tables = [block.table if isinstance(block, Drawing) else block for block in blocks]
    return next(found for found in tables if found.name == table)


def a_gap(name: str, key: str) -> eh.Finding:
    found = record_of(name).get(key)
    assert found is not None
    return found


def test_a_gap_is_told_with_the_shares_of_the_groups_that_it_names() -> None:
    said = beyond(a_gap("compas", "selection_rate_difference[race]"))
    assert "as Caucasian (22 %) and African-American (43 %) show; other pairs are further apart" in said
    rates = {group: a_gap("compas", f"selection_rate[race={group}]") for group in ("Caucasian", "African-American")}
    assert [f"{100 * (rate.estimate or 0):.0f} %" for rate in rates.values()] == ["22 %", "43 %"]
    assert beyond(a_gap("compas", "selection_rate_difference[sex]")).endswith("least for Female, most for Male.")


@pytest.mark.parametrize("name", ["demo", "compas"])
def test_the_difference_of_a_group_section_is_that_of_the_groups_named_with_it(name: str) -> None:
    record, told = record_of(name), 0
    for part in (part for key, part in parts_of(name).items() if re.fullmatch(r"groups-\d+", key)):
        text = " ".join(part.lead)
        found = re.search(r"as counted, between (.*) \(n=([\d,]+)\) and (.*) \(n=([\d,]+)\), is (\S+) ", text)
        columns = part.title.removeprefix("Groups by ").split(" × ")
        gap = a_gap(name, f"selection_rate_difference[{','.join(columns)}]")
        assert (found is not None) == others_apart(gap), part.title
        if found is not None:
            most, least = (record[f"selection_rate[{found[at].replace(', ', ',')}]"] for at in (1, 3))
            assert f"{(most.estimate or 0) - (least.estimate or 0):.2f}" == found[5]
            assert [most.support, least.support] == [int(found[at].replace(",", "")) for at in (2, 4)]
            told += 1
    assert told


def test_the_ratio_that_is_stated_is_the_one_shown_to_be_lowest() -> None:
    said = parts_of("compas")["impact"].answer
    assert said == "Favourable rate of race=African-American: 0.70 [0.63, 0.79] of that of Other (n=102)."


@pytest.mark.parametrize("name", ["demo", "compas", "adult"])
def test_every_impact_ratio_names_its_reference(name: str) -> None:
    table = table_of(name, "impact", "impact-ratios")
    assert all(re.search(r"\(n=[\d,]+\)", row[3]) for row in table.rows)
    few = any(int(re.findall(r"n=([\d,]+)", row[3])[0].replace(",", "")) < 30 for row in table.rows)
    assert few == any("fewer than 30 rows" in said for said in parts_of(name)["impact"].lead)


def test_p_values_say_how_they_are_adjusted() -> None:
    assert "p-value, adjusted (Holm)" in table_of("compas", "chance", "chance-groups").head
    assert "p-value" in table_of("compas", "chance", "chance-highest").head  # these are two tests of one pair


def test_gaps_by_chance_are_ones_that_a_metric_can_have() -> None:
    chance = parts_of("states")["chance"]
    rows = {row[1]: row for row in table_of("states", "chance", "chance-gaps").rows}
    assert set(rows) == {"R squared", "Share at or below the prediction"}
    assert rows["Share at or below the prediction"][3] == "–"  # 1.09 in the record
    assert not any("p-value" in name for name in table_of("states", "chance", "chance-gaps").head)
    assert "Of mean absolute error, " in " ".join(chance.lead)
    assert not any("p-value is" in said for said in chance.lead)


@pytest.mark.parametrize("name", NAMES)
def test_no_column_is_empty(name: str) -> None:
    for part in parts_of(name).values():
        for block in part.blocks:
            table = block.table if isinstance(block, Drawing) else block
            for at, head in enumerate(table.head):
                assert head or any(row[at] for row in table.rows), (table.name, at)
