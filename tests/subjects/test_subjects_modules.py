"""Torch modules of every kind and task: audited with the right figure, or refused in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import evenhand as eh
from evenhand.errors import ModelError
from evenhand.subjects import as_subject
from evenhand.subjects.onnx import OnnxSubject
from evenhand.subjects.torch import TorchSubject

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.data import EvaluationSet

torch.set_num_threads(1)
N = 200
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.normal(size=N), "sex": RNG.choice(["f", "m"], N)})
TABLE["y"] = (TABLE.a + 0.5 * RNG.normal(size=N) > 0).astype(int)
TABLE["k"] = np.array(["low", "mid", "top"])[np.digitize(TABLE.a, [-0.5, 0.5])]
TABLE["r"] = 2 * TABLE.a + 1
TABLE["l"], TABLE["m"] = (TABLE.a > 0).astype(int), (TABLE.b > 0).astype(int)
QUICK: dict[str, Any] = {"explain": False, "footprint": False}
RIGHT = float(((TABLE.a > 0) == (TABLE.y == 1)).mean())


def data(task: str) -> EvaluationSet:
    """The same rows with another label."""
    label: dict[str, Any] = {"label": {"binary": "y", "multiclass": "k", "regression": "r"}.get(task)}
    if task == "multilabel":
        label = {"labels": ["l", "m"]}
    used = [*label.get("labels", []), label.get("label")]
    hidden = [column for column in ("y", "k", "r", "l", "m") if column not in used]
    return eh.read_evaluation_set(TABLE, **label, sensitive_features="sex", exclude=hidden, task=task)


class Of(nn.Module):
    """A function of the columns, with one parameter of a type."""

    def __init__(self, made: Callable[[torch.Tensor], object], kind: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.made, self.one = made, nn.Parameter(torch.ones(1, dtype=kind))

    def forward(self, X: torch.Tensor) -> object:
        return self.made(X * self.one)


class Output(dict[str, torch.Tensor]):
    """A mapping whose entries are attributes, as transformers have it."""

    __getattr__ = dict.__getitem__


def z(X: torch.Tensor) -> torch.Tensor:
    return 3 * X[:, 0]


def pair(X: torch.Tensor) -> torch.Tensor:
    return torch.stack([-z(X), z(X)], 1)


def three(X: torch.Tensor) -> torch.Tensor:
    return torch.stack([-X[:, 0] - 0.5, 0 * X[:, 0], X[:, 0] - 0.5], 1)


def steps() -> nn.Module:
    made = nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.5), nn.Sigmoid())
    with torch.no_grad():
        made[0].weight[:], made[0].bias[:] = torch.tensor([[3.0, 0.0]]), 0.0
    return made


def exported(varies: bool = True) -> torch.export.ExportedProgram:
    shapes = ({0: torch.export.Dim("rows")},) if varies else None
    return torch.export.export(steps().eval(), (torch.zeros(4, 2),), dynamic_shapes=shapes)


BINARY = {
    "one logit": ("logit", lambda: Of(z)),
    "a column of logits": ("logit", lambda: Of(lambda X: z(X)[:, None])),
    "two logits": ("logit", lambda: Of(pair)),
    "log-softmax": ("logit", lambda: Of(lambda X: pair(X).log_softmax(1))),
    "one probability": ("probability", lambda: Of(lambda X: z(X).sigmoid())),
    "a column of probabilities": ("probability", lambda: Of(lambda X: z(X).sigmoid()[:, None])),
    "softmax": ("probability", lambda: Of(lambda X: pair(X).softmax(1))),
    "softmax of half precision": ("probability", lambda: Of(lambda X: pair(X).softmax(1), torch.float16)),
    "booleans": ("probability", lambda: Of(lambda X: z(X) > 0)),
    "whole numbers": ("probability", lambda: Of(lambda X: (z(X) > 0).long())),
    "a ranking": ("ranking", lambda: Of(z)),
    "a tuple of one": ("logit", lambda: Of(lambda X: (z(X),))),
    "an entry called logits": ("logit", lambda: Of(lambda X: Output(loss=z(X).sum(), logits=pair(X)))),
    "double precision": ("logit", lambda: Of(z, torch.float64)),
    "bfloat16": ("logit", lambda: Of(z, torch.bfloat16)),
    "sparse": ("logit", lambda: Of(lambda X: z(X).to_sparse())),
    "training mode": ("probability", lambda: steps().train()),
    "a program of torch.export": ("probability", exported),
    "its module": ("probability", lambda: exported().module()),
    "TorchScript": ("probability", lambda: torch.jit.script(steps())),
    "frozen TorchScript": ("probability", lambda: torch.jit.freeze(torch.jit.script(steps().eval()))),
    "a trace": ("probability", lambda: torch.jit.trace(steps().eval(), torch.zeros(4, 2))),
    "compiled": ("probability", lambda: torch.compile(steps(), backend="eager")),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("kind", BINARY)
def test_two_classes(kind: str) -> None:
    output, made = BINARY[kind]
    model = made()
    record = eh.audit(model if output == "probability" else as_subject(model, output=output), data("binary"), **QUICK)
    # a score that is exactly at the threshold may be rounded to either side in half precision
    assert record["accuracy"].estimate == pytest.approx(RIGHT, abs=0.011), kind
    assert 0.3 < record["selection_rate"].estimate < 0.7


OTHER_TASKS = {
    "logits of classes": ("multiclass", "logit", three, "accuracy", 1.0),
    "softmax of classes": ("multiclass", "probability", lambda X: three(X).softmax(1), "accuracy", 1.0),
    "scores of classes": ("multiclass", "ranking", three, "accuracy", 1.0),
    "numbers": ("regression", "probability", lambda X: 2 * X[:, 0] + 1, "mean_absolute_error", 0.0),
    "a column of numbers": ("regression", "probability", lambda X: (2 * X[:, :1] + 1), "mean_absolute_error", 0.0),
    "numbers of double precision": (
        "regression", "probability", lambda X: 2 * X[:, 0].double() + 1, "mean_absolute_error", 0.0,
    ),
    "logits of labels": ("multilabel", "logit", lambda X: 3 * X, "subset_accuracy", 1.0),
    "probabilities of labels": ("multilabel", "probability", lambda X: (3 * X).sigmoid(), "subset_accuracy", 1.0),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHER_TASKS)
def test_other_tasks(kind: str) -> None:
    task, output, made, metric, expected = OTHER_TASKS[kind]
    module = Of(made)
    record = eh.audit(module if output == "probability" else as_subject(module, output=output), data(task), **QUICK)
    assert record[metric].estimate == pytest.approx(expected, abs=1e-5)


REFUSED = {
    "logits called probabilities": ("binary", "probability", z, r"outside \[0, 1\]"),
    "two logits called probabilities": ("binary", "probability", pair, "do not add up to 1"),
    "probabilities called logits": ("binary", "logit", lambda X: z(X).sigmoid(), "select everybody"),
    "rare probabilities called logits": ("binary", "logit", lambda X: z(X).sigmoid() / 9, "select everybody"),
    "softmax called logits": ("binary", "logit", lambda X: pair(X).softmax(1), "add up to 1, as probabilities do"),
    "decisions called logits": ("binary", "logit", lambda X: z(X) > 0, "whole numbers"),
    "three columns": ("binary", "logit", three, "3 columns, and the label has two classes"),
    "three probabilities": ("binary", "probability", lambda X: three(X).softmax(1), "3 columns"),
    "two rankings": ("binary", "ranking", pair, "2 columns"),
    "two independent probabilities": ("binary", "probability", lambda X: pair(X).sigmoid() * 0.9, "not add up to 1"),
    "places of classes": ("binary", "probability", lambda X: three(X).argmax(1), "whole numbers from 0 to 2"),
    "a row of scores": ("binary", "probability", lambda X: z(X).sigmoid()[None], "200 rows and returned 1x200"),
    "three axes": ("binary", "probability", lambda X: z(X)[:, None, None].sigmoid(), "shape 200x1x1"),
    "a mean": ("binary", "probability", lambda X: z(X).mean(), "a single number"),
    "several tensors": ("binary", "probability", lambda X: (z(X), X), "a tuple of 0, 1, and one tensor"),
    "a mapping": ("binary", "probability", lambda X: {"p": z(X), "hidden": X}, "of p, hidden"),
    "nothing": ("binary", "probability", lambda _: None, "a NoneType, and one tensor"),
    "numpy": ("binary", "probability", lambda X: X.detach().numpy()[:, 0], "a ndarray, and one tensor"),
    "complex numbers": ("binary", "logit", lambda X: z(X) + 1j, "complex"),
    "missing numbers": ("binary", "logit", lambda X: z(X).log(), "NaN"),
    "a KeyError": ("binary", "logit", lambda X: {}["x"], "KeyError|could not take"),
    "one column for three classes": ("multiclass", "logit", z, "not one score a class"),
    "two columns for three classes": ("multiclass", "logit", pair, r"shape \(200, 2\); .* one column for each class"),
    "logits of classes called probabilities": ("multiclass", "probability", three, "do not add up to 1"),
    "softmax of classes called logits": ("multiclass", "logit", lambda X: three(X).softmax(1), "add up to 1, as"),
    "several numbers": ("regression", "probability", pair, "2 numbers a row"),
    "logits for numbers": ("regression", "logit", z, "the label holds numbers"),
    "probabilities of labels called logits": ("multilabel", "logit", lambda X: (3 * X).sigmoid(), "select everybody"),
    "one column for two labels": ("multilabel", "logit", z, "not one score a class"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_told_is_refused(kind: str) -> None:
    task, output, made, sentence = REFUSED[kind]
    module = Of(made)
    with pytest.raises(ModelError, match=sentence) as caught:
        eh.audit(module if output == "probability" else as_subject(module, output=output), data(task), **QUICK)
    assert "\n" not in str(caught.value)


def test_a_program_for_batches_of_one_size_is_told_what_to_do() -> None:
    with pytest.raises(ModelError, match=r"could not take a matrix of 2 columns.*first dimension that may vary"):
        eh.audit(exported(varies=False), data("binary"), **QUICK)
    with pytest.raises(ModelError, match="could not take a matrix of 2 columns"):
        eh.audit(nn.Linear(5, 1), data("binary"), **QUICK)


def test_each_part_of_a_module_is_left_in_its_own_mode() -> None:
    module = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1), nn.Dropout(0.5))
    module.train()
    module[1].eval()
    subject = TorchSubject(module, output="logit")
    first, again = (subject.predict(TABLE[["a", "b"]]) for _ in range(2))
    assert np.array_equal(first, again)
    assert [part.training for part in module.modules()] == [True, True, False, True]


def test_a_module_of_double_precision_is_given_all_digits() -> None:
    seen = []
    module = Of(lambda X: seen.append(X) or z(X), torch.float64)
    TorchSubject(module, output="logit").predict(TABLE[["a", "b"]])
    assert np.array_equal(seen[0].numpy(), TABLE[["a", "b"]].to_numpy())


def test_the_column_of_the_positive_class_may_be_named() -> None:
    subject = TorchSubject(Of(lambda X: three(X).softmax(1)), positive_index=2)
    expected = three(torch.tensor(TABLE[["a", "b"]].to_numpy())).softmax(1)[:, 2].numpy()
    assert np.allclose(subject.predict(TABLE[["a", "b"]]), expected, atol=1e-6)


def test_modules_are_explained_whatever_their_type_is() -> None:
    for kind in (torch.float16, torch.float64):
        record = eh.audit(as_subject(Of(pair, kind), output="logit"), data("binary"), footprint=False)
        ran = {section.audit: section.ran for section in record.sections}
        assert ran["explanation"]
    assert eh.audit(exported(), data("binary"), footprint=False)["accuracy"].estimate == pytest.approx(RIGHT)


def graph(kind: str, columns: int, op: str = "", whole: str = "FLOAT", rows: int | str = "n") -> bytes:
    """Return an ONNX graph of 3 * a in one column, or in two of opposite sign."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    put = helper.make_tensor_value_info("X", getattr(TensorProto, whole), [rows, 2])
    cells = [3.0, 0.0] if columns == 1 else [-3.0, 3.0, 0.0, 0.0]
    nodes = [
        helper.make_node("Cast", ["X"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["f", "w"], ["z"]),
    ]
    nodes.append(helper.make_node(op or "Identity", ["z"], ["p"]))
    out = getattr(TensorProto, kind)
    nodes.append(helper.make_node("Cast", ["p"], ["out"], to=out))
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2, columns], cells)
    made = helper.make_graph(nodes, "g", [put], [helper.make_tensor_value_info("out", out, ["n", columns])], [weights])
    return bytes(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString())


