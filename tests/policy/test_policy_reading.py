"""policy.toml: every problem at once, each with its place and the way out."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest

import evenhand as eh
from evenhand.errors import PolicyError
from evenhand.policy import default_policy

if TYPE_CHECKING:
    from pathlib import Path


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(
        """
schema = 1
limit = 3
[defaults]
confidence = 95
undecided = "block"
[limits]
"acuracy" = { at_least = 0.8 }
"recall[sex" = { at_least = 0.8 }
"precision" = { at_last = 0.8 }
"f1" = { at_least = 0.8, at_most = 0.9 }
"tpr[sex=f]" = { at_least = 0.5 }
"recall[sex=f]" = { at_least = 0.6 }
[[waivers]]
limit = "roc_auc"
reason = "x"
"""
    )
    with pytest.raises(PolicyError) as told:
        eh.load_policy(place)
    said = str(told.value)
    for part in (
        "there is no 'limit' in a policy. Did you mean 'limits'?",
        "defaults.confidence is 95",
        "undecided is 'block'; it must be one of stop, warn, pass",
        "no such metric. Did you mean 'accuracy'?",
        "'recall[sex' is no key",
        "knows no 'at_last'. Did you mean 'at_least'?",
        "give either at_most or at_least",
        'the same finding as limits."tpr[sex=f]"',
        "waiver 1: owner, expires must be given",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schema = 1\n[limits]\n", "gates nothing"),
        ('[limits]\n"accuracy" = { at_least = 0.5, advisory = true }', "gates nothing"),
        ('schema = 2\n[limits]\n"accuracy" = { at_least = 0.5 }', "reads schema 1"),
        ('[limits]\n"accuracy" = 0.5', "a limit is a table"),
        ('[limits]\n"accuracy" = { at_least = nan }', "wrong type"),
        ('[limits]\n"accuracy" = { at_least = true }', "wrong type"),
        ("limits = [", "no TOML"),
    ],
)
def test_what_is_no_policy(text: str, said: str, tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(text)
    with pytest.raises(PolicyError, match=said):
        eh.load_policy(place)


def test_absent_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no such file"):
        eh.load_policy(tmp_path / "policy.toml")
    with pytest.raises(PolicyError, match="cannot be read"):
        eh.load_policy(tmp_path)


@pytest.mark.parametrize("columns", [(), ("race",), ("race", "a, [b] = *", 'q"uote')])
def test_the_policy_to_begin_with_is_one(columns: tuple[str, ...], tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(default_policy(columns, original=True), encoding="utf-8")
    policy = eh.load_policy(place)
    assert len(policy.limits) == 3 + 5 * len(columns)
    assert {column for limit in policy.limits for column in limit.key.columns} == set(columns)


def test_a_policy_in_pyproject(tmp_path: Path) -> None:
    place = tmp_path / "pyproject.toml"
    place.write_text('[project]\nname = "x"\n\n[tool.evenhand.limits]\n"accuracy" = { at_least = 0.5 }\n')
    (limit,) = eh.load_policy(place).limits
    assert (str(limit.key), limit.line) == ("accuracy", 5)
    place.write_text("[tool.black]\n")
    with pytest.raises(PolicyError, match=r"no \[tool\.evenhand\]"):
        eh.load_policy(place)


def test_limits_know_their_lines(tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(
        "schema = 1\n[limits]\n# a remark\n'tpr[sex=f]' = { at_least = 0.5 }\n"
        '"recall[race=\\"a b\\"]" = { at_least = 0.5 }\n'
        "accuracy = { at_least = 0.1 }\n[limits.precision]\nat_least = 0.2\n"
    )
    found = {str(limit.key): limit.line for limit in eh.load_policy(place).limits}
    assert found == {"recall[sex=f]": 4, "recall[race=a b]": 5, "accuracy": 6, "precision": 7}


def test_problems_are_told_with_their_line(tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(
        """schema = 1
extends = ["builtin:nothing@1"]

[defaults]
undecided = "warm"

[limits]
"accuracy" = { at_least = 0.5 }
"recall[sex" = { at_least = 0.5 }

[limits."precision"]
at_last = 0.5

[[waivers]]
limit = "accuracy"
reason = "x"
owner = "y"
expires = 2026-09-01

