"""What each probe costs on census-sized rows and a perceptron: seconds, and as ratios to one training and one scoring.

Every audit that is asked for by name runs alone, on the same model and rows. A whole audit that asks for nothing comes
first, for a probe may cost nothing where nobody asks. Writes benchmarks/results/probes.json and its table in
docs/benchmarks.md.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from measuring import machine, middle, needed, write

import evenhand as eh
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 3
CONFIG = TrainingConfig(epochs=20, patience=20, hidden=(256, 128), dropout=0.0, baseline=False)
PROBES: dict[str, tuple[str, float | None]] = {
    "membership": ("Membership: RMIA, 4 references", 60), "attribute_inference": ("Attribute inference", None),
    "robustness": ("Natural corruption, every kind and severity", 10), "generalization": ("Generalization", None),
    "reliability": ("Calibration beside its null", 2), "recalibration": ("Recalibration", None),
    "conformal": ("Conformal sets", 2), "selective": ("Selective prediction", None),
    "distribution": ("Out of distribution", None), "data_quality": ("The rows themselves", 5),
}  # fmt: skip
"""What each probe is called, and the seconds that it may take."""


def taken(call: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    """Measure all and write the table."""
    torch.set_num_threads(1)
    train_file, test_file = needed("adult", "adult_train.csv.gz", "adult_test.csv.gz")
    train = eh.read_evaluation_set(train_file, label="income", pos_label=">50K", sensitive_features=["sex", "race"])
    test = eh.read_evaluation_set(test_file, like=train)
    parts = eh.split(train, {"members": 0.8, "validation": 0.2})
    model = None

    def trained() -> None:
        nonlocal model
        model = fit(parts["members"], parts["validation"], CONFIG)

    training = taken(trained)
    assert model is not None
    scoring = [taken(lambda: model.predict(test.table[list(model.facts["features"])])) for _ in range(REPEATS)]
    one = middle(cpu for cpu, _ in scoring)
    plain = taken(lambda: eh.audit(model, test))
    found: dict[str, dict[str, float]] = {"plain": {"cpu": plain[0], "wall": plain[1]}}
    for name in PROBES:
        cpu, wall = taken(
            lambda name=name: eh.audit(model, test, members=parts["members"], audits=name, everything=True)
        )
        found[name] = {"cpu": cpu, "wall": wall}
        print(name, found[name], flush=True)
    lines = ["| probe | CPU seconds | trainings | scorings | seconds | goal |", "|---|---|---|---|---|---|"]
    for name, (words, goal) in {"plain": ("An audit that asks for no probe", None), **PROBES}.items():
        cpu, wall = found[name]["cpu"], found[name]["wall"]
        said = "" if goal is None else f"{goal:g}"
        lines.append(f"| {words} | {cpu:.1f} | {cpu / training[0]:.2f} | {cpu / one:,.0f} | {wall:.1f} | {said} |")
    figures = {
        "rows": len(test), "members": len(parts["members"]), "training": training, "scoring": scoring, "probes": found,
        **machine("torch"),
    }  # fmt: skip
    told = f"One audit each of {len(test):,} rows; a training is {training[0]:.1f} s, a scoring {one:.2f} s."
    write("probes", figures, lines, told)


if __name__ == "__main__":
    main()
