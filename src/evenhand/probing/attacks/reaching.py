"""The torch module behind a subject, from rows on their own scale to class scores, where there is one."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.subjects import Subject

__all__ = ["Gradients", "gradients_of"]


LEAST: Final = 1e-30
"""The least probability that has a logarithm."""


@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """A differentiable function from rows to a score of each class; the largest decides.

    See Also
    --------
    evenhand.probing.attacks.gradients_of : Makes one.
    """

    scores: Callable[[torch.Tensor], torch.Tensor]
    """From (n, ...) rows on the scale of the inputs, as fractions, to (n, C) scores; two classes have two."""


def gradients_of(subject: Subject, rows: NDArray[Any]) -> Gradients | None:
    """Return the differentiable function of a subject that reads arrays.

    Parameters
    ----------
    subject : Subject
        A torch module, or a network that evenhand trained.
    rows : (n, ...) array
        Rows that it is tried on.

    Returns
    -------
    Gradients or None
        None for a model whose gradients cannot be had: another kind of model, or a module that gives none.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from evenhand.subjects import as_subject
    >>> linear = as_subject(torch.nn.Linear(4, 1), output="logit", reads="arrays")
    >>> rows = np.zeros((2, 4), dtype="float32")
    >>> gradients_of(linear, rows).scores(torch.zeros(2, 4)).shape
    torch.Size([2, 2])
    >>> gradients_of(as_subject(lambda batch: batch[:, 0]), rows) is None
    True
    """
    found = _trained(subject) or _module(subject)
    return found if found is not None and _works(found, rows) else None


def _trained(subject: Any) -> Gradients | None:
    """Return the function of a network that evenhand trained: its preparing of arrays is a scale and a shape."""
    network, preparing = getattr(subject, "network", None), getattr(subject, "preprocessing", None)
    if network is None or getattr(preparing, "reads", "") != "arrays" or getattr(subject, "target", None) is not None:
        return None
    import torch

    said: Any = preparing
    mean, scale = (torch.as_tensor(np.asarray(part, dtype=np.float32)) for part in (said.mean, said.scale))
    shape = tuple(said.shape)
    module = _frozen(network)
    cut = float(subject.threshold)

    def scores(rows: torch.Tensor) -> torch.Tensor:
        held = _shaped(rows, shape)
        mine, by = (each.reshape(-1, *[1] * (len(shape) - 1)) if each.ndim else each for each in (mean, scale))
        return _of_log_odds(module((held - mine) / by), cut)

    return Gradients(scores)


def _shaped(rows: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return rows in the shape of the network: channels that come last are put first, flat rows are folded."""
    found = tuple(rows.shape[1:])
    if found != shape and len(found) == len(shape) > 1 and (found[-1], *found[:-1]) == shape:
        return rows.movedim(-1, 1)
    return rows.reshape(len(rows), *shape)


def _module(subject: Any) -> Gradients | None:
    """Return the function of a torch module that was declared to give probabilities, log-odds or a ranking."""
    while not hasattr(subject, "module") and hasattr(subject, "model"):
        subject = subject.model
    module, says = getattr(subject, "module", None), getattr(subject, "says", None)
    if module is None or says is None:
        return None
    from evenhand.subjects.modules import number_type, one_tensor

    frozen, kind, name = _frozen(module), number_type(module), subject.name
    cut, column, turned = float(subject.threshold), says.positive_index, says.turned

    def scores(rows: torch.Tensor) -> torch.Tensor:
        said = one_tensor(frozen(rows.to(kind)), name)
        if said.ndim == 2 and said.shape[1] > 2 and column is None:
            return _log(said) if says.output == "probability" else said
        return _two(said, says.output, column, turned, cut)

    return Gradients(scores)


def _two(said: torch.Tensor, output: str, column: int | None, turned: bool, cut: float) -> torch.Tensor:
    """Return scores of two classes from what a module says of the positive one, or of both."""
    import torch

    if output == "ranking":
        one = said.reshape(len(said), -1)[:, -1 if column is None else column] - cut
        return torch.stack([torch.zeros_like(one), one], dim=1)
    if said.ndim == 2 and said.shape[1] > 1:
        at = 1 if column is None else column
        logs = _log(said) if output == "probability" else torch.log_softmax(said, dim=1)
        odds = logs[:, at] - torch.logsumexp(torch.cat([logs[:, :at], logs[:, at + 1 :]], dim=1), dim=1)
    else:
        one = said.reshape(-1)
        odds = _log(one) - _log(1 - one) if output == "probability" else one
    return _of_log_odds(-odds if turned else odds, cut)


def _log(share: torch.Tensor) -> torch.Tensor:
    """Return the logarithm of probabilities; one of 0 has no gradient."""
    return share.clamp_min(LEAST).log()


def _of_log_odds(said: torch.Tensor, cut: float) -> torch.Tensor:
    """Return (n, 2) scores of log-odds, of which the second is larger from the threshold on; (n, C) as they are."""
    import torch

    if said.ndim == 2 and said.shape[1] > 1:
        return said
    odds = said.reshape(-1)
    inside = min(max(cut, 1e-12), 1 - 1e-12)
    return torch.stack([torch.zeros_like(odds), odds - float(np.log(inside / (1 - inside)))], dim=1)


def _frozen(module: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode whose weights take no gradient; a program is used as it is."""
    try:
        held = copy.deepcopy(module)
        held.eval()
    except Exception:  # programs have one mode, and some modules cannot be copied
        return module
    for weight in held.parameters():
        weight.requires_grad_(False)
    return held


def _works(found: Gradients, rows: NDArray[Any]) -> bool:
    """Return whether gradients come of a row: a module may refuse fractions, or detach what it computes."""
    import torch

    at = torch.from_numpy(rows[:1].astype(np.float32)).requires_grad_(True)
    try:
        with torch.enable_grad():
            said = found.scores(at)
            torch.autograd.grad(said.sum(), at)
    except Exception:  # a module can raise anything
        return False
    return said.ndim == 2
