"""A model behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.subjects.adapter import NOT_KNOWN, Adapter
from evenhand.subjects.inputs import select
from evenhand.subjects.proved import Proved
from evenhand.subjects.remote.client import Client
from evenhand.subjects.remote.endpoint import Endpoint, read_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain
    from evenhand.subjects.target import Decide, DeclaredKind

SUFFIX: Final = ".toml"
ON_RECORD: Final = ("url", "protocol", "model", "template", "system", "answers", "otherwise", "most_tokens")
"""What the record says of an endpoint: all that decides its answers, and no key."""


class RemoteSubject(Proved):
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
        super().__init__(name or endpoint.name, features, threshold, positive, score_kind, decide)
        self.endpoint, self.client = endpoint, Client(endpoint)

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
