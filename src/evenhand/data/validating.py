"""Every complaint about an evaluation set, each as one sentence, to be raised together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, cast

import numpy as np
import pandas as pd

from evenhand.data.columns import is_text
from evenhand.data.grouping import encode
from evenhand.data.values import absence, categories_of, is_number, listed, match, plain
from evenhand.errors import argument, did_you_mean, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike

    from evenhand.data.roles import Bins, Missing, Roles
    from evenhand.findings import Task

MOST_GROUPS: Final = 10_000
"""A feature of more distinct values than this makes no groups anybody can read."""
MOST_NUMBERS: Final = 20
"""A numeric feature of more distinct values than this is a measurement, and needs edges."""
MOST_ROWS: Final = 1e15
"""Rows that a double counts exactly, with room for products."""
EXACT: Final = 2.0**53
"""The whole number from which on a double does not hold the next one."""
LEAST_WEIGHT: Final = 1e-140
"""Weights that are all below it have squares which a double does not hold exactly."""

_LOOKED_AT: Final = 50
_OTHERS: Final = (
    "sample_weight", "stratum_share", "frequency", "id", "cluster", "prediction", "score", "original_prediction",
    "original_score",
)  # fmt: skip


def column_problems(name: str, table: pd.DataFrame, roles: Roles, task: Task | None = None) -> Iterator[str]:
    """Yield a sentence for every role whose column is not there, and for columns whose two roles cannot go together."""
    columns = [str(column) for column in table.columns]
    known = set(columns)
    if task == "clustering":
        yield from _clustering_problems(name, roles)
    elif roles.label is None and not roles.labels:
        yield f"{name}: no label column is named; pass {argument('label')} with one of {shorten(listed(columns), 200)}."
    for role, column in roles.named():
        if column not in known:
            what = role.removesuffix("s").replace("_", " ")
            yield f"{name}: there is no {what} column '{shorten(column)}' ({argument(role)}).{_near(column, columns)}"
    for column in roles.exclude:
        if column not in known:
            yield (
                f"{name}: there is no column '{shorten(column)}' to exclude "
                f"({argument('exclude')}).{_near(column, columns)}"
            )
    yield from _double_roles(name, roles)


def _clustering_problems(name: str, roles: Roles) -> Iterator[str]:
    """Yield complaints about roles that a clustering has, or lacks."""
    if roles.prediction is None:
        yield f"{name}: name the column with the cluster of each row ({argument('prediction')})."
    if roles.label is not None or roles.labels:
        yield f"{name}: a clustering has no truth; leave out {argument('label')}."
    if roles.original_prediction is not None or roles.original_score is not None:
        yield (
            f"{name}: clusters of two clusterings have no names in common, so that rows cannot be said to have "
            f"changed; leave out {argument('original_prediction')}."
        )
    if roles.prediction is not None and roles.prediction == roles.cluster:
        yield (
            f"{name}: column '{shorten(roles.prediction)}' is the clustering ({argument('prediction')}); "
            f"{argument('cluster')} is for rows that belong together, such as those of a person."
        )


def _near(column: str, columns: Sequence[str]) -> str:
    """Return the column that was meant, or the columns that there are."""
    return did_you_mean(column, columns) or f" Its columns are {shorten(listed(columns), 200)}."


def _double_roles(name: str, roles: Roles) -> Iterator[str]:
    features = {*roles.sensitive_features, *roles.control_features}
    for column in sorted(features & {roles.label}):
        yield f"{name}: column '{shorten(column)}' is the label and cannot also make the groups."
    for role in _OTHERS:
        if roles.label is not None and getattr(roles, role) == roles.label:
            what = role.replace("_", " ")
            yield f"{name}: column '{shorten(roles.label)}' is the label and cannot also be the {what}."


def feature_problems(name: str, table: pd.DataFrame, roles: Roles, missing: Missing, bins: Bins) -> Iterator[str]:
    """Yield complaints about sensitive and control features: missing values, and values that make no groups."""
    features = (*roles.sensitive_features, *roles.control_features)
    for column in bins:
        if column not in features:
            hint = did_you_mean(column, features)
            given = f"edges are given for '{shorten(column)}' ({argument('bins')})"
            yield f"{name}: {given}, which is no sensitive or control feature.{hint}"
    for column in roles.codes:
        if column not in features:
            hint = did_you_mean(column, features)
            given = f"column '{shorten(column)}' is said to hold codes ({argument('codes')})"
            yield f"{name}: {given}, and is no sensitive or control feature.{hint}"
    for column in dict.fromkeys(features):
        if column not in table:
            continue
        values = table[column]
        if missing == "error":
            yield from missing_problem(name, values)
        coded = column in roles.codes
        if column in bins:
            yield from _bin_problems(name, values, bins[column])
        else:
            yield from _group_problems(name, values, coded)
        if coded:
            yield from _code_problems(name, values, column in bins)


def missing_problem(name: str, values: pd.Series) -> Iterator[str]:
    """Return the sentence about rows of a feature that have no value."""
    way = f"Fill them, drop them, or pass {argument('missing', 'group')} to count them as a group."
    return absence(f"{name}: column '{shorten(values.name)}' has", values, way)


def _code_problems(name: str, values: pd.Series, binned: bool) -> Iterator[str]:
    where = f"{name}: column '{shorten(values.name)}' is said to hold codes ({argument('codes')})"
    if binned:
        yield f"{where}, and has edges ({argument('bins')}). Pass one of the two."
    if is_number(values):
        known = values.dropna().to_numpy(dtype=np.float64)
        wrong = int((~np.isfinite(known) | (known != np.floor(known))).sum())
        if wrong:
            yield f"{where}, but {wrong:,} of its {len(values):,} values are no whole numbers."


def _group_problems(name: str, values: pd.Series, coded: bool = False) -> Iterator[str]:
    where = f"{name}: column '{shorten(values.name)}'"
    yield from _merged_codes(where, values)
    known = _known(values)
    distinct = len(known)
    if strange := next((value for value in known[: MOST_GROUPS + 1] if not is_text(value)), None):
        yield f"{where} holds {ascii(strange)[:80]}, which is no Unicode text. Mend the rows."
    if is_number(values) and distinct > MOST_NUMBERS and not coded:
        usual = argument("bins", {shorten(values.name): suggested_edges(values)})
        yield (
            f"{where} is numeric with {distinct:,} different values in {len(values):,} rows, which is a measurement, "
            f"no grouping. Declare edges, such as {usual}{_or_codes(values)}."
        )
    elif distinct > MOST_GROUPS:
        yield (
            f"{where} has {distinct:,} different values in {len(values):,} rows; groups can be read up to "
            f"{MOST_GROUPS:,}. Group the values into a column of fewer, or name another column."
        )


def _known(values: pd.Series) -> Sequence[object]:
    """Return the distinct values of a column, but missing ones."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return categories_of(values)
    return cast("Sequence[object]", values.dropna().unique() if values.hasnans else values.unique())


