"""How much one caller may ask: rows in a window of time, counted by the library `limits`."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from evenhand.errors import InputError, argument, need, quoted
from evenhand.serving.predicting.refusing import RefusedError

if TYPE_CHECKING:
    from limits import RateLimitItem

OFF = "off"
"""Written for no limit."""


class Rates:
    """Counts what each caller asks, in this process.

    Parameters
    ----------
    rate : str
        As `limits` writes it: ``100/second``, ``5000/minute``; `OFF` for none.

    Raises
    ------
    InputError
        When it is no rate.

    Examples
    --------
    >>> rates = Rates("2/minute")
    >>> rates.count("shop", 2)
    >>> rates.count("shop")
    Traceback (most recent call last):
    evenhand.serving.predicting.refusing.RefusedError: More than 2 rows in a minute: come again in ...
    """

    def __init__(self, rate: str) -> None:
        need("limits", "serve")
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._item: RateLimitItem | None = None
        if rate != OFF:
            try:
                self._item = parse(rate)
            except ValueError:
                raise InputError(
                    f"{argument('rate')}: {quoted(rate)} is no rate; write 100/second, 5000/minute or {OFF}."
                ) from None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, caller: str, rows: int = 1, counted: int = 0) -> None:
        """Count rows of a caller.

        Parameters
        ----------
        caller : str
            Whose they are.
        rows : int
            How many there are at once.
        counted : int
            How many of them are counted already.

        Raises
        ------
        RefusedError
            429, with the seconds after which to come again; 413 when there are more at once than any window lets
            through.
        """
        item = self._item
        if item is None or rows <= counted or self._limiter.hit(item, caller, cost=rows - counted):
            return
        if rows > item.amount:
            raise RefusedError(413, f"{rows:,} rows at once are more than {_said(item)}: send fewer.")
        until = self._limiter.get_window_stats(item, caller).reset_time
        seconds = max(1, math.ceil(until - time.time()))
        wait = {"retry-after": str(seconds)}
        raise RefusedError(429, f"More than {_said(item)}: come again in {seconds} s.", headers=wait)


def _said(item: RateLimitItem) -> str:
    window = item.GRANULARITY.name if item.multiples == 1 else f"{item.multiples} {item.GRANULARITY.name}s"
    one = "" if item.multiples > 1 else "an " if window == "hour" else "a "
    return f"{item.amount:,} rows in {one}{window}"
