"""What a record says of where it comes from."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.report.formats.model_card import LIBRARIES


def test_versions_are_of_what_runs_the_models_and_of_no_other() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    rows = pd.DataFrame({"income": np.arange(80.0), "paid": [0, 1, 1, 0] * 20})
    trees = lightgbm.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1).fit(rows[["income"]], rows["paid"])

    def by_hand(X: pd.DataFrame) -> np.ndarray:
        return np.asarray(X["income"] / 80)

    def versions(model: object, **original: object) -> dict[str, str]:
        found = eh.audit(model, rows, label="paid", audits=["performance"], **original)  # type: ignore[arg-type]
        return dict(found.provenance["versions"])

    assert versions(trees)["lightgbm"] == version("lightgbm")
    assert versions(trees.booster_)["lightgbm"] == version("lightgbm")
    assert versions(by_hand, original=trees)["lightgbm"] == version("lightgbm")
    assert "lightgbm" not in versions(by_hand)


def test_a_card_names_the_library_of_every_kind_of_file() -> None:
    from evenhand.evidence.origin import OF_KINDS

    assert set(OF_KINDS) <= set(LIBRARIES)
