"""What the server needs of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from evenhand.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.monitoring.log.schema import Entry, Feedback

Stored: TypeAlias = Literal["stored", "known", "orphan"]
"""Written now; already there with the same content; written now, but of a prediction that the log does not know."""


class ConflictError(InputError):
    """What is to be stored has the id of something else, or was erased; nothing of the call was stored.

    Parameters
    ----------
    *problems : str
        A sentence each.
    ids : sequence of str
        The ids that they are about, so that the others can be stored by a call of their own.
    """

    def __init__(self, *problems: str, ids: Sequence[str] = ()) -> None:
        super().__init__(*problems)
        self.ids = tuple(ids)


class JournalError(OutputError):
    """The log cannot be written now: the disk is full, or the database is lost. The same call may be made again."""


class Journal(Protocol):
    """A log that is written while it is read. What a call returned for is on disk: it survives a kill."""

    def record(self, entries: Sequence[Entry]) -> Sequence[Stored]:
        """Store predictions, all or none.

        Raises
        ------
        ConflictError
            When an id is there with another content; nothing is stored.
        JournalError
            When nothing can be stored: the disk is full, or the database is lost.
        """
        ...

    def tell(self, events: Sequence[Feedback]) -> Sequence[Stored]:
        """Store feedback, all or none; raises as `record`."""
        ...

    def close(self) -> None:
        """Finish what is being written, and let go of the file."""
        ...
