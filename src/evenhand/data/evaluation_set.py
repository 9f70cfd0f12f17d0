"""The rows that a model is audited on, with what each column is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd

from evenhand.data.grouping import Grouping, called, encode, intersect
from evenhand.data.hashing import hash_content, hash_rows, with_inputs
from evenhand.data.inputs import as_inputs
from evenhand.data.validating import missing_problem
from evenhand.errors import InputError, argument, did_you_mean, raise_all, shorten
from evenhand.outlines import outline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from evenhand.data.inputs import Inputs
    from evenhand.data.roles import Bins, Missing, Roles
    from evenhand.data.transcripts import Spelling
    from evenhand.findings import Plain, Reads, Task

T = TypeVar("T")
Number = TypeVar("Number", bound=np.number[Any])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EvaluationSet:
    """Checked rows, their truth, and what each column is. `read_evaluation_set` makes one.

    Treat it as immutable: computed values are cached.

    See Also
    --------
    evenhand.read_evaluation_set : Makes one, with examples.
    """

    name: str
    """Its name in messages and on the page, such as the file's name."""
    table: pd.DataFrame = field(repr=False)
    """(n, m) all columns."""
    roles: Roles
    """What the columns are."""
    y_true: NDArray[Any] = field(repr=False)
    """(n,) 1 = positive; by task also positions in `classes`, numbers, (n, L) labels of 0 and 1, or of transcripts the
    number of words."""
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
    spelling: Spelling = "plain"
    """How transcripts are compared."""
    bins: Bins = field(default_factory=dict)
    """Edges of numeric sensitive and control features."""
    held: Inputs | None = field(default=None, repr=False)
    """Model inputs outside the table; None where the model reads the table."""
    index: pd.Index | None = field(default=None, repr=False)
    """The index of the pandas objects that it was made from; None of others."""
    graded: str = ""
    """Of rows whose truth is one for all, the metric that says all: ``accuracy`` of graded answers."""
    _kept: dict[tuple[str, ...], object] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        label = ", ".join(self.roles.labels) or self.roles.label or "none"
        positive = f" (positive: {self.classes[1]!r}, else {self.classes[0]!r})" if self.task == "binary" else ""
        features = (*self.roles.sensitive_features, *self.roles.control_features)
        groups = [(column, self._sizes(column)) for column in dict.fromkeys(features)]
        reads = ", ".join(self.features) if self.held is None else self.held.kind
        foot = [f"Inputs: {reads}.", "Go on: eh.audit(model, data)."]
        return outline(f"{self.name}: {self.rows:,} rows, label {label}{positive}", groups, foot)

    def _sizes(self, column: str) -> str:
        grouping = self.grouping(column)
        return ", ".join(f"{name} {rows:,}" for name, rows in zip(grouping.names, grouping.rows, strict=True))

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
    def inputs(self) -> Inputs:
        """Model inputs: those given with the table, else its features."""
        return self.held if self.held is not None else as_inputs(self.X)

    def inputs_as(self, kind: Reads, who: str) -> Inputs:
        """Return the inputs of the kind that the model `who` reads; every set has a table.

        Raises
        ------
        InputError
            When the set holds another kind.
        """
        held: Reads = "table" if self.held is None else self.held.kind
        if kind not in ("table", held):
            way = {"arrays": f" or {argument('images')}", "texts": f" or {argument('texts')}"}.get(kind, "")
            raise InputError(
                f"{self.name}: the model '{who}' reads {kind}, and the set holds {held}: pass inputs={way}."
            )
        return as_inputs(self.X) if kind == "table" else self.inputs

    @property
    def sample_weight(self) -> NDArray[np.float64] | None:
        """(n,) the row weights, None without such a column."""
        return self._numbers(self.roles.sample_weight, np.float64)

    @property
    def frequency(self) -> NDArray[np.int64] | None:
        """(n,) the number of rows that each row represents; None when each is one."""
        return self._numbers(self.roles.frequency, np.int64)

    @property
    def squared_weight(self) -> NDArray[np.float64] | None:
        """(n,) sums of squared weights, in a table of counts of weighted rows; None elsewhere."""
        return self._numbers(self.roles.squared_weight, np.float64)

    @property
    def stratum_share(self) -> NDArray[np.float64] | None:
        """(n,) the share of all rows in the stratum of a row, where rows were chosen to be labelled; else None."""
        return self._numbers(self.roles.stratum_share, np.float64)

    @property
    def clusters(self) -> NDArray[np.int64] | None:
        """(n,) the cluster of each row, from 0; None when there is no cluster column."""
        column = self.roles.cluster
        if column is None:
            return None
        return self._once("cluster", lambda: pd.factorize(self.table[column])[0].astype(np.int64))

    @property
    def repeated_ids(self) -> int | None:
        """The number of rows whose id occurred before; None without ids."""
        column = self.roles.id
        if column is None or column not in self.table:
            return None
        return self._once("repeated ids", lambda: int(self.table[column].duplicated().sum()))

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
        if len(columns) == 1:
            return self._once("groups", lambda: self._single(columns[0]), *columns)
        if len(set(columns)) < len(columns):
            raise InputError(f"{self.name}: a column stands twice among those to group by: {', '.join(columns)}.")
        return self._once("groups", lambda: intersect([self.grouping(name) for name in columns], len(self)), *columns)

    def row_hashes(self, columns: Iterable[str] | None = None, reads: Reads | None = None) -> NDArray[np.uint64]:
        """Return (n,) hashes over label and inputs: equal for equal rows, in any order, in any process.

        Of the table, the features or `columns` are hashed; for a model that `reads` a table, nothing else.
        """
        if columns is None:
            return self._once("rows", lambda: self.row_hashes(self.features, reads))
        found = hash_rows(self.table, columns, self.y_true)
        return found if self.held is None or reads == "table" else with_inputs(found, self._input_hashes())

    def content_hash(self) -> str:
        """Return the sha256 over all columns' names and values and all inputs, in any order of rows and columns."""
        columns = [str(column) for column in self.table.columns]
        within = [column for column in columns if column != self.roles.texts]  # texts are hashed as inputs
        return self._once("content", lambda: hash_content(self.row_hashes(within), columns))

    def _input_hashes(self) -> NDArray[np.uint64]:
        """Return the hash of each row's inputs; they are read once."""
        return self._once("inputs", self.inputs.hashes)

    def _once(self, what: str, make: Callable[[], T], *columns: str) -> T:
        """Return a value that is computed once and cached."""
        if (what, *columns) not in self._kept:
            self._kept[what, *columns] = make()
        return cast("T", self._kept[what, *columns])

    def _numbers(self, column: str | None, kind: type[Number]) -> NDArray[Number] | None:
        return None if column is None else self.table[column].to_numpy(dtype=kind)

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
        return replace(
            self,
            name=name or self.name,
            table=self.table.iloc[rows].reset_index(drop=True),
            y_true=self.y_true[rows],
            provenance={**self.provenance, "rows": len(rows), **facts},
            held=None if self.held is None else self.held.take(rows),
            index=None if self.index is None else self.index[rows],
            _kept={("inputs",): self._input_hashes()[rows]} if ("inputs",) in self._kept else {},
        )

    def _single(self, column: str) -> Grouping:
        if column not in self.table:
            hint = did_you_mean(column, (str(known) for known in self.table.columns))
            raise InputError(f"{self.name}: there is no column '{shorten(column)}' to group by.{hint}")
        values = self.table[column]
        if self.missing == "error":
            raise_all(InputError, missing_problem(self.name, values))
        grouping = encode(column, values, self.bins.get(column))
        names = self.roles.value_labels.get(column)
        return grouping if names is None else called(grouping, names)


def needed(data: object, who: str) -> EvaluationSet:
    """Return an evaluation set as it is; tell what to pass in place of anything else.

    Raises
    ------
    InputError
        When it is a table, a data set, a loader or an array.
    """
    if isinstance(data, EvaluationSet):
        return data
    kind = type(data).__name__
    if isinstance(data, (str, os.PathLike, Mapping)) or hasattr(data, "columns"):
        way = 'read_evaluation_set(table, label="...", sensitive_features=["..."]) makes one of it'
    elif hasattr(data, "dataset") or hasattr(data, "__getitem__"):
        way = 'read_evaluation_set(columns, inputs=data, label="...") makes one of it and a table of the other columns'
    else:
        way = "read_evaluation_set makes one"
    raise InputError(f"{who} takes an EvaluationSet, not a {kind}: {way}.")
