"""One image, one text: coloured by what each part adds, with the numbers beside."""

from __future__ import annotations

import base64
import re
import struct
import zlib

import numpy as np
import pytest

from evenhand.errors import InputError
from evenhand.explaining import explain_text, patch_players
from evenhand.report.figures.overlays import coloured_text, image_overlay


def pixels(figure: str) -> np.ndarray:
    content = base64.b64decode(re.search(r"base64,([^\"]+)", figure)[1])  # type: ignore[index]
    wide, tall = struct.unpack(">II", content[16:24])
    at = content.index(b"IDAT") + 4
    raw = zlib.decompress(content[at:])
    return np.frombuffer(raw, dtype=np.uint8).reshape(tall, 1 + 3 * wide)[:, 1:].reshape(tall, wide, 3)


def test_parts_that_raise_are_orange_and_parts_that_lower_are_blue() -> None:
    image, players = np.full((8, 8), 0.5), patch_players((8, 8), 4)
    figure = image_overlay(image, players, [1.0, -1.0, 0.0, 0.1])
    drawn = pixels(figure)
    assert drawn.shape == (280, 280, 3)
    drawn = drawn[::35, ::35]
    assert drawn[0, 0, 0] > drawn[0, 0, 2] and drawn[0, 7, 2] > drawn[0, 7, 0]
    assert len(set(drawn[7, 0].tolist())) == 1  # no value, no colour
    assert 'part 1</bdi></th><td class="n">-1.000' in figure


def test_words_are_shaded_marked_and_told() -> None:
    found = explain_text(
        lambda texts: [2.0 * t.count("good") - t.count("bad") for t in texts],
        "a good but <b>bad</b> film",
        link="identity",
    )
    figure = coloured_text([str(part) for part in found.data.iloc[0]], found.values[0].tolist())
    assert "<b>bad" not in figure and "&lt;b&gt;bad" in figure
    assert "+2.000" in figure and "-1.000" in figure
    assert image_overlay([[0.0]], [[0]], [0.0]) == image_overlay([[0.0]], [[0]], [0.0])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        image_overlay(np.zeros((2, 2)), np.zeros((3, 2), dtype=int), [0.0])
    with pytest.raises(InputError, match="names player 1"):
        image_overlay(np.zeros((1, 2)), np.array([[0, 1]]), [0.0])
    with pytest.raises(InputError, match="2 tokens and 1 values"):
        coloured_text(["a", "b"], [1.0])
