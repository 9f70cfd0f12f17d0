"""How often candidates that mend nothing are recommended: random thresholds near the own one, and other seeds.

The groups' scores are uniform and stand a fixed gap apart, so that every threshold near the own one, and every score
with some noise of its own, has the same true gap: no candidate is better in truth. The limit is near that gap, where
the deployed model and its like pass, fail or stay undecided by chance.

Writes benchmarks/results/mitigation_null.json. Run it with: python benchmarks/mitigation_null.py
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

import evenhand as eh
from evenhand.mitigation import Candidate, mitigated
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.subjects import Subject

RUNS: Final = 200
GAPS: Final = (0.03, 0.06, 0.1)
LIMIT: Final = 0.1
ROWS: Final = 3_000
THRESHOLDS: Final = 8
SEEDS: Final = 4
OUT: Final = Path(__file__).parent / "results" / "mitigation_null.json"


def population(gap: float, seed: int) -> EvaluationSet:
    """Return rows of two groups whose scores are a gap apart, with noise for each model of another seed."""
    rng = np.random.default_rng([seed, 17])
    group = rng.random(ROWS) < 0.4
    score = 0.1 + 0.7 * rng.random(ROWS) + 0.7 * gap * group
    table = {"score_in": score, "group": np.where(group, "a", "b"), "y": (rng.random(ROWS) < score).astype(int)}
    noise = {f"noise{at}": rng.normal(0, 0.03, ROWS) for at in range(SEEDS)}
    return eh.read_evaluation_set(pd.DataFrame({**table, **noise}), label="y", sensitive_features="group")


def _threshold(threshold: float, rows: EvaluationSet, seed: int) -> Subject:
    return as_subject(lambda X: X["score_in"].to_numpy(), threshold=threshold, name="null")


def _other_seed(at: int, rows: EvaluationSet, seed: int) -> Subject:
    return as_subject(lambda X: np.clip(X["score_in"] + X[f"noise{at}"], 0, 1).to_numpy(), name="null")


def candidates(seed: int) -> list[Candidate]:
    """Return candidates that are no better than the deployed model."""
    near = np.random.default_rng([seed, 18]).uniform(0.44, 0.56, THRESHOLDS)
    found = [Candidate(f"threshold {at}", "null", partial(_threshold, float(t))) for at, t in enumerate(near)]
    return found + [Candidate(f"seed {at}", "null", partial(_other_seed, at)) for at in range(SEEDS)]


def recommended(gap: float, seed: int) -> bool:
    """Return whether one run recommends any of them."""
    model = as_subject(lambda X: X["score_in"].to_numpy(), name="deployed")
    policy = {"limits": {"demographic_parity_difference[group]": {"at_most": LIMIT}}}
    made = mitigated(
        model, population(gap, seed), policy, candidates=candidates(seed), audits=["compression"], seed=seed,
        intersections=1, footprint=False,
    )  # fmt: skip
    return made.recommended


def main() -> None:
    """Run all seeds of all gaps, and write how often a candidate was recommended."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    figures = {}
    for gap in GAPS:
        found = [recommended(gap, seed) for seed in range(runs)]
        figures[f"{gap:g}"] = {"runs": runs, "recommended": int(sum(found))}
        print(gap, figures[f"{gap:g}"], flush=True)
        told = {"limit": LIMIT, "rows": ROWS, "candidates": THRESHOLDS + SEEDS, "by_true_gap": figures}
        OUT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
