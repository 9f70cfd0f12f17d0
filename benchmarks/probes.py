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
PROBES: dict[str, tuple[str, float | None, dict[str, bool]]] = {
    "membership": ("Membership: RMIA, 4 references of the same recipe", 60, {}),
    "exposure": ("What answers and files hold", None, {}),
    "disclosure": ("Personal data and people who stand alone", None, {}),
    "robustness": ("Corruption: 6 kinds at 3 severities", 10, {"robustness": True}),
    "generalization": ("Fitted rows beside others, by group", None, {}),
    "uncertainty": ("Calibration, prediction sets, refusals, distance", 2, {"uncertainty": True}),
    "data_quality": ("The rows themselves, every check", 5, {"check_data": True}),
}
"""What each audit is called, the seconds that it may take, and the options that ask for it."""


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
    for name, (_, _, asked) in PROBES.items():
        cpu, wall = taken(
            lambda name=name, asked=asked: eh.audit(model, test, members=parts["members"], audits=name, **asked)
        )
        found[name] = {"cpu": cpu, "wall": wall}
        print(name, found[name], flush=True)
    lines = ["| probe | CPU seconds | trainings | scorings | seconds | goal |", "|---|---|---|---|---|---|"]
    for name, (words, goal, _) in {"plain": ("An audit that asks for none", None, {}), **PROBES}.items():
        cpu, wall = found[name]["cpu"], found[name]["wall"]
        said = "" if goal is None else f"{goal:g}"
        lines.append(f"| {words} | {cpu:.1f} | {cpu / training[0]:.2f} | {cpu / one:,.0f} | {wall:.1f} | {said} |")
    figures = {
        "rows": len(test), "members": len(parts["members"]), "training": training, "scoring": scoring, "probes": found,
        **machine("torch"),
    }  # fmt: skip
    told = f"Times one audit each of {len(test):,} rows; a training is {training[0]:.1f} s, a scoring {one:.2f} s."
    write("probes", figures, lines, told)


if __name__ == "__main__":
    main()
