"""Explanations of one image or one text as figures: an overlay of patches, coloured words; each with its table."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UP: Final = (179, 88, 6)
"""The colour of what raises the score; seen apart from the other by people who see colours differently."""
DOWN: Final = (69, 117, 180)
"""The colour of what lowers it."""
PIXELS: Final = 280
"""The longer side of a picture, on the page."""
MOST_TOLD: Final = 24
"""Rows of a table, the greatest values."""


def image_overlay(
    image: Iterable[Iterable[float]],
    player_map: Iterable[Iterable[int]],
    values: Sequence[float],
    *,
    title: str = "What each part of the image adds to the score",
    names: Sequence[str] | None = None,
) -> str:
    """Return a figure of an image with its parts coloured by their values, as HTML with one embedded PNG and a table.

    Parameters
    ----------
    image : array (height, width)
        Brightness; any range, drawn from its least to its greatest.
    player_map : array (height, width)
        The number of each pixel's player, from 0, such as `patch_players` gives.
    values : sequence of float
        The value of each player, in the order of their numbers.
    title : str
        What it shows.
    names : sequence of str, optional
        What the players are called; ``part 0`` and so on when not given.

    Raises
    ------
    InputError
        When shapes do not fit, or a pixel's player has no value.
    """
    rows = [[float(value) for value in row] for row in image]
    owners = [[int(value) for value in row] for row in player_map]
    if [len(row) for row in rows] != [len(row) for row in owners] or not rows or not rows[0]:
        raise InputError("An image and its player map have one shape (height, width), and at least one pixel.")
    if min(map(min, owners)) < 0 or max(map(max, owners)) >= len(values):
        raise InputError(f"The player map names player {max(map(max, owners))}, and there are {len(values)} values.")
    said = [*names] if names is not None else [f"part {number}" for number in range(len(values))]
    tall, wide = len(rows), len(rows[0])
    # Enlarged here, pixel by pixel: a browser would blur the edges between parts.
    each = max(1, PIXELS // max(tall, wide))
    large = [
        [pixel for pixel in row for _ in range(each)] for row in _coloured(rows, owners, values) for _ in range(each)
    ]
    picture = base64.b64encode(_png(large)).decode("ascii")
    scale = PIXELS / max(tall, wide)
    drawn = (
        f'<img alt="{escape(title)}: {escape(_few(said, values))}" width="{round(wide * scale)}" '
        f'height="{round(tall * scale)}" src="data:image/png;base64,{picture}">'
    )
    return _figure("image", title, drawn, said, values, "Orange raises the score, blue lowers it.")


def coloured_text(
    tokens: Sequence[str],
    values: Sequence[float],
    *,
    title: str = "What each word adds to the score",
) -> str:
    """Return a figure of a text whose words are shaded by their values and marked by sign, as HTML with a table.

    Parameters
    ----------
    tokens : sequence of str
        The words, in order.
    values : sequence of float
        The value of each.
    title : str
        What it shows.

    Raises
    ------
    InputError
        When there are not as many values as tokens.

    Examples
    --------
    >>> "good" in coloured_text(["a", "good", "film"], [0.0, 1.0, 0.1])
    True
    """
    if len(tokens) != len(values):
        raise InputError(f"There are {len(tokens)} tokens and {len(values)} values; each token has one.")
    most = max((abs(value) for value in values), default=0.0) or 1.0
    room, line, x = 640, 1, 4.0
    parts: list[str] = []
    for token, value in zip(tokens, values, strict=True):
        text = token.strip() or token
        wide = 8.2 * len(text) + 8
        if x + wide > room and x > 4:
            line, x = line + 1, 4.0
        y = 30 * line
        colour = "#%02x%02x%02x" % (UP if value > 0 else DOWN)
        # The sign also stands as a line above or below, for those who see no colour.
        edge = y - 21 if value > 0 else y + 7
        parts.append(
            f'<g><title>{escape(text)}: {value:+.3f}</title><rect x="{x:.1f}" y="{y - 18}" width="{wide - 4:.1f}" '
            f'height="24" fill="{colour}" fill-opacity="{0.55 * abs(value) / most:.3f}"/>'
            f'<path d="M{x:.1f} {edge}h{wide - 4:.1f}" stroke="{colour}" stroke-width="{2 if value else 0}"/>'
            f'<text x="{x + 3:.1f}" y="{y}">{escape(text)}</text></g>'
        )
        x += wide
    drawn = (
        f'<svg viewBox="0 0 {room} {30 * line + 16}" width="{room}" height="{30 * line + 16}" role="img" '
        f'font-family="ui-monospace, monospace" font-size="13.6" fill="#222"><title>{escape(title)}</title>'
        f"<desc>{escape(_few(tokens, values))}</desc>{''.join(parts)}</svg>"
    )
    key = "Orange and a line above: raises the score. Blue and a line below: lowers it."
    return _figure("text", title, drawn, [token.strip() for token in tokens], values, key)


def _few(names: Sequence[str], values: Sequence[float]) -> str:
    first = sorted(zip(names, values, strict=False), key=lambda pair: -abs(pair[1]))[:4]
    return "; ".join(f"{name.strip()} {value:+.3f}" for name, value in first)


def _figure(name: str, title: str, drawn: str, names: Sequence[str], values: Sequence[float], key: str) -> str:
    ordered = sorted(zip(names, values, strict=True), key=lambda pair: -abs(pair[1]))
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(said)}</bdi></th><td class="n">{value:+.3f}</td></tr>'
        for said, value in ordered[:MOST_TOLD]
    )
    left = f"<p>{len(ordered) - MOST_TOLD} smaller values are left out.</p>" if len(ordered) > MOST_TOLD else ""
    return (
        f'<figure class="chart explained-{name}"><figcaption>{escape(title)}</figcaption>{drawn}'
        f"<p>{key}</p>"
        f"<details><summary>The same numbers as a table</summary><table><caption>{escape(title)}</caption>"
        f"<tbody>{rows}</tbody></table>{left}</details></figure>"
    )


def _coloured(
    rows: list[list[float]], owners: list[list[int]], values: Sequence[float]
) -> list[list[tuple[int, int, int]]]:
    """Return pixels: the image in grey, washed over by its part's colour, with the sign as a border of the part."""
    least, most = min(map(min, rows)), max(map(max, rows))
    span = (most - least) or 1.0
    strongest = max((abs(value) for value in values), default=0.0) or 1.0
    made = []
    for y, row in enumerate(rows):
        line = []
        for x, brightness in enumerate(row):
            grey = 255 * (brightness - least) / span
            value = values[owners[y][x]]
            share = 0.65 * abs(value) / strongest
            colour = UP if value > 0 else DOWN
            red, green, blue = (round(grey * (1 - share) + part * share) for part in colour)
            line.append((red, green, blue))
        made.append(line)
    return made


def _png(pixels: list[list[tuple[int, int, int]]]) -> bytes:
    """Return a PNG file of 8 bits a colour (ISO/IEC 15948)."""

    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    raw = b"".join(b"\0" + bytes(part for pixel in row for part in pixel) for row in pixels)
    head = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
