"""Which rows to label, so that an audit can tell what compression changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd

from evenhand.audits.from_predictions import given_evidence
from evenhand.audits.options import AuditOptions
from evenhand.data.reading import read_unlabelled
from evenhand.errors import InputError, raise_all
from evenhand.evidence import Evidence
from evenhand.evidence.labelling import COLUMNS, chosen, strata

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.data.roles import RoleSettings
    from evenhand.evidence.predictions import ScoreKind


def rows_to_label(
    source: object,
    model: object = None,
    original: object = None,
    *,
    most: int | None = None,
    threshold: float | None = None,
    score_kind: ScoreKind | None = None,
    seed: int = 0,
    name: str | None = None,
    **roles: Unpack[RoleSettings],
) -> pd.DataFrame:
    """Choose the rows to label for an audit of what compression changed.

    Where both models decide alike no label changes a rate. So all rows on which they differ are chosen, and of the
    others a random sample, which says how many rows a rate is of; by group, if sensitive features are named. Once they
    are labelled, `audit` judges the changes as if all rows were, within a few percent of the width.

    Parameters
    ----------
    source : path or table
        The rows, of which none or some have a label. Where the models agree, those that have one are taken for a
        random sample.
    model, original : optional
        The compressed model and its original, as for `audit`. Without them the decisions are columns of the table:
        ``prediction`` or ``score``, and ``original_prediction`` or ``original_score``.
    most : int, optional
        The most new labels. By default all on which the models differ and, of the others, in each group two thirds as
        many, and 60 at least.
    threshold, score_kind : optional
        As for `audit_predictions`, for scores of the table.
    seed : int
        Of the random sample.
    name : str, optional
        How sentences call the table.
    **roles
        As for `read_evaluation_set`. ``label`` names the column that the labels go to; it may be absent.

    Returns
    -------
    pandas.DataFrame
        The rows, those to label first, with ``row``, the position in the table; ``why``; ``weight``, the rows that it
        stands for; and ``share``, that of its stratum. Audit them with ``sample_weight="weight"``,
        ``stratum_share="share"`` and ``exclude=("row", "why")``.

    Raises
    ------
    InputError
        When `most` is too few for a sample of each group, or rows, roles and models do not fit together.

    Examples
    --------
    >>> rows = {"sex": ["f", "m"] * 500, "p": [0.9, 0.2] * 500, "q": [0.9, 0.2] * 490 + [0.4, 0.7] * 10}
    >>> found = rows_to_label(rows, score="p", original_score="q", label="paid", sensitive_features="sex")
    >>> found["why"].value_counts().to_dict()
    {'a sample of those on which they agree': 60, 'the models differ': 20}
    """
    data, table = read_unlabelled(source, name=name, **roles)
    taken = [column for column in COLUMNS if column in table]
    raise_all(
        InputError, (f"{data.name}: the column '{column}' is added; rename the one of the table." for column in taken)
    )
    if most is not None and not (isinstance(most, int) and most > 0):
        raise InputError(f"most must be a whole number of labels from 1, not {most!r}.")
    evidence = _evidence(data, model, original, threshold, score_kind)
    known = table[data.roles.label].notna().to_numpy()
    rows = chosen(strata(evidence), np.asarray(known, dtype=bool), most, seed)
    return pd.concat([rows, table.iloc[rows["row"].to_numpy()].reset_index(drop=True)], axis=1)


def _evidence(
    data: EvaluationSet, model: object, original: object, threshold: float | None, score_kind: ScoreKind | None
) -> Evidence:
    from evenhand.subjects import as_subject

    if model is None:
        if original is not None:
            raise InputError(f"{data.name}: the original is there, and the compressed model is not; pass both.")
        return given_evidence(data, threshold=threshold, score_kind=score_kind, options=AuditOptions())
    if original is None:
        raise InputError(f"{data.name}: rows are chosen by the decisions of two models; name the original, too.")
    return Evidence(as_subject(model, threshold=threshold), data, original=as_subject(original))
