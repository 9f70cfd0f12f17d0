"""Choosing settings by trials: Optuna's sampler and pruner, bounded, resumable, the same for a seed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from evenhand.data.evaluation_set import needed
from evenhand.data.splitting import strata
from evenhand.errors import InputError, need, raise_all, shorten
from evenhand.settings import settings_of
from evenhand.training.config import ATTENDING, ONE_WIDTH, TrainingConfig
from evenhand.training.dataset import prepared
from evenhand.training.fitting import fit
from evenhand.training.private.plan import of_one_fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.training.model import NetworkModel
    from evenhand.training.schedule import Progress
    from evenhand.training.target import Target

WIDTHS: Final = (32, 64, 128)
"""Neurons of each block, where all are of one width."""
SPACE: Final[Mapping[str, tuple[object, ...]]] = {
    "hidden": ((32,), (64, 32), (128, 64), (256, 128)),
    "learning_rate": (5e-4, 1e-2),
    "weight_decay": (1e-4, 1e-1),
    "dropout": (0.0, 0.4),
    "batch_size": (32, 64, 128, 256),
}
"""The usual space: two numbers of a setting that is a real number are its range, anything else is chosen from."""
LOGARITHMIC: Final = frozenset({"learning_rate", "weight_decay"})
REAL: Final = frozenset(name for name, declared in settings_of(TrainingConfig).items() if declared.type is float)


def usual_space(config: TrainingConfig) -> dict[str, tuple[object, ...]]:
    """Return `SPACE` with hidden layers that suit the network: of one width, a multiple of its heads."""
    if config.network not in ONE_WIDTH:
        return dict(SPACE)
    step = config.heads if config.network in ATTENDING else 1
    widths = dict.fromkeys(max(1, round(width / step)) * step for width in WIDTHS)
    blocks = tuple((width,) * len(config.hidden) for width in widths)
    return {**SPACE, "hidden": blocks}


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search found."""

    config: TrainingConfig
    """The settings with the least loss."""
    loss: float
    """Their cross-entropy on the rows held out, the mean over the folds; of numbers the squared error in deviations
    (absolute with `mae` and `huber`), or the pinball loss; of a ranking 1 - NDCG."""
    trials: tuple[Mapping[str, object], ...]
    """Each trial: its settings, its loss, and whether it was ``complete`` or ``pruned``."""


