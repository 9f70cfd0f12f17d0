"""Rule packs, limits over whatever features a record has, declarations and controls."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import PolicyError
from evenhand.policy import lines
from evenhand.policy.extending import BUILTIN

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

TODAY = date(2026, 6, 1)
FOUR_FIFTHS = {"extends": ["builtin:four-fifths@1"]}


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    """An audit in which race is treated unequally and sex is not."""
    rng = np.random.default_rng(5)
    race = rng.choice(["black", "white"], 3000)
    sex = rng.choice(["f", "m"], 3000)
    approved = (rng.random(3000) < np.where(race == "black", 0.3, 0.7)).astype(int)
    truth = (rng.random(3000) < 0.5).astype(int)
    return eh.audit_predictions(truth, approved, sensitive_features={"race": race, "sex": sex}, favourable=1)


def statuses(record: AuditRecord, content: dict[str, object]) -> dict[str, str]:
    verdict = eh.judge(record, eh.load_policy(content), today=TODAY)
    return {str(judgement.key): judgement.status for judgement in verdict.judgements}


def test_every_pack_is_listed_and_can_be_read() -> None:
    folder = files("evenhand.policy").joinpath("packs")
    assert {part.name for part in folder.iterdir() if part.name.endswith(".toml")} == set(BUILTIN.values())
    for name, file in BUILTIN.items():
        assert file == name.replace("@", "-") + ".toml"
        policy = eh.load_policy({"extends": [f"builtin:{name}"]})
        assert policy.limits
        assert all(limit.note and limit.controls and limit.origin == f"builtin:{name}" for limit in policy.limits)


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("four-fifths@1", "ad2731cf9463e12273c2c3aeb43215c199f55f3e113763abcaac5b0ba3ee9156"),
        ("nyc-ll144@1", "5760b11c2269a410ed3ffbf769f56bae02f41bd331273923210d53916f4a0ad6"),
        ("responsibility@1", "8c87d4c4ee501a750c98443a59ffea81cd41163e10a0f730b6346990b992df94"),
    ],
)
def test_a_version_of_a_pack_never_changes(name: str, sha256: str) -> None:
    content = files("evenhand.policy").joinpath("packs", BUILTIN[name]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == sha256, "give a changed pack a new version, and keep the old one"


def test_a_pack_applies_to_every_sensitive_feature(record: AuditRecord) -> None:
    found = statuses(record, FOUR_FIFTHS)
    assert found == {"favourable_rate_ratio[race]": "failed", "favourable_rate_ratio[sex]": "passed"}


def test_crossings_are_judged_where_a_pack_asks_for_them(record: AuditRecord) -> None:
    found = statuses(record, {"extends": ["builtin:nyc-ll144@1"]})
    assert found == dict.fromkeys(
        ("favourable_rate_ratio[race]", "favourable_rate_ratio[sex]", "favourable_rate_ratio[race,sex]"), "passed"
    )


def test_a_laxer_limit_of_the_policy_loosens_no_pack(record: AuditRecord) -> None:
    local = {**FOUR_FIFTHS, "limits": {"favourable_rate_ratio[race]": {"at_least": 0.2}}}
    verdict = eh.judge(record, eh.load_policy(local), today=TODAY)
    assert sorted((str(j.key), j.status, j.limit.bound) for j in verdict.judgements) == [
        ("favourable_rate_ratio[race]", "failed", 0.8),
        ("favourable_rate_ratio[race]", "passed", 0.2),
        ("favourable_rate_ratio[sex]", "passed", 0.8),
    ]
    strict = {**FOUR_FIFTHS, "limits": {"favourable_rate_ratio[race]": {"at_least": 0.9}}}
    verdict = eh.judge(record, eh.load_policy(strict), today=TODAY)
    assert sorted((str(j.key), j.limit.bound) for j in verdict.judgements) == [
        ("favourable_rate_ratio[race]", 0.9),
        ("favourable_rate_ratio[sex]", 0.8),
    ]
    replaced = eh.load_policy(
        {**FOUR_FIFTHS, "limits": {"favourable_rate_ratio": {"at_least": 0.9, "over": "features"}}}
    )
    assert [(limit.bound, limit.origin) for limit in replaced.limits] == [(0.9, "")]


def test_limits_of_packs_come_first() -> None:
    own = {"accuracy": {"at_least": 0.1}, "favourable_rate_ratio": {"at_least": 0.9, "over": "features"}}
    limits = eh.load_policy({"extends": ["builtin:four-fifths@1", "builtin:responsibility@1"], "limits": own}).limits
    assert [limit.origin for limit in limits] == ["builtin:responsibility@1"] * 8 + ["", ""]


def test_a_pack_cannot_be_made_advisory(record: AuditRecord) -> None:
    for key, more in (("favourable_rate_ratio[race]", {}), ("favourable_rate_ratio", {"over": "features"})):
        own = {key: {"at_least": 0.8, "advisory": True, **more}}
        assert eh.judge(record, eh.load_policy({**FOUR_FIFTHS, "limits": own}), today=TODAY).exit_code == 1


def test_without_a_favourable_outcome_four_fifths_has_not_passed() -> None:
    plain = eh.audit_predictions([1, 0] * 50, [1, 0] * 50, sensitive_features={"sex": ["f", "m"] * 50})
    verdict = eh.judge(plain, eh.load_policy(FOUR_FIFTHS), today=TODAY)
    assert verdict.exit_code == 3
    assert "must declare the favourable value" in verdict.judgements[0].sentence


def test_without_a_sensitive_feature_it_has_not_passed() -> None:
    plain = eh.audit_predictions([1, 0] * 50, [1, 0] * 50)
    for content in (FOUR_FIFTHS, {"limits": {"recall": {"at_least": 0.1, "over": "groups"}}}):
        verdict = eh.judge(plain, eh.load_policy(content), today=TODAY)
        assert verdict.exit_code == 3
        assert verdict.judgements[0].sentence.startswith("The record")
    assert statuses(plain, {"limits": {"recall": {"at_least": 0.1}}}) == {"recall": "passed"}


def test_over_groups_judges_each_group_of_each_feature(record: AuditRecord) -> None:
    found = statuses(record, {"limits": {"selection_rate": {"at_least": 0.5, "over": "groups"}}})
    assert found["selection_rate[race=black]"] == "failed"
    assert found["selection_rate[race=white]"] == "passed"
    assert set(found) == {f"selection_rate[{group}]" for group in ("race=black", "race=white", "sex=f", "sex=m")}


def test_defaults_of_the_policy_hold_for_its_packs(record: AuditRecord) -> None:
    empty = replace(record, findings=(), tallies=())
    assert eh.judge(empty, eh.load_policy(FOUR_FIFTHS), today=TODAY).exit_code == 3
    lenient = eh.load_policy({**FOUR_FIFTHS, "defaults": {"missing": "warn"}})
    assert eh.judge(empty, lenient, today=TODAY).exit_code == 0


def test_a_waiver_may_name_a_packs_limit_or_one_finding_of_it(record: AuditRecord) -> None:
    waiver = {"reason": "RISK-1", "owner": "a@example.org", "expires": date(2026, 8, 1)}
    for key in ("favourable_rate_ratio", "favourable_rate_ratio[race]"):
        policy = eh.load_policy({**FOUR_FIFTHS, "waivers": [{"limit": key, **waiver}]})
        assert eh.judge(record, policy, today=TODAY).exit_code == 0
    other = eh.load_policy({**FOUR_FIFTHS, "waivers": [{"limit": "favourable_rate_ratio[sex]", **waiver}]})
    verdict = eh.judge(record, other, today=TODAY)
    assert verdict.exit_code == 1
    assert "is not used" in verdict.remarks[0]


def test_a_file_may_be_extended(record: AuditRecord, tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "base.toml").write_text('[limits]\n"accuracy" = { at_least = 0.1, note = "base" }\n')
    (tmp_path / "common" / "house.toml").write_text(
        'extends = ["base.toml"]\n[limits]\n"accuracy" = { at_least = 0.3 }\n"recall" = { at_least = 0.4 }\n'
    )
    place = tmp_path / "policy.toml"
    place.write_text('schema = 1\nextends = [\n  "common/house.toml",\n]\n[limits]\n"tpr" = { at_least = 0.45 }\n')
    policy = eh.load_policy(place)
    assert {str(limit.key): (limit.bound, limit.origin, limit.line) for limit in policy.limits} == {
        "accuracy": (0.3, "common/house.toml", 2),
        "recall": (0.45, "", 6),
    }
    assert policy.extends == ("common/house.toml",)
    before = policy.sha256
    (tmp_path / "common" / "base.toml").write_text('[limits]\n"accuracy" = { at_least = 0.2 }\n')
    assert eh.load_policy(place).sha256 != before, "the policy's hash covers what it extends"


def test_the_hash_of_a_policy_without_packs_is_that_of_its_file(tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text('[limits]\n"accuracy" = { at_least = 0.1 }\n')
    assert eh.load_policy(place).sha256 == hashlib.sha256(place.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("pack", "said"),
    [
        ('extends = ["policy.toml"]\n[limits]\n"accuracy" = { at_least = 0.1 }', "extends itself"),
        ("limits = [", "is no TOML"),
        ('[limits]\n"acuracy" = { at_least = 0.1 }', r"pack\.toml:2: limits.\"acuracy\": no such metric"),
        (
            '[limits]\n"accuracy" = { at_least = 0.1 }\n[defaults]\nundecided = "pass"',
            r"pack\.toml:3: a rule pack holds",
        ),
    ],
)
def test_what_is_wrong_with_a_pack_is_told(pack: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "pack.toml").write_text(pack)
    place = tmp_path / "policy.toml"
    place.write_text('extends = ["pack.toml"]\n[limits]\n"recall" = { at_least = 0.1 }\n')
    with pytest.raises(PolicyError, match=said):
        eh.load_policy(place)


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        (["builtin:four-fifth@1"], r"Did you mean 'builtin:four-fifths@1'\?"),
        (["builtin:four-fifths@2"], "there is no rule pack"),
        (["four-fifths@1"], "is written 'builtin:four-fifths@1'"),
        (["absent.toml"], "cannot be read: absent.toml: there is no such file"),
        ("builtin:four-fifths@1", "extends is a list"),
        ([1], "extends is a list"),
    ],
)
def test_packs_that_are_not_there(extends: object, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        eh.load_policy({"extends": extends, "limits": {"accuracy": {"at_least": 0.1}}})


class TestDeclarations:
    """What only people know can be required, and is never mixed with what was measured."""

    policy = eh.load_policy({"limits": {"declared[human_oversight]": {"required": True, "note": "AI Act 14."}}})

    def verdict(self, record: AuditRecord, said: object) -> eh.Verdict:
        answers = {"human_oversight": said, "owner": "me"}
        return eh.judge(eh.with_declarations(record, answers), self.policy, today=TODAY)  # type: ignore[arg-type]

    def test_what_is_declared_passes(self, record: AuditRecord) -> None:
        for said in ("Two clerks decide.", ["Two clerks", "One manager"]):
            verdict = self.verdict(record, said)
            assert verdict.exit_code == 0
            assert "declared" in lines(verdict)[0]
            assert "Two clerks" in lines(verdict)[0]

    @pytest.mark.parametrize("said", ["", "  ", []])
    def test_what_is_blank_does_not(self, record: AuditRecord, said: object) -> None:
        verdict = self.verdict(record, said)
        assert verdict.exit_code == 3
        assert "Nobody has declared 'human_oversight'. AI Act 14." in verdict.judgements[0].sentence
        assert "was not declared" in verdict.sentence

    def test_a_record_without_declarations_has_not_passed(self, record: AuditRecord) -> None:
        assert eh.judge(record, self.policy, today=TODAY).exit_code == 3
        lenient = {"declared[owner]": {"required": True, "missing": "warn"}}
        assert eh.judge(record, eh.load_policy({"limits": lenient}), today=TODAY).exit_code == 0

    @pytest.mark.parametrize("form", ["html", "markdown", "json", "text", "csv", "junit", "sarif", "github", "gitlab"])
    def test_every_format_can_say_it(self, record: AuditRecord, form: str) -> None:
        for said in ("Two clerks decide.", ""):
            shown = eh.render(record, self.verdict(record, said), form).replace("\\_", "_")
            assert "human_oversight" in shown or (said and form in ("github", "gitlab")), "these tell of problems only"
