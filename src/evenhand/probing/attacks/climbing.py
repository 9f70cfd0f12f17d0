"""Attacks that follow gradients: one step (FGSM), and many steps from several starts (PGD).

FGSM is Goodfellow, Shlens and Szegedy (2015), ICLR. PGD is Madry et al. (2018), ICLR, with momentum and the step halved
where the loss stops growing, as in Auto-PGD (Croce and Hein 2020, ICML); starts alternate between the cross-entropy and
their difference-of-logits ratio, which does not vanish where a model is sure. Rows that are decided wrongly already are
not moved again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

    from evenhand.probing.attacks.reaching import Gradients
    from evenhand.probing.attacks.threat import Threat

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

STEPS: Final = 20
STARTS: Final = 5
MOMENTUM: Final = 0.75
GREW: Final = 0.75
"""Share of steps that must have raised the loss, or the step is halved."""
CELLS: Final = 1 << 22
"""Numbers of rows that go through the network together."""


def noise(rows: NDArray[Any], threat: Threat, seed: int) -> NDArray[Any]:
    """Return rows with random noise as large as the budget: no attack, but what one is measured against.

    Parameters
    ----------
    rows : (n, ...) array
        The rows.
    threat : Threat
        The budget.
    seed : int
        Of the noise.

    Examples
    --------
    >>> from evenhand.probing.attacks.threat import threat_of
    >>> rows = np.full((1, 3), 0.5)
    >>> abs(noise(rows, threat_of(rows, budget=0.25), seed=0) - rows).tolist()
    [[0.25, 0.25, 0.25]]
    """
    rng = np.random.default_rng([seed, 31])
    drawn = rng.choice([-1.0, 1.0], rows.shape) if threat.norm == "linf" else _unit(rng.normal(size=rows.shape))
    return threat.settled(rows + threat.radius * drawn, rows)


def _unit(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = drawn.reshape(len(drawn), -1)
    return np.asarray((flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-30)).reshape(drawn.shape))


def fgsm(model: Gradients, rows: NDArray[Any], truth: NDArray[Any], threat: Threat) -> NDArray[Any]:
    """Return rows after one step as long as the budget, along the gradient of the cross-entropy.

    Parameters
    ----------
    model : Gradients
        The differentiable function.
    rows : (n, ...) array
        The rows.
    truth : (n,) array of int
        Their classes.
    threat : Threat
        The budget.
    """
    moved = [_step(model, rows[part], truth[part], threat) for part in _parts(rows)]
    return np.concatenate(moved) if moved else rows


def _step(model: Gradients, rows: NDArray[Any], truth: NDArray[Any], threat: Threat) -> NDArray[Any]:
    import torch

    at, classes = torch.from_numpy(rows.astype(np.float32)), torch.from_numpy(truth.astype(np.int64))
    slope, _, _ = _gradient(model, at, classes, _cross_entropy)
    return threat.settled((at + threat.radius * _direction(slope, threat)).numpy(), rows)


def pgd(
    model: Gradients, rows: NDArray[Any], truth: NDArray[Any], threat: Threat, seed: int,
    steps: int = STEPS, starts: int = STARTS,
) -> NDArray[Any]:  # fmt: skip
    """Return rows after many steps, from the row itself and from random places within the budget.

    Parameters
    ----------
    model : Gradients
        The differentiable function.
    rows : (n, ...) array
        The rows.
    truth : (n,) array of int
        Their classes.
    threat : Threat
        The budget.
    seed : int
        Of the random starts.
    steps, starts : int
        How many steps from how many starts.

    Returns
    -------
    (n, ...) array
        The first wrongly decided place that was found for each row; the row itself where none was.
    """
    generator = np.random.default_rng([seed, 32])
    moved = [
        _from_all_starts(model, rows[part], truth[part], threat, generator, steps, starts) for part in _parts(rows)
    ]
    return np.concatenate(moved) if moved else rows


def _from_all_starts(
    model: Gradients, rows: NDArray[Any], truth: NDArray[Any], threat: Threat, generator: np.random.Generator,
    steps: int, starts: int,
) -> NDArray[Any]:  # fmt: skip
    found, standing = rows.copy(), np.arange(len(rows))
    for start in range(starts):
        if not len(standing):
            break
        begun = rows[standing].astype(np.float64)
        if start:
            begun = begun + _within(threat, begun.shape, generator)
        loss = _ratio if start % 2 else _cross_entropy
        moved, broken = _climb(model, rows[standing], begun, truth[standing], threat, loss, steps)
        found[standing[broken]] = moved[broken]
        standing = standing[~broken]
    return found


def _within(threat: Threat, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return random moves within the budget."""
    if threat.norm == "linf":
        return generator.uniform(-threat.radius, threat.radius, shape)
    reach = generator.uniform(0, 1, (shape[0], *[1] * (len(shape) - 1)))
    return np.asarray(threat.radius * reach * _unit(generator.normal(size=shape)))


