"""From training rows to a model with its preprocessing and its threshold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.data.evaluation_set import needed
from evenhand.errors import InputError, need, raise_all
from evenhand.training.config import TrainingConfig
from evenhand.training.goals import LOSSES, goal_problems, settled, target_of
from evenhand.training.penalty import membership
from evenhand.training.preprocessing import Preprocessing
from evenhand.training.private.plan import refusals, without_companions
from evenhand.training.weighing import resampled, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.config import Architecture
    from evenhand.training.dataset import Dataset
    from evenhand.training.loop import Learned
    from evenhand.training.model import NetworkModel
    from evenhand.training.plan import Plan
    from evenhand.training.preparing import Preparing
    from evenhand.training.schedule import Progress, Schedule
    from evenhand.training.target import Target

VECTOR = 8
"""Length of each column's vector in a DeepFM, where none is set."""
HELD_OUT = 0.2
"""Share of the training rows held out for early stopping and the threshold when no validation rows are given."""


def fit(
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    config: TrainingConfig | None = None,
    progress: Progress | None = None,
    name: str = "model",
    checkpoint: str | Path | None = None,
    watch: Callable[[int, float], None] | None = None,
    plan: Plan | None = None,
    preparing: Preparing | None = None,
) -> NetworkModel:
    """Return a fitted model: of two classes or several, of numbers or their quantiles, or of a ranking.

    Preprocessing and weights are learnt from the training rows only; the epoch that is kept and the threshold are
    chosen on the validation rows. On one machine the same rows and seed give the same model.

    Parameters
    ----------
    train : EvaluationSet
        Rows to learn from.
    validation : EvaluationSet, optional
        Rows to choose by; a fifth of `train`, drawn by the seed, when not given.
    config : TrainingConfig, optional
        Settings; the defaults when not given.
    progress : callable, optional
        Called as ``progress(epoch, epochs, text)``.
    name : str
        What the report calls the model.
    checkpoint : path, optional
        A file that keeps the state after each epoch; a killed fit resumes from it with the same result.
    watch : callable, optional
        Called with each epoch and its loss on the validation rows; what it raises ends the fit.
    plan : Plan, optional
        Another network than that of `config`, such as one over images; one logit for two classes, else one per class;
        of numbers one output, of quantiles as many.
    preparing : Preparing, optional
        Fitted on training rows already, where inputs are to be prepared otherwise. Else a table is prepared by
        `Preprocessing`, arrays by `Normalization`, and texts by `Tokenization`.

    Returns
    -------
    NetworkModel

    Raises
    ------
    InputError
        When there are too few rows, one class only, columns that cannot be inputs, or settings that are not for the
        label's task.
    ModelError
        When the loss was not finite from the beginning.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig
    >>> parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3})
    >>> model = fit(parts["train"], config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> model.predict(parts["test"].X).shape
    (591,)
    """
    for package in ("torch", "safetensors"):
        need(package, "torch")
    import torch

    from evenhand.training.closing import close
    from evenhand.training.dataset import prepared
    from evenhand.training.lists import learn
    from evenhand.training.metering import Meter
    from evenhand.training.model import NetworkModel, logits
    from evenhand.training.private.fitting import by_coin, in_private, told_of
    from evenhand.training.resuming import Checkpoint
    from evenhand.training.trees.baseline import beside

    config = config or TrainingConfig()
    train, validation = needed(train, "fit"), None if validation is None else needed(validation, "fit")
    problems = [*_problems(train, validation), *_other_model(config), *goal_problems(train, config)]
    raise_all(InputError, [*problems, *refusals(train, validation, config)])
    config = without_companions(settled(config, train.task))
    meter = Meter()
    fitted, chosen = (train, validation) if validation is not None else hold_out(train, config.seed)
    fitted, coin = by_coin(fitted, config)
    config = config.for_rows(len(fitted) if fitted.held is None else 0)
    preprocessing = preparing or _preparing(fitted, config, plan)
    target = target_of(fitted, config)
    plan = plan or _plan(preprocessing, config, _outputs(fitted, target))
    _check_plan(plan, preprocessing, fitted, target)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)  # networks are made on this processor
        network = plan.build()
    dataset = resampled(dataset_of(preprocessing, fitted, config, target), fitted, config)
    check = dataset_of(preprocessing, chosen, config, target)
    kept = None if checkpoint is None else Checkpoint(Path(checkpoint), _fit_name(config, fitted, chosen))
    course = in_private(_course(config, target), config, network, preprocessing, fitted)
    learned = learn(network, dataset, check, course, checkpoint=kept, watch=watch, progress=progress)
    columns = (dataset.columns, check.columns)
    if config.resample is not None or train.task == "ranking":  # rows were drawn, or put in lists
        columns = (prepared(preprocessing, fitted), prepared(preprocessing, chosen))
    outputs = [logits(learned.network, rows) for rows in columns]
    closed = close((fitted, outputs[0]), (chosen, outputs[1]), config, target)
    seen = [data.row_hashes(preprocessing.features, preprocessing.reads) for data in (fitted, chosen)]
    cost = meter.read()  # of the network alone
    trees = beside(closed.scores, fitted, chosen, config)
    return NetworkModel(
        name=name,
        network=learned.network,
        plan=plan,
        preprocessing=preprocessing,
        threshold=closed.threshold,
        target=closed.target,
        history={
            **told_of(course.private, coin, {**_history(config, learned, fitted, chosen), **closed.reached}),
            **({"cleaning": preprocessing.cleaning()} if isinstance(preprocessing, Preprocessing) else {}),
            **({"baseline": trees} if trees is not None else {}),
            **({"checkpoint_problem": kept.problem} if kept is not None and kept.problem else {}),
        },
        fit_row_hashes=np.unique(np.concatenate(seen)),
        cost=cost,
    )