def _or_codes(values: pd.Series) -> str:
    """Return the other way of grouping whole numbers."""
    known = values.dropna().to_numpy(dtype=np.float64)
    whole = bool((known == np.floor(known)).all())
    given = argument("codes", [shorten(values.name)])
    return f"; if its whole numbers are codes that name groups, pass {given}" if whole else ""


def _bin_problems(name: str, values: pd.Series, edges: Sequence[float]) -> Iterator[str]:
    where = f"{name}: column '{shorten(values.name)}'"
    numbers = np.asarray(edges, dtype=np.float64) if _all_numbers(edges) else np.array([])
    if not numbers.size or not np.isfinite(numbers).all() or (np.diff(numbers) <= 0).any():
        given, usual = (
            argument("bins", {shorten(values.name): list(edges) if isinstance(edges, Iterable) else edges}),
            argument("bins", {shorten(values.name): [25, 40, 60]}),
        )
        yield f"{where}: {given} are no increasing finite edges, such as {usual}."
    if not is_number(values):
        told = listed(values.dropna().unique()[:3])
        yield f"{where} has edges ({argument('bins')}), but its values are no numbers: {told}."


def label_problems(name: str, table: pd.DataFrame, roles: Roles, bins: Bins) -> Iterator[str]:
    """Yield complaints about names of values: of columns that make no groups, of no value, or of several."""
    for column, names in roles.value_labels.items():
        where = f"{name}: {argument('value_labels')} of '{shorten(column)}'"
        if column not in (*roles.sensitive_features, *roles.control_features):
            hint = did_you_mean(column, (*roles.sensitive_features, *roles.control_features))
            yield f"{where}: the column is no sensitive or control feature.{hint}"
        elif column in table:
            yield from _name_problems(where, texts_of(table[column], bins.get(column)), names)