def tune(
    train: EvaluationSet,
    *,
    trials: int = 20,
    config: TrainingConfig | None = None,
    space: Mapping[str, tuple[object, ...]] | None = None,
    folds: int = 0,
    time: str | None = None,
    storage: str | Path | None = None,
    seconds: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuned:
    """Search for settings with the least loss on rows held out of `train`; test rows take no part.

    The loss is the cross-entropy of classes; that of `Tuned.loss` for numbers and rankings.

    Parameters
    ----------
    train : EvaluationSet
        The rows to learn from and to hold out of.
    trials : int
        How many settings are tried at most, those of an earlier run in `storage` among them.
    config : TrainingConfig, optional
        All settings that are not searched.
    space : mapping of setting to values, optional
        Two numbers of a real setting are a range; anything else is a choice. When not given, `SPACE` with
        hidden layers that suit the network: blocks of one width in a residual network and where layers attend.
    folds : int
        Cross-validation over so many parts: grouped where the data name a cluster, by time where `time` is given, else
        stratified. 0 holds a fifth out once.
    time : str, optional
        The column with the time of a row: each fold is later than all it was learnt from.
    storage : path, optional
        An SQLite file; a killed search resumes from it.
    seconds : float, optional
        After so long no new trial begins.
    seed : int
        Decides what is tried, and every fit.
    progress : callable, optional
        Called as ``progress(trial, trials, text)``.

    Returns
    -------
    Tuned

    Raises
    ------
    InputError
        When nothing is to be tried, or the space names no setting.
    MissingExtraError
        When Optuna is absent.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig
    >>> usual = TrainingConfig(epochs=1, hidden=(4,))
    >>> found = tune(eh.load_loanapp(), trials=2, config=usual, space={"dropout": (0.0, 0.2)})
    >>> 0.0 <= found.config.dropout <= 0.2
    True
    """
    train = needed(train, "tune")
    optuna: Any = need("optuna", "tune")
    base = config or TrainingConfig(seed=seed)
    searched = dict(space) if space else usual_space(base)
    if trials < 1:
        raise InputError(f"A search needs one trial at least, not {trials}.")
    raise_all(InputError, of_one_fit(base, "a search fits many, each of which would spend the budget"))
    if folds == 1:
        raise InputError("One fold leaves no rows to learn from: give folds=2 or more, or 0 to hold a fifth out once.")
    TrainingConfig.from_plain({**base.to_plain(), **dict.fromkeys(searched.keys() - base.to_plain().keys())})
    parts = list(_parts(train, folds, time, seed))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _study(optuna, _search_name(train, base, searched), None if storage is None else Path(storage), seed)

    def objective(trial: Any) -> float:
        if progress is not None:
            best = "" if not _complete(study) else f"least loss {study.best_value:.4f}"
            progress(trial.number, trials, best)
        chosen = replace(base, **{name: _suggest(trial, name, values) for name, values in searched.items()})
        return float(np.mean([_loss(*part, chosen, _pruning(trial, optuna, at)) for at, part in enumerate(parts)]))

    left = trials - len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED]))
    if left > 0:
        study.optimize(objective, n_trials=left, timeout=seconds)
    if not _complete(study):
        raise InputError("No trial came to its end in that time; allow more seconds.")
    best: Mapping[str, Any] = study.best_params
    found = {name: best[name] if _is_range(name, of) else of[best[name]] for name, of in searched.items()}
    tried = tuple(
        {"trial": trial.number, "state": trial.state.name.lower(), "loss": trial.value, **trial.params}
        for trial in study.get_trials(deepcopy=False)
    )
    return Tuned(replace(base, **found), float(study.best_value), tried)


def _search_name(train: EvaluationSet, base: TrainingConfig, searched: Mapping[str, tuple[object, ...]]) -> str:
    """Return the name under which a search resumes: losses of other rows, settings or spaces are not compared."""
    fixed = {name: value for name, value in base.to_plain().items() if name not in searched}
    said = json.dumps([train.content_hash(), fixed, dict(searched)], sort_keys=True, default=str)
    return "evenhand-" + hashlib.sha256(said.encode()).hexdigest()[:16]


def _study(optuna: Any, name: str, storage: Path | None, seed: int) -> Any:
    """Open the search in its file, or begin it.

    Raises
    ------
    InputError
        When the file is no SQLite database.
    """
    try:
        begins = b"" if storage is None or not storage.exists() else storage.read_bytes()[:16]
        if begins not in (b"", b"SQLite format 3\0"):
            raise InputError(f"{storage}: this is no SQLite file. Name a new file, or that of an earlier search.")
        return optuna.create_study(
            study_name=name,
            storage=None if storage is None else f"sqlite:///{storage}",
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3),
            direction="minimize",
            load_if_exists=True,
        )
    except InputError:
        raise
    except Exception as wrong:  # of SQLAlchemy, which is no dependency of this package
        if storage is None:
            raise
        reason = shorten(str(wrong).splitlines()[0], 120)
        raise InputError(f"{storage}: cannot be used as the SQLite file of a search: {reason}") from None


