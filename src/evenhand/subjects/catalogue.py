"""Which adapters there are, and the one that fits a model."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Final

from evenhand.catalogues import Catalogue
from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import OutputKind, ScoreKind, Subject

ADAPTERS: Final[Catalogue[Adapter]] = Catalogue(
    "evenhand.adapters",
    Adapter,
    {
        "adjusted": "evenhand.subjects.adjusted:ADAPTER",
        "callable": "evenhand.subjects.callable:ADAPTER",
        "of_task": "evenhand.subjects.of_task:ADAPTER",
        "onnx": "evenhand.subjects.onnx:ADAPTER",
        "predictions": "evenhand.subjects.predictions:ADAPTER",
        "sklearn": "evenhand.subjects.sklearn:ADAPTER",
        "torch": "evenhand.subjects.torch:ADAPTER",
    },
)
"""Every adapter."""


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
        The positive class or label.
    features : sequence of str, optional
        The columns it takes.
    score_kind : "probability", "ranking" or "label", optional
        What a function returns; inferred from its output when not given.
    output : "probability", "logit" or "ranking"
        What a torch module returns.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file an estimator came from.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; inferred from the model where that is clear, else those of the evaluation set.
    prepare : callable, optional
        From a batch to what the model takes, such as bytes of images divided by 255 with channels first.

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
    settings = {
        "name": name, "threshold": threshold, "positive": positive, "features": features, "score_kind": score_kind,
        "output": output, "file_facts": file_facts, "reads": reads, "prepare": prepare,
    }  # fmt: skip
    for adapter in sorted(ADAPTERS.values(), key=lambda each: each.order):
        if adapter.fits(model):
            known = signature(adapter.build).parameters
            made = adapter.build(model, **{key: value for key, value in settings.items() if key in known})
            whole = prepare is None or "prepare" in known
            return made if whole else ADAPTERS["adjusted"].build(made, prepare=prepare, reads=reads)
    raise ModelError(
        f"{shorten(repr(model))} ({type(model).__name__}) is no model that can be audited: pass a fitted scikit-learn "
        "estimator, a torch module, a function of a table, or an object with name, threshold, score_kind, facts and "
        "predict(X)."
    )
