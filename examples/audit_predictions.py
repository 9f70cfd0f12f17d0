"""Audit predictions that are already there: no model, only the truth, decisions, scores and groups.

Run it with: python examples/audit_predictions.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import evenhand as eh


def main(folder: Path) -> None:
    """Audit the lenders' own decisions of 1990 as predictions of who would keep up payments."""
    folder.mkdir(parents=True, exist_ok=True)
    data = eh.load_loanapp()
    # A score of one's own: an applicant whose credit history meets the guidelines, with a low debt ratio, is safe.
    table = data.table
    meets = table["gdlin"].eq(1)
    score = 1 / (1 + np.exp(-(2.5 * meets - 0.06 * (table["obrat"] - 33) - 0.4)))

    record = eh.audit_predictions(
        y_true=data.y_true,
        y_score=score,
        sensitive_features=table[["race", "sex"]],  # pandas, Polars, or a mapping of arrays
        favourable=1,
        name="a simple score",
    )
    for key in ("accuracy", "roc_auc", "recall[race=black]", "equalized_odds_difference[race]"):
        found = record[key]
        interval = found.interval
        ends = f" [{interval.low:.2f}, {interval.high:.2f}]" if interval else ""
        print(f"{key:34} {found.estimate:.2f}{ends}  n={found.support}")

    print("\nThe same in fairlearn's world:")
    print(record.to_metric_frame("race").by_group[["selection_rate", "recall"]].round(3))

    tidy = record.to_frame()
    tidy.to_csv(folder / "findings.csv", index=False)
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.md", record)
    print(f"\n{len(tidy)} findings in {folder / 'findings.csv'}, {folder / 'audit.json'} and {folder / 'report.md'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
