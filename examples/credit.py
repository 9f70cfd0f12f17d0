"""A credit model from fit to gate: a network, trained, halved, rounded to int8, audited beside its original, judged.

Run it with: python examples/credit.py [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

import evenhand as eh
from evenhand.compression import Int8, NeuronPruning, compress
from evenhand.training import TrainingConfig, fit

POLICY = """
[limits]
accuracy = { at_least = 0.75 }
"selection_rate_ratio[race]" = { at_least = 0.8 }
"accuracy_change[;of=original]" = { at_least = -0.05 }
"flip_rate[race=*;of=original]" = { at_most = 0.25 }
"""


def main(folder: Path) -> None:
    """Write both models, the record, the policy and the page, and print what was decided."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = eh.split(eh.load_loanapp(), {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=0)
    full = fit(parts["train"], parts["validation"], TrainingConfig(seed=0), name="credit")
    full.save(folder / "credit.safetensors")
    small = compress(full, [NeuronPruning(0.5), Int8()], train=parts["train"], seed=0)
    small.save(folder / "credit.onnx")

    record = eh.audit(small, parts["test"], original=full, background=parts["train"])
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    print(record["size_ratio[;of=original]"].note)
    print(verdict)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
