"""The topics of `make coverage`: one module `topic_<name>.py` each, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from cells import Topic

NAMES: Final = tuple(sorted(path.stem.removeprefix("topic_") for path in Path(__file__).parent.glob("topic_*.py")))


def _topic(name: str) -> Callable[[], Topic]:
    def load() -> Topic:
        topic: Topic = import_module(f"topic_{name}").TOPIC
        return topic

    return load


TOPICS: Final = {name: _topic(name) for name in NAMES}
"""By name, each as what makes it."""
