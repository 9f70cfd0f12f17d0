"""Inputs beside the table: opened, read batch by batch, taken apart, fingerprinted, and refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data import Inputs, as_inputs, pick
from evenhand.data import inputs as module
from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

N = 60
ROLES: dict[str, Any] = {"label": "y", "sensitive_features": "sex"}


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    texts = [f"word {at}\u00e4" for at in range(N)]
    return pd.DataFrame({"y": rng.integers(0, 2, N), "sex": ["f", "m"] * (N // 2), "text": texts})


def images() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (N, 6, 5, 3), dtype=np.uint8)


def sources(folder: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every way to hold the same images and the same texts."""
    torch = pytest.importorskip("torch")
    held, texts = images(), table()["text"].tolist()
    np.save(folder / "images.npy", held)
    (folder / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    (folder / "windows.txt").write_bytes("\r\n".join(texts).encode() + b"\r\n")

    class Faces(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]
        def __len__(self) -> int:
            return N

        def __getitem__(self, at: int) -> tuple[object, int]:
            return torch.from_numpy(held[at]), at % 2

    pairs = list(zip(texts, range(N), strict=True))
    return {
        "array": ("arrays", {"inputs": held}),
        "array file": ("arrays", {"inputs": folder / "images.npy"}),
        "mapped array": ("arrays", {"inputs": np.load(folder / "images.npy", mmap_mode="r")}),
        "tensor": ("arrays", {"inputs": torch.from_numpy(held)}),
        "TensorDataset": (
            "arrays", {"inputs": torch.utils.data.TensorDataset(torch.from_numpy(held), torch.arange(N))},
        ),
        "Dataset": ("arrays", {"inputs": Faces()}),
        "shuffled DataLoader": (
            "arrays", {"inputs": torch.utils.data.DataLoader(Faces(), batch_size=7, shuffle=True)},
        ),
        "column": ("texts", {"texts": "text"}),
        "list": ("texts", {"inputs": texts}),
        "Series": ("texts", {"inputs": pd.Series(texts)}),
        "array of texts": ("texts", {"inputs": np.array(texts)}),
        "lines": ("texts", {"inputs": folder / "texts.txt"}),
        "lines of Windows": ("texts", {"inputs": str(folder / "windows.txt")}),
        "Dataset of texts": ("texts", {"inputs": torch.utils.data.DataLoader(pairs, batch_size=9)}),
    }  # fmt: skip


def test_one_content_whatever_holds_it(tmp_path: Path) -> None:
    """Inputs are the same rows with the same fingerprints in memory, in a file and behind a data set of torch."""
    wanted = {"arrays": images(), "texts": table()["text"].tolist()}
    order = np.random.default_rng(2).permutation(N)
    hashes: dict[str, np.ndarray] = {}
    contents: dict[str, str] = {}
    for name, (kind, given) in sources(tmp_path).items():
        data = eh.read_evaluation_set(table(), **ROLES, **given)
        assert isinstance(data.inputs, Inputs), name
        assert data.inputs.kind == kind, name
        assert len(data.inputs) == N
        turned = data.take(order)
        for inputs, rows in ((data.inputs, np.arange(N)), (turned.inputs, order)):
            parts = list(inputs.batches(11))
            assert [len(part) for part in parts] == [11] * 5 + [5], name
            whole = np.concatenate([np.asarray(part) for part in parts])
            np.testing.assert_array_equal(whole, np.asarray(wanted[kind])[rows], err_msg=name)
            np.testing.assert_array_equal(np.asarray(inputs.whole()), whole, err_msg=name)
        np.testing.assert_array_equal(hashes.setdefault(kind, data.inputs.hashes()), data.inputs.hashes(), err_msg=name)
        whose = f"{kind} {name}" if name == "column" else kind  # whose texts are not in the table a second time
        assert turned.content_hash() == data.content_hash() == contents.setdefault(whose, data.content_hash()), name
        np.testing.assert_array_equal(turned.row_hashes(), data.row_hashes()[order], err_msg=name)
    assert len(set(contents.values())) == len(contents) == 3


def test_a_fingerprint_tells_other_inputs_and_other_pairs() -> None:
    held = images()
    known = eh.read_evaluation_set(table(), **ROLES, inputs=held)
    other = held.copy()
    other[3, 0, 0, 0] ^= 1
    assert eh.read_evaluation_set(table(), **ROLES, inputs=other).content_hash() != known.content_hash()
    swapped = np.roll(held, 1, axis=0)
    assert eh.read_evaluation_set(table(), **ROLES, inputs=swapped).content_hash() != known.content_hash()
    assert eh.read_evaluation_set(table(), **ROLES).content_hash() != known.content_hash()
    wide = held.astype(np.int16)
    assert eh.read_evaluation_set(table(), **ROLES, inputs=wide).content_hash() != known.content_hash(), "of other type"


def test_an_image_is_a_file_named_by_a_column(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    held, rows = images(), table().assign(file=[f"faces/{at}.png" for at in range(N)])
    (tmp_path / "faces").mkdir()
    for name, pixels in zip(rows["file"], held, strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    near = eh.read_evaluation_set(tmp_path / "rows.csv", images="file", **ROLES)
    named = eh.read_evaluation_set(rows, images="file", inputs=tmp_path, **ROLES)
    for data in (near, named):
        np.testing.assert_array_equal(np.asarray(data.inputs.whole()), held)
        assert "file" not in data.features
    assert near.content_hash() == named.content_hash()
    again = eh.read_evaluation_set(rows[:9], like=near, inputs=tmp_path)
    np.testing.assert_array_equal(np.asarray(again.inputs.whole()), held[:9])

    gray = Image.fromarray(held[0, :, :, 0])
    gray.save(tmp_path / "faces" / "5.png")
    with pytest.raises(InputError, match=r"5.png: the image is of 5 x 6 pixels in 1 channel, and the first of 5 x 6"):
        list(named.inputs.batches())
    (tmp_path / "faces" / "5.png").write_bytes(b"no image at all")
    with pytest.raises(InputError, match=r"5.png: this is no image that can be decoded"):
        list(named.inputs.batches())
    Image.fromarray(np.ones((6, 5), dtype=np.uint16)).save(tmp_path / "faces" / "0.png")
    with pytest.raises(InputError, match=r"0.png: pixels are stored as I.*, not as bytes"):
        eh.read_evaluation_set(rows, images="file", inputs=tmp_path, **ROLES)
    (tmp_path / "faces" / "7.png").unlink()
    with pytest.raises(InputError, match=r"1 of 60 images named in 'file' are not in .*'faces/7.png' first"):
        eh.read_evaluation_set(rows, images="file", inputs=tmp_path, **ROLES)
    with pytest.raises(InputError, match=r"names no image in 1 of 60 rows"):
        eh.read_evaluation_set(rows.replace("faces/2.png", None), images="file", inputs=tmp_path, **ROLES)


def test_token_ids_and_records() -> None:
    ids = [[at, at + 1] if at % 2 else [at] for at in range(N)]
    records = [{"text": f"t{at}", "pixels": np.full(2, at)} for at in range(N)]
    for kind, given in (("tokens", ids), ("records", records)):
        data = eh.read_evaluation_set(table(), **ROLES, inputs=given)
        assert data.inputs.kind == kind
        assert len(set(data.inputs.hashes().tolist())) == N
        assert pick(data.inputs, np.array([4, 2])) == [given[4], given[2]]


def test_a_table_is_handed_over_as_it_is() -> None:
    data = eh.read_evaluation_set(table().assign(age=1.5), exclude="text", **ROLES)
    frame = data.X
    inputs = as_inputs(frame)
    (batch,) = inputs.batches()
    assert batch is frame, "whole and without a copy"
    assert [len(part) for part in inputs.batches(25)] == [25, 25, 10]
    assert data.inputs.kind == "table"
    assert data.inputs.describe() == {"kind": "table", "columns": 1}


def test_batches_are_as_large_as_memory_bears() -> None:
    large = as_inputs(np.zeros((40, 512, 512), dtype=np.uint8))
    assert {len(part) for part in large.batches()} == {16, 8}
    small = as_inputs(np.zeros((10_000, 2)))
    assert max(len(part) for part in small.batches()) == module.MOST_ROWS
    assert max(len(part) for part in as_inputs(["a"] * 10_000).batches()) == module.MOST_ROWS


def test_what_is_no_input_is_refused_with_the_way_out(tmp_path: Path) -> None:
    rows = table()
    rows.loc[3, "text"] = None
    stream = iter(range(N))

    class Loader:
        dataset = stream

        def __iter__(self) -> object:
            return self.dataset

    wrong: list[tuple[dict[str, Any], str]] = [
        ({"inputs": images()[:5]}, "there are 5 inputs and 60 rows; each row needs its own"),
        ({"inputs": 3}, "a path, a data set or loader of PyTorch, not a int"),
        ({"inputs": [1.5] * N}, "Rows of floating are no inputs"),
        ({"inputs": Loader()}, "gives its items only in turn"),
        ({"inputs": tmp_path}, "is a folder: name the column of its files by images="),
        ({"inputs": tmp_path / "none.npy"}, "there is no such file of inputs"),
        ({"texts": "text"}, "column 'text' has no text in 1 of 60 rows"),
        ({"texts": "sex", "inputs": images()}, "give one of them"),
        ({"texts": "sex", "images": "sex"}, "give one of them"),
        ({"texts": "words"}, "there is no text column 'words'"),
        ({"texts": "y"}, "column 'y' holds int64, not texts"),
    ]
    for given, said in wrong:
        with pytest.raises(InputError, match=said):
            eh.read_evaluation_set(rows, **ROLES, **given)
    known = eh.read_evaluation_set(table(), **ROLES, inputs=images())
    with pytest.raises(InputError, match="data holds arrays; pass inputs= with those of these rows"):
        eh.read_evaluation_set(table(), like=known)
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n" * N)
    with pytest.raises(InputError, match=r"latin.txt: the file is not UTF-8"):
        eh.read_evaluation_set(table(), **ROLES, inputs=tmp_path / "latin.txt").inputs.whole()


def test_a_split_takes_inputs_along(tmp_path: Path) -> None:
    data = eh.read_evaluation_set(table(), **ROLES, inputs=images())
    parts = eh.split(data, {"train": 0.5, "test": 0.5}, seed=1)
    both = np.concatenate([np.asarray(part.inputs.whole()) for part in parts.values()])
    assert {row.tobytes() for row in both} == {row.tobytes() for row in images()}
