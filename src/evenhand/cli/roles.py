"""The flags that name the roles of columns, and the reading of a table by flags and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from evenhand.cli.settings import Settings, read_settings

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet

Command = TypeVar("Command", bound=Callable[..., object])

ROLE_FLAGS = (
    click.option("--label", help="Column with the truth."),
    click.option(
        "--task",
        type=click.Choice(["binary", "multiclass", "regression", "ranking"]),
        help="What the label is; told from its values where they leave no doubt.",
    ),
    click.option("--query", help="Column that names the list an item stands in, for ranking."),
    click.option("--pos-label", help="Value of the label that counts as positive."),
    click.option("--favourable", help="Value of the label that is good for the person."),
    click.option("--sensitive", "sensitive_features", multiple=True, help="Sensitive feature; may be repeated."),
    click.option("--control", "control_features", multiple=True, help="Control feature; may be repeated."),
    click.option("--weight", "sample_weight", help="Column with sampling weights."),
    click.option("--frequency", help="Column that says for how many rows each row stands (a table of counts)."),
    click.option(
        "--squared-weight", help="Column with sums of squared weights, in a table of counts of weighted rows."
    ),
    click.option("--id", "id", help="Column that names the row; never a model input."),
    click.option("--cluster", help="Column that names whom rows belong to together."),
    click.option("--proxy", "proxies", multiple=True, help="Feature known by probabilities: race=p_black,p_white."),
    click.option("--images", help="Column that names each row's image file, which the model reads."),
    click.option("--texts", help="Column of the texts that the model reads."),
    click.option(
        "--inputs",
        type=click.Path(),
        help="What the model reads, no table: arrays (.npy), texts one a line (.txt), or the folder of --images.",
    ),
    click.option("--exclude", multiple=True, help="Column that is no model input; may be repeated."),
    click.option("--use-sensitive", is_flag=True, default=None, help="Let the model read the sensitive features."),
    click.option(
        "--missing",
        type=click.Choice(["error", "group"]),
        help="Missing sensitive values: refuse them, or count them as a group of their own.",
    ),
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="Settings file; evenhand.toml in this folder when not given.",
    ),
)


def role_flags(command: Command) -> Command:
    """Add the flags that name roles to a command."""
    for flag in reversed(ROLE_FLAGS):
        command = flag(command)
    return command


def read_table(source: Path, settings: Settings, flags: dict[str, object], **more: object) -> EvaluationSet:
    """Read a table; flags win over the settings file.

    Parameters
    ----------
    flags : dict
        The values of `ROLE_FLAGS`; None, empty and unset ones leave the file's value.
    more : optional
        Further arguments of `read_evaluation_set`.
    """
    from evenhand.data import read_evaluation_set

    return read_evaluation_set(source, **role_values(settings, flags), **more)  # type: ignore[arg-type]


def role_values(settings: Settings, flags: dict[str, object]) -> dict[str, object]:
    """Return what columns are, by the names of `read_evaluation_set`; flags win over the settings file."""
    asked = {name: value for name, value in flags.items() if value not in (None, ())}
    values = {**settings.data, **asked}
    for name in ("threshold", "score_kind", "config"):
        values.pop(name, None)
    said = values.get("proxies")
    if isinstance(said, tuple):
        values["proxies"] = dict(_proxy(text) for text in said)
    if isinstance(bins := values.get("bins"), dict):  # of the file: a flag may have taken its column out of the groups
        groups = {*_named(values, "sensitive_features"), *_named(values, "control_features")}
        named = {*_named(settings.data, "sensitive_features"), *_named(settings.data, "control_features")}
        values["bins"] = {column: edges for column, edges in bins.items() if column in groups or column not in named}
    if "pos_label" in values:
        values["positive"] = values.pop("pos_label")
    return values


def _named(values: Mapping[str, object], role: str) -> tuple[str, ...]:
    found = values.get(role)
    return tuple(map(str, found)) if isinstance(found, (list, tuple)) else ()


def _proxy(text: str) -> tuple[str, list[str]]:
    name, found, columns = text.partition("=")
    if not found or not columns:
        raise click.BadParameter(f"'{text}' names no columns; write race=p_black,p_white.", param_hint="--proxy")
    return name, columns.split(",")


def settings_of(flags: dict[str, object]) -> Settings:
    """Take ``config`` out of the flags and read the settings file it names."""
    config = flags.pop("config", None)
    return read_settings(config if isinstance(config, Path) else None)