@pytest.mark.parametrize(
    ("kind", "columns", "op", "output"),
    [
        ("FLOAT", 1, "", "logit"), ("FLOAT", 2, "", "logit"), ("FLOAT", 2, "Softmax", "probability"),
        ("FLOAT16", 1, "Sigmoid", "probability"), ("DOUBLE", 1, "", "ranking"),
    ],
)  # fmt: skip
def test_graphs_of_every_output(kind: str, columns: int, op: str, output: Any) -> None:
    record = eh.audit(OnnxSubject(graph(kind, columns, op), output=output), data("binary"), **QUICK)
    assert record["accuracy"].estimate == pytest.approx(RIGHT, abs=0.011)


def test_graphs_that_cannot_be_told() -> None:
    with pytest.raises(ModelError, match="select everybody"):
        eh.audit(OnnxSubject(graph("FLOAT", 1, "Sigmoid"), output="logit"), data("binary"), **QUICK)
    with pytest.raises(ModelError, match="do not add up to 1"):
        eh.audit(OnnxSubject(graph("FLOAT", 2)), data("binary"), **QUICK)
    with pytest.raises(ModelError, match="which cannot hold the inputs"):
        eh.audit(OnnxSubject(graph("FLOAT", 1, whole="INT64"), output="logit"), data("binary"), **QUICK)
    with pytest.raises(ModelError, match="exported for batches of 4 rows"):
        eh.audit(OnnxSubject(graph("FLOAT", 1, rows=4), output="logit"), data("binary"), **QUICK)
    with pytest.raises(ModelError, match="2 numbers a row"):
        eh.audit(OnnxSubject(graph("FLOAT", 2)), data("regression"), **QUICK)


