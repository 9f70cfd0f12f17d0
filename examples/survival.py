"""Survival models audited with censoring: deaths, a return to prison, and a transplant, by sex, race and age.

Run it with: python examples/survival.py [folder]

Needs scikit-survival. Death after a blood test (flchain) is in that package; recidivism (rossi) and kidney transplants
are files of the package lifelines, read without importing it; mortality (NHANES I) is read where it is at hand.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import evenhand as eh
from evenhand.audits import audit_given
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord

DATA = Path(os.environ.get("EVENHAND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
NHANES = DATA / "heart_nhanes" / "nhanes1_subset.csv.gz"
FOLDS = KFold(10, shuffle=True, random_state=0)

FLCHAIN = """
[limits]
# a score of age alone is at 0.75 or more
concordance = { at_least = 0.75 }
"concordance_difference[sex]" = { at_most = 0.05 }
# a quarter more or fewer deaths than predicted, in any group, would misinform those who plan by the risks
"expected_to_observed_group_min[sex]" = { at_least = 0.8 }
"expected_to_observed_group_max[sex]" = { at_most = 1.25 }
"expected_to_observed_group_min[age]" = { at_least = 0.8 }
"expected_to_observed_group_max[age]" = { at_most = 1.25 }
# who dies within ten years is to be found as often among women as among men
"recall_difference[sex]" = { at_most = 0.1 }
"""
ROSSI = """
[limits]
# worse than a coin is of no use
concordance = { at_least = 0.5 }
"expected_to_observed_ratio[race]" = { at_least = 0.8 }
# the four-fifths rule, for not being counted as a risk
"favourable_rate_ratio[race]" = { at_least = 0.8 }
"""
KIDNEY = """
[limits]
concordance = { at_least = 0.6 }
"concordance_difference[race]" = { at_most = 0.1 }
"expected_to_observed_group_min[race]" = { at_least = 0.8 }
"expected_to_observed_group_max[race]" = { at_most = 1.25 }
"unresolved_share_difference[race]" = { at_most = 0.1 }
"""
MORTALITY = """
[limits]
# published models of these columns reach 0.83
concordance = { at_least = 0.8 }
"expected_to_observed_group_min[race]" = { at_least = 0.8 }
"expected_to_observed_group_max[race]" = { at_most = 1.25 }
"expected_to_observed_group_min[sex]" = { at_least = 0.8 }
"expected_to_observed_group_max[sex]" = { at_most = 1.25 }
"recall_difference[sex]" = { at_most = 0.1 }
"""


def outcome(table: pd.DataFrame, event: str, time: str) -> np.ndarray:
    """Return the outcome as scikit-survival takes it."""
    from sksurv.util import Surv

    return Surv.from_dataframe(event, time, table)


def out_of_fold(table: pd.DataFrame, columns: list[str], event: str, time: str, horizon: float) -> np.ndarray:
    """Return risks by the horizon of rows that a Cox model was not fitted on, ten folds in turn."""
    risks = np.empty(len(table))
    for fitted, asked in FOLDS.split(table):
        model = cox().fit(table[columns].iloc[fitted], outcome(table.iloc[fitted], event, time))
        risks[asked] = as_subject(model, horizon=horizon).predict(table[columns].iloc[asked])
    return risks


def cox():
    """Return a Cox model of standardized columns, missing values at their median."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), CoxPHSurvivalAnalysis(alpha=0.01))


