"""Every kind of model file: it says what the live model says, keeps the rules, and is refused where it is damaged."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import saved_models as saved
from sklearn.ensemble import RandomForestClassifier
from wrong_models import TABLE, X, data

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import ModelError
from evenhand.explaining import explain
from evenhand.records import read_record
from evenhand.subjects import as_subject, open_subject
from evenhand.subjects.inputs import shaped
from evenhand.subjects.loading import model_files, model_kind
from evenhand.subjects.model_file import file_facts
from evenhand.testing import check_subject

if TYPE_CHECKING:
    from pathlib import Path

TREES = {
    "xgboost": (saved.save_xgboost, saved.xgboost_model),
    "lightgbm": (saved.save_lightgbm, saved.lightgbm_model),
    "catboost": (saved.save_catboost, saved.catboost_model),
}
TASKS = ("binary", "multiclass", "regression")


def test_each_kind_of_file_has_a_model_here() -> None:
    assert set(saved.SAVED) == set(model_files())


@pytest.mark.parametrize("kind", saved.SAVED)
def test_each_kind_is_told_by_its_content_alone_and_keeps_the_rules(kind: str, tmp_path: Path) -> None:
    save, how = saved.SAVED[kind]
    place = save(tmp_path)
    file = model_files()[kind]
    assert place.suffix in file.endings
    other = place.rename(tmp_path / "model.bin") if kind != "pickle" else place
    assert model_kind(other) == kind
    if file.runs_code:
        with pytest.raises(ModelError, match=r"can run any code on this machine.*trust_pickle=True"):
            open_subject(other)
    subject = open_subject(other, **how)
    assert subject.name == other.stem
    assert subject.facts["file_bytes"] == other.stat().st_size
    assert len(str(subject.facts["sha256"])) == 64
    found = check_subject(subject, saved.words("binary") if kind in TREES else data("binary"), rows=16, on_fail=None)
    assert not found.of("failed", "reported"), found.of("failed", "reported")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", TREES)
def test_trees_from_a_file_say_what_the_fitted_ones_say(kind: str, task: str, tmp_path: Path) -> None:
    save, fit = TREES[kind]
    rows = saved.words(task)
    subject, live = open_subject(save(tmp_path, task), isolate=False), fit(task)
    given = saved.WORDS[saved.COLUMNS] if kind == "catboost" else saved.rows()
    expected = live.predict(given) if task == "regression" else live.predict_proba(given)
    bound = eh.audit(subject, rows, explain=False, footprint=False)
    if task == "regression":
        truth = float(np.abs(expected - rows.y_true).mean())
        assert bound["mae"].estimate == pytest.approx(truth, rel=1e-6)
    else:
        right = float((np.asarray(expected).argmax(axis=1) == rows.y_true).mean())
        assert bound["accuracy"].estimate == pytest.approx(right)
    if task == "binary":
        assert np.allclose(subject.predict(saved.WORDS), expected[:, 1], atol=1e-7)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("kind", TREES)
def test_trees_from_a_file_are_explained_exactly(kind: str, task: str, tmp_path: Path) -> None:
    subject = open_subject(TREES[kind][0](tmp_path, task), isolate=False)
    table = saved.WORDS[saved.COLUMNS]
    exact = explain(subject, table[:6], background=table[:20])
    pairs = explain(subject, table[:6], background=table[:20], method="exact", link=exact.link)
    assert (exact.method, pairs.method) == ("tree", "exact")
    assert np.allclose(exact.values, pairs.values, atol=1e-6)


def test_files_of_trees_are_tried_in_another_process_before_they_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenhand.subjects.isolation import trying

    tried = []
    real = trying.try_elsewhere
    monkeypatch.setattr(trying, "try_elsewhere", lambda *of: (tried.append(of[1]), real(*of)))
    place = saved.save_lightgbm(tmp_path)
    subject = open_subject(place)
    assert tried == ["lightgbm"]
    assert np.array_equal(subject.predict(saved.WORDS), open_subject(place, isolate=False).predict(saved.WORDS))
    assert tried == ["lightgbm"], "not where it was asked for without"


def test_what_ends_the_process_that_tries_a_file_is_a_sentence(tmp_path: Path) -> None:
    """CatBoost's format is not read here, so what it does to a damaged file has to stay in the other process."""
    place = saved.save_catboost(tmp_path)
    whole = place.read_bytes()
    place.write_bytes(whole[:8] + bytes(len(whole) - 8))
    with pytest.raises(ModelError, match=r"could not be opened|ended|within"):
        open_subject(place)


