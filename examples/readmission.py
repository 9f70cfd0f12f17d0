"""Readmission within 30 days of diabetic patients: boosted trees, judged by calibration, net benefit and coverage.

Encounters of a patient are alike, so patients are split and counted as clusters; what ignoring them would have claimed
is said beside. The encounters (UCI 296, CC BY 4.0) are not packaged: `diabetes_130us/diabetic_data.parquet` is looked
for in the folder that EVENHAND_DATA names, or in `shared/data` beside the checkout.

Run it with: python examples/readmission.py [folder]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import evenhand as eh
from evenhand.training import TrainingConfig, fit_boosting

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding

DATA = Path(os.environ.get("EVENHAND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SOURCE = DATA / "diabetes_130us" / "diabetic_data.parquet"
POLICY = """
# A call after discharge costs a ninth of what a prevented return saves: t = 0.1.
[limits]
roc_auc = { at_least = 0.64, note = "Published models of these data reach 0.64 to 0.68." }
net_benefit_gain = { at_least = 0.0, note = "The model must beat calling everybody and calling nobody." }
"net_benefit_gain[;threshold=0.15]" = { at_least = 0.0, note = "The same where a call costs more." }
"net_benefit_gain[age=*]" = { at_least = -0.01, note = "No age may be served worse than without a model." }
"net_benefit_difference[gender]" = { at_most = 0.02, note = "Women and men are to have alike of it." }
"recall_difference[gender]" = { at_most = 0.05, note = "Returns of women and men are to be seen alike." }
"set_coverage[gender=*;sets=marginal]" = { at_least = 0.88, note = "Sets that promise 90 % keep it for both." }
"calibration_ratio[race=*]" = { at_least = 0.8, advisory = true, note = "A risk is to mean the same for all." }
"""
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3)
FEATURES = ["age", "gender", "payer_code", "race"]
GONE = ("11", "13", "14", "19", "20", "21")
"""Discharges into death or a hospice: nobody of them can be readmitted."""
NUMBERS = (
    "time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications", "number_outpatient",
    "number_emergency", "number_inpatient", "number_diagnoses",
)  # fmt: skip
WORDS = (
    "admission_type_id", "discharge_disposition_id", "admission_source_id", "medical_specialty", "max_glu_serum",
    "A1Cresult", "metformin", "glipizide", "glyburide", "pioglitazone", "rosiglitazone", "insulin", "change",
    "diabetesMed",
)  # fmt: skip
CHAPTERS = (
    (139, "infection"), (239, "neoplasm"), (249, "endocrine"), (250, "diabetes"), (279, "endocrine"), (289, "blood"),
    (319, "mental"), (389, "nervous"), (459, "circulatory"), (519, "respiratory"), (579, "digestive"),
    (629, "genitourinary"), (679, "pregnancy"), (709, "skin"), (739, "musculoskeletal"), (759, "congenital"),
    (779, "perinatal"), (799, "symptoms"), (999, "injury"),
)  # fmt: skip
"""Chapters of ICD-9 by their last code, diabetes by itself."""
PAYERS = 1000
"""Payers of fewer encounters are taken together."""


def chapter(code: str) -> str:
    """Return the chapter of a diagnosis."""
    if code == "?" or not code[0].isdigit():
        return "missing" if code == "?" else "supplementary"
    return next(name for last, name in CHAPTERS if int(float(code)) <= last)


def encounters(source: Path) -> pd.DataFrame:
    """Return the encounters that could be followed by a readmission, as a model and an audit read them."""
    raw = pd.read_parquet(source).astype(str)
    raw = raw[~raw["discharge_disposition_id"].isin(GONE) & (raw["gender"] != "Unknown/Invalid")]
    table = raw[list(NUMBERS)].astype(float)
    for column in WORDS:  # "None" is a result that was not measured, "?" one that is missing: both are levels
        table[column] = raw[column].replace("?", "missing")
    for column in ("diag_1", "diag_2", "diag_3"):
        table[column] = raw[column].map(chapter)
    young = raw["age"].isin(["[0-10)", "[10-20)", "[20-30)"])
    table["age"] = raw["age"].where(~young, "under 30").str.strip("[)")
    table["years"] = raw["age"].str.extract(r"(\d+)")[0].astype(float) + 5
    table["race"] = raw["race"].replace("?", "not recorded")
    payers = raw["payer_code"].replace("?", "not recorded")
    table["payer_code"] = payers.where(payers.map(payers.value_counts()) >= PAYERS, "other")
    table["gender"], table["patient_nbr"] = raw["gender"], raw["patient_nbr"]
    table["readmitted"] = np.where(raw["readmitted"] == "<30", "within 30 days", "not")
    return table.reset_index(drop=True)


def judged(table: pd.DataFrame, folder: Path) -> None:
    """Fit, audit and judge; print what was found, and what would have been claimed without the clusters."""
    rows = eh.read_evaluation_set(
        table, label="readmitted", pos_label="within 30 days", sensitive_features=FEATURES, cluster="patient_nbr"
    )
    parts = eh.split(rows, {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=0)
    model = fit_boosting(parts["train"], parts["validation"], TrainingConfig(seed=0), name="readmission")
    test = parts["test"]
    options = {"threshold": 0.1, "decision_thresholds": THRESHOLDS, "intersections": 1, "explain": False}
    record = eh.audit(model, test, uncertainty=True, **options)
    written(record, folder)
    people, most = test.table["patient_nbr"].nunique(), test.table["patient_nbr"].value_counts().iloc[0]
    print(f"{len(test):,} encounters of {people:,} patients, up to {most} of one; {test.y_true.mean():.1%} came back.")
    said(record)
    alone = eh.read_evaluation_set(
        test.table.drop(columns="patient_nbr"), label="readmitted", pos_label="within 30 days",
        sensitive_features=FEATURES,
    )  # fmt: skip
    audits = ["performance", "calibration", "decision_curve", "fairness"]
    compared(record, eh.audit(model, alone, audits=audits, **options))


def written(record: AuditRecord, folder: Path) -> None:
    """Write the record, the policy and the page, and print the verdict's first line."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    print(str(verdict).partition(" First:")[0])


