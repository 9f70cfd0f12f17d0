"""A model behind HTTP."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.subjects.adapter import NOT_KNOWN, Adapter
from evenhand.subjects.inputs import select
from evenhand.subjects.proof import Proof
from evenhand.subjects.remote_client import Client
from evenhand.subjects.remote_endpoint import Endpoint, read_endpoint
from evenhand.subjects.target import Declared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain
    from evenhand.subjects.protocol import ScoreKind
    from evenhand.subjects.target import Decide, DeclaredKind, Target

SUFFIX: Final = ".toml"
ON_RECORD: Final = ("url", "protocol", "model", "template", "system", "answers", "otherwise", "most_tokens")
"""What the record says of an endpoint: all that decides its answers, and no key."""


class RemoteSubject:
    """A model that answers by HTTP; each row is asked for once.

    Numbers are probabilities of the positive class where nothing else is declared, and texts are labels.

    Parameters
    ----------
    endpoint : Endpoint
        Where it is and how it is asked.
    name : str, optional
        What the report calls it; the endpoint's model, or its host, when not given.
    threshold, score_kind, positive, features, decide
        As for a function.
    """

    reads: Final = "table"

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        name: str | None = None,
        threshold: float | None = None,
        score_kind: DeclaredKind | None = None,
        positive: object = None,
        features: Sequence[str] | None = None,
        decide: Decide | None = None,
    ) -> None:
        self.endpoint, self.client = endpoint, Client(endpoint)
        self.name = name or endpoint.name
        self.features = None if features is None else tuple(features)
        self.declared = Declared(threshold, positive, "label" if decide is not None else score_kind, decide)
        self.proof = Proof(self.name, self.declared)

    def bound(self, target: Target) -> Self:
        """Return the same model, to be audited on a label of two classes; it shares the answers."""
        twin = copy.copy(self)
        twin.proof = Proof(self.name, self.declared, target)
        return twin

    def declaring(self, declared: Declared) -> Self:
        """Return the same model with other declarations about its output."""
        twin = copy.copy(self)
        twin.declared = declared
        twin.proof = Proof(self.name, declared, self.proof.target if self.proof.bound else None)
        return twin

    @property
    def score_kind(self) -> ScoreKind:
        """As declared; else as seen in the last prediction, and a probability before that."""
        return self.proof.score_kind

    @property
    def threshold(self) -> float:
        """A score at or above it is predicted positive."""
        return self.proof.threshold

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Where it is and what it was asked; the key is not among it."""
        told = {name: getattr(self.endpoint, name) for name in ON_RECORD}
        asked = {name: list(each) if isinstance(each, tuple) else each for name, each in told.items() if each}
        features = None if self.features is None else cast("Plain", list(self.features))
        known: dict[str, Plain] = {"kind": "remote", "features": features, "endpoint": cast("Plain", asked)}
        return {**known, **NOT_KNOWN, **self.proof.facts}

    def function(self, batch: Batch) -> NDArray[Any]:
        """Return what the endpoint answers for each row: numbers, or labels as texts, shape (n,)."""
        import numpy as np

        table = cast("pd.DataFrame", select(batch, self.features, self.name))
        rows = [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]
        found = self.client.answers(rows)
        words = any(isinstance(each, str) for each in found)
        return np.asarray(found, dtype=object if words else np.float64)

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        values = self.function(batch)
        seen: DeclaredKind = "probability" if values.dtype.kind == "f" else "label"
        return self.proof.scores(values, len(values), self.declared.score_kind or seen)


def _plain(value: object) -> object:
    """Return a value as JSON has it; what is missing is null."""
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    if plain is None or plain != plain:  # noqa: PLR0124  # nan, and NaT
        return None
    return plain if isinstance(plain, (bool, int, float, str)) else str(plain)


def remote_place(place: str | Path) -> str | None:
    """Return the address, or the declaring file, of a remote model; None of another model.

    A path has lost the second slash of an address.
    """
    text = str(place)
    for scheme in ("http", "https"):
        if text.startswith(f"{scheme}:/"):
            return f"{scheme}://{text.removeprefix(f'{scheme}:').lstrip('/')}"
    return text if text.endswith(SUFFIX) else None


def open_remote(place: str, **declared: object) -> RemoteSubject:
    """Open a model behind HTTP.

    Parameters
    ----------
    place : str
        Its address, for rows in JSON; or a file of TOML that declares an `Endpoint`.
    **declared
        As for `RemoteSubject`.

    Raises
    ------
    ModelError
        When the declaration is wrong.
    """
    endpoint = read_endpoint(Path(place)) if place.endswith(SUFFIX) else Endpoint(place)
    return RemoteSubject(endpoint, **declared)  # type: ignore[arg-type]


def _fits(model: object) -> bool:
    return isinstance(model, Endpoint)


ADAPTER: Final = Adapter(RemoteSubject, _fits, 5)
