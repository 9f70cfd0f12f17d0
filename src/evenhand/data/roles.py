"""What each column of a table is to an audit, and how the table is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from evenhand.data.transcripts import Spelling
from evenhand.errors import InputError, argument, quoted, raise_all
from evenhand.findings import Task
from evenhand.settings import Declared, setting, settings_of

if TYPE_CHECKING:
    from evenhand.findings import Plain

Missing: TypeAlias = Literal["error", "group"]
"""What is done with missing sensitive values: they are refused, or make a group."""
Bins: TypeAlias = Mapping[str, Sequence[float]]
"""Edges that make groups of numeric features."""


@dataclass(frozen=True, slots=True)
class Roles(Declared):
    """The columns of an evaluation set, by what they are to the audit.

    Examples
    --------
    >>> roles = Roles(label="paid", sensitive_features=("sex", "race"))
    >>> roles.label, roles.sensitive_features
    ('paid', ('sex', 'race'))
    """

    label: str | None = setting(None, "Column with the truth.", recorded="always")
    positive: object = setting(
        None, "Value of the label that counts as positive. When not given, the greater of {0, 1}, {-1, 1}, "
        "{no, yes} and booleans, and the favourable value of any other label.", key="pos_label", recorded="always",
    )  # fmt: skip
    favourable: object = setting(
        None, "Value of the label that is good for the person; required by the four-fifths rule.", recorded="always"
    )
    sensitive_features: tuple[str, ...] = setting(
        (), "Sensitive feature: a column whose values make groups.", flag="--sensitive", recorded="always"
    )
    control_features: tuple[str, ...] = setting(
        (), "Control feature: a column within whose values groups are compared.", flag="--control", recorded="always"
    )
    sample_weight: str | None = setting(None, "Column with sampling weights.", flag="--weight", recorded="always")
    frequency: str | None = setting(
        None, "Column with the number of rows that each row counts for, in a table of counts as from GROUP BY; "
        "weights in it are their sums.", recorded="always",
    )  # fmt: skip
    squared_weight: str | None = setting(
        None, "Column with sums of squared weights, in a table of counts of weighted rows."
    )
    stratum_share: str | None = setting(
        None, "Column with the share of all rows that are in the stratum of a row, where evenhand label chose the rows."
    )
    id: str | None = setting(
        None, "Column that names a row or a person; never a model input. Rows of one id are one cluster.",
        recorded="always",
    )  # fmt: skip
    labels: tuple[str, ...] = setting((), "Column of one of several labels, each 0 or 1, in place of one label.")
    query: str | None = setting(None, "Column that names the list an item is part of, such as a search, for ranking.")
    cluster: str | None = setting(
        None, "Column that names the cluster of a row, such as a household.", recorded="always"
    )
    prediction: str | None = setting(
        None, "Column with decisions, in the values of the label, instead of a model.", recorded="always"
    )
    score: str | None = setting(None, "Column with scores, instead of a model.", recorded="always")
    original_prediction: str | None = setting(None, "Column with the decisions of the model before compression.")
    original_score: str | None = setting(None, "Column with the scores of the model before compression.")
    proxies: Mapping[str, tuple[str, ...]] = setting(
        {}, "Unobserved sensitive feature, with the columns of the probability of each of its groups: "
        "race=p_black,p_white.", flag="--proxy",
    )  # fmt: skip
    codes: tuple[str, ...] = setting(
        (), "Sensitive or control feature whose whole numbers are codes and no measurement, such as an area code: each "
        "of many values makes a group.", flag="--code",
    )  # fmt: skip
    value_labels: Mapping[str, Mapping[str, str]] = setting(
        {}, "Name of a group whose value is a code: RAC1P=3=Alaska Native.", flag="--value-label",
    )  # fmt: skip
    images: str | None = setting(None, "Column that names the file of each row's image, where the model reads images.")
    texts: str | None = setting(None, "Column of the texts, where the model reads texts.")
    exclude: tuple[str, ...] = setting((), "Column that is never a model input.", recorded="always")

    @property
    def favourable_is_positive(self) -> bool | None:
        """Whether the outcome that is good for the person is the positive class; None where none is declared."""
        return None if self.favourable is None else bool(self.favourable == self.positive)

    def contradictions(self) -> Iterator[str]:
        """Yield the complaint about names of values that are no table of texts."""
        for column, names in self.value_labels.items():
            if not isinstance(names, Mapping) or not all(isinstance(name, str) for name in names.values()):
                given = {column: names}
                yield f"{argument('value_labels')} takes {{column: {{value: name}}}}, not {quoted(given)}."

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield (role, column) for every column that must be in the table; `exclude` is not among them."""
        for role, declared in settings_of(Roles).items():
            if declared.types == (str, NoneType) and getattr(self, role) is not None:
                yield role, getattr(self, role)
        yield from (("proxies", column) for columns in self.proxies.values() for column in columns)
        for role in ("labels", "sensitive_features", "control_features"):
            yield from ((role, column) for column in getattr(self, role))

    def inputs(self, columns: Iterable[str], use_sensitive: bool = False) -> tuple[str, ...]:
        """Return the columns that a model may read: no truth, predictions, names or sensitive features."""
        barred = {column for _, column in self.named()} - {*self.sensitive_features, *self.control_features}
        barred.update(self.exclude)
        if not use_sensitive:
            barred.update(self.sensitive_features)
        return tuple(column for column in columns if column not in barred)

    def to_plain(self) -> dict[str, Plain]:
        """Return the roles as plain JSON data; other values become text."""
        return {name: _plain(value) for name, value in self.on_record().items()}


