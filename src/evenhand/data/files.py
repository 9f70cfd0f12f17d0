"""Inputs that stay in files: images named by a column of the table, and texts, one a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.data.hashing import hash_batch, hash_files
from evenhand.data.inputs import MOST_ROWS, StoredInputs, rows_at_once
from evenhand.errors import InputError, need, shorten

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain

BLOCK: Final = 1 << 20
"""Bytes of a text file looked at together."""
MODES: Final = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "LA": "L"}
"""How images are decoded, by how they are stored: gray as one channel, all else as three."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageFiles:
    """Images of one size, decoded when a batch is read: (n, height, width, channels) bytes from 0 to 255."""

    names: NDArray[np.object_]
    """(n,) paths, of the folder or absolute."""
    folder: Path
    """Where relative ones begin."""
    column: str
    """The column of the table that names them."""
    shape: tuple[int, ...]
    """Of the first image, which all others share."""

    @property
    def at_once(self) -> int:
        """Rows of a batch."""
        return rows_at_once(self.shape, 1)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    def read(self, rows: NDArray[np.intp] | slice) -> NDArray[np.uint8]:
        """Return these images.

        Raises
        ------
        InputError
            When a file is no image, or one of another size than the first.
        """
        found = np.empty((len(self.names[rows]), *self.shape), dtype=np.uint8)
        for at, file in enumerate(self._files(rows)):
            image = decode(file)
            if image.shape != self.shape:
                raise InputError(
                    f"{file}: the image is of {_said(image.shape)}, and the first of {_said(self.shape)}. All need one "
                    "size and as many channels: resize them beforehand."
                )
            found[at] = image
        return found

    def hashes(self, rows: NDArray[np.intp] | slice) -> NDArray[np.uint64]:
        """Return one hash a file, of its bytes."""
        return hash_files(self._files(rows))

    def describe(self) -> dict[str, Plain]:
        """Return column and shape; where the folder is says nothing of the images."""
        return {"from": f"files named in '{self.column}'", "shape": list(self.shape), "dtype": "uint8"}

    def _files(self, rows: NDArray[np.intp] | slice) -> list[Path]:
        return [self.folder / name for name in self.names[rows]]


def image_files(table: str, column: pd.Series, folder: Path) -> StoredInputs:
    """Return the images that a column names, after looking whether all are there.

    Raises
    ------
    InputError
        When rows name no image, files are absent, or the first one cannot be decoded.
    """
    name = shorten(column.name)
    names = column.to_numpy(dtype=object)
    unnamed = int(column.isna().sum())
    if unnamed:
        raise InputError(f"{table}: column '{name}' names no image in {unnamed:,} of {len(names):,} rows.")
    absent = [str(file) for file in names if not (folder / str(file)).is_file()]
    if absent:
        raise InputError(
            f"{table}: {len(absent):,} of {len(names):,} images named in '{name}' are not in {folder}, "
            f"'{shorten(absent[0])}' first. Pass inputs= with the folder they are in."
        )
    return StoredInputs("arrays", ImageFiles(names, folder, name, decode(folder / names[0]).shape))


def decode(file: Path) -> NDArray[np.uint8]:
    """Return an image as (height, width, channels) bytes, turned as its camera was held.

    Raises
    ------
    InputError
        When the file is no image, or its pixels are no bytes.
    MissingExtraError
        When Pillow is absent.
    """
    need("PIL", "images")
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
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


@dataclass(frozen=True, slots=True, eq=False)
class TextLines:
    """A file of texts, one a line, of which only the places of the lines are held."""

    file: Path
    """UTF-8."""
    starts: NDArray[np.int64]
    """(n + 1,) where each line begins, and where the last ends."""

    @property
    def at_once(self) -> int:
        """Rows of a batch."""
        return MOST_ROWS

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.starts) - 1

    def read(self, rows: NDArray[np.intp] | slice) -> list[str]:
        """Return these lines without their ends.

        Raises
        ------
        InputError
            When the file is not UTF-8.
        """
        at = np.arange(len(self))[rows]
        with self.file.open("rb") as held:
            lines = [self._line(held, int(self.starts[row]), int(self.starts[row + 1])) for row in at]
        try:
            return [line.decode("utf-8").rstrip("\r\n") for line in lines]
        except UnicodeDecodeError:
            raise InputError(f"{self.file}: the file is not UTF-8 text; save it as UTF-8.") from None

    def hashes(self, rows: NDArray[np.intp] | slice) -> NDArray[np.uint64]:
        """Return one hash a text."""
        return hash_batch(self.read(rows))

    def describe(self) -> dict[str, Plain]:
        """Return the file's name."""
        return {"from": self.file.name}

    def _line(self, held: Any, start: int, end: int) -> bytes:
        if held.tell() != start:
            held.seek(start)
        return cast("bytes", held.read(end - start))


def text_lines(file: Path) -> StoredInputs:
    """Return the lines of a file as texts."""
    ends = [np.zeros(1, dtype=np.int64)]
    with file.open("rb") as held:
        while block := held.read(BLOCK):
            began = held.tell() - len(block)
            ends.append(np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")) + 1 + began)
    starts = np.concatenate(ends)
    size = file.stat().st_size
    return StoredInputs("texts", TextLines(file, starts if starts[-1] == size else np.append(starts, size)))
