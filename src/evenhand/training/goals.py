"""What a label asks of a fit: settings that suit its task, and errors for those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import argument
from evenhand.training.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.data import EvaluationSet
    from evenhand.findings import Task
    from evenhand.training.config import TrainingConfig

LOSSES: Final = {
    "binary": ("cross_entropy", "focal", "mse"),
    "multiclass": ("cross_entropy", "focal", "mse"),
    "regression": ("mse", "mae", "huber", "pinball"),
    "ranking": ("listwise", "pairwise"),
}
"""The losses of each task that a network learns, the usual one first."""
WORDS: Final = {"regression": "numbers", "ranking": "ranking"}


def target_of(data: EvaluationSet, config: TrainingConfig) -> Target | None:
    """Return how the numbers of a label are learnt; None where it is one of classes."""
    return Target.fit(data, config) if data.task in ("regression", "ranking") else None


def goal_problems(data: EvaluationSet, config: TrainingConfig) -> Iterator[str]:
    """Yield errors of settings that do not suit the label."""
    losses = LOSSES.get(data.task)
    if losses is None:
        return  # told elsewhere
    if config.loss not in ("auto", *losses):
        yield (
            f"{data.name}: {argument('loss', config.loss)} is not for a label of the task {data.task}; for it are "
            f"{', '.join(losses)}."
        )
    if config.quantiles and config.loss not in ("auto", "pinball"):
        yield f"Quantiles are learnt by the pinball loss; leave out {argument('loss', config.loss)}."
    if config.loss == "pinball" and not config.quantiles:
        yield f"The pinball loss is of quantiles: name them by {argument('quantiles')}, such as 0.1, 0.5, 0.9."
    if data.task != "regression":
        named = {"quantiles": bool(config.quantiles), "log_target": config.log_target}
        yield from (
            f"{data.name}: {argument(name)} is about labels that are numbers; this one's task is {data.task}."
            for name, given in named.items()
            if given
        )
    if config.by_group and data.task not in WORDS and not data.roles.sensitive_features:
        yield from _without_groups(data, config)
    if data.task in WORDS:
        yield from _not_of_classes(data, config)
    lowest = float(np.min(data.y_true)) if data.task == "regression" and len(data) else 0.0
    if config.log_target and lowest <= -1:
        yield f"{data.name}: the logarithm of 1 + y is of amounts above -1, and the label goes down to {lowest:g}."


def _without_groups(data: EvaluationSet, config: TrainingConfig) -> Iterator[str]:
    """Yield errors of settings about groups, where the rows tell none."""
    yield from (
        f"{data.name}: {argument(name, getattr(config, name))} is about the groups of the rows, and no sensitive "
        f"feature is named. Name one by {argument('sensitive_features')}, or leave it out."
        for name in config.by_group
    )


def _not_of_classes(data: EvaluationSet, config: TrainingConfig) -> Iterator[str]:
    """Yield errors of settings that are about classes, or about rows where lists are learnt."""
    given = {
        "fairness": config.fairness is not None,
        "class_weight": config.class_weight is not None,
        "resample": config.resample is not None,
        "label_smoothing": config.label_smoothing > 0,
        "threshold": config.threshold != "auto",
        "mixup": data.task == "ranking" and config.mixup > 0,
    }
    what = {"mixup": "rows that are learnt one by one", "fairness": "gaps between groups in probabilities of classes"}
    yield from (
        f"{data.name}: {argument(name)} is about {what.get(name, 'classes')}; leave it out: the task is {data.task}."
        for name, is_given in given.items()
        if is_given
    )


def settled(config: TrainingConfig, task: Task) -> TrainingConfig:
    """Return the settings with those that follow from the label and from others filled in."""
    from dataclasses import replace

    usual = "pinball" if config.quantiles else LOSSES.get(task, LOSSES["binary"])[0]
    loss = usual if config.loss == "auto" else config.loss
    rule = config.threshold_rule if task == "binary" else None
    return replace(config, loss=loss, threshold=rule or config.threshold)  # type: ignore[arg-type]
