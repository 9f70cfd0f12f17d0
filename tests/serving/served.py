"""A model that is served in the tests' own process, a log in memory, and bad rows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import evenhand as eh
from evenhand.serving.journal.journal import ConflictError, JournalError
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.testclient import TestClient

    from evenhand.data import EvaluationSet
    from evenhand.monitoring.log.schema import Entry, Feedback
    from evenhand.serving.journal.journal import Journal, Stored
    from evenhand.training import NetworkModel

SCOPES = ("predict", "feedback", "metrics")


class Kept:
    """A log in memory; `lost`: whether its disk is gone."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.events: dict[str, Feedback] = {}
        self.calls: list[int] = []
        self.lost = self.closed = False

    def record(self, entries: Sequence[Entry]) -> list[Stored]:
        if self.lost:
            raise JournalError("The disk is full.")
        self.calls.append(len(entries))
        for entry in entries:
            known = self.entries.get(entry.id)
            if known is not None and (known.inputs, known.score) != (entry.inputs, entry.score):
                raise ConflictError(f"'{entry.id}' is there with another content.")
        found: list[Stored] = ["known" if entry.id in self.entries else "stored" for entry in entries]
        self.entries |= {entry.id: entry for entry in entries if entry.id not in self.entries}
        return found

    def tell(self, events: Sequence[Feedback]) -> list[Stored]:
        if self.lost:
            raise JournalError("The disk is full.")
        found: list[Stored] = [
            "known" if event.id in self.events else "stored" if event.prediction in self.entries else "orphan"
            for event in events
        ]
        self.events |= {event.id: event for event in events}
        return found

    def check(self) -> None:
        if self.lost:
            raise JournalError("The disk is full.")

    def close(self) -> None:
        self.closed = True


def table(rows: int = 300, seed: int = 1) -> pd.DataFrame:
    """Rows with a number, a category, a code with missing cells, and a label."""
    rng = np.random.default_rng(seed)
    income, job = rng.normal(50, 15, rows).round(2), rng.choice(["clerk", "smith", "cook"], rows)
    region = rng.choice([10.0, 20.0, 40.0], rows)
    paid = (income + 12 * (job == "smith") + rng.normal(0, 10, rows) > 52).astype(int)
    region[::11] = np.nan
    return pd.DataFrame({"income": income, "job": job, "region": region, "paid": paid})


def data() -> EvaluationSet:
    """Return the rows that the model is fitted on."""
    return eh.read_evaluation_set(table(), label="paid")


@cache
def model() -> NetworkModel:
    """Return a small network for the table."""
    return fit(data(), config=TrainingConfig(epochs=20, learning_rate=0.02, hidden=(8,), baseline=False, pieces=0))


def client(subject: object = None, journal: Journal | None = None, **settings: Any) -> TestClient:
    """Return a client, with a token for everything, of an application; `reasons` adds those of decision 0."""
    from starlette.testclient import TestClient

    from evenhand.serving.predicting.app import Application
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.options import ServingOptions
    from evenhand.serving.predicting.reasons import Reasons
    from evenhand.serving.predicting.tokens import Tokens, new_token

    explained, scopes = settings.pop("reasons", False), settings.pop("scopes", SCOPES)
    columns = settings.pop("columns", ())
    options = ServingOptions(**{"rate": "off", **settings, **({"adverse": "0"} if explained else {})})
    deployed = Deployed(subject or model(), columns, options.classes, options.threshold)  # type: ignore[arg-type]
    text, token = new_token("tests", scopes)
    reasons = None
    if explained:
        reasons = Reasons(deployed, table(), "0", rows=20, sensitive=options.no_reason, words=options.feature_words)
    made = Application(deployed, options, Tokens([token]), journal, reasons)
    return TestClient(made, headers={"authorization": f"Bearer {text}"}, raise_server_exceptions=True)


def row(**changed: object) -> dict[str, object]:
    """Return the inputs of a row."""
    return {"income": 41.5, "job": "clerk", "region": 20, **changed}
