"""Subgroups that nobody named, through an audit."""

from __future__ import annotations

import numpy as np
import pandas as pd

import evenhand as eh
from evenhand.data import EvaluationSet, read_evaluation_set


def rows(n: int = 3000, planted: bool = True) -> EvaluationSet:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "region": rng.choice(["north", "south", "east"], n),
            "age": rng.normal(45, 12, n).round(),
            "day": pd.date_range("2020-01-01", periods=n, freq="h"),
            "name": [f"person {at}" for at in range(n)],
            "sex": rng.choice(["f", "m"], n),
        }
    )
    table["y"] = rng.integers(0, 2, n)
    wrong = rng.random(n) < np.where(planted & (table["region"] == "south") & (table["sex"] == "f"), 0.45, 0.1)
    table["answer"] = np.where(wrong, 1 - table["y"], table["y"])
    return read_evaluation_set(table, label="y", positive=1, sensitive_features="sex", prediction="answer", exclude=[])


def audit(data: EvaluationSet) -> eh.AuditRecord:
    from evenhand.audits import audit_given

    return audit_given(data)


def test_the_planted_subgroup_is_stated_with_what_it_suffers() -> None:
    record = audit(rows())
    found = record["error_rate[region=south,sex=f;vs=rest]"]
    assert found.interval is not None
    assert (found.interval.low or 0) > 0.2
    assert found.estimate == record.of_audit("slices")[0].estimate
    rest, inside = found.groups
    assert found.estimate == (inside.estimate or 0) - (rest.estimate or 0)
    assert inside.support + rest.support == 1500, "the half that took no part in the search"


def test_a_limit_can_be_set_on_it() -> None:
    policy = eh.load_policy({"limits": {"error_rate[region=south,sex=f;vs=rest]": {"at_most": 0.1}}})
    assert eh.judge(audit(rows()), policy).status == "failed"


def test_where_all_are_alike_none_is_stated_and_the_search_is_told() -> None:
    record = audit(rows(planted=False))
    assert record.of_audit("slices") == ()
    (said,) = [section.reason for section in record.sections if section.audit == "slices"]
    assert "of up to 3 of 3 features were searched" in said


def test_few_rows_are_not_searched() -> None:
    record = audit(rows(120))
    (section,) = [section for section in record.sections if section.audit == "slices"]
    assert not section.ran
    assert "too few" in section.reason


def test_the_page_says_it() -> None:
    page = eh.render(audit(rows()))
    assert "Subgroups nobody named" in page
    assert "region=south, sex=f" in page
