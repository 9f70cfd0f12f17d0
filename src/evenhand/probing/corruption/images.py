"""Corruptions of images: noise, blur, light, contrast, place, angle, a hidden part, JPEG; with numpy and scipy alone.

They follow ImageNet-C (Hendrycks and Dietterich 2019, ICLR) and MNIST-C (Mu and Gilmer 2019) in kind; amounts are
relative to the range of values and to the size, so that images of 8 pixels and of 512 are changed alike.
"""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from evenhand.messages import message
from evenhand.probing.corruption.corruption import Corruption
from evenhand.probing.corruption.ranges import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evenhand.probing.corruption.ranges import Ranges

Pixels: TypeAlias = "NDArray[np.float64]"
"""(n, channels, height, width) in [0, 1]."""
GREY: Final = 0.5


def _of_pixels(
    change: Callable[[Pixels, float, np.random.Generator], Pixels],
) -> Callable[[NDArray[Any], float, np.random.Generator, Ranges], NDArray[Any]]:
    """Return a change of batches of images of any layout and type, from one of pixels in [0, 1]."""

    def changed(batch: NDArray[Any], amount: float, rng: np.random.Generator, ranges: Ranges) -> NDArray[Any]:
        axis = layout(batch.shape)
        width = max(ranges.high - ranges.low, 1e-12)
        pixels = (batch.astype(np.float64) - ranges.low) / width
        if not axis:  # without a channel; of no height and width either, which noise alone is asked of
            pixels = pixels[:, None] if axis == 0 else pixels.reshape(len(batch), 1, 1, -1)
        else:
            pixels = np.moveaxis(pixels, axis, 1)
        found = np.clip(change(pixels, amount, rng), 0.0, 1.0) * width + ranges.low
        found = np.moveaxis(found, 1, axis) if axis else found.reshape(batch.shape)
        whole = batch.dtype.kind in "iub"
        return np.ascontiguousarray((np.rint(found) if whole else found).astype(batch.dtype))

    return changed


def noise(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Add normal noise."""
    return np.asarray(pixels + amount * rng.standard_normal(pixels.shape))


def blur(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Smooth by a normal curve, so wide in shares of the smaller side."""
    from scipy.ndimage import gaussian_filter

    size = amount * min(pixels.shape[2:])
    return np.asarray(gaussian_filter(pixels, (0, 0, size, size), mode="nearest"))


def brightness(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Make every pixel lighter."""
    return pixels + amount


def contrast(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Draw every pixel nearer to the mean of its image."""
    middle = pixels.mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(middle + (1 - amount) * (pixels - middle))


def shift(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Move by a share of the size in a direction that is drawn; the edge is repeated."""
    n, _, height, width = pixels.shape
    angle = rng.random(n) * 2 * np.pi
    down, right = (
        np.rint(part * amount * size).astype(int) for part, size in ((np.sin(angle), height), (np.cos(angle), width))
    )
    rows = np.clip(np.arange(height) - down[:, None], 0, height - 1)
    columns = np.clip(np.arange(width) - right[:, None], 0, width - 1)
    each = np.arange(n)[:, None, None]
    moved = np.moveaxis(pixels, 1, 3)[each, rows[:, :, None], columns[:, None, :]]
    return np.asarray(np.moveaxis(moved, 3, 1))


def rotation(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Turn by so many degrees, to a side that is drawn; the edge is repeated."""
    from scipy.ndimage import rotate

    left, found = rng.random(len(pixels)) < 0.5, pixels.copy()
    for side, angle in ((left, amount), (~left, -amount)):
        if side.any():
            found[side] = rotate(pixels[side], angle, axes=(3, 2), reshape=False, order=1, mode="nearest")
    return found


def occlusion(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Hide a grey square at a place that is drawn, of a share of either side."""
    n, _, height, width = pixels.shape
    tall, wide = max(1, round(amount * height)), max(1, round(amount * width))
    top, left = (np.floor(rng.random(n) * (size + 1)).astype(int) for size in (height - tall, width - wide))
    rows, columns = np.arange(height), np.arange(width)
    inside = (rows >= top[:, None]) & (rows < top[:, None] + tall)
    across = (columns >= left[:, None]) & (columns < left[:, None] + wide)
    return np.where(inside[:, None, :, None] & across[:, None, None, :], GREY, pixels)


def jpeg(pixels: Pixels, amount: float, rng: np.random.Generator) -> Pixels:
    """Write and read as JPEG of a quality, each channel for itself where there are not three."""
    from PIL import Image

    found = np.empty_like(pixels)
    for at, image in enumerate(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)):
        parts = [np.moveaxis(image, 0, 2)] if len(image) == 3 else list(image)
        read = []
        for part in parts:
            held = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(part)).save(held, "JPEG", quality=int(amount))
            read.append(np.asarray(Image.open(held), dtype=np.float64) / 255)
        found[at] = np.moveaxis(read[0], 2, 0) if len(image) == 3 else np.stack(read)
    return found


def _shapeless(ranges: Ranges) -> str:
    return "" if ranges.images else message("The arrays are no images of a height and a width.")


def _no_pillow(ranges: Ranges) -> str:
    if importlib.util.find_spec("PIL") is not None:
        return _shapeless(ranges)
    return message('It needs the package pillow, which is not installed: pip install "evenhand[images]".')


SIZE: Final = message("{mild:g} %, {medium:g} % and {strong:g} % of the size")
RANGE: Final = message("{mild:g} %, {medium:g} % and {strong:g} % of the range of values")
DEGREES: Final = message("{mild:g}, {medium:g} and {strong:g} degrees")
QUALITY: Final = message("quality {mild:g}, {medium:g} and {strong:g}")
IMAGES: Final = (
    Corruption("noise", "arrays", (0.04, 0.08, 0.16), message("Noise"),
        RANGE, _of_pixels(noise), times=100),
    Corruption("blur", "arrays", (0.02, 0.04, 0.08), message("Blur"),
        SIZE, _of_pixels(blur), _shapeless, times=100),
    Corruption("brightness", "arrays", (0.1, 0.2, 0.4), message("More light"),
        RANGE, _of_pixels(brightness), _shapeless, times=100),
    Corruption("contrast", "arrays", (0.25, 0.5, 0.75), message("Less contrast"),
        RANGE, _of_pixels(contrast), _shapeless, times=100),
    Corruption("shift", "arrays", (0.05, 0.1, 0.2), message("Shifted"),
        SIZE, _of_pixels(shift), _shapeless, times=100),
    Corruption("rotation", "arrays", (5.0, 15.0, 30.0), message("Rotated"), DEGREES, _of_pixels(rotation), _shapeless),
    Corruption("occlusion", "arrays", (0.15, 0.3, 0.45), message("A hidden square"),
        SIZE, _of_pixels(occlusion), _shapeless, times=100),
    Corruption("jpeg", "arrays", (60.0, 30.0, 10.0), message("JPEG"), QUALITY, _of_pixels(jpeg), _no_pillow),
)  # fmt: skip
"""Corruptions of images; the first tells how far mild noise moves scores."""
