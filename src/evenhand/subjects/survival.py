"""Models of scikit-survival: the risk of the event by a horizon, or a score that ranks risks."""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError, argument
from evenhand.subjects.adapter import NOT_KNOWN, Adapter
from evenhand.subjects.inputs import select
from evenhand.subjects.outputs import answer_of
from evenhand.subjects.proved import Proved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.target import Declared, Target


class SurvivalSubject(Proved):
    """A fitted survival model or pipeline: 1 - S(horizon) of its survival function, else its risk score, which ranks.

    Parameters
    ----------
    model : object
        A fitted estimator of scikit-survival, or a pipeline that ends in one.
    name : str, optional
        What the report calls it; the class's name when not given.
    threshold : float, optional
        A score at or above it is predicted positive: 0.5 of risks when not given; a score that ranks needs one.
    features : sequence of str, optional
        The columns it takes; `feature_names_in_` when it has that.
    horizon : float, optional
        By when the event is predicted, in the unit of the times it was fitted on; that of the evaluation set when not
        given.
    file_facts : mapping, optional
        `file_bytes` and `sha256` of the file it came from.

    Raises
    ------
    ModelError
        When it ranks and no threshold is given.
    """

    reads: Reads = "table"

    def __init__(
        self,
        model: Any,
        *,
        name: str | None = None,
        threshold: float | None = None,
        features: Sequence[str] | None = None,
        horizon: float | None = None,
        file_facts: Mapping[str, Plain] | None = None,
    ) -> None:
        self.model = model
        self._file_facts = dict(file_facts or {})
        self._last = _last(model)
        seen = getattr(model, "feature_names_in_", None) if features is None else features
        own = name or type(self._last).__name__
        self._risks = _gives_risks(self._last)
        columns = None if seen is None else [str(each) for each in seen]
        super().__init__(own, columns, threshold, None, "probability" if self._risks else "ranking", None)
        self.horizon = horizon
        self._refuse_untold()

    def bound(self, target: Target) -> Self:
        """Return the same model, to be audited on the event by the horizon of the label.

        Raises ModelError when it was declared for another horizon, or for none and the label has none.
        """
        if target.horizon is not None and self.horizon not in (None, target.horizon):
            raise ModelError(
                f"Model '{self.name}' is to predict the event by {self.horizon:g}, and the label is that by "
                f"{target.horizon:g}. Leave out {argument('horizon', self.horizon)}."
            )
        twin = super().bound(target)
        twin.horizon = self.horizon if target.horizon is None else target.horizon
        if twin.horizon is None and twin._risks:
            raise ModelError(
                f"Model '{self.name}' predicts when the event comes, and the label is of no time. Read the rows with "
                f"{argument('time')}, {argument('event')} and {argument('horizon')}, or give the model the last one."
            )
        return twin

    def declaring(self, declared: Declared) -> Self:
        """Return the same model with another threshold; what its scores are is its own."""
        made = copy.copy(self)
        made.__init__(  # type: ignore[misc]  # declared anew
            self.model,
            name=self.name,
            threshold=declared.threshold,
            features=self.features,
            horizon=self.horizon,
            file_facts=self._file_facts,
        )
        return made.bound(self.proof.target) if self.proof.bound else made

    def _refuse_untold(self) -> None:
        if not self._risks and self.declared.threshold is None:
            raise ModelError(
                f"Model '{self.name}' has no survival function: its scores rank, and need {argument('threshold')} on "
                "their own scale, from which on a row is predicted positive."
            )

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Its class, the columns it takes, the horizon, and the number of its coefficients where it has such."""
        told: dict[str, Plain] = {
            "kind": "survival",
            "class": type(self._last).__name__,
            "features": None if self.features is None else list(self.features),
            **NOT_KNOWN,
            **self._file_facts,
            **self.proof.facts,
        }
        weights = getattr(self._last, "coef_", None)
        if weights is not None:
            told["parameters"] = int(weights.size)
        return told if self.horizon is None else {**told, "horizon": float(self.horizon)}

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the risk of the event by the horizon of each row, shape (n,); or a score that ranks risks."""
        import numpy as np

        rows = select(batch, self.features, self.name)
        if not self._risks:
            score = np.asarray(answer_of(self.model.predict, rows, self.name), dtype=np.float64)
            return score if getattr(self._last, "_predict_risk_score", True) else -score
        if self.horizon is None:
            raise ModelError(f"Model '{self.name}' needs to know by when: pass {argument('horizon')}.")
        curves: Any = answer_of(self.model.predict_survival_function, rows, self.name)
        return np.array([1.0 - self._left(curve, self.horizon) for curve in curves], dtype=np.float64).clip(0.0, 1.0)

    def _left(self, curve: Any, horizon: float) -> float:
        """Return the chance of no event by the horizon; a model knows none beyond the times it was fitted on."""
        last = float(curve.domain[1])
        if horizon > last:
            raise ModelError(
                f"Model '{self.name}' was fitted on times up to {last:g} and knows no risk by {horizon:g}. Audit it at "
                f"an earlier horizon ({argument('horizon')})."
            )
        return float(curve(horizon))


def _last(model: Any) -> Any:
    """Return the last step of a pipeline; any other model as it is."""
    steps = getattr(model, "steps", None)
    return steps[-1][1] if isinstance(steps, list) and steps else model


def _gives_risks(model: Any) -> bool:
    """Whether it has a survival function: not one of another loss than Cox's, nor without a fitted baseline."""
    if getattr(model, "fit_baseline_model", True) is False or getattr(model, "loss", "coxph") != "coxph":
        return False
    return callable(getattr(model, "predict_survival_function", None))


def _fits(model: object) -> bool:
    base = getattr(sys.modules.get("sksurv.base"), "SurvivalAnalysisMixin", None)
    return base is not None and isinstance(_last(model), base)


ADAPTER: Final = Adapter(SurvivalSubject, _fits, 20)
