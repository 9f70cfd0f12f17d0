"""Metrics by group beside AIF360 and Aequitas, which run in an environment of their own: CPU seconds, medians.

EVENHAND_PEERS names its python, with aif360, aequitas and pandas in it (constraints/peers.txt). Writes
benchmarks/results/others.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from fairness import METRICS, measured, ours
from measuring import machine, middle, peers, seconds, write

ROWS, GROUPS = 1_000_000, 10
PROGRAM = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from importlib.metadata import version
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import ClassificationMetric
from aequitas.group import Group
table = pd.read_csv(sys.argv[1])
names = ("accuracy", "true_positive_rate", "positive_predictive_value", "selection_rate", "false_positive_rate")
def aif360():
    def dataset(label):
        return BinaryLabelDataset(df=table[["g", label]].rename(columns={label: "y"}), label_names=["y"],
            protected_attribute_names=["g"], favorable_label=1, unfavorable_label=0)
    truth, decided = dataset("y"), dataset("d")
    out = []
    for group in range(int(table["g"].max()) + 1):
        metric = ClassificationMetric(truth, decided, unprivileged_groups=[{"g": group}],
            privileged_groups=[{"g": other} for other in range(int(table["g"].max()) + 1) if other != group])
        out.append([getattr(metric, name)(privileged=False) for name in names])
    return out
def aequitas():
    frame = pd.DataFrame({"score": table["d"], "label_value": table["y"], "g": table["g"].astype(str)})
    return Group().get_crosstabs(frame)
out = {"versions": {name: version(name) for name in ("aif360", "aequitas", "pandas", "numpy")}}
for name, call in (("aif360", aif360), ("aequitas", aequitas)):
    out[name] = []
    for _ in range(3):
        start = time.process_time(); call(); out[name].append(time.process_time() - start)
print(json.dumps(out))
"""


def main() -> None:
    """Run both sides on the same rows, write the table and the figures."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, ROWS)
    decided = np.where(rng.random(ROWS) < 0.8, truth, 1 - truth)
    group = pd.Series(rng.integers(0, GROUPS, ROWS), name="g")
    mine, inner = (seconds(partial(call, truth, decided, group), 7) for call in (measured, ours))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        pd.DataFrame({"g": group, "y": truth, "d": decided}).to_csv(file, index=False)
        command = [peers(), "-c", PROGRAM, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    own = middle(mine)
    lines = ["| what | CPU seconds | peer / evenhand |", "|---|---|---|"]
    lines.append(f"| `eh.measure`, {len(METRICS)} metrics, their gaps and ratios, with intervals | {own:.3f} | |")
    lines.append(f"| its inner functions, without the ratios | {middle(inner):.3f} | |")
    words = {"aif360": "AIF360, one ClassificationMetric a group", "aequitas": "Aequitas, Group.get_crosstabs"}
    lines += [f"| {words[name]} | {middle(found[name]):.2f} | {middle(found[name]) / own:,.0f} x |" for name in words]
    write(
        "others",
        {**machine(), "evenhand": mine, "inner": inner, "peers": found},
        lines,
        "Times public calls, and inner functions in the second row.",
    )


if __name__ == "__main__":
    main()
