"""Which adapters there are, and the one that fits a model."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final, cast

from evenhand.errors import ModelError, shorten
from evenhand.subjects.protocol import OutputKind, ScoreKind, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evenhand.findings import Batch, Plain, Reads

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
    reads: Reads | None = None,
    prepare: Callable[[Batch], Batch] | None = None,
) -> Subject:
    """Return `model` as a subject.

    Parameters
    ----------
    model : object
        A subject, a torch module, a fitted scikit-learn estimator or pipeline, or a function of a batch.
    name : str, optional
        What the report calls it.
    threshold : float, optional
        A score at or above it is predicted positive.
    positive : object
        The class or label that stands for the positive one.
    features : sequence of str, optional
        The columns it takes.
    score_kind : "probability", "ranking" or "label", optional
        What a function returns; told from what it returns when not given.
    output : "probability", "logit" or "ranking"
        What a torch module returns.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file an estimator came from.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        What it reads; told from the model where that is clear, else it reads what the evaluation set holds.
    prepare : callable, optional
        From a batch of what is read to what the model takes: bytes of images divided by 255 with channels first, say.

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
    shared = {"name": name, "threshold": threshold, "features": features, "reads": reads}
    made = None
    if isinstance(model, Subject) and not isinstance(model, type):
        asked = {"name": name, "threshold": threshold, "prepare": prepare, "reads": reads}
        plain = all(value is None for value in asked.values())
        return model if plain else _build("adjusted", model, **asked)
    if _is_module(model):
        made = _build("torch", model, **shared, output=output)
    elif not isinstance(model, type) and callable(getattr(model, "predict", None)):
        made = _build("sklearn", model, **shared, positive=positive, file_facts=file_facts)
    elif callable(model) and not isinstance(model, type):
        made = _build("callable", model, **shared, positive=positive, score_kind=score_kind)
    if made is not None:
        return made if prepare is None else _build("adjusted", made, prepare=prepare, reads=reads)
    raise ModelError(
        f"{shorten(repr(model))} ({type(model).__name__}) is no model that can be audited: pass a fitted scikit-learn "
        "estimator, a torch module, a function of a table, or an object with name, threshold, score_kind, facts and "
        "predict(X)."
    )


def _build(kind: str, model: object, **options: object) -> Subject:
    build = cast("type", adapter(kind))
    return cast("Subject", build(model, **options))


def _is_module(model: object) -> bool:
    """Asked without importing torch: who passes a module has imported it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)
