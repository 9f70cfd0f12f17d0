"""Heart disease, and the progress of diabetes: small clinical tables, each row scored by a model that did not see it.

Calibration, decision curve and prediction sets by sex and age. Heart disease (UCI, CC BY 4.0) is not packaged:
`heart_nhanes/heart_disease.csv.gz` is looked for in the folder that EVENHAND_DATA names, or in `shared/data` beside the
checkout. The progress of diabetes within a year, of 442 patients, is packaged with scikit-learn.

Run it with: python examples/heart.py [folder]
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import evenhand as eh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.findings import AuditRecord

DATA = Path(os.environ.get("EVENHAND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SOURCE = DATA / "heart_nhanes" / "heart_disease.csv.gz"
HEART = """
# Angiography at a risk of one in five: one disease found is worth four that are looked for in vain.
[limits]
roc_auc = { at_least = 0.84, note = "Published for these ten columns: 0.86." }
net_benefit_gain = { at_least = 0.0, note = "The model must beat examining everybody and nobody." }
"net_benefit_gain[Sex=*]" = { at_least = 0.0, note = "For women and for men." }
"calibration_ratio[Sex=F]" = { at_least = 0.8, note = "A risk told to a woman is to be hers." }
"false_negative_rate_difference[Sex]" = { at_most = 0.1, note = "Disease is to be missed alike." }
"set_coverage[Sex=*;sets=marginal]" = { at_least = 0.8, note = "Sets that promise 90 % keep 80 % for each." }
"""
PROGRESS = """
# Closer care at a risk of one in three.
[limits]
roc_auc = { at_least = 0.75, note = "A useful ranking of who gets worse." }
net_benefit_gain = { at_least = 0.0, note = "The model must beat closer care for everybody and for nobody." }
"net_benefit_gain[sex=*]" = { at_least = 0.0, note = "For each sex." }
"false_negative_rate_difference[sex]" = { at_most = 0.15, note = "Who gets worse is to be missed alike." }
"set_coverage[;sets=marginal]" = { at_least = 0.85, note = "Sets that promise 90 % keep at least 85 %." }
"""
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def scores(
    table: pd.DataFrame, label: pd.Series, words: list[str], *, tell_missing: bool = False
) -> NDArray[np.float64]:
    """Return the risk of each row by a logistic regression of the nine tenths that it is not in."""
    numbers = [column for column in table if column not in words]
    filled = make_pipeline(SimpleImputer(add_indicator=tell_missing), StandardScaler())
    columns = make_column_transformer((filled, numbers), (OneHotEncoder(drop="if_binary"), words))
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    return cross_val_predict(model, table, label, cv=folds, method="predict_proba")[:, 1]


def band(age: pd.Series, edges: tuple[int, ...]) -> list[str]:
    """Return the band of each age."""
    names = [f"under {edges[0]}", *(f"{low} to {high - 1}" for low, high in pairwise(edges))]
    return list(pd.cut(age, [0, *edges, 200], right=False, labels=[*names, f"{edges[-1]} or more"]).astype(str))


def heart(folder: Path) -> None:
    """Judge a model of heart disease over all 918 patients."""
    table = pd.read_csv(SOURCE)
    label, rows = table["HeartDisease"], table.drop(columns="HeartDisease")
    unknown = rows.assign(**{name: rows[name].replace(0, np.nan) for name in ("Cholesterol", "RestingBP")})
    words = ["Sex", "RestingECG", "Angina"]
    said = scores(unknown, label, words)
    groups = {"Sex": table["Sex"], "age": band(table["Age"], (45, 55, 65))}
    judged("Heart disease", folder, label, said, groups, 0.2, HEART)
    measured = unknown["Cholesterol"].notna()
    told = scores(unknown, label, words, tell_missing=True)
    print(f"Cholesterol is 0, so not known, of {int((~measured).sum())}: {label[~measured].mean():.0%} of them are "
        f"ill, {label[measured].mean():.0%} of the others. Told that it is missing the model has an ROC AUC of "
        f"{roc_auc_score(label, told):.3f}, not {roc_auc_score(label, said):.3f}.")  # fmt: skip


def progress(folder: Path) -> None:
    """Judge a model of who gets worse than the median within a year, of scikit-learn's 442 patients with diabetes."""
    data = load_diabetes(as_frame=True, scaled=False)
    label = (data.target > data.target.median()).astype(int)
    groups = {"sex": data.data["sex"].map({1.0: "code 1", 2.0: "code 2"}), "age": band(data.data["age"], (40, 60))}
    judged("Diabetes, one year on", folder, label, scores(data.data, label, []), groups, 1 / 3, PROGRESS)


def judged(
    title: str, folder: Path, label: pd.Series, said: NDArray[np.float64], groups: dict[str, object], at: float,
    policy: str,
) -> None:  # fmt: skip
    """Audit and judge; write the record, the policy and the page, and print what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    record = eh.audit_predictions(
        label, y_score=said, threshold=at, sensitive_features=groups, decision_thresholds=THRESHOLDS, uncertainty=True,
        intersections=1, explain=False,
    )  # fmt: skip
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    print(f"{title}: {len(label)} patients, {label.mean():.0%} positive, decided at {at:.2f}")
    for name in ("roc_auc", "calibration_error", "net_benefit", "net_benefit_gain", "set_coverage[;sets=marginal]"):
        print(f"  {record[name]}")
    (feature, *_) = groups
    for name in ("base_rate", "roc_auc", "calibration_ratio", "net_benefit_gain", "false_negative_rate"):
        print(f"  {name} by {feature}: {by_group(record, name, feature)}")
    print(f"  set coverage by {feature}: {by_group(record, 'set_coverage', feature, sets='marginal')}")
    print(f"  {shown(record)}")


def by_group(record: AuditRecord, metric: str, feature: str, **qualifiers: str) -> str:
    """Return a metric of each group with its interval."""
    found = [
        finding for finding in record.findings
        if finding.key.metric == metric and dict(finding.key.qualifiers) == qualifiers
        and [column for column, _ in finding.key.group] == [feature]
    ]  # fmt: skip
    return ", ".join(
        f"{finding.key.group[0][1]} {finding.estimate:.2f} [{finding.interval.low:.2f}, {finding.interval.high:.2f}]"
        for finding in found
    )


def shown(record: AuditRecord) -> str:
    """Return at which thresholds the model is shown to be worth more than both rules without one."""
    gains = [(at, record[f"net_benefit_gain[;threshold={at:g}]"]) for at in THRESHOLDS]
    better = [f"{at:g}" for at, gain in gains if gain.interval.low > 0]
    return f"of the thresholds, a gain is shown at {', '.join(better) or 'none'}"


def main(folder: Path) -> None:
    """Write records, policies and pages, and print what was decided."""
    if SOURCE.exists():
        heart(folder)
    else:
        print("Left out: heart disease, which wants heart_nhanes/heart_disease.csv.gz (set EVENHAND_DATA).")
    progress(folder / "progress")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
