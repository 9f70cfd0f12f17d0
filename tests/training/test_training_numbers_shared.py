"""Numbers of known data sets: a network is as good as a ridge regression, and the known gap is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import evenhand as eh
from evenhand.training import NetworkModel, TrainingConfig, fit

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)
pytestmark = [pytest.mark.shared, pytest.mark.slow]


def beside_ridge(data: EvaluationSet, alpha: float) -> tuple[NetworkModel, EvaluationSet, float, float]:
    """Return a network, the test rows, and R2 of the network and of a ridge regression on the same rows."""
    parts = eh.split(data, {"train": 0.7, "test": 0.3}, seed=0)
    train, test = parts["train"], parts["test"]
    line = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), Ridge(alpha)).fit(train.X, train.y_true)
    network = fit(train, config=TrainingConfig(seed=0))
    own, other = (
        float(1 - ((said - test.y_true) ** 2).mean() / test.y_true.var())
        for said in (network.predict(test.X), line.predict(test.X))
    )
    return network, test, own, other


def test_admissions_by_entrance_exams(shared: Path) -> None:
    """Without the gender, grades of women are predicted too low and those of men too high."""
    table = pd.read_csv(shared / "ufrgs_admissions" / "ufrgs_admissions.csv.gz")
    data = eh.read_evaluation_set(
        table, label="gpa", task="regression", sensitive_features="gender", codes="gender", name="admissions"
    )
    network, test, own, ridge = beside_ridge(data, 1.0)
    assert own > ridge - 0.005, f"R2 {own:.3f}, ridge {ridge:.3f}"
    record = eh.audit(network, test, explain=False, footprint=False)
    women, men = (record[f"mean_residual[gender={code}]"].interval for code in (0, 1))
    assert women is not None and women.high is not None and women.high < -0.05
    assert men is not None and men.low is not None and men.low > 0.05


def test_crime_in_communities(shared: Path) -> None:
    table = pd.read_csv(shared / "communities_crime" / "communities_crime.csv.gz")
    table = table.drop(columns=["state", "county", "community", "communityname", "fold"])
    table = table.loc[:, table.isna().mean() < 0.5].copy()
    table["black"] = np.where(table["racepctblack"] > table["racepctblack"].median(), "more", "less")
    data = eh.read_evaluation_set(
        table, label="ViolentCrimesPerPop", task="regression", sensitive_features="black", name="communities"
    )
    network, test, own, ridge = beside_ridge(data, 10.0)
    assert own > ridge - 0.03, f"R2 {own:.3f}, ridge {ridge:.3f}"
    record = eh.audit(network, test, explain=False, footprint=False)
    gap = record["mean_absolute_error_difference[black]"].interval
    assert gap is not None and gap.low is not None and gap.low > 0, "errors are greater where crime is"
