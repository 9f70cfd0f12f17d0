"""Similarity of two explanations of the same rows, and explanations of a deliberately spoilt model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.explaining.explain import explain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.explaining.attributions import Attributions
    from evenhand.explaining.game import Game

TOP: Final = 5
"""Features of a row that are compared as its most important ones."""
NOISE: Final = 0.01
"""Noise that stability is tried with, in standard deviations of a column of numbers."""


def cosines(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n,): the cosine between the values of each row; rows without any value in one of both are left out.

    The sign counts: two explanations of opposite signs give -1.
    """
    product = (one * other).sum(axis=1)
    size = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    held = size > 0
    return np.asarray(np.clip(product[held] / size[held], -1.0, 1.0), dtype=np.float64)


def top_shared(one: NDArray[np.float64], other: NDArray[np.float64], most: int = TOP) -> NDArray[np.float64]:
    """Return (n,): the share of the `most` greatest absolute values of each row that both have in common."""
    most = min(most, one.shape[1])
    first = np.argsort(-np.abs(one), axis=1, kind="stable")[:, :most]
    second = np.argsort(-np.abs(other), axis=1, kind="stable")[:, :most]
    return np.asarray((first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1), dtype=np.float64)


def background_halves(attributions: Attributions) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the values against one half of the background and against the other, None where blocks are not known.

    Their similarity is the floor of every comparison: another background would change as much.
    """
    blocks = attributions.block_values
    if blocks is None or len(blocks) < 2:
        return None
    half = len(blocks) // 2
    return blocks[:half].mean(axis=0), blocks[half : 2 * half].mean(axis=0)


def jittered(X: pd.DataFrame, seed: int) -> pd.DataFrame | None:
    """Return the rows with a little noise on every column of fractions; None where there is no such column.

    Whole numbers and categories are unchanged: they have no small steps.
    """
    rng = np.random.default_rng([seed, 5])
    moved = X.copy()
    found = False
    for name in X.columns:
        if pd.api.types.is_float_dtype(X[name].dtype):
            values = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
            spread = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
            if spread > 0:
                noisy = values + rng.normal(0.0, NOISE * spread, len(values))
                moved[name] = pd.Series(noisy, index=X.index).astype(X[name].dtype)
                found = True
    return moved if found else None


def explained_at_random(game: Game, seed: int) -> Attributions | None:
    """Return the explanation of the same network with all weights redrawn; None without a torch network.

    An explanation that looks the same shows the data and not the model (Adebayo et al. 2018, "Sanity checks for
    saliency maps").
    """
    if game.parts is None or game.parts.network is None:
        return None
    import copy

    import torch

    network: torch.nn.Module = copy.deepcopy(game.parts.network)  # type: ignore[assignment]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            spread = float(weight.std()) if weight.numel() > 1 else 1.0
            weight.copy_(torch.randn(weight.shape, generator=generator) * max(spread, 1e-3))
    parts = game.parts.parts
    players = np.full(parts.width, "", dtype=object)
    for name, place in zip(game.table.names, parts.places, strict=True):
        players[place] = name
    named = {name: tuple(map(str, np.flatnonzero(players == name))) for name in game.table.names}
    named = {name: columns for name, columns in named.items() if columns}
    rows, background = parts.compose(game.table.rows), parts.compose(game.table.background)
    if (players == "").any():
        named["(constant columns)"] = tuple(map(str, np.flatnonzero(players == "")))
    return explain(network, rows, background, players=named, link="identity", seed=seed)


def relearned(model: object, X: pd.DataFrame, y: NDArray[np.generic], seed: int) -> object | None:
    """Return an estimator of the same kind fitted on shuffled labels, None where it cannot be fitted so.

    Its labels are random, so its explanations should not resemble those of the model.
    """
    estimator = getattr(model, "estimator", None)
    if estimator is None or not hasattr(estimator, "fit"):
        return None
    from sklearn.base import clone

    from evenhand.subjects import as_subject

    shuffled = np.random.default_rng([seed, 13]).permutation(y)
    if len(np.unique(shuffled)) < 2:
        return None
    try:
        features = getattr(model, "features", None)
        fitted = clone(estimator).fit(X if features is None else X[list(features)], shuffled)
        return as_subject(fitted, positive=1)
    except Exception:  # what cannot be fitted here is noted as not compared
        return None
