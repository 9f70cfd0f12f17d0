"""The part of the page on privacy: what it says first, what it draws, and what it never shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

import evenhand as eh

if TYPE_CHECKING:
    from pathlib import Path


def part(page: str) -> str:
    """Return the text of the part on privacy."""
    found = re.search(r'<section[^>]*id="privacy".*?</section>', page, re.S)
    assert found is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found[0]).replace("\u00a0", " "))


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=800), "b": rng.normal(size=800), "sex": rng.choice(["f", "m"], 800)})
    return table.assign(y=rng.integers(0, 2, 800))


def record_of(model: Any, people: pd.DataFrame, folder: Path) -> eh.AuditRecord:
    """Return an audit as it is read from its file."""
    audits = ["performance", "membership", "attribute_inference", "exposure"]
    said: dict[str, Any] = {"label": "y", "sensitive_features": "sex", "explain": False, "audits": audits}
    eh.write_record(folder / "audit.json", eh.audit(model, people[400:], members=people[:400], **said))
    return eh.read_record(folder / "audit.json")


def test_an_overfitted_model_is_said_to_give_its_rows_away(people: pd.DataFrame, tmp_path: Path) -> None:
    tree = DecisionTreeClassifier(random_state=0).fit(people[["a", "b"]][:400], people["y"][:400])
    record = record_of(tree, people, tmp_path)
    page = eh.render(record, eh.judge(record, eh.load_policy({"limits": {"membership_auc": {"at_most": 0.6}}})))
    said = part(page)
    assert "Limits here: 1 failed" in said and "An attack tells rows the model was fitted on from others" in said
    assert "lower bound" not in said
    assert "leaves of one row" in said and "too few rows" in said
    assert said.count("sex=f") >= 1 and "class 1" in said


def test_nothing_found_is_said_as_a_bound_where_references_are_proxies(people: pd.DataFrame, tmp_path: Path) -> None:
    record = record_of(lambda X: 1 / (1 + np.exp(-X["a"])), people, tmp_path)
    page = eh.render(record)
    said = part(page)
    # beside its heading, since it is folded
    assert "The attack did not tell rows the model was fitted on from others" in page
    assert "It is a lower bound, from proxy references." in page
    assert "Not seen: stronger attacks" in said


def test_without_members_the_part_says_what_asks_for_it(people: pd.DataFrame) -> None:
    record = eh.audit(lambda X: 1 / (1 + np.exp(-X["a"])), people, label="y", explain=False)
    assert "evenhand audit --privacy ROWS" in part(eh.render(record))


def test_no_row_is_on_record(people: pd.DataFrame, tmp_path: Path) -> None:
    table = people.assign(name=[f"canary-{at}" for at in range(800)])
    tree = DecisionTreeClassifier(random_state=0).fit(table[["a", "b"]][:400], table["y"][:400])
    record_of(tree, table, tmp_path)
    written = (tmp_path / "audit.json").read_text("utf-8")
    assert "canary" not in written
    assert not [value for value in table["a"] if f"{value:.10f}"[:11] in written]
