"""Bad policies and waivers: each is refused with its line and what to write, or judged so that nothing is loosened."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import PolicyError
from evenhand.records import write_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from evenhand.findings import AuditRecord

    Ask = Callable[[Sequence[str]], Any]

TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    """An audit of 2,000 rows in which the women of a model are approved far less often."""
    rng = np.random.default_rng(1)
    sex, race = rng.choice(["f", "m"], 2000), rng.choice(["a", "b"], 2000)
    truth = (rng.random(2000) < 0.5).astype(int)
    score = np.clip(0.3 * truth + np.where(sex == "f", 0.1, 0.4) + 0.3 * rng.random(2000), 0, 1)
    return eh.audit_predictions(truth, y_score=score, sensitive_features={"sex": sex, "race": race}, favourable=1)


@pytest.fixture(scope="module")
def audit(record: AuditRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("record") / "audit.json"
    write_record(place, record)
    return place


LIMITS = {
    # Limits that cannot fail.
    '"accuracy" = { at_least = -5 }': "cannot fail: accuracy is between 0 and 1",
    '"accuracy" = { at_least = 0 }': "cannot fail",
    '"accuracy" = { at_least = 0.0 }': "cannot fail",
    '"error_rate" = { at_most = 1 }': "cannot fail",
    '"selection_rate_difference[sex]" = { at_most = 20 }': "cannot fail",
    '"selection_rate_difference[sex]" = { at_most = 1.0 }': "cannot fail",
    '"demographic_parity_difference[sex]" = { at_most = 5 }': "cannot fail",
    '"selection_rate_ratio[sex]" = { at_least = 0 }': "cannot fail",
    '"disparate_impact[sex]" = { at_least = -1 }': "cannot fail",
    '"equalized_odds_difference[sex]" = { at_most = 1 }': "cannot fail",
    '"average_odds_difference[sex]" = { at_most = 3 }': "cannot fail",
    '"matthews_correlation" = { at_least = -1 }': "between -1 and 1",
    '"recall_group_min[sex]" = { at_least = 0 }': "cannot fail",
    '"matthews_correlation_difference[sex]" = { at_most = 2 }': "between 0 and 2",
    '"accuracy_change[;of=original]" = { at_least = -1 }': "between -1 and 1",
    '"accuracy_change_group_min[sex;of=original]" = { at_least = -2 }': "cannot fail",
    '"mean_absolute_error" = { at_most = -1 }': "cannot be met: mean_absolute_error is 0 or above",
    '"size_ratio[;of=original]" = { at_least = 0 }': "cannot fail",
    '"flip_rate[;of=original]" = { at_most = 1 }': "cannot fail",
    '"selection_rate" = { at_least = 0 }': "cannot fail",
    '"selection_rate" = { at_most = 1 }': "cannot fail",
    '"recall" = { at_least = 0, over = "groups" }': "cannot fail",
    '"roc_auc" = { max_drop = 1 }': "cannot fail",
    '"tpr" = { max_drop = 50 }': "cannot fail",
    '"quantile_coverage" = { max_drop = 0.1 }': "neither a higher nor a lower",
    '"selection_rate" = { max_drop = 0.1 }': "Limit the value, or its difference between groups",
    # Limits that nothing can meet.
    '"accuracy" = { at_least = 95 }': "Write 0.95 for 95 %",
    '"accuracy" = { at_least = 1.01 }': "cannot be met",
    '"selection_rate_ratio[sex]" = { at_least = 80 }': "Write 0.8 for 80 %",
    '"selection_rate_difference[sex]" = { at_most = -0.1 }': "cannot be met",
    '"r2" = { at_least = 2 }': "1 or below",
    # Limits that point the wrong way.
    '"selection_rate_ratio[sex]" = { at_most = 0.8 }': "Write at_least = 0.8",
    '"impact_ratio[sex]" = { at_most = 0.8 }': "points the wrong way: selection_rate_ratio is better the higher",
    '"recall" = { at_most = 0.9 }': "Write at_least = 0.9",
    '"recall[sex=*]" = { at_most = 0.9 }': "wrong way",
    '"recall" = { at_most = 0.9, over = "groups" }': "wrong way",
    '"error_rate" = { at_least = 0.1 }': "error_rate is better the lower it is. Write at_most = 0.1",
    '"fpr" = { at_least = 0.1 }': "wrong way",
    '"selection_rate_difference[sex]" = { at_least = 0.1 }': "Write at_most = 0.1",
    '"equal_opportunity_difference" = { at_least = 0.1, over = "features" }': "wrong way",
    '"recall_group_min[sex]" = { at_most = 0.5 }': "wrong way",
    '"mae" = { at_least = 3 }': "mean_absolute_error is better the lower",
    '"r2" = { at_most = 0.5 }': "wrong way",
    '"log_loss" = { at_least = 0.5 }': "wrong way",
    '"file_bytes" = { at_least = 1000 }': "wrong way",
    # What is no number.
    '"accuracy" = { at_least = nan }': "wrong type. It is a number, and finite",
    '"accuracy" = { at_least = inf }': "wrong type",
    '"accuracy" = { at_least = -inf }': "wrong type",
    '"accuracy" = { at_least = true }': "wrong type",
    '"accuracy" = { at_least = "0.8" }': "wrong type",
    '"accuracy" = { at_least = [0.8] }': "wrong type",
    '"accuracy" = { at_least = 2026-01-01 }': "wrong type",
    '"roc_auc" = { max_drop = nan }': "wrong type",
    '"roc_auc" = { max_drop = -0.1 }': "0 or above",
    # The same finding twice.
    '"recall" = { at_least = 0.8 }\n"tpr" = { at_least = 0.1 }': "the same finding",
    '"disparate_impact[sex]" = { at_least = 0.1 }\n"selection_rate_ratio[sex]" = { at_least = 0.8 }': "the same",
    '"recall[a,b]" = { at_least = 0.8 }\n"tpr[b,a]" = { at_least = 0.1 }': "the same finding",
    '"recall" = { at_least = 0.8, over = ["groups"] }\n"tpr" = { at_least = 0.1, over = "groups" }': "the same",
    '"f1" = { at_least = 0.8,over = ["groups", "features"] }\n" f1 " = { at_least = 0.1,over = "groups" }': "the same",
    # A requirement in the wrong place.
    '"required[signature]" = { required = true }': "is written in the table [require]",
}
"""The text of [limits], and what is said of it."""


@pytest.mark.parametrize(("limits", "said"), LIMITS.items(), ids=[key[:70] for key in LIMITS])
def test_a_limit_that_makes_no_sense_is_refused(limits: str, said: str, audit: Path, tmp_path: Path, ask: Ask) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(f'schema = 1\n[limits]\n"precision" = {{ at_least = 0.1 }}\n{limits}\n')
    for asked in (["policy", "check", str(place)], ["gate", str(audit), "--policy", str(place)]):
        outcome = ask(asked)
        assert outcome.code == 2
        told = outcome.err
        assert said in told
        assert re.search(r"policy\.toml:[45]: limits\.", told), "it is told where"


REQUIRE = {
    "signature = false": "it must be true, or the name of a signer",
    'signature = ""': "it must be true",
    'signature = "\\u200b"': "it must be true",
    "signature = []": "it must be true",
    "sensitive_features = []": "a list of names",
    'sensitive_features = "sex"': "a list of names",
    'sensitive_features = ["sex", "sex"]': "a list of names",
    'sensitive_features = ["sex", ""]': "a list of names",
    "sensitive_features = [1]": "a list of names",
    "rows = 0": "1 or above",
    "rows = -5": "1 or above",
    "rows = 1.5": "1 or above",
    "rows = true": "1 or above",
    'rows_per_group = "many"': "1 or above",
    "level = 95": "between 0.5 and 1",
    "level = 1": "between 0.5 and 1",
    "level = nan": "between 0.5 and 1",
    "level = 0.99": "Write confidence = 0.99 in [defaults]",
    'model = "abc"': "64 hexadecimal digits",
    f'data = "{"g" * 64}"': "64 hexadecimal digits",
    "no_repeated_ids = false": "leave it out",
    'derived = "yes"': "leave it out",
    "label = true": "a value as the record has it",
    "sensitive_feature = ['sex']": "Did you mean 'sensitive_features'?",
    "signed = true": "nothing of that name can be required",
}
"""The text of [require], and what is said of it."""


@pytest.mark.parametrize(("require", "said"), REQUIRE.items(), ids=[key[:50] for key in REQUIRE])
def test_a_requirement_that_requires_nothing_is_refused(
    require: str, said: str, audit: Path, tmp_path: Path, ask: Ask
) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(f'schema = 1\n[require]\n{require}\n[limits]\n"precision" = {{ at_least = 0.1 }}\n')
    for asked in (["policy", "check", str(place)], ["gate", str(audit), "--policy", str(place)]):
        outcome = ask(asked)
        assert outcome.code == 2
        told = outcome.err
        assert said in told and "policy.toml:3: require." in told


GOOD = {
    "limit": "selection_rate_ratio[sex]",
    "reason": "RISK-311",
    "owner": "a@example.org",
    "expires": date(2026, 8, 1),
}
WAIVERS = [
    *(({field: blank}, f"{field} is blank") for field in ("reason", "owner", "approved_by")
      for blank in ("", "  ", "\t\n", "\u200b", "\ufeff\u200d", "\u3164", "None", "n/a", "TODO", "-", "...")),
    *(({field: value}, "wrong type") for field in ("reason", "owner", "approved_by")
      for value in (None, True, 3, ["a"])),
    ({"accept_to": -5}, "accepts every selection_rate_ratio, which is between 0 and 1"),
    ({"accept_to": 0}, "accepts every"),
    ({"accept_to": float("nan")}, "wrong type"),
    ({"accept_to": float("-inf")}, "wrong type"),
    ({"accept_to": True}, "wrong type"),
    ({"limit": "required[rows]"}, "there is no limit"),
    ({"expires": date.max}, "is not used|does not hold|more than"),
]  # fmt: skip
"""What a waiver is changed to, and what is said of it."""


@pytest.mark.parametrize(("change", "said"), WAIVERS, ids=[ascii(change)[:60] for change, _ in WAIVERS])
def test_a_waiver_for_which_nobody_answers_waives_nothing(
    change: dict[str, object], said: str, record: AuditRecord
) -> None:
    limits = {"selection_rate_ratio[sex]": {"at_least": 0.8}}
    try:
        policy = eh.load_policy({"limits": limits, "waivers": [{**GOOD, **change}]})
    except PolicyError as wrong:
        assert re.search(said, str(wrong)) and "waiver 1" in str(wrong)
    else:
        verdict = eh.judge(record, policy, today=TODAY)
        assert verdict.exit_code == 1
        assert re.search(said, " ".join(verdict.remarks))


def test_the_waiver_itself_is_a_good_one(record: AuditRecord) -> None:
    limits = {"selection_rate_ratio[sex]": {"at_least": 0.8}}
    policy = eh.load_policy({"limits": limits, "waivers": [GOOD]})
    assert eh.judge(record, policy, today=TODAY).exit_code == 0


def test_two_waivers_of_one_limit_are_refused(record: AuditRecord) -> None:
    lax = {**GOOD, "limit": "disparate_impact[sex]", "accept_to": 0.01}
    limits = {"selection_rate_ratio[sex]": {"at_least": 0.8}}
    with pytest.raises(PolicyError, match="waiver 2: the same limit on the same days as waiver 1"):
        eh.load_policy({"limits": limits, "waivers": [{**GOOD, "accept_to": 0.7}, lax]})
    renewed = {**GOOD, "starts": date(2026, 8, 2), "expires": date(2026, 9, 1)}
    assert eh.load_policy({"limits": limits, "waivers": [GOOD, renewed]}).waivers


def test_of_a_wide_and_a_narrow_waiver_both_must_cover(record: AuditRecord) -> None:
    limits = {"selection_rate_ratio": {"at_least": 0.8, "over": "features"}}
    wide, narrow = {**GOOD, "limit": "selection_rate_ratio"}, {**GOOD, "accept_to": 0.79}
    policy = eh.load_policy({"limits": limits, "waivers": [wide, narrow]})
    assert eh.judge(record, policy, today=TODAY).exit_code == 1


LAX = [
    ({"recall": {"at_least": 0.99, "over": "groups"}, "recall[sex=f]": {"at_least": 0.01}}, "recall[sex=f]"),
    ({"tpr": {"at_least": 0.99, "over": "groups"}, "sensitivity[sex=f]": {"at_least": 0.01}}, "recall[sex=f]"),
    ({"recall[sex=*]": {"at_least": 0.99}, "tpr[sex=f]": {"at_least": 0.01}}, "recall[sex=f]"),
    ({"recall[sex=*]": {"at_least": 0.99}, "tpr": {"at_least": 0.01, "over": "groups"}}, "recall[sex=f]"),
    (
        {
            "selection_rate_ratio": {"at_least": 0.8, "over": "features"},
            "disparate_impact[sex]": {"at_least": 0.8, "undecided": "pass", "advisory": True},
        },
        "selection_rate_ratio[sex]",
    ),
    (
        {
            "selection_rate_ratio": {"at_least": 0.8, "over": ["features", "intersections"]},
            "impact_ratio[sex]": {"at_least": 0.001},
        },
        "selection_rate_ratio[sex]",
    ),
]


@pytest.mark.parametrize(("limits", "key"), LAX, ids=range(len(LAX)))
def test_a_laxer_limit_on_the_same_finding_never_wins(
    limits: dict[str, dict[str, object]], key: str, record: AuditRecord
) -> None:
    verdict = eh.judge(record, eh.load_policy({"limits": limits}), today=TODAY)
    assert verdict.exit_code == 1
    assert any(str(j.key) == key and j.status == "failed" and j.stops for j in verdict.judgements)


PACKS = [
    ('"recall" = { at_least = 0.99 }', '"tpr" = { at_least = 0.01 }', ""),
    ('"tpr" = { at_least = 0.01 }', '"recall" = { at_least = 0.99 }', ""),
    ('"recall" = { at_least = 0.99 }', '"f1" = { at_least = 0.01 }', '"sensitivity" = { at_least = 0.01 }'),
    ('"recall" = { at_least = 0.99 }', '"f1" = { at_least = 0.01 }', '"tpr" = { at_least = 0.99, advisory = true }'),
    ('"recall" = { at_least = 0.99, advisory = true }', '"tpr" = { at_least = 0.99 }', ""),
    ('"recall" = { at_least = 0.99, over = "groups" }', '"tpr" = { at_least = 0.01, over = ["groups"] }', ""),
]


@pytest.mark.parametrize(("first", "second", "own"), PACKS, ids=range(len(PACKS)))
def test_of_two_packs_and_a_policy_the_strictest_counts(
    first: str, second: str, own: str, record: AuditRecord, tmp_path: Path
) -> None:
    (tmp_path / "one.toml").write_text(f"[limits]\n{first}\n")
    (tmp_path / "two.toml").write_text(f"[limits]\n{second}\n")
    place = tmp_path / "policy.toml"
    place.write_text(f'extends = ["one.toml", "two.toml"]\n[limits]\n"precision" = {{ at_least = 0.01 }}\n{own}\n')
    assert eh.judge(record, eh.load_policy(place), today=TODAY).exit_code == 1


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 20_000 + "]" * 20_000,
        "a = " + "{b=" * 5_000 + "1" + "}" * 5_000,
        f"a = 1{'0' * 5000}",
        "\x00",
        "\xff",
    ],
    ids=["lists in lists", "tables in tables", "5,000 digits", "a zero", "no UTF-8"],
)
def test_a_policy_that_is_none_is_told_in_a_sentence(text: str, audit: Path, tmp_path: Path, ask: Ask) -> None:
    for name, whole in (("policy.toml", text), ("other.toml", 'extends = ["policy.toml"]\n')):
        (tmp_path / name).write_bytes(whole.encode("latin-1"))
        outcome = ask(["gate", str(audit), "--policy", str(tmp_path / name)])
        assert outcome.code == 2
        told = outcome.err
        assert "no TOML" in told
        assert len(told) < 600


def test_a_waiver_down_to_a_value_covers_no_finding_that_was_left_out(record: AuditRecord) -> None:
    limits = {"selection_rate_ratio[age]": {"at_least": 0.8}}
    waiver = {**GOOD, "limit": "selection_rate_ratio[age]"}
    assert eh.judge(record, eh.load_policy({"limits": limits, "waivers": [waiver]}), today=TODAY).exit_code == 0
    policy = eh.load_policy({"limits": limits, "waivers": [{**waiver, "accept_to": 0.7}]})
    verdict = eh.judge(record, policy, today=TODAY)
    assert verdict.exit_code == 3
    assert "there is no estimate" in verdict.remarks[0]


@pytest.mark.parametrize(("confidence", "told"), [(0.51, True), (0.89, True), (0.9, False), (0.95, False)])
def test_a_low_confidence_is_told(record: AuditRecord, confidence: float, told: bool) -> None:
    policy = eh.load_policy({"defaults": {"confidence": confidence}, "limits": {"accuracy": {"at_least": 0.1}}})
    remarks = eh.judge(record, policy).remarks
    assert any(f"a confidence of {confidence:g}" in remark for remark in remarks) == told
