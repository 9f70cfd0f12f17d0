"""Policies to begin with: each loads, gates an audit of its kind, and says why and by which source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.policy import default_policy
from evenhand.policy.templates import TEMPLATES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_limit_finds_what_it_judges(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    score = np.clip(0.35 * y + 0.65 * rng.random(2000), 0, 1)
    groups = {"race": rng.choice(["a", "b"], 2000), "the sex": rng.choice(["f", "m"], 2000)}
    record = eh.audit_predictions(y, y_score=score, sensitive_features=groups, favourable=1)
    place = tmp_path / "policy.toml"
    place.write_text(default_policy(groups, template=name), encoding="utf-8")
    verdict = eh.judge(record, eh.load_policy(place))
    absent = {str(j.key) for j in verdict.judgements if j.finding is None}
    assert absent <= {"unstable_reasons", "unfaithful_reasons"}, "only what needs a model"
    assert {j.key.columns for j in verdict.judgements} >= {("race",), ("the sex",)}


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_limit_says_why(name: str) -> None:
    """No limit stands without a comment above it, and each template names a source: a year or a paragraph."""
    lines = default_policy(["race"], template=name).split("[limits]\n")[1].splitlines()
    for at, line in enumerate(lines):
        if line.startswith('"'):
            above = [text for text in reversed(lines[:at]) if not text.startswith('"')]
            assert above[0].startswith("#"), line
    assert re.search(r"(19|20)\d\d|CFR", "\n".join(lines))


def test_init_writes_the_template(tmp_path: Path) -> None:
    asked = ["init", "--folder", str(tmp_path), "--sensitive", "sex", "--template"]
    assert exit_code([*asked, "medical"]) == 0
    assert '"false_negative_rate_difference[sex]"' in (tmp_path / "policy.toml").read_text("utf-8")
    assert exit_code([*asked, "astrology"]) == 2
    with pytest.raises(InputError, match="Did you mean 'medical'"):
        default_policy(template="medicla")
