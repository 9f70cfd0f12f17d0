"""A network fitted again by its own recipe, with other settings; and compressed again where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from evenhand.errors import ModelError
from evenhand.messages import message

if TYPE_CHECKING:
    from evenhand.compression import CompressedModel
    from evenhand.compression.recipe import Recipe
    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.mitigation.candidate import Problem
    from evenhand.subjects import Subject
    from evenhand.training import NetworkModel

Adjust: TypeAlias = "Callable[[Recipe], Recipe]"
"""Returns a recipe as it is to be applied this time."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the file of a model says of its fit."""

    name: str
    """What the report calls it."""
    history: Mapping[str, Plain]
    """How its network was fitted."""
    preprocessing: Any
    """Whose columns it reads."""
    plan: None = None
    """Its network follows from the settings of the fit."""
    recipe: tuple[Plain, ...] = field(default=())
    """What it was compressed by."""


def recorded(model: Subject) -> Recorded | None:
    """Return what a network of this package says of its fit; None of any other model.

    Parameters
    ----------
    model : Subject
        The model.
    """
    facts, preparing = model.facts, getattr(model, "preprocessing", None)
    training = facts.get("training")
    if preparing is None or facts.get("kind") not in ("torch", "onnx") or not isinstance(training, Mapping):
        return None
    config, steps = training.get("config"), facts.get("recipe") or []
    if not isinstance(config, Mapping) or config.get("model", "network") != "network" or "backbone" in training:
        return None
    return Recorded(model.name, training, preparing, recipe=tuple(cast("Sequence[Plain]", steps)))


def by_groups(problem: Problem, rows: EvaluationSet) -> EvaluationSet:
    """Return rows whose sensitive features are those of the problem.

    Parameters
    ----------
    problem : Problem
        The problem.
    rows : EvaluationSet
        The rows.
    """
    others = tuple(name for name in rows.roles.sensitive_features if name not in problem.sensitive)
    if not others:
        return rows
    read = set(others) & set(rows.features)
    barred = tuple(dict.fromkeys([*rows.roles.exclude, *(name for name in others if name not in read)]))
    return replace(rows, roles=replace(rows.roles, sensitive_features=problem.sensitive, exclude=barred), _kept={})


def network_again(
    problem: Problem,
    rows: EvaluationSet,
    seed: int,
    name: str,
    changes: Mapping[str, Plain] | None = None,
    adjust: Adjust | None = None,
    balance: Sequence[str] | None = None,
) -> Subject:
    """Return the model's network fitted again with some settings changed, and compressed as the model was.

    Parameters
    ----------
    problem : Problem
        The problem.
    rows : EvaluationSet
        The rows to fit on.
    seed : int
        Of what draws; without `changes` the network is fitted with its own, so that on its own rows it is the same.
    name : str
        What the report calls the result.
    changes : mapping of setting to value, optional
        Settings of the fit that are to be others.
    adjust : callable, optional
        Returns each recipe of the compression as it is to be this time.
    balance : sequence of str, optional
        Columns whose groups the compression treats alike.

    Raises
    ------
    ModelError
        When the model's file does not say how it was made.
    """
    from evenhand.compression import compress
    from evenhand.training.refitting import refit

    known = recorded(problem.model)
    if known is None:
        raise ModelError(message("The model's file does not say how its network was fitted."))
    steps = [adjust(step) if adjust is not None else step for step in recipes(known)]
    learnt = rows if changes is None else by_groups(problem, rows)
    own = cast("Mapping[str, Any]", known.history["config"]).get("seed", seed)
    made: Any = refit(cast("NetworkModel", known), learnt, int(own) if changes is None else seed, changes or {})
    if steps:
        made = _compressed(made, steps, learnt, seed, balance, compress)
    made.name = name
    return cast("Subject", made)


def _compressed(
    network: NetworkModel, steps: list[Recipe], rows: EvaluationSet, seed: int, balance: Sequence[str] | None, by: Any
) -> NetworkModel | CompressedModel:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a file that grew, as the model's own did
        made: NetworkModel | CompressedModel = by(network, steps, train=rows, seed=seed, balance=balance)
    return made


def recipes(known: Recorded) -> list[Recipe]:
    """Return the recipes that a model was compressed by, with their settings.

    Parameters
    ----------
    known : Recorded
        What its file says.

    Raises
    ------
    ModelError
        When one is not known here, or its settings are not all in the file.
    """
    from evenhand.compression import RECIPES
    from evenhand.settings import settings_of

    found = []
    for step in known.recipe:
        said = cast("Mapping[str, Any]", step)
        name = str(said.get("recipe"))
        if name not in RECIPES or "student" in said:
            raise ModelError(
                message("The model's file does not say all about its step '{step}', so it is not repeated.", step=name)
            )
        kind: Any = RECIPES[name]
        given = {key: value for key, value in said.items() if key in settings_of(kind)}
        found.append(kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}))
    return found


def steps_of(problem: Problem) -> tuple[Mapping[str, Any], ...]:
    """Return what the model's file says of each step of its compression; none where it is no network of this package.

    Parameters
    ----------
    problem : Problem
        The problem.
    """
    known = recorded(problem.model)
    return () if known is None else tuple(cast("Mapping[str, Any]", step) for step in known.recipe)
