"""Store the units of a study on disk, so that a killed one can be resumed.

A unit is one model on the evaluation rows: its scores, and the facts of its file. It is written whole or not at
all, under a fingerprint of everything that made it; a unit with another fingerprint is rebuilt.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evenhand.output.writing import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.findings import Plain


@dataclass(frozen=True, slots=True)
class Unit:
    """One model of a study on the evaluation rows."""

    candidate: str
    """The candidate's name; empty for an original."""
    seed: int
    """The seed of its training and compression."""
    scores: NDArray[np.float64] | None
    """(n,) or (n, C); None when the model could not be made."""
    threshold: float = 0.5
    """A score at or above it is positive."""
    facts: Mapping[str, Plain] = field(default_factory=dict)
    """What is known of its file."""
    failure: str = ""
    """Why it could not be made."""

    @property
    def decisions(self) -> NDArray[np.int64]:
        """(n,) decisions."""
        assert self.scores is not None  # called only for models that were made
        if self.scores.ndim == 2:
            return np.asarray(self.scores.argmax(axis=1), dtype=np.int64)
        return np.asarray(self.scores >= self.threshold, dtype=np.int64)


def fingerprint(parts: Mapping[str, object]) -> str:
    """Return a hash of what makes a unit."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class Units:
    """The units of a study in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def model_place(self, name: str, seed: int) -> Path:
        """Return the path of a unit's model, without its suffix."""
        return self.folder / f"{slug(name) or 'original'}.{seed}"

    def read(self, name: str, seed: int, mark: str) -> Unit | None:
        """Return a unit that was made with this fingerprint; None when there is none, or only a part of one."""
        try:
            with np.load(f"{self.model_place(name, seed)}.npz", allow_pickle=False) as held:
                told = json.loads(bytes(held["facts"]).decode())
                scores = held.get("scores")
        except (OSError, ValueError, KeyError):
            return None
        if told["fingerprint"] != mark:
            return None
        return Unit(name, seed, scores, told["threshold"], told["facts"], told["failure"])

    def write(self, unit: Unit, mark: str) -> None:
        """Write a unit, whole or not at all."""
        told = {"fingerprint": mark, "threshold": unit.threshold, "facts": dict(unit.facts), "failure": unit.failure}
        parts: dict[str, NDArray[np.generic]] = {"facts": np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)}
        if unit.scores is not None:
            parts["scores"] = unit.scores
        content = io.BytesIO()
        np.savez_compressed(content, **parts)  # type: ignore[arg-type]  # arrays by name
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(Path(f"{self.model_place(unit.candidate, unit.seed)}.npz"), content.getvalue())


def slug(name: str) -> str:
    """Return a name as files may be called."""
    return "".join(char if char.isalnum() or char in "=+-." else "_" for char in name)
