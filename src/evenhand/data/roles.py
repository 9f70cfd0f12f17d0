"""What each column of a table is to an audit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenhand.errors import InputError

if TYPE_CHECKING:
    from evenhand.findings import Plain


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of an evaluation set, by what they are to the audit."""

    label: str | None
    """The column that holds the truth."""
    positive: object = None
    """The value of the label that ``y_true == 1`` stands for."""
    favourable: object = None
    """The value of the label that is good for the person (four-fifths turns on it); None when it was not declared."""
    sensitive_features: tuple[str, ...] = ()
    """Columns whose values make the groups."""
    control_features: tuple[str, ...] = ()
    """Columns within whose values groups are compared."""
    sample_weight: str | None = None
    """The column of row weights."""
    frequency: str | None = None
    """The column that says for how many rows each row stands, as a table of counts has one; sums stand beside it."""
    squared_weight: str | None = None
    """The column of sums of squared weights, in a table of counts whose `sample_weight` holds sums of weights."""
    id: str | None = None
    """The column that names a row or a person."""
    labels: tuple[str, ...] = ()
    """Columns of several labels that a row carries at once, each 0 or 1, in place of one label."""
    query: str | None = None
    """The column that names the list an item stands in, such as a search."""
    cluster: str | None = None
    """The column that names what rows belong together, such as a household."""
    prediction: str | None = None
    """A column that already holds decisions, in the label's own values."""
    score: str | None = None
    """A column that already holds scores."""
    original_prediction: str | None = None
    """A column that holds the decisions of the model before compression."""
    original_score: str | None = None
    """A column that holds the scores of the model before compression."""
    proxies: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Sensitive features that no row names: each with the columns of the probability to be of its groups."""
    images: str | None = None
    """The column that names the file of each row's image, in place of a table as what a model reads."""
    texts: str | None = None
    """The column of the texts that a model reads, in place of a table."""
    exclude: tuple[str, ...] = ()
    """Columns that are never model inputs."""

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield (role, column) for every column that must be in the table; `exclude` is not among them."""
        for role in (
            "label",
            "sample_weight",
            "frequency",
            "squared_weight",
            "id",
            "query",
            "cluster",
            "prediction",
            "score",
            "original_prediction",
            "original_score",
            "images",
            "texts",
        ):
            column = getattr(self, role)
            if column is not None:
                yield role, column
        yield from (("proxies", column) for _, columns in self.proxies for column in columns)
        yield from (("labels", column) for column in self.labels)
        yield from (("sensitive_features", column) for column in self.sensitive_features)
        yield from (("control_features", column) for column in self.control_features)

    def inputs(self, columns: Iterable[str], use_sensitive: bool = False) -> tuple[str, ...]:
        """Return those of `columns` that a model may read: no truth, no answers, no names, and no sensitive feature."""
        barred = {column for _, column in self.named()} - {*self.sensitive_features, *self.control_features}
        barred.update(self.exclude)
        if not use_sensitive:
            barred.update(self.sensitive_features)
        return tuple(column for column in columns if column not in barred)

    def to_plain(self) -> dict[str, Plain]:
        """Return the roles as JSON can say them; values that JSON has no word for become text."""
        return {
            "label": self.label,
            "positive": _plain(self.positive),
            "favourable": _plain(self.favourable),
            "sensitive_features": list(self.sensitive_features),
            "control_features": list(self.control_features),
            "sample_weight": self.sample_weight,
            "frequency": self.frequency,
            **({"squared_weight": self.squared_weight} if self.squared_weight else {}),
            "id": self.id,
            "cluster": self.cluster,
            **({"labels": list(self.labels)} if self.labels else {}),
            **({"proxies": {name: list(columns) for name, columns in self.proxies}} if self.proxies else {}),
            **({"query": self.query} if self.query else {}),
            **({"original_prediction": self.original_prediction} if self.original_prediction else {}),
            **({"original_score": self.original_score} if self.original_score else {}),
            **({"images": self.images} if self.images else {}),
            **({"texts": self.texts} if self.texts else {}),
            "prediction": self.prediction,
            "score": self.score,
            "exclude": list(self.exclude),
        }


def names(value: str | Sequence[str] | None, what: str) -> tuple[str, ...]:
    """Return column names as a tuple without repeats; one name may stand alone.

    Raises
    ------
    InputError
        When `value` is neither a name nor a sequence of names.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise InputError(f"{what} takes column names, such as {what}=['sex'], not {type(value).__name__}.")
    return tuple(dict.fromkeys(str(name) for name in value))


def _plain(value: object) -> Plain:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
