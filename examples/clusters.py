"""Customers in clusters: who is put with whom, and how near each group is to the centres that stand for it.

Run it with: python examples/clusters.py [folder]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import evenhand as eh

DATA = Path(os.environ.get("EVENHAND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
LOANS = """
# No group has less than four fifths of its share of the applicants in any segment, or more than five quarters of it.
[limits]
"cluster_representation[race]" = { at_least = 0.8 }
"cluster_representation[sex]" = { at_least = 0.8 }
# In every segment there is one woman for at most ten men: among all applicants there is one for four.
"cluster_balance[sex]" = { at_least = 0.1 }
# The centre of a segment stands for each group about as well: nobody's mean distance is a fifth greater.
"mean_distance_ratio[race]" = { at_least = 0.8 }
"mean_distance_ratio[sex]" = { at_least = 0.8 }
"""
CENSUS = """
# As for the applicants; of two groups that are many, a cluster holds at least one of either for four of the other.
[limits]
"cluster_representation[sex]" = { at_least = 0.8 }
"cluster_balance[sex]" = { at_least = 0.25 }
"mean_distance_ratio[sex]" = { at_least = 0.8 }
"""
COLUMNS = ["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"]


def clustered(numbers: pd.DataFrame, clusters: int) -> pd.DataFrame:
    """Return the cluster of each row by k-means on standardised columns, and its distance to the centre."""
    model = make_pipeline(SimpleImputer(), StandardScaler(), KMeans(clusters, n_init=10, random_state=0)).fit(numbers)
    names = np.array([f"c{at}" for at in range(clusters)])
    return pd.DataFrame({"cluster": names[model.predict(numbers)], "distance": model.transform(numbers).min(axis=1)})


def audited(folder: Path, groups: pd.DataFrame, found: pd.DataFrame, policy: str, name: str) -> None:
    """Audit the clusters, write record, policy and page, and print how even clusters are beside those of chance."""
    folder.mkdir(parents=True, exist_ok=True)
    roles = {"task": "clustering", "sensitive_features": groups, "name": name}
    record = eh.audit_predictions(None, found["cluster"], y_score=found["distance"], **roles)
    (folder / "policy.toml").write_text(policy.lstrip(), encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    drawn = np.random.default_rng(0).permutation(found["cluster"])
    random = eh.audit_predictions(None, drawn, **roles)
    print(f"{name}: {len(found):,} rows in {found['cluster'].nunique()} clusters: {verdict.sentence}")
    for feature in groups:
        for metric in ("cluster_balance", "cluster_representation"):
            key = f"{metric}[{feature}]"
            print(f"  {key} {told(record, key)}; of random clusters of the same sizes {told(random, key)}")
        print(f"  of all rows: {told(record, f'balance_of_rows[{feature}]')}")
        print(f"  mean_distance_ratio[{feature}] {told(record, f'mean_distance_ratio[{feature}]')}")


def told(record: eh.AuditRecord, key: str) -> str:
    """Return a figure with its interval."""
    found = record[key]
    low, high = found.interval.low or 0.0, found.interval.high
    return f"{found.estimate:.2f} [{low:.2f}, {high:.2f}]"


def main(folder: Path) -> None:
    """Cluster applicants for loans, and people of a census where its rows are at hand."""
    loans = eh.load_loanapp()
    audited(folder, loans.table[["race", "sex"]], clustered(loans.X, 4), LOANS, "applicants")
    places = [DATA / "adult" / f"adult_{part}.csv.gz" for part in ("train", "test")]
    if not all(place.exists() for place in places):
        print("Left out: census, which wants adult/adult_train.csv.gz and adult/adult_test.csv.gz (UCI Adult).")
        return
    people = pd.concat([pd.read_csv(place) for place in places], ignore_index=True)
    audited(folder / "census", people[["sex"]], clustered(people[COLUMNS], 10), CENSUS, "census")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
