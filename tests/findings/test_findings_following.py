"""The fast check of a record says yes only where jsonschema does."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import pytest

import evenhand as eh
from evenhand import records
from evenhand.documents import parse_json
from evenhand.schemas.following import follows, rule_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCHEMA: Final[dict[str, Any]] = json.loads(files("evenhand.schemas").joinpath("audit-2.json").read_text("utf-8"))
STRANGE: Final = (
    None, True, False, 0, -1, 1, 1.0, 0.5, -0.5, 2, "", "x", "share", [], [0], ["x"], [None], {}, {"id": "x"},
    {"id": ""}, {"id": "{n}", "places": {"n": [True]}}, [[[]]], {"low": []},
)  # fmt: skip


@cache
def documents() -> list[dict[str, Any]]:
    """Return small records: one with all but findings, and one for a finding of every shape."""
    truth, decisions, group = [1, 0, 1, 0, 1, 1] * 8, [1, 0, 0, 0, 1, 0] * 8, ["f", "m", "f", "m", "x", "m"] * 8
    record = eh.audit_predictions(
        truth, decisions, original_pred=truth, sensitive_features={"g": group}, cluster=list(range(24)) * 2
    )
    whole: dict[str, Any] = json.loads(json.dumps(records.to_plain(record)))
    shapes = {frozenset(finding): finding for finding in whole["findings"]}
    less = {"sections": [], "tallies": [], "provenance": {}}
    tallies = [part for part in whole["tallies"] if not part["columns"]]
    first = whole | {"findings": [], "tallies": tallies[:2], "sections": whole["sections"][:2]}
    return [first, *(whole | less | {"findings": [finding]} for finding in shapes.values())]


def paths(part: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each part, of lists of the first item."""
    yield here
    inner = part.items() if isinstance(part, dict) else enumerate(part[:1]) if isinstance(part, list) else ()
    for name, held in inner:
        yield from paths(held, (*here, name))


def changed(document: dict[str, Any], path: tuple[Any, ...], change: Callable[[Any, Any], object]) -> dict[str, Any]:
    """Return a copy with a change made to what holds the part of that path."""
    made = deepcopy(document)
    held: Any = made
    for name in path[:-1]:
        held = held[name]
    change(held, path[-1])
    return made


def mutants(document: dict[str, Any], path: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Yield copies without a part, with a strange one in its place, and with more beside it."""
    yield changed(document, path, lambda held, name: held.pop(name))
    for strange in STRANGE:
        yield changed(document, path, lambda held, name, strange=strange: held.__setitem__(name, strange))  # type: ignore[misc]
    yield changed(document, path, lambda held, _: held.update(more=1) if isinstance(held, dict) else held.append({}))


def test_nothing_is_accepted_that_jsonschema_refuses() -> None:
    judge = jsonschema.Draft202012Validator(SCHEMA)
    allowed = rule_of(SCHEMA)
    seen: set[tuple[Any, ...]] = {()}
    accepted = refused = 0
    for original in documents():
        for path in [path for path in paths(original) if path not in seen]:
            seen.add(path)
            for document in mutants(original, path):
                if allowed(document):
                    accepted += 1
                    assert judge.is_valid(document), path
                else:
                    refused += 1
    assert {"interval", "unadjusted", "deciding", "critical", "undefined", "moments", "places"} <= {
        name for path in seen for name in path
    }
    assert refused > 1_000
    assert accepted > 100, "a change that breaks nothing is accepted"


def test_what_evenhand_writes_is_accepted() -> None:
    assert all(follows(document, SCHEMA) for document in documents())


@pytest.mark.parametrize("word", ["oneOf", "not", "patternProperties", "uniqueItems", "if"])
def test_a_keyword_that_is_not_known_is_left_to_jsonschema(word: str) -> None:
    assert not follows({}, {"type": "object", word: {}})


def test_a_record_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, checked = tmp_path / "audit.json", []
    eh.write_record(place, eh.audit_predictions([1, 0, 1], [1, 0, 0]))
    monkeypatch.setattr(records, "follows", lambda document, schema: checked.append(1) or follows(document, schema))
    monkeypatch.setattr(jsonschema, "Draft202012Validator", lambda _: pytest.fail("jsonschema is asked"))
    eh.read_record(place)
    assert checked == [1]


@pytest.mark.parametrize(
    "text", ['{"a": [[1, {"b": 9223372036854775808}]]}', "[" * 70 + "]" * 70, '{"a": ' * 70 + "1" + "}" * 70, "[1e999]"]
)
def test_depth_and_size_of_numbers_are_bounded_in_lists_and_objects(text: str) -> None:
    with pytest.raises(eh.EvenhandError, match=re.compile("digits|deeply|too large")):
        parse_json(text, "it")
