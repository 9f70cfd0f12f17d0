"""A model as a function from a table to numbers on the scale that is explained."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import numpy as np

from evenhand.errors import EvenhandError, InputError, ModelError, shorten
from evenhand.messages import message

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.subjects import Subject

Link: TypeAlias = Literal["logit", "identity"]
"""The scale that is explained: log-odds of the probability, or the score as it is."""

Predict: TypeAlias = Callable[["pd.DataFrame"], object]
"""A bare function from a table to one number a row."""

CLIP: Final = 1e-7
"""Probabilities are kept this far from 0 and 1 before taking log-odds; single precision is no finer."""
AS_IT_IS: Final = {
    "number": message("The model predicts a number, so the prediction itself is explained."),
    "label": message("The model gives a label, which has no log-odds, so the label itself is explained, as 0 or 1."),
    "ranking": message("The model gives a ranking score, which has no log-odds, so the score itself is explained."),
}
"""What is explained of a model that gives no probabilities."""
SUMMED: Final = message(
    "The model's trees add up to the probability, so the probability itself is explained, not its log-odds."
)
"""What is said of a forest where no scale was asked for."""


class LinkedScore:
    """f(X) on the explained scale, with counts of predicted and clipped rows.

    `model`: a subject, a fitted estimator, or a function from a table to one score per row; `link`: the scale,
    None for that on which the model adds up, log-odds where it is not known; a ranking score or a label has no log-odds
    and is explained as it is; `averaged`: how often the model predicts the same rows; the mean of its answers is its
    score.
    """

    def __init__(self, model: Subject | Predict, link: Link | None, averaged: int = 1) -> None:
        self.model = opened(model)
        _evaluating(self.model)
        self.name = str(getattr(self.model, "name", getattr(self.model, "__name__", "model")))
        self.link: Link = link or "logit"
        self._asked = link is not None
        self.averaged = averaged
        self.notes: list[str] = []
        self.clipped = 0
        self.rows_asked = 0
        self._predict = _predict_of(self.model)
        self._logits: Predict | None = None

    def settle(self, X: pd.DataFrame, adds_up_to: Link | None = None) -> NDArray[np.float64]:
        """Predict once, choose the scale by the kind of model, and return the scores (n,) on it.

        `adds_up_to`: the scale on which the model is a sum, which is taken where none was asked for.
        """
        scores = self._raw(self._predict, X)
        kind = getattr(self.model, "score_kind", "probability")
        if self.link == "logit" and kind != "probability":
            self.link = "identity"
            kind = "number" if getattr(self.model, "task", "binary") == "regression" else kind
            self.notes.append(AS_IT_IS[kind])
        if self.link == "logit" and not self._asked and adds_up_to == "identity":
            self.link = "identity"
            self.notes.append(SUMMED)
        if self.link == "logit" and ((scores < 0) | (scores > 1)).any():
            worst = scores[np.argmax(np.abs(scores - 0.5))]
            raise ModelError(
                f"Model '{self.name}' returned {worst:g}, which is no probability, so it has no log-odds. "
                'Pass link="identity" to explain the score itself.'
            )
        logits = getattr(self.model, "predict_logits", None)
        if self.link == "logit" and callable(logits):
            found = self._take_logits(cast("Predict", logits), X, scores)
            if found is not None:
                return found
        return self.on_scale(scores)

    def __call__(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the score of each row on the explained scale, shape (n,), finite."""
        if self._logits is not None:
            return self._raw(self._logits, X)
        return self.on_scale(self._raw(self._predict, X))

    def linked(self, returned: object, rows: int) -> NDArray[np.float64]:
        """Return a model's answer for prepared rows on the explained scale, checked like any other."""
        return self.on_scale(self._checked(returned, rows))

    def on_scale(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scores on the explained scale."""
        if self.link != "logit":
            return scores
        self.clipped += int(((scores < CLIP) | (scores > 1 - CLIP)).sum())
        inside = np.clip(scores, CLIP, 1 - CLIP)
        return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)

    def _take_logits(self, logits: Predict, X: pd.DataFrame, scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the model's own logits, which are used from here on where they agree with its probabilities."""
        from scipy.special import expit

        found = self._raw(logits, X)
        if np.max(np.abs(expit(found) - scores), initial=0.0) <= 1e-4:
            self._logits = logits
            return found
        self.notes.append(
            message("The model's own logits disagree with its probabilities, so the probabilities are used.")
        )
        return None

    def _raw(self, predict: Predict, X: pd.DataFrame) -> NDArray[np.float64]:
        if self.averaged == 1:
            return self._once(predict, X)
        return np.asarray(np.mean([self._once(predict, X) for _ in range(self.averaged)], axis=0), dtype=np.float64)

    def _once(self, predict: Predict, X: pd.DataFrame) -> NDArray[np.float64]:
        self.rows_asked += len(X)
        try:
            returned = predict(X)
        except EvenhandError:
            raise
        except Exception as problem:
            raise ModelError(
                f"Model '{self.name}' could not predict {len(X)} rows: {type(problem).__name__}: "
                f"{shorten(problem, 300)}"
            ) from problem
        return self._checked(returned, len(X))

    def _checked(self, returned: object, rows: int) -> NDArray[np.float64]:
        if hasattr(returned, "detach"):
            returned = returned.detach().cpu().numpy()
        try:
            scores = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError) as problem:
            raise ModelError(
                f"Model '{self.name}' returned {type(returned).__name__} values that are no numbers: one number a row "
                "is meant."
            ) from problem
        if scores.ndim == 2 and scores.shape[1] in (1, 2):
            scores = scores[:, -1]
        if scores.shape != (rows,):
            raise ModelError(
                f"Model '{self.name}' returned an array of shape {scores.shape} for {rows} rows: "
                "one number a row is meant."
            )
        broken = int((~np.isfinite(scores)).sum())
        if broken:
            raise ModelError(
                f"Model '{self.name}' returned {broken:,} scores that are not finite (nan or infinite) for {rows:,} "
                "rows; values cannot be explained where there is no score. Does it take missing values?"
            )
        return scores


def score_of(model: Subject | Predict, X: pd.DataFrame, link: Link = "logit") -> LinkedScore:
    """Return the model as a function from tables to the explained scale, its scale settled on `X`."""
    score = LinkedScore(model, link)
    score.settle(X)
    return score


def opened(model: Subject | Predict) -> Subject | Predict:
    """Return a model as a subject: a fitted estimator's `predict` gives labels, so it is opened as one."""
    if hasattr(model, "score_kind") or not hasattr(model, "predict"):
        return model
    from evenhand.subjects import as_subject

    return as_subject(model)


def _evaluating(model: object) -> None:
    """A network that still draws at random, or averages over its batch, as in training, is none to be explained."""
    network = getattr(model, "network", getattr(model, "module", None))
    if getattr(network, "training", False) is True and callable(getattr(network, "eval", None)):
        with suppress(RuntimeError):  # an exported program has one mode only
            network.eval()  # type: ignore[union-attr]


def _predict_of(model: Subject | Predict) -> Predict:
    predict = getattr(model, "predict", model)
    if not callable(predict):
        raise InputError(
            f"A {type(model).__name__} can be explained only when it is a subject with `predict`, or a function from "
            "a table to one score a row."
        )
    return cast("Predict", predict)
