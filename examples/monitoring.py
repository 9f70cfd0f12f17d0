"""Watch a released model month by month: real fraud claims where they are at hand, else mortgage decisions.

The claims (vehicle insurance, 1994 to 1996) are beside a developer's checkout: the model is fitted and audited on the
claims of 1994, and sees those of later months. The mortgage decisions come with the package; there the second half of
the batches is a stated shift: of the women every second one is refused.

Run it with: python examples/monitoring.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import evenhand as eh
from evenhand.monitoring import Monitor, count_batch, make_baseline, read_state, write_baseline, write_state
from evenhand.monitoring.baseline_files import hashed
from evenhand.monitoring.batches import id_of
from evenhand.timelines import said_of, write_timeline

CLAIMS = Path(__file__).parents[2] / "shared" / "data" / "insurance_fraud" / "vehicle_insurance_fraud.csv.gz"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def claims() -> tuple[pd.DataFrame, list[tuple[str, pd.DataFrame]], str, str]:
    """Return the claims of 1994, those of each later month, the label, and the sensitive feature."""
    table = pd.read_csv(CLAIMS).drop(columns=["PolicyNumber", "RepNumber"])
    later = [
        (f"{year}-{at + 1:02d}", table[(table["Year"] == year) & (table["Month"] == month)])
        for year in (1995, 1996) for at, month in enumerate(MONTHS)
    ]  # fmt: skip
    return table[table["Year"] == 1994], [(name, rows) for name, rows in later if len(rows)], "FraudFound_P", "Sex"


def mortgages() -> tuple[pd.DataFrame, list[tuple[str, pd.DataFrame]], str, str]:
    """Return half of the mortgage decisions, twenty batches drawn from the other half, the label, and the feature."""
    table = eh.load_loanapp().table.drop(columns=["race", "married"])
    table = table.fillna(table.median(numeric_only=True))
    random = np.random.default_rng(0)
    half = random.permutation(len(table))
    rest = table.iloc[half[1000:]]
    return (
        table.iloc[half[:1000]],
        [(f"week {at}", rest.sample(300, replace=True, random_state=at)) for at in range(20)],
        "approve",
        "sex",
    )


def fitted(table: pd.DataFrame, label: str, sensitive: str):
    """Return a logistic regression of all columns but the label and the sensitive feature."""
    inputs = table.drop(columns=[label, sensitive, "Year"], errors="ignore")
    texts = [name for name in inputs if not pd.api.types.is_numeric_dtype(inputs[name])]
    numbers = [name for name in inputs if name not in texts]
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), texts), (StandardScaler(), numbers))
    return make_pipeline(columns, LogisticRegression(C=0.1, max_iter=500, class_weight="balanced")).fit(
        inputs, table[label]
    )


def main(folder: Path) -> None:
    """Fit, audit, and watch."""
    real = CLAIMS.exists()
    first, months, label, sensitive = claims() if real else mortgages()
    drawn = np.random.default_rng(1).random(len(first)) < 0.5
    model = fitted(first[drawn], label, sensitive)
    audited = scored(model, first[~drawn])
    data = eh.read_evaluation_set(
        audited.drop(columns=["Year", "Month", "MonthClaimed"], errors="ignore"),
        label=label,
        sensitive_features=[sensitive],
        score="score",
    )
    record = eh.audit_predictions(
        audited[label], y_score=audited["score"], sensitive_features={sensitive: audited[sensitive]}
    )
    baseline = hashed(make_baseline(data, record))
    write_baseline(folder / "baseline.json", baseline)
    limits = {"accuracy": {"at_least": 0.5}, f"selection_rate_difference[{sensitive}]": {"at_most": 0.15}}
    monitor = Monitor(baseline, eh.load_policy({"limits": limits}))
    state = monitor.begin()
    for at, (name, rows) in enumerate(months):
        live = scored(model, rows)
        if not real and at >= len(months) // 2:
            refused = (live[sensitive] == "female") & (np.arange(len(live)) % 2 == 0)
            live.loc[refused, "score"] = live.loc[refused, "score"].clip(upper=0.4)
        before = len(state.alarms)
        state = monitor.take(state, count_batch(live, baseline, name, id_of(live)))
        write_state(folder / "state.json", state)
        state = read_state(folder / "state.json")
        for alarm in state.alarms[before:]:
            print(f"{name}: {alarm.key} {alarm.estimate} {'' if alarm.note is None else said_of(alarm.note)}")
    timeline = monitor.timeline(state)
    write_timeline(folder / "monitor.json", timeline)
    print(
        f"{timeline.verdict} after {len(months)} batches and {sum(moment.rows for moment in timeline.moments):,} rows"
    )


def scored(model, table: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the scores of a model."""
    return table.assign(score=model.predict_proba(table)[:, 1]).reset_index(drop=True)


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("monitoring")
    place.mkdir(exist_ok=True)
    main(place)
