"""SACRO-ML finds what evenhand finds, with the attacks that it has.

Set EVENHAND_PRIVACY_PEERS to the python of an environment with sacroml: ``python -m venv peers``, then
``peers/bin/pip install -r constraints/privacy_peers.txt``. Both attack the same forest, by the same members and others;
reference models are drawn by each of its own, so areas agree within a tolerance only.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

import evenhand as eh

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 0.03
"""Of areas: twice what other references move them by."""
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
with tempfile.TemporaryDirectory() as folder:
    lira = LIRAAttack(output_dir=folder, write_report=False, n_shadow_models=16, mode="online-carlini",
                      fix_variance=True)
    lira.attack(target)
    found["lira"] = lira.attack_metrics[0]["AUC"]
    worst = WorstCaseAttack(output_dir=folder, write_report=False, n_reps=5, attack_model="sklearn.ensemble.RandomForestClassifier")
    worst.attack(target)
    found["worst"] = sum(each["AUC"] for each in worst.attack_metrics) / len(worst.attack_metrics)
print(json.dumps(found))
"""


def test_areas_of_lira_agree_and_rmia_finds_at_least_as_much(tmp_path: Path) -> None:
    python = os.environ.get("EVENHAND_PRIVACY_PEERS")
    if not python:
        pytest.skip("EVENHAND_PRIVACY_PEERS names no python with sacroml")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(2_400, 6)), columns=list("abcdef"))
    table["y"] = (table["a"] + table["b"] + 1.5 * rng.normal(size=2_400) > 0).astype(int)
    members, others = table[:1_200], table[1_200:]
    files = [tmp_path / "members.csv", tmp_path / "others.csv"]
    for part, file in zip((members, others), files, strict=True):
        part.to_csv(file, index=False)
    done = subprocess.run(
        [python, "-c", PROGRAM, *map(str, files)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    theirs = json.loads(done.stdout.splitlines()[-1])
    model = RandomForestClassifier(40, random_state=0).fit(members[list("abcdef")], members["y"])
    record = eh.audit(
        model, others, members=members, label="y", explain=False, audits=["membership"], privacy_deep=True
    )
    ours = record["membership_auc[;attack=lira]"].estimate
    assert ours == pytest.approx(theirs["lira"], abs=TOLERANCE)
    assert (record["membership_auc"].estimate or 0) > max(theirs.values()) - TOLERANCE
    assert (record["membership_auc[;attack=loss]"].estimate or 0) == pytest.approx(theirs["worst"], abs=0.1)
