"""The audit of disclosure: what it states, whom of, and what a policy makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.records import to_plain
from evenhand.report.rendering import render
from evenhand.report.suppression import suppressed

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.findings import AuditRecord

ASKED = ["race", "sex", "married"]


def score(table: pd.DataFrame) -> np.ndarray:
    return (table["appinc"].to_numpy() % 7) / 7


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return eh.load_loanapp().table


def audited(table: pd.DataFrame, **more: object) -> AuditRecord:
    roles = {"label": "approve", "sensitive_features": ["race", "sex"]}
    return eh.audit(score, table, audits=["disclosure"], **{**roles, **more})  # type: ignore[arg-type]


def test_a_planted_unique_person_is_counted_and_in_her_group(loans: pd.DataFrame) -> None:
    """Without the plant, no row is alone; with it one is, and of her group alone the share rises."""
    before = audited(loans, quasi_identifiers=["sex", "married"])
    assert before["unique_share"].estimate == 0 and before["k_anonymity"].estimate > 50  # type: ignore[operator]
    planted = loans.copy()
    at = int(np.flatnonzero(planted["race"] == "hispanic")[0])
    planted["married"] = planted["married"].astype(object)
    planted.iloc[at, planted.columns.get_loc("married")] = "widowed"  # type: ignore[index]
    record = audited(planted, quasi_identifiers=["sex", "married"])
    assert record["k_anonymity"].estimate == 1
    assert record["unique_share"].estimate == pytest.approx(1 / len(planted))
    assert record["unique_share[race=hispanic]"].estimate == pytest.approx(1 / (planted["race"] == "hispanic").sum())
    assert record["unique_share[race=white]"].estimate == 0
    assert [part.group for part in record["unique_share_difference[race]"].groups][-1] == "hispanic"
    assert record["l_diversity[approve]"].estimate == 1


def test_rows_of_the_fit_are_counted_apart(loans: pd.DataFrame) -> None:
    record = audited(loans.iloc[1000:], members=loans.iloc[:1000], quasi_identifiers=ASKED)
    assert record["k_anonymity[;of=members]"].support == 1000
    assert record["k_anonymity"].support == len(loans) - 1000
    assert record["small_class_share[race=black;of=members]"].support == int((loans["race"][:1000] == "black").sum())


def test_a_policy_can_limit_it(loans: pd.DataFrame) -> None:
    record = audited(loans, quasi_identifiers=[*ASKED, "appinc"])
    policy = eh.load_policy({"limits": {
        "k_anonymity": {"at_least": 5}, "unique_share[race=*]": {"at_most": 0.3},
        "personal_data_columns": {"at_most": 0},
        "unique_share_difference[sex]": {"at_most": 0.1},
    }})  # fmt: skip
    status = {str(j.key): j.status for j in eh.judge(record, policy).judgements}
    assert status == {
        "k_anonymity": "failed", "unique_share[race=black]": "failed", "unique_share[race=hispanic]": "failed",
        "unique_share[race=white]": "passed",
        "personal_data_columns": "passed", "unique_share_difference[sex]": "failed",
    }  # fmt: skip


def test_columns_are_named_and_no_value_is_in_record_or_page(loans: pd.DataFrame) -> None:
    table = loans.assign(contact=[f"canary{at}@example.org" for at in range(len(loans))])
    record = audited(table, quasi_identifiers=ASKED)
    assert record["personal_values[contact;kind=email]"].estimate == len(table)
    assert "canary" not in str(to_plain(record))
    page = render(record)
    assert "canary" not in page and "contact" in page and "mail addresses" in page


def test_the_page_names_what_is_unique_and_a_public_copy_withholds_few(loans: pd.DataFrame) -> None:
    record = audited(loans, quasi_identifiers=ASKED)
    page = render(record)
    assert "are unique in the quasi-identifiers" in page and 'id="disclosure"' in page
    assert record["unique_share"].estimate == 0
    assert suppressed(record, 10)["unique_share"].withheld, "that nobody is unique counts nobody"


def test_nothing_is_said_where_nobody_asked_and_a_wrong_name_is_refused(loans: pd.DataFrame) -> None:
    few = loans.iloc[:150][["approve", "sex", "race", "appinc"]]
    plain = eh.audit(score, few, label="approve", sensitive_features=["sex"], explain=False, footprint=False)
    assert not plain.of_audit("disclosure") and 'id="disclosure"' not in render(plain)
    with pytest.raises(InputError, match="columns that are not there: salary"):
        audited(loans, quasi_identifiers=["race", "salary"])