def _outputs(data: EvaluationSet, target: Target | None) -> int:
    """Return how many outputs a network of the label has: logits of classes, or numbers."""
    if target is not None:
        return target.outputs
    return 1 if data.task == "binary" else len(data.classes)


def _check_plan(plan: Plan, preparing: Preparing, data: EvaluationSet, target: Target | None) -> None:
    wanted = _outputs(data, target)
    problems = []
    if plan.outputs != wanted and target is None:
        problems.append(
            f"{data.name}: the label has {len(data.classes)} classes, for which a network has {wanted} logits, and "
            f"this one has {plan.outputs}."
        )
    elif plan.outputs != wanted:
        problems.append(f"{data.name}: a network of this label has {wanted} outputs, and this one has {plan.outputs}.")
    taken = getattr(plan, "shape", None) or (getattr(plan, "columns", None),)
    if taken != (None,) and tuple(taken) != tuple(preparing.shape):
        problems.append(f"The network takes rows of shape {tuple(taken)}, and prepared are {preparing.shape}.")
    if (known := getattr(plan, "vocabulary", None)) is not None and known < getattr(preparing, "vocabulary", known):
        problems.append(f"The network knows {known:,} tokens, and the rows have {preparing.vocabulary:,}.")  # type: ignore[attr-defined]
    raise_all(InputError, problems)


def _preparing(fitted: EvaluationSet, config: TrainingConfig, plan: Plan | None) -> Preparing:
    from evenhand.training.normalization import Normalization
    from evenhand.training.tokenization import Tokenization

    if fitted.held is None:
        return Preprocessing.fit(fitted.X, config.scaling, config.pieces, config.read_codes)
    if fitted.held.kind == "texts":
        most, length = (getattr(plan, name, getattr(config, name)) for name in ("vocabulary", "length"))
        return Tokenization.fit(fitted.held, most, length)
    return Normalization.fit(fitted.held, getattr(plan, "shape", None))


def _plan(preprocessing: Preparing, config: TrainingConfig, outputs: int) -> Plan:
    from evenhand.training.image_networks import plan_of_images, refuse_columns
    from evenhand.training.networks import NetworkPlan
    from evenhand.training.text_networks import plan_of_texts, refuse_no_texts
    from evenhand.training.tokenization import Tokenization

    if isinstance(preprocessing, Tokenization):
        return plan_of_texts(config, preprocessing, outputs)
    refuse_no_texts(config.network, preprocessing.reads)
    if len(preprocessing.shape) == 3:
        return plan_of_images(config, preprocessing.shape, outputs)
    refuse_columns(config.network, preprocessing.reads)
    width = math.prod(preprocessing.shape)
    widths: tuple[int, ...] = getattr(preprocessing, "widths", ())
    embedding = config.embedding if widths else 0
    if config.network == "deepfm":  # of rows without columns each number is one
        widths, embedding = widths or (1,) * width, config.embedding or VECTOR
    return NetworkPlan(
        width,
        config.hidden,
        config.activation,
        config.dropout,
        cast("Architecture", config.network),
        config.batch_norm,
        config.heads,
        widths if config.network == "transformer" or embedding else (),
        outputs=outputs,
        embedding=embedding,
    )


