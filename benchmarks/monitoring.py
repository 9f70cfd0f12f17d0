"""How often monitoring alarms falsely, and how soon it finds a change, beside tests of each batch and detectors.

Series are drawn with replacement from real mortgage decisions (`load_loanapp`), so that nothing changes in them; limits
are what is true of all of its rows, exactly: the hardest case that still holds. In the second half of the settings the
decisions on women who would be approved rightly are turned, from batch 30 on, until their recall is 0.1 lower. Peers
see the same rows: tests of each batch at 0.05 (Kolmogorov-Smirnov or chi-squared of each column, and a z-test of the
gap beyond its limit), ADWIN and Page-Hinkley of river, with their defaults, on whether each woman and each man was
approved rightly. Writes benchmarks/results/monitoring.json and the table of docs/design/monitoring.md.
Run it with: python benchmarks/monitoring.py [series] [series of the peers]
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from measuring import RESULTS, ROOT, machine, took

import evenhand as eh
from evenhand.monitoring import Baseline, Monitor, make_baseline
from evenhand.monitoring.windows import advanced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.findings import AuditRecord

PAGE: Final = ROOT / "docs" / "design" / "monitoring.md"
BATCHES, ROWS, AUDITED, CHANGED = 100, 300, 5_000, 30
INPUTS: Final = ("loanamt", "appinc", "price", "hrat", "obrat", "term", "unem", "self", "mortg", "unver")
KEYS: Final = ("recall_difference[sex]", "recall_difference[race]", "selection_rate_difference[sex]", "accuracy")
DROP: Final = 0.1
TEST: Final = 0.05


@dataclass(frozen=True, slots=True)
class Population:
    """All rows that series are drawn from."""

    table: pd.DataFrame
    limits: dict[str, dict[str, float]]
    """What is true of them."""


def population() -> Population:
    """Return the mortgage decisions with the scores of a logistic regression on them."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = eh.load_loanapp()
    table = data.table[[*INPUTS, "sex", "race", "approve"]].copy()
    table[list(INPUTS)] = table[list(INPUTS)].fillna(-1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, class_weight="balanced"))
    score = model.fit(table[list(INPUTS)], data.y_true).predict_proba(table[list(INPUTS)])[:, 1]
    table["score"] = score
    record = audit(table)
    limits = {}
    for key in KEYS:
        value = float(record[key].estimate or 0)
        limits[key] = {"at_least" if key == "accuracy" else "at_most": value}
    return Population(table, limits)


def audit(table: pd.DataFrame) -> AuditRecord:
    """Return an audit that counts decisions alone."""
    groups = {name: table[name] for name in ("sex", "race")}
    return eh.audit_predictions(
        table["approve"], y_score=table["score"], sensitive_features=groups, audits=("performance", "fairness"),
        intersections=1,
    )  # fmt: skip


def baseline_of(table: pd.DataFrame, like: AuditRecord) -> Baseline:
    """Return the baseline of audited rows; the counts are made anew, the rest of the record is the same for all."""
    roles = {"label": "approve", "sensitive_features": ["sex", "race"], "score": "score"}
    data = eh.read_evaluation_set(table, **roles)
    parts = []
    for part in like.tallies:
        if part.model != "subject" or len(part.columns) > 1:
            continue
        group = np.zeros(len(table), dtype=int)
        if part.columns:
            group = pd.Index([labels[0] for labels in part.groups]).get_indexer(table[part.columns[0]])
        cells = (group * 2 + table["approve"].to_numpy()) * 2 + (table["score"].to_numpy() >= 0.5)
        parts.append(
            replace(part, counts=np.bincount(cells, minlength=4 * len(part.groups)).reshape(-1, 2, 2).tolist())
        )
    return make_baseline(data, replace(like, tallies=tuple(parts), findings=()))


