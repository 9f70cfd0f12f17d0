"""Shapley values beside shap's explainers at equal error against exact values, in one run: CPU seconds, as ratios.

Two networks on synthetic rows: one over 108 columns in 14 groups, shaped like the census income data (6 numbers, 8
categories one-hot coded), one over 30 numbers. Errors are relative to the same background's values: enumerated for the
groups, found with 200 orders a pair for the numbers. Both sides run in turns on one thread, after shap has compiled
itself; shap's curve of time over error is followed by a line in the logarithms of both. Writes
benchmarks/results/explaining.json and the table of docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import shap
import torch
from measuring import machine, middle, peak_megabytes, write
from torch import nn

import evenhand as eh
from evenhand.explaining import explain
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.explaining import Attributions

ROWS, BACKGROUND, COMPARED, REPEATS = 1000, 100, 12, 3
USUAL = 400
"""Rows of background that an audit takes when nothing is said."""
NUMBERS, LEVELS = 6, (9, 16, 7, 15, 6, 5, 2, 42)
TARGETS = {
    ("groups", "split"): {"kernel": 50, "permutation": 20, "exact": 80},
    ("groups", "black box"): {"kernel": 20, "permutation": 8, "exact": 15},
    ("numbers", "split"): {"kernel": 12, "permutation": 9},
    ("numbers", "black box"): {"kernel": 6, "permutation": 5},
}


class Setting:
    """A network, rows for it, and the same as shap sees it: one column a player.

    Parameters
    ----------
    name : "groups" or "numbers"
    """

    def __init__(self, name: str) -> None:
        self.name = name
        rng = np.random.default_rng(0)
        torch.manual_seed(0)
        self.levels = LEVELS if name == "groups" else ()
        self.numbers = NUMBERS if name == "groups" else 30
        shares = [np.sort(rng.dirichlet(np.full(size, 0.35)))[::-1] for size in self.levels]
        many = ROWS + 6000
        values = rng.normal(size=(many, self.numbers))
        if name == "groups":
            # Ages and hours are whole numbers, and gains are mostly none: rows often agree.
            values[:, :2] = np.round(values[:, :2] * 4) / 4
            values[:, 2:4] *= rng.random((many, 2)) < 0.08
            values[:, 4] = np.round(values[:, 4])
        codes = [rng.choice(len(share), size=many, p=share / share.sum()) for share in shares]
        self.codes = np.column_stack([values, *codes]).astype(np.float32)
        self.columns = self.decode(self.codes)
        sizes = [np.full(size, self.numbers + at) for at, size in enumerate(self.levels)]
        self.players = np.concatenate([np.arange(self.numbers), *sizes]).astype(np.int64)
        width = self.columns.shape[1]
        self.network = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self._fit(rng)
        self.X, self.background = self.columns[:ROWS], self.columns[ROWS : ROWS + BACKGROUND]
        self.population = self.columns[ROWS + BACKGROUND : ROWS + BACKGROUND + 5000]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the columns of the network from one column a player."""
        parts = [codes[:, : self.numbers]]
        for at, size in enumerate(self.levels):
            parts.append(np.eye(size, dtype=np.float32)[codes[:, self.numbers + at].astype(np.intp)])
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def _fit(self, rng: np.random.Generator) -> None:
        """Teach the network a target with products of features, so that there is something to interact."""
        x = torch.from_numpy(self.columns)
        w = torch.from_numpy(rng.normal(size=(self.columns.shape[1], 4)).astype(np.float32))
        hidden = x @ w / 2
        y = torch.sigmoid(hidden[:, 0] + hidden[:, 1] * hidden[:, 2] + torch.relu(hidden[:, 3]))
        optimizer = torch.optim.Adam(self.network.parameters(), 3e-3)
        for _ in range(300):
            at = torch.randint(len(x), (512,))
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(self.network(x[at])[:, 0], y[at]).backward()
            optimizer.step()
        self.network.eval()

    def predict(self, columns: np.ndarray) -> np.ndarray:
        """Return log-odds."""
        with torch.inference_mode():
            return self.network(torch.from_numpy(np.ascontiguousarray(columns, dtype=np.float32))).numpy()[:, 0]

    def predict_codes(self, codes: np.ndarray) -> np.ndarray:
        """Return log-odds of one column a player, as shap asks for them."""
        return self.predict(self.decode(np.asarray(codes, dtype=np.float32)))

    def ours(
        self, model: object, rows: int = ROWS, background: np.ndarray | None = None, **how: object
    ) -> Attributions:
        """Explain the first rows."""
        how = {"budget_evaluations": 8_000_000 if self.name == "numbers" else None, **how}
        against = self.background if background is None else background
        return explain(model, self.X[:rows], against, players=self.players, link="identity", **how)  # type: ignore[arg-type]


