"""Inputs that stay in files: images named by a column of the table, and texts, one per line."""

from __future__ import annotations

import codecs
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.data.hashing import hash_files
from evenhand.data.inputs import Inputs, Rows, rows_at_once
from evenhand.errors import InputError, argument, need, shorten

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain

BLOCK: Final = 1 << 20
"""Bytes of a text file looked at together."""
MOST_PIXELS: Final = 1 << 26
"""Pixels of an image: a file of a few kilobytes can declare any number."""
MODES: Final = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "LA": "L"}
"""How images are decoded, by how they are stored: gray as one channel, all else as three."""


def image_files(table: str, column: pd.Series, folder: Path) -> Inputs:
    """Return the images that a column names: (n, height, width, channels) bytes, decoded when a batch is read.

    Raises
    ------
    InputError
        When rows name no image, files are absent, or the first one cannot be decoded. When a batch is read, also for a
        file that is not an image, or one of another size.
    """
    name, unnamed = shorten(column.name), int(column.isna().sum())
    if unnamed:
        raise InputError(f"{table}: column '{name}' names no image in {unnamed:,} of {len(column):,} rows.")
    held = column.astype(str).to_numpy(dtype=object)
    absent = [file for file in held if not (folder / file).is_file()]
    if absent:
        raise InputError(
            f"{table}: {len(absent):,} of {len(held):,} images named in '{name}' are not in {folder}, "
            f"'{shorten(absent[0])}' first. Pass {argument('inputs')} with the folder they are in."
        )
    shape = decode(folder / held[0]).shape
    about: dict[str, Plain] = {"from": f"files named in '{name}'", "shape": list(shape), "dtype": "uint8"}
    read, fingerprint = partial(_images, folder, held, shape), partial(hash_files, folder, held)
    return Inputs("arrays", len(held), read, rows_at_once(shape), about, fingerprint)


def _images(folder: Path, files: NDArray[np.object_], shape: tuple[int, ...], rows: Rows) -> NDArray[np.uint8]:
    chosen = files[rows]
    found = np.empty((len(chosen), *shape), dtype=np.uint8)
    for at, file in enumerate(chosen):
        image = decode(folder / file)
        if image.shape != shape:
            raise InputError(
                f"{file}: the image is of {_said(image.shape)}, and the first of {_said(shape)}. All need one size and "
                "as many channels: resize them beforehand."
            )
        found[at] = image
    return found


def decode(file: Path) -> NDArray[np.uint8]:
    """Return an image as (height, width, channels) bytes, turned as its camera was held.

    Raises
    ------
    InputError
        When the file is not an image, or its pixels are not bytes.
    MissingExtraError
        When Pillow is absent.
    """
    need("PIL", "images")
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
            if image.width * image.height > MOST_PIXELS:
                raise InputError(
                    f"{file}: it has {image.width:,} x {image.height:,} pixels; {MOST_PIXELS:,} at most are decoded."
                )
            mode = MODES.get(image.mode)
            if mode is None:
                raise InputError(
                    f"{file}: pixels are stored as {image.mode}, not as bytes: convert the images, or pass arrays."
                )
            pixels = np.asarray(ImageOps.exif_transpose(image).convert(mode))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as wrong:
        raise InputError(f"{file}: this is no image that can be decoded: {shorten(wrong)}.") from None
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _said(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} pixels in {shape[2]} channel{'s' if shape[2] > 1 else ''}"


def text_lines(file: Path) -> Inputs:
    """Return the lines of a file as texts; only where each begins is held.

    Raises
    ------
    InputError
        When a batch is read that is not UTF-8.
    """
    ends = [np.zeros(1, dtype=np.int64)]
    with file.open("rb") as held:
        ends[0] += 3 * held.read(3).startswith(codecs.BOM_UTF8)
        held.seek(0)
        while block := held.read(BLOCK):
            began = held.tell() - len(block)
            ends.append(np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")) + 1 + began)
    starts, size = np.concatenate(ends), file.stat().st_size
    starts = starts if starts[-1] == size else np.append(starts, size)
    return Inputs("texts", len(starts) - 1, partial(_lines, file, starts), about={"from": file.name})


def _lines(file: Path, starts: NDArray[np.int64], rows: Rows) -> list[str]:
    at = np.arange(len(starts) - 1)[rows]
    lines = []
    with file.open("rb") as held:
        for start, end in zip(starts[at].tolist(), starts[at + 1].tolist(), strict=True):
            if held.tell() != start:
                held.seek(start)
            lines.append(held.read(end - start))
    try:
        return [line.decode("utf-8").rstrip("\r\n") for line in lines]
    except UnicodeDecodeError:
        raise InputError(f"{file}: the file is not UTF-8 text; save it as UTF-8.") from None
