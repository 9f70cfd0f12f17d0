"""Whether a document follows a JSON Schema: a fast answer for the usual case that it does.

It knows the few keywords that the schemas of this package use. Where it says no, `jsonschema` says why, and has the
last word; loading that, and asking it of a document of a thousand findings, takes longer than judging them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Check: TypeAlias = "Callable[[object], bool]"
TEXTS: Final = frozenset({"$schema", "title", "description", "$defs"})
"""What only readers need."""


def follows(document: object, schema: Mapping[str, object]) -> bool:
    """Return whether a document surely follows a schema; False also where a keyword is not known here."""
    try:
        return _Reader(schema).check(schema)(document)
    except (KeyError, RecursionError):
        return False


class _Reader:
    """Makes checks of the parts of a schema, those that it names once each."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._named: dict[str, Check] = {}
        defined = schema.get("$defs", {})
        assert isinstance(defined, dict)  # a schema of this package
        self._defined = defined

    def check(self, schema: Mapping[str, object]) -> Check:
        """Return the check of a part of the schema."""
        checks = [MAKERS[word](self, schema) for word in schema if word not in TEXTS]
        if len(checks) == 1:
            return checks[0]
        return lambda value: all(check(value) for check in checks)

    def named(self, schema: Mapping[str, object]) -> Check:
        """Return the check of a named part, which may name itself."""
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        if name not in self._named:
            self._named[name] = lambda value: self._named[name](value)  # noqa: PLW0108  # it is replaced below
            self._named[name] = self.check(self._defined[name])
        return self._named[name]

    def properties(self, schema: Mapping[str, object]) -> Check:
        """Return the check of the fields of an object that are named."""
        known = {name: self.check(part) for name, part in _parts(schema, "properties")}
        return lambda value: (
            not isinstance(value, dict) or all(known[name](part) for name, part in value.items() if name in known)
        )

    def others(self, schema: Mapping[str, object]) -> Check:
        """Return the check of the fields of an object that are not named."""
        known, others = {name for name, _ in _parts(schema, "properties")}, schema["additionalProperties"]
        if others is False:
            return lambda value: not isinstance(value, dict) or value.keys() <= known
        check = self.check(others)  # type: ignore[arg-type]  # a schema
        return lambda value: (
            not isinstance(value, dict) or all(check(part) for name, part in value.items() if name not in known)
        )

    def items(self, schema: Mapping[str, object]) -> Check:
        """Return the check of the items of an array."""
        check = self.check(schema["items"])  # type: ignore[arg-type]  # a schema
        return lambda value: not isinstance(value, list) or all(map(check, value))

    def any_of(self, schema: Mapping[str, object]) -> Check:
        """Return the check that one of several parts is followed."""
        checks = [self.check(part) for part in schema["anyOf"]]  # type: ignore[attr-defined]  # a list of schemas
        return lambda value: any(check(value) for check in checks)


def _parts(schema: Mapping[str, object], word: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    held = schema.get(word, {})
    assert isinstance(held, dict)  # a schema of this package
    yield from held.items()


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


KINDS: Final[Mapping[str, Check]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _number,
    "integer": lambda value: _number(value) and value == int(value),  # type: ignore[call-overload]  # a number
}


def _type(_: _Reader, schema: Mapping[str, object]) -> Check:
    named = schema["type"]
    kinds = [KINDS[str(kind)] for kind in (named if isinstance(named, list) else [named])]
    return kinds[0] if len(kinds) == 1 else lambda value: any(kind(value) for kind in kinds)


def _one_of(allowed: object) -> Check:
    known = allowed if isinstance(allowed, list) else [allowed]
    return lambda value: any(type(value) is type(other) and value == other for other in known)


def _sized(kind: type, least: object, most: object) -> Check:
    return lambda value: not isinstance(value, kind) or least <= len(value) <= most  # type: ignore[arg-type, operator]


def _pattern(_: _Reader, schema: Mapping[str, object]) -> Check:
    wanted = re.compile(str(schema["pattern"]))
    return lambda value: not isinstance(value, str) or wanted.search(value) is not None


def _fields(_: _Reader, schema: Mapping[str, object]) -> Check:
    wanted = frozenset(schema["required"])  # type: ignore[call-overload]  # a list of names
    return lambda value: not isinstance(value, dict) or wanted <= value.keys()


def _compared(word: str, inside: Callable[[object, object], bool]) -> Callable[[_Reader, Mapping[str, object]], Check]:
    def made(_: _Reader, schema: Mapping[str, object]) -> Check:
        limit = schema[word]
        return lambda value: not _number(value) or inside(value, limit)

    return made


MAKERS: Final[Mapping[str, Callable[[_Reader, Mapping[str, object]], Check]]] = {
    "$ref": _Reader.named,
    "type": _type,
    "const": lambda _, schema: _one_of(schema["const"]),
    "enum": lambda _, schema: _one_of(schema["enum"]),
    "properties": _Reader.properties,
    "additionalProperties": _Reader.others,
    "required": _fields,
    "items": _Reader.items,
    "anyOf": _Reader.any_of,
    "pattern": _pattern,
    "minLength": lambda _, schema: _sized(str, schema["minLength"], float("inf")),
    "minItems": lambda _, schema: _sized(list, schema["minItems"], float("inf")),
    "maxItems": lambda _, schema: _sized(list, 0, schema["maxItems"]),
    "minimum": _compared("minimum", lambda value, limit: value >= limit),  # type: ignore[operator]
    "exclusiveMinimum": _compared("exclusiveMinimum", lambda value, limit: value > limit),  # type: ignore[operator]
    "exclusiveMaximum": _compared("exclusiveMaximum", lambda value, limit: value < limit),  # type: ignore[operator]
}
"""By keyword, what makes a check of it."""
