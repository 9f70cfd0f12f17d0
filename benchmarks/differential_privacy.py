"""What differential privacy costs, and whom: the census income data, with and without a budget.

One network, 256 and 128 neurons, is fitted on the same rows without privacy and with epsilon 8, 3 and 1 (delta 1e-5,
clip 1, ten epochs of samples of 256 rows), once for each seed of `SEEDS`. Each private model is audited beside the
plain one of its seed on the published test rows, so that changes are paired; the seed is that of the noise, too, so
that a run can be repeated. Decisions are at 0.5. CPU seconds are of the fit alone. Then ghost clipping beside hooks:
the seconds of an epoch and the largest difference of a clipped step without noise.
Writes benchmarks/results/differential_privacy.json and its table in docs/benchmarks.md.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from measuring import machine, needed, write

import evenhand as eh
from evenhand.training import TrainingConfig, fit
from evenhand.training.dataset import Dataset
from evenhand.training.placing import Here
from evenhand.training.private.going import PrivateGoing
from evenhand.training.private.plan import Privacy
from evenhand.training.schedule import Schedule

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

BUDGETS, SEEDS = (8.0, 3.0, 1.0), (0,)
PLAIN = TrainingConfig(
    hidden=(256, 128), epochs=10, batch_size=256, patience=10, pieces=0, threshold=0.5, baseline=False, delta=1e-5,
    seeded_noise=True,
)  # fmt: skip
SEXES, STATED = ("Female", "Male"), ["performance", "fairness", "compression"]
TOLD = ("accuracy", "recall[sex=Female]", "recall[sex=Male]", "selection_rate[sex=Female]", "recall_difference[sex]")


def rows() -> dict[str, eh.EvaluationSet]:
    """Return the published training rows, a fifth of them to choose by, and the published test rows."""
    train_file, test_file = needed("adult", "adult_train.csv.gz", "adult_test.csv.gz")
    train = eh.read_evaluation_set(
        train_file, label="income", positive=">50K", sensitive_features=["sex", "race"], exclude=["fnlwgt"]
    )
    parts = eh.split(train, {"train": 0.8, "validation": 0.2}, seed=0)
    return {**parts, "test": eh.read_evaluation_set(test_file, like=train)}


def told(record: AuditRecord, key: str) -> list[float | None]:
    """Return a finding as its estimate and its ends."""
    found = record[key]
    ends = (None, None) if found.interval is None else (found.interval.low, found.interval.high)
    return [None if value is None else round(value, 4) for value in (found.estimate, *ends)]


def measured(parts: dict[str, eh.EvaluationSet], seed: int) -> list[dict[str, Any]]:
    """Return the figures of one seed: the plain model, and each budget beside it."""
    made: list[dict[str, Any]] = []
    plain = None
    for epsilon in (None, *BUDGETS):
        start = time.process_time()
        model = fit(parts["train"], parts["validation"], replace(PLAIN, epsilon=epsilon, seed=seed))
        taken = time.process_time() - start
        record = eh.audit(model, parts["test"], original=plain, audits=STATED)
        changes = {}
        if plain is not None:
            keys = ("accuracy_change[;of=original]", *(f"recall_change[sex={sex};of=original]" for sex in SEXES))
            changes = {key: told(record, key) for key in keys}
        plain = plain or model
        privacy: Any = model.history.get("privacy", {})
        made.append({
            "epsilon": epsilon, "seed": seed, "cpu_seconds": round(taken, 2), "spent": privacy.get("epsilon"),
            "noise_multiplier": privacy.get("noise_multiplier"), "best_epoch": model.history["best_epoch"],
            "values": {key: told(record, key) for key in TOLD}, "changes": changes,
        })  # fmt: skip
        print(made[-1], flush=True)
    return made


def clipping() -> dict[str, Any]:
    """Return CPU seconds of an epoch of 10,000 rows by both ways of clipping, and how far apart their steps are."""
    chance = np.random.default_rng(0)
    data = Dataset(
        chance.normal(size=(10_000, 104)).astype("float32"),
        (chance.random(10_000) < 0.5).astype("float32"),
        np.ones(10_000, "float32"),
    )
    moved, taken = {}, {}
    for mode in ("ghost", "hooks"):
        torch.manual_seed(0)
        layers = (torch.nn.Linear(104, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128), torch.nn.ReLU())
        network = torch.nn.Sequential(*layers, torch.nn.Linear(128, 1))
        private = Privacy(1.0, 1e-5, 0.0, 1.0, 256 / 10_000, 39, 256.0, mode, by_seed=True)
        going = PrivateGoing(network, data, data, Schedule(epochs=1, batch_size=256, private=private), Here(), {})
        start = time.process_time()
        going.learn(0)
        taken[mode] = round(time.process_time() - start, 3)
        moved[mode] = torch.cat([weight.detach().flatten() for weight in network.parameters()])
    apart = float((moved["ghost"] - moved["hooks"]).abs().max())
    print(taken, apart, flush=True)
    return {"cpu_seconds": taken, "largest_difference": apart}


def lines(figures: list[dict[str, Any]]) -> list[str]:
    """Return the table: means over the seeds, and the paired changes of all seeds."""
    head = "| epsilon | accuracy | recall, women | recall, men | recall gap | change of accuracy | of women's recall |"
    made = [head, "|" + "---|" * 7]
    for epsilon in (None, *BUDGETS):
        same = [figure for figure in figures if figure["epsilon"] == epsilon]
        values = [statistics.mean(figure["values"][key][0] for figure in same) for key in (*TOLD[:3], TOLD[4])]
        changes = [
            statistics.mean(figure["changes"][key][0] for figure in same) if epsilon else None
            for key in ("accuracy_change[;of=original]", "recall_change[sex=Female;of=original]")
        ]
        cells = [*(f"{value:.3f}" for value in values), *("" if c is None else f"{c:+.3f}" for c in changes)]
        made.append(f"| {'none' if epsilon is None else f'{epsilon:g}'} | {' | '.join(cells)} |")
    return made


def main() -> None:
    """Measure, and write the table."""
    torch.set_num_threads(1)
    parts = rows()
    fits = [figure for seed in SEEDS for figure in measured(parts, seed)]
    figures = {**machine("torch", "opacus"), "fits": fits, "clipping": clipping()}
    write("differential_privacy", figures, lines(fits), "Measures accuracy and recall on 16,281 test rows.")


if __name__ == "__main__":
    main()
