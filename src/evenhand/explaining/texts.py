"""Explaining the score of a text by its tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.errors import InputError
from evenhand.explaining.checks import UNSEEN
from evenhand.explaining.explain import explain
from evenhand.explaining.scores import opened
from evenhand.explaining.words import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from evenhand.explaining.attributions import Attributions
    from evenhand.subjects import Subject

TEXT_EVALUATIONS: Final = 4_000
"""Texts that a model is asked about to explain one."""
TEXT_ORDERS: Final = 10
"""Random orders of a text's tokens: there is one background row, so that nothing else averages over them."""


def explain_text(
    predict: Subject | Callable[[list[str]], object],
    text: str,
    *,
    mask: str = "",
    tokens: Sequence[str] | None = None,
    join: Callable[[Sequence[str]], str] | None = None,
    permutations: int = TEXT_ORDERS,
    budget_evaluations: int | None = TEXT_EVALUATIONS,
    **how: object,
) -> Attributions:
    """Return what each token of a text adds to its score, against the text with every token masked.

    Parameters
    ----------
    predict : Subject, fitted pipeline or callable
        A model that reads texts, or a function from a list of texts to one score each.
    text : str
        The text.
    mask : str
        What replaces a masked token: nothing, or a model's mask token.
    tokens : sequence of str, optional
        The players; words with the space after them when not given, and letters of Chinese and Japanese.
    join : callable, optional
        From tokens back to a text; joined without anything between them when not given.
    permutations : int
        Random orders, each with its reverse.
    budget_evaluations : int, optional
        Shortened texts that the model is asked about, at most; all of a short text, where they are no more.
    **how
        As for `explain`.

    Returns
    -------
    Attributions
        One row; a player is ``0 The``, ``1 film`` and so on. `standard_errors` are of the random orders alone: the
        baseline is one masked text.

    Raises
    ------
    InputError
        When the tokens do not make the text, or there is none.

    Examples
    --------
    >>> found = explain_text(lambda texts: [t.count("good") for t in texts], "a good film", link="identity")
    >>> [float(value) for value in found.values[0].round(6)]
    [0.0, 1.0, 0.0]
    """
    said = [*tokens] if tokens is not None else pieces(text)
    if not said:
        raise InputError("The text has no token, so there is nothing to explain its score by.")
    put, model = join or "".join, opened(predict)  # type: ignore[arg-type]
    score = cast("Callable[[list[str]], object]", getattr(model, "predict", model))
    if getattr(model, "score_kind", "probability") != "probability":
        how.setdefault("link", "identity")

    def ask(rows: NDArray[np.generic]) -> object:
        return score([put([str(token) for token in row]) for row in rows])

    X = np.array([said], dtype=object)
    players = {f"{place} {token.strip()}": (str(place),) for place, token in enumerate(said)}
    background = np.array([[mask] * len(said)], dtype=object)
    how |= {"permutations": permutations, "budget_evaluations": budget_evaluations}
    found = explain(ask, X, background, players=players, **how)  # type: ignore[arg-type]
    told = tuple(note for note in found.notes if getattr(note, "id", "") != UNSEEN)  # no token is in the masked text
    return replace(found, notes=told)