def _name_problems(where: str, texts: Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    for value in names:
        if value not in texts:
            yield f"{where}: no row has the value {value!r}; there are {shorten(listed(texts), 200)}. Leave it out."
    shown = [(names.get(text, text), text) for text in texts]
    for called in dict.fromkeys(name for name, _ in shown):
        if len(same := [text for name, text in shown if name == called]) > 1:
            yield f"{where}: the values {listed(same)} are all called {called!r}; give each value its own name."
    for value, called in names.items():
        if not is_text(called) or not called.strip():
            yield f"{where}: the value {value!r} is called {ascii(called)[:80]}, which is no name."


def texts_of(values: pd.Series, edges: Sequence[float] | None = None) -> tuple[str, ...]:
    """Return the groups of a column as they are shown, in order; none of a column whose edges are wrong."""
    try:
        return encode("", values, edges).values[0]
    except (TypeError, ValueError):  # told elsewhere
        return ()


def suggested_edges(values: pd.Series) -> list[object]:
    """Suggest edges near the quartiles, rounded to two digits."""
    numbers = values.dropna().to_numpy(dtype=np.float64)
    quartiles = np.quantile(numbers[np.isfinite(numbers)], [0.25, 0.5, 0.75]) if np.isfinite(numbers).any() else []
    return [plain(edge) for edge in dict.fromkeys(float(f"{quartile:.2g}") for quartile in quartiles)]


def weight_problems(name: str, weights: pd.Series) -> Iterator[str]:
    """Yield complaints about row weights: they are finite, not negative, and not all zero."""
    where = f"{name}: sample weight '{shorten(weights.name)}'"
    if not pd.api.types.is_numeric_dtype(weights.dtype):
        yield f"{where} is no number: {listed(weights.dropna().unique()[:3])}."
        return
    numbers = weights.to_numpy(dtype=np.float64, na_value=np.nan)
    rows, way = len(numbers), "Weights are finite numbers from 0; mend or drop the rows."
    with np.errstate(over="ignore"):
        beyond = np.isfinite(numbers).all() and not np.isfinite(np.square(numbers).sum())
    if beyond:
        yield f"{where} is so great that the sum of squares is no finite number. Divide the weights by their mean."
    elif 0 < numbers.max(initial=0) < LEAST_WEIGHT:
        yield f"{where} is so small that squares of weights vanish. Divide the weights by their mean."
    wrong = {"has no value": np.isnan(numbers), "is infinite": np.isinf(numbers), "is negative": numbers < 0}
    for what, there in wrong.items():
        if there.any():
            yield f"{where} {what} in {int(there.sum()):,} of {rows:,} rows. {way}"
    if rows and not numbers.any():
        yield f"{where} is 0 in all {rows:,} rows, so that no row counts."


def stratum_problems(name: str, roles: Roles, shares: pd.Series) -> Iterator[str]:
    """Yield complaints about the shares of strata: numbers above 0 and up to 1, of weighted rows, each by itself."""
    where = f"{name}: stratum share '{shorten(shares.name)}'"
    if not pd.api.types.is_numeric_dtype(shares.dtype):
        yield f"{where} is no number: {listed(shares.dropna().unique()[:3])}."
        return
    numbers = shares.to_numpy(dtype=np.float64, na_value=np.nan)
    if wrong := int((~((numbers > 0) & (numbers <= 1))).sum()):
        yield f"{where} is no number above 0 and up to 1 in {wrong:,} of {len(numbers):,} rows."
    if roles.sample_weight is None:
        yield (
            f"{where}: rows that were chosen by stratum are weighted; name the column of weights "
            f"({argument('sample_weight')})."
        )
    for role in ("frequency", "cluster"):
        if getattr(roles, role) is not None:
            yield f"{where}: rows were chosen one by one, and {argument(role)} says otherwise; leave it out."


def frequency_problems(name: str, roles: Roles, frequencies: pd.Series) -> Iterator[str]:
    """Yield complaints about frequencies: whole numbers from 0, with decisions only."""
    where = f"{name}: frequency '{shorten(frequencies.name)}'"
    if not pd.api.types.is_numeric_dtype(frequencies.dtype):
        yield f"{where} is no number: {listed(frequencies.dropna().unique()[:3])}."
        return
    numbers = frequencies.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = int((~np.isfinite(numbers) | (numbers < 0) | (numbers != np.floor(numbers))).sum())
    if wrong:
        yield f"{where} is no whole number from 0 in {wrong:,} of {len(numbers):,} rows."
    elif not numbers.any():
        yield f"{where} is 0 in all {len(numbers):,} rows, so that nothing is counted."
    elif numbers.sum() > MOST_ROWS:
        yield f"{where} adds up to {numbers.sum():.3g} rows, and no more than {MOST_ROWS:.0e} can be counted."
    if (roles.sample_weight is None) != (roles.squared_weight is None):
        yield (
            f"{where}: a table of counts of weighted rows has the sums of their weights "
            f"({argument('sample_weight')}) and of the "
            f"squares of their weights ({argument('squared_weight')}); one of both is not named."
        )
    if roles.sample_weight is not None and roles.score is not None:
        yield f"{where}: counts of weighted rows are of decisions; leave out the scores '{shorten(roles.score)}'."


def prediction_problems(name: str, predictions: pd.Series, classes: tuple[object, ...]) -> Iterator[str]:
    """Yield complaints about a column of decisions: each is a value of the label."""
    where = f"{name}: predictions '{shorten(predictions.name)}'"
    yield from absence(f"{where} have", predictions)
    found = predictions.dropna().unique()[:_LOOKED_AT]  # a column of scores has as many values as rows
    known = [value for value in found if match(value, classes) is not None]
    if strange := [value for value in found if match(value, classes) is None]:
        rows = int((~predictions.isin(known) & predictions.notna()).sum())
        yield (
            f"{where} hold {shorten(listed(strange, 3))} in {rows:,} of {len(predictions):,} rows, which is no value "
            f"of the label ({listed(classes)}). Scores belong in {argument('score')}."
        )


def key_problems(name: str, keys: pd.Series, role: str) -> Iterator[str]:
    """Yield the complaint about an id or cluster column with missing values."""
    way = f"Fill them, drop the rows, or leave out {argument(role)}."
    yield from absence(f"{name}: {role} '{shorten(keys.name)}' has", keys, way)
    yield from _merged_codes(f"{name}: {role} '{shorten(keys.name)}'", keys)


def _merged_codes(where: str, codes: pd.Series) -> Iterator[str]:
    """Yield the complaint about long codes that are floating point, as a missing value makes them: some are one."""
    if codes.dtype.kind != "f":
        return
    numbers = codes.to_numpy(dtype=np.float64, na_value=np.nan)
    most = np.nanmax(np.abs(numbers), initial=0.0)
    if EXACT <= most < np.inf:
        yield (
            f"{where} holds whole numbers as great as {most:.17g} as floating point, in which different codes become "
            "the same. Keep them as text, or as whole numbers without missing values (Int64)."
        )


def check_scores(
    scores: ArrayLike, kind: Literal["probability", "ranking", "label"] = "probability", *, name: str = "scores"
) -> tuple[str, ...]:
    """Return a sentence for each thing wrong with scores, from a column or from a model.

    Parameters
    ----------
    scores : array_like
        (n,) the scores.
    kind : {"probability", "ranking", "label"}
        Probabilities are in [0, 1] and labels are 0 or 1; ranking scores are any finite numbers.
    name : str
        How the sentences call the scores.

    Examples
    --------
    >>> check_scores([0.2, 0.9])
    ()
    >>> len(check_scores([0.2, 1.4]))
    1
    """
    try:
        numbers = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError):
        return (f"{name} are no numbers.",)
    if numbers.ndim != 1:
        return (f"{name} have the shape {numbers.shape}; one number for each row is needed.",)
    return tuple(_score_problems(numbers, kind, name))


