"""Which rows a candidate was fitted and chosen on, so that an audit can tell that it sees them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.evidence.predictions import row_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.subjects import Subject


def remember(model: Subject, *parts: EvaluationSet) -> None:
    """Put the fingerprints of rows to those that a candidate's model knows, and to those of the model under its rule.

    Parameters
    ----------
    model : Subject
        Of the candidate.
    *parts : EvaluationSet
        The rows.
    """
    found = [seen_by(model), *(row_hashes(model, rows) for rows in parts)]
    model.fit_row_hashes = np.unique(np.concatenate(found))  # type: ignore[attr-defined]  # of any kind of model


def seen_by(model: Subject) -> NDArray[np.uint64]:
    """Return the fingerprints of the rows that a model was fitted and chosen on; none where it knows none.

    Parameters
    ----------
    model : Subject
        The model.
    """
    found = getattr(model, "fit_row_hashes", None)
    return np.empty(0, dtype=np.uint64) if found is None else np.asarray(found, dtype=np.uint64)