class Places:
    """The bins and groups of every row of the population, looked up once for a baseline."""

    def __init__(self, everyone: pd.DataFrame, baseline: Baseline) -> None:
        self.baseline = baseline
        self.truth = everyone["approve"].to_numpy()
        self.decided = (everyone["score"].to_numpy() >= 0.5).astype(int)
        self.inputs = [(column.places(everyone[column.name]), len(column.names)) for column in baseline.columns]
        assert baseline.score is not None
        self.score, self.bins = baseline.score.places(everyone["score"]), len(baseline.score.names)
        self.groups = [
            pd.Index([labels[0] for labels in part.groups]).get_indexer(everyone[part.columns[0]])
            if part.columns else np.zeros(len(everyone), dtype=int)
            for part in baseline.parts
        ]  # fmt: skip

    def counts(self, rows: NDArray[np.intp], decided: NDArray[np.intp]) -> dict[str, NDArray[np.int64]]:
        """Return the counts of a batch, as `count_batch` does."""
        truth, found = self.truth[rows], {}
        for at, (part, groups) in enumerate(zip(self.baseline.parts, self.groups, strict=True)):
            many, own = len(part.groups), groups[rows]
            found[f"labelled.{at}"] = np.bincount((own * 2 + truth) * 2 + decided, minlength=4 * many).reshape(
                many, 2, 2
            )
            found[f"decided.{at}"] = np.bincount(own * 2 + decided, minlength=2 * many).reshape(many, 2)
        for at, (places, many) in enumerate(self.inputs):
            found[f"input.{at}"] = np.bincount(places[rows], minlength=many)
        score = self.score[rows]
        found["score.0"] = np.bincount(score, minlength=self.bins)[None]
        known = np.bincount(score * 2 + truth, minlength=2 * self.bins).reshape(self.bins, 2)
        found["calibration"] = np.stack([known.sum(axis=1), known[:, 1]], axis=1)
        return found


def drawn(
    everyone: Population, seed: int, changed: bool
) -> tuple[NDArray[np.intp], list[tuple[NDArray[np.intp], NDArray[np.intp]]]]:
    """Return the audited rows of a series, and the rows and decisions of each of its batches."""
    random, table = np.random.default_rng([2026, seed]), everyone.table
    many, batches = len(table), []
    own = (table["score"].to_numpy() >= 0.5).astype(int)
    at_risk = ((table["sex"] == "female") & (table["approve"] == 1) & (own == 1)).to_numpy()
    recall = at_risk.sum() / ((table["sex"] == "female") & (table["approve"] == 1)).sum()
    audited = random.integers(many, size=AUDITED)
    for batch in range(BATCHES):
        rows = random.integers(many, size=ROWS)
        decided = own[rows]
        turned = at_risk[rows] & (random.random(ROWS) < DROP / recall)
        batches.append((rows, np.where(turned, 0, decided) if changed and batch >= CHANGED else decided))
    return audited, batches


def one(task: tuple[int, bool, bool]) -> dict[str, object]:
    """Return the first alarms of one series."""
    seed, changed, with_peers = task
    everyone, like = _everyone()
    audited, batches = drawn(everyone, seed, changed)
    baseline = baseline_of(everyone.table.iloc[audited].reset_index(drop=True), like)
    monitor = Monitor(baseline, eh.load_policy({"limits": everyone.limits}))
    places, windows, first = Places(everyone.table, baseline), {}, {}
    for at, (rows, decided) in enumerate(batches):
        windows = advanced(windows, places.counts(rows, decided), at)
        for watch in monitor.limits.failed(windows, first):
            first[str(watch.key)] = at
        for found in monitor.detector.found(windows):
            first.setdefault(found.watched.key, at)
    told: dict[str, object] = {"seed": seed, "changed": changed, "first": first}
    if with_peers:
        told["peers"] = peers(everyone, audited, batches)
    return told


