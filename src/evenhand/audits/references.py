"""Reference models of the attacks on membership: which they are, how many, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from evenhand.messages import message, sentences
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.evidence import Evidence
    from evenhand.probing.membership.pool import Pool
    from evenhand.probing.membership.references import Asked, Recipe
    from evenhand.subjects import Subject

    Floats = NDArray[np.float64]

DEEP: Final = 16
"""References of a deep audit, at least."""
KINDS: Final = {
    "function": message("They were fitted by the function that was given."),
    "same recipe": message("They were fitted by the model's own recipe."),
    "original recipe": message("They were fitted by the recipe of the original."),
    "proxy": message(
        "The model's recipe is not known, so they are logistic regressions: what is found is a lower bound, from proxy "
        "references."
    ),
}
"""What the reference models were."""
STOPPED: Final = message("The time was over after {n} of {wanted} reference models.")
INSTEAD: Final = message("The model's own recipe could not be used: {problem}")


@dataclass(frozen=True, slots=True)
class MembershipOptions(Declared):
    """Options of this audit."""

    privacy_rows: int = setting(
        10_000, "The most members, and the most other rows, that are attacked; of more, as many are drawn by the seed.",
        least=20, unit="rows",
    )  # fmt: skip
    privacy_references: int = setting(
        4, "Reference models fitted to attack membership, in pairs that share the rows between them.", least=2,
        unit="models",
    )  # fmt: skip
    privacy_deep: bool = setting(
        False, "Whether membership is attacked with at least 16 reference models, and by LiRA, too."
    )
    privacy_budget: float | None = setting(
        None, "Time after which no further pair of reference models is fitted.", above=0, unit="seconds"
    )
    privacy_folder: str | None = setting(
        None, "Private folder that keeps what reference models answered, row by row, so that a run goes on from there.",
        recorded="never",
    )  # fmt: skip
    exposed_rows: str | None = setting(
        None, "Private .parquet file that tells which members the attack finds first, by their place or id.",
        recorded="never",
    )  # fmt: skip
    train_fn: Callable[..., object] | None = setting(
        None, "Function from rows (an EvaluationSet) and a seed to a model fitted on them, as the audited one was.",
        recorded="never", only="Functions are not written in a file or on a command line.",
    )  # fmt: skip


def ask(evidence: Evidence, pool: Pool, columns: Sequence[str], models: Sequence[Subject | None]) -> Asked:
    """Fit reference models by the best recipe that there is, and ask them about all rows of a pool."""
    from evenhand.probing.membership.references import ask_references

    chosen = evidence.options.of(MembershipOptions)
    number = -(-max(chosen.privacy_references, DEEP if deep(evidence) else 0) // 2) * 2
    return ask_references(
        pool, _recipes(evidence, columns, models), number, evidence.options.seed, chosen.privacy_folder,
        chosen.privacy_budget, evidence.tell,
    )  # fmt: skip


def deep(evidence: Evidence) -> bool:
    """Return whether many references are fitted."""
    return evidence.options.of(MembershipOptions).privacy_deep or evidence.options.everything


def told(asked: Asked) -> str:
    """Return the sentences on what the references were, and why there are no others."""
    k = len(asked.answers)
    return sentences(
        KINDS[asked.kind],
        message(STOPPED, n=k, wanted=asked.wanted) if k < asked.wanted else "",
        message(INSTEAD, problem=asked.instead) if asked.instead else "",
    )


def confidences(model: object, rows: EvaluationSet) -> Floats:
    """Return the probability that a model gives to the truth of each row."""
    from evenhand.evidence.predictions import predict, proven
    from evenhand.probing.membership.signals import confidence
    from evenhand.subjects import as_subject

    said = predict(proven(as_subject(model), rows), rows)
    return confidence(said.y_true, said.y_score, said.y_pred, said.kind, said.threshold)


def _recipes(evidence: Evidence, columns: Sequence[str], models: Sequence[Subject | None]) -> Mapping[str, Recipe]:
    """Return the ways to fit references, the best first."""
    chosen = evidence.options.of(MembershipOptions)
    from evenhand.probing.membership.proxies import Proxy
    from evenhand.probing.membership.references import ByFitting

    if chosen.train_fn is not None:
        return {"function": ByFitting("function", chosen.train_fn, confidences)}
    found: dict[str, Recipe] = {}
    for model in models:
        refit = getattr(model, "refit", None)
        if callable(refit) and not found:
            kind = "original recipe" if model is evidence.original else "same recipe"
            found[kind] = ByFitting(kind, refit, confidences, _about_model(model))
    return found | {"proxy": Proxy(tuple(columns))}


def _about_model(model: Subject | None) -> str:
    """Return what tells a model's recipe from another's."""
    facts = {} if model is None else model.facts
    known = {name: facts.get(name) for name in ("kind", "class", "sha256", "features")}
    estimator: Any = getattr(model, "estimator", getattr(model, "model", None))
    return json.dumps([known, repr(estimator) if hasattr(estimator, "get_params") else ""], sort_keys=True)
