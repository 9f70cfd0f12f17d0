"""[require]: what must be there and is not fails, what a record does not know is undecided, in every format."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import RecordError
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.policy import lines
from evenhand.policy.meeting import JUDGED
from evenhand.policy.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.provenance import Provenance

TODAY = date(2026, 6, 1)
HASH = "0123456789abcdef" * 4


def audited(*features: str, **more: object) -> AuditRecord:
    rng = np.random.default_rng(3)
    truth = np.arange(400) % 2
    groups = {name: np.where(np.arange(400) < 20, "a", rng.choice(["b", "c"], 400)) for name in features}
    score = np.clip(0.6 * truth + 0.4 * rng.random(400), 0, 1)
    return eh.audit_predictions(truth, y_score=score, sensitive_features=groups or None, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    found = audited("sex", "race")
    facts = {**found.provenance, "subject": {**found.provenance["subject"], "sha256": HASH}}
    return replace(found, provenance=cast("Provenance", facts))


def with_data(record: AuditRecord, **facts: object) -> AuditRecord:
    data = {name: value for name, value in {**record.provenance["data"], **facts}.items() if value is not ...}
    return replace(record, provenance=cast("Provenance", {**record.provenance, "data": data}))


def judged(record: AuditRecord, require: dict[str, object], **more: object) -> eh.Verdict:
    content = {"limits": {"accuracy": {"at_least": 0.5}}, "require": require, **more}
    return eh.judge(record, eh.load_policy(content), today=TODAY)


def test_each_requirement_can_be_judged() -> None:
    assert set(REQUIREMENTS) == set(JUDGED)


MET = [
    {"sensitive_features": ["sex"]}, {"sensitive_features": ["sex", "race"]}, {"label": "y_true"}, {"positive": 1},
    {"positive": "1"}, {"model": HASH}, {"model": HASH.upper()}, {"rows": 400}, {"rows_per_group": 20}, {"level": 0.95},
    {"level": 0.9}, {"derived": True},
]  # fmt: skip
UNMET = [
    ({"sensitive_features": ["sex", "age"]}, "No groups of age: the record has race, sex"),
    ({"label": "approve"}, "y_true for the label, and the policy requires approve"),
    ({"positive": 0}, "1 for the positive value"),
    ({"positive": "yes"}, "requires yes"),
    ({"model": "f" * 64}, "for the hash of the model's file"),
    ({"data": "f" * 64}, "for the hash of the rows"),
    ({"rows": 401}, "It has 400 rows, and 401 are required"),
    ({"rows_per_group": 21}, "Groups with fewer than 21 rows: race=a (20); sex=a (20)."),
    ({"signature": True}, "No signature was checked"),
    ({"signature": "me@example.org"}, "No signature was checked"),
]


@pytest.mark.parametrize("require", MET, ids=str)
def test_what_is_met_passes(require: dict[str, object], record: AuditRecord) -> None:
    verdict = judged(record, require)
    assert verdict.exit_code == 0
    assert verdict.sentence == "Passed: 2 of 2 blocking limits passed, 0 failed, 0 undecided."


@pytest.mark.parametrize(("require", "said"), UNMET, ids=str)
def test_what_is_not_met_fails(require: dict[str, object], said: str, record: AuditRecord) -> None:
    verdict = judged(record, require)
    assert verdict.exit_code == 1
    assert said in verdict.judgements[0].sentence
    (name,) = require
    assert verdict.sentence.startswith("Failed: 1 of 2 blocking limits passed, 1 failed, 0 undecided. First: ")
    assert f"required[{name}] is required" in verdict.sentence


def test_the_hash_of_the_rows_is_met(record: AuditRecord) -> None:
    assert judged(record, {"data": record.provenance["data"]["content_hash"]}).exit_code == 0


UNKNOWN = {
    "label": {"label": ...}, "positive": {"positive": ...}, "data": {"content_hash": ...},
    "no_repeated_ids": {"repeated_ids": None},
}  # fmt: skip
ASKED = {"label": "y", "positive": 1, "data": HASH, "no_repeated_ids": True}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_an_older_record_does_not_know_is_undecided(name: str, record: AuditRecord) -> None:
    older = with_data(record, **UNKNOWN[name])
    for effect in ("stop", "warn", "pass"):
        verdict = judged(older, {name: ASKED[name]}, defaults={"undecided": effect, "missing": effect})
        assert verdict.exit_code == 3, "no default makes it lenient"
        assert "does not say" in verdict.judgements[0].sentence


def test_a_model_without_a_hash_is_undecided() -> None:
    assert judged(audited("sex"), {"model": HASH}).exit_code == 3


def test_repeated_ids(record: AuditRecord) -> None:
    assert judged(with_data(record, repeated_ids=0), {"no_repeated_ids": True}).exit_code == 0
    verdict = judged(with_data(record, repeated_ids=5), {"no_repeated_ids": True})
    assert (verdict.exit_code, verdict.judgements[0].sentence) == (1, "5 rows have an id of another row.")


def test_groups_that_look_alike(record: AuditRecord) -> None:
    def found(**alike: float) -> AuditRecord:
        told = [
            Finding(Key.of("lookalike_groups", [name]), "fairness", pairs, unit="number")
            for name, pairs in alike.items()
        ]
        others = [finding for finding in record.findings if finding.key.metric != "lookalike_groups"]
        return replace(record, findings=(*others, *told))

    asked = {"no_lookalike_groups": True}
    assert judged(found(race=0.0, sex=0.0), asked).exit_code == 0
    verdict = judged(found(race=2.0, sex=0.0), asked)
    assert verdict.exit_code == 1 and "Groups of race" in verdict.judgements[0].sentence
    assert judged(found(race=0.0), asked).exit_code == 3


def test_a_level_that_is_too_low_fails() -> None:
    low = audited("sex", level=0.9)
    verdict = judged(low, {"level": 0.95})
    assert verdict.exit_code == 1 and "--level 0.95" in verdict.judgements[0].sentence


def test_what_counts_cannot_say_is_not_derived(record: AuditRecord) -> None:
    limits = {"accuracy": {"at_least": 0.5}, "roc_auc": {"at_least": 0.5}, "recall[sex=*]": {"at_least": 0.1}}
    verdict = judged(record, {"derived": True}, limits=limits)
    assert verdict.exit_code == 1
    assert verdict.judgements[0].sentence == "Not derived from counts, but only stated: roc_auc."


class TestAFeatureThatWasDropped:
    """An audit without race may not pass a policy that is about race."""

    limits: ClassVar = {"selection_rate_ratio": {"at_least": 0.01, "over": "features"}}

    def test_without_a_requirement_nothing_is_missed(self) -> None:
        assert judged(audited("sex"), {}, limits=self.limits).exit_code == 0

    @pytest.mark.parametrize("effect", ["stop", "pass"])
    def test_a_required_one_is_missed(self, effect: str) -> None:
        required = {"sensitive_features": ["sex", "race"]}
        verdict = judged(audited("sex"), required, limits=self.limits, defaults={"missing": effect})
        assert verdict.exit_code == 1
        statuses = {str(judgement.key): judgement.status for judgement in verdict.judgements}
        assert statuses == {
            "required[sensitive_features]": "failed",
            "selection_rate_ratio[race]": "undecided",
            "selection_rate_ratio[sex]": "passed",
        }

    def test_naming_a_feature_without_its_groups_is_refused(self) -> None:
        named = with_data(audited("sex"), sensitive_features=["race", "sex"])
        with pytest.raises(RecordError, match="'race' is a sensitive feature of the record without counts"):
            judged(named, {"sensitive_features": ["sex", "race"]}, limits=self.limits)

    def test_counting_a_feature_without_naming_it_is_refused(self) -> None:
        hidden = with_data(audited("sex", "race"), sensitive_features=["sex"])
        with pytest.raises(RecordError, match="'race' is counted, and no sensitive feature of the record"):
            judged(hidden, {"sensitive_features": ["sex"]}, limits=self.limits)


def test_a_requirement_can_be_waived_and_is_never_old(record: AuditRecord) -> None:
    waiver = {"limit": "required[rows]", "reason": "RISK-1", "owner": "me", "expires": date(2026, 7, 1)}
    verdict = judged(record, {"rows": 1000}, waivers=[waiver])
    assert (verdict.exit_code, "waived until" in verdict.judgements[0].sentence) == (0, True)
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.5}}, "require": {"rows": 1000}})
    assert eh.judge(record, policy, baseline=record, new_only=True, today=TODAY).exit_code == 1


FORMS = ["html", "markdown", "json", "text", "csv", "junit", "sarif", "github", "gitlab"]


@pytest.mark.parametrize("form", FORMS)
def test_every_format_tells_it(record: AuditRecord, form: str) -> None:
    for require, problem in (({"rows": 1000}, True), ({"rows": 100}, False)):
        shown = eh.render(record, judged(record, require), form).replace("\\", "")
        if problem or form not in ("github", "gitlab"):  # these tell of problems only
            assert "required[rows]" in shown
        assert ("1,000 are required" in shown) == problem


def test_the_line_says_what_is_there_and_what_is_wanted(record: AuditRecord) -> None:
    shown = lines(judged(record, {"rows": 1000, "sensitive_features": ["sex"]}))
    assert shown[0].split(None, 2)[:2] == ["failed", "required[rows]"]
    assert "400 rows" in shown[0] and "required: 1,000" in shown[0]
    assert any("required: sex" in line for line in shown)


def test_check_explain_and_init_know_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["init", "--folder", str(tmp_path), "--sensitive", "race", "--label", "approve", "--pos-label", "1"]
    assert exit_code(asked) == 0
    place = tmp_path / "policy.toml"
    policy = eh.load_policy(place)
    assert {str(limit.key): limit.wanted for limit in policy.requirements} == {
        "required[sensitive_features]": ("race",),
        "required[label]": "approve",
        "required[positive]": "1",
    }
    assert all("required" not in str(limit) for limit in policy.limits)
    assert all(limit.line for limit in policy.requirements)
    assert exit_code(["policy", "check", str(place)]) == 0
    assert "; 3 requirements" in capsys.readouterr().out
    assert exit_code(["policy", "explain", str(place)]) == 0
    told = capsys.readouterr().out
    assert "required[label] required: approve\n  The column with the truth." in told


def test_a_policy_of_requirements_alone_gates_nothing() -> None:
    with pytest.raises(eh.EvenhandError, match="gates nothing"):
        eh.load_policy({"require": {"rows": 10}})


def test_a_copy_for_publication_tells_no_sizes(record: AuditRecord) -> None:
    from evenhand.report.publication import suppressed_verdict
    from evenhand.report.suppression import suppressed

    verdict = judged(record, {"rows_per_group": 30, "sensitive_features": ["sex"], "signature": True})
    shown = suppressed_verdict(verdict, suppressed(record, 25))
    told = {str(judgement.key): judgement.sentence for judgement in shown.judgements}
    assert "withheld" in told["required[rows_per_group]"] and "(20)" not in str(shown.judgements)
    assert told["required[sensitive_features]"] == "It is met."
    assert "No signature" in told["required[signature]"]
