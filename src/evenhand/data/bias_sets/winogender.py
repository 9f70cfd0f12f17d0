"""Winogender: whom a pronoun refers to, by its gender."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from evenhand.data.bias_sets.choices import BiasSet, Choice, read_rows
from evenhand.errors import InputError, shorten

PRONOUN: Final = re.compile(r"\b(he|she|they|him|her|them|his|hers|their|theirs)\b", re.IGNORECASE)
WHO: Final = {"0": "occupation", "1": "participant"}


def read_winogender(path: str | Path) -> BiasSet:
    """Read ``all_sentences.tsv``, of the columns ``sentid`` and ``sentence``.

    A row is a sentence, grouped by ``pronoun`` (``male``, ``female``, ``neutral``); ``refers_to`` (``occupation`` or
    ``participant``), ``occupation`` and ``participant`` are there, too. Those about an occupation are one cluster.

    Notes
    -----
    Rudinger, Naradowsky, Leonard and Van Durme (2018), NAACL.
    """
    frame, source = read_rows(path, ("sentid", "sentence"))
    name = Path(path).name
    pairs = frame[["sentid", "sentence"]].itertuples(index=False)
    choices = [_choice(name, str(about), str(sentence)) for about, sentence in pairs]
    return BiasSet("winogender", "accuracy", ("pronoun",), tuple(choices), source=source)


def _choice(name: str, about: str, sentence: str) -> Choice:
    parts, found = about.removesuffix(".txt").split("."), PRONOUN.findall(sentence)
    if len(parts) != 4 or parts[2] not in WHO:
        raise InputError(
            f"{name}: sentid '{shorten(about, 60)}' is not of the form occupation.participant.0.male.txt, with 0 where "
            "the pronoun refers to the occupation and 1 where to the participant."
        )
    if len(found) != 1:
        raise InputError(f"{name}: '{shorten(sentence, 80)}' has {len(found)} pronouns; one is asked about.")
    occupation, participant, answer, pronoun = parts
    beginning = f'{sentence} "{found[0].capitalize()}" refers to'
    texts = tuple(f"{beginning} {_called(who)}." for who in (occupation, participant))
    fields = {
        "pronoun": pronoun, "refers_to": WHO[answer], "occupation": occupation, "participant": participant,
    }  # fmt: skip
    return Choice(texts, int(answer), fields, occupation, beginning)


def _called(who: str) -> str:
    return who if who == "someone" else f"the {who}"
