"""A setting is declared once, as a field of a record: flags, files, signatures, checks and docs follow from it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Integral, Real
from types import MappingProxyType, NoneType, UnionType
from typing import Final, Literal, Self, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from evenhand.documents import WHOLE
from evenhand.errors import InputError, did_you_mean, parameter, quoted, raise_all

T = TypeVar("T")

Recorded: TypeAlias = Literal["always", "changed", "never"]
"""Whether a setting is put on record whatever it is, where it is not its default, or not at all."""

_KINDS: Final[Mapping[object, tuple[type, str]]] = {
    bool: (bool, "true or false"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a text"),
    tuple: (tuple, "a list"),
    Mapping: (Mapping, "a table"),
    Callable: (Callable, "a function"),  # type: ignore[dict-item]
}


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One declared setting."""

    name: str
    """The field, and the keyword in Python."""
    type: object
    """Its annotation, resolved."""
    default: object
    """The default value."""
    help: str
    """One line about it."""
    unit: str = ""
    """What a number counts."""
    least: float | None = None
    """The lowest value, of each item where it is a list."""
    above: float | None = None
    """Values are above it."""
    below: float | None = None
    """Values are below it."""
    most: float | None = None
    """The highest value."""
    key: str = ""
    """The key in evenhand.toml."""
    flag: str = ""
    """The flag on the command line."""
    alone: str = ""
    """What a name without a value means on the command line, where names have values."""
    recorded: Recorded = "changed"
    """Whether it is put on record."""
    only: str = ""
    """Why it can be set from Python alone; empty where files and flags reach it."""

    @property
    def types(self) -> tuple[object, ...]:
        """The types that a value may have."""
        return get_args(self.type) if get_origin(self.type) in (Union, UnionType) else (self.type,)

    @property
    def choices(self) -> tuple[str, ...]:
        """Its choices; empty where it has none."""
        return tuple(word for part in self.types if get_origin(part) is Literal for word in get_args(part))

    @property
    def kind(self) -> str:
        """What it is, in words, with its range."""
        low = f"[{self.least:g}" if self.least is not None else "" if self.above is None else f"({self.above:g}"
        high = f"{self.most:g}]" if self.most is not None else "" if self.below is None else f"{self.below:g})"
        numbers = f" in {low}, {high}" if low and high else f" from {low[1:]}" if low.startswith("[") else ""
        numbers = numbers or (f" above {low[1:]}" if low else "")
        words = [", ".join(self.choices), *(word for part in self.types if (word := _word(part)))]
        said = " or ".join(filter(None, words)) or "a value"
        return said + numbers if numbers else said.replace("a number", "a finite number")

    def problem(self, value: object) -> str | None:
        """Return the error of a value, as a sentence with the name marked; None for a valid one."""
        if isinstance(value, str) and self.choices and value not in self.choices:
            near = did_you_mean(value, self.choices)
            return f"There is no {parameter(self.name)} {value!r}; known are {', '.join(self.choices)}.{near}"
        items = value if isinstance(value, tuple) else (value,)
        if any(fits(part, value) for part in self.types) and all(map(self._inside, items)):
            return None
        such = isinstance(self.default, (str, int, float)) and not isinstance(self.default, bool)
        example = f", such as {self.default!r}," if such else ","
        return f"{parameter(self.name)} must be {self.kind}{example} not {quoted(value, 120)}."

    def _inside(self, value: object) -> bool:
        if not isinstance(value, Real) or isinstance(value, bool):
            return True
        if isinstance(value, Integral) and not -WHOLE <= int(value) < WHOLE:
            return False
        at = float(value)
        low = (self.least is None or at >= self.least) and (self.above is None or at > self.above)
        high = (self.most is None or at <= self.most) and (self.below is None or at < self.below)
        return math.isfinite(at) and low and high


def _word(hint: object) -> str:
    base, parts = get_origin(hint) or hint, get_args(hint)
    word = _KINDS[base][1] if base in _KINDS else ""
    return f"{word} of {_word(parts[0]).removeprefix('a ')}s" if base is tuple else word