def _parts(
    train: EvaluationSet, folds: int, time: str | None, seed: int
) -> Iterator[tuple[EvaluationSet, EvaluationSet]]:
    """Yield rows to learn from and rows held out."""
    from sklearn import model_selection as splitting

    rows = np.arange(len(train))
    if time is not None:
        order = np.argsort(train.table[time].to_numpy(), kind="stable")
        for early, late in splitting.TimeSeriesSplit(max(folds, 2)).split(rows):
            yield train.take(order[early]), train.take(order[late])
        return
    if not folds:
        from evenhand.data import split

        parts = split(train, {"train": 0.8, "validation": 0.2}, seed=seed)
        yield parts["train"], parts["validation"]
        return
    clusters = _together(train)
    kind = splitting.StratifiedKFold if clusters is None else splitting.StratifiedGroupKFold
    try:
        cuts = list(kind(folds, shuffle=True, random_state=seed).split(rows, strata(train), clusters))
    except ValueError as wrong:
        raise InputError(f"{train.name}: {folds} folds cannot be made of {len(train):,} rows: {wrong}") from None
    for learn, held in cuts:
        yield train.take(learn), train.take(held)


def _together(train: EvaluationSet) -> NDArray[np.int64] | None:
    """Return what is not split: the cluster of each row, of a ranking its list; None where rows stand alone."""
    if train.task != "ranking" or train.clusters is not None:
        return train.clusters
    return pd.factorize(train.table[train.roles.query])[0].astype(np.int64)


def _loss(
    learn: EvaluationSet, held: EvaluationSet, config: TrainingConfig, watch: Callable[[int, float], None]
) -> float:
    """Return what is searched by on the rows held out, of the epoch that was kept.

    Of classes that is the cross-entropy, whatever the loss of the fit.
    """
    model = fit(learn, held, replace(config, baseline=False), watch=watch)
    if model.target is not None:
        return _loss_of_numbers(model, model.target, held)
    score = np.clip(model.predict_prepared(prepared(model.preprocessing, held)), 1e-7, 1 - 1e-7)
    weight = np.ones(len(held)) if held.sample_weight is None else held.sample_weight
    if score.ndim == 2:
        losses = -np.log(score[np.arange(len(held)), np.asarray(held.y_true, dtype=np.int64)])
    else:
        losses = -np.where(held.y_true == 1, np.log(score), np.log1p(-score))
    return float(np.average(losses, weights=weight))


def _loss_of_numbers(model: NetworkModel, target: Target, held: EvaluationSet) -> float:
    """Return the squared error in deviations, or absolute error of `mae` and `huber`; pinball loss; 1 - NDCG."""
    from evenhand.metrics.values.ranking import ndcg
    from evenhand.training.model import logits

    raw = logits(model.network, prepared(model.preprocessing, held))
    if target.task == "ranking":
        query = held.table[held.roles.query].to_numpy()
        return 1.0 - float(ndcg(held.y_true, target.predicted(raw), query).estimate[0])
    said = target.values(raw).reshape(len(held), -1)
    apart = (np.asarray(held.y_true, dtype=np.float64)[:, None] - said) / float(np.std(held.y_true) or 1.0)
    weight = np.ones(len(held)) if held.sample_weight is None else held.sample_weight
    if target.quantiles:
        share = np.asarray(target.quantiles)
        losses = np.maximum(share * apart, (share - 1) * apart)
    else:
        loss = cast("dict[str, object]", model.history["config"])["loss"]
        losses = np.abs(apart) if loss in ("mae", "huber") else apart**2
    return float(np.average(losses.mean(axis=1), weights=weight))


def _pruning(trial: Any, optuna: Any, fold: int) -> Callable[[int, float], None]:
    """Return the callback that ends a trial worse than the median, by each epoch's loss in the first fold."""

    def watch(epoch: int, loss: float) -> None:
        if fold:
            return
        trial.report(loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    return watch


def _suggest(trial: Any, name: str, values: tuple[object, ...]) -> Any:
    if _is_range(name, values):
        low, high = (float(end) for end in values)  # type: ignore[arg-type]
        return trial.suggest_float(name, low, high, log=name in LOGARITHMIC)
    return values[trial.suggest_categorical(name, list(range(len(values))))]


def _is_range(name: str, values: tuple[object, ...]) -> bool:
    return name in REAL and len(values) == 2 and all(isinstance(value, (int, float)) for value in values)


def _complete(study: Any) -> bool:
    return any(trial.state.name == "COMPLETE" for trial in study.get_trials(deepcopy=False))
