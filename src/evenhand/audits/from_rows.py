"""Audit rows before there is a model: who is in them, what is wrong with them, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenhand.audits.arguments import background_of, rows_of, sorted_out
from evenhand.audits.auditing import chosen_options, run
from evenhand.audits.options import options as options_by_name
from evenhand.errors import ModelError
from evenhand.evidence import Evidence
from evenhand.evidence.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from numpy.typing import NDArray

    from evenhand.audits.arguments import AuditSettings
    from evenhand.audits.auditing import Progress
    from evenhand.audits.options import AuditOptions
    from evenhand.findings import AuditRecord, Batch, Plain, Task
    from evenhand.subjects.protocol import ScoreKind

OF_ROWS = ("group_names", "data_quality")
"""The audits that need no model."""


class Rows:
    """The subject of an audit without a model: it predicts nothing."""

    threshold = 0.5
    score_kind: ScoreKind = "label"

    def __init__(self, name: str, task: Task = "binary") -> None:
        self.name, self.task = name, task

    @property
    def facts(self) -> Mapping[str, Plain]:
        """Return what it is: a table."""
        return {"kind": "table"}

    def predict(self, batch: Batch, /) -> NDArray[np.float64]:
        """Raise: rows are audited here, and no model.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(f"'{self.name}' is {len(batch):,} rows without a model; there is nothing to ask.")


def audit_data(
    data: object,
    *,
    members: object = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
    **settings: Unpack[AuditSettings],
) -> AuditRecord:
    """Audit a table before there is a model.

    Parameters
    ----------
    data : path, pandas, Polars or PyArrow table, mapping of columns, or EvaluationSet
        The rows, with the truth and the columns that make the groups.
    members : table or EvaluationSet, optional
        Rows that a model is fitted on, where `data` are those it is evaluated on: equal rows in both, and columns that
        drift between them, are then looked for.
    options : AuditOptions, optional
        Confidence, seed and what is looked for; single options may be given as keywords: ``label_errors=True``.
    progress : callable, optional
        Called before each audit as ``progress(step, steps, name)``.
    **settings
        The roles of the columns, as for `read_evaluation_set`, and options of the audit.

    Returns
    -------
    AuditRecord
        Findings about the rows, with the sizes of the groups. No limit is applied; see `judge`.

    Raises
    ------
    InputError
        When the rows cannot be audited as they are; all problems are reported together.

    Examples
    --------
    >>> import evenhand as eh
    >>> rows = {"income": [20, 31, 42, 56] * 25, "state": ["open", "shut"] * 50, "paid": ["no", "yes"] * 50}
    >>> record = eh.audit_data(rows, label="paid", pos_label="yes")
    >>> record["label_copies"].estimate
    2.0
    """
    roles, said, rest = sorted_out(settings, {*options_by_name()})
    rows = rows_of(Rows("rows"), data, {**roles, **said})
    whole = {"check_data": True, "explain": False, "footprint": False}
    nothing = rows.y_true if rows.task != "binary" else rows.y_true.astype(np.int8)
    evidence = Evidence(
        Rows(rows.name, rows.task),
        rows,
        members=background_of(members, rows, "members"),
        predictions=Predictions(rows.y_true, None, nothing, 0.5, "label"),
        options=chosen_options(options, {**whole, **rest}),
    )
    return run(evidence, OF_ROWS, progress)