def _climb(
    model: Gradients, rows: NDArray[Any], begun: NDArray[np.float64], truth: NDArray[Any], threat: Threat, loss: Loss,
    steps: int,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:  # fmt: skip
    """Return the first wrongly decided place of each row on the way up its loss, and whether there was one."""
    import torch

    classes, found, broken = torch.from_numpy(truth.astype(np.int64)), rows.copy(), np.zeros(len(rows), dtype=bool)

    def held(moved: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(threat.settled(moved.numpy(), rows).astype(np.float32))

    at = held(torch.from_numpy(begun.astype(np.float32)))
    before, best = at, at
    length = torch.full((len(rows), *[1] * (rows.ndim - 1)), 2 * threat.radius)
    highest = torch.full((len(rows),), -float("inf"))
    grown, looked = torch.zeros(len(rows)), 0
    for step in range(steps + 1):
        slope, value, right = _gradient(model, at, classes, loss)
        fresh = ~right.numpy() & ~broken
        found[fresh] = threat.settled(at.numpy()[fresh], rows[fresh])
        broken |= fresh
        if step == steps or broken.all():
            break
        grown += value > highest
        up = (value > highest).reshape(-1, *[1] * (rows.ndim - 1))
        best, highest = torch.where(up, at, best), torch.maximum(highest, value)
        if step in _looks(steps):
            stuck = (grown < GREW * (step - looked)).reshape(up.shape)
            length, at = torch.where(stuck, length / 2, length), torch.where(stuck, best, at)
            before, grown, looked = torch.where(stuck, at, before), torch.zeros(len(rows)), step
            if bool(stuck.any()):
                slope, _, _ = _gradient(model, at, classes, loss)
        ahead = _projected(at + length * _direction(slope, threat), rows, threat)
        share = 1.0 if step == 0 else MOMENTUM
        ahead = _projected(at + share * (ahead - at) + (1 - share) * (at - before), rows, threat)
        before, at = at, held(ahead) if threat.whole else ahead
    return found, broken


def _looks(steps: int) -> frozenset[int]:
    """Return the steps at which it is looked whether the loss grew: ever more often, as in Auto-PGD."""
    marks, share, width = [], 0.0, 0.22
    while share + width <= 1:
        share += width
        marks.append(int(np.ceil(share * steps)))
        width = max(width - 0.03, 0.06)
    return frozenset(marks)


def _projected(moved: torch.Tensor, rows: NDArray[Any], threat: Threat) -> torch.Tensor:
    """Return the nearest place within budget and range; whole numbers stay fractions on the way."""
    import torch

    start = torch.from_numpy(rows.astype(np.float32))
    change = moved - start
    if threat.norm == "linf":
        change = change.clamp(-threat.radius, threat.radius)
    else:
        size = change.flatten(1).norm(dim=1).clamp_min(1e-12).reshape(-1, *[1] * (rows.ndim - 1))
        change = change * (threat.radius / size).clamp_max(1.0)
    return torch.as_tensor((start + change).clamp(threat.low, threat.high))


def _gradient(
    model: Gradients, at: torch.Tensor, classes: torch.Tensor, loss: Loss
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the gradient of the loss by the rows, the loss of each, and whether each is decided rightly."""
    import torch

    with torch.enable_grad():
        held = at.detach().clone().requires_grad_(True)
        scores = model.scores(held)
        value = loss(scores, classes)
        (slope,) = torch.autograd.grad(value.sum(), held)
    right = scores.argmax(dim=1) == classes
    two = scores.shape[1] == 2
    if two:  # a score at the threshold is positive
        right = (scores[:, 1] >= scores[:, 0]) == (classes == 1)
    return slope.nan_to_num(0.0, 0.0, 0.0), value.detach().float().nan_to_num(), right


def _direction(slope: torch.Tensor, threat: Threat) -> torch.Tensor:
    """Return the steepest way up: the signs, or the gradient in unit length."""
    import torch

    if threat.norm == "linf":
        return torch.sign(slope)
    size = slope.flatten(1).norm(dim=1).clamp_min(1e-30).reshape(-1, *[1] * (slope.ndim - 1))
    return torch.as_tensor(slope / size)


def _cross_entropy(scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    return functional.cross_entropy(scores, classes, reduction="none")


def _ratio(scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the difference-of-logits ratio, free of scale; of two classes there is only the difference."""
    import torch

    mine = scores.gather(1, classes[:, None])[:, 0]
    others = scores.masked_fill(torch.nn.functional.one_hot(classes, scores.shape[1]).bool(), -float("inf"))
    apart = others.max(dim=1).values - mine
    if scores.shape[1] == 2:
        return apart
    ordered = scores.sort(dim=1, descending=True).values
    return apart / (ordered[:, 0] - ordered[:, 2]).clamp_min(1e-12)


def _parts(rows: NDArray[Any]) -> list[slice]:
    each = max(1, CELLS // max(1, int(np.prod(rows.shape[1:]))))
    return [slice(at, at + each) for at in range(0, len(rows), each)]
