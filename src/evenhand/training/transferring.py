"""Transfer: a network that was trained on something else, under a head that is fitted here."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np

from evenhand.data.evaluation_set import needed
from evenhand.data.inputs import as_inputs
from evenhand.errors import InputError, ModelError, argument, need, raise_all
from evenhand.training.config import TrainingConfig
from evenhand.training.private.plan import of_one_fit

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.backbones.opening import Backbone
    from evenhand.training.backbones.plan import BodyPlan
    from evenhand.training.dataset import Prepared
    from evenhand.training.model import NetworkModel
    from evenhand.training.networks import NetworkPlan
    from evenhand.training.plan import Plan
    from evenhand.training.preparing import Preparing
    from evenhand.training.schedule import Progress

OF_IMAGES: Final = ("shift", "flip", "rotate", "crop", "colour")
"""Settings that change images: a head is fitted on what the backbone says of them."""
AT_ONCE: Final = 64
"""Rows that go through the backbone in one piece."""


def transfer(
    backbone: nn.Module | Backbone,
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    *,
    preparing: Preparing | None = None,
    config: TrainingConfig | None = None,
    frozen: bool = True,
    epochs: int = 3,
    slower: float = 0.1,
    name: str = "transferred",
    progress: Progress | None = None,
) -> NetworkModel:
    """Return a model of a backbone that was trained before, and a head that is fitted on its outputs.

    The backbone is asked once for each row, and the head is fitted on what it said. A backbone that is not frozen is
    then fitted together with the head, at a lower learning rate, so that it moves little from where it was
    (Kumar et al. 2022, "Fine-tuning can distort pretrained features").

    Parameters
    ----------
    backbone : torch.nn.Module or Backbone
        From prepared rows to (n, d) numbers, or (n, ...), which are flattened: a network without its last layer. Or
        what `open_backbone` opened, which knows its `preparing`.
    train : EvaluationSet
        Rows to learn from.
    validation : EvaluationSet, optional
        Rows to choose by; a fifth of `train`, drawn by the seed, when not given.
    preparing : Preparing, optional
        What the backbone is used to: its own `Normalization`. Mean and deviation of the training rows when not given.
    config : TrainingConfig, optional
        Settings of the head: ``hidden=()``, which is logistic regression, when not given.
    frozen : bool
        Whether the backbone stays as it is.
    epochs : int
        Passes over the rows in which it is fitted together with the head, where it is not frozen.
    slower : float
        The learning rate then, as a share of that of the head.
    name : str
        What the report calls the model.
    progress : callable, optional
        Called as ``progress(epoch, epochs, text)``.

    Returns
    -------
    NetworkModel
        It is compressed and audited as any other, and its file holds all weights. Over what `open_backbone` opened the
        file is complete; where code outside evenhand builds the backbone, ``load_model(path, network=model.network)``
        reads it.

    Raises
    ------
    InputError
        When the rows are no arrays and `preparing` is not given, or rows cannot be learnt from.
    ModelError
        When the backbone does not take the prepared rows, or is a graph that can only be asked.

    Examples
    --------
    >>> import evenhand as eh, torch
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> data = eh.read_evaluation_set({"low": digits.target < 5}, label="low", inputs=digits.images)
    >>> backbone = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten())
    >>> model = transfer(backbone, data, config=TrainingConfig(hidden=(), epochs=1))
    >>> model.history["backbone"]["features"]
    144
    """
    need("torch", "torch")
    from evenhand.training.dataset import prepared
    from evenhand.training.fitting import fit, hold_out
    from evenhand.training.normalization import Normalization

    train = needed(train, "transfer")
    body = opened(backbone, preparing)
    if body.preparing is None and train.held is None:
        raise InputError("Columns of a table are prepared by preparing=Preprocessing.fit(train.X), for this backbone.")
    if train.task not in ("binary", "multiclass"):
        raise InputError(f"{train.name}: a head of classes is fitted, and the label's task is {train.task}.")
    config = (config or TrainingConfig(hidden=())).for_rows(0)
    told = replace(config, epsilon=None) if frozen else config  # a head alone is one fit, whose rows are features
    raise_all(InputError, of_one_fit(told, "here a backbone and a head are fitted to what is said of the rows"))
    if frozen and (changed := [each for each in OF_IMAGES if getattr(config, each)]):
        raise InputError(
            f"{argument(changed[0])} changes images in each step, and a frozen backbone is asked once for each as it "
            "is: leave it out, or unfreeze the backbone."
        )
    fitted, chosen = (train, needed(validation, "transfer")) if validation is not None else hold_out(train, config.seed)
    preparing = body.preparing or Normalization.fit(fitted.inputs)
    said = [_with_features(part, features(body.network, prepared(preparing, part))) for part in (fitted, chosen)]
    of_head = replace(config, network="mlp", shift=0, flip=False, rotate=0.0, crop=0.0, colour=0.0)
    head = fit(said[0], said[1], of_head, progress=progress, name=name)
    model = _joined(body, head, preparing, (fitted, chosen), name, frozen)
    return model if frozen else _moved(model, (fitted, chosen), config, epochs, slower, progress)


class Opened(NamedTuple):
    """A backbone, of a file or of code."""

    network: nn.Module
    """From prepared rows to numbers."""
    preparing: Preparing | None
    """From model inputs to prepared rows, where that is known."""
    name: str
    """What it is called."""
    plan: BodyPlan | None = None
    """What it is built from again, where that is plain data."""
    seen: NDArray[np.uint64] | None = None
    """Fingerprints of the rows that it was trained on."""


def opened(backbone: nn.Module | Backbone, preparing: Preparing | None, asked_alone: bool = False) -> Opened:
    """Return a backbone with what is known of it.

    Raises
    ------
    ModelError
        When it is a graph and is not `asked_alone`.
    InputError
        When `preparing` is given for one that has its own.
    """
    from evenhand.training.backbones.opening import Backbone

    if not isinstance(backbone, Backbone):
        return Opened(backbone, preparing, type(backbone).__name__)
    if preparing is not None:
        raise InputError(f"The backbone '{backbone.name}' knows how its rows are prepared; leave out preparing=.")
    if backbone.plan is None and not asked_alone:
        raise ModelError(
            f"The backbone '{backbone.name}' is an ONNX graph, which can be asked, as few-shot does, and neither be "
            "trained nor stand in a model's file: take the folder or the file of the network it was exported from."
        )
    return Opened(backbone.network, backbone.preparing, backbone.name, backbone.plan, backbone.seen)


def features(backbone: nn.Module, rows: Prepared) -> NDArray[np.float32]:
    """Return what a backbone says of prepared rows, (n, d), batch by batch.

    Raises
    ------
    ModelError
        When it does not take such rows, or says something that is not finite.
    """
    import torch

    backbone = backbone.eval()
    parts = []
    try:
        with torch.inference_mode():
            for at in range(0, len(rows), AT_ONCE):
                said = backbone(torch.from_numpy(np.ascontiguousarray(rows[at : at + AT_ONCE])))
                parts.append(said.flatten(1).numpy().astype(np.float32))
    except (RuntimeError, TypeError, ValueError, AttributeError) as problem:
        raise ModelError(f"The backbone does not take rows of shape {tuple(rows.shape[1:])}: {problem}") from problem
    found = np.concatenate(parts)
    if not np.isfinite(found).all():
        raise ModelError("The backbone says numbers of some rows that are not finite.")
    return found


def _with_features(data: EvaluationSet, said: NDArray[np.float32]) -> EvaluationSet:
    return replace(data, held=as_inputs(said), _kept={})


def _joined(
    body: Opened, head: NetworkModel, preparing: Preparing, parts: tuple[EvaluationSet, ...], name: str, frozen: bool
) -> NetworkModel:
    """Return one model of both, from the inputs of the backbone to the logits of the head."""
    import copy

    from evenhand.training.backbones.plan import TransferredPlan, joined
    from evenhand.training.given import GivenPlan
    from evenhand.training.model import NetworkModel

    whole = joined(copy.deepcopy(body.network).eval(), _unscaled(head))
    seen = [part.row_hashes(preparing.features, preparing.reads) for part in parts]
    facts: dict[str, Plain] = {"name": body.name, "frozen": frozen, "features": math.prod(head.preprocessing.shape)}
    told: dict[str, Plain] = {
        "backbone": facts,
        "train_hash": parts[0].content_hash(),
        "validation_hash": parts[1].content_hash(),
        "used_sensitive": [column for column in parts[0].roles.sensitive_features if column in preparing.features],
    }
    plan: Plan = GivenPlan(head.plan.outputs, whole, type(body.network).__name__)
    if body.plan is not None:
        plan = TransferredPlan(body.plan, cast("NetworkPlan", head.plan))
    return NetworkModel(
        name=name,
        network=whole,
        plan=plan,
        preprocessing=preparing,
        threshold=head.threshold,
        history={**head.history, **told},
        fit_row_hashes=np.unique(np.concatenate([*seen, *([] if body.seen is None else [body.seen])])),
        cost=head.cost,
    )


def _unscaled(head: NetworkModel) -> nn.Module:
    """Return the head's network for features as they are: its first layer takes over what was done to them."""
    import copy

    import torch
    from torch import nn

    from evenhand.training.normalization import Normalization

    network, between = copy.deepcopy(head.network), head.preprocessing
    first = next(layer for layer in network.modules() if isinstance(layer, nn.Linear))
    assert isinstance(between, Normalization)
    mean, scale = float(np.mean(between.mean)), float(np.mean(between.scale))
    with torch.no_grad():
        first.weight.div_(scale)
        first.bias.sub_(mean * first.weight.sum(dim=1))
    return network


