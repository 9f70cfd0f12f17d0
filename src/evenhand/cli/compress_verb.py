"""``evenhand compress``: a model in, a smaller one out."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import warnings
from typing import TYPE_CHECKING, Any, cast

import click

from evenhand.cli.console import progress
from evenhand.cli.flags import PATH, Finite, file_flag, refuse_idle
from evenhand.cli.outputs import check_places
from evenhand.cli.roles import file_of, read_table, role_flags
from evenhand.cli.rows import role_words
from evenhand.cli.searching import plan_of, refuse_halves, run_search
from evenhand.cli.summary import quiet_flag, summarize

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.compression import Recipe


@click.command(name="compress")
@click.argument("model", type=PATH)
@file_flag("--train", "data", required=True, help="Training rows to fine-tune and calibrate on.")
@click.option(
    "--recipe",
    "-r",
    "recipes",
    multiple=True,
    help="A recipe: neuron_pruning=0.5, int8, or int8:kind=dynamic; in order. To search: neuron_pruning=0.25,0.5+int8.",
)
@file_flag("--validation", help="Rows to stop fine-tuning by; a part of --train otherwise.")
@role_flags
@click.option("--balance", multiple=True, help="Fine-tune so that the groups of this column weigh equally.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--seconds", type=Finite(min=0), help="Start no further epoch of fine-tuning after this time.")
@click.option("--search", is_flag=True, help="Try recipes and strengths; find the smallest model that passes.")
@file_flag("--test", help="With --search: rows to compare models on.")
@file_flag("--policy", help="With --search: policy to judge each model by.")
@click.option("--seeds", type=click.IntRange(1), help="With --search: repeat training and compression over seeds.")
@file_flag("--output", "-o", required=True, help="The new model; with --search a folder.")
@quiet_flag
def command(
    model: Path,
    data: Path,
    recipes: tuple[str, ...],
    validation: Path | None,
    balance: tuple[str, ...],
    seed: int,
    seconds: float | None,
    search: bool,
    test: Path | None,
    policy: Path | None,
    seeds: int | None,
    output: Path,
    **flags: object,
) -> None:
    """Apply recipes to MODEL, in order, and save the new model. See: evenhand list recipes

    With --search, try many and write study.json, study.html and every model to the folder. A search that was
    stopped resumes when it is run again. Ten or more seeds make a population study.

    \b
    Examples:
      evenhand compress credit.safetensors --train train.parquet -r neuron_pruning=0.5 -r int8 -o small.onnx
      evenhand compress credit.safetensors --train train.parquet --test test.parquet --search --seeds 10 -o study
    """
    if search:
        refuse_idle("a single compression (no --search)", False, "validation", "seconds")
    refuse_halves(search, test, recipes, {"test": test, "policy": policy, "seeds": seeds})
    if search and test is not None:
        settings = file_of(flags)
        table = read_table(data, settings, flags)
        from evenhand.data import read_evaluation_set

        more = {"seeds": seeds or 1, "seed": seed, "balance": balance}
        plan = plan_of(model, (table, read_evaluation_set(test, like=table)), recipes, parse_recipe, output, **more)
        from evenhand.policy import load_policy

        run_search(plan, None if policy is None else load_policy(policy))
        return
    from evenhand.compression import compress
    from evenhand.compression.compressing import LARGER
    from evenhand.errors import ModelError
    from evenhand.training import load_model

    check_places([output], (model, data, flags.get("config")))
    chosen = [parse_recipe(text) for text in recipes]
    suffix = ".onnx" if chosen[-1].describe().get("runtime") == "onnxruntime" else ".safetensors"
    if output.suffix != suffix:
        raise ModelError(f"{output}: these recipes make a {suffix} file; name it {output.with_suffix(suffix).name}.")
    settings = file_of(flags)
    table = read_table(data, settings, flags)
    held = None if validation is None else read_table(validation, settings, flags)
    with progress("Compressing") as step, warnings.catch_warnings():
        warnings.filterwarnings("ignore", f".*{LARGER}")  # the last line says it
        small = compress(
            load_model(model), chosen, train=table, validation=held, seed=seed, balance=balance or None,
            seconds=seconds, progress=step,
        )  # fmt: skip
    if not hasattr(small, "save"):
        raise ModelError(f"The result of {', '.join(recipes)} cannot be saved.")
    small.save(output)
    after, before = output.stat().st_size, model.stat().st_size
    sizes = f"{after:,} bytes, the original has {before:,}{': it became larger' if after > before else ''}"
    summarize(
        [f"Wrote {output}: {sizes}"],
        ["evenhand", "audit", test or "TEST", "--model", output, "--original", model, *role_words()],
    )


def parse_recipe(text: str) -> Recipe:
    """Read ``name``, ``name=value`` or ``name:setting=value:...`` as a recipe.

    Raises
    ------
    InputError
        When there is no such recipe, or its value does not fit.
    """
    from evenhand.compression import RECIPES
    from evenhand.errors import InputError, did_you_mean, raise_all

    head, *rest = re.split(r":(?=\w+=)", text)
    name, _, value = head.partition("=")
    recipe = RECIPES.find(name)
    settings = {setting: _value(said) for setting, _, said in (part.partition("=") for part in rest)}
    known = [field.name for field in dataclasses.fields(cast("Any", recipe))]
    raise_all(
        InputError,
        (
            f"--recipe {text}: {name} has no setting '{setting}'.{did_you_mean(setting, known)}"
            for setting in settings
            if setting not in known
        ),
    )
    try:
        return recipe(*([_value(value)] if value else []), **settings)
    except (TypeError, ValueError, InputError) as wrong:
        raise InputError(f"--recipe {text}: {wrong}") from None


def _value(said: str) -> object:
    """Return a setting's value: a number, whole where it is, numbers joined by ``x`` as sizes of layers, else text."""
    for kind in (int, float, lambda text: tuple(int(size) for size in text.split("x"))):
        with contextlib.suppress(ValueError):
            return kind(said)
    return said
