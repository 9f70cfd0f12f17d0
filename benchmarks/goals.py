"""The goals for the public calls, next to what the other benchmarks reached: the first table of docs/benchmarks.md.

It measures nothing; it reads benchmarks/results. `make bench` writes it last; alone: python benchmarks/goals.py
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from measuring import PAGE, RESULTS, middle, put_table

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_HOT = "census income, 14 features: one-hot coding and HGB of 31 leaves, 100"
BARE = {
    "boosting over 10 columns": "10 columns: HGB, 100",
    "boosting over 30 columns": "30 columns: HGB, 100",
    "boosting over 100 columns": "100 columns: HGB, 100",
    "a forest of 100 full trees": "10 columns: RandomForest of full depth, 100",
}
FEATURES = (2, 8)


def main() -> None:
    """Write the table."""
    lines = ["| public call | goal | reached | |", "|---|---|---|---|"]
    lines += [f"| {what} | {goal} | {reached} | {'' if met else 'missed'} |" for what, goal, reached, met in goals()]
    put_table("goals", lines, PAGE)


def goals() -> Iterator[tuple[str, str, str, bool]]:
    """Yield what is called, the goal, what was reached, and whether that is the goal."""
    yield from _of_trees(_read("trees"))
    yield from _of_groups(_read("fairness"))
    whole = _read("whole")
    taken = middle(run["whole"] for run in whole["ours"])
    yield (
        "`eh.audit`, 333,000 x 10, one-hot coding and boosting",
        f"{whole['goal']:g} s",
        f"{taken:.1f} s",
        taken <= whole["goal"],
    )
    yield from _of_processes(_read("first"))
    yield from _of_fits(_read("fitting"))
    batch = _read("batches")
    taken = middle(run["seconds"] for run in batch["runs"])
    what = f"`evenhand monitor`, a batch of {batch['rows']:,} rows x 50"
    yield what, f"{batch['goal']:g} s", f"{taken:.2f} s", taken <= batch["goal"]
    for box in whole["black_boxes"]:
        said = f"{box['told']:.2f} told, {box['true']:.2f} true"
        yield (
            f"`explain`, a callable of {box['columns']} columns",
            "the error is told",
            said,
            box["told"] > 0.8 * box["true"],
        )


def _of_trees(found: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    named = {"one-hot coding and boosting": ONE_HOT, **BARE}
    for what, name in named.items():
        case = found["cases"][name]
        exact = f"{case['ratio']:.1f} x, to {case['to_coalitions']:.0e} of all coalitions"
        yield f"`explain`, {what}, beside shap", f"exact, {found['goal']} x", exact, case["ratio"] >= found["goal"]


def _of_groups(found: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    for run in found["runs"]:
        goal = run["goal of audit_predictions"]
        if goal is not None:
            taken = middle(run["audit_predictions"])
            what = f"`audit_predictions`, {run['rows']:,} rows x {run['groups']:,} groups"
            yield what, f"{goal:g} s", f"{taken:.3f} s", taken <= goal
    few, many = (next(each for each in found["features"] if each["features"] == number) for number in FEATURES)
    for call in ("audit_predictions", "measure"):
        grown, times = middle(many[call]) / middle(few[call]), many["groupings"] / few["groupings"]
        what = f"`{call}`, 8 features crossed in pairs against 2"
        yield what, f"{times:.0f} x, as the groupings", f"{grown:.1f} x", grown <= 1.05 * times


def _of_processes(found: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    taken = found["seconds"]
    calls = {"first `audit_predictions` of a process": ("first", "auditing")}
    calls |= {"`evenhand gate`, demo": ("demo", "deriving"), "`evenhand gate`, COMPAS": ("compas", "deriving")}
    for what, (name, imports) in calls.items():
        ratio = taken[name] / taken[imports]
        yield what, "1.3 x its imports", f"{ratio:.2f} x ({taken[name]:.2f} s)", ratio <= 1.3
    above = taken["many"] - taken["deriving"]
    yield (
        f"`evenhand gate`, {found['findings']:,} findings",
        "0.6 s above its imports",
        f"{above:.2f} s above",
        above <= 0.6,
    )
    page = found["page"]["again"]
    yield "page of 1,000 groups", "0.5 s", f"{page:.2f} s", page <= 0.5


def _of_fits(found: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    for what, way in ((f"`fit` of {found['epochs']} epochs", "fit"), ("its loop alone", "loop")):
        most = max(middle(case["seconds"][way]) / middle(case["seconds"]["plain"]) for case in found["cases"])
        yield f"{what}, beside a plain loop of torch", "1.15 x", f"{most:.2f} x at most", most <= 1.15


def _read(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
