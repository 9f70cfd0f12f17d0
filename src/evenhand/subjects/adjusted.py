"""A subject under another name or threshold, or given something made of what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.protocol import Subject
from evenhand.subjects.target import Declared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import ScoreKind
    from evenhand.subjects.target import Decide, DeclaredKind


class AdjustedSubject:
    """The same scores with another name or threshold; `prepare` converts a batch for the inner subject."""

    def __init__(
        self,
        inner: Subject,
        *,
        name: str | None = None,
        threshold: float | None = None,
        prepare: Callable[[Batch], Batch] | None = None,
        reads: Reads | None = None,
    ) -> None:
        self.inner = inner
        self.reads: Reads | None = reads or (getattr(inner, "reads", "table") if prepare is None else None)
        self._made = prepare
        self._name = name
        self._threshold = threshold

    def of(self, inner: Subject) -> AdjustedSubject:
        """Return another subject, adjusted likewise."""
        reads = self.reads if self._made is None else None
        return AdjustedSubject(inner, name=self._name, threshold=self._threshold, prepare=self._made, reads=reads)

    @property
    def name(self) -> str:
        """The new name, else that of the subject."""
        return self._name or self.inner.name

    @property
    def threshold(self) -> float:
        """The new threshold, else that of the subject."""
        return self.inner.threshold if self._threshold is None else float(self._threshold)

    @property
    def score_kind(self) -> ScoreKind:
        """As the subject has it."""
        return self.inner.score_kind

    @property
    def facts(self) -> Mapping[str, Plain]:
        """The subject's, with the threshold it came with where another was set, and of what is prepared by a model."""
        found = _with_encoder(self.inner.facts, getattr(self._made, "facts", None))
        if self._threshold is None:
            return found
        return {**found, "own_threshold": self.inner.threshold, "decided_by": "given"}

    @property
    def own_decisions(self) -> Callable[[Batch], NDArray[np.intp]] | None:
        """The subject's own decisions, where it has any and no threshold was set here."""
        own: Callable[[Batch], NDArray[np.intp]] | None = getattr(self.inner, "own_decisions", None)
        made = self._made
        if own is None or self._threshold is not None or made is None:
            return own if self._threshold is None else None
        return lambda batch: own(made(batch))

    def __getattr__(self, name: str) -> object:
        """Return what the subject has beyond the protocol: the rows it was fitted on, its network, what it cost."""
        past = self.__dict__.get("_made") is not None and name in ("prepare", "answer", "predict_prepared", "refit")
        if name.startswith("_") or name == "inner" or past:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the scores of the subject."""
        return self.inner.predict(batch if self._made is None else self._made(batch))


def _with_encoder(facts: Mapping[str, Plain], encoder: Mapping[str, Plain] | None) -> Mapping[str, Plain]:
    """Return the facts of a model over an encoder: counts and bytes are those of both."""
    if encoder is None:
        return facts
    both: dict[str, Plain] = {**facts, "encoder": dict(encoder)}
    for name in ("parameters", "nonzero_parameters", "file_bytes"):
        head, body = facts.get(name), encoder.get(name)
        both[name] = head + body if isinstance(head, int) and isinstance(body, int) else None
    return both


def adjusted(
    model: Subject,
    *,
    name: str | None = None,
    threshold: float | None = None,
    prepare: Callable[[Batch], Batch] | None = None,
    reads: Reads | None = None,
    positive: object = None,
    score_kind: DeclaredKind | None = None,
    decide: Decide | None = None,
) -> Subject:
    """Return a subject as it is, or adjusted where something is given.

    Raises ModelError when something is declared about the output of a subject that says itself what it is.
    """
    untold = threshold is not None and getattr(model, "untold", False)
    if untold or any(given is not None for given in (positive, score_kind, decide)):
        model, threshold = declaring(model, Declared(threshold, positive, score_kind, decide)), None
    if all(given is None for given in (name, threshold, prepare, reads)):
        return model
    if threshold is not None:
        Declared(threshold)
    return AdjustedSubject(model, name=name, threshold=threshold, prepare=prepare, reads=reads)


def declaring(model: Subject, declared: Declared) -> Subject:
    """Return a subject with declarations about its output.

    Raises ModelError when it says itself what that is.
    """
    if isinstance(model, AdjustedSubject):
        return model.of(declaring(model.inner, declared))
    known, old = getattr(model, "declaring", None), getattr(model, "declared", None)
    if known is None or old is None:
        raise ModelError(
            f"Model '{model.name}' says itself what its output is, a {model.score_kind}: positive=, score_kind= and "
            "decide= are for models that do not. threshold= may be given."
        )
    made: Subject = known(declared.over(old))
    return made


def _fits(model: object) -> bool:
    return isinstance(model, Subject) and not isinstance(model, type)


ADAPTER: Final = Adapter(adjusted, _fits, 0)
