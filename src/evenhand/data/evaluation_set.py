"""The rows that a model is audited on, with what each column is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from evenhand.data.grouping import Grouping, encode, intersect
from evenhand.data.hashing import hash_content, hash_rows
from evenhand.data.validating import missing_problem
from evenhand.errors import InputError, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data.roles import Roles
    from evenhand.data.values import Bins, Missing
    from evenhand.findings import Plain, Task


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationSet:
    """Checked rows, their truth, and what each column is. `read_evaluation_set` makes one.

    Nothing of it is to be changed; what is computed from it is kept.
    """

    name: str
    """How sentences and the page call it: the file's name, say."""
    table: pd.DataFrame = field(repr=False)
    """(n, m) all columns."""
    roles: Roles
    """What the columns are."""
    y_true: NDArray[Any] = field(repr=False)
    """(n,) 1 = positive; by task also positions in `classes`, numbers, or (n, L) labels of 0 and 1."""
    missing: Missing = "error"
    """Whether missing sensitive values were refused, or make a group."""
    provenance: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    """File name, sha256, rows, roles, what was done to missing values."""
    classes: tuple[object, ...] = (0, 1)
    """The label's negative and positive value, or all its classes, or the names of several labels."""
    task: Task = "binary"
    """What the label is."""
    use_sensitive: bool = False
    """Whether sensitive features are model inputs."""
    bins: Bins = field(default_factory=dict)
    """Edges of numeric sensitive and control features."""
    _kept: dict[tuple[str, ...], object] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y_true)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns a model may read, in the table's order.

        Not the label, weight, id, cluster, prediction, score or excluded columns; and not the sensitive features unless
        `use_sensitive`.
        """
        return self.roles.inputs((str(column) for column in self.table.columns), self.use_sensitive)

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802 - the field's word for the features
        """(n, m) the columns a model may read."""
        return self.table[list(self.features)]

    @property
    def sample_weight(self) -> NDArray[np.float64] | None:
        """(n,) the row weights, None when no column holds them."""
        if self.roles.sample_weight is None:
            return None
        return self.table[self.roles.sample_weight].to_numpy(dtype=np.float64)

    @property
    def frequency(self) -> NDArray[np.int64] | None:
        """(n,) the number of rows that each row represents; None when each is one."""
        if self.roles.frequency is None:
            return None
        return self.table[self.roles.frequency].to_numpy(dtype=np.int64)

    @property
    def squared_weight(self) -> NDArray[np.float64] | None:
        """(n,) sums of squared weights, in a table of counts of weighted rows; None elsewhere."""
        if self.roles.squared_weight is None:
            return None
        return self.table[self.roles.squared_weight].to_numpy(dtype=np.float64)

    @property
    def clusters(self) -> NDArray[np.int64] | None:
        """(n,) the cluster of each row, from 0; None when there is no cluster column."""
        if self.roles.cluster is None:
            return None
        if ("cluster",) not in self._kept:
            self._kept["cluster",] = pd.factorize(self.table[self.roles.cluster])[0].astype(np.int64)
        return cast("NDArray[np.int64]", self._kept["cluster",])

    @property
    def rows(self) -> int:
        """The number of rows that were counted: that of the table, or the sum of the frequencies."""
        frequency = self.frequency
        return len(self) if frequency is None else int(frequency.sum())

    def grouping(self, *columns: str) -> Grouping:
        """Return the groups of a column, or of the intersection of several; encoded once.

        Raises
        ------
        InputError
            When there is no such column, or it lacks values and `missing` is "error".
        """
        key = ("groups", *columns)
        if key not in self._kept:
            self._kept[key] = (
                self._single(columns[0])
                if len(columns) == 1
                else intersect([self.grouping(column) for column in self._distinct(columns)], len(self))
            )
        return cast("Grouping", self._kept[key])

    def row_hashes(self) -> NDArray[np.uint64]:
        """Return (n,) hashes over label and features: equal for equal rows, in any order, in any process."""
        if ("rows",) not in self._kept:
            self._kept["rows",] = hash_rows(self.table, self.features, self.y_true)
        return cast("NDArray[np.uint64]", self._kept["rows",])

    def content_hash(self) -> str:
        """Return the sha256 over all columns' names and values, whatever the order of rows and columns."""
        if ("content",) not in self._kept:
            columns = [str(column) for column in self.table.columns]
            self._kept["content",] = hash_content(hash_rows(self.table, columns, self.y_true), columns)
        return cast("str", self._kept["content",])

    def take(self, rows: NDArray[np.intp], name: str | None = None, **facts: Plain) -> EvaluationSet:
        """Return some of the rows as a set of the same roles.

        Parameters
        ----------
        rows : NDArray[np.intp]
            Positions of the rows, in the order wanted.
        name : str, optional
            How sentences call the new set.
        **facts
            What is to be noted in its provenance.
        """
        return EvaluationSet(
            name=name or self.name,
            table=self.table.iloc[rows].reset_index(drop=True),
            roles=self.roles,
            y_true=self.y_true[rows],
            missing=self.missing,
            provenance={**self.provenance, "rows": len(rows), **facts},
            classes=self.classes,
            task=self.task,
            use_sensitive=self.use_sensitive,
            bins=self.bins,
        )

    def _single(self, column: str) -> Grouping:
        if column not in self.table:
            hint = did_you_mean(column, (str(known) for known in self.table.columns))
            raise InputError(f"{self.name}: there is no column '{shorten(column)}' to group by.{hint}")
        values = self.table[column]
        if self.missing == "error":
            raise_all(InputError, missing_problem(self.name, values))
        return encode(column, values, self.bins.get(column))

    def _distinct(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) < len(columns):
            raise InputError(f"{self.name}: a column stands twice among those to group by: {', '.join(columns)}.")
        return columns