def clocked(call: Callable[[], np.ndarray], rows: int) -> tuple[float, np.ndarray]:
    """Return CPU seconds a row and the values."""
    start = time.process_time()
    values = call()
    return (time.process_time() - start) / rows, np.asarray(values)


def error(values: np.ndarray, truth: np.ndarray) -> float:
    """Return the norm of the error of the compared rows, relative to that of the values."""
    return float(np.linalg.norm(values[:COMPARED].reshape(COMPARED, -1) - truth) / np.linalg.norm(truth))


def peers(setting: Setting, truth: np.ndarray) -> dict[str, list[Callable[[], np.ndarray]]]:
    """Return shap's explainers, each at several costs."""
    first = 0, COMPARED
    rows = setting.codes[slice(*first)]
    against = setting.codes[ROWS : ROWS + BACKGROUND]
    masker = shap.maskers.Independent(against, max_samples=BACKGROUND)
    one = 2 * rows.shape[1] + 1

    def permutation(orders: int) -> np.ndarray:
        explainer = shap.PermutationExplainer(setting.predict_codes, masker, seed=orders)
        return explainer(rows, max_evals=orders * one, silent=True).values

    def kernel(samples: int) -> np.ndarray:
        explainer = shap.KernelExplainer(setting.predict_codes, against, link="identity")
        return explainer.shap_values(rows, nsamples=samples, l1_reg=False, silent=True)

    found: dict[str, list[Callable[[], np.ndarray]]] = {
        "permutation": [lambda orders=orders: permutation(orders) for orders in (1, 4, 16)],
        "kernel": [lambda samples=samples: kernel(samples) for samples in (256, 1024, 2048 + 2 * rows.shape[1])],
    }
    if setting.name == "groups":

        def exact() -> np.ndarray:
            explainer = shap.ExactExplainer(setting.predict_codes, masker)
            return explainer(rows, max_evals=2 ** rows.shape[1], silent=True).values

        found["exact"] = [exact]
    return found


def time_at(points: list[tuple[float, float]], wanted: float) -> float:
    """Return the time at which a peer reaches an error, by a line through the logarithms of its points."""
    times, errors = (np.log([point[at] for point in points]) for at in (0, 1))
    slope, level = np.polyfit(errors, times, 1)
    return float(np.exp(level + slope * np.log(wanted)))


