"""Names for coded values: shown everywhere in place of the code, on record, and wrong ones are told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data import evaluation_set_from_arrays
from evenhand.errors import InputError

NAMES = {"RAC1P": {3: "Alaska Native", 1: "White"}}
ROLES: dict[str, Any] = {"label": "y", "sensitive_features": ["RAC1P", "age"], "bins": {"age": [30, 60]}}


def coded() -> pd.DataFrame:
    at = np.arange(240)
    return pd.DataFrame({"RAC1P": at % 3 + 1.0, "age": at % 80, "income": at, "y": at // 2 % 2})


def test_groups_are_called_by_their_names_in_the_order_of_the_values() -> None:
    data = eh.read_evaluation_set(coded(), **ROLES, value_labels=NAMES)
    assert data.grouping("RAC1P").names == ("White", "2", "Alaska Native")
    plain = eh.read_evaluation_set(coded(), **ROLES)
    assert (data.grouping("RAC1P").codes == plain.grouping("RAC1P").codes).all()
    assert data.table["RAC1P"].equals(plain.table["RAC1P"]), "a model reads the codes"
    assert "RAC1P=Alaska Native, age=<30" in data.grouping("RAC1P", "age").names
    assert evaluation_set_from_arrays(
        coded()["y"], sensitive_features=coded()[["RAC1P"]], value_labels=NAMES
    ).grouping("RAC1P").names == ("White", "2", "Alaska Native")  # fmt: skip


def test_names_and_edges_are_on_record_and_in_its_digest() -> None:
    from evenhand.records import digest

    named = eh.audit_predictions(
        coded()["y"], coded()["y"], sensitive_features=coded()[["RAC1P", "age"]], bins=ROLES["bins"], value_labels=NAMES
    )
    assert named.provenance["data"]["roles"]["value_labels"] == {"RAC1P": {"3": "Alaska Native", "1": "White"}}
    assert named.provenance["data"]["bins"] == {"age": [30, 60]}
    assert named["recall[RAC1P=Alaska Native]"].support == 40
    bare = eh.audit_predictions(
        coded()["y"], coded()["y"], sensitive_features=coded()[["RAC1P", "age"]], bins=ROLES["bins"]
    )
    assert digest(named) != digest(bare)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"RAC1P": {4: "Asian"}}, "no row has the value '4'; there are '1', '2', '3'. Leave it out."),
        ({"RAC1P": {1: "White", 2: "White"}}, "the values '1', '2' are all called 'White'"),
        ({"RAC1P": {1: "2"}}, "the values '1', '2' are all called '2'"),
        ({"RACP1": {1: "White"}}, "no sensitive or control feature. Did you mean 'RAC1P'?"),
        ({"income": {1: "poor"}}, "no sensitive or control feature."),
        ({"RAC1P": {1: " "}}, "is called ' ', which is no name"),
        ({"RAC1P": "White"}, "takes {column: {value: name}}"),
        ({"RAC1P": {1: 5}}, "takes {column: {value: name}}"),
        ({"age": {"<20": "young"}}, "there are '<30', '30-59', '>=60'"),
    ],
)
def test_wrong_names_are_told(names: Any, told: str) -> None:
    with pytest.raises(InputError) as wrong:
        eh.read_evaluation_set(coded(), **ROLES, value_labels=names)
    assert told in str(wrong.value)
    assert "value_labels=" in str(wrong.value)


def test_a_set_of_the_same_roles_may_lack_a_value_that_has_a_name() -> None:
    whole = eh.read_evaluation_set(coded(), **ROLES, value_labels=NAMES)
    part = eh.read_evaluation_set(coded()[lambda table: table["RAC1P"] < 3], like=whole)
    assert part.grouping("RAC1P").names == ("White", "2")
    assert part.roles.value_labels == {"RAC1P": {"1": "White"}}
