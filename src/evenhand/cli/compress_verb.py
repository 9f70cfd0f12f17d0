"""``evenhand compress``: a model in, a smaller one out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress, say
from evenhand.cli.roles import read_table, role_flags, settings_of

if TYPE_CHECKING:
    from evenhand.compression import Recipe


@click.command(name="compress")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--train",
    "data",
    type=click.Path(path_type=Path),
    required=True,
    help="Training rows to fine-tune and calibrate on.",
)
@click.option(
    "--recipe",
    "-r",
    "recipes",
    multiple=True,
    required=True,
    help="A recipe, such as neuron_pruning=0.5 or int8; in order.",
)
@role_flags
@click.option("--balance", multiple=True, help="Fine-tune so that the groups of this column weigh alike.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="Where the new model is written.")
def command(
    model: Path,
    data: Path,
    recipes: tuple[str, ...],
    balance: tuple[str, ...],
    seed: int,
    output: Path,
    **flags: object,
) -> None:
    """Apply recipes to MODEL, in order, and save the new model. See: evenhand list recipes

    \b
    Example: evenhand compress credit.safetensors --train train.parquet -r neuron_pruning=0.5 -r int8 -o small.onnx
    """
    from evenhand.compression import compress
    from evenhand.errors import ModelError
    from evenhand.training import load_model
    from evenhand.writing import check_writable

    check_writable(output)
    chosen = [parse_recipe(text) for text in recipes]
    settings = settings_of(flags)
    table = read_table(data, settings, flags)
    with progress("Compressing") as step:
        small = compress(load_model(model), chosen, train=table, seed=seed, balance=balance or None, progress=step)
    if not hasattr(small, "save"):
        raise ModelError(f"The result of {', '.join(recipes)} cannot be saved.")
    suffix = ".onnx" if small.facts.get("kind") == "onnx" else ".safetensors"
    if output.suffix != suffix:
        raise ModelError(f"{output}: these recipes make a {suffix} file; name it {output.with_suffix(suffix).name}.")
    small.save(output)
    say(f"Wrote {output}: {output.stat().st_size:,} bytes, the original has {model.stat().st_size:,}")


def parse_recipe(text: str) -> Recipe:
    """Read ``name`` or ``name=value`` as a recipe.

    Raises
    ------
    InputError
        When there is no such recipe, or its value does not fit.
    """
    from evenhand.compression import RECIPES
    from evenhand.errors import InputError, did_you_mean

    name, _, value = text.partition("=")
    if name not in RECIPES:
        raise InputError(f"There is no recipe '{name}'.{did_you_mean(name, RECIPES)} See: evenhand list recipes")
    try:
        return RECIPES[name](float(value)) if value else RECIPES[name]()
    except (TypeError, ValueError) as wrong:
        raise InputError(f"--recipe {text}: {wrong}") from None
