"""LightGBM's boosters, live or from the text files that they are saved in."""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.boosted.estimators import BoosterClasses, BoosterNumbers, as_categories, behind
from evenhand.subjects.boosted.lightgbm_trees import check_text
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
    from pathlib import Path

    import lightgbm
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import Subject

_CLASSES: Final = ("binary", "multiclass", "multiclassova", "cross_entropy")


def build(
    booster: lightgbm.Booster, *, name: str | None = None, file_facts: Mapping[str, Plain] | None = None, **said: Any
) -> Subject:
    """Return a booster as a subject that is read and explained as LightGBM's estimators are.

    The parameters are those of `as_subject`, which is handed what is `said`. Raises ModelError where the booster does
    not say what it predicts, as one that was fitted with an objective of its own, unless `score_kind`, `threshold` or
    `decide` does.
    """
    told = booster.dump_model(num_iteration=1)
    objective = str(told.get("objective", "")).partition(" ")[0]
    if not objective and not said.keys() & {"threshold", "score_kind", "decide"}:
        raise ModelError(
            f"Model '{name or 'Booster'}' was fitted with an objective of its own, so LightGBM returns sums of leaves "
            "that may be anything. Say what they are: score_kind='logit', say, or threshold=."
        )
    names = list(booster.feature_name())
    counted = names == [f"Column_{at}" for at in range(len(names))]  # as LightGBM calls the columns of an array
    convert = partial(_categories, booster=booster, found=told["feature_infos"]) if booster.pandas_categorical else None
    made = BoosterClasses if objective in _CLASSES else BoosterNumbers
    columns = None if counted else names
    model = behind(convert, made(booster, partial(_ask, booster), columns, len(names)), columns)
    facts = with_kind("lightgbm", booster, file_facts or {})
    return as_subject(model, name=name or "Booster", file_facts=facts, **said)


def _ask(booster: lightgbm.Booster, rows: object) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(booster.predict(rows, num_threads=1), dtype=np.float64)


def _categories(table: pd.DataFrame, booster: lightgbm.Booster, found: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table whose columns of categories have those that the booster was fitted on, in their order.

    Raises ModelError where it is not clear which columns these are, or one of them has a value of no category.
    """
    import pandas as pd

    known: Sequence[Sequence[Any]] = booster.pandas_categorical or ()
    words = [
        name
        for name in table.columns
        if found.get(str(name), {}).get("values")
        or not (pd.api.types.is_numeric_dtype(table[name].dtype) or pd.api.types.is_bool_dtype(table[name].dtype))
    ]
    if len(words) != len(known):
        raise ModelError(
            f"The model was fitted on {len(known):,} columns of categories and the rows have {len(words):,}: "
            f"{shorten(', '.join(map(str, words)), 120)}. Give columns of the types that it was fitted on."
        )
    made = table.copy(deep=False)
    for name, categories in zip(words, known, strict=True):
        made[name] = as_categories(made[name], categories)
    return made


def _text(path: Path) -> str:
    return read_model_file(path).decode("utf-8").replace("\r\n", "\n")


def _check(path: Path) -> None:
    """Check the trees of a file before LightGBM reads them.

    Raises ModelError when it is damaged.
    """
    where = f"'{shorten(path)}'"
    try:
        check_text(_text(path))
    except KeyError as absent:
        raise ModelError(f"{where} is no model that LightGBM saved, or damaged: it has no {absent}.") from None
    except ValueError as problem:
        raise ModelError(f"{where} is no model that LightGBM saved, or damaged: {shorten(problem, 200)}.") from None


def _read(path: Path) -> lightgbm.Booster:
    """Return the model of a file.

    Raises ModelError when LightGBM cannot open it.
    """
    library = package("lightgbm")
    try:
        booster: lightgbm.Booster = library.Booster(model_str=_text(path))
    except Exception as problem:  # LightGBMError, and whatever a part that is absent raises
        raise could_not_open(path, problem, "LightGBM") from None
    return booster


def _open(path: Path, asked: Opening) -> Subject:
    return as_subject(_read(path), file_facts=file_facts(path), **asked.declared)  # type: ignore[arg-type]


def _try_out(path: Path) -> None:
    """Open a file, ask it for rows, and have its trees told."""
    from evenhand.subjects.isolation.trying import rows_to_try

    booster = _read(path)
    _ask(booster, rows_to_try(int(booster.num_feature())))
    booster.dump_model()


def _fits(model: object) -> bool:
    there = sys.modules.get("lightgbm")
    return there is not None and isinstance(model, getattr(there, "Booster", ()))


FILE: Final = ModelFile(
    "lightgbm",
    (".txt",),
    _open,
    start=re.compile(rb"tree\r?\nversion=v"),
    safety="Data. Its trees are checked, and it is tried in a process with limits before it is opened here.",
    check=_check,
    try_out=_try_out,
)
ADAPTER: Final = Adapter(build, _fits, 20, files=(FILE,))
