"""Which adapters there are, and the one that fits a model."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Final

from evenhand.catalogues import Catalogue
from evenhand.errors import ModelError, quoted, raise_all
from evenhand.subjects.adapter import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import OutputKind, Subject
    from evenhand.subjects.target import Decide, DeclaredKind

ADAPTERS: Final[Catalogue[Adapter]] = Catalogue(
    "evenhand.adapters",
    Adapter,
    {
        "adjusted": "evenhand.subjects.adjusted:ADAPTER",
        "callable": "evenhand.subjects.callable:ADAPTER",
        "catboost": "evenhand.subjects.boosted.catboost:ADAPTER",
        "exported": "evenhand.subjects.exported:ADAPTER",
        "huggingface": "evenhand.subjects.huggingface.adapter:ADAPTER",
        "keras": "evenhand.subjects.keras:ADAPTER",
        "lightgbm": "evenhand.subjects.boosted.lightgbm:ADAPTER",
        "mitigated": "evenhand.subjects.mitigated:ADAPTER",
        "of_task": "evenhand.subjects.of_task:ADAPTER",
        "onnx": "evenhand.subjects.onnx:ADAPTER",
        "predictions": "evenhand.subjects.predictions:ADAPTER",
        "remote": "evenhand.subjects.remote.adapter:ADAPTER",
        "sklearn": "evenhand.subjects.sklearn:ADAPTER",
        "skops": "evenhand.subjects.skops:ADAPTER",
        "statsmodels": "evenhand.subjects.statsmodels:ADAPTER",
        "survival": "evenhand.subjects.survival:ADAPTER",
        "torch": "evenhand.subjects.torch:ADAPTER",
        "xgboost": "evenhand.subjects.boosted.xgboost:ADAPTER",
    },
)
"""Every adapter."""


def as_subject(
    model: object,
    *,
    name: str | None = None,
    threshold: float | None = None,
    positive: object = None,
    features: Sequence[str] | None = None,
    score_kind: DeclaredKind | None = None,
    output: OutputKind | None = None,
    file_facts: Mapping[str, Plain] | None = None,
    reads: Reads | None = None,
    prepare: Callable[[Batch], Batch] | None = None,
    decide: Decide | None = None,
    horizon: float | None = None,
) -> Subject:
    """Return `model` as a subject.

    Parameters
    ----------
    model : object
        A subject, a torch module, a fitted scikit-learn estimator or pipeline, a booster of XGBoost, LightGBM or
        CatBoost, a model of Keras 3, fitted results of statsmodels, a survival model of scikit-survival, or a function
        of a batch.
    name : str, optional
        What the report calls it.
    threshold : float, optional
        A score at or above it is predicted positive.
    positive : object
        The class or answer of the model that stands for the positive class of the label, where the model's classes are
        neither those of the label nor their codes.
    features : sequence of str, optional
        The columns it takes.
    score_kind : "probability", "logit", "ranking" or "label", optional
        What a function, or an estimator that predicts numbers, returns; inferred where type and output tell.
    output : "probability", "logit" or "ranking", optional
        The same of a torch module, a probability when not given.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file that the model came from.
    reads : "table", "arrays", "texts", "tokens" or "records", optional
        Its inputs; inferred from the model where that is clear, else those of the evaluation set.
    prepare : callable, optional
        From a batch to what the model takes, such as bytes of images divided by 255 with channels first.
    decide : callable, optional
        From what the model returns (`predict`, where it has that) to decisions in the label's classes.
    horizon : float, optional
        Of a survival model, by when it predicts the risk of the event; that of the evaluation set when not given.

    Raises
    ------
    ModelError
        When it is none of these, or something is declared that does not apply to it.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from evenhand.subjects import as_subject
    >>> income = as_subject(lambda X: X["income"] / 100.0, name="by income")
    >>> income.predict(pd.DataFrame({"income": [20, 80]})).tolist()
    [0.2, 0.8]
    """
    said = {"threshold": threshold, "positive": positive, "score_kind": score_kind, "output": output, "decide": decide}
    said["horizon"] = horizon
    more = {"name": name, "features": features, "file_facts": file_facts, "reads": reads, "prepare": prepare}
    for adapter in sorted(ADAPTERS.values(), key=lambda each: each.order):
        if adapter.fits(model):
            known = _taken(adapter.build, {*said, *more})
            told = _said({key: value for key, value in said.items() if value is not None}, known, model)
            made = adapter.build(model, **told, **{key: value for key, value in more.items() if key in known})
            whole = prepare is None or "prepare" in known
            return made if whole else ADAPTERS["adjusted"].build(made, prepare=prepare, reads=reads)
    raise ModelError(
        f"{quoted(model)} ({type(model).__name__}) is no model that can be audited: pass a fitted scikit-learn "
        "estimator, a torch module, a function of a table, or an object with name, threshold, score_kind, facts and "
        "predict(X)."
    )


def _taken(build: Callable[..., Subject], names: set[str]) -> set[str]:
    """Return which keywords of `as_subject` a function takes: those that it names, and all where it hands them on."""
    known = signature(build).parameters
    handed_on = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in known.values())
    return names if handed_on else names & known.keys()


def _said(said: dict[str, object], known: Container[str], model: object) -> dict[str, object]:
    """Return what is declared about the output by the names that an adapter knows.

    Raises ModelError for what it does not know: nothing that was declared is left aside in silence.
    """
    for one, other in (("output", "score_kind"), ("score_kind", "output")):
        if one in said and one not in known and other in known and said[one] != "label":
            said.setdefault(other, said.pop(one))
    raise_all(
        ModelError,
        (f"{name}= does not apply to a {type(model).__name__}; leave it out." for name in said if name not in known),
    )
    return said
