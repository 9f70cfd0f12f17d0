"""Boosted trees from fit to gate: train, save, open, audit, explain, judge, and compare with a network.

Run it with: python examples/boosted_trees.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

import evenhand as eh
from evenhand.training import TrainingConfig, fit, fit_boosting

POLICY = """
[limits]
accuracy = { at_least = 0.75 }
"selection_rate_ratio[race]" = { at_least = 0.8 }
"""


def main(folder: Path) -> int:
    """Write model, record and page, and return the exit code of the gate."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = eh.split(eh.load_loanapp(), {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=0)
    fit_boosting(parts["train"], parts["validation"], name="trees").save(folder / "trees.safetensors")

    trees = eh.open_model(folder / "trees.safetensors")  # numbers alone: nothing in the file can run
    record = eh.audit(trees, parts["test"], background=parts["train"])
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    for judgement in verdict.judgements:
        print(f"{judgement.status:9} {judgement.key}")
    means = record.provenance["subject"]["training"]
    print(f"{means['rounds']} rounds of boosting; verdict: {verdict.status}")
    eh.write_report(folder / "report.html", record, verdict)
    eh.write_record(folder / "audit.json", record)

    network = fit(parts["train"], parts["validation"], TrainingConfig(epochs=20), name="network")
    beside = network.history["baseline"]
    print(f"network less trees: {beside['change']:+.3f} AUC [{beside['low']:+.3f}, {beside['high']:+.3f}]")
    print(f"The page: {folder / 'report.html'}")
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example")))