def _score_problems(numbers: np.ndarray, kind: str, name: str) -> Iterator[str]:
    rows = len(numbers)
    finite = numbers[np.isfinite(numbers)]
    outside = finite[(finite < 0) | (finite > 1)]
    if absent := int(np.isnan(numbers).sum()):
        yield f"{name} have no value (NaN) in {absent:,} of {rows:,} rows. Fill them or drop the rows."
    if infinite := int(np.isinf(numbers).sum()):
        yield f"{name} are infinite in {infinite:,} of {rows:,} rows; a score is a finite number."
    if kind == "probability" and outside.size:
        yield (
            f"{name} lie outside [0, 1] in {outside.size:,} of {rows:,} rows (from {outside.min():g} to "
            f"{outside.max():g}). If they only rank, say {argument('score_kind', 'ranking')} and give a "
            "threshold on their own scale."
        )
    if kind == "label" and (strange := int((~np.isin(finite, (0, 1))).sum())):
        yield f"{name} are neither 0 nor 1 in {strange:,} of {rows:,} rows, and labels must be."


def _all_numbers(edges: object) -> bool:
    """Whether edges are a list of numbers; those of a mapping from Python may be anything."""
    return isinstance(edges, Iterable) and all(
        isinstance(edge, (int, float, np.number)) and not isinstance(edge, bool) for edge in edges
    )
