"""Reasons of adverse decisions: Shapley values of the very model that is served, against training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from evenhand.errors import EvenhandError, InputError, argument, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from evenhand.findings import Plain
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.rows import Row


class Reasons:
    """Explains adverse decisions of a model.

    Parameters
    ----------
    deployed : Deployed
        The model, whose score is explained as it is served.
    background : DataFrame
        Rows that a person is compared with.
    adverse : str
        The decision that is against a person.
    rows : int
        How many background rows are drawn.
    sensitive : sequence of str
        Inputs that may be no reason; a notice that would name one is withheld.
    words : mapping
        Columns in the words of a notice.

    Raises
    ------
    InputError
        When the background lacks columns, or `adverse` is no decision.
    """

    def __init__(
        self,
        deployed: Deployed,
        background: pd.DataFrame,
        adverse: str,
        *,
        rows: int = 100,
        sensitive: Sequence[str] = (),
        words: Mapping[str, str] | None = None,
    ) -> None:
        from evenhand.explaining.background import choose_background

        self._deployed = deployed
        self.adverse = cast("str", deployed.adverse(adverse))
        self._low_is_bad = self.adverse == deployed.classes[0]
        self._sensitive, self._words = tuple(sensitive), dict(words or {})
        raise_all(InputError, self._wrong(background))
        chosen = choose_background(background, rows)
        self._background = deployed.table(cells_of(deployed, chosen))

    def of(self, rows: Sequence[Row]) -> list[dict[str, Plain]]:
        """Return the notice of each row: ``status``, and ``codes``, the principal reasons, greatest first."""
        from evenhand.explaining.explain import explain
        from evenhand.explaining.reasons import MOST_REASONS, reason_codes

        try:
            table = self._deployed.table([row.cells for row in rows])
            found = explain(self._deployed.subject, table, self._background)
        except EvenhandError as wrong:
            return [{"status": f"not found: {wrong.problems[0]}", "codes": []}] * len(rows)
        every = np.ones(len(rows), dtype=bool)
        told = reason_codes(
            found, every, low_is_bad=self._low_is_bad, sensitive=self._sensitive, words=self._words
        )  # fmt: skip
        codes = told[[f"reason_{at + 1}" for at in range(MOST_REASONS)]].to_numpy().tolist()
        return [
            {"status": str(status), "codes": [code for code in each if code]}
            for status, each in zip(told["status"], codes, strict=True)
        ]

    def _wrong(self, background: pd.DataFrame) -> list[str]:
        there = set(map(str, background.columns))
        names = [column.name for column in self._deployed.columns]
        lacking = [name for name in names if name not in there]
        unknown = [name for name in self._sensitive if name not in names]
        return [
            *(
                f"{argument('reasons_background')} has no column '{shorten(name)}', which the model reads."
                f"{did_you_mean(name, there)}"
                for name in lacking
            ),
            *(
                f"{argument('no_reason')}: the model reads no column '{shorten(name)}'.{did_you_mean(name, names)}"
                for name in unknown
            ),
        ]


def cells_of(deployed: Deployed, table: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return the cells of a table in the order of the model's columns, None where one is missing."""
    columns = []
    for column in deployed.columns:
        values = table[column.name]
        columns.append([None if gone else value for gone, value in zip(values.isna(), values.tolist(), strict=True)])
    return list(zip(*columns, strict=True))
