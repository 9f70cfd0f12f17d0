"""Split an evaluation set by time: a model is tested on what came after the rows that it was fitted on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pandas as pd

from evenhand.data.evaluation_set import needed
from evenhand.errors import InputError, argument, did_you_mean, quoted, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data.evaluation_set import EvaluationSet
    from evenhand.findings import Plain

Span: TypeAlias = int | str | timedelta
"""So many times of the column, or a duration such as ``"90D"``."""
NO_SPAN: Final = "a whole number of times, or a duration such as '90D' where the column holds dates"


def rolling_splits(
    data: EvaluationSet,
    time: str,
    splits: int = 5,
    *,
    test_size: int | None = None,
    window: Span | None = None,
    gap: Span = 0,
) -> Iterator[tuple[EvaluationSet, EvaluationSet]]:
    """Yield rows to fit on and later rows to test on, the origin rolling forward (rolling-origin evaluation).

    It is scikit-learn's ``TimeSeriesSplit`` by a column of times: rows of one time are never torn apart, so times are
    counted where that counts rows. No row is fitted on that is as late as one of its tests. The tests follow each other
    without overlap, and the last one ends with the last time.

    Rows of one person may be on both sides, as they are where a model is used on people that it knows; name the person
    as ``cluster`` for the intervals of what the tests say.

    Parameters
    ----------
    data : EvaluationSet
        What to split.
    time : str
        Column of numbers (such as years), of dates, or of dates as ISO 8601 text. Round finer times to days first.
    splits : int
        How many pairs there are, 1 or more.
    test_size : int, optional
        How many times one test covers; all times by `splits` + 1, rounded down, when absent.
    window : int or duration, optional
        How many of the last times, or how long before the gap, are fitted on: a window that slides. All earlier ones
        when absent: a window that grows.
    gap : int or duration
        How many times between the last fitted and the first tested are left out, such as those whose outcome is not
        known yet when the model is fitted; a duration of 90 days fits on nothing later than 90 days before the test.

    Yields
    ------
    (EvaluationSet, EvaluationSet)
        Rows to fit on and rows to test on, both in their first order.

    Raises
    ------
    InputError
        When the column is absent, lacks values or holds no times; when there are too few times; and when the rows to
        fit on would be none or of one label only.

    References
    ----------
    Tashman (2000), Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = {"year": [1, 1, 2, 2, 3, 3, 4, 4], "paid": [0, 1, 0, 1, 0, 1, 0, 1], "income": [3, 5, 4, 6, 3, 7, 2, 8]}
    >>> data = eh.read_evaluation_set(rows, label="paid")
    >>> for train, test in eh.rolling_splits(data, "year", splits=2):
    ...     print(train.table["year"].unique(), test.table["year"].unique())
    [1 2] [3]
    [1 2 3] [4]
    """
    times, of_row = _times(needed(data, "rolling_splits"), time)
    raise_all(InputError, _wrong(data.name, splits, test_size, window, gap, times))
    size = test_size or max(len(times) // (splits + 1), 1)
    starts = [len(times) - (left * size) for left in range(splits, 0, -1)]
    if starts[0] < 1:
        raise InputError(
            f"{data.name}: column '{shorten(time)}' has {len(times):,} different times, and {splits:,} tests of "
            f"{size:,} need {splits * size + 1:,}. Ask for fewer splits or a smaller {argument('test_size')}."
        )
    spans = [_fitted(times, start, window, gap) for start in starts]
    return _parts(data, time, times, of_row, [(*span, start, size) for span, start in zip(spans, starts, strict=True)])


def _parts(
    data: EvaluationSet, time: str, times: pd.Index, of_row: NDArray[np.intp], spans: list[tuple[int, int, int, int]]
) -> Iterator[tuple[EvaluationSet, EvaluationSet]]:
    """Check all rows to fit on, then return the pairs, each made when it is asked for."""
    rows = [np.flatnonzero((of_row >= first) & (of_row < end)) for first, end, _, _ in spans]
    raise_all(InputError, [
        _unfit(data, at, fitted, times[start])
        for at, (fitted, (_, _, start, _)) in enumerate(zip(rows, spans, strict=True), 1)
        if not len(fitted) or (data.y_true[fitted] == data.y_true[fitted[0]]).all()
    ])  # fmt: skip

    def pairs() -> Iterator[tuple[EvaluationSet, EvaluationSet]]:
        for at, (fitted, (_, _, start, size)) in enumerate(zip(rows, spans, strict=True), 1):
            tested = np.flatnonzero((of_row >= start) & (of_row < start + size))
            yield (
                _part(data, time, times, of_row, fitted, f"train {at}"),
                _part(data, time, times, of_row, tested, f"test {at}"),
            )

    return pairs()


def _part(
    data: EvaluationSet, time: str, times: pd.Index, of_row: NDArray[np.intp], rows: NDArray[np.intp], name: str
) -> EvaluationSet:
    first, last = (str(times[at]) for at in (of_row[rows].min(), of_row[rows].max()))
    facts: Plain = {"part": name, "time": time, "from": first, "to": last, "of_rows": len(data)}
    return data.take(rows, f"{data.name} ({name})", split=facts)


def _times(data: EvaluationSet, time: str) -> tuple[pd.Index, NDArray[np.intp]]:
    """Return the different times in their order, and (n,) the place of each row's time among them."""
    if time not in data.table:
        hint = did_you_mean(time, (str(column) for column in data.table.columns))
        raise InputError(f"{data.name}: there is no column '{shorten(time)}' to split by.{hint}")
    column = data.table[time]
    if missing := int(column.isin([np.inf, -np.inf]).sum() + column.isna().sum()):
        raise InputError(
            f"{data.name}: column '{shorten(time)}' has no time in {missing:,} of {len(data):,} rows. Fill or drop "
            "them: a row without a time is neither before nor after the others."
        )
    values = _as_times(data.name, column)
    times = pd.Index(values.unique()).sort_values()
    return times, np.asarray(times.get_indexer(pd.Index(values)), dtype=np.intp)