def test_a_live_booster_is_asked_and_explained_like_its_estimator(tmp_path: Path) -> None:
    fitted = saved.xgboost_model("binary")
    booster = fitted.get_booster()
    subject = as_subject(booster)
    assert np.allclose(subject.predict(saved.WORDS), fitted.predict_proba(saved.rows())[:, 1], atol=1e-6)
    assert explain(subject, saved.WORDS[saved.COLUMNS][:4], background=saved.WORDS[saved.COLUMNS][:9]).method == "tree"
    light = saved.lightgbm_model("binary")
    assert np.allclose(as_subject(light.booster_).predict(saved.WORDS), light.predict_proba(saved.rows())[:, 1])
    assert not check_subject(booster, saved.words("binary"), rows=16, on_fail=None).of("failed", "reported")


def test_a_booster_of_catboosts_base_class_is_of_its_loss() -> None:
    catboost = pytest.importorskip("catboost")
    pool = catboost.Pool(X, TABLE.y)
    model = catboost.CatBoost({"loss_function": "Logloss", "iterations": 4, "verbose": 0, "allow_writing_files": False})
    subject = as_subject(model.fit(pool))
    assert subject.score_kind == "probability"
    assert np.allclose(subject.predict(X), model.predict(pool, prediction_type="Probability")[:, 1])
    with pytest.raises(ModelError, match="cannot be used"):
        as_subject(catboost.CatBoost())


def test_a_booster_with_an_objective_of_its_own_has_to_be_told() -> None:
    lightgbm = pytest.importorskip("lightgbm")

    def squares(given: np.ndarray, rows: Any) -> tuple[np.ndarray, np.ndarray]:
        return given - rows.get_label(), np.ones(len(given))

    rows = lightgbm.Dataset(X, TABLE.y.astype(float))
    booster = lightgbm.train({"objective": squares, "verbose": -1, "num_threads": 1}, rows, 3)
    with pytest.raises(ModelError, match=r"objective of its own.*score_kind="):
        as_subject(booster)
    assert as_subject(booster, threshold=0.5).threshold == 0.5


@pytest.mark.parametrize("word", ["somewhere else", "z"])
@pytest.mark.parametrize("kind", ["xgboost", "lightgbm"])
def test_a_category_that_the_trees_do_not_know_is_refused(kind: str, word: str, tmp_path: Path) -> None:
    """XGBoost itself takes the longer word for one that it knows, and LightGBM both for missing ones."""
    strange = saved.WORDS.assign(c=word)
    subject = open_subject(TREES[kind][0](tmp_path), isolate=False)
    with pytest.raises(ModelError, match=f"'{word}', which is none of the 3 categories"):
        subject.predict(strange)
    holes = saved.WORDS.assign(c=saved.WORDS.c.where(saved.WORDS.index % 2 > 0))
    live = TREES[kind][1]("binary")
    given = saved.rows().assign(c=saved.rows().c.where(saved.WORDS.index % 2 > 0))
    assert np.allclose(subject.predict(holes), live.predict_proba(given)[:, 1], atol=1e-7)


def test_an_old_xgboost_file_keeps_codes_without_words(tmp_path: Path) -> None:
    place = saved.save_xgboost(tmp_path, ending="json")
    model = json.loads(place.read_bytes())
    trees = model["learner"]["gradient_booster"]["model"]
    trees["cats"] = {"enc": [], "feature_segments": [], "sorted_idx": []}
    place.write_text(json.dumps(model))
    subject = open_subject(place, isolate=False)
    with pytest.raises(ModelError, match="codes of categories without their words"):
        subject.predict(saved.WORDS)


