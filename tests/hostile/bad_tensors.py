"""Malicious .safetensors files, made by code: each is a small honest file with one thing changed."""

from __future__ import annotations

import json
import struct
from typing import Any

SHAPES: dict[str, list[int]] = {"0.weight": [3, 2], "0.bias": [3], "3.weight": [1, 3], "3.bias": [1]}
NETWORK: dict[str, Any] = {"kind": "mlp", "columns": 2, "hidden": [3], "activation": "relu", "dropout": 0.0}
IMAGE: dict[str, Any] = {
    "kind": "image_mlp", "shape": [1, 1, 2], "outputs": 1, "hidden": [3], "channels": [], "kernel": 3, "dropout": 0.0,
    "heads": 1,
}  # fmt: skip
NUMBER: dict[str, Any] = {"kind": "number", "median": 0.0, "mean": 0.5, "scale": 1.0, "missing": 0}
ABOUT: dict[str, Any] = {
    "format": 1, "name": "small", "threshold": 0.5, "network": NETWORK, "history": {}, "recipe": [],
    "stored_as": "float32", "fit_rows": None,
    "preprocessing": {"rows": 9, "columns": [NUMBER | {"name": "a"}, NUMBER | {"name": "b"}], "left_out": []},
}  # fmt: skip
HUGE = 1 << 62


def size(shape: list[int]) -> int:
    found = 1
    for each in shape:
        found *= each
    return found


def entries(shapes: dict[str, list[int]]) -> dict[str, Any]:
    """Tensors one after the other."""
    found, at = {}, 0
    for name, shape in shapes.items():
        end = at + 4 * size(shape)
        found[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, end]}
        at = end
    return found


def framed(header: str | bytes, held: bytes) -> bytes:
    text = header if isinstance(header, bytes) else header.encode()
    return len(text).to_bytes(8, "little") + text + held


def numbers(shapes: dict[str, list[int]]) -> bytes:
    count = sum(map(size, shapes.values()))
    return struct.pack(f"<{count}f", *(0.1 * (at % 7) for at in range(count)))


def file(
    about: object = None, shapes: dict[str, list[int]] = SHAPES, tensors: dict[str, Any] | None = None, **more: Any
) -> bytes:
    """An honest file, but for what is given."""
    text = about if isinstance(about, str) else json.dumps(ABOUT if about is None else about)
    tensors = entries(shapes) if tensors is None else tensors
    return framed(json.dumps({"__metadata__": {"evenhand": text}, **tensors, **more}), numbers(shapes))


def said(**changed: Any) -> bytes:
    return file(ABOUT | changed)


def network(**changed: Any) -> bytes:
    return said(network=NETWORK | changed)


def image(**changed: Any) -> bytes:
    shapes = {"1.weight": [3, 2], "1.bias": [3], "4.weight": [1, 3], "4.bias": [1]}
    prepared = {"kind": "normalization", "shape": IMAGE["shape"], "mean": 0.0, "scale": 1.0, "rows": 9}
    return file(ABOUT | {"network": IMAGE | changed, "preprocessing": prepared}, shapes)


def tensor(name: str = "0.bias", **changed: Any) -> bytes:
    found = entries(SHAPES)
    found[name] = found[name] | changed
    return file(tensors=found)


def preparing(*columns: Any, **changed: Any) -> bytes:
    return said(preprocessing={"rows": 9, "columns": list(columns), "left_out": []} | changed)


def nested(times: int, kind: str) -> bytes:
    """A network of that kind within others; as text, as Python writes none so deep."""
    begin, end = {
        "ensemble": ('{"kind":"ensemble","members":[', "]}"),
        "resized": ('{"kind":"resized","sizes":{},"ranks":{},"base":', "}"),
    }[kind]
    inner = begin * times + json.dumps(NETWORK) + end * times
    return file(json.dumps(ABOUT).replace(json.dumps(NETWORK), inner, 1))


def resized(**more: Any) -> bytes:
    return said(network={"kind": "resized", "base": NETWORK, "sizes": {}, "ranks": {}} | more)


def text_of(changed: str, to: str) -> bytes:
    """An honest file with a change in the text of its header."""
    header = json.dumps({"__metadata__": {"evenhand": json.dumps(ABOUT)}, **entries(SHAPES)})
    assert changed in header
    return framed(header.replace(changed, to, 1), numbers(SHAPES))


def many(count: int, shape: list[int]) -> bytes:
    return file(shapes=SHAPES | {f"{at}": shape for at in range(10, count)})


HONEST = file()
HEADER = HONEST[8 : 8 + int.from_bytes(HONEST[:8], "little")]
A, B = NUMBER | {"name": "a"}, NUMBER | {"name": "b"}

