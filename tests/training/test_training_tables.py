"""Tables: integers that are codes, numbers in pieces, many levels, and boosted trees beside every network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.training import Preprocessing, TrainingConfig, fit, fit_ensemble
from evenhand.training.codes import looks_like_codes
from evenhand.training.columns import CategoryColumn
from evenhand.training.levels import count_levels, place_levels
from evenhand.training.trees.baseline import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.data import EvaluationSet

torch: Any = pytest.importorskip("torch")
torch.set_num_threads(1)
N = 3000


def drawn(values: Sequence[float], n: int = N) -> pd.Series:
    return pd.Series(np.random.default_rng(0).choice(np.asarray(values), n))


AGES = np.clip(np.random.default_rng(1).normal(40, 12, N).round(), 17, 90)
SEEN = {
    "industry": (drawn([101, 102, 205, 310, 999]), True),
    "with gaps of missing": (drawn([1, 2, 3, 9, np.nan]), True),
    "a grade": (drawn(range(1, 8)), True),
    "occupation": (drawn([10 * at + at % 7 for at in range(60 * 60)][::60], 60 * 100), True),
    "a flag": (drawn([0, 1]), False),
    "a share": (drawn([0.25, 0.5, 0.75]), False),
    "an amount": (pd.Series(np.random.default_rng(2).integers(0, 100_000, N)), False),
    "an age of few rows": (pd.Series(AGES), False),
    "hours of many rows": (drawn(range(1, 100), 100 * 100), False),
    "truth": (drawn([0, 1, 1]).astype(bool), False),
    "text": (pd.Series(["101", "102", "103"] * 100), False),
}


@pytest.mark.parametrize(("values", "codes"), SEEN.values(), ids=SEEN)
def test_codes_are_told_by_their_values(values: pd.Series, codes: bool) -> None:
    assert looks_like_codes(values) is codes


def test_a_code_is_a_category_and_a_number_and_stays_one_feature() -> None:
    table = pd.DataFrame({"industry": drawn([101, 102, 205, np.nan]), "amount": np.arange(float(N))})
    made = Preprocessing.fit(table, codes=True)
    described = {row["column"]: row for row in cast("list[dict[str, Any]]", made.describe())}
    assert (described["industry"]["kind"], described["industry"]["levels"]) == ("code", 3)
    assert described["amount"]["kind"] == "number"
    asked = made.transform(pd.DataFrame({"industry": [205.0, np.nan, 150.0], "amount": 1.0}))
    assert made.features == ("industry", "amount")
    # the number, its mark of missing values, three levels
    assert asked[:, 1:5].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    again = Preprocessing.from_plain(json.loads(json.dumps(made.to_plain())))
    assert again == made


def test_pieces_say_how_much_of_each_lies_below_a_number() -> None:
    made = Preprocessing.fit(pd.DataFrame({"x": np.arange(1000.0)}), pieces=4)
    assert made.width == 5
    low, middle, high = made.transform(pd.DataFrame({"x": [-50.0, 499.5, 5000.0]}))[:, 1:]
    assert low.tolist() == [0, 0, 0, 0]
    assert high.tolist() == [1, 1, 1, 1]
    assert middle.tolist() == pytest.approx([1, 1, 0, 0], abs=0.01)
    with_few = Preprocessing.fit(pd.DataFrame({"x": np.arange(100.0)}), pieces=16)
    assert with_few.width == 3, "two pieces of fifty rows each"
    assert Preprocessing.fit(pd.DataFrame({"x": [0.0, 1.0] * 500}), pieces=16).width == 1, "a line says it all"
    assert Preprocessing.from_plain(json.loads(json.dumps(made.to_plain()))) == made


def test_pieces_that_do_not_grow_are_refused() -> None:
    plain = json.loads(json.dumps(Preprocessing.fit(pd.DataFrame({"x": np.arange(1000.0)}), pieces=4).to_plain()))
    plain["columns"][0]["edges"][1] = plain["columns"][0]["edges"][0]
    with pytest.raises(ValueError, match="do not grow"):
        Preprocessing.from_plain(plain)


def test_levels_with_enough_rows_are_kept_and_the_others_joined() -> None:
    often = [f"town {at}" for at in range(150)] * 25
    made = Preprocessing.fit(pd.DataFrame({"town": [*often, *(f"hamlet {at}" for at in range(300))]}))
    assert made.width == 151
    assert made.cleaning()["rare_levels_joined"] == 300
    assert made.transform(pd.DataFrame({"town": ["hamlet 7"]}))[0, -1] == 1.0


def test_a_level_is_one_however_it_is_written() -> None:
    """Whole floats and integers are alike, and levels that stand equally often come by name."""
    values = pd.Series([1, 1.0, "b", "a", None, 2.5], dtype=object)
    assert list(count_levels(values).items()) == [("1", 2), ("2.5", 1), ("a", 1), ("b", 1)]
    column = CategoryColumn.fit("x", values, 2)
    assert (column.levels, column.missing, column.rare) == (("1", "2.5"), 1, 2)
    out = np.full((4, column.width), 9, dtype=np.float32)
    column.write(pd.Series([2.5, "c", None, "1"], dtype=object), out)
    np.testing.assert_array_equal(out, [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]])
    kinds = pd.Series(["b", None, "a"], dtype="category")
    np.testing.assert_array_equal(place_levels(kinds, ("a",)), [-1, -2, 0])


def coded(seed: int = 0, n: int = N) -> EvaluationSet:
    """Return rows whose label goes by a code without any order, and by a step of a number."""
    rng = np.random.default_rng(seed)
    code = rng.choice(np.arange(100, 140), n)
    good = np.random.default_rng(7).permutation(40) < 20
    x = rng.uniform(0, 100, n)
    y = (rng.random(n) < np.where(good[code - 100], 0.9, 0.1)) ^ ((x > 40) & (x < 50))
    table = pd.DataFrame({"code": code, "x": x, "sex": rng.choice(["f", "m"], n), "y": y.astype(int)})
    return eh.read_evaluation_set(table, label="y", sensitive_features=["sex"], name="codes")


PLAIN = TrainingConfig(epochs=12, hidden=(32,), pieces=0, read_codes=False)
RICH = TrainingConfig(epochs=12, hidden=(32,))


def accuracy(model: Any, data: EvaluationSet) -> float:
    return float(((model.predict(data.X) >= model.threshold) == data.y_true).mean())


def test_a_network_reads_codes_and_says_how_it_compares_with_trees() -> None:
    train, test = coded(0), coded(1)
    plain, rich = fit(train, config=PLAIN), fit(train, config=RICH)
    assert accuracy(rich, test) > accuracy(plain, test) + 0.1
    beside = cast("dict[str, Any]", plain.history["baseline"])
    assert beside["metric"] == "roc_auc"
    assert beside["rows"] == plain.history["validation_rows"]
    assert beside["change"] == pytest.approx(beside["network"] - beside["boosting"])
    assert beside["high"] < 0, "as numbers the codes say little"
    assert "AUC behind boosted trees" in told(plain.history)
    record = eh.audit(plain, test, audits=["training"], explain=False)
    gain = record["network_gain[;rate=roc_auc]"]
    assert gain.estimate == pytest.approx(beside["change"])
    assert gain.interval is not None and gain.interval.high == pytest.approx(beside["high"])
    assert "boosted trees serve better" in gain.note
    assert "Network less boosted trees" in eh.render(record)
    verdict = eh.judge(record, {"network_gain[;rate=roc_auc]": {"at_least": -0.005}})
    assert verdict.status == "failed"


def test_the_baseline_is_left_out_where_it_is_not_wanted() -> None:
    quick = TrainingConfig(epochs=1, hidden=(4,), baseline=False)
    assert "baseline" not in fit(coded(n=200), config=quick).history
    assert told({}) == ""
    pair = fit_ensemble(coded(n=400), config=TrainingConfig(epochs=1, hidden=(4,)), members=2)
    assert cast("dict[str, Any]", pair.history["baseline"])["rows"] == 80


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((-0.02, -0.031, -0.009), ".020 AUC behind boosted trees [-.031, -.009] on 900"),
        ((0.02, 0.009, 0.031), ".020 AUC ahead of boosted trees [+.009, +.031] on 900"),
        ((0.002, -0.01, 0.014), "do not differ beyond chance: +.002 AUC [-.010, +.014] on 900"),
    ],
)
def test_a_side_is_named_only_where_the_interval_names_it(change: tuple[float, ...], words: str) -> None:
    found = dict(zip(("change", "low", "high"), change, strict=True))
    assert words in told({"baseline": {"metric": "roc_auc", "rows": 900, **found}})


def test_batches_grow_with_the_table_unless_they_are_set() -> None:
    sizes = {rows: TrainingConfig().for_rows(rows).batch_size for rows in (0, 800, 10_000, 34_000, 1_000_000)}
    assert sizes == {0: 64, 800: 64, 10_000: 128, 34_000: 256, 1_000_000: 512}
    assert TrainingConfig(batch_size=32).for_rows(34_000).batch_size == 32


def test_deepfm_finds_who_likes_what() -> None:
    """Users of two tastes and items of two kinds: no user and no item is liked more than another; pairs tell."""
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, 40, 6000), rng.integers(0, 30, 6000)
    liked = rng.random(6000) < np.where(user % 2 == item % 2, 0.9, 0.1)
    group = np.where(user < 20, "young", "old")
    table = pd.DataFrame({"user": [f"u{at}" for at in user], "item": [f"i{at}" for at in item], "age": group})
    data = eh.read_evaluation_set(table.assign(liked=liked), label="liked", sensitive_features=["age"])
    parts = eh.split(data, {"train": 0.8, "test": 0.2})
    settings: dict[str, Any] = {"hidden": (), "epochs": 15, "learning_rate": 0.02, "baseline": False}
    alone = fit(parts["train"], config=TrainingConfig(network="mlp", **settings))
    pairs = fit(parts["train"], config=TrainingConfig(network="deepfm", **settings))
    assert accuracy(alone, parts["test"]) < 0.65, "a linear model cannot tell"
    assert accuracy(pairs, parts["test"]) > 0.8
    record = eh.audit(pairs, parts["test"], explain=False, audits=["performance", "fairness"])
    assert record["recall[age=old]"].support > 200


def test_vectors_go_before_two_kinds_of_networks_alone() -> None:
    assert TrainingConfig(network="deepfm", embedding=4).embedding == 4
    with pytest.raises(InputError, match="go before an mlp"):
        TrainingConfig(network="wide_deep", embedding=4)
