"""From a model and recipes to a new, smaller model."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from evenhand.compression.agreement import Witness
from evenhand.compression.recipe import Bench, Progress, Recipe
from evenhand.data import pick
from evenhand.data.evaluation_set import needed
from evenhand.errors import InputError, ModelError, did_you_mean, raise_all

if TYPE_CHECKING:
    from evenhand.compression.compressed import CompressedModel
    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel

Made: TypeAlias = "NetworkModel | CompressedModel"
WITNESSED: Final = 5_000
"""Training rows, drawn by the seed, on which each step's model is compared; all when there are fewer."""
LARGER: Final = "is larger than the original"
"""What a warning says of a file that grew."""
GROWN: Final = 1.05
"""Times the bytes above which a file has grown: what it says of its recipes takes some."""
TWIN_ROWS: Final = 1_000
"""Training rows on which a twin's agreement is stated."""


def compress(
    model: NetworkModel,
    recipes: Recipe | Sequence[Recipe],
    *,
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    seed: int = 0,
    balance: str | Sequence[str] | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> NetworkModel | CompressedModel:
    """Return a new model, made by the recipes in order; `model` stays as it is.

    Calibration, fine-tuning and the check after each step see training rows only. Fine-tuning makes small what the fit
    did: its loss, weights of classes, rows drawn again. The new model keeps the threshold of the original, save where
    the fit chose it by a rule and the fine-tuned network does worse by that rule on the rows it stopped by: then it is
    chosen anew, the recipe's entry on record has both, and `Stages.by` a ``threshold``. Each entry has the size of the
    file before it, ``bytes_before``; of a file that is larger in the end a warning tells.

    Parameters
    ----------
    model : NetworkModel
        As `evenhand.training.fit` returns it or `load_model` reads it.
    recipes : Recipe or sequence of Recipe
        Such as ``[NeuronPruning(0.5), Int8()]``; a recipe that leaves torch must be the last.
    train : EvaluationSet
        The rows the model was trained on. Never hand over test rows.
    validation : EvaluationSet, optional
        Rows to stop fine-tuning by: those of the fit. When not given, those that the fit held out of `train`, and where
        it held none out, a part of `train`, which the original has learnt and which therefore favours the network as
        it is before fine-tuning.
    seed : int
        Decides samples and the order of rows.
    balance : str or sequence of str, optional
        Columns whose groups count alike in fine-tuning, and are drawn equally often for calibration and pruning.
    seconds : float, optional
        After so long no further epoch of fine-tuning begins; the steps themselves are still taken. Where it bites, the
        result depends on the machine.
    progress : callable, optional
        Called as ``progress(step, steps, text)``.

    Returns
    -------
    NetworkModel or CompressedModel
        The latter, run by ONNX Runtime, when the last recipe is `Int8`, `Int4` or `OnnxExport`; what `Int8` and
        `Int4` made has a `twin` in torch, for what needs gradients.

    Raises
    ------
    InputError
        Without a recipe or rows, or when a recipe follows one that leaves torch.
    ModelError
        When the model cannot be compressed, or a step made it decide otherwise than before on too many rows.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.compression import Int8, NeuronPruning
    >>> from evenhand.training import TrainingConfig, fit
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> full = fit(parts["train"], config=TrainingConfig(epochs=1, hidden=(8,)))
    >>> small = compress(full, [NeuronPruning(0.5, epochs=1), Int8()], train=parts["train"])
    >>> [step["recipe"] for step in small.facts["recipe"]], len(small.predict(parts["test"].X))
    (['neuron_pruning', 'int8'], 591)
    """
    from evenhand.training import NetworkModel
    from evenhand.training.stages import Stages, numbered

    train, validation = needed(train, "compress"), None if validation is None else needed(validation, "compress")
    steps: tuple[Recipe, ...] = tuple(recipes) if isinstance(recipes, Sequence) else (recipes,)
    columns = (balance,) if isinstance(balance, str) else None if balance is None else tuple(balance)
    _check(model, steps, train, seed, columns or ())
    began = time.monotonic()
    current: Made = model
    witness = Witness(model, Bench(train, seed=seed).drawn(model, WITNESSED))
    passed: list[tuple[str, Made]] = []
    for number, recipe in enumerate(steps):
        left = None if seconds is None else max(0.0, began + seconds - time.monotonic())
        bench = Bench(train, validation, seed, columns, left, progress, number, len(steps))
        assert isinstance(current, NetworkModel)  # checked before the first step
        passed += _apply(recipe, witness, current, bench)
        current = passed[-1][1]
    if len(passed) > 1:
        between = tuple(made for _, made in passed[:-1] if isinstance(made, NetworkModel))
        current.stages = Stages(str(model.facts["sha256"]), numbered([by for by, _ in passed]), between)
    if progress is not None:
        progress(len(steps), len(steps), "")
    _warn_of_growth(model, current)
    return current


def _apply(recipe: Recipe, witness: Witness, before: NetworkModel, bench: Bench) -> list[tuple[str, Made]]:
    """Apply one recipe and check at once that the model still decides as before.

    Return the models on the way to the one that it makes, the last, each with what made it.
    """
    from evenhand.compression.twin import make_twin
    from evenhand.training import NetworkModel

    after = recipe.apply(before, bench)
    step = str(recipe.describe()["recipe"])
    passed: list[tuple[str, Made]] = [(step, after)]
    if bench.tuned and isinstance(after, NetworkModel):
        passed = _taken_apart(recipe, before, after, bench)
        after = passed[-1][1]
    found = witness.look(after, step=step, floor=recipe.floor)
    bench.say(f"{step}: {found.words}; {len(after.content):,} bytes, {len(before.content):,} before")
    if not isinstance(after, NetworkModel) and "int" in str(recipe.describe().get("weights")):
        after.twin = make_twin(after, before, pick(witness.rows, slice(TWIN_ROWS)))
    return passed


def _warn_of_growth(original: NetworkModel, made: Made) -> None:
    before, after = len(original.content), len(made.content)
    if after > GROWN * before:
        warnings.warn(
            f"'{made.name}' {LARGER}: {after:,} bytes, and {before:,} before. Recipes that prune or round the weights "
            "of larger networks make files smaller; of a network this small, what the file says of itself weighs more.",
            UserWarning,
            stacklevel=3,
        )


def _taken_apart(recipe: Recipe, before: NetworkModel, after: NetworkModel, bench: Bench) -> list[tuple[str, Made]]:
    """Return what a recipe made without fine-tuning, with it, and with the threshold chosen anew, where it must be."""
    from evenhand.compression.deciding import moved_threshold
    from evenhand.compression.tuning import config_of

    step = str(recipe.describe()["recipe"])
    passed: list[tuple[str, Made]] = [(step, after)]
    if not getattr(recipe, "trains_anew", False):
        bare = recipe.apply(before, replace(bench, tuning=False, tuned=[], progress=None))
        passed = [(step, bare), ("tuning", after)]
    threshold = moved_threshold(before, after, bench)
    if threshold is None:
        return passed
    rule = config_of(before).threshold_rule
    note: dict[str, Plain] = {"rule": rule, "before": after.threshold, "after": threshold}
    bench.say(f"{step}: threshold {after.threshold:.3f} moved to {threshold:.3f} by the rule of the fit, {rule}")
    return [*passed, ("threshold", after.with_threshold(threshold, note))]


def _check(
    model: object, recipes: tuple[Recipe, ...], train: EvaluationSet, seed: int, columns: tuple[str, ...]
) -> None:
    from evenhand.subjects.modules import NOT_CHANGED, is_exported
    from evenhand.training import NetworkModel

    problems = []
    if not recipes:
        problems.append("compress needs one recipe at least, such as Int8() or NeuronPruning(0.5).")
    problems += [
        f"{type(recipe).__name__} makes an ONNX file, which no recipe can be applied to: put it last."
        for recipe in recipes[:-1]
        if recipe.describe().get("runtime") == "onnxruntime"
    ]
    if not len(train):
        problems.append("There are no training rows to compress with.")
    known = [str(column) for column in train.table.columns] if columns else []
    problems += [
        f"{train.name}: there is no column '{column}' to balance by.{did_you_mean(column, known)}"
        for column in columns
        if column not in known
    ]
    if seed < 0:
        problems.append(f"seed must be a whole number, 0 or above, not {seed!r}.")
    raise_all(InputError, problems)
    if is_exported(model) or getattr(model, "is_program", False):
        raise ModelError(f"'{getattr(model, 'name', type(model).__name__)}' {NOT_CHANGED}")
    if not isinstance(model, NetworkModel):
        raise ModelError(
            f"A network that evenhand trained, or one of your own by given_model, can be compressed, not a "
            f"{type(model).__name__}. A compressed model is made anew from its original."
        )
