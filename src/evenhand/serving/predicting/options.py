"""The settings of a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evenhand.errors import parameter
from evenhand.settings import Declared, setting


@dataclass(frozen=True, slots=True)
class ServingOptions(Declared):
    """How a model is served.

    Raises
    ------
    InputError
        When a setting makes no sense; all such settings are named together.

    Examples
    --------
    >>> ServingOptions(max_batch=32).max_rows
    1000
    """

    rate: str = setting("1000/second", "Rows that a token may ask for in a window of time: 5000/minute; off for any")
    max_bytes: int = setting(1_000_000, "Bytes of a request, at most", least=1_000, most=1 << 30)
    max_rows: int = setting(1_000, "Rows of a request, at most", least=1)
    max_batch: int = setting(256, "Rows that are predicted together, at most", least=1)
    max_waiting: int = setting(10_000, "Rows that may wait; more are answered 503", least=1)
    batch_wait_ms: float = setting(
        0.0, "Milliseconds to wait for further requests while the model is idle", least=0.0, most=60_000.0
    )
    strict: bool = setting(False, "Refuse levels never seen in training, and missing cells where training had none")
    threshold: float | None = setting(None, "A score at or above it is decided for the positive class")
    classes: tuple[str, ...] = setting((), "The words of its decisions: the negative and the positive, or all classes")
    adverse: str | None = setting(None, "The decision that is against a person; reasons are given for it")
    reasons_rows: int = setting(100, "Background rows that a reason is found against", least=1, most=10_000)
    no_reason: tuple[str, ...] = setting((), "A sensitive input: a notice that would name it is withheld")
    feature_words: Mapping[str, str] = setting({}, "A column in the words of a notice")
    grace: float = setting(30.0, "How long accepted requests are answered after SIGTERM", unit="seconds", above=0.0)

    def contradictions(self) -> Iterable[str]:
        """Return errors of settings that are incompatible."""
        if self.adverse is None and (self.no_reason or self.feature_words):
            yield f"{parameter('no_reason')} and {parameter('feature_words')} go with {parameter('adverse')}: pass it."
