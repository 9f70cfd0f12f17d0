"""What a model file of others may take while it is opened and run in a separate process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What an isolated model may take. A call may take more with the rows it is given.

    Examples
    --------
    >>> Limits(seconds=10).of(rows=100, file=1_000, batch=4_000)
    (11.0, 806338368)
    """

    seconds: float = 60.0
    """To open the file, or for a call."""
    memory: int = 768 << 20
    """Bytes beside those for file and rows."""
    seconds_a_row: float = 0.01
    """More for each row of a call."""
    times_file: int = 8
    """Bytes for each byte of the file."""
    times_batch: int = 256
    """Bytes for each byte of the rows of a call."""

    def of(self, rows: int = 0, file: int = 0, batch: int = 0) -> tuple[float, int]:
        """Return the seconds and bytes of a call with so many rows."""
        return (
            self.seconds + rows * self.seconds_a_row,
            self.memory + file * self.times_file + batch * self.times_batch,
        )
