"""What scores of a network on Adult are worth, by group: calibration beside chance, coverage, refusals; and the cost.

A network (256-128, Adam, 20 epochs, as in the table of attacks) is fitted on 10,000 of the 45,222 rows without missing
values and audited on the others. Beside its findings: errors of a calibrated model by size, coverage of sets in a
thousand draws, also of groups that overlap, the main figures of networks with other seeds, and the CPU seconds of the
audit. Writes benchmarks/results/uncertainty.json.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from measuring import RESULTS, machine, middle, needed, seconds, took
from sklearn.neural_network import MLPClassifier

import evenhand as eh
from evenhand.evidence import Evidence
from evenhand.probing.uncertainty.calibration import calibration_excess
from evenhand.probing.uncertainty.conformal import group_thresholds, overlapping_thresholds, threshold
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Callable

FITTED, EPOCHS, DRAWS, NETWORKS = 10_000, 20, 1_000, 5
SIZES = (50, 100, 200, 500, 2_000, 10_000)
SENSITIVE = ["sex", "race"]


def rows() -> pd.DataFrame:
    """Return the rows of Adult without missing values, in a drawn order."""
    parts = [pd.read_csv(path) for path in needed("adult", "adult_train.csv.gz", "adult_test.csv.gz")]
    table = pd.concat(parts, ignore_index=True).apply(lambda c: c.str.strip() if c.dtype == object else c)
    table = table[~(table == "?").any(axis=1)].drop(columns=["fnlwgt"])
    return table.sample(frac=1, random_state=0).reset_index(drop=True)


def network(table: pd.DataFrame, seed: int = 0) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return the network fitted on the first rows; it reads columns of words as 0 and 1."""
    inputs = [name for name in table.columns if name != "income"]
    numbers = [name for name in inputs if pd.api.types.is_numeric_dtype(table[name])]
    words = pd.get_dummies(table[inputs].drop(columns=numbers))
    mean, spread = table[numbers][:FITTED].mean(), table[numbers][:FITTED].std()

    def coded(part: pd.DataFrame) -> np.ndarray:
        dummies = pd.get_dummies(part.drop(columns=numbers)).reindex(columns=words.columns, fill_value=0)
        return np.hstack([(part[numbers] - mean) / spread, dummies]).astype(np.float32)

    fit = MLPClassifier((256, 128), max_iter=EPOCHS, batch_size=256, random_state=seed)
    fit.fit(coded(table[inputs][:FITTED]), table["income"][:FITTED] == ">50K")
    return lambda part: fit.predict_proba(coded(part[inputs]))[:, 1].astype(np.float64)


