"""What parts of a model hold of single training rows, for whoever has its file: no attack is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet

__all__ = ["stored"]

DEEPEST: Final = 8
"""Parts within parts that are looked into."""
ROWS: Final[Mapping[str, str]] = {
    "support_vectors_": "support vectors", "_fit_X": "kept rows", "X_fit_": "kept rows", "X_train_": "kept rows",
}  # fmt: skip
"""Attributes of scikit-learn's estimators that are rows of the training table, and what these are."""
BACKGROUND: Final = ("background", "background_data", "data")
"""Attributes of explainers that are rows to explain against."""
PACKAGES: Final = ("sklearn", "shap", "imblearn", "lightgbm", "xgboost", "catboost", "alibi", "lime")
"""Packages whose objects are looked into."""


def stored(model: object, members: EvaluationSet | None) -> dict[str, int]:
    """Return how many training rows, or words and categories of one training row, each kind of part holds.

    Parameters
    ----------
    model : object
        A subject.
    members : EvaluationSet, optional
        Rows that it was fitted on: without them it is not known of which words and categories there is one row.

    Returns
    -------
    dict
        By kind of part: ``support vectors``, ``kept rows``, ``explainer backgrounds``, ``leaves of one row``,
        ``words of one row``, ``categories of one row``. Kinds that the model has no part of are absent.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from evenhand.subjects import as_subject
    >>> near = KNeighborsClassifier(1).fit(np.eye(4), [0, 1, 0, 1])
    >>> stored(as_subject(near), None)
    {'kept rows': 4}
    """
    found: Counter[str] = Counter()
    named = {name: getattr(model, name, None) for name in ("estimator", "model", "preprocessing")}
    for part in _parts([part for part in named.values() if part is not None]):
        found.update(dict(_of_part(part, members)))
    return {kind: found[kind] for kind in sorted(found)}


def _parts(roots: list[object]) -> Iterator[object]:
    """Yield the objects that models are made of, each once."""
    waiting, seen = [(part, 0) for part in roots], set()
    while waiting:
        part, depth = waiting.pop(0)
        if id(part) in seen or depth > DEEPEST:
            continue
        seen.add(id(part))
        yield part
        inner: list[object] = []
        if isinstance(part, Mapping):
            inner = list(part.values())
        elif isinstance(part, (list, tuple)) or (isinstance(part, np.ndarray) and part.dtype == object):
            inner = list(np.asarray(part, dtype=object).ravel()) if isinstance(part, np.ndarray) else list(part)
        elif type(part).__module__.partition(".")[0] in PACKAGES:
            inner = list(getattr(part, "__dict__", {}).values())
        waiting += [(one, depth + 1) for one in inner if _may_hold(one)]


def _may_hold(part: object) -> bool:
    if isinstance(part, (Mapping, list, tuple)) or (isinstance(part, np.ndarray) and part.dtype == object):
        return True
    return type(part).__module__.partition(".")[0] in PACKAGES


def _of_part(part: Any, members: EvaluationSet | None) -> Iterator[tuple[str, int]]:
    """Yield each kind of what one part holds, and how much."""
    there: Mapping[str, Any] = getattr(part, "__dict__", {})
    for name, kind in ROWS.items():
        if name in there and hasattr(there[name], "shape") and len(there[name].shape) == 2:
            yield kind, int(there[name].shape[0])
    if type(part).__module__.partition(".")[0] in ("shap", "alibi", "lime"):
        for name in BACKGROUND:
            if hasattr(there.get(name), "shape") and len(there[name].shape) == 2:
                yield "explainer backgrounds", int(there[name].shape[0])
                break
    tree = there.get("tree_")
    if tree is not None and hasattr(tree, "children_left") and hasattr(tree, "n_node_samples"):
        yield "leaves of one row", int(((tree.children_left == -1) & (tree.n_node_samples == 1)).sum())
    if there.get("stop_words_"):
        yield "words left out", len(there["stop_words_"])
    if members is not None and "vocabulary_" in there and hasattr(part, "build_analyzer"):
        yield "words of one row", _words(part, members)
    if members is not None and "categories_" in there:
        yield "categories of one row", _categories(part, members)
    if members is not None and isinstance(getattr(part, "columns", None), tuple):
        yield "categories of one row", _levels(part, members)


def _words(part: Any, members: EvaluationSet) -> int:
    """Return how many words of a vocabulary occur in one training text."""
    column = next((name for name in (members.roles.texts,) if name is not None), None)
    if column is None and members.inputs.kind != "texts":
        return 0
    texts = members.table[column] if column is not None else members.inputs.whole()
    split, rows = part.build_analyzer(), Counter[str]()
    for text in texts:
        rows.update(set(split(str(text))))
    return sum(rows[word] == 1 for word in part.vocabulary_)


def _categories(part: Any, members: EvaluationSet) -> int:
    """Return how many categories of an encoder are those of one training row."""
    names = [str(name) for name in getattr(part, "feature_names_in_", ())]
    known = zip(names, cast("list[Any]", part.categories_), strict=False)
    return sum(_single(members, name, categories) for name, categories in known)


def _levels(part: Any, members: EvaluationSet) -> int:
    columns = (column for column in part.columns if getattr(column, "levels", None) is not None)
    return sum(_single(members, column.name, column.levels) for column in columns)


def _single(members: EvaluationSet, name: str, categories: Any) -> int:
    if name not in members.table:
        return 0
    rows = members.table[name].astype(str).value_counts()
    return sum(int(rows.get(str(category), 0)) == 1 for category in categories)
