"""Every recipe that rounds beside ONNX Runtime's own quantizers, torchao and NNCF, on networks of every build.

Bytes of the file, CPU seconds of one row and of a batch, accuracy, and decisions equal to those of float32 on the same
rows. All variants of a network are timed in turns in one process, on one thread; ratios are of minima. It needs torchao
and NNCF: EVENHAND_COMPRESSION_PEERS names a Python that has evenhand and them (make bench). Writes
benchmarks/results/compression_matrix.json and its table in docs/benchmarks.md; with names only these networks are
measured anew: python benchmarks/compression_matrix.py [--models adult cnn ...]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from measuring import RESULTS, machine, skip, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matrix_networks import Array, Case
    from matrix_variants import Made

OUT = RESULTS / "compression_matrix.json"
TURNS, LEAST_TURNS, SECONDS = 40, 3, 8.0
LONG = 1e-3
"""Seconds that one timed stretch of calls takes at least."""
SEEN = 512
"""Training rows that recipes see at most: to calibrate by, and to check that the model still decides as before."""
TOO_SLOW = 25
"""Times that torch takes in float32 for a row, above which a variant is not measured."""
SLACK = {"size": 1.02, "one": 1.1, "many": 1.1}
"""Times a peer's bytes or seconds above which a cell counts as worse: what differs less is noise."""
POINTS = 0.01
"""Share of equal decisions below a peer's at which a cell counts as worse."""


def measure(name: str) -> dict[str, Any]:
    """Train a network, make every variant, and measure all in one run."""
    from matrix_networks import NETWORKS
    from matrix_variants import variants

    began = time.process_time()
    case = NETWORKS[name]()
    case = replace(case, train=case.train.take(np.arange(min(SEEN, len(case.train)))))
    print(f"{name}: trained, {time.process_time() - began:.0f} s", flush=True)
    rows: list[dict[str, Any]] = []
    made: dict[int, Made] = {}
    given = _given(case)
    for at, variant in enumerate(variants(case.calibration)):
        row: dict[str, Any] = {"variant": variant.name, "kind": variant.kind, "own": variant.own}
        try:
            with exported(given.graph):
                made[at] = variant.make(given)
            _refuse_slow(made[at], case, made[0])
            row |= {"bytes": made[at].size, **_answers(made[at], case, None if not at else rows[0]["_said"])}
        except Exception as problem:  # what a library cannot do is a result
            made.pop(at, None)
            row["refused"] = f"{type(problem).__name__}: {problem}"[:400]
        rows.append(row)
        print(f"  {variant.name}: {time.process_time() - began:.0f} s {row.get('refused', '')[:150]}", flush=True)
    for cell, size in (("one", 1), ("many", case.batch)):
        batch = case.rows[np.arange(size) % len(case.rows)]
        for at, taken in race({at: _call(each, batch) for at, each in made.items()}).items():
            rows[at][cell] = taken
    for row in rows:
        row.pop("_said", None)
    told = NETWORKS[name].__doc__
    return {
        "model": name, "told": told, "test_rows": len(case.rows), "batch": case.batch,
        "parameters": sum(each.numel() for each in case.model.network.parameters()), "variants": rows,
        "cpu_seconds": round(time.process_time() - began),
    }  # fmt: skip


def _given(case: Case) -> Any:
    from matrix_variants import Given, prepared

    from evenhand.compression import exporting
    from evenhand.compression.recipe import Bench

    calibration = Bench(case.train).prepared(case.model, case.calibration)
    graph = exporting.export_network(case.model.network, case.rows.shape[1:])
    return Given(case, graph, prepared(graph), calibration)


@contextmanager
def exported(graph: bytes) -> Iterator[None]:
    """Let recipes begin with the same graph, refuse no result of theirs, and make no twin: none of it is measured."""
    from evenhand.compression import Int4, Int8, exporting, twin

    with (
        patch.object(exporting, "export_network", lambda *_: graph),
        patch.object(twin, "make_twin", lambda *_: None),
        patch.object(Int8, "floor", 0.0),
        patch.object(Int4, "floor", 0.0),
    ):
        yield


def _answers(made: Made, case: Case, exact: Array | None) -> dict[str, Any]:
    """Return accuracy, the share of decisions as in float32, and how far logits are apart, as a share of their size."""
    parts = [case.rows[at : at + case.batch] for at in range(0, len(case.rows), case.batch)]
    short = case.batch - len(parts[-1])
    parts[-1] = np.concatenate([parts[-1], case.rows[:short]])  # batches of one size: a compiled network is of one
    said = np.concatenate([made.answer(part) for part in parts])[: len(case.rows)]
    said = said.reshape(-1) if said.ndim == 2 and said.shape[1] == 1 else said
    exact = said if exact is None else exact
    chosen, before = _decided(said, case), _decided(exact, case)
    return {
        "_said": said,
        "accuracy": None if case.label is None else float((chosen == case.label).mean()),
        "agreement": float((chosen == before).mean()),
        "apart": float(np.sqrt(((said - exact) ** 2).mean() / exact.var())),
    }


def _refuse_slow(made: Made, case: Case, plain: Made) -> None:
    """Raise ValueError where one row takes many times as long as in torch with float32."""
    row = case.rows[:1]
    taken = []
    for each in (plain, made):
        each.answer(row)
        before = time.process_time()
        each.answer(row)
        taken.append(time.process_time() - before)
    if taken[1] > TOO_SLOW * taken[0]:
        raise ValueError(f"takes {taken[1] / taken[0]:.0f} times as long as torch, fp32")


