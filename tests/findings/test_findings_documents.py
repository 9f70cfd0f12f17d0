"""A short document is parsed in a quicker way, which refuses and returns what the careful one does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand import documents
from evenhand.documents import parse_json
from evenhand.errors import InputError

NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1e308", "1e309", "-1e400", "1E+999", "1e-999", "9" * 210 + "e99", "0." + "1" * 400, "1" * 301]),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "true", "null", '"note e123"', '"\\ud800"', "-0.0"]),
)


def outcome(text: str, strict: bool) -> tuple[str, str]:
    try:
        return "found", repr(parse_json(text, "it", strict=strict))
    except InputError as wrong:
        return "refused", str(wrong)


@settings(max_examples=200, deadline=None)
@given(st.lists(NUMBERS, max_size=4), st.booleans())
def test_both_ways_return_and_refuse_the_same(numbers: list[str], strict: bool) -> None:
    text = '{"a": [' + ", ".join(numbers) + '], "b": {"c": 1}}'
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(documents, "SHORT", -1)
        careful = outcome(text, strict)
    assert outcome(text, strict) == careful


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "\ufeff{}", "[" * 5000, "{", "[1,]", "9" * 5000, ""])
def test_what_is_no_document_is_refused_alike(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = outcome(text, True)
    monkeypatch.setattr(documents, "SHORT", -1)
    assert quick == outcome(text, True) and quick[0] == "refused"


def test_a_number_in_a_long_run_of_digits_is_looked_at() -> None:
    for digits in (180, 250, 301, 400):
        text = json.dumps({"a": 1})[:-1] + f', "b": 0.{"7" * digits}}}'
        assert (outcome(text, False)[0] == "refused") == (digits >= 299)
