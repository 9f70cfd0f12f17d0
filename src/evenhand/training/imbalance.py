"""Methods for a rare class, by name, to be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import InputError
from evenhand.training.config import TrainingConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.data import EvaluationSet
    from evenhand.training.model import NetworkModel
    from evenhand.training.schedule import Progress


@dataclass(frozen=True, slots=True)
class Way:
    """One way of dealing with a rare class."""

    meaning: str
    """What it does."""
    settings: Mapping[str, object]
    """Settings of the fit that differ from the usual ones."""
    members: int = 1
    """Networks whose probabilities are averaged."""


MOVED: Final = "threshold moved"
"""The way that is of two classes only."""
WAYS: Final[Mapping[str, Way]] = {
    "nothing": Way("As it is, deciding at 0.5.", {"threshold": 0.5}),
    "weights": Way("Rows weigh so that classes weigh alike.", {"threshold": 0.5, "class_weight": "balanced"}),
    "oversampling": Way("Rows of the rare class are drawn again.", {"threshold": 0.5, "resample": "over"}),
    "undersampling": Way("Rows of the common class are left out.", {"threshold": 0.5, "resample": "under"}),
    "focal loss": Way("Rows that are right count for less.", {"threshold": 0.5, "loss": "focal"}),
    "focal loss, weights": Way("Both.", {"threshold": 0.5, "loss": "focal", "class_weight": "balanced"}),
    MOVED: Way("As it is, deciding where F1 is highest on validation rows.", {"threshold": "f1"}),
    "ensemble": Way(
        "Five networks, each with other rows of the common class left out, their probabilities averaged.",
        {"threshold": 0.5, "resample": "under"},
        5,
    ),
}
"""Every way by its name."""


def fit_ways(
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    config: TrainingConfig | None = None,
    ways: Mapping[str, Way] | None = None,
    progress: Progress | None = None,
) -> dict[str, NetworkModel]:
    """Return one fitted model per method, from the same rows and otherwise equal settings.

    Parameters
    ----------
    train, validation, config, progress
        As in `fit`.
    ways : mapping of name to Way
        When not given, `WAYS`; of several classes without the one that moves the threshold of two.

    Returns
    -------
    dict of str to NetworkModel

    Raises
    ------
    InputError
        When the label is one of numbers, of which no class can be rare, and as in `fit`.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig
    >>> chosen = {name: WAYS[name] for name in ("nothing", "weights")}
    >>> models = fit_ways(eh.load_loanapp(), config=TrainingConfig(epochs=1, hidden=(4,)), ways=chosen)
    >>> list(models)
    ['nothing', 'weights']
    """
    from evenhand.training.ensembles import fit_ensemble
    from evenhand.training.fitting import fit

    if train.task not in ("binary", "multiclass"):
        raise InputError(f"{train.name}: ways with a rare class are of classes, and the label's task is {train.task}.")
    usual = config or TrainingConfig()
    if ways is None:
        ways = WAYS if train.task == "binary" else {name: way for name, way in WAYS.items() if name != MOVED}
    made = {}
    for name, way in ways.items():
        settings = replace(usual, **cast("dict[str, object]", dict(way.settings)))  # type: ignore[arg-type]
        made[name] = (
            fit(train, validation, replace(settings, baseline=False), progress, name)
            if way.members == 1
            else fit_ensemble(train, validation, settings, way.members, progress, name)
        )
    return made
