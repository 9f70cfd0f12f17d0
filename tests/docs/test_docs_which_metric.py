"""The page that leads from a question to a key: every key is one that an audit of such data answers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import evenhand as eh
from evenhand.findings import Finding
from evenhand.metrics.answers import answers_of

PAGE = (Path(__file__).parents[2] / "docs" / "which-metric.md").read_text("utf-8")
ROWS = 400
SECTIONS: dict[str, str] = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M))


def keys(text: str) -> list[str]:
    """Return the keys in the tables of a section."""
    found = [key for line in text.splitlines() if line.startswith("|") for key in re.findall(r"`([^`]+)`", line)]
    return [key for key in found if key != "evenhand plan"]


@pytest.fixture(scope="module")
def records() -> dict[str, eh.AuditRecord]:
    """Small audits of each kind of data that the page speaks of."""
    rng = np.random.default_rng(0)
    who = {"sex": rng.choice(["f", "m"], ROWS), "age": rng.choice(["old", "young"], ROWS)}
    p = rng.random(ROWS)
    truth = (rng.random(ROWS) < p).astype(int)
    other = np.clip(p + rng.normal(0, 0.1, ROWS), 0, 1)
    school = {"school": rng.choice(["north", "south"], ROWS)}
    kinds = rng.choice(["calm", "soon", "urgent"], ROWS)
    data = eh.read_evaluation_set(
        {**who, "p": p, "y": truth}, label="y", sensitive_features=["sex", "age"], use_sensitive=True
    )
    amounts = {"task": "regression", "sensitive_features": who}
    return {
        "Decisions": eh.audit(lambda X: X["p"], data, audits=["reliance", "performance", "fairness"], explain=False),
        "Scores": eh.audit_predictions(truth, y_score=p, sensitive_features=who, control_features=school),
        "Numbers": eh.audit_predictions(p * 10, other * 10, **amounts),
        "Rankings": eh.audit_predictions(
            (p * 4).astype(int), y_score=other, query=np.arange(ROWS) // 8, task="ranking", sensitive_features=who
        ),
        "Classes": eh.audit_predictions(kinds, rng.permutation(kinds), task="multiclass", sensitive_features=who),
        "A smaller copy": eh.audit_predictions(truth, y_score=other, original_score=p, sensitive_features=who),
    }


def answered(key: str, record: eh.AuditRecord) -> bool:
    """Return whether a record states a key, or can compute it; of each group, for one of them."""
    asked = eh.Key.parse(key.replace("sex=*", "sex=f"))
    if any(finding.key == asked for finding in record.findings):
        return True
    return isinstance(answers_of(record, 0.95)(asked), Finding)


@pytest.mark.parametrize(("title", "key"), [(title, key) for title, text in SECTIONS.items() for key in keys(text)])
def test_an_audit_answers_the_key(title: str, key: str, records: dict[str, eh.AuditRecord]) -> None:
    kind = title.split(":", maxsplit=1)[0]
    asked = [records[kind]] if kind in records else list(records.values())
    if kind == "Decisions":
        asked.append(records["Scores"])
    assert any(answered(key, record) for record in asked), key


def test_every_kind_of_data_has_its_section(records: dict[str, eh.AuditRecord]) -> None:
    assert set(records) <= {title.split(":")[0] for title in SECTIONS}
    assert all(len(keys(text)) >= 3 for title, text in SECTIONS.items() if ":" in title)


def test_the_policy_of_the_page_is_judged(records: dict[str, eh.AuditRecord]) -> None:
    policy = eh.load_policy(tomllib.loads(re.search(r"```toml\n(.*?)```", PAGE, re.S)[1]))  # type: ignore[index]
    verdict = eh.judge(records["Scores"], policy)
    assert len(verdict.judgements) > len(policy.limits) - 1
    assert all(judgement.finding is not None for judgement in verdict.judgements)
