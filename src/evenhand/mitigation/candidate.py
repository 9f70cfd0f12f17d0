"""One way of meeting a policy, before it is made: what a mitigation proposes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from evenhand.evidence.predictions import columns_read, predict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.evidence.predictions import Predictions
    from evenhand.findings import Plain
    from evenhand.keys import Key
    from evenhand.policy import Limit, Policy
    from evenhand.subjects import Subject

Make: TypeAlias = "Callable[[EvaluationSet, int], Subject]"
"""Makes the model of a candidate from rows to fit on and a seed; an EvenhandError says why it cannot."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be mended: a model, the policy that it is to meet, and rows to fit on.

    See Also
    --------
    evenhand.mitigate : Makes one.
    """

    model: Subject
    """The deployed model, bound to the label; it stays as it is."""
    fit: EvaluationSet
    """Rows on which rules over the model's scores are fitted. No candidate sees others but `train`."""
    policy: Policy
    """The policy."""
    performance: Key
    """What is to be as high as can be (or as low, where that is better), such as ``accuracy``."""
    seed: int = 0
    """Of whatever draws."""
    train: EvaluationSet | None = None
    """Rows on which models are fitted again; None: on `fit`."""
    wanted: tuple[tuple[Limit, Key], ...] = ()
    """The blocking limits, each with a finding that it is judged on in these rows."""

    @property
    def training_rows(self) -> EvaluationSet:
        """The rows that models are fitted again on."""
        return self.fit if self.train is None else self.train

    def rows_of(self, candidate: Candidate) -> EvaluationSet:
        """Return the rows that a candidate is made from.

        Parameters
        ----------
        candidate : Candidate
            The candidate.
        """
        return self.training_rows if candidate.trains else self.fit

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The sensitive features that blocking limits name, else all of the rows."""
        known = self.fit.roles.sensitive_features
        named = [column for _, key in self.wanted for column in key.columns if column in known]
        return tuple(dict.fromkeys(named)) or tuple(known)

    @cached_property
    def predictions(self) -> Predictions:
        """What the model says of the rows to fit on."""
        return predict(self.model, self.fit)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(n,) its scores of them; its decisions where it has no scores."""
        found = self.predictions.y_score
        return self.predictions.y_pred.astype("float64") if found is None else found

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the model reads; none where it reads no table."""
        return columns_read(self.model, self.fit)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One way of meeting a policy.

    See Also
    --------
    evenhand.mitigation.catalogue.MITIGATIONS : What proposes them.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.subjects import as_subject
    >>> even = as_subject(lambda X: X["liq"] * 0 + 0.5, name="even")
    >>> Candidate("all alike", "mine", lambda rows, seed: even).needs_sensitive
    False
    """

    name: str
    """Such as ``thresholds by group``; no other candidate of the run has it."""
    method: str
    """The entry of the catalogue that proposes it."""
    make: Make
    """Makes its model of the rows to fit on and a seed."""
    settings: Mapping[str, Plain] = field(default_factory=dict)
    """Its settings, for the record."""
    needs_sensitive: bool = False
    """Whether its model must be told the sensitive features when it decides."""
    randomized: bool = False
    """Whether its model draws lots."""
    library: str = ""
    """The library that fits it."""
    trains: bool = False
    """Whether it fits a model again: then it is given the rows of `Problem.train`, where there are any."""


Propose: TypeAlias = "Callable[[Problem], Iterable[Candidate]]"
"""Returns the candidates of a kind for a problem, none of them made; none where the kind has no use for it."""


@dataclass(frozen=True, slots=True)
class Mitigation:
    """A kind of candidates: one entry of the catalogue.

    Examples
    --------
    >>> Mitigation(lambda problem: []).propose(None)
    []
    """

    propose: Propose
    """Returns its candidates."""
