"""Rows, options and models that make no sense to a probe: a reason or a sentence, never a wrong number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError, ModelError

pytest.importorskip("sklearn")


def rows(seed: int, n: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    income, sex = rng.normal(50, 10, n).round(2), rng.choice(["f", "m"], n)
    y = (income + rng.normal(0, 8, n) > 50).astype(int)
    return pd.DataFrame({"income": income, "age": rng.integers(18, 80, n), "sex": sex, "y": y})


FITTED, OTHERS = rows(1), rows(2)
ROLES: dict[str, Any] = {"label": "y", "sensitive_features": ["sex"]}


def model(table: pd.DataFrame) -> Any:
    known = table["income"].fillna(50).to_numpy(dtype=np.float64)
    return 1 / (1 + np.exp(-(np.clip(known, -1e3, 1e3) - 50) / 8))


def audited(name: str, data: pd.DataFrame = OTHERS, **more: Any) -> eh.AuditRecord:
    return eh.audit(model, data, audits=[name], **{**ROLES, **more})


@pytest.mark.parametrize("absent", ["y", "sex"])
def test_members_without_a_label_or_a_group_give_no_gap(absent: str) -> None:
    """Their truth was taken to be 0 everywhere, and the gap was -0.25."""
    record = audited("generalization", members=FITTED.drop(columns=absent))
    assert not [f for f in record.findings if f.key.metric.startswith("generalization_gap")]
    bound = audited("differential_privacy", claimed_epsilon=1.0, member_column="was_in",
                    members=FITTED.assign(was_in=np.arange(240) % 2).drop(columns=absent))  # fmt: skip
    assert "lack the label" in str(bound["epsilon_lower_bound"].undefined)


@pytest.mark.parametrize("role", ["sample_weight", "cluster", "id"])
def test_members_without_weights_clusters_or_ids_keep_their_label(role: str) -> None:
    data = OTHERS.assign(other=np.arange(240) + 1.0 if role == "sample_weight" else np.arange(240))
    record = audited("generalization", data, members=FITTED, **{role: "other"})
    assert record["generalization_gap[sex=f;rate=accuracy]"].estimate is not None
    assert abs(record["generalization_gap[;rate=accuracy]"].estimate or 1) < 0.2


def test_a_label_among_rows_of_inputs_alone_is_no_input() -> None:
    """It was corrupted with the inputs, in rows that had none: a KeyError."""
    record = audited("robustness", members=FITTED.drop(columns="sex"), robustness=True)
    assert record["corrupted_flip_rate[;corruption=noise;severity=1]"].estimate is not None


def test_unique_members_without_the_column_of_the_groups() -> None:
    record = audited("disclosure", members=FITTED.drop(columns="sex"), quasi_identifiers=["age"])
    assert record["unique_share[;of=members]"].estimate is not None


def test_a_file_that_cannot_be_read_holds_not_0_personal_data() -> None:
    found = audited("disclosure", searched_files=["/no/such/file"])["personal_data_in_files"]
    assert found.estimate is None
    assert "could not be read" in str(found.undefined)


@pytest.mark.parametrize("extreme", [np.nan, np.inf, 1e308])
def test_effects_of_a_column_of_extreme_numbers(extreme: float) -> None:
    """An average over no place, and a tree in single precision, ended the audit."""
    table = OTHERS.assign(age=np.where(np.arange(240) % 3, extreme, 1.0) if extreme > 0 else np.nan)
    assert audited("dependence", table, explain_rows=60).of_audit("dependence")


def test_synonyms_that_are_no_words() -> None:
    with pytest.raises(InputError, match=r"synonyms: .* a list of words that say the same"):
        audited("robustness", robustness=True, synonyms={"a": 3})


def test_a_reference_model_that_cannot_be_fitted() -> None:
    def never(rows: object, seed: int) -> object:
        raise RuntimeError("no memory")

    with pytest.raises(ModelError, match=r"could not be fitted to \d+ rows: RuntimeError: no memory"):
        audited("membership", members=FITTED, train_fn=never)


def test_a_limit_on_each_group_of_a_record_without_groups_says_so() -> None:
    record = eh.audit_data(OTHERS, label="y", sensitive_features=["sex"])
    verdict = eh.judge(record, eh.load_policy({"limits": {"recall[sex=*]": {"at_least": 0.5}}}))
    assert "No group of sex" in str(verdict.judgements[0].reason)


def test_members_of_a_table_of_counts_count_once() -> None:
    """The provenance looked for their column of counts: a KeyError."""
    record = audited("exposure", OTHERS.assign(n=2), members=FITTED, frequency="n")
    assert record.provenance["members"]["rows"] == len(FITTED)


def test_rows_of_one_cluster_are_not_halved() -> None:
    record = audited("uncertainty", OTHERS.assign(house=1), cluster="house", uncertainty=True)
    assert not [f for f in record.findings if f.key.metric.startswith("recalibrated")]


def test_references_of_enormous_numbers() -> None:
    """Their variance overflowed, and the regression was given NaN."""
    income = np.where(np.arange(240) % 5, FITTED["income"], 1e308)
    record = audited("membership", members=FITTED.assign(income=income))
    assert record["membership_auc"].estimate is not None
