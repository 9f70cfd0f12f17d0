"""CatBoost's models: those of its base class, and the ``.cbm`` files that all are saved in."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.model_file import (
    ModelFile,
    could_not_open,
    file_facts,
    package,
    read_model_file,
    with_kind,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenhand.findings import Plain
    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import Subject

_CLASSES: Final = ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll")
_RANKS: Final = (
    "YetiRank", "YetiRankPairwise", "PairLogit", "PairLogitPairwise", "QueryRMSE", "QuerySoftMax", "StochasticRank",
)  # fmt: skip
_SIZE: Final = 4
"""Bytes that say how long the model is, behind the first four."""


def build(
    model: Any,
    *,
    name: str | None = None,
    features: Sequence[str] | None = None,
    file_facts: Mapping[str, Plain] | None = None,
    **said: Any,
) -> Subject:
    """Return a model of CatBoost's base class as a subject, of the estimator that its loss is of.

    The parameters are those of `as_subject`, which is handed what is `said`.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.cbm"
        try:
            model.save_model(str(place))
        except Exception as problem:  # CatBoostError of a model that is not fitted
            raise ModelError(f"A {type(model).__name__} cannot be used: {shorten(problem, 200)}.") from None
        made = _estimator(place.read_bytes(), model)
    facts = with_kind("catboost", made, file_facts or {})
    return as_subject(made, name=name, features=features or _names(made), file_facts=facts, **said)


def _estimator(content: bytes, model: Any) -> Any:
    """Return the estimator that a model is of, by its loss."""
    library = sys.modules["catboost"]
    loss = str(model.get_all_params().get("loss_function", "")).partition(":")[0]
    kinds = {**dict.fromkeys(_CLASSES, library.CatBoostClassifier), **dict.fromkeys(_RANKS, library.CatBoostRanker)}
    if loss.startswith("Multi") and loss not in kinds:
        raise ModelError(
            f"The model predicts several numbers a row (its loss is {shorten(loss)}), and one is audited at a time: "
            "pass a function of the rows that returns one of them."
        )
    made = kinds.get(loss, library.CatBoostRegressor)()
    made.load_model(blob=content)
    return made


def _names(model: Any) -> list[str] | None:
    """Return the columns that a model was fitted on; None where they had no names and were counted."""
    names = [str(name) for name in model.feature_names_]
    return None if names == [str(at) for at in range(len(names))] else names


def _check(path: Path) -> None:
    """Refuse a file that ends before it is complete."""
    content = read_model_file(path)
    if len(content) < 2 * _SIZE or int.from_bytes(content[_SIZE : 2 * _SIZE], "little") > len(content) - 2 * _SIZE:
        raise ModelError(f"'{shorten(path)}' is a damaged model of CatBoost: it ends before it is complete.")


def _read(path: Path) -> Any:
    """Return the model of a file.

    Raises ModelError when it is damaged, or CatBoost cannot open it.
    """
    library = package("catboost")
    content = read_model_file(path)
    model = library.CatBoost()
    try:
        model.load_model(blob=content)
        return _estimator(content, model)
    except ModelError:
        raise
    except Exception as problem:  # CatBoostError, and whatever a part that is absent raises
        raise could_not_open(path, problem, "CatBoost") from None


def _open(path: Path, asked: Opening) -> Subject:
    model = _read(path)
    told = {**asked.declared, "features": asked.features or _names(model)}
    return as_subject(model, file_facts=with_kind("catboost", model, file_facts(path)), **told)  # type: ignore[arg-type]


def _try_out(path: Path) -> None:
    """Open a file, ask it for rows, and write it again."""
    import pandas as pd

    from evenhand.subjects.isolation.trying import rows_to_try

    model = _read(path)
    names = list(model.feature_names_)
    rows = pd.DataFrame(rows_to_try(len(names))).astype(object)
    words = {*model.get_cat_feature_indices(), *model.get_text_feature_indices()}
    for at in words:
        rows[at] = [f"word {row % 5}" for row in range(len(rows))]
    for at in set(range(len(names))) - words:
        rows[at] = rows[at].astype(float)
    rows.columns = pd.Index(names)
    if not model.get_embedding_feature_indices():
        model.predict(rows, thread_count=1)
    with tempfile.TemporaryDirectory() as folder:
        model.save_model(str(Path(folder) / "model.json"), format="json")


def _fits(model: object) -> bool:
    there = sys.modules.get("catboost")
    return there is not None and type(model) is getattr(there, "CatBoost", None)


FILE: Final = ModelFile(
    "catboost",
    (".cbm",),
    _open,
    start=re.compile(rb"CBM1"),
    safety="Data. It is tried in a process with limits before it is opened here.",
    check=_check,
    try_out=_try_out,
)
ADAPTER: Final = Adapter(build, _fits, 20, files=(FILE,))