def peers(
    everyone: Population, audited: NDArray[np.intp], batches: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> dict[str, int]:
    """Return the first alarm of each other way."""
    from scipy.stats import ks_2samp

    table, first = everyone.table, {}
    female, truth = (table["sex"] == "female").to_numpy(), table["approve"].to_numpy()
    limit = everyone.limits[KEYS[0]]["at_most"]
    before = {name: table[name].to_numpy()[audited] for name in (*INPUTS, "score")}
    detectors = _detectors()
    for at, (rows, decided) in enumerate(batches):
        drifted = 0
        for name, old in before.items():
            drifted += ks_2samp(old, table[name].to_numpy()[rows]).pvalue < TEST
        if drifted:
            first.setdefault("tests of each column", at)
        if drifted >= len(before) / 2:
            first.setdefault("half of the columns", at)
        shares = []
        for own in (female[rows], ~female[rows]):
            kept = own & (truth[rows] == 1)
            shares.append((decided[kept].mean(), kept.sum()))
        (p, n), (q, m) = shares
        spread = np.sqrt(p * (1 - p) / n + q * (1 - q) / m)
        if abs(p - q) - limit > 1.645 * spread:
            first.setdefault("z-test of each batch", at)
        for name, both in detectors.items():
            for own, detector in zip((female[rows], ~female[rows]), both, strict=True):
                for right in decided[own & (truth[rows] == 1)]:
                    detector.update(float(right))
                    if detector.drift_detected:
                        first.setdefault(name, at)
    return first


def _detectors() -> dict[str, tuple[object, object]]:
    """Return the detectors of river, one a group; none where it is not installed."""
    try:
        from river.drift import ADWIN, PageHinkley
    except ImportError:
        return {}
    return {"ADWIN": (ADWIN(), ADWIN()), "Page-Hinkley": (PageHinkley(), PageHinkley())}


KEPT: list[tuple[Population, AuditRecord]] = []


def _everyone() -> tuple[Population, AuditRecord]:
    if not KEPT:
        found = population()
        KEPT.append((found, audit(found.table)))
    return KEPT[0]


def summary(found: list[dict[str, object]], changed: bool) -> dict[str, object]:
    """Return how many series alarmed, by way, and how soon after the change."""
    own = [one for one in found if one["changed"] is changed]
    ways: dict[str, list[int | None]] = {}
    for series in own:
        first = dict(series["first"])  # type: ignore[call-overload]
        limits = [at for key, at in first.items() if key in KEYS]
        drift = [at for key, at in first.items() if key not in KEYS]
        for name, times in (
            ("evenhand, limits", limits),
            ("evenhand, drift", drift),
            ("evenhand, all", [*limits, *drift]),
        ):
            ways.setdefault(name, []).append(min(times, default=None))
        if "peers" in series:
            for name in (
                "tests of each column",
                "half of the columns",
                "z-test of each batch",
                "ADWIN",
                "Page-Hinkley",
            ):
                ways.setdefault(name, []).append(series["peers"].get(name))  # type: ignore[attr-defined]
    return {name: _told(times, changed) for name, times in ways.items()}


def _told(times: list[int | None], changed: bool) -> dict[str, object]:
    early = sum(at is not None and (not changed or at < CHANGED) for at in times)
    told: dict[str, object] = {"series": len(times), "false": early}
    if changed:
        delays = [at - CHANGED + 1 for at in times if at is not None and at >= CHANGED]
        told |= {"found": len(delays), "median_rows": float(np.median(delays) * ROWS) if delays else None}
        told["90 %_rows"] = float(np.quantile(delays, 0.9) * ROWS) if delays else None
    return told


def _shown(rows: object) -> str:
    return f"{rows:,.0f}" if isinstance(rows, float) else "never"


def lines(figures: dict[str, dict[str, dict[str, object]]]) -> list[str]:
    """Return the table."""
    head = [
        "| Way | false alarms, nothing changed | before the change | found | rows until then, median | 90 % |",
        "|---|---|---|---|---|---|",
    ]
    rows = []
    for name, still in figures["stationary"].items():
        moved = figures["changed"].get(name)
        shown = ["", "", "", ""] if moved is None else [
            f"{moved['false']} of {moved['series']}", f"{moved['found']} of {moved['series']}",
            _shown(moved["median_rows"]), _shown(moved["90 %_rows"]),
        ]  # fmt: skip
        rows.append(f"| {name} | {still['false']} of {still['series']} | {' | '.join(shown)} |")
    return [*head, *rows]


def main() -> None:
    """Draw the series, and write what was found; no more are begun after the given minutes."""
    many, beside, minutes = (
        int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((1, 500), (2, 20), (3, 60))
    )
    still = [(seed, False, seed < beside) for seed in range(many)]
    moved = [(10_000 + seed, True, seed < beside) for seed in range(many // 5)]
    tasks = [task for at, task in enumerate(still) for task in (task, *moved[at // 5 : at // 5 + (at % 5 == 0)])]
    began, found = time.perf_counter(), []
    with ProcessPoolExecutor(2) as pool:
        for start in range(0, len(tasks), 8):
            if time.perf_counter() - began > 60 * minutes:
                break
            found += pool.map(one, tasks[start : start + 8])
    figures = {"stationary": summary(found, False), "changed": summary(found, True)}
    raw = {
        "batches": BATCHES, "rows": ROWS, "audited": AUDITED, "changed_at": CHANGED, "drop": DROP,
        "limits": _everyone()[0].limits, "figures": figures, "series": found,
        "seconds": round(time.perf_counter() - began),
        **machine("numpy", "scipy"), "took": took(),
    }  # fmt: skip
    (RESULTS / "monitoring.json").write_text(json.dumps(raw, indent=1) + "\n", "utf-8")
    table = "\n".join(lines(figures))
    print(table)
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition("<!-- monitoring -->\n")
    after = rest.partition("<!-- end of monitoring -->")[2]
    PAGE.write_text(f"{before}<!-- monitoring -->\n{table}\n<!-- end of monitoring -->{after}", "utf-8")


if __name__ == "__main__":
    main()