def _fit_name(config: TrainingConfig, fitted: EvaluationSet, chosen: EvaluationSet) -> str:
    """Return the fingerprint of a fit, by which a checkpoint of another one is recognized."""
    said = json.dumps([config.to_plain(), fitted.content_hash(), chosen.content_hash()], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def dataset_of(
    preprocessing: Preparing, data: EvaluationSet, config: TrainingConfig, target: Target | None = None
) -> Dataset:
    """Return rows as a dataset, weighted by the set's weights and, if requested, equally by class.

    Of numbers, targets are those that `target` learns; the rows of a ranking's data set are its lists.
    """
    from evenhand.training.dataset import Dataset, prepared
    from evenhand.training.lists import in_lists

    weight = weights_of(data, config)
    rows = prepared(preprocessing, data)
    if target is not None and target.task == "ranking":
        return in_lists(rows, data, weight, config.seed)
    members = None if config.fairness is None else membership(data)
    return Dataset(rows, targets(data, target), (weight / weight.mean()).astype(np.float32), members)


def targets(data: EvaluationSet, target: Target | None = None) -> NDArray[np.float32]:
    """Return (n,) labels of two classes or numbers, or (n, C) with 1 in the column of the class."""
    if target is not None:
        return target.learnt(data.y_true)
    if data.task == "binary":
        return data.y_true.astype(np.float32)
    return np.asarray(np.eye(len(data.classes), dtype=np.float32)[data.y_true])


def hold_out(train: EvaluationSet, seed: int) -> tuple[EvaluationSet, EvaluationSet]:
    """Return rows to fit on and a fifth to choose by."""
    from evenhand.data import split

    parts = split(train, {"train": 1 - HELD_OUT, "validation": HELD_OUT}, seed=seed)
    return parts["train"], parts["validation"]


def _course(config: TrainingConfig, target: Target | None = None) -> Schedule:
    from evenhand.training.schedule import Schedule

    shared = {field.name for field in dataclasses.fields(Schedule)} & {
        field.name for field in dataclasses.fields(config)
    }
    return Schedule(**{name: getattr(config, name) for name in shared}, target=target)


def _history(
    config: TrainingConfig, learned: Learned, fitted: EvaluationSet, chosen: EvaluationSet
) -> dict[str, Plain]:
    """Return how the model came about, as plain data."""
    from evenhand.training.closing import fitted_by

    return {
        **fitted_by(config, fitted, chosen),
        "epochs": len(learned.check_loss),
        "best_epoch": learned.best_epoch,
        "stopped": learned.stopped,
        **({"device": learned.device} if learned.device != "cpu" else {}),
        "train_loss": [round(loss, 6) for loss in learned.train_loss],
        "validation_loss": [round(loss, 6) for loss in learned.check_loss],
    }


def _problems(train: EvaluationSet, validation: EvaluationSet | None) -> Iterator[str]:
    for what, data in (("training", train), ("validation", validation)):
        if data is None:
            continue
        if data.task not in LOSSES:
            yield (
                f"{data.name}: a network learns classes, numbers or a ranking, and the label's task is {data.task}. "
                "Fit one model for each label."
            )
        elif len(data) < 2:
            yield f"{data.name}: {len(data)} {what} rows are too few."
        elif data.y_true.min() == data.y_true.max():
            yield f"{data.name}: all {len(data):,} {what} rows have the same label, so nothing can be learnt from them."
    if validation is not None and validation.task != train.task:
        yield (
            f"{validation.name}: its label's task is {validation.task} and that of the training rows {train.task}. "
            "Read the one like=the other."
        )
    elif validation is not None and validation.classes != train.classes:
        yield (
            f"{validation.name}: its label has the classes {_listed(validation.classes)} and that of the training rows "
            f"{_listed(train.classes)}. Read the one like=the other."
        )
    rows = np.bincount(train.y_true, minlength=len(train.classes)) if train.task == "multiclass" else ()
    if absent := [value for value, n in zip(train.classes, rows, strict=False) if not n]:
        yield f"{train.name}: no training row is of {_listed(absent)}, so the class cannot be learnt. Leave it out."
    if train.held is None and not train.features:
        yield f"{train.name}: no column is left as a model input."


def _other_model(config: TrainingConfig) -> Iterator[str]:
    if config.model != "network":
        yield f"fit makes a network, and model is {config.model!r}: call fit_boosting, with the same settings."


def _listed(values: Iterable[object]) -> str:
    return ", ".join(f"'{value}'" for value in values)
