"""The end of a command: a few lines on what came out, and the next command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, TypeVar

import click

from evenhand.output.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Command = TypeVar("Command", bound=Callable[..., object])

MOST: Final = 10
"""Lines of a summary, the next command among them."""
_QUIET: Final = "evenhand.quiet"


def quiet_flag(command: Command) -> Command:
    """Add ``--quiet``, which `summarize` obeys."""

    def note(context: click.Context, _: click.Parameter, value: bool) -> None:
        context.meta[_QUIET] = value

    return click.option(
        "--quiet", "-q", is_flag=True, is_eager=True, expose_value=False, callback=note, help="Print no summary."
    )(command)


def is_quiet() -> bool:
    """Return whether the command that runs was given ``--quiet``."""
    context = click.get_current_context(silent=True)
    return bool(context is not None and context.meta.get(_QUIET))


def summarize(lines: Iterable[str], following: Iterable[object] | None = None) -> None:
    """Print a summary to stderr, with or without a terminal; nothing with ``--quiet``.

    Parameters
    ----------
    lines : sequence of str
        What came out, the most important first; those beyond `MOST` are counted.
    following : sequence, optional
        The words of the next command.
    """
    if is_quiet():
        return
    told = [*lines]
    room = MOST - (following is not None)
    if len(told) > room:
        told = [*told[: room - 1], f"and {len(told) - room + 1:,} lines more"]
    for line in told:
        say(line)
    if following is not None:
        say(f"Next: {shlex.join(map(str, following))}")
