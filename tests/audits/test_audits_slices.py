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
    counted = (inside.estimate or 0) - (rest.estimate or 0)
    assert (found.interval.low or 0) < (found.estimate or 0) <= counted, "corrected for the search"
    assert inside.support + rest.support == 3000, "all rows"


def test_a_limit_can_be_set_on_it() -> None:
    policy = eh.load_policy({"limits": {"error_rate[region=south,sex=f;vs=rest]": {"at_most": 0.1}}})
    assert eh.judge(audit(rows()), policy).status == "failed"


def test_where_all_are_alike_none_is_stated_and_the_search_is_told() -> None:
    record = audit(rows(planted=False))
    assert record.of_audit("slices") == ()
    (said,) = [section.reason for section in record.sections if section.audit == "slices"]
    assert "of up to 3 of 3 features were searched" in said
    assert "at most 2.5% of searches find any (399 permutations)" in said


def test_few_rows_are_not_searched() -> None:
    record = audit(rows(120))
    (section,) = [section for section in record.sections if section.audit == "slices"]
    assert not section.ran
    assert "too few" in section.reason


def test_the_page_says_it() -> None:
    page = eh.render(audit(rows()))
    assert "Subgroups nobody named" in page
    assert "region=south, sex=f" in page


def test_of_many_rows_a_stated_sample_is_searched() -> None:
    from evenhand.audits import audit_given

    data = rows()
    found = [audit_given(data, settings={"slice_rows": 2_000, "seed": seed}) for seed in (0, 0, 1)]
    told, again, other = (record.of_audit("slices") for record in found)
    assert told, "the planted one is found in a sample, too"
    assert told == again, "the same seed draws the same rows"
    assert told != other
    assert sum(group.support for group in told[0].groups) == 2_000
    (said,) = [section.reason for section in found[0].sections if section.audit == "slices"]
    assert "were searched in 2,000 of 3,000 rows, drawn with the seed" in said
    assert found[0].provenance["options"]["slice_rows"] == 2_000
    (whole,) = [section.reason for section in audit(data).sections if section.audit == "slices"]
    assert "in all rows" in whole


def unfair(n: int = 8_000) -> EvaluationSet:
    """Women are selected as often as men, but for the young in the south; recall is poor in the east."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame(
        {
            "region": rng.choice(["north", "south", "east"], n),
            "age": rng.choice(["young", "old"], n),
            "sex": rng.choice(["f", "m"], n),
            "shoe": rng.choice(list("abcd"), n),
        }
    )
    y = rng.integers(0, 2, n)
    right = np.where((table["region"] == "east") & (y == 1), 0.5, 0.85)
    hurt = (table["region"] == "south") & (table["age"] == "young") & (table["sex"] == "f")
    table["y"], table["answer"] = y, np.where(rng.random(n) < right, y, 1 - y) * ~(hurt & (rng.random(n) < 0.7))
    return read_evaluation_set(table, label="y", positive=1, sensitive_features="sex", prediction="answer")


def test_any_rate_and_any_gap_can_be_searched_for() -> None:
    from evenhand.audits import audit_given

    wanted = ("recall", "selection_rate_difference[sex]")
    record = audit_given(unfair(), settings={"slice_by": wanted})
    found = {str(finding.key): finding for finding in record.of_audit("slices")}
    assert found["recall[region=east;vs=rest]"].interval.high < -0.1
    gap = found["selection_rate_difference[age=young,region=south,sex;vs=rest]"]
    assert gap.estimate > 0.2
    assert gap.interval.low > 0.1
    assert [value.group for value in gap.groups] == ["f", "m"]
    assert "there" in gap.note
    assert not [key for key in found if "shoe" in key], "nothing is confirmed that was not planted"
    (said,) = [section.reason for section in record.sections if section.audit == "slices"]
    assert said.startswith("By recall:")
    page = eh.render(record, None, "html")
    assert "By other metrics" in page


def test_persons_with_many_rows_are_permuted_as_a_whole() -> None:
    rng, number = np.random.default_rng(0), 200
    who = np.repeat(np.arange(number), 8)
    table = pd.DataFrame({f"x{at}": rng.choice(list("abcd"), number)[who] for at in range(4)})
    table["sex"] = rng.choice(["f", "m"], number)[who]
    table["person"], table["y"] = who, rng.integers(0, 2, len(who))
    table["weight"] = rng.lognormal(0, 0.3, len(who))
    wrong = rng.random(len(who)) < rng.beta(0.5, 2, number)[who]
    table["answer"] = np.where(wrong, 1 - table["y"], table["y"])
    given = {"label": "y", "positive": 1, "sensitive_features": "sex", "prediction": "answer"}
    record = audit(read_evaluation_set(table, cluster="person", sample_weight="weight", **given))
    assert record.of_audit("slices") == ()
    (said,) = [section.reason for section in record.sections if section.audit == "slices"]
    assert "399 permutations of whole clusters" in said
    assert audit(read_evaluation_set(table, exclude=["person", "weight"], **given)).of_audit("slices") != ()


def test_what_cannot_be_searched_for_is_told() -> None:
    import pytest

    from evenhand.audits import audit_given
    from evenhand.errors import InputError

    for wanted, said in (
        ("roc_auc", "is no rate of counts"),
        ("f1_difference[sex]", "others are not searched for, so name one such as recall or recall_difference.sex..$"),
        ("equalized_odds_difference[sex]", "nor the difference of one"),
        ("recal", "Did you mean 'recall'"),
        ("recall[sex]", "must be a rate alone, such as recall"),
        ("recall_difference[sex;vs=overall]", "must be the difference of one feature's groups"),
        ("recall_ratio[sex]", "must be the difference"),
        ("recall_difference[shoe]", "'shoe' is no sensitive feature"),
    ):
        with pytest.raises(InputError, match=said):
            audit_given(unfair(400), settings={"slice_by": (wanted,)})
