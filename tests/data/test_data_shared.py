"""Well-known data sets read without hand-holding, and give their well-known figures."""

import os
from pathlib import Path

import numpy as np
import pytest

from evenhand.data import read_evaluation_set, split

SHARED = Path(os.environ.get("EVENHAND_SHARED", Path(__file__).parents[3] / "shared")) / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not beside this checkout"),
]

CASES = {
    "adult": (
        "adult/adult_train.csv.gz",
        {"label": "income", "favourable": ">50K", "sensitive_features": ["race", "sex"], "exclude": "fnlwgt"},
        (32561, 0.2408),
    ),
    "compas": (
        "compas/compas-scores-two-years.csv.gz",
        {"label": "two_year_recid", "favourable": "0", "sensitive_features": ["race", "sex"], "score": "decile_score"},
        (7214, 0.4507),
    ),
    "german": (
        "german_credit/german_credit_decoded.csv.gz",
        {
            "label": "class-label",
            "favourable": "1",
            "sensitive_features": ["sex", "age"],
            "bins": {"age": [25, 40, 60]},
        },
        (1000, 0.7),
    ),
    "hmda": (
        "hmda_boston/hmda_aer.csv.gz",
        {"label": "deny", "positive": "yes", "favourable": "no", "sensitive_features": ["afam", "single"]},
        (2380, 0.1197),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_reads_and_splits(name):
    file, roles, (rows, share) = CASES[name]
    data = read_evaluation_set(SHARED / file, **roles)
    assert len(data) == rows
    assert data.y_true.mean() == pytest.approx(share, abs=0.0001)
    parts = split(data)
    assert sum(map(len, parts.values())) == rows
    assert not set(data.roles.sensitive_features) & set(data.features)


def test_propublica_figures_from_the_given_score():
    file, roles, _ = CASES["compas"]
    data = read_evaluation_set(SHARED / file, **roles)
    groups, high = data.grouping("race"), data.table["decile_score"].to_numpy() >= 5
    for race, false_positive, false_negative in (("African-American", 44.85, 27.99), ("Caucasian", 23.45, 47.72)):
        rows = groups.codes == groups.names.index(race)
        negative, positive = rows & (data.y_true == 0), rows & (data.y_true == 1)
        assert round(100 * np.mean(high[negative]), 2) == false_positive
        assert round(100 * np.mean(~high[positive]), 2) == false_negative
