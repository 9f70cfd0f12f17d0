"""A trained model's recipe on other rows: the same settings and columns, and the draws of another seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evenhand.errors import ModelError
from evenhand.training.config import TrainingConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.data import EvaluationSet
    from evenhand.subjects import Subject
    from evenhand.training.model import NetworkModel
    from evenhand.training.trees.boosted import BoostedModel


def refit(
    model: NetworkModel | BoostedModel, rows: EvaluationSet, seed: int, changes: Mapping[str, object] | None = None
) -> Subject:
    """Return the recipe of a trained model fitted on other rows, without trees beside it.

    The settings and columns are the model's; a validation set is drawn from the rows. Compression is not repeated: a
    compressed network is fitted again as the network that it was made from. All of the rows are learnt from: no coin
    leaves any out. A private recipe's noise follows from the seed, so what is made is to compare with, not to release.

    Parameters
    ----------
    model : NetworkModel or BoostedModel
        Whose history says how it was fitted; it stays as it is.
    rows : EvaluationSet
        Rows to learn from.
    seed : int
        Of the validation set, the network and the batches.
    changes : mapping of setting to value, optional
        Settings that are to be others than the model's, such as ``{"class_weight": "reweighing"}``. Where it is given,
        sensitive features of the rows stay what they are, so that validation rows are drawn as in a first fit.

    Returns
    -------
    Subject

    Raises
    ------
    ModelError
        When the history does not say how the model was fitted, or it stands on a network trained elsewhere.
    InputError
        When nothing can be learnt from the rows.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit, refit
    >>> parts = eh.split(eh.load_loanapp(), {"one": 0.5, "other": 0.5})
    >>> model = fit(parts["one"], config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> refit(model, parts["other"], seed=1).facts["features"] == model.facts["features"]
    True
    """
    history: Mapping[str, Any] = model.history
    said = history.get("config")
    if not isinstance(said, dict) or "backbone" in history:
        raise ModelError(f"Model '{model.name}' does not say how all of it was fitted, so it is not fitted again.")
    config = TrainingConfig.from_plain(said)
    private = config.epsilon is not None
    config = replace(config, seed=seed, baseline=False, canary_share=0.0, seeded_noise=private)
    config = config.updated(changes or {})
    kept = _columns(rows, tuple(model.preprocessing.features), bool(config.by_group) or changes is not None)
    if history.get("model") == "boosting":
        from evenhand.training.trees.boosting import fit_boosting

        return fit_boosting(kept, config=config, name=model.name)
    if members := history.get("members"):
        from evenhand.training.ensembles import fit_ensemble

        return fit_ensemble(kept, config=config, members=len(members), name=model.name)
    from evenhand.training.fitting import fit

    own: Any = model
    plan = own.plan if own.preprocessing.reads == "arrays" and not own.recipe else None
    return fit(kept, config=config, name=model.name, plan=plan)


def _columns(rows: EvaluationSet, features: tuple[str, ...], by_group: bool) -> EvaluationSet:
    """Return the rows with the columns that the model reads as its inputs, whatever else they are to an audit.

    `by_group`: sensitive features stay what they are, as the fit is about groups; the model reads those that it did.
    """
    if not features:
        return rows
    roles = rows.roles
    sensitive = roles.sensitive_features if by_group else ()
    weights = [column for column in (roles.sample_weight, roles.label, *sensitive) if column is not None]
    plain = replace(
        roles, sensitive_features=sensitive, control_features=(), proxies={}, id=None, cluster=None, query=None,
        exclude=(), prediction=None, score=None, original_prediction=None, original_score=None, stratum_share=None,
        squared_weight=None,
    )  # fmt: skip
    read = bool({*sensitive} & {*features})
    return replace(
        rows, use_sensitive=read, table=rows.table[list(dict.fromkeys([*features, *weights]))], roles=plain, _kept={}
    )
