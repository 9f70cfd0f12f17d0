"""What each act of a compression did, told apart: the changes add up, and limits may be set on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.compression import Int8, NeuronPruning, compress
from evenhand.keys import Key
from evenhand.training import TrainingConfig, fit
from evenhand.training.stages import Stages

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.compression import CompressedModel
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord
    from evenhand.training import NetworkModel

torch.set_num_threads(1)
RATES = ("accuracy", "recall", "false_positive_rate", "selection_rate")


def people(n: int, seed: int) -> EvaluationSet:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    table = pd.DataFrame(X, columns=list("pqrs"))
    table["group"] = np.where(rng.random(n) < 0.3, "b", "a")
    table["y"] = (X[:, 0] + np.where(table["group"] == "b", X[:, 1], X[:, 2]) + rng.normal(size=n) > 1).astype(int)
    return eh.read_evaluation_set(table, label="y", positive=1, sensitive_features="group")


TRAIN, TEST = people(1200, 0), people(1500, 1)


def audited(small: NetworkModel | CompressedModel, full: NetworkModel) -> AuditRecord:
    return eh.audit(small, TEST, original=full, audits=["compression"], footprint=False, explain=False)


@pytest.fixture(scope="module")
def full() -> NetworkModel:
    return fit(TRAIN, config=TrainingConfig(hidden=(8,), epochs=30, seed=1, threshold=0.5))


@pytest.fixture(scope="module")
def small(full: NetworkModel) -> NetworkModel | CompressedModel:
    """Return a model by four acts: its threshold was moved by hand, as if a rule had asked for it."""
    pruned = compress(full, NeuronPruning(0.5, epochs=2), train=TRAIN)
    moved = compress(pruned, Int8(), train=TRAIN)
    tuned = pruned.with_threshold(pruned.threshold, {})  # type: ignore[union-attr]
    other = tuned.with_threshold(pruned.threshold + 0.2, {"rule": "f1", "before": 0.5, "after": 0.7})
    last = compress(other, Int8(), train=TRAIN)
    assert pruned.stages is not None
    assert moved.stages is None
    acts = ("neuron_pruning", "tuning", "threshold", "int8")
    last.stages = Stages(pruned.stages.original, acts, (*pruned.stages.between, tuned, other))
    return last


def test_what_each_act_did_adds_up_to_the_whole_in_every_group(
    full: NetworkModel, small: NetworkModel | CompressedModel
) -> None:
    record = audited(small, full)
    for who in ({}, {"group": "a"}, {"group": "b"}):
        for rate in RATES:
            whole = record[Key.of(f"{rate}_change", who, of="original")].estimate
            parts = [record[Key.of(f"stage_{rate}_change", who, by=by)] for by in small.stages.by]  # type: ignore[union-attr]
            assert sum(part.estimate or 0.0 for part in parts) == pytest.approx(whole, abs=1e-9)
            assert all(part.interval is not None for part in parts)
    threshold = record["stage_selection_rate_change[;by=threshold]"]
    assert threshold.interval is not None
    assert (threshold.interval.high or 0.0) < 0  # a higher threshold selects fewer, and nothing else moved
    assert record["stage_flip_rate[;by=threshold]"].estimate == pytest.approx(-(threshold.estimate or 0.0))


def test_a_limit_may_be_set_on_one_act(full: NetworkModel, small: NetworkModel | CompressedModel) -> None:
    record = audited(small, full)
    keys = ("stage_recall_change[group=*;by=threshold]", "stage_accuracy_change[;by=int8]")
    policy = eh.load_policy({"limits": {keys[0]: {"at_least": -0.02}, keys[1]: {"at_least": -0.05}}})
    by_metric = {each.key.metric: each.status for each in eh.judge(record, policy).judgements}
    assert by_metric == {"stage_recall_change": "failed", "stage_accuracy_change": "passed"}


def test_the_page_has_the_acts_and_says_what_moved_the_threshold(
    full: NetworkModel, small: NetworkModel | CompressedModel, tmp_path: Path
) -> None:
    eh.write_report(tmp_path / "page.html", audited(small, full))
    page = (tmp_path / "page.html").read_text("utf-8")
    for text in ("Which act did it", "neuron pruning", "fine-tuning", "threshold moved", "moved from 0.500 to 0.700"):
        assert text in page


def test_nothing_is_told_apart_against_another_original_or_by_one_act(
    full: NetworkModel, small: NetworkModel | CompressedModel
) -> None:
    other = fit(TRAIN, config=TrainingConfig(hidden=(8,), epochs=1, seed=2))
    assert not [f for f in audited(small, other).findings if f.key.metric.startswith("stage_")]
    plain = compress(full, Int8(), train=TRAIN)
    assert not [f for f in audited(plain, full).findings if f.key.metric.startswith("stage_")]
