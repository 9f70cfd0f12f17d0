"""A language is one catalogue: ids looked up, places said and formatted, plural forms by its own rule."""

from __future__ import annotations

import pytest

from evenhand.errors import InputError
from evenhand.messages import joined, lowered, message, messages
from evenhand.words import Language, language, languages
from evenhand.words.opening import opened

POLISH = r"""
msgid ""
msgstr ""
"Language: pl\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"

msgid "{n:,} row of {group}"
msgid_plural "{n:,} rows of {group}"
msgstr[0] "{n:,} wiersz {group}"
msgstr[1] "{n:,} wiersze {group}"
msgstr[2] "{n:,} wierszy {group}"

msgid "Recall"
msgstr "Czułość"

msgid "{metric} of {share:.2f}"
msgstr "{metric}: {share:.2f}"

#, fuzzy
msgid "Precision"
msgstr "Zgadnięte"

msgid "; "
msgstr " | "
"""


@pytest.fixture
def polish() -> Language:
    return opened("pl", POLISH)


@pytest.mark.parametrize(("n", "said"), [(1, "1 wiersz f"), (3, "3 wiersze f"), (1205, "1,205 wierszy f")])
def test_plural_forms_follow_the_catalogues_own_rule(polish: Language, n: int, said: str) -> None:
    assert polish.say(messages("{n:,} row of {group}", "{n:,} rows of {group}", n, group="f")) == said


def test_places_are_said_and_formatted(polish: Language) -> None:
    assert (
        polish.say(message("{metric} of {share:.2f}", metric=lowered(message("Recall")), share=0.625))
        == "Czułość: 0.62"
    )


def test_names_of_the_data_are_left_alone(polish: Language) -> None:
    assert polish.say("Recall") == "Recall"
    assert polish.say(message("{metric} of {share:.2f}", metric="Recall", share=1)) == "Recall: 1.00"


def test_what_stands_between_is_translated(polish: Language) -> None:
    assert polish.say(joined("; ", [message("Recall"), "x", joined(" - ", ["a", message("Recall")])])) == (
        "Czułość | x | a - Czułość"
    )


def test_a_missing_or_fuzzy_message_is_said_in_english_and_listed(polish: Language) -> None:
    told = messages("{n} column", "{n} columns", 2)
    assert polish.say(told) == "2 columns"
    assert polish.say(message("Precision")) == "Precision"
    assert polish.missing(["Recall", "recall", "Precision", told.id]) == ("Precision", "{n} column")


def test_languages_are_found_and_others_refused() -> None:
    assert languages()[0] == "en"
    assert "zh-CN" in languages()
    assert language("zh-CN").say(joined(", ", ["a", "b"])) == "a、b"
    assert language("en").say(messages("{n} row", "{n} rows", 2)) == "2 rows"
    with pytest.raises(InputError, match=r"no words of 'xx'; a report is written in en or .*zh-CN"):
        language("xx")
