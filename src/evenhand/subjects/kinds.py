"""What a model is by its type, without importing its package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evenhand.subjects.target import DeclaredKind

NO_CLASSES: Final = ("regressor", "clusterer", "density_estimator", "transformer")
"""Kinds of estimators whose predictions are no classes of a label."""
_OBJECTIVES: Final[dict[str, DeclaredKind]] = {
    "binary": "probability", "cross_entropy": "probability", "xentropy": "probability",
    "binary:logistic": "probability", "reg:logistic": "probability", "binary:logitraw": "logit",
    "Logit": "probability", "Probit": "probability",
}  # fmt: skip
"""Objectives of boosters, and regressions of statsmodels, that are about two classes, and what they return."""


def type_of(model: object) -> str | None:
    """Return ``classifier``, ``regressor``, ``clusterer`` or another kind that scikit-learn names; None where untold.

    A method, such as ``model.predict``, is of its object's kind.
    """
    model = getattr(model, "__self__", model)
    tags = getattr(model, "__sklearn_tags__", None)
    if callable(tags):
        try:
            told = tags().estimator_type
        except Exception:  # packages of before scikit-learn's tags, or a search without an estimator
            told = None
        if told is not None:
            return str(told)
    told = getattr(model, "_estimator_type", None)
    if told == "DensityEstimator":  # as scikit-learn spelled it before 1.6
        return "density_estimator"
    return told if isinstance(told, str) else None


def says(model: object) -> DeclaredKind | None:
    """Return what a booster or a fitted regression of statsmodels declares that it returns; None where nothing."""
    try:
        return _OBJECTIVES.get(_objective(model))
    except Exception:  # what cannot be asked declares nothing
        return None


def classes_of(model: object) -> tuple[object, ...]:
    """Return the classes that a classifier knows, as plain values; empty where it names none."""
    if type_of(model) == "outlier_detector":
        return (-1, 1)  # as scikit-learn has it: outliers and the rest
    try:
        classes = getattr(model, "classes_", None)
    except Exception:  # a property of what is not fitted yet
        return ()
    if classes is None:
        return ()
    found = classes.tolist() if hasattr(classes, "tolist") else list(classes)
    return () if any(hasattr(value, "__len__") and not isinstance(value, str) for value in found) else tuple(found)


def _objective(model: object) -> str:
    package = _package(model)
    if package == "lightgbm":
        return str(model.params["objective"]).split()[0]  # type: ignore[attr-defined]
    if package == "xgboost":
        return str(json.loads(model.save_config())["learner"]["objective"]["name"])  # type: ignore[attr-defined]
    return type(model.model).__name__ if package == "statsmodels" else ""  # type: ignore[attr-defined]


def _package(model: object) -> str:
    return str(type(model).__module__).partition(".")[0]
