"""Numbers, quantiles and rankings: learnt in their own unit, kept whole by saving and compression, audited as such."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.compression import (
    Distillation,
    HalfPrecision,
    Int8,
    LowRank,
    MagnitudePruning,
    NeuronPruning,
    QuantizationAware,
    agreement,
    compress,
    load_compressed,
)
from evenhand.errors import InputError, ModelError
from evenhand.training import (
    NetworkModel,
    Preprocessing,
    TabularClassifier,
    TabularRegressor,
    Target,
    TrainingConfig,
    fit,
    fit_ensemble,
    given_model,
    load_model,
)
from evenhand.training.lists import in_lists, listed
from evenhand.training.losses import PADDED, rising, steps_of
from evenhand.training.objective import weighted_loss
from evenhand.training.schedule import Schedule

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)
QUICK = TrainingConfig(hidden=(16,), epochs=25, learning_rate=0.02, seed=0, patience=25)
MEAN, SPREAD = 5_000.0, 800.0


def rents(n: int = 600, seed: int = 0) -> pd.DataFrame:
    """Amounts in the thousands that two columns tell, up to noise that is wider in the north."""
    rng = np.random.default_rng(seed)
    size, age = rng.normal(size=n), rng.normal(size=n)
    town = rng.choice(["north", "south"], n)
    noise = rng.normal(size=n) * np.where(town == "north", 300.0, 100.0)
    return pd.DataFrame(
        {"size": size, "age": age, "town": town, "rent": MEAN + SPREAD * size - 300.0 * age + noise}
    )  # fmt: skip


def searches(lists: int = 120, items: int = 8, seed: int = 0) -> pd.DataFrame:
    """Lists whose order one column tells, up to noise; a second is of the whole list and tells nothing of its order."""
    rng = np.random.default_rng(seed)
    n = lists * items
    fit_of, of_list = rng.normal(size=n), np.repeat(rng.normal(size=lists), items)
    worth = np.clip(np.round(1.5 + fit_of + 0.3 * rng.normal(size=n)), 0, 4)
    return pd.DataFrame(
        {
            "match": fit_of, "day": of_list, "search": np.repeat(np.arange(lists), items), "worth": worth,
            "sex": rng.choice(["f", "m"], n),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> EvaluationSet:
    return eh.read_evaluation_set(
        rents(), label="rent", task="regression", sensitive_features="town", use_sensitive=True, name="rents"
    )


@pytest.fixture(scope="module")
def other(rows: EvaluationSet) -> EvaluationSet:
    return eh.read_evaluation_set(rents(600, 1), like=rows, name="other rents")


@pytest.fixture(scope="module")
def model(rows: EvaluationSet) -> NetworkModel:
    return fit(rows, config=QUICK, name="rent")


@pytest.fixture(scope="module")
def banded(rows: EvaluationSet) -> NetworkModel:
    return fit(rows, config=dataclasses.replace(QUICK, quantiles=(0.9, 0.1, 0.5)), name="bands")


@pytest.fixture(scope="module")
def lists() -> EvaluationSet:
    return eh.read_evaluation_set(
        searches(), label="worth", task="ranking", query="search", sensitive_features="sex", name="searches"
    )


@pytest.fixture(scope="module")
def ranked(lists: EvaluationSet) -> NetworkModel:
    return fit(lists, config=dataclasses.replace(QUICK, epochs=6), name="order")


def explained(model: object, data: EvaluationSet) -> float:
    said = model.predict(data.X)  # type: ignore[attr-defined]
    return float(1 - ((said - data.y_true) ** 2).mean() / data.y_true.var())


@pytest.mark.parametrize("loss", ["mse", pytest.param("mae", marks=pytest.mark.slow), "huber"])
def test_numbers_are_learnt_in_their_own_unit(loss: str, rows: EvaluationSet, other: EvaluationSet) -> None:
    made = fit(rows, config=dataclasses.replace(QUICK, loss=loss))  # type: ignore[arg-type]
    assert explained(made, other) > 0.8, "a line explains .93"
    assert abs(made.predict(other.X).mean() - MEAN) < 0.2 * SPREAD
    assert made.task == "regression"
    assert made.history["config"]["loss"] == loss  # type: ignore[index,call-overload]
    assert max(made.history["validation_loss"]) < 20, "in deviations, not in squares of thousands"  # type: ignore[arg-type,type-var,operator]


def test_what_is_saved_predicts_the_same(model: NetworkModel, other: EvaluationSet, tmp_path: Path) -> None:
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(other.X), model.predict(other.X))
    assert again.target == model.target and again.task == "regression"


def test_the_logarithm_is_undone_and_its_mean_is_right(rows: EvaluationSet) -> None:
    table = rents().assign(rent=lambda t: np.exp(0.8 * t["size"] + np.random.default_rng(3).normal(size=len(t))))
    data = eh.read_evaluation_set(table, label="rent", task="regression", name="skewed")
    made = fit(data, config=dataclasses.replace(QUICK, log_target=True))
    said, learnt = made.predict(data.X), made.target
    assert learnt is not None and learnt.logarithm
    assert said.mean() == pytest.approx(data.y_true.mean(), rel=0.1), "without smearing it is a third too low"
    assert learnt.smear > 1.1
    middle = fit(data, config=dataclasses.replace(QUICK, log_target=True, loss="mae"))
    assert middle.target is not None and middle.target.smear == 1.0, "a median needs none"
    below = eh.read_evaluation_set(table.assign(rent=table["rent"] - 5), label="rent", task="regression")
    with pytest.raises(InputError, match="amounts above -1"):
        fit(below, config=dataclasses.replace(QUICK, log_target=True))


def test_quantiles_cover_and_do_not_cross(banded: NetworkModel, other: EvaluationSet) -> None:
    bands = banded.predict_quantiles(other.X)
    assert bands.shape == (600, 3) and (np.diff(bands, axis=1) >= 0).all()
    share = (other.y_true[:, None] <= bands).mean(axis=0)
    assert share == pytest.approx([0.1, 0.5, 0.9], abs=0.1)
    np.testing.assert_array_equal(banded.predict(other.X), bands[:, 1])
    width = bands[:, 2] - bands[:, 0]
    north = (other.table["town"] == "north").to_numpy()
    assert width[north].mean() > 1.1 * width[~north].mean(), "the noise is three times as wide"


def test_a_quantile_is_a_model_to_be_audited(banded: NetworkModel, other: EvaluationSet, tmp_path: Path) -> None:
    upper = banded.at_quantile(0.9)
    upper.save(tmp_path / "upper.safetensors")
    record = eh.audit(load_model(tmp_path / "upper.safetensors"), other, explain=False, footprint=False)
    told = record["quantile_coverage[town=north]"]
    north = (other.table["town"] == "north").to_numpy()
    assert told.estimate == pytest.approx(
        float((other.y_true <= banded.predict_quantiles(other.X)[:, 2])[north].mean())
    )
    with pytest.raises(ModelError, match=r"has no quantile 0.7; it was fitted with quantiles 0.1, 0.5, 0.9"):
        banded.at_quantile(0.7)


def test_no_quantiles(model: NetworkModel, other: EvaluationSet) -> None:
    with pytest.raises(ModelError, match="predicts no quantiles"):
        model.predict_quantiles(other.X)


def test_steps_and_what_they_rise_to() -> None:
    torch.manual_seed(0)
    output = torch.randn(50, 4)
    values = rising(output)
    assert (values.diff(dim=1) > 0).all()
    torch.testing.assert_close(steps_of(values), output, atol=1e-4, rtol=1e-4)
    target = Target(quantiles=(0.1, 0.2, 0.5, 0.9), mean=3.0, deviation=2.0)
    np.testing.assert_allclose(target.values(output.double().numpy()), 3 + 2 * values.numpy(), atol=1e-5)


def of(loss: str, target: Target, output: list[list[float]], told: list[list[float]]) -> float:
    answer = torch.cat([torch.tensor(told), torch.ones(len(told), 1)], dim=1)
    return float(weighted_loss(Schedule(1, loss=loss, target=target))()(torch.tensor(output), answer))  # type: ignore[arg-type]


def test_losses_of_numbers() -> None:
    one = Target()
    assert of("mse", one, [[1.0], [5.0]], [[0.0], [2.0]]) == pytest.approx((1 + 9) / 2)
    assert of("auto", one, [[1.0], [5.0]], [[0.0], [2.0]]) == pytest.approx((1 + 9) / 2)
    assert of("mae", one, [[1.0], [5.0]], [[0.0], [2.0]]) == pytest.approx((1 + 3) / 2)
    assert of("huber", one, [[0.5], [5.0]], [[0.0], [2.0]]) == pytest.approx((0.125 + 2.5) / 2)
    both = Target(quantiles=(0.1, 0.9))
    step = float(torch.nn.functional.softplus(torch.tensor(0.0)))
    wanted = (0.1 * 2 + 0.9 * (2 - step)) / 2
    assert of("auto", both, [[0.0, 0.0]], [[2.0, 2.0]]) == pytest.approx(wanted, rel=1e-5)


def test_losses_of_lists() -> None:
    target, right, wrong = Target("ranking"), [[2.0, 0.0, 9.0]], [[0.0, 2.0, 9.0]]
    told = [[1.0, 0.0, PADDED]]
    for loss in ("listwise", "pairwise"):
        assert of(loss, target, right, told) < of(loss, target, wrong, told)
        assert of(loss, target, right, told) == pytest.approx(of(loss, target, [[2.0, 0.0, -9.0]], told)), "padded"
        assert of(loss, target, right, told) == pytest.approx(float(np.log1p(np.exp(-2.0))), rel=1e-4)


def test_rows_of_a_list_stay_together(lists: EvaluationSet) -> None:
    data = lists.take(np.arange(24))  # three lists
    data = data.take(np.delete(np.arange(24), [1, 2, 3]))
    columns = np.arange(21, dtype=np.float32)[:, None]
    made = in_lists(columns, data, np.ones(21), seed=0)
    assert made.columns.shape == (3, 8, 1) and made.target.shape == (3, 8)
    query = data.table["search"].to_numpy()
    for items, told in zip(np.asarray(made.columns)[:, :, 0].astype(int), made.target, strict=True):
        there = told > PADDED
        assert len(set(query[items])) == 1, "a short list is filled with items of its own"
        assert sorted(items[there]) == np.flatnonzero(query == query[items[0]]).tolist()
        np.testing.assert_array_equal(told[there], data.y_true[items[there]])
    network = torch.nn.Linear(1, 1)
    assert listed(network)(torch.from_numpy(np.asarray(made.columns))).shape == (3, 8)
    parts = eh.split(lists, {"train": 0.7, "test": 0.3})
    assert not set(parts["train"].table["search"]) & set(parts["test"].table["search"])
    with pytest.raises(InputError, match="no list has items of different relevance"):
        in_lists(columns, eh.read_evaluation_set(data.table.assign(worth=1.0), like=data), np.ones(21), seed=0)


@pytest.mark.parametrize("loss", ["listwise", "pairwise"])
def test_an_order_is_learnt(loss: str, lists: EvaluationSet) -> None:
    parts = eh.split(lists, {"train": 0.7, "test": 0.3})
    made = fit(parts["train"], config=dataclasses.replace(QUICK, epochs=6, loss=loss))  # type: ignore[arg-type]
    record = eh.audit(made, parts["test"], explain=False, footprint=False)
    by_chance = eh.audit(
        lambda X: np.random.default_rng(0).random(len(X)), parts["test"], explain=False, footprint=False
    )
    assert record["ndcg"].estimate > by_chance["ndcg"].estimate + 0.1
    assert "generalization_gap[;rate=ndcg]" in record
    assert "exposure_ratio[sex]" in record


RECIPES = {
    "int8": Int8, "half": HalfPrecision, "neurons": lambda: NeuronPruning(0.25, epochs=2),
    "magnitude": lambda: MagnitudePruning(0.3, epochs=2), "low rank": lambda: LowRank(0.6, epochs=2),
    "distilled": lambda: Distillation(hidden=(8,), epochs=30, learning_rate=0.02),
    "aware": lambda: QuantizationAware(epochs=2),
}  # fmt: skip


OFTEN = {("model", "int8"), ("model", "neurons"), ("model", "distilled"), ("banded", "int8"), ("ranked", "neurons")}
CASES = [
    pytest.param(kind, recipe, marks=() if (kind, recipe) in OFTEN else pytest.mark.slow)
    for kind in ("model", "banded", "ranked")
    for recipe in RECIPES
]


@pytest.mark.parametrize(("kind", "recipe"), CASES)
def test_every_recipe_keeps_the_predictions(
    kind: str, recipe: str, request: pytest.FixtureRequest, rows: EvaluationSet, lists: EvaluationSet, tmp_path: Path
) -> None:
    original, data = request.getfixturevalue(kind), lists if kind == "ranked" else rows
    small = compress(original, RECIPES[recipe](), train=data)
    found = agreement(original, small, data.X)
    assert found.share > 0.8 and found.task == original.task
    place = tmp_path / ("m.safetensors" if isinstance(small, NetworkModel) else "m.onnx")
    small.save(place)
    again = load_model(place) if isinstance(small, NetworkModel) else load_compressed(place, isolate=False)
    np.testing.assert_array_equal(again.predict(data.X), small.predict(data.X))
    if kind == "banded":
        assert (np.diff(again.predict_quantiles(data.X), axis=1) >= 0).all()


def test_agreement_in_units_of_the_label(model: NetworkModel, rows: EvaluationSet) -> None:
    from evenhand.subjects import as_subject

    class Higher:
        name, threshold, score_kind, facts, task = "higher", 0.5, "label", {}, "regression"

        def predict(self, batch: pd.DataFrame) -> object:
            return model.predict(batch) + 40.0

    found = agreement(model, as_subject(Higher()), rows.X)
    assert (found.mean_difference, found.largest_difference) == pytest.approx((40.0, 40.0))
    assert found.share == pytest.approx(1 - 40.0**2 / model.predict(rows.X).var())
    assert "numbers differ by 40 on average and at most 40" in found.words


def test_a_step_that_breaks_the_predictions_is_refused(model: NetworkModel, rows: EvaluationSet) -> None:
    with pytest.raises(ModelError, match=r"predicts as the original, R2 0.*counts as failed"):
        compress(model, MagnitudePruning(0.99, epochs=0), train=rows)


def test_who_is_predicted_worse_after_compression(
    model: NetworkModel, rows: EvaluationSet, other: EvaluationSet
) -> None:
    small = compress(model, NeuronPruning(0.5, epochs=0), train=rows)
    record = eh.audit(small, other, original=model, explain=False, footprint=False)
    old, new = model.predict(other.X), small.predict(other.X)
    north = (other.table["town"] == "north").to_numpy()
    worse = np.abs(new - other.y_true) - np.abs(old - other.y_true)
    told = record["mean_absolute_error_change[town=north;of=original]"]
    assert told.estimate == pytest.approx(worse[north].mean())
    assert told.interval is not None and told.interval.low < told.estimate < told.interval.high
    assert record["prediction_distance[;of=original]"].estimate == pytest.approx(np.abs(new - old).mean())
    assert record["mean_prediction_change[;of=original]"].estimate == pytest.approx((new - old).mean())
    page = eh.render(record)
    assert "Mean absolute error change" in page and "Loss by epoch" in page


def test_overfitting_of_numbers_is_stated() -> None:
    chance = [rents(n, seed).assign(rent=np.random.default_rng(seed).normal(size=n)) for n, seed in ((60, 0), (400, 1))]
    few, others = (eh.read_evaluation_set(table, label="rent", task="regression", name="chance") for table in chance)
    config = dataclasses.replace(QUICK, hidden=(128,), epochs=60, patience=60, dropout=0.0, weight_decay=0.0)
    record = eh.audit(fit(few, few, config), others, explain=False, footprint=False)
    gap = record["generalization_gap[;rate=r2]"]
    assert gap.estimate == pytest.approx(record["r2[;of=train]"].estimate - record["r2"].estimate)
    assert gap.interval is not None and gap.interval.low is not None and gap.interval.low > 0
    assert "overfitted" in gap.note


def test_changed_places(ranked: NetworkModel, lists: EvaluationSet) -> None:
    small = compress(ranked, NeuronPruning(0.5, epochs=0), train=lists)
    record = eh.audit(small, lists, original=ranked, explain=False, footprint=False)
    change = record["ndcg_change[;of=original]"].estimate
    assert change == pytest.approx(record["ndcg"].estimate - eh.audit(ranked, lists, explain=False)["ndcg"].estimate)
    assert record["exposure_change[;of=original]"].estimate == pytest.approx(0.0, abs=1e-12)
    assert "exposure_change[sex=f;of=original]" in record


def test_an_ensemble_of_numbers_and_of_quantiles(rows: EvaluationSet, other: EvaluationSet, tmp_path: Path) -> None:
    config = dataclasses.replace(QUICK, epochs=4)
    for settings in ({}, {"quantiles": (0.1, 0.9)}):
        many = fit_ensemble(rows, config=dataclasses.replace(config, **settings), members=2)  # type: ignore[arg-type]
        prepared = torch.from_numpy(many.prepare(other.X))
        with torch.no_grad():
            each = [member(prepared).reshape(len(prepared), -1).double().numpy() for member in many.network.members]  # type: ignore[union-attr,operator]
        assert many.target is not None
        mean = np.mean([many.target.values(raw).reshape(len(raw), -1) for raw in each], axis=0)
        place = np.argmin(np.abs(mean - many.predict(other.X)[:, None]).mean(axis=0))
        np.testing.assert_allclose(many.predict(other.X), mean[:, place], atol=0.5)
        many.save(tmp_path / "m.safetensors")
        np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").predict(other.X), many.predict(other.X))


def test_a_network_of_ones_own_for_numbers(rows: EvaluationSet, other: EvaluationSet) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    made = given_model(network, Preprocessing.fit(rows.X), target=Target(mean=MEAN, deviation=SPREAD), name="own")
    raw = network(torch.from_numpy(made.prepare(other.X))).detach().double().numpy()[:, 0]
    np.testing.assert_allclose(made.predict(other.X), MEAN + SPREAD * raw, rtol=1e-5)
    record = eh.audit(made, other, explain=False, footprint=False)
    assert record["mean_prediction"].estimate == pytest.approx(made.predict(other.X).mean())
    with pytest.raises(ModelError, match="gives 1 logits a row, not 2"):
        given_model(network, Preprocessing.fit(rows.X), target=Target(quantiles=(0.1, 0.9)))


def test_scikit_learns_words() -> None:
    from sklearn.model_selection import GridSearchCV

    table = rents(300)
    X, y = table[["size", "age"]], table["rent"]
    search = GridSearchCV(TabularRegressor(epochs=8, learning_rate=0.05), {"hidden": [(8,), (4,)]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.5, "R2 of scikit-learn's regressors"
    assert set(search.best_params_) == {"hidden"}
    kinds = pd.cut(y, 3, labels=["low", "middle", "high"]).astype(str)
    several = TabularClassifier(epochs=8, learning_rate=0.05, hidden=(8,)).fit(X, kinds)
    assert several.predict_proba(X).shape == (300, 3)
    assert (several.predict(X) == kinds).mean() > 0.6


@pytest.mark.parametrize("kind", ["rows", "lists"])
def test_a_search_of_numbers(kind: str, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("optuna")
    from evenhand.training import tune

    data = request.getfixturevalue(kind).take(np.arange(320))
    found = tune(data, trials=2, folds=2, config=dataclasses.replace(QUICK, epochs=2), space={"hidden": ((4,), (8,))})
    assert 0 < found.loss < 1.5 and len(found.trials) == 2


def test_from_a_table_to_a_verdict_by_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rents(300).to_csv(tmp_path / "rents.csv", index=False)
    (tmp_path / "policy.toml").write_text('[limits."mean_absolute_error"]\nat_most = 5000\n', encoding="utf-8")
    roles = ["--label", "rent", "--task", "regression", "--sensitive", "town"]
    model, test, record = (str(tmp_path / name) for name in ("m.safetensors", "test.csv", "audit.json"))
    fitting = ["--epochs", "3", "--quantiles", "0.1,0.5,0.9", "--test-output", test, "-o", model]
    assert exit_code(["train", str(tmp_path / "rents.csv"), *roles, *fitting]) == 0
    assert "predicts numbers, R2" in capsys.readouterr().err
    assert exit_code(["audit", test, "--model", model, *roles, "-o", record, "--no-explain"]) == 0
    assert exit_code(["gate", record, "--policy", str(tmp_path / "policy.toml")]) == 0


SENSELESS: dict[str, tuple[dict[str, object], str]] = {
    "loss": ({"loss": "cross_entropy"}, "for it are mse, mae, huber, pinball"),
    "classes": ({"class_weight": "balanced"}, "class_weight= is about classes"),
    "threshold": ({"threshold": 0.4}, "threshold= is about classes"),
    "smoothing": ({"label_smoothing": 0.1}, "label_smoothing= is about classes"),
    "pinball": ({"loss": "pinball"}, "name them by quantiles="),
    "both": ({"loss": "mae", "quantiles": (0.5,)}, "learnt by the pinball loss"),
}


@pytest.mark.parametrize("case", SENSELESS)
def test_settings_that_do_not_suit_numbers(case: str, rows: EvaluationSet) -> None:
    settings, said = SENSELESS[case]
    with pytest.raises(InputError, match=said):
        fit(rows, config=dataclasses.replace(QUICK, **settings))  # type: ignore[arg-type]


def test_settings_of_numbers_that_do_not_suit_others(lists: EvaluationSet) -> None:
    with pytest.raises(InputError) as told:
        fit(lists, config=dataclasses.replace(QUICK, quantiles=(0.5,), mixup=0.2))
    assert "quantiles= is about labels that are numbers" in str(told.value)
    assert "mixup= is about rows that are learnt one by one" in str(told.value)
    table = rents().assign(rent=lambda t: (t["rent"] > MEAN).astype(int))
    two = eh.read_evaluation_set(table, label="rent")
    with pytest.raises(InputError, match="for it are cross_entropy, focal, mse"):
        fit(two, config=dataclasses.replace(QUICK, loss="mae"))
    with pytest.raises(InputError, match="named twice"):
        TrainingConfig(quantiles=(0.5, 0.5))
