"""Checkpoints: after each epoch, all that the next depends on; a killed fit resumes with the same result."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError, OutputError
from evenhand.output.writing import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = 1


@dataclass(slots=True)
class Checkpoint:
    """Where a fit keeps its state.

    A temporary file is written and renamed, so a kill leaves the one before; it holds tensors and plain values
    only, and is read without running code.
    """

    place: Path
    """The file; it goes when the fit has ended."""
    fit: str
    """What the fit is of: data, settings, seed. A checkpoint of another fit is refused."""
    problem: str = ""
    """Why the last state could not be written, such as a full disk; the fit continues without."""

    def read(self) -> dict[str, Any] | None:
        """Return the state after the last whole epoch; None where there is none.

        Raises ModelError when the file is damaged, or of another fit.
        """
        import pickle
        import zipfile

        import torch

        if not self.place.exists():
            return None
        damaged = ModelError(f"{self.place}: this checkpoint is damaged. Remove it to begin anew.")
        if not zipfile.is_zipfile(self.place):
            raise damaged
        try:
            held: dict[str, Any] = torch.load(self.place, weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            raise damaged from None
        if held.get("format") != FORMAT or held.get("fit") != self.fit:
            raise ModelError(
                f"{self.place}: this checkpoint is of another fit (other rows, settings or seed). Name another file, "
                "or remove it to begin anew."
            )
        return held

    def write(self, state: dict[str, Any]) -> None:
        """Write the state; what hinders it is noted and does not stop the fit."""
        import torch

        held = io.BytesIO()
        torch.save({**state, "format": FORMAT, "fit": self.fit}, held)
        try:
            write_bytes(self.place, held.getvalue())
        except OutputError as wrong:
            self.problem = str(wrong)

    def done(self) -> None:
        """Remove the file: the fit has ended."""
        self.place.unlink(missing_ok=True)
