"""A planted harm: pruning costs a rare group what the average hides; the gate sees it, and balanced tuning mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.compression import NeuronPruning, compress
from evenhand.data import read_evaluation_set
from evenhand.training import NetworkModel, TrainingConfig, fit

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.subjects import Subject

torch.set_num_threads(1)

OVERALL = {"accuracy_change[;of=original]": {"at_least": -0.02}}
EACH = {"recall_change[group=*;of=original]": {"at_least": -0.05}}


def people(n: int, seed: int, rare: float = 0.05) -> EvaluationSet:
    """Two groups whose truth turns on different columns; of one there are few."""
    rng = np.random.default_rng(seed)
    few, X = rng.random(n) < rare, rng.normal(size=(n, 8))
    common = X[:, 0] + 0.8 * X[:, 1] - 0.6 * X[:, 2]
    own = 1.5 * np.sin(2 * X[:, 3]) + X[:, 4] * X[:, 5]
    table = pd.DataFrame(X, columns=[f"x{at}" for at in range(8)])
    table["kind"] = few.astype(int)
    table["group"] = np.where(few, "rare", "common")
    table["y"] = (np.where(few, own, common) + 0.3 * rng.normal(size=n) > 0).astype(int)
    return read_evaluation_set(table, label="y", positive=1, sensitive_features="group")


@pytest.fixture(scope="module")
def parts() -> dict[str, EvaluationSet]:
    return {"train": people(8000, 0), "validation": people(3000, 1), "test": people(8000, 2, rare=0.2)}


@pytest.fixture(scope="module")
def original(parts: dict[str, EvaluationSet]) -> NetworkModel:
    config = TrainingConfig(hidden=(64, 32), epochs=40, seed=0, dropout=0.0, threshold=0.5)
    return fit(parts["train"], parts["validation"], config)


def verdict(
    small: Subject, original: Subject, parts: dict[str, EvaluationSet], limits: dict[str, dict[str, float]]
) -> eh.Verdict:
    record = eh.audit(small, parts["test"], original=original, audits=["compression"], footprint=False)
    return eh.judge(record, eh.load_policy({"limits": limits}))


def test_the_average_hides_what_the_group_limit_finds(original: NetworkModel, parts: dict[str, EvaluationSet]) -> None:
    """Fine-tuned like everybody does it: overall accuracy stays, and the rare group loses five points and more."""
    small = compress(original, NeuronPruning(0.5), train=parts["train"], validation=parts["validation"])
    assert verdict(small, original, parts, OVERALL).status == "passed"
    found = verdict(small, original, parts, EACH)
    status = {judgement.key.group[0][1]: judgement.status for judgement in found.judgements}
    assert status == {"rare": "failed", "common": "passed"}
    assert found.exit_code == 1


def test_fine_tuning_that_weighs_groups_alike_mends_it(original: NetworkModel, parts: dict[str, EvaluationSet]) -> None:
    small = compress(
        original, NeuronPruning(0.5), train=parts["train"], validation=parts["validation"], balance="group"
    )
    assert verdict(small, original, parts, {**OVERALL, **EACH}).status == "passed"


def test_without_any_tuning_the_rare_group_pays_for_all(
    original: NetworkModel, parts: dict[str, EvaluationSet]
) -> None:
    small = compress(original, NeuronPruning(0.5, epochs=0), train=parts["train"])
    record = eh.audit(small, parts["test"], original=original, audits=["compression"], footprint=False)
    rare, common = (record[f"accuracy_change[group={group};of=original]"] for group in ("rare", "common"))
    assert rare.interval is not None
    assert common.interval is not None
    assert (rare.interval.high or 0) < -0.02
    assert (common.interval.low or 0) > -0.01
    assert (record["accuracy_change[;of=original]"].estimate or 0) > -0.015


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


@pytest.mark.parametrize("seed", [0, 1])
def test_a_class_kept_at_a_twentieth_of_its_rows_pays_for_all(seed: int) -> None:
    """It loses 5 to 20 points of recall where accuracy loses 0.6 to 2.5; its limit fails, balanced tuning mends it."""
    train, test = blobs(12_000, 0, kept=0.05), blobs(6_000, 2)
    config = TrainingConfig(hidden=(64, 32), epochs=15, seed=seed, dropout=0.0, batch_size=128)
    full = fit(train, config=config)
    settings = {"audits": ["compression"], "footprint": False, "explain": False}
    small = [compress(full, NeuronPruning(0.55, epochs=1), train=train, balance=how) for how in (None, "group")]
    records = [eh.audit(each, test, original=full, **settings) for each in small]  # type: ignore[arg-type]
    overall, rare = (records[0][key].estimate or 0.0 for key in ("accuracy_change[;of=original]", RARE_CLASS))
    assert -0.025 <= overall <= -0.006
    assert -0.20 <= rare <= -0.05
    hides = eh.load_policy({"limits": {"accuracy_change[;of=original]": {"at_least": -0.03}}})
    finds = eh.load_policy({"limits": {RARE_CLASS: {"at_least": -0.03}}})
    assert [eh.judge(records[0], policy).status for policy in (hides, finds)] == ["passed", "failed"]
    assert [eh.judge(records[1], policy).status for policy in (hides, finds)] == ["passed", "passed"]
    normalized = records[0]["normalized_recall_change[;class=c9;of=original]"]
    assert normalized.interval is not None
    assert (normalized.interval.high or 0.0) < 0
