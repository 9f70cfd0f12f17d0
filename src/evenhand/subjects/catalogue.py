"""Which adapters there are, and the one that fits a model."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, shorten
from evenhand.subjects.protocol import OutputKind, ScoreKind, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenhand.findings import Plain

ADAPTERS: Final[dict[str, tuple[str, str]]] = {
    "adjusted": ("evenhand.subjects.adjusted", "AdjustedSubject"),
    "callable": ("evenhand.subjects.callable", "CallableSubject"),
    "onnx": ("evenhand.subjects.onnx", "OnnxSubject"),
    "predictions": ("evenhand.subjects.predictions", "PredictionsSubject"),
    "sklearn": ("evenhand.subjects.sklearn", "SklearnSubject"),
    "torch": ("evenhand.subjects.torch", "TorchSubject"),
}
"""Every adapter: its module and class, imported when it is first used."""


def adapter(name: str) -> type[Subject]:
    """Return an adapter's class by its name in the catalogue."""
    module, attribute = ADAPTERS[name]
    return cast("type[Subject]", getattr(importlib.import_module(module), attribute))


def as_subject(
    model: object,
    *,
    name: str | None = None,
    threshold: float | None = None,
    positive: object = 1,
    features: Sequence[str] | None = None,
    score_kind: ScoreKind | None = None,
    output: OutputKind = "probability",
    file_facts: Mapping[str, Plain] | None = None,
) -> Subject:
    """Return `model` as a subject.

    Parameters
    ----------
    model : object
        A subject, a torch module, a fitted scikit-learn estimator or pipeline, or a function of a table.
    name : str, optional
        What the report calls it.
    threshold : float, optional
        A score at or above it is predicted positive.
    positive : object
        The positive class or label.
    features : sequence of str, optional
        The columns it takes.
    score_kind : "probability", "ranking" or "label", optional
        What a function returns; inferred from its output when not given.
    output : "probability", "logit" or "ranking"
        What a torch module returns.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file an estimator came from.

    Raises
    ------
    ModelError
        When it is none of these.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from evenhand.subjects import as_subject
    >>> income = as_subject(lambda X: X["income"] / 100.0, name="by income")
    >>> income.predict(pd.DataFrame({"income": [20, 80]})).tolist()
    [0.2, 0.8]
    """
    if isinstance(model, Subject) and not isinstance(model, type):
        return _adjusted(model, name, threshold)
    if _is_module(model):
        return _build("torch", model, name=name, threshold=threshold, features=features, output=output)
    if not isinstance(model, type) and callable(getattr(model, "predict", None)):
        shared = {"name": name, "threshold": threshold, "positive": positive, "features": features}
        return _build("sklearn", model, **shared, file_facts=file_facts)
    if callable(model) and not isinstance(model, type):
        shared = {"name": name, "threshold": threshold, "positive": positive, "features": features}
        return _build("callable", model, **shared, score_kind=score_kind)
    raise ModelError(
        f"{shorten(repr(model))} ({type(model).__name__}) is no model that can be audited: pass a fitted scikit-learn "
        "estimator, a torch module, a function of a table, or an object with name, threshold, score_kind, facts and "
        "predict(X)."
    )


def _build(kind: str, model: object, **options: object) -> Subject:
    build = cast("type", adapter(kind))
    return cast("Subject", build(model, **options))


def _adjusted(model: Subject, name: str | None, threshold: float | None) -> Subject:
    if name is None and threshold is None:
        return model
    return _build("adjusted", model, name=name, threshold=threshold)


def _is_module(model: object) -> bool:
    """Asked without importing torch: who passes a module has imported it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)
