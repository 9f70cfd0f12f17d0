"""Slices of the census income data beside SliceLine and DivExplorer: CPU seconds, in one run, equal counts.

The peers want other versions of libraries, so they run in an environment of their own: EVENHAND_PEERS names its python,
with sliceline, divexplorer, pandas and scikit-learn in it (constraints/peers.txt). The data are those of UCI "Adult".
Writes benchmarks/results/slices.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from measuring import machine, middle, needed, peak_megabytes, peers, seconds, write
from sklearn.ensemble import HistGradientBoostingClassifier

from evenhand.data.grouping import encode
from evenhand.metrics.slices.lattice import Rows
from evenhand.metrics.slices.search import find_slices, scan, weaker

if TYPE_CHECKING:
    import numpy as np

DEPTH, SUPPORT = 3, 0.01
PEER = """
import json, sys, time, warnings
import pandas as pd
warnings.filterwarnings("ignore")
table = pd.read_csv(sys.argv[1], dtype=str); wrong = pd.read_csv(sys.argv[2])["wrong"].to_numpy()
out = {}
start = time.process_time()
from sliceline.slicefinder import Slicefinder
Slicefinder(alpha=0.95, k=10, max_l=3, min_sup=int(0.01 * len(table)), verbose=False).fit(table, wrong)
out["sliceline"] = time.process_time() - start
start = time.process_time()
from divexplorer import DivergenceExplorer
found = DivergenceExplorer(table.assign(wrong=wrong)).get_pattern_divergence(
    min_support=0.01, quantitative_outcomes=["wrong"], attributes=list(table.columns))
sizes = found["itemset"].map(len)
out["divexplorer"] = time.process_time() - start
out["divexplorer_slices"] = int(((sizes >= 1) & (sizes <= 3)).sum()); out["divexplorer_all"] = int(len(found))
print(json.dumps(out))
"""


def main() -> None:
    """Find slices with all three, write the table and the figures."""
    table, wrong = errors()
    groupings = [encode(str(name), table[name], None) for name in table.columns]
    codes, sizes = [grouping.codes for grouping in groupings], [len(grouping) for grouping in groupings]
    rows, least = Rows(codes, sizes, wrong), int(SUPPORT * len(table))
    counting, searching = partial(scan, rows, weaker, least, DEPTH), partial(find_slices, rows, least_rows=least)
    taken, whole, search = seconds(counting, 5), seconds(searching, 3), searching()
    mine, draws = middle(taken), 0 if search.chance is None else len(search.chance.greatest)
    result: dict[str, object] = {
        **machine("scipy"), "evenhand": taken, "with_permutations": whole, "permutations": draws,
        "tested": search.tested, "peak_megabytes": peak_megabytes(searching),
    }  # fmt: skip
    lines = ["| what | CPU seconds | slices | peer / evenhand |", "|---|---|---|---|"]
    lines.append(f"| evenhand | {mine:.2f} | {search.tested:,} of at least {SUPPORT:.0%} of {len(table):,} rows | |")
    lines.append(f"| evenhand, with {draws} permutations | {middle(whole):.2f} | {len(search.slices)} found | |")
    found = other(peers(), table, wrong)
    result["peers"] = found
    counted = {"sliceline": "the 10 worst", "divexplorer": f"{found['divexplorer_slices']:,}"}
    for name, slices in counted.items():
        lines.append(f"| {name} | {found[name]:.1f} | {slices} | {found[name] / mine:,.0f} x |")
    write(
        "slices", result, lines, "Times inner functions, `scan` and `find_slices` of `evenhand.metrics.slices.search`."
    )


def other(python: str, table: pd.DataFrame, wrong: np.ndarray) -> dict[str, float]:
    """Run the peers in their own environment, on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        table.to_csv(place / "rows.csv", index=False)
        pd.DataFrame({"wrong": wrong.astype(int)}).to_csv(place / "wrong.csv", index=False)
        command = [python, "-c", PEER, str(place / "rows.csv"), str(place / "wrong.csv")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def errors() -> tuple[pd.DataFrame, np.ndarray]:
    """Return twelve binned features of the census income data, and where a boosted model errs."""
    table = pd.concat(
        [pd.read_csv(path) for path in needed("adult", "adult_train.csv.gz", "adult_test.csv.gz")], ignore_index=True
    )
    label = (table.pop("income").astype(str).str.contains(">50K")).to_numpy().astype(int)
    table = table.drop(columns=[name for name in ("fnlwgt", "education_num") if name in table])
    for name in table.select_dtypes("number").columns:
        table[name] = pd.qcut(table[name], 5, duplicates="drop").astype(str)
    table = table.fillna("missing").astype(str)
    features = table.apply(lambda column: column.astype("category").cat.codes)
    model = HistGradientBoostingClassifier(random_state=0).fit(features, label)
    return table, model.predict(features) != label


if __name__ == "__main__":
    main()
