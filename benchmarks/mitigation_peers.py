"""Decisions of AIF360's and OxonFair's rules over scores, in an environment of their own.

benchmarks/mitigation.py calls it: it reads the cases of the first file, and writes the decisions into the second.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")

LIMIT = 0.05
METRICS = {"demographic parity": "Statistical parity difference", "equal opportunity": "Equal opportunity difference"}
GRID = {"num_class_thresh": 25, "num_ROC_margin": 10}
"""Of RejectOptionClassification; with its default, 100 thresholds by 50 margins, it takes twenty times as long."""


def dataset(score: np.ndarray, y: np.ndarray, group: np.ndarray) -> tuple[object, object]:
    """Return rows as AIF360 takes them: with their truth, and with scores and decisions."""
    from aif360.datasets import BinaryLabelDataset

    frame = pd.DataFrame({"y": y, "group": (group == "b").astype(int)})
    true = BinaryLabelDataset(df=frame, label_names=["y"], protected_attribute_names=["group"])
    said = true.copy(deepcopy=True)
    said.scores, said.labels = score.reshape(-1, 1), (score >= 0.5).astype(float).reshape(-1, 1)
    return true, said


def aif360(fit: dict[str, np.ndarray], held: dict[str, np.ndarray], limit: str) -> dict[str, list[int]]:
    """Return decisions of AIF360's rules; whichever group gets less is the unprivileged one."""
    from aif360.algorithms.postprocessing import EqOddsPostprocessing, RejectOptionClassification

    shares = [(fit["score"] >= 0.5)[fit["group"] == name].mean() for name in ("a", "b")]
    less = int(np.argmin(shares))
    groups = {"unprivileged_groups": [{"group": less}], "privileged_groups": [{"group": 1 - less}]}
    rules = {
        "AIF360 EqOddsPostprocessing": EqOddsPostprocessing(**groups, seed=0),
        "AIF360 RejectOptionClassification": RejectOptionClassification(
            **groups, **GRID, metric_name=METRICS[limit], metric_ub=LIMIT, metric_lb=-LIMIT
        ),
    }
    (true, said), (_, asked) = dataset(**fit), dataset(**held)
    return {
        name: rule.fit(true, said).predict(asked).labels.ravel().astype(int).tolist() for name, rule in rules.items()
    }


def oxonfair(fit: dict[str, np.ndarray], held: dict[str, np.ndarray], limit: str) -> dict[str, list[int]]:
    """Return decisions of the most accurate thresholds by group within the limit."""
    from oxonfair import FairPredictor
    from oxonfair import group_metrics as gm

    def given(part: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        both = np.column_stack([1 - part["score"], part["score"]])
        return {"data": both, "target": part["y"], "groups": part["group"]}

    rule = FairPredictor(None, given(fit))
    constraint = gm.demographic_parity if limit == "demographic parity" else gm.equal_opportunity
    rule.fit(gm.accuracy, constraint, LIMIT, grid_width=100)
    return {"OxonFair": np.asarray(rule.predict(given(held))).astype(int).tolist()}


def main() -> None:
    """Read the cases, and write decisions by case, limit and method."""
    arrays = dict(np.load(sys.argv[1]))
    cases = dict.fromkeys(name.rsplit("|", 2)[0] for name in arrays)
    found: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for case in cases:
            fit, held = (
                {column: arrays[f"{case}|{which}|{column}"] for column in ("score", "y", "group")}
                for which in ("fit", "held")
            )
            found[case] = {limit: {**aif360(fit, held, limit), **oxonfair(fit, held, limit)} for limit in METRICS}
            print(case, file=sys.stderr, flush=True)
    found["versions"] = {name: version(name) for name in ("aif360", "oxonfair")}
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