def _moved(
    model: NetworkModel, parts: tuple[EvaluationSet, ...], config: TrainingConfig, epochs: int, slower: float,
    progress: Progress | None,
) -> NetworkModel:  # fmt: skip
    """Return the model with backbone and head fitted together, slower than the head was."""
    from evenhand.training.fitting import dataset_of
    from evenhand.training.loop import run
    from evenhand.training.model import logits, probabilities
    from evenhand.training.schedule import Schedule
    from evenhand.training.thresholds import choose_threshold

    shared = {each.name for each in fields(Schedule)} & {each.name for each in fields(config)}
    told = {name: getattr(config, name) for name in shared}
    schedule = Schedule(**{**told, "epochs": epochs, "learning_rate": slower * config.learning_rate})
    dataset, check = (dataset_of(model.preprocessing, part, config) for part in parts)
    learned = run(model.network, dataset, check, schedule, progress=progress)
    model.network, model.plan = learned.network, model.plan.of(learned.network)
    if model.plan.outputs == 1:
        scores = probabilities(logits(model.network, check.columns), model.name)
        rule = config.threshold_rule or config.threshold
        model.threshold = choose_threshold(parts[1].y_true, scores, rule, parts[1].sample_weight)
    losses: dict[str, Plain] = {"tuned_loss": [round(loss, 6) for loss in learned.check_loss]}
    model.history.pop("counts", None)  # they are those of the head before
    model.history.update(losses)
    return model