def _as_times(name: str, column: pd.Series) -> pd.Series:
    """Return numbers and dates as they are, and texts as dates."""
    kind = column.dtype
    if pd.api.types.is_datetime64_any_dtype(kind):
        return column
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        return column
    try:
        return pd.to_datetime(column.astype(object), format="ISO8601", utc=True)
    except (ValueError, TypeError):
        strange = column[pd.to_datetime(column.astype(str), format="ISO8601", utc=True, errors="coerce").isna()]
        shown = strange.iloc[0] if len(strange) else column.iloc[0]
        raise InputError(
            f"{name}: column '{shorten(column.name)}' holds {quoted(shown)}, which is neither a number nor a date "
            "such as 2024-05-31. Write its times as one of the two."
        ) from None


def _wrong(
    name: str, splits: int, test_size: int | None, window: Span | None, gap: Span, times: pd.Index
) -> Iterator[str]:
    for word, count in (("splits", splits), ("test_size", test_size)):
        if count is not None and (not _whole(count) or count < 1):
            yield f"{name}: {argument(word, count)}: a whole number, 1 or above, is needed."
    for word, span, least in (("window", window, 1), ("gap", gap, 0)):
        if span is None or (_whole(span) and span >= least):  # type: ignore[operator]
            continue
        if _whole(span) or _duration(span) is None:
            yield f"{name}: {argument(word, span)} is to be {NO_SPAN}, {least} or above."
        elif not isinstance(times, pd.DatetimeIndex):
            yield f"{name}: {argument(word, span)} is a duration, and the times are numbers: count them instead."


def _whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _duration(span: Span) -> pd.Timedelta | None:
    """Return a duration that is above 0, None of anything else."""
    try:
        found = pd.Timedelta(span)
    except (ValueError, TypeError):
        return None
    return found if found > pd.Timedelta(0) else None


def _fitted(times: pd.Index, start: int, window: Span | None, gap: Span) -> tuple[int, int]:
    """Return the first and the end of the places of times that are fitted on, for a test from `start` on."""
    if _whole(gap):
        end = max(start - int(gap), 0)  # type: ignore[arg-type]
    else:
        end = min(int(times.searchsorted(times[start] - _duration(gap), side="right")), start)
    if window is None or end == 0:
        return 0, end
    if _whole(window):
        return max(end - int(window), 0), end  # type: ignore[arg-type]
    return int(times.searchsorted(times[end - 1] - _duration(window), side="right")), end


def _unfit(data: EvaluationSet, at: int, rows: NDArray[np.intp], start: object) -> str:
    held = f"the rows to fit on ({len(rows):,}) have one label only" if len(rows) else "there is no row to fit on"
    return (
        f"{data.name}: before the test {at:,}, which starts at {start}, {held}. Ask for fewer splits, a longer "
        f"{argument('window')} or a shorter {argument('gap')}."
    )