@dataclass(frozen=True, slots=True)
class Reading(Declared):
    """How a table is read."""

    task: Task | None = setting(None, "Kind of label; inferred from its values where they are unambiguous.")
    missing: Missing = setting(
        "error", "Missing values of sensitive and control features: refuse them, or make them the group (missing)."
    )
    bins: Bins = setting({}, "Edges that make groups of a numeric feature: age=25,40,60 gives <25, 25-39, 40-59, >=60.")
    use_sensitive: bool = setting(False, "Whether the model reads the sensitive features.")
    spelling: Spelling = setting(
        "plain", "How transcripts are compared: plain, in lower case and without punctuation, or as they are given."
    )
    inputs: object = setting(
        None, "Model inputs outside the table, row by row: a file of arrays (.npy), of texts one per line "
        "(.txt), or the folder of images; in Python also an array, texts, or a data set or loader of PyTorch.",
        recorded="never",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shares(Declared):
    """Parts of a table that a model is made from; they are taken in proportion."""

    train: float = setting(0.55, "Share of the rows to learn from.", above=0)
    validation: float = setting(0.15, "Share of the rows to stop by and to choose the threshold on.", above=0)
    test: float = setting(0.3, "Share of the rows held out for --test-output.", above=0, flag="--test-share")
    seed: int = setting(0, "Seed of the split.", least=0)


@dataclass(frozen=True, slots=True)
class Scoring(Declared):
    """How scores become decisions."""

    threshold: float | None = setting(None, "A score at or above it is predicted positive.")
    score_kind: Literal["probability", "ranking"] | None = setting(
        None, "Kind of scores; inferred from the threshold when not given."
    )


class ReadingSettings(TypedDict, total=False):
    """The settings of `Reading`, as keywords."""

    task: Task | None
    missing: Missing | None
    bins: Bins | None
    use_sensitive: bool | None
    spelling: Spelling | None
    inputs: object


class ArraySettings(ReadingSettings, total=False):
    """What arrays are, as keywords of `evaluation_set_from_arrays`."""

    codes: str | Sequence[str]
    value_labels: Mapping[str, Mapping[object, str]] | None
    sensitive_features: object
    control_features: object
    group_probabilities: Mapping[str, object] | None
    sample_weight: object
    cluster: object
    query: object
    positive: object
    pos_label: object
    favourable: object


class RoleSettings(ReadingSettings, total=False):
    """The settings of `Roles` and `Reading`, as keywords; one column may be named without a list."""

    label: str | None
    positive: object
    pos_label: object
    favourable: object
    sensitive_features: str | Sequence[str]
    control_features: str | Sequence[str]
    sample_weight: str | None
    frequency: str | None
    squared_weight: str | None
    stratum_share: str | None
    id: str | None
    labels: str | Sequence[str]
    query: str | None
    cluster: str | None
    prediction: str | None
    score: str | None
    original_prediction: str | None
    original_score: str | None
    proxies: Mapping[str, Sequence[str]] | None
    codes: str | Sequence[str]
    value_labels: Mapping[str, Mapping[object, str]] | None
    images: str | None
    texts: str | None
    exclude: str | Sequence[str]


def by_field(settings: Mapping[str, object]) -> dict[str, object]:
    """Return settings by the names of their fields: their keys in evenhand.toml, such as `pos_label`, are taken, too.

    Raises
    ------
    InputError
        When one is given by both of its names.
    """
    fields = {s.key: name for name, s in {**settings_of(Roles), **settings_of(Reading)}.items() if s.key != name}
    twice = [key for key, name in fields.items() if settings.get(key) is not None and settings.get(name) is not None]
    raise_all(
        InputError, (f"{argument(key)} and {argument(fields[key])} are one setting; give one of them." for key in twice)
    )
    kept = {name: value for name, value in settings.items() if name not in fields}
    return kept | {fields[key]: settings[key] for key in fields if settings.get(key) is not None}


def _plain(value: object) -> Plain:
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
