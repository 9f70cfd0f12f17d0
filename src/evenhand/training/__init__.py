"""Building models: preprocessing that is fitted on training rows and kept with the model, networks, one fit.

Importing the room loads no torch; training does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face

if TYPE_CHECKING:
    from evenhand.training.backbones.opening import Backbone, open_backbone
    from evenhand.training.config import TrainingConfig
    from evenhand.training.dataset import Dataset
    from evenhand.training.ensembles import fit_ensemble
    from evenhand.training.estimator import TabularClassifier, TabularRegressor
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
    from evenhand.training.refitting import refit
    from evenhand.training.searching import tune
    from evenhand.training.storing import load_model
    from evenhand.training.target import Target
    from evenhand.training.text_networks import TextPlan
    from evenhand.training.tokenization import Tokenization
    from evenhand.training.transferring import transfer
    from evenhand.training.trees.boosted import BoostedModel
    from evenhand.training.trees.boosting import fit_boosting

__all__ = [
    "Backbone", "BoostedModel", "Dataset", "ImagePlan", "NetworkModel", "NetworkPlan", "Normalization", "Plan",
    "Preparing", "Preprocessing", "TabularClassifier", "TabularRegressor", "Target", "TextPlan", "Tokenization",
    "TrainingConfig", "fit", "fit_boosting", "fit_ensemble", "fit_ways", "given_model", "load_model", "open_backbone",
    "refit", "run", "transfer", "tune",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "backbones.opening": "Backbone open_backbone",
    "trees.boosted": "BoostedModel", "trees.boosting": "fit_boosting", "config": "TrainingConfig", "dataset": "Dataset",
    "ensembles": "fit_ensemble", "estimator": "TabularClassifier TabularRegressor", "fitting": "fit",
    "given": "given_model", "image_networks": "ImagePlan", "imbalance": "fit_ways", "loop": "run",
    "model": "NetworkModel", "networks": "NetworkPlan", "normalization": "Normalization", "plan": "Plan",
    "preparing": "Preparing", "preprocessing": "Preprocessing", "refitting": "refit", "searching": "tune",
    "storing": "load_model", "target": "Target", "text_networks": "TextPlan", "tokenization": "Tokenization",
    "transferring": "transfer",
})  # fmt: skip
