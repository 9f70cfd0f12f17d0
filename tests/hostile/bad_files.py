"""Malicious files that are neither tensors nor graphs: pickles, archives, arrays, texts, and what is no file at all."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CANARY = "ran_code"
"""The file that code in a model file would make in the current folder."""


class Boom:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {CANARY}",)


def pickled(protocol: int) -> bytes:
    return pickle.dumps(Boom(), protocol=protocol)


def array_header(text: str, held: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A .npy file with any header."""
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text) + 1)
    return b"\x93NUMPY" + version + size + text.encode("latin1") + b"\n" + held


def shaped(shape: str, dtype: str = "'<f4'") -> bytes:
    return array_header(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}", bytes(64))


def archive(held: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", kind) as file:
        for name, content in held.items():
            file.writestr(name, content)
    return made.getvalue()


def saved(**arrays: Any) -> bytes:
    made = io.BytesIO()
    np.savez_compressed(made, **arrays)
    return made.getvalue()


def objects() -> bytes:
    made = io.BytesIO()
    np.save(made, np.array([Boom()], dtype=object), allow_pickle=True)
    return made.getvalue()


BOMB = bytes(64 << 20)
OBJECTS = objects()
PROTOCOL = pickled(4)


def trees(**nodes: list[int]) -> bytes:
    """A model of XGBoost with one tree, whose root asks and whose two leaves answer, unless nodes are given."""
    tree = {
        "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
        "split_conditions": [0.5, 1.0, -1.0], "base_weights": [0.0, 1.0, -1.0], "default_left": [1, 0, 0],
        "parents": [2147483647, 0, 0], "split_type": [0, 0, 0], "sum_hessian": [1.0, 1.0, 1.0],
        "loss_changes": [0.0, 0.0, 0.0], "categories": [], "categories_nodes": [], "categories_segments": [],
        "categories_sizes": [], "id": 0,
        "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "3", "size_leaf_vector": "1"},
    }  # fmt: skip
    parts = {"num_parallel_tree": "1", "num_trees": "1"}
    model = {"gbtree_model_param": parts, "tree_info": [0], "trees": [{**tree, **nodes}], "iteration_indptr": [0, 1]}
    told = {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0", "num_feature": "2", "num_target": "1"}
    learner = {
        "learner_model_param": told, "gradient_booster": {"name": "gbtree", "model": model}, "attributes": {},
        "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}},
    }  # fmt: skip
    return json.dumps({"learner": learner, "version": [3, 2, 0]}).encode()


def of_keras(*layers: dict[str, Any], **more: bytes) -> bytes:
    """An archive as Keras writes it, with layers and other members."""
    settings = json.dumps({"module": "keras", "class_name": "Sequential", "config": {"layers": layers}})
    held = {"config.json": settings.encode(), "metadata.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"}
    return archive({**held, **more})


def number_of_ubjson(count: int) -> bytes:
    """A document whose list says that it holds so many numbers."""
    return b"{L" + (7).to_bytes(8, "big") + b"learner[$l#L" + count.to_bytes(8, "big", signed=True) + b"}"


def typed(kind: str, module: str) -> bytes:
    """A skops archive that names a type."""
    told = {"__class__": kind, "__module__": module, "__loader__": "TypeNode", "__id__": 1}
    return archive({"schema.json": json.dumps({**told, "protocol": 2, "_skops_version": "0.16"}).encode()})


HEAD_OF_LIGHTGBM = b"tree\nversion=v4\nmax_feature_idx=1\nnum_class=1\nnum_tree_per_iteration=1\nfeature_names=a b\n"
LEAF_OF_LIGHTGBM = b"Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0\ndecision_type=2\n"

MODELS: dict[str, bytes] = {
    # boosted trees
    "a cycle.json": trees(left_children=[0, -1, -1]),
    "a node of two parents.json": trees(right_children=[1, -1, -1]),
    "a child beyond.json": trees(left_children=[1 << 40, -1, -1]),
    "a column beyond.json": trees(split_indices=[9, 0, 0]),
    "fewer nodes.json": trees(default_left=[1]),
    "categories of no node.json": trees(split_type=[1, 0, 0]),
    "no numbers.json": trees(left_children=["a", -1, -1]),  # type: ignore[list-item]
    "learner alone.json": b'{"learner": 7}',
    "2^60 numbers.ubj": number_of_ubjson(1 << 60),
    "fewer than none.ubj": number_of_ubjson(-1),
    "nested.ubj": b"{L" + (7).to_bytes(8, "big") + b"learner" + b"[" * 100_000,
    "no trees.txt": b"tree\nversion=v4\n",
    "a leaf beyond.txt": HEAD_OF_LIGHTGBM
    + b"feature_infos=none none\ntree_sizes=110\n\n"
    + LEAF_OF_LIGHTGBM
    + b"left_child=-9\nright_child=-2\n"
    b"leaf_value=1 2\n\n\nend of trees\n",
    "10^18 leaves.txt": b"tree\nversion=v4\nnum_class=1\nTree=0\nnum_leaves=1000000000000000000\nend of trees\n",
    "longer than it is.cbm": b"CBM1" + b"\xff" * 60,
    "zeros of CatBoost.cbm": b"CBM1" + (4096).to_bytes(4, "little") + bytes(4096),
    # archives of models
    "a pickle inside.keras": of_keras(**{"layers.pkl": PROTOCOL}),
    "a lambda.keras": of_keras({"module": "keras.layers", "class_name": "Lambda", "config": {}}),
    "a module of torch.keras": of_keras({"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {}}),
    "a function.keras": of_keras({"module": "keras.utils", "class_name": "function", "config": "get_file"}),
    "a command.keras": of_keras({"module": "os", "class_name": "system", "config": {}}),
    "a vocabulary.keras": of_keras({"config": {"vocabulary": "/etc/passwd"}}),
    "a bomb.keras": of_keras(**{f"assets/{at}": BOMB for at in range(3)}),
    "a command.skops": typed("system", "os"),
    "a pickle for a schema.skops": archive({"schema.json": PROTOCOL}),
    "out of the folder.skops": archive({"schema.json": b"{}", f"../{CANARY}": b""}),
    "a pickle inside.pt2": archive({"m/models/model.json": b"{}", "m/archive_format": b"pt2", "m/weights": PROTOCOL}),
    "a script.pt": archive({"m/constants.pkl": PROTOCOL, "m/data.pkl": PROTOCOL, "m/version": b"3"}),
    # pickles, under any name
    **{f"protocol {version}.pkl": pickled(version) for version in range(6)},
    **{f"protocol {version}.joblib": pickled(version) for version in (0, 2, 4)},
    **{f"a pickle.{ending}": PROTOCOL for ending in ("onnx", "safetensors", "json", "pt", "npy", "csv", "h5")},
    "a pickle without ending": PROTOCOL,
    "compressed.joblib": zlib.compress(PROTOCOL),
    "compressed by gzip.pkl": gzip.compress(PROTOCOL),
    "compressed by bz2.pickle": bz2.compress(PROTOCOL),
    "compressed by lzma.joblib": lzma.compress(PROTOCOL),
    "a bomb.joblib": zlib.compress(BOMB),
    "a bomb of gzip.pkl": gzip.compress(BOMB),
    "a cut pickle.pkl": PROTOCOL[:-3],
    "much to allocate.pkl": b"\x80\x04\x8e" + (1 << 60).to_bytes(8, "little"),
    "stack on stack.pkl": b"\x80\x04" + b"(" * (1 << 20),
    "named in capitals.PKL": pickled(0),
    # archives
    "saved by torch.pt": archive({"archive/data.pkl": PROTOCOL, "archive/version": b"3"}),
    "saved by torch.onnx": archive({"archive/data.pkl": PROTOCOL}),
    "saved by Keras.keras": archive({"config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"}),
    "a bomb.zip": archive({"a": BOMB}),
    "out of the folder.zip": archive({f"../../{CANARY}": b"", f"/tmp/{CANARY}": b""}, zipfile.ZIP_STORED),
    "a cut archive.pt": archive({"a": b"a"})[:20],
    "arrays.npz": saved(a=np.zeros(8 << 20)),
    "objects.npz": archive({"a.npy": OBJECTS}),
    "objects.npy": OBJECTS,
    "an archive with a header before.safetensors": (2).to_bytes(8, "little") + b"{}" + archive({"a": b"a"}),
    # texts
    "trees.json": json.dumps({"learner": {"learner_model_param": {}}, "version": [3, 0, 0]}).encode(),
    "lists within lists.json": b"[" * (1 << 20),
    "a program.py": f"open('{CANARY}', 'w')".encode(),
    "a program.onnx": f"#!/bin/sh\ntouch {CANARY}\n".encode(),
    "a page.pmml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><PMML>&b;</PMML>",
    "one long line.txt": b"a" * (8 << 20),
    "control characters.onnx": b"\x1b[2J\x1b]0;a\x07" * 99,
    # bytes
    "empty.onnx": b"",
    "one byte.onnx": b"\x08",
    "zeros.onnx": bytes(1 << 20),
    "HDF5.h5": b"\x89HDF\r\n\x1a\n" + bytes(99),
    "GGUF.gguf": b"GGUF" + b"\xff" * 60,
    "TFLite.tflite": b"\x1c\x00\x00\x00TFL3" + bytes(64),
    "a program.exe": b"\x7fELF" + bytes(99),
    "a shape.npy": shaped(f"({1 << 60},)"),
}
"""File names and what they hold; each has to be refused as a model."""

INPUTS: dict[str, bytes] = {
    "2^60 numbers.npy": shaped(f"({1 << 60},)"),
    "2^40 by 2^40 numbers.npy": shaped(f"({1 << 40}, {1 << 40})"),
    "10^30 numbers.npy": shaped(f"({10**30},)"),
    "below 0.npy": shaped("(-2, 2)"),
    "fewer than there are.npy": shaped("(3, 2)"),
    "more than there are.npy": shaped("(3, 1000)"),
    "no shape.npy": shaped("'a'"),
    "true.npy": shaped("(True, 16)"),
    "objects.npy": OBJECTS,
    "objects of a header.npy": array_header("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", PROTOCOL),
    "records.npy": shaped("(4,)", "[('a', '<f4'), ('b', '|O')]"),
    "a long type.npy": shaped("(1,)", "'<U1000000000'"),
    "no header.npy": b"\x93NUMPY\x01\x00\xff\xff",
    "a header of 4 GB.npy": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
    "nested.npy": array_header("(" * 9_000, version=b"\x02\x00"),
    "a program.npy": array_header(f"__import__('os').system('touch {CANARY}')"),
    "version 9.npy": array_header("{}", version=b"\x09\x00"),
    "a pickle.npy": PROTOCOL,
    "an archive.npy": saved(a=np.zeros(3)),
    "empty.npy": b"",
}
"""Arrays given as the inputs of a model of three rows; each has to be refused."""


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _sparse(place: Path, start: bytes) -> None:
    with place.open("wb") as held:
        held.write(start)
        held.truncate(200 << 30)


NO_FILES: dict[str, Callable[[Path], object]] = {
    "absent.onnx": lambda place: None,
    "a folder.onnx": lambda place: place.mkdir(),
    "a pipe.onnx": _pipe,
    "a device.onnx": lambda place: place.symlink_to("/dev/zero"),
    "the terminal.onnx": lambda place: place.symlink_to("/dev/stdin"),
    "a link to itself.onnx": lambda place: place.symlink_to(place),
    "a link to nothing.onnx": lambda place: place.symlink_to(place.with_name("nothing")),
    f"{'long' * 70}.onnx": lambda place: None,
    "200 GB of nothing.onnx": lambda place: _sparse(place, b"\x08"),
    "200 GB of nothing.safetensors": lambda place: _sparse(place, (2).to_bytes(8, "little") + b"{}"),
    "200 GB of nothing.pkl": lambda place: _sparse(place, b"\x80\x04"),
    "200 GB of nothing.bin": lambda place: _sparse(place, b""),
}
"""What makes each of them; each has to be refused."""
