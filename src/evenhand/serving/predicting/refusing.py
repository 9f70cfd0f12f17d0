"""What a request is refused for: a status of HTTP, and a sentence for each problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.errors import EvenhandError

if TYPE_CHECKING:
    from collections.abc import Mapping


class RefusedError(EvenhandError):
    """A request that is not answered as it was asked.

    Parameters
    ----------
    status : int
        The status of HTTP.
    *problems : str
        A sentence each.
    headers : mapping, optional
        Further headers of the answer.
    """

    def __init__(self, status: int, *problems: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(*problems)
        self.status = status
        self.headers = dict(headers or {})
