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

MODELS: dict[str, bytes] = {
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
