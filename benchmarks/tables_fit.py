"""Networks over tables beside boosted trees: area under the ROC curve on test rows, over several seeds.

Each seed draws other test and validation rows, and all models of a seed have the same. The categories of three tables
are handed over as whole numbers, in the order of the alphabet, to see whether codes are found.

Writes benchmarks/results/tables_fit.json and its table in docs/fits.md. Run it with:
python benchmarks/tables_fit.py [seeds of small tables] [seeds of large ones]
"""

from __future__ import annotations

import sys
import time
from statistics import mean
from typing import TYPE_CHECKING

import pandas as pd
from measuring import FITS, machine, needed, write

import evenhand as eh
from evenhand.training import TrainingConfig, fit, fit_boosting

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.data import EvaluationSet
    from evenhand.training import BoostedModel, NetworkModel

LARGE = 10_000
MODELS: dict[str, Callable[[EvaluationSet, EvaluationSet, int], NetworkModel | BoostedModel]] = {
    "scaled numbers": lambda train, held, seed: fit(
        train, held, TrainingConfig(seed=seed, pieces=0, read_codes=False, baseline=False)
    ),
    "defaults": lambda train, held, seed: fit(train, held, TrainingConfig(seed=seed, baseline=False)),
    "boosted trees": lambda train, held, seed: fit_boosting(train, held, TrainingConfig(seed=seed, model="boosting")),
}


def coded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts are whole numbers, in the order of the alphabet."""
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name].dtype)]
    return table.assign(**{name: pd.factorize(table[name], sort=True)[0] for name in texts})


def labelled(table: pd.DataFrame, label: str, positive: object) -> EvaluationSet:
    """Return a table whose label is whether a column has a value."""
    return eh.read_evaluation_set(table.drop(columns=label).assign(label=table[label] == positive), label="label")


def adult() -> EvaluationSet:
    """Return the census income data, both files, without the weights of the survey, categories as numbers."""
    files = needed("adult", "adult_train.csv.gz", "adult_test.csv.gz")
    table = pd.concat([pd.read_csv(file) for file in files], ignore_index=True).drop(columns="fnlwgt")
    income = table["income"]
    return labelled(coded(table.drop(columns="income")).assign(income=income), "income", ">50K")


def dutch() -> EvaluationSet:
    """Return the Dutch census, all of whose columns are codes."""
    return labelled(coded(pd.read_csv(*needed("dutch_census", "dutch_census.csv.gz"))), "occupation", 1)


def german() -> EvaluationSet:
    """Return the German credit data, categories as numbers."""
    table = pd.read_csv(*needed("german_credit", "german_credit_uci_codes.csv.gz"))
    return labelled(coded(table), str(table.columns[-1]), coded(table).iloc[:, -1].max())


def heart() -> EvaluationSet:
    """Return the heart disease data."""
    table = pd.read_csv(*needed("heart_nhanes", "heart_disease.csv.gz"))
    return labelled(table, str(table.columns[-1]), table.iloc[:, -1].max())


DATA: dict[str, Callable[[], EvaluationSet]] = {
    "heart disease": heart,
    "German credit, as codes": german,
    "mortgage decisions": eh.load_loanapp,
    "census income, as codes": adult,
    "Dutch census, all codes": dutch,
}


def measured(data: EvaluationSet, seed: int) -> dict[str, tuple[float, float, float]]:
    """Return accuracy and area under the curve on test rows, and processor seconds of the fit, by model."""
    from sklearn.metrics import roc_auc_score

    parts = eh.split(data, {"train": 0.56, "validation": 0.14, "test": 0.3}, seed=seed)
    test, found = parts["test"], {}
    for name, make in MODELS.items():
        start = time.process_time()
        model = make(parts["train"], parts["validation"], seed)
        taken, scores = time.process_time() - start, model.predict(test.X)
        right = float(((scores >= model.threshold) == test.y_true).mean())
        found[name] = (right, float(roc_auc_score(test.y_true, scores)), taken)
    return found


def main(small: int, large: int) -> None:
    """Fit everything, write the table and the figures."""
    runs: dict[str, list[dict[str, tuple[float, float, float]]]] = {}
    lines = [
        "| data | rows | seeds | AUC, scaled numbers | AUC, defaults | AUC, boosted trees | "
        "defaults less trees, by seed | accuracy, the three | CPU seconds, the three |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, load in DATA.items():
        data = load()
        runs[name] = [measured(data, seed) for seed in range(large if len(data) > LARGE else small)]
        right, area, taken = ([mean(run[model][at] for run in runs[name]) for model in MODELS] for at in range(3))
        gaps = " ".join(f"{run['defaults'][1] - run['boosted trees'][1]:+.3f}" for run in runs[name])
        cells = [name, f"{len(data):,}", str(len(runs[name])), *(f"{value:.4f}" for value in area), gaps]
        cells += [" ".join(f"{value:.3f}" for value in right), " ".join(f"{value:.1f}" for value in taken)]
        lines.append(f"| {' | '.join(cells)} |")
        figures = {**machine("torch", "scikit-learn"), "runs": runs}
        write("tables_fit", figures, lines, "Measures `fit` and `fit_boosting`.", FITS)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
