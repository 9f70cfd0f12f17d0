"""Progress on stderr, silent without a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from evenhand.output.printing import on_terminal
from evenhand.output.sanitising import plain

Step: TypeAlias = Callable[[int, int, str], None]


@contextmanager
def progress(title: str) -> Iterator[Step]:
    """Show a progress bar on stderr while the block runs; nothing when stderr is not a terminal."""
    if not on_terminal():
        yield lambda done, total, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    # the names in a step are no markup
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def step(done: int, total: int, text: str) -> None:
            described = f"{title}: {plain(text)}" if text else title
            bar.update(task, description=described, completed=done, total=total)

        yield step
