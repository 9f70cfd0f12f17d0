"""Building models: preprocessing that is fitted on training rows and kept with the model, networks, one fit.

Importing the room loads no torch; training does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evenhand.training.config import TrainingConfig
    from evenhand.training.estimator import TabularClassifier
    from evenhand.training.fitting import fit
    from evenhand.training.loop import Lesson, run
    from evenhand.training.model import TabularModel
    from evenhand.training.preprocessing import Preprocessing
    from evenhand.training.searching import tune
    from evenhand.training.storing import load_model

_HOMES: Final = {
    "Lesson": "loop",
    "Preprocessing": "preprocessing",
    "TabularClassifier": "estimator",
    "TabularModel": "model",
    "TrainingConfig": "config",
    "fit": "fitting",
    "load_model": "storing",
    "run": "loop",
    "tune": "searching",
}

__all__ = [
    "Lesson",
    "Preprocessing",
    "TabularClassifier",
    "TabularModel",
    "TrainingConfig",
    "fit",
    "load_model",
    "run",
    "tune",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
