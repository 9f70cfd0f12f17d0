"""Which reader takes which ensemble, told by the name of its class without importing its library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.explaining.choosing import NotThisWay
from evenhand.explaining.trees.of_arrays import read_arrays, read_numbers
from evenhand.explaining.trees.of_catboost import read_catboost
from evenhand.explaining.trees.of_hist import read_hist
from evenhand.explaining.trees.of_lightgbm import read_lightgbm
from evenhand.explaining.trees.of_sklearn import KINDS, read_sklearn
from evenhand.explaining.trees.of_xgboost import read_xgboost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.explaining.trees.reading import Reading

READERS: Final[Mapping[tuple[str, str], Callable[[object, object], Reading]]] = {
    **{("sklearn", kind): read_sklearn for kind in KINDS},
    ("evenhand", "BoostedTrees"): read_arrays,
    ("evenhand", "NumberTrees"): read_numbers,
    ("sklearn", "HistGradientBoostingClassifier"): read_hist,
    ("sklearn", "HistGradientBoostingRegressor"): read_hist,
    **{
        ("xgboost", kind): read_xgboost
        for kind in ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor", "Booster")
    },
    **{("catboost", kind): read_catboost for kind in ("CatBoostClassifier", "CatBoostRegressor", "CatBoost")},
    **{("lightgbm", kind): read_lightgbm for kind in ("LGBMClassifier", "LGBMRegressor", "Booster")},
}
"""By the library and the class."""
WRAPPERS: Final[Mapping[str, str]] = {
    "FixedThresholdClassifier": "estimator_",
    "TunedThresholdClassifierCV": "estimator_",
    "FrozenEstimator": "estimator",
    "GridSearchCV": "best_estimator_",
    "RandomizedSearchCV": "best_estimator_",
    "HalvingGridSearchCV": "best_estimator_",
    "HalvingRandomSearchCV": "best_estimator_",
    "BoosterClasses": "booster",
    "BoosterNumbers": "booster",
}
"""Estimators that pass the probabilities of another one on, and the attribute that holds it."""


def reader_of(estimator: object) -> Callable[[object, object], Reading]:
    """Return the reader of an estimator, or raise that it is no ensemble that can be read."""
    kind = type(estimator)
    found = READERS.get((kind.__module__.partition(".")[0], kind.__name__))
    if found is None:
        raise NotThisWay("{kind} is no tree ensemble that can be read.", kind=kind.__name__)
    return found


def steps_of(estimator: object) -> tuple[list[object], object]:
    """Return the preprocessing of an estimator, in order, and the estimator behind it.

    Pipelines may be nested and wrapped.
    """
    before: list[object] = []
    while True:
        steps = getattr(estimator, "steps", None)
        held = WRAPPERS.get(type(estimator).__name__)
        if isinstance(steps, list) and steps:
            before += [estimator[:-1]] if len(steps) > 1 else []  # type: ignore[index]
            estimator = steps[-1][1]
        elif held is not None and hasattr(estimator, held):
            estimator = getattr(estimator, held)
        else:
            return before, estimator
