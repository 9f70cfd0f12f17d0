"""Remarks and progress on stderr, silent without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import click

Step: TypeAlias = Callable[[int, int, str], None]


def say(text: str) -> None:
    """Write one remark to stderr."""
    click.echo(text, err=True)


def remark(text: str) -> None:
    """Write one remark to stderr on a terminal."""
    if sys.stderr.isatty():
        say(text)


@contextmanager
def progress(title: str) -> Iterator[Step]:
    """Show a progress bar on stderr while the block runs; nothing when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def step(done: int, total: int, text: str) -> None:
            bar.update(task, description=f"{title}: {text}" if text else title, completed=done, total=total)

        yield step
