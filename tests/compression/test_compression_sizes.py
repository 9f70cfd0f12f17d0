"""How many times smaller the deployable files are: exact, whatever the weights are, so nothing is trained here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import evenhand as eh
from evenhand.compression import Int4, Int8, MagnitudePruning, NeuronPruning, Recipe, StructuredPruning, compress
from evenhand.compression.recipe import Bench
from evenhand.errors import ModelError
from evenhand.subjects import as_subject
from evenhand.training import ImagePlan, NetworkModel, NetworkPlan, Normalization, given_model

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.training import Plan

torch.set_num_threads(1)
MNIST = (1, 28, 28)
PLANS: dict[str, tuple[Plan, tuple[int, ...], int]] = {
    "mlp": (ImagePlan("image_mlp", MNIST, 10, (256, 128)), MNIST, 235_146),
    "adult": (NetworkPlan(100, (256, 128)), (100,), 58_881),
    "cnn": (ImagePlan("cnn", MNIST, 10, (128,), channels=(32, 64)), MNIST, 421_834),
    "resnet18": (ImagePlan("resnet18", (1, 64, 64), 10, ()), (1, 64, 64), 11_175_370),
    "encoder": (ImagePlan("encoder", MNIST, 10, (256,) * 4, heads=4), MNIST, 3_170_058),
}
NEURONS, CHANNELS = NeuronPruning(0.5, epochs=0), StructuredPruning(0.5, epochs=0)
slow = pytest.mark.slow


def model_of(name: str) -> NetworkModel:
    plan, shape, parameters = PLANS[name]
    torch.manual_seed(0)
    network = plan.build()
    assert sum(values.numel() for values in network.parameters()) == parameters
    return NetworkModel(
        name=name, network=network, plan=plan, preprocessing=Normalization(shape, scale=255.0), threshold=0.5,
        history={}, fit_row_hashes=np.empty(0, dtype=np.uint64),
    )  # fmt: skip


def rows_for(shape: tuple[int, ...], classes: int) -> eh.EvaluationSet:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, *shape)).astype(np.uint8)
    task = "binary" if classes == 2 else "multiclass"
    return eh.read_evaluation_set({"y": np.arange(40) % classes}, label="y", task=task, inputs=images, name="noise")  # type: ignore[arg-type]


def bytes_of(model: NetworkModel, recipes: list[Recipe], bench: Bench, folder: Path) -> int:
    current: object = model
    for recipe in recipes:
        current = recipe.apply(current, bench)  # type: ignore[arg-type]
    current.save(folder / "model")  # type: ignore[attr-defined]
    return (folder / "model").stat().st_size


@pytest.mark.parametrize(
    ("name", "recipes", "least"),
    [
        ("mlp", [Int8()], 3.5),
        ("mlp", [NEURONS, Int8()], 7.5),
        ("mlp", [Int4()], 6.0),
        ("adult", [Int8()], 3.0),
        ("adult", [NEURONS, Int8()], 7.0),
        ("cnn", [Int8()], 3.8),
        ("cnn", [CHANNELS, Int8()], 13.0),
        pytest.param("resnet18", [Int8()], 3.9, marks=slow),
        ("encoder", [Int8(kind="dynamic")], 3.8),
        pytest.param("encoder", [Int8()], 3.8, marks=slow),
    ],
    ids=str,
)
def test_files_are_so_many_times_smaller(name: str, recipes: list[Recipe], least: float, tmp_path: Path) -> None:
    if CHANNELS in recipes:
        pytest.importorskip("torch_pruning")
    model = model_of(name)
    bench = Bench(rows_for(PLANS[name][1], max(2, PLANS[name][0].outputs)))
    before = bytes_of(model, [], bench, tmp_path)
    assert before >= 4 * PLANS[name][2]
    assert before / bytes_of(model, recipes, bench, tmp_path) >= least


def test_a_mask_makes_no_file_smaller(tmp_path: Path) -> None:
    model = model_of("mlp")
    bench = Bench(rows_for(MNIST, 10))
    before = bytes_of(model, [], bench, tmp_path)
    assert bytes_of(model, [MagnitudePruning(0.9, epochs=0)], bench, tmp_path) >= before


def test_a_file_that_grew_is_told_and_each_step_is_on_record(recwarn: pytest.WarningsRecorder) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(6, 512), torch.nn.ReLU(), torch.nn.Linear(512, 1))
    model, rows = given_model(network, Normalization((6,)), name="wide"), np.random.default_rng(0).normal(size=(80, 6))
    data = eh.read_evaluation_set({"y": [0, 1] * 40}, inputs=rows.astype(np.float32), label="y")
    said: list[str] = []
    small = compress(model, NeuronPruning(0.5, epochs=0), train=data, progress=lambda *step: said.append(step[2]))
    before, after = model.facts["file_bytes"], small.facts["file_bytes"]
    assert small.facts["recipe"][-1]["bytes_before"] == before  # type: ignore[index,call-overload]
    assert any(f"{after:,} bytes, {before:,} before" in text for text in said)
    assert not [each for each in recwarn if "larger than the original" in str(each.message)]

    def grown(self: NeuronPruning, model: NetworkModel, bench: Bench) -> NetworkModel:
        wide = torch.nn.Sequential(*model.network, torch.nn.Linear(1, 4_000), torch.nn.Linear(4_000, 1))
        with torch.no_grad():
            wide[-2].weight.fill_(1.0), wide[-1].weight.fill_(1 / 4_000)
            wide[-2].bias.zero_(), wide[-1].bias.zero_()
        return model.with_network(wide, self.describe())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NeuronPruning, "apply", grown)
        with pytest.warns(UserWarning, match=r"larger than the original: [\d,]+ bytes, and [\d,]+ before"):
            compress(model, NEURONS, train=data)


@pytest.mark.parametrize("as_opened", [False, True])
def test_a_program_of_torch_export_is_refused_in_a_sentence(as_opened: bool) -> None:
    program: Any = torch.export.export(torch.nn.Linear(6, 1), (torch.zeros(2, 6),))
    way = "is a program of torch.export.*Hand over to given_model the torch module that it was exported from"
    with pytest.raises(ModelError, match=way):
        given_model(program, Normalization((6,)))
    with pytest.raises(ModelError, match=way):
        compress(as_subject(program, output="logit") if as_opened else program, Int8(), train=eh.load_loanapp())
