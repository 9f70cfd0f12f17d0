"""Images as the game that maps and their checks play: squares of an image come from other images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from evenhand.data.inputs import rows_at_once
from evenhand.explaining.scores import Link, LinkedScore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.subjects import Subject


class ImageGame:
    """The scores of images of which some squares come from other images.

    `subject`: reads arrays; `images`, `others` (n, ...) and (b, ...): those that are mixed; `players`: of the shape of
    an image, the number of each cell's square, from 0; `link`: the scale.
    """

    def __init__(
        self, subject: Subject, images: NDArray[Any], others: NDArray[Any], players: NDArray[np.int64], link: Link
    ) -> None:
        self._images, self._others, self._players = images, others, players
        self._score = cast("Any", LinkedScore(subject, link))  # it takes any batch that the subject does
        self.own: NDArray[np.float64] = self._score.settle(images)
        self.sizes = (int(players.max()) + 1, len(images), len(others))

    def mixed(
        self, rows: NDArray[np.int64], background: NDArray[np.int64], from_row: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return the score of each mixed image.

        `rows`, `background` (k,): which image and which other image each mixes; `from_row` (squares, k): which squares
        come from the image.
        """
        shape = self._players.shape
        at_once = rows_at_once(shape, self._images.itemsize)
        found = np.empty(len(rows))
        for at in range(0, len(rows), at_once):
            part = slice(at, at + at_once)
            mine = from_row[:, part].T[:, self._players.reshape(-1)].reshape(-1, *shape)
            found[part] = self._score(np.where(mine, self._images[rows[part]], self._others[background[part]]))
        return found
