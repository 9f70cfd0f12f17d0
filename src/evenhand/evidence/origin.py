"""Where a record comes from: model, data, versions, seed. The same for the same run."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.evidence.answering import class_names
from evenhand.evidence.predictions import columns_read, reads, row_hashes

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.evidence.evidence import Evidence
    from evenhand.findings import Plain
    from evenhand.provenance import DataFacts, OptionFacts, Provenance, SubjectFacts
    from evenhand.subjects import Subject

PACKAGES = ("evenhand", "numpy", "scipy", "pandas", "scikit-learn", "fairlearn", "torch", "onnxruntime", "shap")
OF_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "xgboost": ("xgboost", "xgboost-cpu"),
    "lightgbm": ("lightgbm",),
    "catboost": ("catboost",),
    "keras": ("keras",),
    "statsmodels": ("statsmodels",),
    "transformers": ("transformers", "tokenizers", "safetensors"),
}
"""Further packages on record where a model is of their kind: they decide its answers."""
CLASSES: Final[Mapping[str, str]] = {"XGB": "xgboost", "LGBM": "lightgbm", "CatBoost": "catboost"}
"""How the names of a package's own scikit-learn estimators begin, and its kind."""


def provenance(evidence: Evidence, *, hashed: bool = True) -> Provenance:
    """Return hashes, facts, roles, versions and seed as plain data.

    Parameters
    ----------
    evidence : Evidence
        What was audited.
    hashed : bool
        Whether the rows are read for a hash of their contents and for quantiles of their scores.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.evidence import Evidence
    >>> from evenhand.subjects import as_subject
    >>> data = eh.read_evaluation_set({"p": [0.9, 0.2, 0.8, 0.4], "paid": [1, 0, 0, 1]}, label="paid")
    >>> provenance(Evidence(as_subject(lambda X: X["p"], name="by p"), data))["subject"]["name"]
    'by p'
    """
    data = evidence.data
    found: Provenance = {
        "subject": _subject(evidence.subject, data),
        "original": _subject(evidence.original, data) if evidence.original is not None else None,
        "data": _data(data, hashed=hashed),
        "sensitive_inputs": _sensitive_inputs(evidence),
        "rows_seen_in_training": _rows_seen(evidence),
        "options": cast("OptionFacts", _plain_mapping(evidence.options.on_record())),
        "versions": {"python": platform.python_version(), **_versions(_packages(evidence))},
    }
    if hashed and evidence.candidates is not None:
        there = evidence.candidates
        found["members"] = {"name": there.name, "rows": there.rows, "content_hash": there.content_hash()}
    if hashed and sweepable(evidence):
        found["score_edges"] = evidence.score_edges.tolist()
    return found


def _data(data: EvaluationSet, *, hashed: bool) -> DataFacts:
    told: DataFacts = {
        **cast("DataFacts", _plain_mapping(data.provenance)),
        "name": data.name,
        "rows": data.rows,
        **cast("DataFacts", {"content_hash": data.content_hash()} if hashed else {}),
        "label": data.roles.label,
        "positive": plain(data.roles.positive),
        "favourable": plain(data.roles.favourable),
        "sensitive_features": list(data.roles.sensitive_features),
        "control_features": list(data.roles.control_features),
        "missing": data.missing,
        "repeated_ids": data.repeated_ids,
    }
    if data.task == "binary":
        told["negative"] = class_names(data)[0]
        if data.graded:
            told["graded"] = data.graded
    else:
        told |= {"task": data.task, "classes": [str(c) for c in data.classes]}
    return told


def sweepable(evidence: Evidence) -> bool:
    """Whether decisions at other thresholds can be counted: scores of two classes, rows unweighted."""
    plain_rows = evidence.data.task == "binary" and evidence.data.roles.sample_weight is None
    return plain_rows and evidence.predictions.y_score is not None


def plain(value: object) -> Plain:
    """Return `value` as plain JSON data; numpy scalars become Python's, anything unknown its text."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(part) for part in value]
    return str(value)


def _plain_mapping(mapping: Mapping[str, object]) -> dict[str, Plain]:
    return {name: plain(value) for name, value in mapping.items()}


def _subject(subject: Subject, data: EvaluationSet) -> SubjectFacts:
    found: SubjectFacts = {
        **cast("SubjectFacts", _plain_mapping(subject.facts)),
        "name": subject.name,
        "threshold": float(subject.threshold),
        "score_kind": subject.score_kind,
    }
    if (kind := reads(subject, data)) != "table":
        found["reads"] = kind
    return found


def _sensitive_inputs(evidence: Evidence) -> list[str]:
    """The sensitive features that the model reads."""
    if evidence.subject.facts.get("kind") == "predictions":
        return []
    read = columns_read(evidence.subject, evidence.data)
    return [name for name in sorted(evidence.data.roles.sensitive_features) if name in read]


def _rows_seen(evidence: Evidence) -> int | None:
    """How many evaluation rows occur among the rows the model was fitted or tuned on; None when that is unknown.

    Of a model that does not know its rows, evaluation rows among the background count; when none is there, the rows
    may be elsewhere in the training rows, and it is unknown.
    """
    from evenhand.data import overlap

    subject, data, background = evidence.subject, evidence.data, evidence.background
    fitted = getattr(subject, "fit_row_hashes", None)
    if fitted is not None and len(fitted):
        return int(overlap(row_hashes(subject, data), fitted))
    if (
        background is None
        or not (background.roles.label or background.roles.labels)
        or subject.facts.get("kind") == "predictions"
    ):
        return None
    return int(overlap(row_hashes(subject, data), row_hashes(subject, data, background))) or None


def _packages(evidence: Evidence) -> tuple[str, ...]:
    """Return the packages whose versions are on record: those of every audit, and those that run its models."""
    told = [model.facts for model in (evidence.subject, evidence.original) if model is not None]
    told += [encoder for facts in told if isinstance(encoder := facts.get("encoder"), Mapping)]
    kinds = {str(facts.get("kind")) for facts in told}
    kinds |= {kind for facts in told for start, kind in CLASSES.items() if str(facts.get("class")).startswith(start)}
    return (*PACKAGES, *(package for kind, packages in OF_KINDS.items() if kind in kinds for package in packages))


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
