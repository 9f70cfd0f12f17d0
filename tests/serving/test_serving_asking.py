"""A view is its address: what is read from it makes it again, and what it cannot mean is told."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.errors import InputError
from evenhand.serving.viewing.asking import Asked, parsed
from evenhand.serving.viewing.packing import MOST_PACKED, MOST_TEXT, packed, unpacked

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
SHARES = st.floats(-1e6, 1e6, allow_nan=False)
VIEWS = st.builds(
    Asked,
    by=st.sets(NAMES, max_size=3).map(lambda names: tuple(sorted(names))),
    metric=st.sampled_from(["", "recall", "selection_rate"]),
    vs=st.sampled_from(["", "rest", "overall", "Black"]),
    groups=st.lists(NAMES, max_size=3, unique=True).map(tuple),
    threshold=st.none() | SHARES,
    policy=st.none() | st.text(st.characters(codec="utf-8"), max_size=200),
    at=st.integers(0, 99),
    every=st.booleans(),
) | st.builds(
    Asked, split=NAMES, each=st.dictionaries(NAMES, SHARES, min_size=1, max_size=3).map(lambda d: tuple(d.items()))
)


@given(VIEWS)
def test_an_address_makes_its_view_again(asked: Asked) -> None:
    assert parsed(parse_qsl(asked.query(), keep_blank_values=True)) == asked


@given(st.text(st.characters(codec="utf-8"), max_size=2000))
def test_a_policy_is_unpacked_as_it_was_packed(text: str) -> None:
    letters = packed(text)
    assert unpacked(letters) == text
    assert set(letters) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_what_was_not_packed_is_refused_in_a_sentence(letters: str) -> None:
    try:
        unpacked(letters)
    except InputError as wrong:
        assert str(wrong) == "The policy in this address is damaged: copy the address whole."


def test_an_address_cannot_unfold_into_more_than_a_policy() -> None:
    import base64
    import zlib

    bomb = base64.urlsafe_b64encode(zlib.compress(b"#" * 50_000_000, 9)).decode().rstrip("=")
    with pytest.raises(InputError, match="damaged"):
        unpacked(bomb[:MOST_PACKED])
    small = base64.urlsafe_b64encode(zlib.compress(b"#" * (MOST_TEXT + 1), 9)).decode().rstrip("=")
    assert len(small) < MOST_PACKED
    with pytest.raises(InputError, match="damaged"):
        unpacked(small)


def test_a_policy_too_long_for_an_address_is_refused() -> None:
    with pytest.raises(InputError, match="too many for an address"):
        packed("#" * (MOST_TEXT + 1))


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("metrc", "recall")], "no parameter 'metrc'. Did you mean 'metric'?"),
        ([("t", "high")], "The threshold 'high' is no finite number."),
        ([("t", "nan")], "The threshold 'nan' is no finite number."),
        ([("t.Black", "1e999"), ("split", "race")], "no finite number"),
        ([("t.Black", "0.4")], "Thresholds of groups need split="),
        ([("at", "-1")], "The step '-1' is no whole number from 0."),
        ([("at", "9" * 400)], "no whole number"),
        ([("at", "²")], "no whole number"),
        ([("t", "0.4"), ("t", "0.5")], "there twice"),
        ([("policy", "%%%")], "damaged"),
    ],
)
def test_a_bad_address_is_told_in_a_sentence(pairs: list[tuple[str, str]], sentence: str) -> None:
    with pytest.raises(InputError) as told:
        parsed(pairs)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


def test_groups_of_other_features_are_let_go_when_a_form_names_others() -> None:
    """A form sends the groups that it showed; they mean nothing to the features that were chosen since."""
    form = [("by", "sex"), ("was", "race"), ("group", "Black"), ("vs", "White"), ("metric", "recall")]
    assert parsed(form) == Asked(by=("sex",), metric="recall")
    assert parsed([*form[1:], ("by", "race")]).groups == ("Black",)
