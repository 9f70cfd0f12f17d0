"""Building models: preprocessing that is fitted on training rows and kept with the model, networks, one fit.

Importing the room loads no torch; training does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evenhand.training.config import TrainingConfig
    from evenhand.training.dataset import Dataset
    from evenhand.training.ensembles import fit_ensemble
    from evenhand.training.estimator import TabularClassifier
    from evenhand.training.fitting import fit
    from evenhand.training.given import given_model
    from evenhand.training.image_networks import ImagePlan
    from evenhand.training.imbalance import fit_ways
    from evenhand.training.loop import run
    from evenhand.training.model import NetworkModel
    from evenhand.training.networks import NetworkPlan
    from evenhand.training.normalization import Normalization
    from evenhand.training.plan import Plan
    from evenhand.training.preparing import Preparing
    from evenhand.training.preprocessing import Preprocessing
    from evenhand.training.searching import tune
    from evenhand.training.storing import load_model

_HOMES: Final = {
    "ImagePlan": "image_networks", "NetworkPlan": "networks", "Normalization": "normalization", "Plan": "plan",
    "Preparing": "preparing", "Dataset": "dataset", "Preprocessing": "preprocessing", "TabularClassifier": "estimator",
    "NetworkModel": "model", "TrainingConfig": "config", "fit": "fitting", "fit_ways": "imbalance",
    "fit_ensemble": "ensembles", "given_model": "given", "load_model": "storing", "run": "loop", "tune": "searching",
}  # fmt: skip

__all__ = [
    "Dataset",
    "ImagePlan",
    "NetworkModel",
    "NetworkPlan",
    "Normalization",
    "Plan",
    "Preparing",
    "Preprocessing",
    "TabularClassifier",
    "TrainingConfig",
    "fit",
    "fit_ensemble",
    "fit_ways",
    "given_model",
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