def test_a_graph_for_numbers() -> None:
    record = eh.audit(OnnxSubject(graph("FLOAT", 1)), data("regression"), **QUICK)
    assert record["mean_absolute_error"].estimate == pytest.approx(
        float(np.abs(3 * TABLE.a - TABLE.r).mean()), rel=1e-5
    )


def test_scores_of_the_class_that_is_not_positive_are_turned_or_refused() -> None:
    hidden = ["k", "r", "l", "m"]
    denied = eh.read_evaluation_set(TABLE, label="y", positive=0, sensitive_features="sex", exclude=hidden)
    for model in (as_subject(Of(z), output="logit"), OnnxSubject(graph("FLOAT", 2), output="logit")):
        with pytest.raises(ModelError, match="names no classes, so its scores may be of 1 or of 0"):
            eh.audit(model, denied, **QUICK)
    for model in (
        as_subject(Of(z), output="logit", positive=1), OnnxSubject(graph("FLOAT", 2), output="logit", positive=1),
    ):  # fmt: skip
        assert eh.audit(model, denied, **QUICK)["accuracy"].estimate == pytest.approx(RIGHT)
        assert np.array_equal(model.predict(TABLE[["a", "b"]]) > 0.5, TABLE.a > 0), "the model itself is as it was"
    zero = as_subject(Of(z), output="logit", positive=0)
    assert eh.audit(zero, denied, **QUICK)["accuracy"].estimate == pytest.approx(1 - RIGHT)
    with pytest.raises(ModelError, match="was opened with positive='yes'"):
        eh.audit(as_subject(Of(z), output="logit", positive="yes"), denied, **QUICK)
    with pytest.raises(ModelError, match="ranks by 1, which is not the positive class"):
        eh.audit(as_subject(Of(z), output="ranking", positive=1), denied, **QUICK)


def test_what_the_output_is_may_be_said_to_the_audit() -> None:
    assert eh.audit(Of(z), data("binary"), output="logit", **QUICK)["accuracy"].estimate == pytest.approx(RIGHT)
    assert eh.audit(Of(three), data("multiclass"), output="logit", **QUICK)["accuracy"].estimate == 1.0
    places = Of(lambda X: three(X).argmax(1))
    assert eh.audit(places, data("multiclass"), **QUICK)["accuracy"].estimate == 1.0, "codes of text classes"
    with pytest.raises(ModelError, match="output takes probability, logit, ranking, not 'sigmoid'"):
        eh.audit(Of(z), data("binary"), output="sigmoid", **QUICK)
    with pytest.raises(ModelError, match="no model that can be audited"):
        eh.audit(nn.Linear, data("multiclass"), **QUICK)
