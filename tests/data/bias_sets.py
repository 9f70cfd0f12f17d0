"""Small bias sets in the formats in which the real ones are published, with sentences of our own."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

WOMEN, MEN = ("nurse", "librarian", "cashier"), ("carpenter", "farmer", "driver")
"""Occupations that the stereotype gives to women, and to men."""
PEOPLE = {"Age": ("grandson", "grandfather", "nonOld", "old"), "Religion": ("Sikh", "Muslim", "Sikh", "Muslim")}
"""By category two people, and the words by which the answers are told; the stereotype is about the second."""


def crows_pairs(place: Path, pairs: int = 300) -> Path:
    """Write pairs about two axes, the man and the woman, the young and the old, each in a sentence of its own."""
    lines = [("sent_more", "sent_less", "stereo_antistereo", "bias_type")]
    for at in range(pairs):
        more, less, axis = (("woman", "man", "gender"), ("old", "young", "age"))[at % 2]
        lines.append((f"The {more} forgot item {at}.", f"The {less} forgot item {at}.", "stereo", axis))
    with place.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return place


def winobias(folder: Path) -> Path:
    """Write the four kinds of sentences of one part, in files of numbered lines with marks in brackets."""
    folder.mkdir(parents=True)
    kinds = {"1": "thanked {} because {} finished early", "2": "met {} and then left {} alone"}
    for stereotype in ("pro", "anti"):
        for kind, end in kinds.items():
            lines = []
            for woman in WOMEN:
                for man in MEN:
                    she, he = ("she", "he") if stereotype == "pro" else ("he", "she")
                    first, second = end.format(f"the {man}", f"[{she}]"), end.format(f"[the {man}]", f"[{he}]")
                    lines += [f"[The {woman}] {first}.", f"The {woman} {second}."]
            told = "".join(f"{number} {line}\n" for number, line in enumerate(lines, 1))
            (folder / f"{stereotype}_stereotyped_type{kind}.txt.dev").write_text(told)
    (folder / "README.md").write_text("no sentences")
    return folder


def winogender(place: Path) -> Path:
    """Write sentences with each of three pronouns, about the occupation and about the participant."""
    lines = ["sentid\tsentence"]
    for occupation in (*WOMEN, *MEN):
        for answer, end in enumerate(("was ready", "could pay later")):
            for gender, word in (("male", "he"), ("female", "she"), ("neutral", "they")):
                for other, called in (("guest", "the guest"), ("someone", "someone")):
                    name = f"{occupation}.{other}.{answer}.{gender}.txt"
                    lines.append(f"{name}\tThe {occupation} told {called} that {word} {end}.")
    place.write_text("\n".join(lines))
    return place


def bbq(folder: Path, templates: int = 10) -> Path:
    """Write questions of two categories, in one file a category."""
    folder.mkdir(parents=True)
    for category, names in PEOPLE.items():
        rows = [row for at in range(templates) for row in _questions(category, names, at)]
        (folder / f"{category}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def _questions(category: str, names: tuple[str, str, str, str], template: int) -> list[dict[str, Any]]:
    """Return the questions of a template: ill and well meant, the context telling nothing, or one of the two."""
    one, other, *words = names
    found: list[dict[str, Any]] = []
    for polarity, verb in (("neg", "forgot"), ("nonneg", "remembered")):
        for told in (None, one, other):
            context = f"I met a {one} and a {other} at stop {template}." + ("" if told is None else f" The {told} did.")
            found.append({
                "example_id": len(found), "category": category, "question_index": str(template),
                "question_polarity": polarity, "context_condition": "ambig" if told is None else "disambig",
                "context": context, "question": f"Who {verb} the key?", "ans0": f"The {one}", "ans1": "Cannot be known",
                "ans2": f"The {other}", "label": 1 if told is None else 0 if told == one else 2,
                "answer_info": {
                    "ans0": [one, words[0]], "ans1": ["Cannot be known", "unknown"], "ans2": [other, words[1]]
                },
                "additional_metadata": {"stereotyped_groups": [words[1]], "version": "a"},
            })  # fmt: skip
    return found
