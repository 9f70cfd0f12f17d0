"""Whether a document follows a JSON Schema: a fast answer for the usual case that it does.

It knows the few keywords that the schemas of this package use, and says yes only where `jsonschema` would. Where it
says no, `jsonschema` says why, and has the last word; loading that, and asking it of a document of a thousand findings,
takes longer than judging them.

Each part of a schema becomes a rule: the types that a value may have, and a test of what the types do not say. A field
costs two look-ups, and a call only where there is such a test.
"""

from __future__ import annotations

import operator
import re
from functools import partial, reduce
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Test: TypeAlias = Callable[[object], bool]
    Schema: TypeAlias = Mapping[str, object]

TEXTS: Final = frozenset({"$schema", "title", "description", "$defs"})
"""What only readers need."""
KINDS: Final[Mapping[str, frozenset[type]]] = {
    "object": frozenset({dict}),
    "array": frozenset({list}),
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "number": frozenset({int, float}),
    "integer": frozenset({int}),
}
"""By type of JSON, those of Python that parsing gives; whole numbers written as 1.0 are left to `jsonschema`."""
ANY: Final = frozenset[type]().union(*KINDS.values())


class _Rule(NamedTuple):
    """What a part of a schema asks of a value."""

    types: frozenset[type]
    """The types that it may have."""
    test: Test | None
    """What else must hold of it; None where the types say it all."""

    def allows(self, value: object) -> bool:
        """Return whether a value keeps to the rule."""
        return type(value) in self.types and (self.test is None or self.test(value))


def follows(document: object, schema: Schema) -> bool:
    """Return whether a document surely follows a schema; False also where a keyword is not known here."""
    try:
        return rule_of(schema)(document)
    except (KeyError, RecursionError):
        return False


def rule_of(schema: Schema) -> Test:
    """Return the check of any number of documents.

    Raises
    ------
    KeyError
        When a keyword is not known here.
    """
    return _Reader(schema).rule(schema).allows


class _Reader:
    """Makes rules of the parts of a schema, those that it names once each."""

    def __init__(self, schema: Schema) -> None:
        self._named: dict[str, _Rule] = {}
        self._defined = dict(_parts(schema, "$defs"))

    def rule(self, schema: Schema) -> _Rule:
        """Return the rule of a part of the schema."""
        types, tests = ANY, []
        for word in schema.keys() - TEXTS - CONTENT:
            allowed, test = MAKERS[word](self, schema)
            types &= allowed
            tests += [] if test is None else [test]
        if CONTENT & schema.keys():
            types &= KINDS["object"]
            tests.append(self._content(schema))
        return _Rule(types, reduce(_both, tests) if tests else None)

    def named(self, schema: Schema) -> _Rule:
        """Return the rule of a named part, which may name itself."""
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        if name not in self._named:
            self._named[name] = _Rule(ANY, lambda value: self._named[name].allows(value))  # noqa: PLW0108  # it is replaced below
            self._named[name] = self.rule(self._defined[name])
        return self._named[name]

    def _content(self, schema: Schema) -> Test:
        """Return the test of an object: the fields that it must have, the named ones, and others."""
        known = {name: self.rule(part) for name, part in _parts(schema, "properties")}
        wanted = frozenset(schema.get("required", ()))  # type: ignore[call-overload]  # a list of names
        more = schema.get("additionalProperties", True)
        others = _Rule(ANY if more is True else frozenset(), None) if isinstance(more, bool) else self.rule(more)  # type: ignore[arg-type]
        find = known.get

        def test(value: object) -> bool:
            for name, part in value.items():  # type: ignore[attr-defined]  # an object, by its type
                types, inner = find(name, others)
                if type(part) not in types or (inner is not None and not inner(part)):
                    return False
            return wanted <= value.keys()  # type: ignore[attr-defined, no-any-return]

        return test

    def items(self, schema: Schema) -> _Rule:
        """Return the rule of an array by that of its items."""
        types, inner = self.rule(schema["items"])  # type: ignore[arg-type]  # a schema

        def test(value: object) -> bool:
            for part in value:  # type: ignore[attr-defined]  # noqa: SIM110  # a generator takes a third longer
                if type(part) not in types or (inner is not None and not inner(part)):
                    return False
            return True

        return _Rule(KINDS["array"], test)

    def any_of(self, schema: Schema) -> _Rule:
        """Return the rule that one of several is kept to; where each is of types of its own, the type tells which."""
        rules = [self.rule(part) for part in schema["anyOf"]]  # type: ignore[attr-defined]  # a list of schemas
        types = frozenset[type]().union(*(rule.types for rule in rules))
        if len(types) == sum(len(rule.types) for rule in rules):
            tests = {kind: rule.test for rule in rules for kind in rule.types if rule.test is not None}
            return _Rule(
                types, (lambda value: type(value) not in tests or tests[type(value)](value)) if tests else None
            )
        return _Rule(types, lambda value: any(rule.allows(value) for rule in rules))


def _parts(schema: Schema, word: str) -> Iterator[tuple[str, Schema]]:
    held = schema.get(word, {})
    assert isinstance(held, dict)  # a schema of this package
    yield from held.items()


def _both(one: Test, other: Test) -> Test:
    return lambda value: one(value) and other(value)


def _type(_: _Reader, schema: Schema) -> _Rule:
    named = schema["type"]
    kinds = named if isinstance(named, list) else [named]
    return _Rule(frozenset[type]().union(*(KINDS[str(kind)] for kind in kinds)), None)


def _one_of(allowed: object) -> _Rule:
    known = allowed if isinstance(allowed, list) else [allowed]
    return _Rule(frozenset(map(type, known)), frozenset(known).__contains__)


def _sized(kind: str, least: object, most: object) -> _Rule:
    return _Rule(KINDS[kind], lambda value: least <= len(value) <= most)  # type: ignore[arg-type, operator]


def _pattern(_: _Reader, schema: Schema) -> _Rule:
    wanted = re.compile(str(schema["pattern"]))
    return _Rule(KINDS["string"], lambda value: wanted.search(value) is not None)  # type: ignore[call-overload]


def _compared(word: str, inside: Callable[..., bool]) -> Callable[[_Reader, Schema], _Rule]:
    """Return what makes a rule of a limit, by how the limit compares with a value inside it."""
    return lambda _, schema: _Rule(KINDS["number"], partial(inside, schema[word]))


CONTENT: Final = frozenset({"properties", "additionalProperties", "required"})
"""The keywords of objects, which make one test together."""
MAKERS: Final[Mapping[str, Callable[[_Reader, Schema], _Rule]]] = {
    "$ref": _Reader.named,
    "type": _type,
    "const": lambda _, schema: _one_of([schema["const"]]),
    "enum": lambda _, schema: _one_of(schema["enum"]),
    "items": _Reader.items,
    "anyOf": _Reader.any_of,
    "pattern": _pattern,
    "minLength": lambda _, schema: _sized("string", schema["minLength"], float("inf")),
    "minItems": lambda _, schema: _sized("array", schema["minItems"], float("inf")),
    "maxItems": lambda _, schema: _sized("array", 0, schema["maxItems"]),
    "minimum": _compared("minimum", operator.le),
    "exclusiveMinimum": _compared("exclusiveMinimum", operator.lt),
    "exclusiveMaximum": _compared("exclusiveMaximum", operator.gt),
}
"""By other keyword, what makes a rule of it."""
