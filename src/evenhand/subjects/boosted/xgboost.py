"""XGBoost's boosters, live or from the ``.ubj`` and ``.json`` files that they are saved in."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from evenhand.documents import parse_json
from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.boosted.estimators import BoosterClasses, BoosterLabels, BoosterNumbers, as_categories, behind
from evenhand.subjects.boosted.ubjson import parse_ubjson
from evenhand.subjects.boosted.xgboost_trees import check_trees
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.model_file import (
    ModelFile,
    could_not_open,
    file_facts,
    package,
    read_model_file,
    with_kind,
)
from evenhand.subjects.outputs import sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import xgboost
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects.boosted.estimators import Convert
    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import Subject

_PROBABILITIES: Final = ("binary:logistic", "reg:logistic", "multi:softprob")
_LABELS: Final = ("binary:hinge", "multi:softmax")
CATEGORIES: Final = "_evenhand_categories"
"""Attribute of a booster that keeps the categories read from it."""


def build(
    booster: xgboost.Booster, *, name: str | None = None, file_facts: Mapping[str, Plain] | None = None, **said: Any
) -> Subject:
    """Return a booster as a subject that is read and explained as XGBoost's estimators are.

    The parameters are those of `as_subject`, which is handed what is `said`.
    """
    facts = with_kind("xgboost", booster, file_facts or {})
    return as_subject(_estimator(booster), name=name or "Booster", file_facts=facts, **said)


def _estimator(booster: xgboost.Booster) -> object:
    """Return a booster with the methods of an estimator: what its objective says that it predicts."""
    names = booster.feature_names
    objective = str(json.loads(booster.save_config())["learner"]["objective"]["name"])
    ask = partial(_ask, booster, objective == "binary:logitraw")
    classes = objective in _PROBABILITIES or objective == "binary:logitraw"
    made = BoosterClasses if classes else BoosterLabels if objective in _LABELS else BoosterNumbers
    return behind(_converter(booster), made(booster, ask, names, int(booster.num_features())), names)


def _converter(booster: xgboost.Booster) -> Convert | None:
    """Return what makes words categories; None where the booster asks for numbers only."""
    return partial(_categories, booster=booster) if "c" in (booster.feature_types or ()) else None


def _ask(booster: xgboost.Booster, logit: bool, rows: object) -> NDArray[np.float64]:
    import numpy as np
    import xgboost

    kinds = booster.feature_types if hasattr(rows, "columns") else None
    given = xgboost.DMatrix(rows, feature_types=kinds, enable_categorical=kinds is not None, nthread=1)
    if not hasattr(rows, "columns"):
        given.feature_names, given.feature_types = booster.feature_names, booster.feature_types
    found = np.asarray(booster.predict(given), dtype=np.float64)
    return sigmoid(found) if logit else found


def _categories(table: pd.DataFrame, booster: xgboost.Booster) -> pd.DataFrame:
    """Return a table whose columns of categories have those that the booster was fitted on, in their order.

    XGBoost finds categories by their names, but takes some that it does not know for others.

    Raises ModelError where the booster does not know the names of its categories, or a value is none of them.
    """
    import pandas as pd

    made, known = table.copy(deep=False), _known(booster)
    for at, kind in enumerate(booster.feature_types or ()):
        column = made.iloc[:, at]
        if kind != "c":
            continue
        if at < len(known) and known[at]:
            made[made.columns[at]] = as_categories(column, known[at])
        elif not pd.api.types.is_numeric_dtype(column.dtype):
            raise ModelError(
                f"Column '{shorten(column.name)}' holds words, and the model was saved by an XGBoost that keeps codes "
                "of categories without their words: give the codes, or save the model again with XGBoost 3.1 or later."
            )
    return made


def _known(booster: xgboost.Booster) -> list[list[object]]:
    """Return the categories of each column, in their order; of none where the booster does not name them."""
    held: list[list[object]] | None = getattr(booster, CATEGORIES, None)
    if held is None:
        saved = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
        model = saved.get("model") or saved.get("gbtree", {}).get("model", {})
        held = [_words(each) for each in (model.get("cats") or {}).get("enc") or []]
        setattr(booster, CATEGORIES, held)
    return held


def _words(told: Mapping[str, Any]) -> list[object]:
    """Return the categories of a column: numbers, or texts that are kept end to end."""
    values, ends = told.get("values") or [], told.get("offsets")
    if ends is None:
        return list(values)
    whole = bytes(value & 255 for value in values)
    return [whole[start:stop].decode() for start, stop in pairwise(ends)]


def _check(path: Path) -> None:
    """Check the trees of a file before XGBoost reads them.

    Raises ModelError when it is damaged.
    """
    content, where = read_model_file(path), f"'{shorten(path)}'"
    try:
        if content[1:2] == b"L":
            saved = parse_ubjson(content)
        else:
            saved = parse_json(content, f"{where} is damaged: it", kind=ModelError)
        check_trees(saved)
    except KeyError as absent:
        raise ModelError(f"{where} is no model that XGBoost saved, or damaged: it has no {absent}.") from None
    except (ValueError, TypeError) as problem:
        raise ModelError(f"{where} is no model that XGBoost saved, or damaged: {shorten(problem, 200)}.") from None


def _read(path: Path) -> Any:
    """Return the model of a file: the estimator that saved it, or a booster.

    Raises ModelError when XGBoost cannot open it.
    """
    library = package("xgboost")
    content = bytearray(read_model_file(path))
    kinds = {"classifier": library.XGBClassifier, "regressor": library.XGBRegressor, "ranker": library.XGBRanker}
    try:
        booster = library.Booster()
        booster.load_model(content)
        saved_by = json.loads(booster.attr("scikit_learn") or "{}").get("_estimator_type")
        if saved_by not in kinds:
            return booster
        model = kinds[saved_by]()
        model.load_model(content)
    except Exception as problem:  # XGBoostError, and whatever a part that is absent raises
        raise could_not_open(path, problem, "XGBoost") from None
    return model


def _open(path: Path, asked: Opening) -> Subject:
    model = _read(path)
    facts = with_kind("xgboost", model, file_facts(path))
    if not _fits(model):
        booster = model.get_booster()
        model = behind(_converter(booster), model, booster.feature_names)
    return as_subject(model, file_facts=facts, **asked.declared)  # type: ignore[arg-type]


def _try_out(path: Path) -> None:
    """Open a file and ask it for rows."""
    import numpy as np

    from evenhand.subjects.isolation.trying import rows_to_try

    model = _read(path)
    booster = model if _fits(model) else model.get_booster()
    rows = rows_to_try(int(booster.num_features()))
    kinds = booster.feature_types or ()
    rows[:, [at for at, kind in enumerate(kinds) if kind == "c"]] = np.nan
    _ask(booster, False, rows)


def _fits(model: object) -> bool:
    there = sys.modules.get("xgboost")
    return there is not None and isinstance(model, getattr(there, "Booster", ()))


FILE: Final = ModelFile(
    "xgboost",
    (".ubj", ".json"),
    _open,
    start=re.compile(rb'\{\s*"(learner|version)"\s*:|\{L\x00{7}\x07(learner|version)[\{\[]'),
    safety="Data. Its trees are checked, and it is tried in a process with limits before it is opened here.",
    check=_check,
    try_out=_try_out,
)
ADAPTER: Final = Adapter(build, _fits, 20, files=(FILE,))
