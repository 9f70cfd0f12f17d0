"""What ``--backbone`` does: flags, what goes with them, and the fit of a head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from evenhand.cli.console import progress
from evenhand.cli.flags import file_flag
from evenhand.settings import settings_of
from evenhand.training.config import TrainingConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenhand.cli.flags import Command
    from evenhand.data import EvaluationSet
    from evenhand.training import NetworkModel

LENGTH: Final = "Tokens of a text that the backbone reads; 0 takes those of the longest row, up to 128."
_OF_A_WHOLE_NETWORK: Final = (
    "model", "network", "channels", "width", "patch", "vocabulary", "heads", "embedding", "scaling", "pieces",
    "read_codes", "baseline", "trees", "leaves", "shrinkage", "quantiles", "log_target",
)  # fmt: skip
"""Settings of networks that are built here, or of trees: a backbone has its own."""


def backbone_flag(**about: object) -> Callable[[Command], Command]:
    """Return the flag that names a backbone."""
    told = "A network that was trained before: a folder of transformers, or an evenhand .safetensors"
    more = "; an ONNX graph, too." if about else ", under a new head."
    return file_flag("--backbone", help=f"{told}{more}", **about)


def transfer_flags(command: Command) -> Command:
    """Add the flags of a head over a backbone."""
    for add in (
        click.option(
            "--unfreeze-epochs", type=click.IntRange(min=1), default=3, show_default=True,
            help="With --unfreeze: passes over the rows.",
        ),
        click.option("--unfreeze", is_flag=True, help="With --backbone: fit it, too, after the head and more slowly."),
        backbone_flag(),
    ):  # fmt: skip
        command = add(command)
    return command


def refuse_with_backbone(given: dict[str, object], others: dict[str, object]) -> None:
    """Refuse settings and flags that a head over a backbone has no use for.

    Parameters
    ----------
    given : dict
        Settings of the fit that flags or the settings file gave.
    others : dict
        Other flags, each with its value.

    Raises
    ------
    click.UsageError
    """
    known = settings_of(TrainingConfig)
    names = [known[name].flag for name in _OF_A_WHOLE_NETWORK if name in given]
    names += [name for name, value in others.items() if value is not None]
    if names:
        raise click.UsageError(f"{', '.join(names)}: of no use over a --backbone, which has its own. Leave it out.")


def transferred(
    parts: dict[str, EvaluationSet], backbone: Path, config: TrainingConfig, name: str, epochs: int | None
) -> NetworkModel:
    """Return a head over a backbone; where `epochs` are given, that is then fitted with the head."""
    from evenhand.training import open_backbone, transfer

    with progress("Training") as step:
        step(0, config.epochs, "opening the backbone")
        body = open_backbone(backbone, parts["train"], length=config.length)
        return transfer(
            body, parts["train"], parts["validation"], config=config, frozen=epochs is None, epochs=epochs or 1,
            name=name, progress=step,
        )  # fmt: skip
