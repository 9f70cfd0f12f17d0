"""The grammar of names: parsing and formatting are inverse, for any name that a table may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import evenhand as eh
from evenhand.keys import Feature, Key, KeySyntaxError, _Reader, canonical_key

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.text(min_size=1, max_size=20)


@given(
    metric=NAMES,
    features=st.dictionaries(NAMES, st.none() | st.text(max_size=20), max_size=3),
    qualifiers=st.dictionaries(NAMES, st.text(max_size=12), max_size=2),
)
@example(metric="recall", features={"a,b": "c]=d", "e": "*"}, qualifiers={"of": '"original"'})
@example(metric=" recall ", features={"\n": "\\", "é\u202e": "🦉"}, qualifiers={";": "="})
def test_parsing_and_formatting_are_inverse(
    metric: str, features: dict[str, str | None], qualifiers: dict[str, str]
) -> None:
    key = Key(metric, tuple(Feature(c, g) for c, g in features.items()), tuple(qualifiers.items()))
    assert Key.parse(str(key)) == key
    assert str(Key.parse(str(key))) == str(key)


@given(column=NAMES, other=NAMES)
def test_each_group_is_no_group_called_star(column: str, other: str) -> None:
    each, star = Key("m", (Feature(column, each=True),)), Key("m", (Feature(column, "*"),))
    assert Key.parse(str(each)) == each != star == Key.parse(str(star))
    if column != other:
        both = Key("m", (Feature(column, each=True), Feature(other)))
        assert Key.parse(str(both)) == both


@given(text=st.text(alphabet='ab[],;=*"\\ ', max_size=30))
def test_any_text_is_a_key_or_gets_a_sentence(text: str) -> None:
    try:
        key = Key.parse(text)
    except KeySyntaxError as wrong:
        assert "is no key" in str(wrong)
    else:
        assert Key.parse(str(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "accuracy",
        "recall[sex=F]",
        "equalized_odds_difference[sex]",
        "selection_rate_ratio[race,sex]",
        "recall[race=Black,sex=F]",
        "precision[;class=3]",
        "recall_difference[sex;vs=overall]",
        "accuracy_change[race=Black;of=original]",
        "recall[race=*]",
    ],
)
def test_the_plans_own_examples(text: str) -> None:
    assert str(Key.parse(text)) == text


def test_order_and_blanks_do_not_matter() -> None:
    assert Key.parse("recall[ sex = F , race = Black ; of = original ]") == Key.parse(
        "recall[race=Black,sex=F;of=original]"
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [("recall[sex", 11), ("recall[]x", 9), ("recall[=F]", 8), ('recall["sex]', 13), ("", 1), ("recall]", 7)],
)
def test_what_is_no_key_is_told_with_its_place(text: str, at: int) -> None:
    with pytest.raises(KeySyntaxError, match=rf"at character {at}\."):
        Key.parse(text)


def test_the_same_column_twice_is_no_key() -> None:
    with pytest.raises(KeySyntaxError, match="'sex' stands in it twice"):
        Key.parse("recall[sex=F,sex=M]")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("true_positive_rate[sex=f]", "recall[sex=f]"),
        ("tpr_difference[sex]", "recall_difference[sex]"),
        ("demographic_parity_ratio[sex]", "selection_rate_ratio[sex]"),
        ("equal_opportunity_difference[sex]", "recall_difference[sex]"),
        ("something_else[sex]", "something_else[sex]"),
        ("tpr[sex=f;class=a;threshold=.10]", "recall[sex=f;class=a;threshold=0.1]"),
        ("recall[;threshold=0.12345678]", "recall[;threshold=0.12345678]"),
        ("recall[;threshold=low]", "recall[;threshold=low]"),
    ],
)
def test_other_spellings_are_understood(said: str, meant: str) -> None:
    assert str(canonical_key(Key.parse(said))) == meant


def test_a_record_is_asked_in_any_spelling() -> None:
    record = eh.audit_predictions([1, 0, 1, 0], [1, 0, 0, 0], sensitive_features={"sex": ["f", "f", "m", "m"]})
    assert record["true_positive_rate[sex=m]"].name == "recall[sex=m]"
    assert "demographic_parity_difference[sex]" in record
    with pytest.raises(eh.EvenhandError, match=r"Did you mean 'recall\[sex=m\]'"):
        record["recal[sex=m]"]


@given(
    st.text(alphabet='ab=,;[]*" \\\t', max_size=14), st.sampled_from(["", "a[", "a [", "b1[a=b", "a[b;a=", "a[a=b,b="])
)
def test_a_key_is_read_alike_by_its_places_and_from_left_to_right(text: str, begun: str) -> None:
    def told(read: Callable[[str], Key]) -> tuple[str, object]:
        try:
            found = read(begun + text)
        except KeySyntaxError as wrong:
            return "wrong", str(wrong)
        return "key", (found.metric, found.features, found.qualifiers)

    assert told(Key.parse) == told(lambda whole: _Reader(whole).key())