def by_chance() -> dict[str, dict[str, float]]:
    """Return, by size, the mean error of a calibrated model and how often it is called miscalibrated."""
    found = {}
    for size in SIZES:
        rng, times = np.random.default_rng(size), max(100, 400_000 // size // 4)
        each = []
        for seed in range(min(times, 1_000)):
            score = rng.beta(0.6, 0.9, size=size)
            one = calibration_excess(rng.uniform(size=size) < score, score, seed=seed, draws=300)
            each.append((one.error[0], one.low[0] > 0, one.p_value[0] <= 0.05))
        error, above, surprising = np.mean(each, axis=0)
        found[str(size)] = {"error": error, "interval above 0": above, "p <= 0.05": surprising, "times": len(each)}
    return found


def promised() -> dict[str, dict[str, float]]:
    """Return the coverage of each kind of threshold in two features and their crossing, over a thousand draws."""
    rng, fit, new = np.random.default_rng(1), 200, 50
    hits: dict[str, dict[str, list[float]]] = {}
    for _ in range(DRAWS):
        sex, race = (1 * (rng.uniform(size=fit + new) < share) for share in (0.5, 0.2))
        score = rng.exponential(1 + sex + 3 * sex * race)
        codes = [sex, race, 2 * sex + race]
        mine, theirs = [c[:fit] for c in codes], [c[fit:] for c in codes]
        limits = {
            "marginal": np.full(new, threshold(score[:fit])),
            "by sex": group_thresholds(score[:fit], mine[0], 2)[theirs[0]],
            "overlapping": overlapping_thresholds(score[:fit], mine, theirs),
        }
        groups = {
            "all": np.ones(new, bool),
            "sex=1": theirs[0] == 1,
            "race=1": theirs[1] == 1,
            "both=1": theirs[2] == 3,
        }
        for kind, limit in limits.items():
            for name, who in groups.items():
                hits.setdefault(kind, {}).setdefault(name, []).extend((score[fit:] <= limit)[who])
    return {kind: {name: float(np.mean(each)) for name, each in by.items()} for kind, by in hits.items()}


MAIN = (
    "calibration_excess[race=Asian-Pac-Islander]", "calibration_bias[race=Asian-Pac-Islander]",
    "set_coverage[sex=Female;sets=marginal]", "set_coverage[sex=Male;sets=marginal]",
    "set_coverage[race=Asian-Pac-Islander;sets=marginal]", "set_coverage[;class=1;sets=marginal]",
    "set_coverage[;class=1;sets=by_class]", "set_coverage_group_min[race,sex;sets=overlapping]",
    "retained_accuracy[;kept=0.9]", "retained_accuracy[;kept=0.8]", "retained_accuracy[;kept=0.5]",
    "refused_share[sex=Female;kept=0.5]", "refused_share[sex=Male;kept=0.5]",
)  # fmt: skip
"""What is told of every network."""


def findings(record: eh.AuditRecord) -> dict[str, list[object]]:
    """Return what is stated of single features, without corrections."""
    kept = [f for f in record.findings if len(f.key.columns) < 2 or f.key.metric == "set_coverage"]
    return {
        str(f.key): [
            f.estimate, None if f.interval is None else [f.interval.low, f.interval.high], f.support, str(f.note or "")
        ]
        for f in kept
    }  # fmt: skip


def main() -> None:
    """Run all and write the figures."""
    warnings.filterwarnings("ignore")
    table = rows()
    model = network(table)
    held = table[FITTED:].reset_index(drop=True)
    data = eh.read_evaluation_set(
        held, label="income", pos_label=">50K", sensitive_features=SENSITIVE, use_sensitive=True
    )
    score = model(data.table)
    record = eh.audit_predictions(
        data.y_true, y_score=score, sensitive_features=held[SENSITIVE], uncertainty=True, audits="uncertainty"
    )
    training = eh.read_evaluation_set(
        table[:FITTED], label="income", pos_label=">50K", sensitive_features=SENSITIVE, use_sensitive=True
    )
    outside = eh.audit(model, data, uncertainty=True, audits="uncertainty", members=training, explain=False)

    def audited(audits: str, **more: object) -> None:
        eh.audit_predictions(data.y_true, y_score=score, sensitive_features=held[SENSITIVE], audits=audits, **more)

    main_figures = {}
    for seed in range(NETWORKS):
        again = network(table, seed)(data.table)
        told = eh.audit_predictions(
            data.y_true, y_score=again, sensitive_features=held[SENSITIVE], uncertainty=True, audits="uncertainty"
        )
        main_figures[f"seed {seed}"] = {name: told[name].estimate for name in MAIN}
    taken = {
        "uncertainty": seconds(lambda: audited("uncertainty", uncertainty=True), 3),
        "performance": seconds(lambda: audited("performance"), 3),
        "one scoring": seconds(lambda: Evidence(as_subject(model), data).predictions, 3),
    }
    figures = dict(machine("scikit-learn", "mapie")) | {
        "rows": len(held), "seconds": taken, "by chance": by_chance(), "promised .9": promised(),
        "networks": main_figures,
        "findings": findings(record) | {k: v for k, v in findings(outside).items() if k.startswith("outside")},
        "took": took(),
    }  # fmt: skip
    (RESULTS / "uncertainty.json").write_text(json.dumps(figures, indent=1, default=float) + "\n", encoding="utf-8")
    for name, values in taken.items():
        print(f"{name}: {middle(values):.2f} CPU s")
    for name in MAIN:
        print(name, *(f"{each[name]:.3f}" for each in main_figures.values()))
    for name, told in figures["findings"].items():  # type: ignore[union-attr]
        print(name, *told)


if __name__ == "__main__":
    main()
