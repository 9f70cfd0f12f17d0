"""What a server counts of itself, for Prometheus: numbers only, no row, no id."""

from __future__ import annotations

from collections import Counter as Tallied
from typing import TYPE_CHECKING, Final

from evenhand.errors import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from evenhand.monitoring.log.schema import Feedback
    from evenhand.serving.predicting.predictions import Prediction

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Ends of the bins of a latency."""
ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Ends of the bins of a batch's size."""


class Counting:
    """Counters of one server, in a registry of its own.

    Parameters
    ----------
    sha256 : str
        Of the model's file.

    Examples
    --------
    >>> counting = Counting("0" * 64)
    >>> counting.answered("/predict", 200, 0.002)
    >>> b'evenhand_requests_total{path="/predict",status="200"} 1.0' in counting.text()
    True
    """

    def __init__(self, sha256: str) -> None:
        need("prometheus_client", "serve")
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

        own = CollectorRegistry()
        self._registry = own
        Info("evenhand_model", "The model that is served.", registry=own).info({"sha256": sha256})
        self._requests = Counter("evenhand_requests", "Answers.", ("path", "status"), registry=own)
        self._seconds = Histogram("evenhand_request_seconds", "Latency.", ("path",), buckets=SECONDS, registry=own)
        self._decisions = Counter("evenhand_predictions", "Predicted rows.", ("decision",), registry=own)
        self._batches = Histogram("evenhand_batch_rows", "Rows of a batch.", buckets=ROWS, registry=own)
        self._noted = Counter("evenhand_noted_cells", "Cells unlike training.", ("column", "why"), registry=own)
        self._feedback = Counter("evenhand_feedback", "Events of feedback.", ("kind", "stored"), registry=own)
        self.restarts = Counter("evenhand_model_failures", "Batches that the model failed on.", registry=own)
        self._waiting = Gauge("evenhand_waiting_rows", "Rows that wait for model and log.", registry=own)
        self._log = Gauge("evenhand_log_ready", "1 while the log can be written to.", registry=own)

    def watch(self, waiting: Callable[[], float], log: Callable[[], float]) -> None:
        """Take from functions what is asked for at the time of a look."""
        self._waiting.set_function(waiting)
        self._log.set_function(log)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def batch(self, rows: int) -> None:
        """Count a batch."""
        self._batches.observe(rows)

    def predictions(self, made: Iterable[Prediction]) -> None:
        """Count predictions by decision, and cells that are unlike those of training."""
        tallied = Tallied(each.decision or "" for each in made)
        for decision, count in tallied.items():
            self._decisions.labels(decision).inc(count)
        for each in made:
            for why in ("unseen", "outside", "filled"):
                for column in getattr(each.row, why):
                    self._noted.labels(column, why).inc()

    def feedback(self, events: Iterable[Feedback], stored: Iterable[str]) -> None:
        """Count events by kind, and what became of them."""
        for event, each in zip(events, stored, strict=True):
            self._feedback.labels(event.kind, each).inc()

    def text(self) -> bytes:
        """Return all counts as Prometheus reads them."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)