def broken(model: dict[str, Any], how: str) -> None:
    """Make one thing of a saved model of XGBoost wrong."""
    learner = model["learner"]
    tree = learner["gradient_booster"]["model"]["trees"][0]
    inner = tree["left_children"].index(-1) and 0
    if how == "a cycle":
        tree["left_children"][inner] = inner
    elif how == "a child beyond":
        tree["right_children"][inner] = 10**6
    elif how == "one child":
        tree["right_children"][inner] = -1
    elif how == "a column beyond":
        tree["split_indices"][inner] = 77
    elif how == "fewer conditions":
        tree["split_conditions"].pop()
    elif how == "a class beyond":
        learner["gradient_booster"]["model"]["tree_info"][0] = 5
    elif how == "columns without end":
        learner["learner_model_param"]["num_feature"] = str(1 << 60)
    elif how == "categories beyond":
        at = next(t for t in learner["gradient_booster"]["model"]["trees"] if t["categories_nodes"])
        at["categories_sizes"][0] = 10**6
    else:
        learner["gradient_booster"]["name"] = "neurons"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("a cycle", "reached twice"), ("a child beyond", "none of its nodes"), ("one child", "none of its nodes"),
        ("a column beyond", "column 77 of 3"), ("fewer conditions", "no list of"), ("a class beyond", "each of one of"),
        ("columns without end", "number of columns"), ("categories beyond", "more categories than it lists"),
        ("another booster", "no known kind"),
    ],
)  # fmt: skip
def test_trees_that_are_none_are_refused_before_xgboost_reads_them(how: str, said: str, tmp_path: Path) -> None:
    place = saved.save_xgboost(tmp_path, ending="json")
    model = json.loads(place.read_bytes())
    broken(model, how)
    place.write_text(json.dumps(model))
    with pytest.raises(ModelError, match=said):
        open_subject(place, isolate=False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("left_child=1", "left_child=0", "reached twice"), ("num_leaves=6", "num_leaves=7", "numbers where"),
        ("max_feature_idx=2", "max_feature_idx=1", "not those of 2 columns"),
        ("Tree=1", "Tree=7", "not in order|not where it says"), ("tree_sizes=", "tree_sizes=9", "not where it says"),
        ("end of trees", "the end", "ends before its trees do"),
        ("end of parameters", "the end", "ends before its parameters do"),
        ("is_linear=0", "is_linear=1", "linear functions"),
        (r"split_feature=\d", "split_feature=9", "column 9 of 3"),
    ],
)  # fmt: skip
def test_trees_that_are_none_are_refused_before_lightgbm_reads_them(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    place = saved.save_lightgbm(tmp_path)
    text = place.read_text()
    changed, times = re.subn(old, new, text, count=1)
    assert times
    place.write_text(changed)
    with pytest.raises(ModelError, match=said):
        open_subject(place, isolate=False)


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "catboost", "skops"])
def test_a_file_that_ends_early_is_refused(kind: str, tmp_path: Path) -> None:
    place = saved.SAVED[kind][0](tmp_path)
    whole = place.read_bytes()
    for part in (0.3, 0.9):
        place.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(ModelError, match=r"damaged|no model that|could not be opened"):
            open_subject(place, **saved.SAVED[kind][1])


def test_types_that_skops_does_not_know_are_refused_by_name(tmp_path: Path) -> None:
    package = pytest.importorskip("skops.io")

    place = tmp_path / "forest.skops"
    package.dump(saved.lightgbm_model("regression"), place)
    with pytest.raises(ModelError, match=r"lightgbm\.sklearn\.LGBMRegressor.*trusted_types.*trust_pickle=True"):
        open_subject(place)
    names = package.get_untrusted_types(file=place)
    with pytest.raises(ModelError, match=names[0]):
        open_subject(place, trusted_types=names[1:])
    for how in ({"trusted_types": names}, {"trust_pickle": True}):
        assert open_subject(place, **how).facts["class"] == "LGBMRegressor"


def test_columns_that_are_named_hold_for_every_task() -> None:
    """A model of several classes was once given the whole table, whatever was named."""
    model = RandomForestClassifier(4, random_state=0).fit(X.to_numpy(), TABLE.k)
    subject = as_subject(model, features=["a", "b"])
    assert not check_subject(subject, data("multiclass"), rows=8, on_fail=None).of("failed", "reported")


@pytest.mark.parametrize(
    ("have", "wanted", "made"),
    [
        ((28, 28), (28, 28, 1), (28, 28, 1)), ((28, 28), (1, 28, 28), (1, 28, 28)), ((28, 28, 1), (28, 28), (28, 28)),
        ((784,), (28, 28, 1), (28, 28, 1)), ((28, 28), (784,), (784,)), ((5,), ("free",), (5,)),
        ((), (1,), (1,)), ((1,), (), ()), ((5,), (1, None), (1, 5)),
    ],
)  # fmt: skip
def test_rows_take_the_shape_of_an_input(have: tuple[int, ...], wanted: tuple[Any, ...], made: tuple[int, ...]) -> None:
    given = np.arange(2 * int(np.prod(have))).reshape(2, *have)
    found = shaped(given, wanted, "m")
    assert found.shape == (2, *made)
    assert np.array_equal(found.ravel(), given.ravel())


def test_axes_are_never_mixed() -> None:
    with pytest.raises(ModelError, match=r"n x 32 x 32 x 3, and .* n x 3 x 32 x 32.*X\.transpose\(0, 2, 3, 1\)"):
        shaped(np.zeros((2, 3, 32, 32)), (32, 32, 3), "m")
    with pytest.raises(ModelError, match="prepare="):
        shaped(np.zeros((2, 5)), (4,), "m")


