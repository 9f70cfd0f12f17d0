"""What words add to the scores of many texts: few questions a text, which averages over texts make up for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AT_ONCE: Final = 1_024
"""Texts of one question to the model."""
ALONE: Final = "\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
"""Letters that are written without blanks between words: each is a word of its own."""
PIECE: Final = re.compile(rf"[{ALONE}]\s*|[^\s{ALONE}]+\s*")
AROUND: Final = re.compile(r"^[\W_]+|[\W_]+$")


def pieces(text: str) -> list[str]:
    """Return the words of a text, each with the blanks after it; of Chinese and Japanese, its letters.

    Parameters
    ----------
    text : str
        The text.

    Examples
    --------
    >>> pieces("A good film,  really."), pieces("好 film")
    (['A ', 'good ', 'film,  ', 'really.'], ['好 ', 'film'])
    """
    return PIECE.findall(text)


def plain_word(piece: str) -> str:
    """Return a word as it is counted: in small letters, without what stands around it; empty for signs alone.

    Parameters
    ----------
    piece : str
        One of `pieces`.

    Examples
    --------
    >>> plain_word("Film, "), plain_word("don't"), plain_word("...")
    ('film', "don't", '')
    """
    return AROUND.sub("", piece).casefold()


def questions(words: int, orders: int) -> int:
    """Return how many texts are asked to explain one of so many words, besides the empty one."""
    return 1 if words == 1 else 2 * orders * (words - 1) + 1


def word_values(
    ask: Callable[[list[str]], Floats], texts: Sequence[Sequence[str]], *, orders: int = 1, seed: int = 0
) -> list[Floats]:
    """Return what each word of each text adds to its scores, against the empty text.

    Shapley values, estimated from random orders and their reverses: the mean over orders of what the score gains when
    the word is put to those before it. The values of a text sum to its score less that of the empty text, and their
    mean over texts is right whatever the number of orders.

    Parameters
    ----------
    ask : callable
        From a list of texts to scores, (n, C).
    texts : sequence of sequence of str
        The words of each text, which make it when joined.
    orders : int
        Random orders of each text.
    seed : int
        Seed of the orders.

    Returns
    -------
    list of (words, C) arrays
        One a text.

    Examples
    --------
    >>> import numpy as np
    >>> def ask(texts):
    ...     return np.array([[float(text.count("good"))] for text in texts])
    >>> word_values(ask, [["a ", "good ", "film"]])[0].ravel().tolist()
    [0.0, 1.0, 0.0]
    """
    rng = np.random.default_rng([seed, 31])
    drawn = [[way for _ in range(orders) for way in _both(rng.permutation(len(words)))] for words in texts]
    wanted = dict.fromkeys(text for words, ways in zip(texts, drawn, strict=True) for text in _asked(words, ways))
    place = {text: at for at, text in enumerate(wanted)}
    listed = list(wanted)
    scores = np.concatenate([ask(listed[at : at + AT_ONCE]) for at in range(0, len(listed), AT_ONCE)])
    found = []
    for words, ways in zip(texts, drawn, strict=True):
        values = np.zeros((len(words), scores.shape[1]))
        for way in ways:
            held = scores[[place[text] for text in _prefixes(words, way)]]
            values[way] += np.diff(held, axis=0)
        found.append(values / len(ways))
    return found


def _both(order: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return order, order[::-1]


def _prefixes(words: Sequence[str], way: NDArray[np.int64]) -> Iterator[str]:
    """Yield the text with none of its words, then with one more of them at a time, each in its place."""
    inside = np.zeros(len(words), dtype=bool)
    yield ""
    for at in way:
        inside[at] = True
        yield "".join(word for word, there in zip(words, inside, strict=True) if there)


def _asked(words: Sequence[str], ways: Sequence[NDArray[np.int64]]) -> Iterator[str]:
    for way in ways:
        yield from _prefixes(words, way)