def said(record: AuditRecord) -> None:
    """Print discrimination, calibration, net benefit and coverage."""
    for name in ("roc_auc", "calibration_error", "set_coverage[;sets=marginal]"):
        print(f"  {record[name]}")
    print("Net benefit: of the model, of calling everybody, and the gain over the better of that and nobody")
    for at in THRESHOLDS:
        metrics = ("net_benefit", "net_benefit_of_all", "net_benefit_gain")
        model, everybody, gain = (record[f"{metric}[;threshold={at:g}]"] for metric in metrics)
        low, high = gain.interval.low, gain.interval.high
        values = f"{model.estimate:7.4f} {everybody.estimate:8.4f} {gain.estimate:8.4f}"
        print(f"  t = {at:<4g} {values} [{low:.4f}, {high:.4f}]")
    groups = [f for f in record.findings if f.key.metric == "net_benefit_gain" and f.key.group and not f.key.qualifiers]
    better = sum(finding.interval.low > 0 for finding in groups)
    least = min(groups, key=lambda finding: finding.estimate)
    print(f"At t = 0.1 a gain is shown in {better} of {len(groups)} groups, a loss in "
        f"{sum(finding.interval.high < 0 for finding in groups)}.")  # fmt: skip
    print(f"  least:  {least}")
    print(f"  beside: {record[str(least.key.renamed('roc_auc'))]}")


def compared(clustered: AuditRecord, alone: AuditRecord) -> None:
    """Print how much narrower intervals are without the clusters, and what they then claim."""
    pairs = [
        (finding, other) for finding in clustered.findings
        if (other := alone.get(str(finding.key))) is not None and finding.interval and other.interval
    ]  # fmt: skip
    widths = [
        width(finding) / width(other) for finding, other in pairs
        if finding.key.metric in ("recall", "net_benefit", "roc_auc") and width(other) > 0
    ]  # fmt: skip
    print(f"Intervals with patients as clusters are {np.median(widths):.2f} times as wide in the median of "
        f"{len(widths)} rates, and up to {max(widths):.1f} times.")  # fmt: skip
    gone = [
        str(finding.key)
        for finding, other in pairs
        if finding.key.metric.endswith("_difference")
        and not finding.key.qualifiers
        and other.interval.low > 0
        and not finding.interval.low > 0
    ]
    told = [name for name in gone if name.partition("_difference")[0] in ("accuracy", "precision", "recall")]
    print(
        f"Without them {len(gone)} further differences between groups would be claimed, among them {', '.join(told)}."
    )


def width(finding: Finding) -> float:
    """Return the width of an interval."""
    return finding.interval.high - finding.interval.low


def main(folder: Path) -> None:
    """Write the record, the policy and the page, and print what was decided."""
    if not SOURCE.exists():
        print("Left out: readmission, which wants diabetes_130us/diabetic_data.parquet (set EVENHAND_DATA).")
        return
    judged(encounters(SOURCE), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