def with_input(kind: str, shape: list[Any], nodes: list[tuple[str, list[str], dict[str, Any]]], **held: Any) -> bytes:
    """Return a graph of one input `x`, whose nodes each have one output, of which the last is `y`."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, numbers = onnx.helper, onnx.TensorProto
    names = [f"t{at}" for at in range(len(nodes) - 1)] + ["y"]
    made = [helper.make_node(op, inputs, [name], **more) for (op, inputs, more), name in zip(nodes, names, strict=True)]
    x = helper.make_tensor_value_info("x", getattr(numbers, kind), shape)
    y = helper.make_tensor_value_info("y", numbers.FLOAT, ["n"])
    weights = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()]
    graph_ = helper.make_graph(made, "g", [x], [y], weights)
    model = helper.make_model(graph_, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    return bytes(model.SerializeToString())


def mean_of(shape: list[Any], kind: str = "FLOAT") -> bytes:
    """The mean of all numbers of a row."""
    return with_input(
        kind, shape,
        [("Cast", ["x"], {"to": 1}), ("Flatten", ["t0"], {"axis": 1}), ("ReduceMean", ["t1", "axes"], {"keepdims": 0})],
        axes=np.array([1]),
    )  # fmt: skip


@pytest.mark.parametrize("shape", [["n", 4, 4], ["n", 4, 4, 1], ["n", 1, 4, 4], ["n", 16], [None, "h", "w"]])
def test_a_graph_of_one_input_takes_images_of_any_shape(shape: list[Any], tmp_path: Path) -> None:
    place = tmp_path / "images.onnx"
    place.write_bytes(mean_of(shape))
    images = np.stack([np.full((4, 4), value) for value in np.tanh(TABLE.a) / 2 + 0.5]).astype(np.float32)
    rows = eh.read_evaluation_set(TABLE[["y", "sex"]], label="y", sensitive_features="sex", inputs=images)
    subject = open_subject(place, isolate=False)
    assert np.allclose(subject.predict(images), images.mean(axis=(1, 2)))
    assert not check_subject(subject, rows, rows=12, on_fail=None).of("failed", "reported")


def test_a_graph_of_images_takes_a_table_of_their_pixels(tmp_path: Path) -> None:
    (tmp_path / "pixels.onnx").write_bytes(mean_of(["n", 2, 2, 1]))
    pixels = pd.DataFrame(np.random.default_rng(0).random((9, 4)), columns=[f"p{at}" for at in range(4)])
    subject = open_subject(tmp_path / "pixels.onnx", isolate=False)
    assert np.allclose(subject.predict(pixels), pixels.mean(axis=1))
    with pytest.raises(ModelError, match="n x 2 x 2 x 1, and the inputs have n x 3"):
        subject.predict(pixels.iloc[:, :3])


def test_a_graph_of_token_ids(tmp_path: Path) -> None:
    (tmp_path / "tokens.onnx").write_bytes(mean_of(["n", "length"], "INT64"))
    subject = open_subject(tmp_path / "tokens.onnx", isolate=False)
    assert subject.predict([[0, 1], [1, 1]]).tolist() == [0.5, 1.0]
    with pytest.raises(ModelError, match="pad lists of token ids"):
        subject.predict([[0, 1], [1]])


@pytest.mark.parametrize("shape", [["n"], ["n", 1]])
def test_a_graph_of_texts(shape: list[Any], tmp_path: Path) -> None:
    nodes: list[tuple[str, list[str], dict[str, Any]]] = [
        ("Equal", ["x", "bad"], {}), ("Cast", ["t0"], {"to": 1}), ("Reshape", ["t1", "flat"], {}),
    ]  # fmt: skip
    held = {"bad": np.array(["bad"], dtype=object), "flat": np.array([-1])}
    (tmp_path / "texts.onnx").write_bytes(with_input("STRING", shape, nodes, **held))
    subject = open_subject(tmp_path / "texts.onnx", isolate=False)
    assert subject.predict(["good", "bad"]).tolist() == [0.0, 1.0]
    if shape == ["n", 1]:
        assert subject.predict(pd.DataFrame({"said": ["bad", "good"]})).tolist() == [1.0, 0.0]


def test_keras_models_are_audited_live_and_from_their_file(tmp_path: Path) -> None:
    live = saved.keras_model()
    subject = as_subject(live, features=["a", "b"])
    expected = 1 / (1 + np.exp(-3 * TABLE.a))
    assert np.allclose(subject.predict(TABLE), expected, atol=1e-6)
    place = saved.save_keras(tmp_path)
    assert np.allclose(open_subject(place, features=["a", "b"]).predict(TABLE), expected, atol=1e-6)
    with pytest.raises(ModelError, match="n x 2, and the inputs have n x 6"):
        open_subject(place).predict(TABLE[["a", "b", "y", "r"]].assign(p=0.0, q=0.0))


def test_keras_images_of_several_classes_and_several_outputs(tmp_path: Path) -> None:
    from evenhand.subjects.keras import keras_package

    keras = keras_package()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.BatchNormalization(), layers.Dropout(0.5),
            layers.Flatten(), layers.Dense(3, activation="softmax"),
        ]
    )  # fmt: skip
    model.save(tmp_path / "images.keras")
    images = np.random.default_rng(0).random((len(TABLE), 4, 4)).astype(np.float32)
    subject = open_subject(tmp_path / "images.keras")
    rows = eh.read_evaluation_set(TABLE[["k", "sex"]], label="k", sensitive_features="sex", inputs=images)
    record = eh.audit(subject, rows, explain=False, footprint=False)
    said = np.asarray(model.predict_on_batch(images[..., None])).argmax(axis=1)
    assert record["accuracy"].estimate == pytest.approx(float((said == rows.y_true).mean()))

    read = keras.Input((2,))
    two = keras.Model(read, [layers.Dense(1, name="price")(read), layers.Dense(1, name="risk")(read)])
    two.save(tmp_path / "two.keras")
    for refused in (lambda: as_subject(two), lambda: open_subject(tmp_path / "two.keras")):
        with pytest.raises(ModelError, match=r"has 2 outputs .*one is audited at a time.*keras\.Model"):
            refused()


def test_statsmodels_with_a_formula_and_with_arrays(tmp_path: Path) -> None:
    results = saved.statsmodels_results()
    subject = as_subject(results)
    assert subject.facts["features"] == ["a", "b"]
    assert np.allclose(subject.predict(TABLE), results.predict(TABLE))
    assert not check_subject(subject, data("binary"), rows=12, on_fail=None).of("failed", "reported")
    results.save(tmp_path / "logit.pickle")
    again = open_subject(tmp_path / "logit.pickle", trust_pickle=True)
    assert again.facts["kind"] == "statsmodels"
    assert np.allclose(again.predict(TABLE), subject.predict(TABLE))

    api = pytest.importorskip("statsmodels.api")
    line = api.OLS(TABLE.r + TABLE.b, api.add_constant(X)).fit()
    assert not check_subject(line, data("regression"), rows=12, on_fail=None).of("failed", "reported")
    binomial = api.GLM(TABLE.y.to_numpy(), api.add_constant(X.to_numpy()), family=api.families.Binomial()).fit()
    arrays = as_subject(binomial, features=["a", "b"])
    assert arrays.score_kind == "probability"
    assert np.allclose(arrays.predict(TABLE), binomial.predict(api.add_constant(X.to_numpy())))
    counts = api.GLM(TABLE.y.to_numpy(), X.to_numpy(), family=api.families.Poisson()).fit()
    with pytest.raises(ModelError, match="regressor"):
        eh.audit(as_subject(counts, features=["a", "b"]), data("binary"), explain=False)
    with pytest.raises(ModelError, match="fitted on 3 columns"):
        as_subject(binomial).predict(TABLE[["a"]])


def test_the_command_line_opens_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved.WORDS[[*saved.COLUMNS, "sex"]].assign(label=saved.LABELS["binary"]).to_csv("rows.csv", index=False)
    audit = ["audit", "rows.csv", "--label", "label", "--sensitive", "sex", "--audits", "performance", "--quiet"]
    for save, more in ((saved.save_lightgbm, ["--no-isolate"]), (saved.save_xgboost, ["--no-isolate"])):
        place = save(tmp_path)
        assert exit_code([*audit, "--model", place.name, *more, "-o", "audit.json"]) == 0
        assert read_record(tmp_path / "audit.json").provenance["subject"]["sha256"] == file_facts(place)["sha256"]
    package = pytest.importorskip("skops.io")
    estimator = pytest.importorskip("lightgbm").LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1)
    package.dump(estimator.fit(saved.WORDS[["a", "b"]], saved.LABELS["binary"]), "trees.skops")
    names = package.get_untrusted_types(file="trees.skops")
    trusted = [word for name in names for word in ("--trust-type", name)]
    assert exit_code([*audit, "--model", "trees.skops", *trusted]) == 0
    assert exit_code([*audit, "--model", "trees.skops", *trusted[2:]]) == 2
    assert "--trust-type" in capsys.readouterr().err
    saved.save_script(tmp_path)
    assert exit_code([*audit, "--model", "model.pt"]) == 2
    assert "--trust-pickle" in capsys.readouterr().err
