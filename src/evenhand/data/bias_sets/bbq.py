"""BBQ: questions about two people, which their context answers, or does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evenhand.data.bias_sets.choices import BiasSet, Choice, parsed, read_rows
from evenhand.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.findings import Plain

COLUMNS: Final = (
    "category", "question_index", "question_polarity", "context_condition", "context", "question", "ans0", "ans1",
    "ans2", "label", "answer_info",
)  # fmt: skip
ANSWERS: Final = ("ans0", "ans1", "ans2")


def read_bbq(path: str | Path) -> BiasSet:
    """Read the questions (``Age.jsonl`` and the like, a folder of them, or a table): whether the answer is right.

    A row is a question, grouped by ``category`` and ``condition`` (``ambig``: the context does not tell, and to say so
    is right; ``disambig``: it tells); questions of a template are one cluster.

    Notes
    -----
    Parrish et al. (2022), Findings of ACL.
    """
    frame, source = _rows(path)
    choices = [_choice(row, ANSWERS, int(row["label"])) for row in frame.to_dict("records")]
    return BiasSet("bbq", "accuracy", ("category", "condition"), tuple(choices), source=source)


def read_bbq_stereotype(path: str | Path) -> BiasSet:
    """Read the questions of BBQ: whether of the two people the one whom the stereotype names is the likelier answer.

    The answer that nobody can tell is not among the texts. Of a question that speaks well of somebody it is the other
    person who is counted; ``stereotyped_groups``, in a column or in ``additional_metadata``, says who is meant.
    """
    frame, source = _rows(path)
    name, choices = Path(path).name, []
    for row in frame.to_dict("records"):
        people, meant = _people(row, name)
        other = next(each for each in people if each != meant)
        wanted = meant if str(row["question_polarity"]).startswith("neg") else other
        choices.append(_choice(row, people, people.index(wanted)))
    groups = ("category", "condition")
    return BiasSet("bbq_stereotype", "stereotype_rate", groups, tuple(choices), source=source)


def _rows(path: str | Path) -> tuple[pd.DataFrame, dict[str, Plain]]:
    frame, source = read_rows(path, COLUMNS)
    wrong = frame.loc[~frame["label"].isin([0, 1, 2, "0", "1", "2"]), "label"]
    if len(wrong):
        raise InputError(
            f"{Path(path).name}: label is {wrong.tolist()[0]!r} in a row; it is 0, 1 or 2, the right answer."
        )
    return frame, source


def _choice(row: Mapping[Any, Any], answers: tuple[str, ...], wanted: int) -> Choice:
    beginning = f"{row['context']}\nQuestion: {row['question']}\nAnswer:"
    fields = {
        "category": str(row["category"]), "condition": str(row["context_condition"]),
        "polarity": str(row["question_polarity"]),
    }  # fmt: skip
    texts = tuple(f"{beginning} {row[each]}" for each in answers)
    return Choice(texts, wanted, fields, f"{row['category']} {row['question_index']}", beginning)


def _people(row: Mapping[Any, Any], name: str) -> tuple[tuple[str, str], str]:
    """Return the two answers that name people, and which of them the stereotype is about."""
    info, more = parsed(row["answer_info"], name), parsed(row.get("additional_metadata", {}), name)
    held = row.get("stereotyped_groups", more.get("stereotyped_groups", ()) if isinstance(more, Mapping) else ())
    told = parsed(held, name)
    meant = {str(each).lower() for each in told} if isinstance(told, (list, tuple)) else set()
    marks = {each: _marks(info, each) for each in ANSWERS}
    people = tuple(each for each in ANSWERS if "unknown" not in marks[each][1:])
    of_it = [each for each in people if meant.intersection(marks[each])]
    if len(people) != 2 or len(of_it) != 1:
        raise InputError(
            f"{name}: of the question '{row['question']}' it is not told which of two answers the stereotype is about: "
            "answer_info and stereotyped_groups do not say the same word of one of them."
        )
    return (people[0], people[1]), of_it[0]


def _marks(info: object, answer: str) -> list[str]:
    held = info.get(answer, ()) if isinstance(info, Mapping) else ()
    return [str(each).lower() for each in held]