def write(folder: Path, title: str, record: AuditRecord, policy: str, said: list[str]) -> None:
    """Write record, policy and page, and print the key figures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(policy.lstrip(), encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    print(f"{title}: {verdict.status}")
    for line in said:
        print(f"  {line}")
    for metric, words in (("concordance", "concordance"), ("harrell_concordance", "Harrell's"),
                          ("roc_auc", "AUC at the horizon"), ("brier_score", "Brier score")):  # fmt: skip
        print(f"  {words} {spoken(record, metric)}")
    for finding in record.findings:
        if finding.key.metric == "expected_to_observed" and len(finding.key.features) == 1:
            group = finding.name.removeprefix("expected_to_observed")
            risk, ratio = record[f"observed_risk{group}"].estimate or 0.0, spoken(record, finding.name)
            print(f"  {group[1:-1]}: {100 * risk:.0f} % by the horizon, predicted per observed {ratio}")


def spoken(record: AuditRecord, key: str) -> str:
    """Return a value with its interval."""
    found = record[key]
    if found.estimate is None:
        return f"undefined: {found.undefined}"
    ends = found.interval
    return f"{found.estimate:.2f}" if ends is None else f"{found.estimate:.2f} ({ends.low:.2f} to {ends.high:.2f})"


def counted(data: EvaluationSet) -> str:
    """Return how many rows there are, and what is known of them."""
    told = data.provenance["follow_up"]
    return (
        f"{told['rows']:,} people, {told['events']:,} events by {told['horizon']:g}, {told['censored_before']:,} "
        "censored before"
    )


def blood_test(folder: Path) -> None:
    """Audit boosted Cox regressions of death within ten years of a blood test: no model input tells the sex."""
    from sksurv.datasets import load_flchain
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    table, ended = load_flchain()
    table = table.assign(days=ended["futime"], died=ended["death"].astype(int), mgus=(table["mgus"] == "yes") * 1)
    roles = {
        "time": "days", "event": "died", "horizon": 3650.0, "sensitive_features": ["sex", "age"],
        "bins": {"age": [60, 70, 80]}, "exclude": ["chapter", "sample.yr", "flc.grp"],
    }  # fmt: skip
    parts = eh.split(eh.read_evaluation_set(table, name="flchain", **roles), {"train": 0.5, "test": 0.5}, seed=0)
    train = parts["train"].follow_up.everyone.table
    columns = ["age", "creatinine", "kappa", "lambda", "mgus"]
    boosted = GradientBoostingSurvivalAnalysis(
        n_estimators=80, learning_rate=0.2, max_depth=2, subsample=0.5, random_state=0
    )
    model = make_pipeline(SimpleImputer(strategy="median"), boosted)
    model.fit(train[columns], outcome(train, "died", "days"))
    subject = as_subject(model, name="boosted Cox regressions", threshold=0.3, features=columns)
    record = eh.audit(subject, parts["test"], explain=False, footprint=False)
    write(folder, "Death within ten years of a blood test", record, FLCHAIN, [counted(parts["test"])])


def of_lifelines(name: str) -> pd.DataFrame | None:
    """Return a table of the package lifelines, which is not imported; None where it is not installed."""
    there = find_spec("lifelines")
    place = None if there is None or there.origin is None else Path(there.origin).parent / "datasets" / name
    return None if place is None or not place.exists() else pd.read_csv(place)


def recidivism(folder: Path) -> None:
    """Audit Cox's regression of a new arrest within a year, by race, which it reads as the published one."""
    table = of_lifelines("rossi.csv")
    if table is None:
        print("Left out: recidivism wants rossi.csv of the package lifelines.")
        return
    columns = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    whole = cox().fit(table[columns], outcome(table, "arrest", "week"))
    risks = out_of_fold(table, columns, "arrest", "week", 52.0)
    shown = table.assign(race=table["race"].map({1: "black", 0: "other"}))
    data = eh.read_evaluation_set(
        shown, name="rossi", time="week", event="arrest", horizon=52.0, sensitive_features="race", favourable=0
    )
    record = audit_given(data, y_score=risks, threshold=0.3)
    fitted = whole.score(table[columns], outcome(table, "arrest", "week"))
    said = [counted(data), f"concordance on the rows that it was fitted on {fitted:.2f}, below on others"]
    write(folder, "A new arrest within a year", record, ROSSI, said)


def kidney(folder: Path) -> None:
    """Audit Cox's regression of death within five years of a transplant, by race and sex."""
    table = of_lifelines("kidney_transplant.csv")
    if table is None:
        print("Left out: kidney wants kidney_transplant.csv of the package lifelines.")
        return
    black = table["black_male"] + table["black_female"]
    male = table["black_male"] + table["white_male"]
    shown = table[["time", "death", "age"]].assign(race=np.where(black, "black", "white"), sex=np.where(male, "m", "f"))
    data = eh.read_evaluation_set(
        shown, name="kidney transplants", time="time", event="death", horizon=1825.0, sensitive_features=["race", "sex"]
    )
    risks = out_of_fold(table, ["age", "black_male", "white_male", "black_female"], "death", "time", 1825.0)
    record = audit_given(data, y_score=risks, threshold=0.2)
    write(folder, "Death within five years of a kidney transplant", record, KIDNEY, [counted(data)])


def mortality(folder: Path) -> None:
    """Audit Cox's regression of death within fifteen years of an examination (NHANES I), by sex and race."""
    if not NHANES.exists():
        print("Left out: mortality wants nhanes1_subset.csv.gz of NHANES I, from the repository of shap.")
        return
    table = pd.read_csv(NHANES)
    years = table.pop("survival_years")
    table = table.assign(years=years.abs(), died=(years > 0) * 1)
    columns = [column for column in table if column not in ("years", "died", "Race")]
    shown = table.assign(
        race=table["Race"].map({1: "white", 2: "black", 3: "other"}), sex=table["Sex"].map({1: "m", 2: "f"})
    )
    data = eh.read_evaluation_set(
        shown, name="NHANES I", time="years", event="died", horizon=15.0, sensitive_features=["race", "sex"],
        exclude="Race",
    )  # fmt: skip
    parts = eh.split(data, {"train": 0.5, "test": 0.5}, seed=0)
    train = parts["train"].follow_up.everyone.table
    model = cox().fit(train[columns], outcome(train, "died", "years"))
    subject = as_subject(model, name="Cox's regression", threshold=0.3, features=columns)
    record = eh.audit(subject, parts["test"], explain=False, footprint=False)
    write(folder, "Death within fifteen years of an examination", record, MORTALITY, [counted(parts["test"])])


def main(folder: Path) -> None:
    """Write a record, a policy and a page of each part, and print the key figures."""
    if find_spec("sksurv") is None:
        print("Left out: all of it wants the package scikit-survival, which fits the models.")
        return
    blood_test(folder)
    recidivism(folder / "recidivism")
    kidney(folder / "kidney")
    mortality(folder / "mortality")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
