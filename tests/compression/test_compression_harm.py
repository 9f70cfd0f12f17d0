"""A planted harm: pruning costs a rare group what the average hides; its limit finds it, balanced tuning mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.compression import NeuronPruning, compress
from evenhand.data import read_evaluation_set
from evenhand.training import Preprocessing, TrainingConfig, fit, given_model

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.training import NetworkModel

torch.set_num_threads(1)

ALLOWED = {"at_least": -0.05}


def people(n: int, seed: int) -> EvaluationSet:
    """Return two groups, one of a twentieth of the rows; each has its label from a column of its own."""
    rng = np.random.default_rng(seed)
    rare, x, z = rng.random(n) < 0.05, rng.normal(size=n), rng.normal(size=n)
    table = pd.DataFrame({"x": x, "z": z, "kind": np.where(rare, "b", "a"), "group": np.where(rare, "rare", "common")})
    table["y"] = (np.where(rare, z, x) > 0).astype(int)
    return read_evaluation_set(table, label="y", positive=1, sensitive_features="group")


def planted(train: EvaluationSet) -> NetworkModel:
    """Return a network of four neurons: two answer for the common group only, two for the rare one only."""
    preparing = Preprocessing.fit(train.X)
    assert (preparing.features, preparing.widths) == (("x", "z", "kind"), (1, 1, 2))
    first, last = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
    off = -100.0  # silences a neuron on the rows of the other group
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1, 0, 0, off], [-1, 0, 0, off], [0, 1, off, 0], [0, -1, off, 0]]))
        first.bias.zero_()
        last.weight.copy_(torch.tensor([[9.0, -9.0, 9.0, -9.0]]))
        last.bias.fill_(-1.0)  # what is left of a row whose neurons are gone: a clear no
    return given_model(torch.nn.Sequential(first, torch.nn.ReLU(), last), preparing)


def test_the_average_hides_what_the_group_limit_finds() -> None:
    """Nothing is trained: pruning takes the rare group's two neurons, and its recall falls from 0.95 to 0."""
    train, test = people(8000, 0), people(8000, 2)
    original = planted(train)
    small = compress(original, NeuronPruning(0.5, epochs=0), train=train)
    record = eh.audit(small, test, original=original, audits=["compression"], footprint=False)
    policies = [
        eh.load_policy({"limits": {key: ALLOWED}})
        for key in ("accuracy_change[;of=original]", "recall_change[group=*;of=original]")
    ]
    average, found = (eh.judge(record, policy) for policy in policies)
    assert average.status == "passed"
    assert {each.key.group[0][1]: each.status for each in found.judgements} == {"rare": "failed", "common": "passed"}
    assert found.exit_code == 1
    assert -0.04 < (record["accuracy_change[;of=original]"].estimate or 0.0) < -0.01
    assert (record["recall_change[group=rare;of=original]"].estimate or 0.0) < -0.85
    assert (record["recall_change[group=common;of=original]"].estimate or 1.0) == pytest.approx(0.0, abs=0.03)


CLASSES, COLUMNS = 10, 16
RARE_CLASS = "recall_change[;class=c9;of=original]"


def blobs(n: int, seed: int, kept: float = 1.0) -> EvaluationSet:
    """Ten classes of three clusters each; of the last only a share of its rows is kept."""
    rng = np.random.default_rng(seed)
    centres = 1.7 * np.random.default_rng(99).normal(size=(CLASSES, 3, COLUMNS))
    y, part = rng.integers(0, CLASSES, n), rng.integers(0, 3, n)
    X = centres[y, part] + rng.normal(size=(n, COLUMNS))
    there = (y != CLASSES - 1) | (rng.random(n) < kept)
    table = pd.DataFrame(X[there], columns=[f"x{at}" for at in range(COLUMNS)])
    table["y"] = [f"c{value}" for value in y[there]]
    table["group"] = np.where(table["y"] == "c9", "rare", "common")
    return read_evaluation_set(table, label="y", task="multiclass", sensitive_features="group")


@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_class_kept_at_a_twentieth_of_its_rows_pays_for_all(seed: int) -> None:
    """Fine-tuned as usual, it loses half its recall; balanced fine-tuning mends it.

    Of three seeds its recall changes by -0.51, -0.37 and -0.43, and with balanced fine-tuning by +0.08, +0.17, +0.08;
    accuracy by -0.05 to -0.07, and by -0.01 to -0.04.
    """
    train, test = blobs(12_000, 0, kept=0.05), blobs(6_000, 2)
    config = TrainingConfig(hidden=(64, 32), epochs=15, seed=seed, dropout=0.0, batch_size=128, pieces=0)
    full = fit(train, config=config)
    settings = {"audits": ["compression"], "footprint": False, "explain": False}
    small = [compress(full, NeuronPruning(0.7, epochs=2), train=train, balance=how) for how in (None, "group")]
    records = [eh.audit(each, test, original=full, **settings) for each in small]  # type: ignore[arg-type]
    limits = ("accuracy_change[;of=original]", "accuracy_change[group=common;of=original]", RARE_CLASS)
    hides, common, finds = (eh.load_policy({"limits": {key: {"at_least": -0.2}}}) for key in limits)
    statuses = [[eh.judge(record, each).status for each in (hides, common, finds)] for record in records]
    assert statuses == [["passed", "passed", "failed"], ["passed"] * 3]
    assert (records[0][RARE_CLASS].estimate or 0.0) < (records[1][RARE_CLASS].estimate or -1.0) - 0.3
    normalized = records[0]["normalized_recall_change[;class=c9;of=original]"]
    assert normalized.interval is not None
    assert (normalized.interval.high or 0.0) < 0
