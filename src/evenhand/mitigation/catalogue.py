"""The mitigations, by name."""

from __future__ import annotations

from typing import Final

from evenhand.catalogues import Catalogue
from evenhand.mitigation.candidate import Mitigation

MITIGATIONS: Final[Catalogue[Mitigation]] = Catalogue(
    "evenhand.mitigations",
    Mitigation,
    {
        "threshold": "evenhand.mitigation.threshold:MITIGATION",
        "group_thresholds": "evenhand.mitigation.group_thresholds:MITIGATION",
        "threshold_optimizer": "evenhand.mitigation.threshold_optimizer:MITIGATION",
        "exponentiated_gradient": "evenhand.mitigation.exponentiated_gradient:MITIGATION",
        "grid_search": "evenhand.mitigation.grid_search:MITIGATION",
        "correlation_remover": "evenhand.mitigation.correlation_remover:MITIGATION",
        "penalty": "evenhand.mitigation.penalty:MITIGATION",
        "reweighing": "evenhand.mitigation.reweighing:MITIGATION",
        "resampling": "evenhand.mitigation.resampling:MITIGATION",
        "balanced_calibration": "evenhand.mitigation.balanced_calibration:MITIGATION",
        "kept_channels": "evenhand.mitigation.kept_channels:MITIGATION",
        "weighted_distillation": "evenhand.mitigation.weighted_distillation:MITIGATION",
    },
)
"""Every kind of candidates; the unchanged model is always compared with, and is none of them."""
