"""Rules as dated data: what is superseded is never shown as current, and old files say so."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.audits import AUDITS
from evenhand.cli.main import exit_code
from evenhand.declarations import FRAMEWORKS, QUESTIONS
from evenhand.errors import InputError
from evenhand.metrics import describe
from evenhand.report.sections.controls import OLD, controls, frameworks, outdated, today

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

LOOKED_UP = max(clause.as_of for framework in frameworks() for clause in framework.clauses)


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    made = eh.audit_predictions([1, 0, 1, 1] * 60, [1, 0, 0, 1] * 60, sensitive_features={"sex": ["f", "m"] * 120})
    return eh.with_declarations(made, {"frameworks": list(FRAMEWORKS)})


def tables(record: AuditRecord, day: date) -> dict[str, list[tuple[str, ...]]]:
    (part,) = controls(record, None, day)
    return {block.name: list(block.rows) for block in part.blocks}  # type: ignore[union-attr]


def rows(record: AuditRecord, day: date) -> list[tuple[str, ...]]:
    return tables(record, day)["controls-table"]


def test_every_clause_is_whole_in_every_language() -> None:
    known = {*AUDITS, "policy", "provenance", "baseline", "data", "sensitive"}
    for framework in frameworks():
        assert framework.source
        assert len({clause.id for clause in framework.clauses}) == len(framework.clauses)
        for clause in framework.clauses:
            assert clause.source and clause.as_of >= framework.as_of
            assert bool(clause.later) == bool(clause.later_for)
            assert not re.search(r"compl(y|ies|iant)", clause.text)
            assert clause.evidence and bool(clause.superseded_by) == (clause.superseded_on is not None)
            for name in clause.evidence:
                kind, _, rest = name.partition(":")
                assert name in known or (kind == "declared" and rest in QUESTIONS) or kind == "metric", name
                if kind == "metric":
                    assert describe(rest).label


def test_what_is_superseded_is_never_shown_as_current(record: AuditRecord) -> None:
    replaced = [(clause, f) for f in frameworks() for clause in f.clauses if clause.superseded_on]
    assert len(replaced) >= 3
    for clause, framework in replaced:
        assert clause.superseded_on is not None
        before, after = clause.superseded_on - timedelta(days=1), clause.superseded_on
        assert clause.current(before) and not clause.current(after)
        assert clause.standing(after).startswith(f"superseded by {clause.superseded_by}")
        assert (framework.title, clause.id) not in {row[:2] for row in rows(record, after)}
    assert ("EU AI Act", "Art. 10(5)") in {row[:2] for row in rows(record, date(2026, 7, 1))}
    assert ("EU AI Act", "Art. 4a(1)") in {row[:2] for row in rows(record, date(2026, 8, 1))}


def test_what_does_not_apply_yet_says_from_when(record: AuditRecord) -> None:
    def status(day: date) -> set[str]:
        return {row[3] for row in rows(record, day) if row[1] == "Art. 13(3)(b)(v)"}

    later = "; for products of Annex I from 2028-08-02"
    assert status(date(2026, 11, 23)) == {"applies from 2027-12-02" + later}
    assert status(date(2027, 12, 2)) == {"in force" + later}
    assert status(date(2028, 8, 2)) == {"in force"}


def test_what_is_arguable_says_so() -> None:
    clauses = {f"{f.id}:{clause.id}": clause for f in frameworks() for clause in f.clauses}
    standing = clauses["eu-ai-act:Art. 86"].standing(date(2026, 11, 28))
    assert standing.startswith("in force; we believe: only Sections 1 to 3 of Chapter III were moved")
    assert "encouraged; we believe" in clauses["china:推荐算法规定 第12条"].standing(date(2026, 11, 28))
    for name in ("us-colorado:SB 26-189, notice", "us-california:CRC: bias testing",
                 "china:网络安全法 第20条", "eu-standards:prEN 18283", "eu-ai-act:Art. 12"):  # fmt: skip
        assert name in clauses
    assert clauses["china:GB/T 45225-2025"].applies_from == date(2025, 1, 24)
    assert "RIN 3046-AB45" in clauses["uniform-guidelines:1607.15(A)"].doubt


def test_whom_a_rule_is_for_is_said_where_it_is_shown(record: AuditRecord) -> None:
    lead = " ".join(controls(record, None, LOOKED_UP)[0].lead)
    assert "banks with assets above 30 billion dollars" in lead


def test_a_baseline_is_evidence_for_monitoring(record: AuditRecord) -> None:
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.5}}})

    def asked(verdict: Verdict) -> set[str]:
        (part,) = controls(record, verdict, LOOKED_UP)
        return {row[1] for row in {b.name: b for b in part.blocks}["controls-table"].rows}  # type: ignore[union-attr]

    assert "Art. 72" in asked(eh.judge(record, policy, baseline=record))
    assert "Art. 72" not in asked(eh.judge(record, policy))


def test_old_files_are_told_on_the_page_and_by_make(record: AuditRecord) -> None:
    assert list(outdated(LOOKED_UP)) == []
    late = LOOKED_UP + OLD + timedelta(days=1)
    assert len(list(outdated(late))) == len(frameworks())
    assert any("perhaps outdated" in said for said in controls(record, None, late)[0].lead)
    assert not any("outdated" in said for said in controls(record, None, LOOKED_UP)[0].lead)


def test_only_evidence_that_is_there_is_shown(record: AuditRecord) -> None:
    shown = {row[1] for row in rows(record, LOOKED_UP)}
    assert "MEASURE 2.11" in shown, "groups were compared"
    assert "MEASURE 2.9" not in shown, "nothing was explained"
    assert "Art. 14" not in shown, "nobody declared an oversight"
    missing = {row[1] for row in tables(record, LOOKED_UP)["controls-missing"]}
    assert {"MEASURE 2.9", "Art. 14"} <= missing
    assert not shown & missing


def test_rules_that_nobody_declared_are_one_line(record: AuditRecord) -> None:
    few = eh.with_declarations(record, {"frameworks": "nyc-ll144"})
    (part,) = controls(few, None, LOOKED_UP)
    shown = {row[0] for block in part.blocks for row in block.rows}  # type: ignore[union-attr]
    assert shown == {"New York City Local Law 144"}
    assert "eu-ai-act" in part.answer and "nyc-ll144" not in part.answer
    (none,) = controls(eh.with_declarations(record, {"owner": "a@example.org"}), None, LOOKED_UP)
    assert none.blocks == () and not none.open
    assert [name for name in FRAMEWORKS if name not in none.answer] == []
    assert "frameworks = [...]" in none.answer and "responsibility.toml" in none.answer


def test_a_declared_rule_without_evidence_for_a_clause_is_opened(record: AuditRecord) -> None:
    (part,) = controls(eh.with_declarations(record, {"frameworks": "uniform-guidelines"}), None, LOOKED_UP)
    assert not part.open, "each of its clauses has evidence"
    (part,) = controls(eh.with_declarations(record, {"frameworks": "eu-ai-act"}), None, LOOKED_UP)
    assert part.open and "Art. 14" in part.answer


def test_names_of_rules_are_those_there_are() -> None:
    assert [framework.id for framework in frameworks()] == list(FRAMEWORKS)
    record = eh.audit_predictions([1, 0] * 20, [1, 0] * 20)
    with pytest.raises(InputError, match=r"names no rule 'eu-ai'\. Did you mean 'eu-ai-act'"):
        eh.with_declarations(record, {"frameworks": ["eu-ai"]})
    with pytest.raises(InputError, match="a list of names is needed"):
        eh.with_declarations(record, {"frameworks": 3})  # type: ignore[dict-item]


def test_a_limit_names_its_controls(record: AuditRecord) -> None:
    limits = {
        "selection_rate_ratio[sex]": {"at_least": 0.8, "controls": ["nyc-ll144:5-301(b)", "our-house:7"]},
        "accuracy": {"at_least": 0.5, "controls": ["us-model-risk:SR 11-7"]},
    }
    (part,) = controls(record, eh.judge(record, eh.load_policy({"limits": limits})), LOOKED_UP)
    table = {row[1]: row for block in part.blocks for row in block.rows}  # type: ignore[union-attr]
    assert "limit selection_rate_ratio[sex]" in table["5-301(b)"][4]
    assert table["SR 11-7"][3] == "superseded by SR 26-2 since 2026-04-17"
    assert any(row[0] == "our-house:7" and row[2] == "not known here" for row in table.values())


def test_the_clock_of_a_reproducible_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    assert today() == date(2026, 9, 21)


def test_the_command_line_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["list", "controls"]) == 0
    assert "nyc-ll144:5-301(b)" in capsys.readouterr().out


def test_rule_packs_name_clauses_that_are_known() -> None:
    import tomllib
    from importlib.resources import files

    known = {f"{framework.id}:{clause.id}" for framework in frameworks() for clause in framework.clauses}
    for pack in files("evenhand.policy").joinpath("packs").iterdir():
        for key, limit in tomllib.loads(pack.read_text("utf-8"))["limits"].items():
            assert set(limit.get("controls", ())) <= known, f"{pack.name}: {key}"
