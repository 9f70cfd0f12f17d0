"""SACRO-ML finds what evenhand finds, with the attacks that it has.

Set EVENHAND_PRIVACY_PEERS to the python of an environment with sacroml: ``python -m venv peers``, then
``peers/bin/pip install -r constraints/privacy_peers.txt``. Both attack the same forest, by the same references.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.metrics import roc_auc
from evenhand.probing.membership.scores import lira, rmia

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 0.01
"""Of the area of LiRA by the same references: SACRO-ML takes the spread over all rows for that of one."""
CLIPPED = 1e-16
"""How near SACRO-ML lets confidences come to 0 and 1."""
PROGRAM = """
import json, sys, tempfile, warnings, logging
warnings.filterwarnings("ignore")
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sacroml.attacks.likelihood_attack import LIRAAttack
from sacroml.attacks.worst_case_attack import WorstCaseAttack
from sacroml.attacks.target import Target
logging.disable(logging.CRITICAL)
members, others = (pd.read_csv(path) for path in sys.argv[1:3])
columns = [name for name in members if name != "y"]
parts = [part[columns].to_numpy() for part in (members, others)], [part["y"].to_numpy() for part in (members, others)]
model = RandomForestClassifier(40, random_state=0).fit(parts[0][0], parts[1][0])
target = Target(model=model, dataset_name="made", X_train=parts[0][0], y_train=parts[1][0], X_test=parts[0][1],
                y_test=parts[1][1])
found = {}
class Noted(LIRAAttack):
    def _compute_scores(self, labels, said, out, inside):
        found.update(target=[float(row[at]) for row, at in zip(said, labels)], out=list(out.values()),
                     inside=list(inside.values()))
        return super()._compute_scores(labels, said, out, inside)
with tempfile.TemporaryDirectory() as folder:
    lira = Noted(output_dir=folder, write_report=False, n_shadow_models=16, mode="online-carlini", fix_variance=True)
    lira.attack(target)
    found["lira"] = lira.attack_metrics[0]["AUC"]
    worst = WorstCaseAttack(output_dir=folder, write_report=False, n_reps=3)
    worst.attack(target)
    found["worst"] = sum(each["AUC"] for each in worst.attack_metrics) / len(worst.attack_metrics)
print(json.dumps(found))
"""


def test_areas_of_lira_agree_by_the_same_references_and_rmia_finds_more(tmp_path: Path) -> None:
    python = os.environ.get("EVENHAND_PRIVACY_PEERS")
    if not python:
        pytest.skip("EVENHAND_PRIVACY_PEERS names no python with sacroml")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(1_200, 6)), columns=list("abcdef"))
    table["y"] = (table["a"] + table["b"] + 1.5 * rng.normal(size=1_200) > 0).astype(int)
    files = [tmp_path / "members.csv", tmp_path / "others.csv"]
    for part, file in zip((table[:600], table[600:]), files, strict=True):
        part.to_csv(file, index=False)
    done = subprocess.run(
        [python, "-c", PROGRAM, *map(str, files)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    theirs = json.loads(done.stdout.splitlines()[-1])
    member = (np.arange(1_200) < 600).astype(int)
    logits = [one + other for one, other in zip(theirs["inside"], theirs["out"], strict=True)]
    saw = np.array([np.arange(16) < len(inside) for inside in theirs["inside"]]).T
    references, target = 1 / (1 + np.exp(-np.array(logits).T)), np.array(theirs["target"])

    def area(score: np.ndarray) -> float:
        return float(roc_auc(member, score, np.zeros(1_200, dtype=int)).estimate[0])

    assert area(lira(target, references, saw, CLIPPED)) == pytest.approx(theirs["lira"], abs=TOLERANCE)
    assert area(lira(target, references, saw)) > theirs["lira"] + 0.05  # answers of 0 and 1 no longer drown the others
    population = np.full(1, 0.6), np.full((16, 1), 0.6)
    assert area(rmia(target, references, saw, *population)) > max(theirs["lira"], theirs["worst"]) + 0.05
    assert area(target) == pytest.approx(theirs["worst"], abs=0.1)  # it looks at the model's own answers alone