def compared(setting: Setting) -> dict[str, object]:
    """Run both sides in turns."""
    exact = setting.name == "groups"
    how = {"method": "exact"} if exact else {"permutations": 200, "budget_evaluations": 10**12}
    truth = setting.ours(setting.network, COMPARED, **how).values
    sides = {"split": setting.network, "black box": setting.predict}
    theirs = peers(setting, truth)
    runs: dict[str, list[tuple[float, float]]] = {}
    for repeat in range(REPEATS + 1):
        for name, model in sides.items():
            taken, values = clocked(lambda model=model, seed=repeat: setting.ours(model, seed=seed).values, ROWS)
            runs.setdefault(f"{name}, 1", []).append((taken, error(values, truth)))
            if exact:
                rows = 200 if name == "split" else 60
                taken, values = clocked(
                    lambda model=model, rows=rows: setting.ours(model, rows, method="exact").values, rows
                )
                runs.setdefault(f"{name}, exact", []).append((taken, error(values, truth)))
        for name, calls in theirs.items():
            for cost, call in enumerate(calls):
                taken, values = clocked(call, COMPARED)
                runs.setdefault(f"{name} {cost}", []).append((taken, error(values, truth)))
    # The first turn compiled shap and warmed both sides.
    middles = {name: (middle(t for t, _ in taken[1:]), middle(e for _, e in taken[1:])) for name, taken in runs.items()}
    ratios: dict[str, dict[str, float]] = {}
    for name in sides:
        ours, reached = middles[f"{name}, 1"]
        ratios[name] = {
            peer: time_at([middles[f"{peer} {cost}"] for cost in range(len(calls))], reached) / ours
            for peer, calls in theirs.items()
            if peer != "exact"
        }
        if exact:
            ratios[name]["exact"] = middles["exact 0"][0] / middles[f"{name}, exact"][0]
    return {"runs": runs, "middles": middles, "ratios": ratios, "gradients": gradients(setting, truth)}


def gradients(setting: Setting, truth: np.ndarray) -> dict[str, object]:
    """Set expected gradients beside shap's with a thousand samples, whose columns are summed for each player."""
    belongs = np.eye(int(setting.players.max()) + 1)[setting.players]
    explainer = shap.GradientExplainer(setting.network, torch.from_numpy(setting.background))

    def theirs() -> np.ndarray:
        values = np.asarray(explainer.shap_values(torch.from_numpy(setting.X[:COMPARED]), nsamples=1000))
        return values.reshape(COMPARED, -1) @ belongs

    ours, peer = [], []
    for _ in range(REPEATS + 1):
        taken, values = clocked(lambda: setting.ours(setting.network, method="gradients").values, ROWS)
        ours.append((taken, error(values, truth)))
        taken, values = clocked(theirs, COMPARED)
        peer.append((taken, error(values, truth)))
    ratio = middle(t for t, _ in peer[1:]) / middle(t for t, _ in ours[1:])
    return {"ours": ours, "theirs": peer, "ratio": ratio}


def held(setting: Setting) -> dict[str, float]:
    """Return the error at defaults and with --precise, and how often the interval covers the population's value."""
    how = {"method": "exact"} if setting.name == "groups" else {"permutations": 200, "budget_evaluations": 10**12}
    truth = setting.ours(setting.network, COMPARED, **how).values
    plain, precise = (setting.ours(setting.network, COMPARED, error=wanted) for wanted in (None, 0.01))
    population = setting.ours(
        setting.network, COMPARED, background=setting.population, permutations=2, budget_evaluations=10**12
    ).values
    covered, rng = [], np.random.default_rng(1)
    for seed in range(40):
        drawn = setting.population[rng.choice(len(setting.population), BACKGROUND, replace=False)]
        low, high = setting.ours(setting.network, COMPARED, background=drawn, seed=seed).interval()
        covered.append(((low <= population) & (population <= high)).mean())
    usual = setting.columns[ROWS : ROWS + USUAL]
    usual_truth = setting.ours(setting.network, COMPARED, background=usual, **how).values
    return {
        "error": error(plain.values, truth),
        "usual_error": error(setting.ours(setting.network, COMPARED, background=usual).values, usual_truth),
        "precise": error(precise.values, truth),
        "precise_orders": precise.repetitions,
        "coverage": float(np.mean(covered)),
        "peak_megabytes": peak_megabytes(lambda: setting.ours(setting.network)),
    }