def _decided(logits: Array, case: Case) -> Any:
    if logits.ndim == 2:
        return logits.argmax(axis=1)
    threshold = case.model.threshold
    return logits >= np.log(threshold / (1 - threshold))


def _call(made: Made, batch: Array) -> Callable[[], object]:
    return lambda: made.answer(batch)


def race(calls: dict[int, Callable[[], object]]) -> dict[int, float]:
    """Return the least CPU seconds of each call, all timed in turns; short ones several times in a stretch."""
    times, counts = {}, {}
    for at, call in calls.items():
        call()
        before = time.process_time()
        call()
        counts[at] = max(1, round(LONG / max(1e-6, time.process_time() - before)))
        times[at] = np.inf
    began = time.perf_counter()
    for turn in range(TURNS):
        if turn >= LEAST_TURNS and time.perf_counter() - began > SECONDS:
            break
        for at, call in calls.items():
            call()
            before = time.process_time()
            for _ in range(counts[at]):
                call()
            times[at] = min(times[at], (time.process_time() - before) / counts[at])
    return times


def worse(found: dict[str, Any]) -> list[str]:
    """Return in which cells a recipe of evenhand's does worse than a peer of its kind, and by how much."""
    words = {"size": "file", "one": "1 row", "many": f"{found['batch']} rows"}
    told = []
    for own in (row for row in found["variants"] if row["own"] and "one" in row):
        for peer in (
            row for row in found["variants"] if row["kind"] == own["kind"] and not row["own"] and "one" in row
        ):
            cells = {"size": "bytes", "one": "one", "many": "many"}
            said = [
                f"{words[cell]} {own[key] / peer[key]:.2f} x"
                for cell, key in cells.items()
                if own[key] > SLACK[cell] * peer[key]
            ]
            if own["agreement"] < peer["agreement"] - POINTS:
                said.append(f"agreement {own['agreement'] - peer['agreement']:+.1%}")
            if said:
                told.append(f"{own['variant'].removeprefix('evenhand, ')} beside {peer['variant']}: {', '.join(said)}")
    return told


def table(found: dict[str, Any]) -> list[str]:
    """Return the table of one network, and its cells that are worse than a peer's."""
    lines = [
        f"**{found['told'].rstrip('.')}**; {found['parameters']:,} parameters, {found['test_rows']:,} test rows.",
        "",
        f"| variant | MB | 1 row, ms | {found['batch']} rows, ms | accuracy | as fp32 | error |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found["variants"]:
        if "one" not in row:
            continue
        accuracy = "" if row["accuracy"] is None else f"{row['accuracy']:.1%}"
        lines.append(
            f"| {row['variant']} | {row['bytes'] / 1e6:.3g} | {row['one'] * 1e3:.3g} | {row['many'] * 1e3:.3g} | "
            f"{accuracy} | {row['agreement']:.1%} | {row['apart']:.2%} |"
        )
    absent = [row for row in found["variants"] if "one" not in row and "not compiled" not in row["refused"]]
    if absent:
        slow = {
            row["variant"]: f" ({row['refused'].partition(': ')[2]})"
            for row in absent
            if " times as long" in row["refused"]
        }
        told = [f"{row['variant']}{slow.get(row['variant'], '')}" for row in absent]
        lines += ["", f"Refused, or nothing to round: {'; '.join(told)}."]
    lines += [
        "",
        *([f"Worse than a peer: {'; '.join(less)}."] if (less := worse(found)) else ["No cell is worse."]),
        "",
    ]
    return lines


def main(given: Sequence[str] | None = None) -> None:
    """Measure all, or what is asked for, and write it down."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--models", nargs="+")
    asked.add_argument("--show", action="store_true", help="write the tables of what was measured before")
    chosen = asked.parse_args(given)
    held = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {"models": []}
    if not chosen.show:
        _with_peers()
        import torch
        from matrix_networks import NETWORKS

        torch.set_num_threads(1)
        warnings.simplefilter("ignore")
        held |= machine("torch", "onnxruntime", "torchao", "nncf", "transformers")
        for name in chosen.models or NETWORKS:
            torch.manual_seed(0)
            by_name = {found["model"]: found for found in held["models"]} | {name: measure(name)}
            held["models"] = [by_name[known] for known in NETWORKS if known in by_name]
            _write(held)
    _write(held)


def _write(held: dict[str, Any]) -> None:
    lines = [line for found in held["models"] for line in table(found)]
    write("compression_matrix", held, lines[:-1], "Times the network alone, CPU seconds.")


def _with_peers() -> None:
    """Go on in the environment that has the peers, or end with the status of a benchmark that is skipped."""
    if all(find_spec(name) for name in ("torchao", "nncf")):
        for name in ("torchao", "nncf"):
            import_module(name)  # at once: they keep hold of the screen that they see, which the exporter turns away
        return
    python = os.environ.get("EVENHAND_COMPRESSION_PEERS")
    if not python:
        skip("EVENHAND_COMPRESSION_PEERS names no Python with torchao and nncf in it: make bench")
    os.execv(python, [python, *sys.argv])


if __name__ == "__main__":
    main()
