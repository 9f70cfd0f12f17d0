"""Figures equal those of AIF360 and Aequitas, which live in an environment of their own.

Set EVENHAND_PEERS to the python of an environment with aif360, aequitas and pandas: ``python -m venv peers``, then
``peers/bin/pip install aif360 aequitas``.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.evidence.consistency import consistency
from evenhand.metrics import Tally, disparity, measure
from evenhand.metrics.comparisons.group_inequality import (
    between_group_entropy,
    between_group_variation,
    class_imbalance,
    kl_divergence,
    share_of_selected,
    smoothed_epsilon,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peers

PROGRAM = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import ClassificationMetric
from aif360.sklearn.metrics import class_imbalance, kl_divergence
from aequitas.group import Group
from aequitas.bias import Bias
table = pd.read_csv(sys.argv[1])
def dataset(label):
    frame = table[["a", "b", "s", "w", label]].rename(columns={label: "y"})
    return BinaryLabelDataset(df=frame, label_names=["y"], protected_attribute_names=["s"], instance_weights_name="w",
        favorable_label=1, unfavorable_label=0)
metric = ClassificationMetric(dataset("y"), dataset("d"), unprivileged_groups=[{"s": 0}], privileged_groups=[{"s": 1}])
calls = sys.argv[2].split(",")
out = {name: float(getattr(metric, name)()) for name in calls}
for name in sys.argv[3].split(","):
    out[name] = [float(getattr(metric, name)(privileged=bool(group))) for group in (0, 1)]
indexed = table.set_index("s")
for priv in (0, 1):
    said = dict(prot_attr="s", priv_group=priv)
    out[f"kl_{priv}"] = float(kl_divergence(indexed["y"], indexed["d"].to_numpy(), **said))
    out[f"imbalance_{priv}"] = float(class_imbalance(indexed["y"], indexed["d"].to_numpy(), **said))
frame = table.assign(score=table["d"], label_value=table["y"], s=table["s"].astype(str), r=table["r"].astype(str))
crosstabs, _ = Group().get_crosstabs(frame[["score", "label_value", "s", "r"]])
out["aequitas"] = crosstabs.set_index(["attribute_name", "attribute_value"])[
    ["tpr", "tnr", "fpr", "fnr", "fdr", "for", "precision", "npv", "ppr", "pprev", "prev"]
].reset_index().to_dict("list")
bias = Bias().get_disparity_predefined_groups(crosstabs, original_df=frame, ref_groups_dict={"s": "1", "r": "0"},
    alpha=0.05, check_significance=False, mask_significance=False)
out["disparities"] = bias[bias["attribute_name"] == "s"].set_index("attribute_value").loc["0",
    ["ppr_disparity", "pprev_disparity", "fpr_disparity", "fnr_disparity", "fdr_disparity", "for_disparity",
     "tpr_disparity", "precision_disparity"]].astype(float).to_dict()
print(json.dumps(out))
"""
SIGNED = (
    "statistical_parity_difference", "true_positive_rate_difference", "false_positive_rate_difference",
    "false_negative_rate_difference", "false_omission_rate_difference", "false_discovery_rate_difference",
    "error_rate_difference", "average_predictive_value_difference",
)  # fmt: skip
WHOLE = (
    *SIGNED, "disparate_impact", "false_positive_rate_ratio", "false_negative_rate_ratio", "false_omission_rate_ratio",
    "false_discovery_rate_ratio", "error_rate_ratio", "average_abs_odds_difference", "equalized_odds_difference",
    "generalized_entropy_index", "theil_index", "coefficient_of_variation",
    "between_group_generalized_entropy_index", "between_group_theil_index", "between_group_coefficient_of_variation",
    "smoothed_empirical_differential_fairness", "differential_fairness_bias_amplification", "accuracy",
)  # fmt: skip
BY_GROUP = (
    "true_positive_rate", "false_positive_rate", "false_negative_rate", "true_negative_rate",
    "positive_predictive_value", "negative_predictive_value", "false_discovery_rate", "false_omission_rate",
    "accuracy", "error_rate", "selection_rate", "base_rate",
)  # fmt: skip
OURS = {"true_negative_rate": "specificity", "positive_predictive_value": "precision"}
AEQUITAS = {
    "tpr": "recall", "tnr": "specificity", "fpr": "false_positive_rate", "fnr": "false_negative_rate",
    "fdr": "false_discovery_rate", "for": "false_omission_rate", "precision": "precision",
    "npv": "negative_predictive_value", "pprev": "selection_rate", "prev": "base_rate",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 3_000
    table = pd.DataFrame({"s": rng.integers(0, 2, n), "r": rng.integers(0, 4, n), "y": rng.integers(0, 2, n)})
    table["d"] = np.where(rng.random(n) < 0.7 + 0.1 * table["s"], table["y"], 1 - table["y"])
    table["a"], table["b"], table["w"] = rng.normal(size=n), rng.normal(size=n), 1.0
    return table


@pytest.fixture(scope="module")
def theirs(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    python = os.environ.get("EVENHAND_PEERS")
    if not python:
        pytest.skip("EVENHAND_PEERS names no python with aif360 and aequitas")
    file: Path = tmp_path_factory.mktemp("peers") / "rows.csv"
    rows.to_csv(file, index=False)
    command = [python, "-c", PROGRAM, str(file), ",".join(WHOLE), ",".join(BY_GROUP)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def tally(rows: pd.DataFrame, by: str = "s") -> Tally:
    return Tally.count(rows["y"], rows["d"], rows[by], int(rows[by].max()) + 1)


def test_rates_of_groups_are_aif360s(rows: pd.DataFrame, theirs: dict[str, list[float]]) -> None:
    counted = tally(rows)
    for name in BY_GROUP:
        assert measure(OURS.get(name, name), counted).estimate.tolist() == pytest.approx(theirs[name], abs=1e-12), name


def test_disparities_are_aif360s(rows: pd.DataFrame, theirs: dict[str, float]) -> None:
    counted = tally(rows)
    for name in SIGNED:
        ours = disparity(name.replace("statistical_parity", "selection_rate"), counted).estimate
        assert ours == pytest.approx(abs(theirs[name]), abs=1e-12), name
    for name in WHOLE:
        if name.endswith("_ratio") or name == "disparate_impact":
            ours = disparity(name, counted).estimate
            assert ours == pytest.approx(min(theirs[name], 1 / theirs[name]), abs=1e-12), name
    for name in ("average_abs_odds_difference", "equalized_odds_difference"):
        assert disparity(name, counted).estimate == pytest.approx(abs(theirs[name]), abs=1e-12)


def test_inequality_is_aif360s(rows: pd.DataFrame, theirs: dict[str, float]) -> None:
    counted = tally(rows)
    everyone = counted.overall()
    for ours, name in (("generalized_entropy", "generalized_entropy_index"), ("theil_index", "theil_index")):
        assert measure(ours, everyone).estimate[0] == pytest.approx(theirs[name], abs=1e-12)
    variation = measure("coefficient_of_variation", everyone).estimate[0]
    assert variation == pytest.approx(theirs["coefficient_of_variation"], abs=1e-12)
    assert between_group_entropy(counted) == pytest.approx(theirs["between_group_generalized_entropy_index"], abs=1e-12)
    assert between_group_entropy(counted, 1) == pytest.approx(theirs["between_group_theil_index"], abs=1e-12)
    between = theirs["between_group_coefficient_of_variation"]
    assert between_group_variation(counted) == pytest.approx(between, abs=1e-12)
    epsilon = theirs["smoothed_empirical_differential_fairness"]
    assert smoothed_epsilon(counted, of_truth=True) == pytest.approx(epsilon, abs=1e-12)
    more = smoothed_epsilon(counted) - smoothed_epsilon(counted, of_truth=True)
    assert more == pytest.approx(theirs["differential_fairness_bias_amplification"], abs=1e-12)


def test_divergence_and_sizes_are_aif360s(rows: pd.DataFrame, theirs: dict[str, float]) -> None:
    counted = tally(rows)
    assert kl_divergence(counted) == pytest.approx(max(theirs["kl_0"], theirs["kl_1"]), abs=1e-12)
    assert class_imbalance(counted) == pytest.approx(abs(theirs["imbalance_1"]), abs=1e-12)


def test_groups_are_aequitas(rows: pd.DataFrame, theirs: dict[str, dict[str, list[float]]]) -> None:
    found = pd.DataFrame(theirs["aequitas"])
    for by in ("s", "r"):
        counted, part = tally(rows, by), found[found["attribute_name"] == by].sort_values("attribute_value")
        for name, ours in AEQUITAS.items():
            assert measure(ours, counted).estimate.tolist() == pytest.approx(part[name].tolist(), abs=1e-12), name
        assert share_of_selected(counted).estimate.tolist() == pytest.approx(part["ppr"].tolist(), abs=1e-12)


def test_ratios_to_a_reference_are_aequitas(rows: pd.DataFrame, theirs: dict[str, dict[str, float]]) -> None:
    counted = tally(rows)
    for name, value in theirs["disparities"].items():
        word = name.removesuffix("_disparity")
        rates = share_of_selected(counted) if word == "ppr" else measure(AEQUITAS[word], counted)
        assert rates.estimate[0] / rates.estimate[1] == pytest.approx(value, abs=1e-12), name


def test_consistency_is_that_of_nearest_rows(rows: pd.DataFrame) -> None:
    points, decided = rows[["a", "b"]].to_numpy()[:300], rows["d"].to_numpy()[:300]
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    nearest = np.argsort(apart, axis=1)[:, :5]
    by_hand = 1 - np.abs(decided - decided[nearest].mean(axis=1)).mean()
    assert consistency(points, decided) == pytest.approx(by_hand, abs=1e-12)
