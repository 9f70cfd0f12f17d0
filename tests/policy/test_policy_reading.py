"""policy.toml: every problem at once, each with its place and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    assert len(policy.limits) == 3 + 4 * len(columns)
    assert {column for limit in policy.limits for column in limit.key.columns} == set(columns)