def coerced(hint: object, value: object) -> object:
    """Return a value as stored in a field: a list as a tuple, one name as a tuple of one, names without repeats."""
    base, parts = get_origin(hint) or hint, get_args(hint)
    if base in (Union, UnionType):
        return value if value is None else coerced(parts[0], value)
    if base is Mapping and isinstance(value, Mapping):
        return {_key(name): coerced(parts[1], part) for name, part in value.items()}
    if base is not tuple:
        return value
    if isinstance(value, str) or (isinstance(value, Integral) and parts[0] is int):
        return (value,)
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        return value
    return tuple(dict.fromkeys(map(str, value))) if parts[0] is str else tuple(value)


def _key(value: object) -> str:
    """Return a key as text: codes of a column, such as 1 and 1.0, are what is shown of them."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def fits(hint: object, value: object) -> bool:
    """Return whether a value is of a type; a whole number is a number, and true and false are none."""
    base, parts = get_origin(hint) or hint, get_args(hint)
    if base in (Union, UnionType):
        return any(fits(part, value) for part in parts)
    if base is Literal:
        return value in parts
    kind = _KINDS[base][0] if base in _KINDS else base
    if not isinstance(kind, type) or not isinstance(value, kind):
        return False
    if isinstance(value, (bool, str)):
        return base in (bool if isinstance(value, bool) else str, object)
    # the values of a table are checked by its reader, with other messages
    return isinstance(value, Mapping) or not isinstance(value, tuple) or all(fits(parts[0], part) for part in value)


def setting(default: T, help: str, **about: object) -> T:
    """Declare a field as a setting.

    Parameters
    ----------
    default : object
        The default value.
    help : str
        One line about it.
    **about
        Further fields of `Setting`: unit, range, key, flag.
    """
    metadata = {"setting": {"help": help, **about}}
    if isinstance(default, dict):
        return cast("T", dataclasses.field(default_factory=dict, metadata=metadata))
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(record: type[Declared]) -> Mapping[str, Setting]:
    """Return the settings that a record declares, by name."""
    if record not in _READ:
        hints = get_type_hints(record)
        _READ[record] = MappingProxyType(
            {
                field.name: Setting(
                    field.name,
                    hints[field.name],
                    {} if field.default is dataclasses.MISSING else field.default,
                    **{"key": field.name, "flag": "--" + about.get("key", field.name).replace("_", "-"), **about},
                )
                for field in dataclasses.fields(record)
                if (about := field.metadata.get("setting")) is not None
            }
        )
    return _READ[record]


_READ: Final[dict[type[object], Mapping[str, Setting]]] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """A record of settings, brought into form and checked when it is made.

    Raises
    ------
    InputError
        When a setting makes no sense; all such settings are named together.
    """

    def __post_init__(self) -> None:
        problems = []
        for name, declared in settings_of(type(self)).items():
            value = getattr(self, name)
            if value is None and NoneType not in declared.types and declared.type is not object:
                value = declared.default
            value = coerced(declared.type, value)
            object.__setattr__(self, name, value)
            problems += [] if (problem := declared.problem(value)) is None else [problem]
        raise_all(InputError, problems or self.contradictions())

    def contradictions(self) -> Iterable[str]:
        """Return errors of settings that are incompatible."""
        return ()

    def updated(self, settings: Mapping[str, object]) -> Self:
        """Return the record with these settings."""
        return dataclasses.replace(self, **settings)

    def on_record(self) -> dict[str, object]:
        """Return the settings that are put on record, with their values."""
        values = {name: (declared, getattr(self, name)) for name, declared in settings_of(type(self)).items()}
        return {
            name: value
            for name, (declared, value) in values.items()
            if declared.recorded == "always" or (declared.recorded == "changed" and value != declared.default)
        }


def unknown(names: Iterable[str], known: Iterable[str], what: str) -> Iterator[str]:
    """Yield a sentence for each name that is not known, with the nearest one that is."""
    known = list(known)
    yield from (f"{what} '{name}'.{did_you_mean(name, known)}" for name in names if name not in known)
