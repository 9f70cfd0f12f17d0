"""Files: opened by what is in them, and refused in one sentence."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from evenhand.errors import ModelError
from evenhand.subjects import open_subject
from evenhand.subjects.loading import model_kind

ROOM = Path(__file__).parents[2] / "src" / "evenhand" / "subjects"
TABLE = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 0, 1, 0]})


class Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran_code",)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.onnx", "model"])
def test_a_pickle_is_refused_whatever_it_is_called_and_nothing_in_it_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps(Boom()))
    with pytest.raises(ModelError, match=r"can run any code on this machine.*trust_pickle=True"):
        open_subject(tmp_path / name)
    assert not (tmp_path / "ran_code").exists()


@pytest.mark.parametrize("compress", [0, 3])
def test_a_trusted_pickle_predicts_and_carries_its_files_hash(tmp_path: Path, compress: int) -> None:
    model = LogisticRegression().fit(TABLE, [0, 0, 1, 1])
    path = tmp_path / "credit.joblib"
    joblib.dump(model, path, compress=compress)
    with pytest.raises(ModelError, match="is a pickle"):
        open_subject(path)
    subject = open_subject(path, trust_pickle=True)
    assert np.array_equal(subject.predict(TABLE), model.predict_proba(TABLE)[:, 1])
    assert subject.name == "credit"
    assert subject.facts["file_bytes"] == path.stat().st_size
    assert len(str(subject.facts["sha256"])) == 64


def test_a_trusted_but_broken_pickle(tmp_path: Path) -> None:
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression())[:-20])
    with pytest.raises(ModelError, match="could not be unpickled"):
        open_subject(path, trust_pickle=True)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "m.onnx", "is empty"),
        (b"PK\x03\x04rest", "m.pt", "zip archive"),
        (b"\x89HDF\r\n\x1a\nrest", "m.h5", "HDF5"),
        (b'{"layers": {}}', "m.json", r"JSON"),
        (b'{"learner": {}}', "m.json", "no model that XGBoost saved"),
        (b"tree\nversion=v4\n", "m.txt", "no model that LightGBM saved"),
        (b"CBM1\xff\xff\xff\xff", "m.cbm", "damaged model of CatBoost"),
        (b"a,b\n1,2\n", "m.onnx", "is text, no model"),
        (bytes(range(200, 256)) * 4, "m.onnx", "no model file of a known kind .it begins with c8 c9"),
        (b"\x08\x09garbage follows", "m.onnx", "no ONNX file that ONNX Runtime can run"),
        ((2).to_bytes(8, "little") + b"{}", "m.safetensors", "load_model"),
    ],
)
def test_another_kind_of_file_gets_one_sentence(content: bytes, name: str, message: str, tmp_path: Path) -> None:
    if "ONNX Runtime" in message:
        pytest.importorskip("onnxruntime")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        open_subject(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no model file"):
        open_subject(tmp_path / "absent.onnx")
    with pytest.raises(ModelError, match="is a folder"):
        open_subject(tmp_path)


def test_the_door_loads_nothing_heavy() -> None:
    heavy = ("torch", "sklearn", "shap", "onnxruntime", "pandas")
    code = f"import sys, evenhand.subjects; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("start", [b"\x80\x02", b"\x80\x05", b"PK"])
def test_a_length_that_is_spelt_like_another_start_leaves_a_file_what_it_is(start: bytes, tmp_path: Path) -> None:
    """The first eight bytes of a safetensors file are the length of its header: 640 is the start of a pickle."""
    length = int.from_bytes(start, "little")
    place = tmp_path / "model.safetensors"
    place.write_bytes(length.to_bytes(8, "little") + b"{}".ljust(length))
    assert model_kind(place) == "safetensors"