FILES: dict[str, bytes] = {
    # the frame
    "length of 0": (0).to_bytes(8, "little") + HONEST[8:],
    "length of 1": (1).to_bytes(8, "little") + HONEST[8:],
    "seven bytes": HONEST[:7],
    "length of 2^63": (1 << 63).to_bytes(8, "little") + HONEST[8:],
    "length of 2^64-1": b"\xff" * 8 + HONEST[8:],
    "length past the end": (len(HONEST)).to_bytes(8, "little") + HONEST[8:],
    "length into the numbers": (len(HEADER) + 8).to_bytes(8, "little") + HONEST[8:],
    "header alone": HONEST[: 8 + len(HEADER)],
    "numbers cut": HONEST[:-1],
    "numbers too many": HONEST + bytes(4),
    "header of 17 MB": framed(b"{" + b" " * (17 << 20) + HEADER[1:], numbers(SHAPES)),
    # its JSON
    "no JSON": framed("{nothing}", numbers(SHAPES)),
    "JSON cut": framed(HEADER[:-9], numbers(SHAPES)),
    "text after JSON": framed(HEADER + b"{}", numbers(SHAPES)),
    "no UTF-8": framed(HEADER[:-1] + b',"\xff\xfe":1}', numbers(SHAPES)),
    "nested lists": framed('{"a":' + "[" * 200_000 + "]" * 200_000 + "}", b""),
    "nested objects": framed('{"a":' * 100_000 + "1" + "}" * 100_000, b""),
    "a tensor twice": text_of('"0.bias"', '"0.weight"'),
    "metadata twice": framed(HEADER[:-1] + b',"__metadata__":{"evenhand":"{}"}}', numbers(SHAPES)),
    "5,000 digits in a shape": text_of("[3, 2]", "[3, " + "2" * 5_000 + "]"),
    "5,000 digits in an offset": text_of("[0, 24]", "[0, " + "9" * 5_000 + "]"),
    "NaN in a shape": text_of("[3, 2]", "[3, NaN]"),
    "1e999 in a shape": text_of("[3, 2]", "[3, 1e999]"),
    "half a character": text_of('"3.bias"', '"\\ud800"'),
    "metadata no object": framed('{"__metadata__":[1]}', b""),
    "metadata no texts": framed('{"__metadata__":{"evenhand":{"format":1}}}', b""),
    "a list": framed('{}[{"a":1}]', b""),
    # its tensors
    "overlapping": tensor(data_offsets=[20, 32]),
    "a gap": tensor(data_offsets=[28, 40]),
    "all in one place": file(tensors={name: one | {"data_offsets": [0, 24]} for name, one in entries(SHAPES).items()}),
    "offsets turned round": tensor(data_offsets=[36, 24]),
    "offsets below 0": tensor(data_offsets=[-12, 0]),
    "offsets of 2^62": tensor(data_offsets=[HUGE, HUGE + 12]),
    "offsets true and false": tensor(data_offsets=[False, True]),
    "offsets of fractions": tensor(data_offsets=[24.0, 36.0]),
    "three offsets": tensor(data_offsets=[24, 30, 36]),
    "shape below 0": tensor(shape=[-3]),
    "shape of 2^62": tensor(shape=[HUGE]),
    "shape that wraps": tensor(shape=[1 << 32, 1 << 32]),
    "shape of a text": tensor(shape="3"),
    "shape of nine axes": tensor(shape=[1] * 8 + [3]),
    "shape of 100,000 axes": tensor(shape=[1] * 100_000 + [3]),
    "unknown type": tensor(dtype="F4096"),
    "type no text": tensor(dtype=["F32"]),
    "type of half the bytes": tensor(dtype="F16"),
    "a key too many": tensor(code="import os"),
    "a tensor that is a text": file(x="y"),
    "200,000 empty tensors": many(200_000, [0]),
    "20,001 tensors": many(20_010, [1]),
    # what it says of its network
    "200,000 layers": network(hidden=[1] * 200_000),
    "200,000 wide layers": network(hidden=[65_536] * 200_000),
    "a layer of 2^40": network(hidden=[1 << 40]),
    "a layer of 2^62": network(hidden=[HUGE]),
    "a layer of -1": network(hidden=[-1]),
    "a layer of 0": network(hidden=[0]),
    "columns of 2^40": network(columns=1 << 40),
    "columns of 10^19": network(columns=10**19),
    "outputs of 2^31": network(outputs=1 << 31),
    "outputs of 0": network(outputs=0),
    "dropout of 7": network(dropout=7.0),
    "another layer": network(hidden=[3, 3]),
    "no layer": network(hidden=[]),
    "wider layer": network(hidden=[4]),
    "hidden a text": network(hidden="999999"),
    "hidden a number": network(hidden=3),
    "residual of 2^40": network(kind="residual", hidden=[1 << 40]),
    "transformer without layers": network(kind="transformer", hidden=[]),
    "transformer without heads": network(kind="transformer", heads=0),
    "transformer of 2^40 columns": network(kind="transformer", blocks=[1 << 40, 1]),
    "transformer of blocks below 0": network(kind="transformer", blocks=[-1, 3]),
    "wide and deep of 2^40": network(kind="wide_deep", hidden=[1 << 40]),
    "embedding of 2^40": network(embedding=1 << 40, blocks=[1 << 41]),
    "embedding below 0": network(embedding=-1, blocks=[2]),
    "unknown network": network(kind="os.system"),
    "unknown activation": network(activation="__import__"),
    "a given network": said(network={"kind": "given", "outputs": 1, "name": "Evil"}),
    "an ensemble of nothing": said(network={"kind": "ensemble", "members": []}),
    "an ensemble of 50,000": said(network={"kind": "ensemble", "members": [NETWORK] * 50_000}),
    "ensembles within ensembles": nested(25, "ensemble"),
    "ensembles deeper": nested(3_000, "ensemble"),
    "resized within resized": nested(3_000, "resized"),
    "resized to 2^40": resized(sizes={"0.weight": [1 << 40, 2]}),
    "resized to nothing": resized(sizes={"0.weight": [0, 2]}),
    "resized code": resized(sizes={"__class__.__init__": [1]}),
    "resized an activation": resized(sizes={"1.weight": [1]}),
    "a product of rank 2^40": resized(ranks={"0": 1 << 40}),
    "a product of no layer": resized(ranks={"1": 1}),
    "a base of 2^40": resized(base=NETWORK | {"hidden": [1 << 40]}, sizes={"0.weight": [3, 2]}),
    "an image of 2^40": image(shape=[3, 1 << 20, 1 << 20]),
    "an image of 0": image(shape=[0, 1, 2]),
    "an image of two axes": image(shape=[1, 2]),
    "convolutions of 2^40": image(kind="cnn", shape=[1, 64, 64], channels=[1 << 40]),
    "a window of 2^31": image(kind="cnn", shape=[1, 64, 64], channels=[1], kernel=1 << 31),
    "a resnet of 2^40": image(kind="resnet18", outputs=1 << 40),
    "an encoder without heads": image(kind="encoder", heads=0),
    "an encoder of 2^40": image(kind="encoder", hidden=[1 << 40]),
    "other names": file(shapes={f"x.{name}": shape for name, shape in SHAPES.items()}),
    "a tensor too few": file(shapes={name: SHAPES[name] for name in list(SHAPES)[:3]}),
    "a tensor too many": file(shapes=SHAPES | {"5.weight": [1 << 20]}),
    "turned round": file(shapes=SHAPES | {"0.weight": [2, 3]}),
    # what it says of its columns
    "no preprocessing": file({key: value for key, value in ABOUT.items() if key != "preprocessing"}),
    "no columns": preparing(),
    "a column too many": preparing(A, B, NUMBER | {"name": "c"}),
    "a column that is a text": preparing("a", "b"),
    "an unknown column": preparing(A, B | {"kind": "lambda"}),
    "levels that are a number": preparing(A, {"kind": "category", "name": "b", "missing": 0, "rare": 0, "levels": 7}),
    "a mean that is a list": preparing(A, B | {"mean": [0.0]}),
    "an infinite scale": file(json.dumps(ABOUT).replace('"scale": 1.0', '"scale": Infinity', 1)),
    "rows of 10^30": preparing(A, B, rows=10**30),
    # what else it says
    "threshold a list": said(threshold=[0.5]),
    "threshold null": said(threshold=None),
    "threshold NaN": file(json.dumps(ABOUT).replace("0.5", "NaN", 1)),
    "format 999": said(format=999),
    "format 10^300": said(format=10**300),
    "format a text": said(format="one"),
    "nothing said": file("null"),
    "a list said": file("[]"),
    "a history 5,000 deep": file(json.dumps(ABOUT).replace('"history": {}', '"history": ' + "[" * 5_000 + "]" * 5_000)),
    "a history 500 deep": file(json.dumps(ABOUT).replace('"history": {}', '"history": ' + "[" * 500 + "]" * 500)),
    "a history of half a character": file(json.dumps(ABOUT).replace('"history": {}', '"history": {"a": "\\ud800"}')),
    "a name twice": file(json.dumps(ABOUT).replace('"format": 1', '"format": 1, "name": "other"')),
    "no tensors of evenhand": framed(json.dumps(entries(SHAPES)), numbers(SHAPES)),
}  # fmt: skip
"""Each has to be refused."""
