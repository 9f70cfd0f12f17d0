"""Making the models of a study: originals of several seeds, and of each every candidate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evenhand.errors import EvenhandError, ModelError
from evenhand.studies.units import Unit, Units, fingerprint

if TYPE_CHECKING:
    from evenhand.compression import CompressedModel
    from evenhand.findings import Plain
    from evenhand.studies.candidates import Candidate
    from evenhand.studies.plan import Plan
    from evenhand.training import NetworkModel

ENDINGS = (".onnx", ".safetensors")


def make_units(plan: Plan) -> list[Unit]:
    """Return every unit of a plan, reusing those in its folder; report progress for each.

    A candidate that cannot be made of an original is a unit with the reason, not an error.
    """
    units, steps = Units(plan.folder), plan.seeds * (1 + len(plan.candidates))
    found: list[Unit] = []
    for number in range(plan.seeds):
        seed = plan.seed + number
        original = None
        for candidate in (None, *plan.candidates):
            name = "" if candidate is None else candidate.name
            plan.say(len(found), steps, f"{name or 'original'}, seed {seed}")
            mark = _mark(plan, candidate, seed, first=number == 0)
            unit = units.read(name, seed, mark)
            if unit is None:
                original = original or _original(plan, units, seed, first=number == 0)
                unit = _made(plan, units, original, candidate, seed)
                units.write(unit, mark)
            found.append(unit)
    plan.say(steps, steps, "")
    return found


def _mark(plan: Plan, candidate: Candidate | None, seed: int, *, first: bool) -> str:
    model = plan.original
    return fingerprint(
        {
            "model": model.facts["sha256"] if first else [model.history.get("config"), model.facts["features"]],
            "candidate": None if candidate is None else [candidate.describe(), candidate.balance],
            "seed": seed,
            "train": plan.train.content_hash(),
            "validation": None if plan.validation is None else plan.validation.content_hash(),
            "evaluation": plan.evaluation.content_hash(),
        }
    )


def _original(plan: Plan, units: Units, seed: int, *, first: bool) -> NetworkModel:
    """Return the original of a seed: the one passed in, else the same fit with another seed."""
    if first:
        return plan.original
    from evenhand.training import TrainingConfig, fit, load_model

    place = Path(f"{units.model_place('', seed)}.safetensors")
    held = plan.original.history.get("config")
    if not isinstance(held, dict):
        raise ModelError("The model does not tell how it was trained, so it cannot be trained again; use one seed.")
    config = replace(TrainingConfig.from_plain(held), seed=seed)
    checked = units.read("", seed, _mark(plan, None, seed, first=False))
    if checked is not None and place.exists():
        return load_model(place)
    model = fit(plan.train, plan.validation, replace(config, baseline=False), name=plan.original.name)
    plan.folder.mkdir(parents=True, exist_ok=True)
    model.save(place)
    return model


def _made(plan: Plan, units: Units, original: NetworkModel, candidate: Candidate | None, seed: int) -> Unit:
    from evenhand.compression import compress
    from evenhand.evidence.predictions import ask, inputs

    rows = inputs(original, plan.evaluation)
    if candidate is None:
        return Unit("", seed, ask(original, rows), original.threshold, _facts(original))
    recipes = candidate.recipes
    try:
        small = compress(
            original, recipes, train=plan.train, validation=plan.validation, seed=seed, balance=candidate.balance
        )
    except EvenhandError as wrong:
        return Unit(candidate.name, seed, None, failure=" ".join(wrong.problems))
    plan.folder.mkdir(parents=True, exist_ok=True)
    ending = ".onnx" if small.facts.get("kind") == "onnx" else ".safetensors"
    small.save(f"{units.model_place(candidate.name, seed)}{ending}")
    return Unit(candidate.name, seed, ask(small, rows), float(small.threshold), _facts(small))


def _facts(model: NetworkModel | CompressedModel) -> dict[str, Plain]:
    from evenhand.compression.footprint import count_macs

    facts = model.facts
    known = {name: facts.get(name) for name in ("file_bytes", "parameters", "nonzero_parameters", "sha256")}
    return {**known, "macs": count_macs(model)}


def model_file(plan: Plan, name: str, seed: int) -> Path | None:
    """Return the file of a candidate's model; None when it was not made."""
    place = Units(plan.folder).model_place(name, seed)
    return next((Path(f"{place}{ending}") for ending in ENDINGS if Path(f"{place}{ending}").exists()), None)
