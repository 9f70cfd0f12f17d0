"""How far a log has been read."""

from __future__ import annotations

from dataclasses import dataclass

from evenhand.errors import InputError, quoted


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a log has been read: the last receipts of predictions and of feedback.

    Examples
    --------
    >>> Cursor.parse("3fa9c1d2e4b5:120:31")
    Cursor(log='3fa9c1d2e4b5', predictions=120, feedback=31)
    >>> str(Cursor())
    ':0:0'
    """

    log: str = ""
    """Which log; empty at the start."""
    predictions: int = 0
    """The last prediction that was read."""
    feedback: int = 0
    """The last event that was read."""

    def __str__(self) -> str:
        return f"{self.log}:{self.predictions}:{self.feedback}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor that `str` wrote.

        Raises
        ------
        InputError
            When it is none.
        """
        log, _, rest = text.partition(":")
        predictions, _, feedback = rest.partition(":")
        if not (predictions.isdecimal() and feedback.isdecimal()):
            raise InputError(f"{quoted(text)}: this is no place in a log; it is written LOG:PREDICTIONS:FEEDBACK.")
        return cls(log, int(predictions), int(feedback))