[[waivers]]
limit = "roc_auc]"
"""
    )
    with pytest.raises(PolicyError) as told:
        eh.load_policy(place)
    said = {problem.split(":", 2)[1]: problem for problem in told.value.problems}
    assert sorted(map(int, said)) == [2, 5, 9, 11, 20]
    assert "Did you mean 'warn'?" in said["5"]
    assert "expected ']' at character" in said["9"] or "is no key" in said["9"]
    assert said["20"].startswith("policy.toml:20: waiver 2")


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"accuracy": {"at_least": 0.5, "over": "feature"}}, "Did you mean 'features'"),
        ({"accuracy": {"at_least": 0.5, "over": []}}, "one at least"),
        ({"accuracy": {"at_least": 0.5, "over": ["groups", "groups"]}}, "at most once"),
        ({"recall[sex]": {"at_least": 0.5, "over": "groups"}}, "key without columns"),
        ({"accuracy": {"at_least": 0.5, "controls": "x"}}, "wrong type"),
        ({"accuracy": {"at_least": 0.5, "controls": [1]}}, "controls is a list of texts"),
        ({"accuracy": {"required": True}}, "required is for declarations"),
        ({"declared[owner]": {"at_least": 1}}, "is required = true"),
        ({"declared[owner]": {"required": False}}, "is required = true"),
        ({"declared[owner=me]": {"required": True}}, "is named alone"),
        ({"declared": {"required": True}}, "is named alone"),
        ({"g_mean": {"at_least": 0.5}}, "named in custom_metrics"),
    ],
)
def test_what_is_no_limit(limit: dict[str, object], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        eh.load_policy({"limits": {"recall": {"at_least": 0.5}, **limit}})


def test_a_metric_of_ones_own_is_named() -> None:
    policy = eh.load_policy({"custom_metrics": ["g_mean"], "limits": {"g_mean[sex=*]": {"at_least": 0.5}}})
    assert str(policy.limits[0].key) == "g_mean[sex=*]"
    with pytest.raises(PolicyError, match="custom_metrics is a list"):
        eh.load_policy({"custom_metrics": "g_mean", "limits": {"accuracy": {"at_least": 0.5}}})


def test_controls_and_notes_are_kept() -> None:
    said = {"at_least": 0.8, "controls": ["nyc-ll144:5-301(b)"], "note": "agreed"}
    (limit,) = eh.load_policy({"limits": {"selection_rate_ratio[sex]": said}}).limits
    assert (limit.controls, limit.note) == (("nyc-ll144:5-301(b)",), "agreed")


@pytest.mark.parametrize(
    ("waiver", "said"),
    [
        ({"starts": date(2026, 5, 1), "expires": date(2026, 4, 1)}, "expires before"),
        ({"starts": date(2026, 1, 1), "expires": date(2026, 12, 1)}, "the longest is 180"),
        ({"expires": "2026-04-01"}, "wrong type"),
        ({"limit": "acuracy"}, "Did you mean 'accuracy'"),
        ({"limit": "recall[sex=f]"}, "there is no limit"),
    ],
)
def test_what_is_no_waiver(waiver: dict[str, object], said: str) -> None:
    good = {"limit": "accuracy", "reason": "x", "owner": "y", "expires": date(2026, 4, 1)}
    with pytest.raises(PolicyError, match=said):
        eh.load_policy({"limits": {"accuracy": {"at_least": 0.5}}, "waivers": [{**good, **waiver}]})


POLICIES = [
    ({"limits": {"accuracy": {"at_least": 0.5}}}, True),
    ({"schema": 1, "limits": {"accuracy": {"max_drop": 0.1, "note": "x"}}, "defaults": {"undecided": "warn"}}, True),
    ({"limits": {"accuracy": {"at_least": 0.5, "at_most": 0.9}}}, False),
    ({"limits": {"accuracy": {}}}, False),
    ({"limits": {"accuracy": {"at_last": 0.5}}}, False),
    ({"limits": {"accuracy": {"at_least": 0.5}}, "defaults": {"undecided": "block"}}, False),
    ({"limits": {"accuracy": {"max_drop": -0.1}}}, False),
    ({"extends": ["builtin:four-fifths@1"]}, True),
    ({"extends": "builtin:four-fifths@1"}, False),
    ({"limits": {"recall": {"at_least": 0.5, "over": "groups", "controls": ["x"]}}}, True),
    ({"limits": {"recall": {"at_least": 0.5, "over": ["features", "intersections"]}}}, True),
    ({"limits": {"recall": {"at_least": 0.5, "over": "group"}}}, False),
    ({"limits": {"declared[owner]": {"required": True}}}, True),
    ({"limits": {"declared[owner]": {"at_least": 0.5}}}, False),
    ({"limits": {"accuracy": {"required": True}}}, False),
    *(
        ({"limits": {"accuracy": {"at_least": 0.5}}, "require": require}, good)
        for require, good in (
            ({}, True),
            ({"signature": True, "rows": 5, "positive": 1, "label": "y"}, True),
            ({"rows": 0}, False),
            ({"signature": False}, False),
            ({"sensitive_features": []}, False),
            ({"model": "0a" * 32}, True),
            ({"model": "0a"}, False),
            ({"level": 0.95, "derived": True}, True),
            ({"level": 2}, False),
            ({"signature": ["a@b", "c@d"]}, True),
            ({"no_repeated_ids": False}, False),
            ({"row": 5}, False),
        )
    ),
]


@pytest.mark.parametrize(("content", "good"), POLICIES)
def test_the_shipped_schema_and_the_reader_agree(content: dict[str, object], good: bool) -> None:
    schema = json.loads(files("evenhand.schemas").joinpath("policy-1.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(content) == good
    if good:
        assert eh.load_policy(content).limits
    else:
        with pytest.raises(PolicyError):
            eh.load_policy(content)


def test_a_record_is_judged_by_a_path_by_limits_alone_and_by_a_policy(tmp_path: Path) -> None:
    record = eh.audit_predictions([1, 0] * 200, [1, 0] * 200)
    limits = {"accuracy": {"at_least": 0.8}}
    (tmp_path / "policy.toml").write_text("[limits]\naccuracy = { at_least = 0.8 }\n", encoding="utf-8")
    ways = (limits, {"limits": limits}, tmp_path / "policy.toml", str(tmp_path / "policy.toml"), eh.load_policy(limits))
    found = [eh.judge(record, way) for way in ways]
    assert {verdict.status for verdict in found} == {"passed"}
    assert {judgement.limit.bound for verdict in found for judgement in verdict.judgements} == {0.8}
    assert found[0].policy_sha256 == found[1].policy_sha256


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"limit": {"accuracy": {"at_least": 0.8}}}, "Did you mean 'limits'?"),
        ({"acuracy": {"at_least": 0.8}}, "Did you mean 'accuracy'?"),
        ({"accuracy": {"atleast": 0.8}}, "Did you mean 'at_least'?"),
        ({}, "gates nothing"),
    ],
)
def test_limits_alone_are_checked_as_a_policy_is(content: dict[str, object], told: str) -> None:
    with pytest.raises(PolicyError) as wrong:
        eh.load_policy(content)
    assert told in str(wrong.value)