def section() -> dict[str, float]:
    """Time all that an audit says of explanations, over a thousand rows of the shape of the census income data."""
    import pandas as pd

    setting = Setting("groups")
    table = pd.DataFrame(setting.codes[:, :NUMBERS].astype(np.float64), columns=[f"n{at}" for at in range(NUMBERS)])
    for at in range(len(LEVELS)):
        table[f"c{at}"] = [f"v{int(code)}" for code in setting.codes[:, NUMBERS + at]]
    table["paid"] = (setting.predict(setting.columns) > 0).astype(int)
    parts = {
        name: eh.read_evaluation_set(part, label="paid", sensitive_features=["c6"], use_sensitive=True, name=name)
        for name, part in (("train", table.iloc[1000:]), ("test", table.iloc[:1000]))
    }
    model = fit(parts["train"], config=TrainingConfig(epochs=3, seed=0, hidden=(64, 32)))
    taken = {}
    for names in (("explanation",), ("explanation", "dependence", "explanation_checks", "reliance", "reasons")):
        wall, start = time.perf_counter(), time.process_time()
        eh.audit(model, parts["test"], background=parts["train"], audits=names, explain_rows=1000)
        taken[", ".join(names)] = {"cpu": time.process_time() - start, "wall": time.perf_counter() - wall}
    return taken  # type: ignore[return-value]


def main() -> None:
    """Run all, write the table and the figures."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    figures: dict[str, object] = dict(machine("shap", "torch"))
    figures |= {"rows": ROWS, "background": BACKGROUND, "compared": COMPARED, "targets": _flat(TARGETS)}
    names = {"groups": "108 columns, 14 groups", "numbers": "30 numbers"}
    lines = ["| rows of | model | ms a row | error | beside Permutation | beside Kernel | beside Exact |"]
    lines.append("|---|---|---|---|---|---|---|")
    notes = []
    for name, words in names.items():
        setting = Setting(name)
        found, quality = compared(setting), held(setting)
        figures[name] = {**found, "quality": quality}
        for side in ("split", "black box"):
            taken, reached = found["middles"][f"{side}, 1"]  # type: ignore[index]
            cells = [
                _beside(found["ratios"][side].get(peer), TARGETS[name, side].get(peer))  # type: ignore[index]
                for peer in ("permutation", "kernel", "exact")
            ]
            lines.append(f"| {words} | {side} | {1000 * taken:.2f} | {reached:.3f} | {' | '.join(cells)} |")
        gradient = found["gradients"]["ratio"]  # type: ignore[index]
        notes.append(
            f"{words.capitalize()}: against {USUAL} rows, as an audit does by default, the error is "
            f"{quality['usual_error']:.4f}; with `--precise` the error is {quality['precise']:.4f} "
            f"({quality['precise_orders']} orders a pair); the 95 % interval covers the value against 5,000 background "
            f"rows in {100 * quality['coverage']:.0f} % of cases; expected gradients take 1/{gradient:.0f} of the time "
            f"of shap's GradientExplainer with 1,000 samples, at errors of "
            f"{found['gradients']['ours'][-1][1]:.3f} and {found['gradients']['theirs'][-1][1]:.3f}; "  # type: ignore[index]
            f"{quality['peak_megabytes']:.0f} MB at most are held."
        )
    figures["section"] = section()
    whole = figures["section"]
    told = "; ".join(f"{name}: {part['cpu']:.1f} CPU s" for name, part in whole.items())  # type: ignore[attr-defined]
    notes.append(f"A whole section of a page, 1,000 rows against 400, a fitted network of 14 columns: {told}.")
    lines += ["", *[text for note in notes for text in (note, "")][:-1]]
    write("explaining", figures, lines, "Times the public call `evenhand.explaining.explain`; the section, `eh.audit`.")


def _beside(ratio: float | None, target: float | None) -> str:
    if ratio is None:
        return "–"
    return f"{ratio:.1f} x (target {target})" if target else f"{ratio:.1f} x"


def _flat(targets: dict[tuple[str, str], dict[str, int]]) -> dict[str, dict[str, int]]:
    return {", ".join(names): numbers for names, numbers in targets.items()}


if __name__ == "__main__":
    main()
