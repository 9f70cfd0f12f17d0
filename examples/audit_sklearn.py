"""Audit a scikit-learn pipeline: fit it on real mortgage decisions, audit, judge, and write the page.

Run it with: python examples/audit_sklearn.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import jaccard_score

import evenhand as eh
from evenhand.policy import lines


def main(folder: Path) -> int:
    """Return the exit code that a gate would have."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = eh.split(eh.load_loanapp(), {"train": 0.7, "test": 0.3}, seed=1)
    model = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    model.fit(parts["train"].X, parts["train"].y_true)

    # Any function of scikit-learn's shape can be added; it is disaggregated through fairlearn's MetricFrame.
    record = eh.audit(model, parts["test"], background=parts["train"], metrics={"jaccard_score": jaccard_score})
    limits = {
        "balanced_accuracy": {"at_least": 0.6},
        "selection_rate_ratio[race]": {"at_least": 0.8},
        "recall[race=*]": {"at_least": 0.5},
    }
    verdict = eh.judge(record, limits)
    print(*lines(verdict), sep="\n")

    gap = record["selection_rate_difference[race]"]
    least, greatest = gap.groups[0], gap.groups[-1]
    print(f"\n{greatest.group}: {greatest.estimate:.0%} approved; {least.group}: {least.estimate:.0%} (n={least.rows})")
    eh.write_report(folder / "report.html", record, verdict)
    print(f"The page: {folder / 'report.html'}; a gate would exit {verdict.exit_code}")
    return verdict.exit_code


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
