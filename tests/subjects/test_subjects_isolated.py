"""A model in a process with limits says what it says in this one; what exceeds them ends in a sentence."""

from __future__ import annotations

import gc
import importlib
import io
import pickle
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from evenhand.errors import InputError, ModelError
from evenhand.signing import sign
from evenhand.subjects import Limits, open_subject
from evenhand.subjects.isolation import frames, process
from evenhand.subjects.isolation.isolated import IsolatedSession, IsolatedSubject
from evenhand.subjects.onnx import start_session

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(257, 3)), columns=list("abc"))


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A network of 24 neurons as an ONNX file."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, numpy_helper, kind = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT
    weights = {"w": RNG.normal(size=(3, 24)), "v": RNG.normal(size=(24, 1))}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "v"], ["c"]), helper.make_node("Sigmoid", ["c"], ["y"]),
    ]  # fmt: skip
    puts = [helper.make_tensor_value_info(name, kind, ["rows", size]) for name, size in (("x", 3), ("y", 1))]
    held = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()]
    made = helper.make_model(
        helper.make_graph(nodes, "g", puts[:1], puts[1:], held),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    place = tmp_path / "network.onnx"
    place.write_bytes(made.SerializeToString())
    return place


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    place = tmp_path / "credit.joblib"
    joblib.dump(LogisticRegression().fit(TABLE, RNG.integers(0, 3, len(TABLE))), place)
    return place


def test_a_graph_says_the_same_in_both_processes(graph: Path) -> None:
    here, there = open_subject(graph, isolate=False), open_subject(graph)
    for rows in (1, 2, 100, 257):
        assert np.array_equal(here.predict(TABLE[:rows]), there.predict(TABLE[:rows]))
    assert here.facts == there.facts


def test_texts_reach_a_graph_as_they_are() -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.STRING
    x, y = (helper.make_tensor_value_info(name, kind, ["rows"]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    texts = np.array(["", "a", "é\n", "中", np.nan, None, 1.5], dtype=object)
    (here,) = start_session(content, "g").run(None, {"x": texts})
    (there,) = start_session(content, "g", Limits()).run(None, {"x": texts})
    assert list(here) == list(there)  # type: ignore[call-overload]


def test_a_pickle_says_the_same_in_both_processes(fitted: Path) -> None:
    here, there = (open_subject(fitted, trust_pickle=True, positive=1, isolate=asked) for asked in (False, True))
    assert isinstance(there, IsolatedSubject)
    assert np.array_equal(here.predict(TABLE), there.predict(TABLE))
    assert dict(here.facts) == dict(there.facts)
    assert (there.name, there.threshold, there.score_kind) == (here.name, here.threshold, here.score_kind)
    again = pickle.loads(pickle.dumps(there))
    assert np.array_equal(again.predict(TABLE), here.predict(TABLE))


def test_a_pickle_is_isolated_only_when_it_is_trusted(fitted: Path) -> None:
    with pytest.raises(ModelError, match="trust_pickle=True"):
        open_subject(fitted, isolate=True)


def test_a_pickled_graph_keeps_its_limits(graph: Path) -> None:
    model = open_subject(graph, isolate=Limits(seconds=50))
    again = pickle.loads(pickle.dumps(model))
    assert isinstance(again._session, IsolatedSession)
    assert again._session.limits == Limits(seconds=50)
    assert np.array_equal(again.predict(TABLE), model.predict(TABLE))


LEAVING = """
import os
import numpy as np

class Leaving:
    def __init__(self, how):
        self.how = how

    def predict_proba(self, rows):
        while self.how == "forever":
            pass
        held = []
        while self.how == "memory":
            held.append(np.ones(1 << 24))
        os._exit(7)

    predict = predict_proba
"""


@pytest.mark.parametrize(
    ("how", "limits", "said"),
    [
        ("end", Limits(memory=4 << 30), "ended the process"),
        ("forever", Limits(seconds=0.5, seconds_a_row=0, memory=4 << 30), r"took more than 0\.5 seconds"),
        ("memory", Limits(memory=2 << 30), "within 2,0.. MiB of memory"),
    ],
)
def test_what_a_model_does_to_its_process_ends_in_a_sentence(
    how: str, limits: Limits, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "memory" and sys.platform != "linux":
        pytest.skip("the system takes no bound of memory")
    (tmp_path / "leaving_models.py").write_text(LEAVING, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    place = tmp_path / "leaving.pkl"
    place.write_bytes(pickle.dumps(importlib.import_module("leaving_models").Leaving(how)))
    sys.modules.pop("leaving_models")
    subject = open_subject(place, trust_pickle=True, isolate=Limits(memory=4 << 30))
    subject._process.limits = limits  # type: ignore[attr-defined]  # opening it takes more than a prediction
    with pytest.raises(ModelError, match=said):
        subject.predict(TABLE[:3])


def test_the_process_ends_with_the_model(graph: Path) -> None:
    model = open_subject(graph)
    process = model._session._process._process  # type: ignore[attr-defined]
    assert process.poll() is None
    del model
    gc.collect()
    assert process.poll() is not None


def test_which_files_are_isolated(graph: Path, tmp_path: Path) -> None:
    """Every ONNX file, unless it is said otherwise or somebody who is trusted has signed it."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not on this machine")
    for name in ("key", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
        (tmp_path / f"{name}.signers").write_text("ci " + (tmp_path / f"{name}.pub").read_text())

    def alone(**asked: Any) -> bool:
        return isinstance(open_subject(graph, **asked)._session, IsolatedSession)  # type: ignore[attr-defined]

    assert alone()
    assert alone(allowed_signers=tmp_path / "key.signers")
    assert not alone(isolate=False)
    sign(graph, tmp_path / "key")
    assert alone(), "anybody can sign"
    assert not alone(allowed_signers=tmp_path / "key.signers")
    assert alone(allowed_signers=tmp_path / "key.signers", isolate=True)
    with pytest.raises(ModelError, match=r"its signature .* is not good"):
        alone(allowed_signers=tmp_path / "other.signers")
    graph.write_bytes(graph.read_bytes() + b"\x32\x00")
    with pytest.raises(ModelError, match=r"its signature .* is not good"):
        alone(allowed_signers=tmp_path / "key.signers")
    with pytest.raises((ModelError, InputError)):
        alone(allowed_signers=tmp_path / "absent")


def test_the_time_of_handing_rows_over_is_not_the_models(graph: Path) -> None:
    """What is timed goes on by what the other process says it worked."""
    model = open_subject(graph)
    model.predict(TABLE)
    before, began = process.TRANSFER.seconds, (process.clock(), time.perf_counter())
    model.predict(TABLE)
    worked, passed = process.clock() - began[0], time.perf_counter() - began[1]
    assert process.TRANSFER.seconds > before
    assert 0 < worked < passed


@pytest.mark.parametrize(
    "held",
    [
        b"", b"\x01", (9).to_bytes(8, "little") + b"{}", b"\xff" * 8, (4).to_bytes(8, "little") + b"nope",
        *(
            len(text).to_bytes(8, "little") + text
            for text in (
                b"[]", b"{}", b'{"plain":{}}', b'{"plain":{},"arrays":[{"dtype":"<f8","shape":[-1]}]}',
                b'{"plain":{},"arrays":[{"dtype":"<f8","shape":[4611686018427387904]}]}',
                b'{"plain":{},"arrays":[{"dtype":"|O","shape":[1]}]}',
                b'{"plain":{},"arrays":[{"dtype":"x","shape":[1]}]}',
                b'{"plain":{},"arrays":[{"dtype":"<f8","shape":[2]}]}',
                b'{"plain":{},"arrays":[{"texts":["a"],"shape":[2]}]}',
                b'{"plain":{},"arrays":7}', b"[" * 100_000,
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(held: bytes) -> None:
    with pytest.raises(frames.BrokenFrameError):
        frames.receive(io.BytesIO(held), 1 << 20)


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3), np.zeros((0, 4), dtype=np.float32), np.array([True, False]),
     np.array(3, dtype=np.int64),
     np.array([["a", "中"]], dtype=object), np.arange(12, dtype=np.int8).reshape(3, 4).T, np.arange(3.0, dtype=">f8")],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_arrays_arrive_as_they_were_sent(array: np.ndarray) -> None:
    pipe = io.BytesIO()
    frames.send(pipe, {"a": 1}, [array])
    pipe.seek(0)
    told, (found,) = frames.receive(pipe, 1 << 20)
    assert told == {"a": 1}
    assert found.shape == array.shape
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)
