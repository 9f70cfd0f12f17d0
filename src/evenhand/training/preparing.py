"""From model inputs to network inputs: the protocol of all preprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads


GRID: Final = "grid"
"""Written in models of images saved when a pixel was a column; fingerprints of their rows are of such columns."""


class Preparing(Protocol):
    """Fitted on training rows, kept with the model, and written into its file as plain data.

    See Also
    --------
    evenhand.training.Normalization : Prepares arrays, with an example.
    evenhand.training.Preprocessing : Prepares columns.
    evenhand.training.Tokenization : Prepares texts.
    """

    @property
    def reads(self) -> Reads:
        """What is prepared."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are read."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prepared row."""
        ...

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Columns that the network cannot read, each with the reason."""
        ...

    def transform(self, batch: Batch, /) -> NDArray[np.float32]:
        """Return ``(n, *shape)`` finite numbers."""
        ...

    def describe(self) -> list[Plain]:
        """Return the steps, as plain records for a report."""
        ...

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        ...


def preparing_from_plain(plain: Mapping[str, Plain]) -> Preparing:
    """Return what `to_plain` was called on.

    Raises KeyError, TypeError or ValueError when `plain` is something else.
    """
    from evenhand.training.normalization import Normalization
    from evenhand.training.preprocessing import Preprocessing
    from evenhand.training.tokenization import Tokenization

    if plain.get("kind") == "pretrained_tokens":
        from evenhand.training.backbones.tokens import PretrainedTokens

        return PretrainedTokens.from_plain(plain)
    if plain.get("kind") == "tokens":
        return Tokenization.from_plain(plain)
    return (Normalization if plain.get("kind") in ("normalization", GRID) else Preprocessing).from_plain(plain)
