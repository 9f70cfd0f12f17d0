"""Prove what a model says: scores, or decisions in the label's classes or their codes; refuse what cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.errors import ModelError, argument, quoted
from evenhand.subjects.outputs import answer_of, default_threshold, one_column, to_class_scores, to_score
from evenhand.subjects.target import Declared, Target, listed, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Plain
    from evenhand.subjects.protocol import ScoreKind
    from evenhand.subjects.target import DeclaredKind

Said: TypeAlias = Literal["label", "codes", "given"]
"""The classes a model decides in: the label's own, their positions (0, 1, ...), or its own with `positive=` given."""

_SCORES: Final[dict[DeclaredKind, ScoreKind]] = {
    "probability": "probability", "logit": "probability", "ranking": "ranking", "label": "label",
}  # fmt: skip

CERTAIN: Final = 25.0
"""Square of the normal deviate from which answers and truth are opposite for certain."""


class Proof:
    """What one model says about one label, as far as its predictions have shown; every adapter asks it.

    `name`: the model's name, for the sentences; `declared`: what the user declares; `target`: what is to be predicted.
    What was told of one batch holds for all: a model that changes from the label's classes to codes is refused.
    """

    def __init__(self, name: str, declared: Declared, target: Target | None = None) -> None:
        self.name = name
        self.declared = declared
        self.target = target or Target()
        self.bound = target is not None
        self.kind: DeclaredKind | None = declared.score_kind
        self.said: Said | None = None
        self.decided_by: Literal["default", "given", "model"] = "default" if declared.threshold is None else "given"
        self._threshold = None if declared.threshold is None else float(declared.threshold)

    @property
    def score_kind(self) -> ScoreKind:
        """The kind of the scores; probabilities before any prediction tells."""
        return _SCORES[self.kind or "probability"]

    @property
    def threshold(self) -> float:
        """A score at or above it is predicted positive."""
        return default_threshold(self.score_kind) if self._threshold is None else self._threshold

    @property
    def facts(self) -> dict[str, Plain]:
        """How it was decided, what the user said, and in which classes where these are not the label's own."""
        told: dict[str, Plain] = {"decided_by": "model" if self.kind == "label" else self.decided_by}
        if self.said not in (None, "label"):
            told["classes_read_as"] = self.said
        if self.declared.score_kind is not None or self.kind == "logit":
            told["output"] = self.declared.score_kind or "logit"
        return told

    def settle(self, threshold: float) -> None:
        """Take the threshold that the model's own decisions show."""
        self._threshold, self.decided_by = threshold, "model"

    def index(self, known: Sequence[object]) -> int:
        """Return which of a classifier's classes stands for the positive class of the label.

        Raises ModelError when its classes are neither those of the label nor their codes, unless `positive` was given.
        """
        if (given := self._given(known)) is not None:
            return given
        return self.places(known).index(1)

    def places(self, known: Sequence[object]) -> list[int]:
        """Return for each class that a model knows its position among the label's classes.

        Raises ModelError when they are neither those of the label nor all of their codes. A classifier of several
        classes may lack some of the label's own.
        """
        several = self.target.task == "multiclass"
        for said, places in self._ways(known).items():
            if len(set(places)) == len(self.target.classes) or (several and said == "label"):
                return self._keep(said, places)
        raise ModelError(self._other_classes(known))

    def decisions(self, raw: object, rows: int, known: Sequence[object] = ()) -> NDArray[np.intp]:
        """Return decisions (n,) as positions in the label's classes: 1 for the positive one of two.

        `known`: the classes of a classifier, of which each label is then one. Raises ModelError for what is neither
        the label's classes nor their codes, with the ways out.
        """
        if self.declared.decide is not None:
            raw, known = answer_of(self.declared.decide, raw, self.name), ()
        codes, found = _distinct(one_column(raw, rows, self.name), self.name)
        if not known:
            return _taken(self._read(found), codes)
        at = [place(value, known) for value in found]
        if None in at:
            raise ModelError(self._other_classes(found))
        if self.target.task == "binary":
            return _taken([each == self.index(known) for each in at], codes)
        places = self.places(known)
        return _taken([places[each] for each in at if each is not None], codes)

    def refuse_turned(self, y_true: NDArray[np.generic], y_pred: NDArray[np.generic]) -> None:
        """Refuse decisions (n,) that are far less right as the label's 0 and 1 than as codes, where these are turned.

        A label of 0 and 1 whose positive value is 0 has the code 1 for it, so that a model's 0 and 1 may be either.
        """
        import numpy as np

        if self.target.ordered or self.said != "label" or self.declared.positive is not None:
            return
        together = np.bincount(y_true.astype(np.intp) * 2 + y_pred.astype(np.intp), minlength=4).astype(np.float64)
        sides = [together[0] + together[1], together[2] + together[3], together[::2].sum(), together[1::2].sum()]
        turned = together[1] * together[2] - together[0] * together[3]
        if turned > 0 and len(y_true) * turned**2 > CERTAIN * float(np.prod(sides)):
            wrong = int(together[1] + together[2])
            raise ModelError(
                f"Model '{self.name}' answers 0 and 1, which are the label's values and, the other way round, the "
                f"codes of y_true; as values {wrong:,} of {len(y_true):,} answers are wrong. Pass positive=1 if it was "
                "fitted on the codes, positive=0 if it was fitted on the values."
            )

    def _read(self, found: Sequence[object]) -> Sequence[int]:
        """Return the position of each distinct label."""
        if self.declared.decide is None and (given := self._given(found, whole=False)) is not None:
            return [int(at == given) for at in range(len(found))]
        ways = self._ways(found) if len(found) <= len(self.target.classes) else {}
        for said, places in ways.items():
            if self.said in (None, said):
                return self._keep(said, places)
        if ways:
            raise ModelError(
                f"Model '{self.name}' answered in the label's classes for some rows and in codes for "
                f"others; {argument('decide')} "
                "makes one of them."
            )
        raise ModelError(self.numbers(_spread(found)) if _numeric(found) else self._other_classes(found))

    def scores(
        self, raw: object, rows: int, kind: DeclaredKind, known: Sequence[object] = (), index: int | None = None
    ) -> NDArray[np.float64]:
        """Return scores (n,) of the positive class from numbers of a kind, or 0.0 and 1.0 from decisions."""
        import numpy as np

        self.kind = kind
        if kind == "label":
            return self.decisions(raw, rows, known).astype(np.float64)
        values = np.asarray(raw)
        if values.ndim == 2 and values.shape[1] > 1 and kind == "probability":
            to_class_scores(raw, kind, rows, self.name, exclusive=True)
        return to_score(raw, kind, rows, self.name, index)

    def by_name(self, raw: object) -> object:
        """Return a table whose columns are named by the label's classes as an array in their order; else what it is.

        Columns that are only counted are taken to be in that order.
        """
        import numpy as np

        names = getattr(raw, "columns", None)
        if names is None or not self.bound or list(names) == list(range(len(names))):
            return raw
        places = [place(name, self.target.classes) for name in names]
        told = [at for at in places if at is not None]
        if sorted(told) != list(range(len(self.target.classes))) or len(told) != len(places):
            return raw
        return np.asarray(raw)[:, np.argsort(told)]

    def untold(self, raw: object, rows: int, known: Sequence[object] = ()) -> NDArray[np.float64]:
        """Return scores from what a model without a declared kind returns: decisions, or one probability a class.

        Raises ModelError for other numbers, unless a threshold on them was given.
        """
        import numpy as np

        values = np.asarray(raw)
        if values.ndim == 2 and values.shape[1] == len(self.target.classes) > 1 and values.dtype.kind == "f":
            return self.scores(values, rows, "probability")
        if self.kind is None and self.declared.threshold is not None and values.dtype.kind in "fiu":
            found = _distinct(one_column(values, rows, self.name), self.name)[1]
            if len(found) > len(self.target.classes) or not self._ways(found):
                return self.scores(values, rows, "ranking")
        return self.scores(values, rows, self.kind or "label", known)

    def numbers(self, what: str) -> str:
        """Return why numbers are no decisions, with the ways out."""
        way = f"{argument('decide')}, a function from what it returns to the label's classes."
        if self.target.task == "binary":
            one = quoted(self.target.classes[1])
            way = (
                f"{argument('threshold')} (from that number on the decision is {one}), "
                f"{argument('score_kind')} where they are probabilities or "
                f"logits of {one}, or {way}"
            )
        return f"Model '{self.name}' {what}, and {self.target.words}. Pass {way}"

    def no_classes(self, kind: str | None) -> str:
        """Return why a kind of model has no decisions, with the ways out."""
        if kind == "regressor":
            return self.numbers("is a regressor: it predicts numbers")
        return (
            f"Model '{self.name}' is a {str(kind).replace('_', ' ')}, and {self.target.words}. Pass "
            f"{argument('decide')}, a "
            "function from what it predicts to the label's classes."
        )

    def _given(self, known: Sequence[object], whole: bool = True) -> int | None:
        """Return the place of the class that `positive` names; None where it was not given or is the label's own."""
        named = self.declared.positive
        if named is None or (self.bound and place(named, self.target.classes) == 1 and self._ways(known)):
            return None
        if self.bound and place(named, self.target.classes) == 0 and self.target.ordered and self._ways(known):
            raise ModelError(
                f"Model '{self.name}' was opened with positive={quoted(named)}, and the positive class of the "
                f"label is {quoted(self.target.classes[1])}. Leave out positive=."
            )
        at = place(named, known)
        if at is None and (whole or len(known) > 1):
            raise ModelError(
                f"Model '{self.name}' knows no class {quoted(named)}; its classes are "
                f"{', '.join(map(repr, known[:10]))}. Pass positive= with the one that stands for the positive label."
            )
        self.said = "given"
        return -1 if at is None else at

    def _ways(self, known: Sequence[object]) -> dict[Said, list[int]]:
        """Return the ways to read values that hold for all of them: the label's own classes first, then codes."""
        classes = self.target.classes
        tried: dict[Said, list[int | None]] = {
            "label": [place(value, classes) for value in known],
            "codes": [place(value, range(len(classes))) for value in known],
        }
        return {said: [at for at in found if at is not None] for said, found in tried.items() if None not in found}

    def _keep(self, said: Said, places: list[int]) -> list[int]:
        self.said = said
        return places

    def _other_classes(self, known: Sequence[object]) -> str:
        way = f"{argument('decide')}, a function from its answers to the label's classes."
        if self.target.task == "binary":
            way = f"positive= with its answer that stands for {quoted(self.target.classes[1])}, or {way}"
        strange = [value for value in known if place(value, self.target.classes) is None]
        told = f"knows only {listed(known)}"
        if strange:
            told = f"predicts {quoted(strange[0])}, which is no class of the label: it answers {listed(known)}"
        words = "Write the label in the words of the model; or, in Python, pass"
        return f"Model '{self.name}' {told}, and {self.target.words}. {words} {way}"


def _distinct(labels: NDArray[np.generic], name: str) -> tuple[NDArray[np.intp], list[object]]:
    """Return the position of each label among the distinct ones, and these as plain values."""
    import numpy as np
    import pandas as pd

    try:
        codes, found = pd.factorize(labels)
    except TypeError:
        raise ModelError(f"Model '{name}' returned {quoted(labels[0])} for a row: one label is meant.") from None
    missing = int((codes < 0).sum())
    if missing:
        raise ModelError(f"Model '{name}' returned no label (NaN or None) for {missing:,} of {len(labels):,} rows.")
    return np.asarray(codes, dtype=np.intp), np.asarray(found).tolist()


def _taken(places: Sequence[int | bool], codes: NDArray[np.intp]) -> NDArray[np.intp]:
    import numpy as np

    return np.asarray(places, dtype=np.intp)[codes]


def _numeric(found: Sequence[object]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in found)


def _spread(found: Sequence[object]) -> str:
    return f"returned numbers of {len(found):,} values (from {min(found):.4g} to {max(found):.4g})"  # type: ignore[type-var]
