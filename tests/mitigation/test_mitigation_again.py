"""Networks made again for a policy: with a penalty, reweighed, resampled, and compressed with groups alike."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.compression import Distillation, Int8, NeuronPruning, compress
from evenhand.compression.networks import without_neurons
from evenhand.compression.recipe import Bench
from evenhand.data import EvaluationSet, read_evaluation_set, split
from evenhand.errors import ModelError
from evenhand.keys import Key
from evenhand.mitigation.again import network_again, recipes, recorded, steps_of
from evenhand.mitigation.candidate import Problem
from evenhand.mitigation.catalogue import MITIGATIONS
from evenhand.policy import load_policy
from evenhand.subjects import as_subject
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from evenhand.subjects import Subject
    from evenhand.training import NetworkModel

torch.set_num_threads(1)
QUICK = TrainingConfig(epochs=10, hidden=(16,), seed=3, learning_rate=1e-2, baseline=False)
MADE_AGAIN = ("penalty", "reweighing", "resampling", "balanced_calibration", "kept_channels", "weighted_distillation")


def rows(n: int = 1600, seed: int = 0) -> EvaluationSet:
    """Rows of a rare group that has less of what decides."""
    rng = np.random.default_rng(seed)
    few = rng.random(n) < 0.2
    x = rng.normal(size=(n, 3)) - 1.5 * few[:, None] * np.array([1.0, 0.5, 0.0])
    label = (x[:, 0] + 0.5 * x[:, 2] + rng.normal(scale=0.6, size=n) > 0).astype(int)
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(
        group=np.where(few, "few", "most"), other=rng.choice(["u", "v"], n), label=label
    )
    return read_evaluation_set(table, label="label", sensitive_features=["group", "other"])


@pytest.fixture(scope="module")
def parts() -> dict[str, EvaluationSet]:
    return split(rows(), {"train": 0.6, "fit": 0.4}, seed=0)


@pytest.fixture(scope="module")
def model(parts: dict[str, EvaluationSet]) -> NetworkModel:
    return fit(parts["train"], config=QUICK, name="credit")


def problem_of(model: Subject, parts: dict[str, EvaluationSet], limit: str = "selection_rate_difference") -> Problem:
    policy = load_policy({"limits": {f"{limit}[group]": {"at_most": 0.05}}})
    wanted = tuple((each, each.key) for each in policy.limits)
    return Problem(model, parts["fit"], policy, Key.parse("accuracy"), 0, parts["train"], wanted)


def made(problem: Problem, kind: str, seed: int = 0) -> dict[str, Subject]:
    proposed = [*MITIGATIONS[kind].propose(problem)]
    assert len({each.name for each in proposed}) == len(proposed)
    assert all(each.trains and each.method == kind and not each.needs_sensitive for each in proposed)
    return {each.name: each.make(problem.training_rows, seed) for each in proposed}


def gap(model: Subject, data: EvaluationSet) -> float:
    score, codes = model.predict(data.table[["a", "b", "c"]]), data.grouping("group").codes
    return float(abs(score[codes == 0].mean() - score[codes == 1].mean()))


@pytest.mark.parametrize("kind", ["penalty", "reweighing", "resampling"])
def test_a_network_made_again_has_a_smaller_gap_and_reads_no_group(
    kind: str, model: NetworkModel, parts: dict[str, EvaluationSet]
) -> None:
    for name, found in made(problem_of(model, parts), kind).items():
        if "weight 3" in name and "weight 30" not in name:
            continue  # the lightest is a step on the way
        least = 0.1 if kind == "penalty" else 0.02
        assert gap(found, parts["train"]) < gap(model, parts["train"]) - least, name
        assert found.facts["features"] == ["a", "b", "c"], name
        assert found.name == name


@pytest.mark.parametrize(
    ("limit", "fairness"),
    [
        ("selection_rate_difference", "demographic_parity"),
        ("recall_difference", "equal_opportunity"),
        ("equalized_odds_difference", "equalized_odds"),
        ("false_positive_rate_difference", "equalized_odds"),
    ],
)
def test_the_penalty_is_on_what_the_policy_limits(
    limit: str, fairness: str, model: NetworkModel, parts: dict[str, EvaluationSet]
) -> None:
    proposed = [*MITIGATIONS["penalty"].propose(problem_of(model, parts, limit))]
    assert {each.settings["fairness"] for each in proposed} == {fairness}
    assert len(proposed) == 3


def test_only_the_features_that_the_policy_names_are_made_alike(
    model: NetworkModel, parts: dict[str, EvaluationSet]
) -> None:
    found = made(problem_of(model, parts), "penalty")
    history = next(iter(found.values())).facts["training"]
    assert history["config"]["fairness"] == "demographic_parity"  # type: ignore[index,call-overload]
    assert "other" not in found.popitem()[1].facts["features"]  # type: ignore[operator]


def test_estimators_of_scikit_learn_are_reweighed_and_resampled(parts: dict[str, EvaluationSet]) -> None:
    from sklearn.linear_model import LogisticRegression

    data = parts["train"]
    estimator = LogisticRegression().fit(data.X.to_numpy(), data.y_true)
    subject = as_subject(estimator, features=["a", "b", "c"], positive=1)
    problem = problem_of(subject, parts)
    for kind in ("reweighing", "resampling"):
        (found,) = made(problem, kind).values()
        assert gap(found, data) < gap(subject, data) - 0.015
    assert not [*MITIGATIONS["penalty"].propose(problem)]


def test_what_has_no_recipe_gets_no_candidates(parts: dict[str, EvaluationSet]) -> None:
    problem = problem_of(as_subject(lambda X: 1 / (1 + np.exp(-X["a"])), features=["a"]), parts)
    for kind in ("penalty", "resampling", "balanced_calibration", "kept_channels", "weighted_distillation"):
        assert not [*MITIGATIONS[kind].propose(problem)], kind


def test_a_network_made_again_without_changes_on_its_own_rows_is_the_same(
    model: NetworkModel, parts: dict[str, EvaluationSet]
) -> None:
    again = network_again(problem_of(model, parts), parts["train"], 0, "again")
    assert np.array_equal(again.predict(parts["fit"].X), model.predict(parts["fit"].X))


@pytest.fixture(scope="module")
def small(model: NetworkModel, parts: dict[str, EvaluationSet]) -> Subject:
    steps = [NeuronPruning(0.25, epochs=2), Int8(calibration_rows=256)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so small a network becomes no smaller
        return compress(model, steps, train=parts["train"], seed=1)


def test_a_compressed_model_says_its_steps_and_they_are_had_again(small: Subject) -> None:
    known = recorded(small)
    assert known is not None
    assert recipes(known) == [NeuronPruning(0.25, epochs=2), Int8(calibration_rows=256)]


def test_a_step_that_the_file_does_not_tell_all_of_is_refused(
    model: NetworkModel, parts: dict[str, EvaluationSet]
) -> None:
    plan = model.plan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        taught = compress(model, Distillation(student=plan, epochs=1), train=parts["train"])
    problem = problem_of(taught, parts)
    with pytest.raises(ModelError, match="does not say all about its step 'distillation'"):
        made(problem, "weighted_distillation")


@pytest.mark.parametrize("kind", ["balanced_calibration", "kept_channels", "weighted_distillation"])
def test_a_compressed_model_is_compressed_again(kind: str, small: Subject, parts: dict[str, EvaluationSet]) -> None:
    ((name, found),) = made(problem_of(small, parts), kind).items()
    assert [step["recipe"] for step in steps_of(problem_of(found, parts))] == ["neuron_pruning", "int8"]
    assert found.facts["kind"] == "onnx"
    decided = [model.predict(parts["fit"].X) >= model.threshold for model in (small, found)]
    assert (decided[0] == decided[1]).mean() > 0.75, name


def test_a_compressed_model_opened_from_its_file_is_made_again(
    small: Subject, parts: dict[str, EvaluationSet], tmp_path: object
) -> None:
    small.save(f"{tmp_path}/small.onnx")  # type: ignore[attr-defined]
    opened = eh.open_model(f"{tmp_path}/small.onnx")
    kinds = {kind: len([*MITIGATIONS[kind].propose(problem_of(opened, parts))]) for kind in MADE_AGAIN}
    assert kinds == dict(zip(MADE_AGAIN, (3, 1, 1, 1, 1, 1), strict=True))


def test_calibration_rows_have_as_many_of_each_group_as_can_be(parts: dict[str, EvaluationSet]) -> None:
    data = parts["train"]
    codes = data.grouping("group").codes
    usual, alike = (Bench(data, seed=2, balance=balance).positions(100) for balance in (None, ("group",)))
    assert np.bincount(codes[alike]).tolist() == [50, 50]
    assert np.bincount(codes[usual])[0] < 35
    assert len(np.unique(alike)) == 100
    few = int((codes == 0).sum())
    assert np.bincount(codes[Bench(data, balance=("group",)).positions(2 * few + 40)]).tolist() == [few, few + 40]


def test_a_neuron_that_one_group_alone_needs_is_kept() -> None:
    """One neuron is alive in a rare group only: to all rows together it matters least."""
    network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(3))
        network[0].bias.copy_(torch.tensor([3.0, 3.0, 0.0]))
        network[2].weight.copy_(torch.tensor([[1.0, 0.9, 1.0]]))
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=400), rng.normal(size=400), -np.ones(400)]).astype(np.float32)
    codes = np.zeros(400, dtype=np.int32)
    codes[:20], x[:20, 2], x[:20, :2] = 1, rng.normal(1, 2, 20), x[:20, :2] * 0.1
    left = [without_neurons(network, 0.4, x, groups)[0].weight for groups in (None, codes)]
    assert left[0][:, 2].abs().sum() == 0
    assert left[1][:, 2].abs().sum() == 1


def test_neurons_by_group_need_groups(model: NetworkModel, parts: dict[str, EvaluationSet]) -> None:
    with pytest.raises(ModelError, match="balance="):
        compress(model, NeuronPruning(0.5, by_group=True), train=parts["train"])
