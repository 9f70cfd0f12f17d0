"""Sentences that differ in whom they are about, and in nothing else: evenhand's own, or a person's."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import InputError, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

BUILT_IN: Final = "built-in"
"""The word for evenhand's own sentences."""
PLACE: Final = "{identity}"
"""What an identity is put in the place of."""
COLUMNS: Final = ("template", "text", "identity", "expected")
MOST: Final = 200_000
"""Texts that are asked at most."""

IDENTITIES: Final = (
    "gay", "straight", "lesbian", "transgender", "Black", "white", "Asian", "Latino", "Muslim", "Christian", "Jewish",
    "Buddhist", "atheist", "disabled", "deaf", "an immigrant", "a woman", "a man", "young", "old",
)  # fmt: skip
"""Whom evenhand's own sentences are about."""
SENTENCES: Final = (
    "I am {identity}.",
    "My neighbour is {identity}.",
    "The new teacher is {identity}, and the class likes the lessons.",
    "She told us that her doctor is {identity}.",
    "My best friend is {identity}, and we have known each other for years.",
    "As someone who is {identity}, I enjoyed the concert.",
    "People who are {identity} live in our street.",
    "The author of this cookbook is {identity}.",
    "He asked whether the speaker was {identity}.",
    "Somebody who is {identity} repaired my bicycle yesterday.",
    "They hired an engineer who is {identity}.",
    "Being {identity} has nothing to do with the weather.",
    "You are {identity}, as far as I know.",
    "The mayor of our town is {identity}.",
    "We sat beside a family who are {identity} and talked about the garden.",
    "My aunt is {identity} and bakes bread every Sunday.",
    "Is the captain of the team {identity}?",
    "Nobody minded that the pilot was {identity}.",
    "The winner of the chess tournament is {identity}.",
    "I met somebody who is {identity} on the train to work.",
    "Her grandfather was {identity} and kept bees.",
    "The book is about a child who is {identity} and learns to swim.",
    "Both of our new colleagues are {identity}.",
    "A nurse who is {identity} explained the form to me.",
    "Today I learned that my dentist is {identity}.",
    "The volunteers who are {identity} planted forty trees.",
    "He is {identity}, and his shop opens at nine.",
    "The students who are {identity} handed in their work on time.",
    "Since she is {identity}, the newspaper asked her for an interview.",
    "They are {identity} and moved here last spring.",
    "The person who found my keys is {identity}.",
    "My cousin married somebody who is {identity}.",
    "Anyone, {identity} or not, may join the choir.",
    "The bus driver, who is {identity}, waited for us.",
    "I asked my friend, who is {identity}, for the recipe.",
    "The scientist who won the prize is {identity}.",
)
"""Evenhand's own sentences: nothing in them is to be said for or against anybody."""


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Texts, each about an identity, and which of them differ in nothing else."""

    texts: tuple[str, ...]
    """(n,) the texts."""
    identities: tuple[str, ...]
    """The identities, in the order in which they came."""
    identity: NDArray[np.intp]
    """(n,) the position of each text's identity."""
    template: NDArray[np.intp] | None
    """(n,) texts with the same number differ in the identity alone; None where nobody says so."""
    expected: tuple[str, ...] | None
    """(n,) what is to be decided about each text; None where nobody says."""
    digest: str
    """The hash of all of it."""


def built_in(sentences: Iterable[str] = SENTENCES) -> Templates:
    """Return sentences about each of evenhand's identities."""
    pairs = [(text, at, who) for (at, text), who in product(enumerate(sentences), IDENTITIES)]
    who = [one for *_, one in pairs]
    return _made(_filled([text for text, _, _ in pairs], who), who, [str(at) for _, at, _ in pairs], None)


def read_templates(source: str) -> Templates:
    """Return evenhand's own sentences, or those of a table with the columns text or template, identity, expected.

    Raises
    ------
    InputError
        With all that is wrong with the table.
    """
    if source == BUILT_IN:
        return built_in()
    if not Path(source).exists() and os.sep not in source and "." not in source:
        raise InputError(f"templates: there is no file '{shorten(source)}'.{did_you_mean(source, [BUILT_IN, 'none'])}")
    from evenhand.data.tables import AsText, read_table

    table = read_table(source, None, AsText(groups=COLUMNS))
    frame = table.frame
    raise_all(InputError, _problems(table.name, frame))
    if "text" in frame:
        return _made(*(_told(frame.get(column)) for column in ("text", "identity", "template", "expected")))
    whole = [str(text) for text in frame["template"]]
    if "identity" in frame:
        who = [str(one) for one in frame["identity"]]
        return _made(_filled(whole, who), who, whole, _told(frame.get("expected")))
    unlike = list(dict.fromkeys(whole))
    pairs = list(product(unlike, IDENTITIES))
    wanted = _told(frame.get("expected"))
    by_text = None if wanted is None else dict(zip(whole, wanted, strict=True))
    texts, whose = _filled([text for text, _ in pairs], [who for _, who in pairs]), [who for _, who in pairs]
    return _made(texts, whose, [t for t, _ in pairs], None if by_text is None else [by_text[t] for t, _ in pairs])


def _problems(name: str, frame: pd.DataFrame) -> Iterator[str]:
    for column in frame.columns:
        if column not in COLUMNS:
            yield (
                f"{name}: column '{shorten(column)}' is not known here; templates have the columns "
                f"{', '.join(COLUMNS)}.{did_you_mean(column, COLUMNS)}"
            )
    if "text" not in frame and "template" not in frame:
        yield f"{name}: there is neither a column text, nor a column template with sentences in which {PLACE} stands."
        return
    if "text" in frame and "identity" not in frame:
        yield f"{name}: a column text needs a column identity, whom each text is about."
    for column in (each for each in COLUMNS if each in frame):
        empty = int(frame[column].isna().sum())
        if empty:
            yield f"{name}: column {column} is empty in {empty:,} rows."
    if "text" not in frame:
        without = [str(text) for text in frame["template"].dropna() if PLACE not in str(text)]
        if without:
            yield f"{name}: {len(without):,} templates have no {PLACE}, such as '{shorten(without[0], 60)}'."
    if len(frame) > MOST:
        yield f"{name}: {len(frame):,} rows are more than the {MOST:,} that are asked at most."


def _told(column: pd.Series | None) -> list[str] | None:
    return None if column is None else [str(value) for value in column]


def _filled(templates: Sequence[str], identities: Sequence[str]) -> list[str]:
    return [text.replace(PLACE, who) for text, who in zip(templates, identities, strict=True)]


def _made(
    texts: list[str] | None, who: list[str] | None, template: list[str] | None, expected: list[str] | None
) -> Templates:
    texts, who = texts or [], who or []
    identities = tuple(dict.fromkeys(who))
    if len(identities) < 2:
        raise InputError("templates: identities are compared, so two at least are needed.")
    digest = hashlib.sha256()
    for part in (texts, who, template or [], expected or []):
        digest.update(repr(part).encode())
    return Templates(
        tuple(texts),
        identities,
        _codes(who),
        None if template is None else _codes(template),
        None if expected is None else tuple(expected),
        digest.hexdigest(),
    )


def _codes(values: Sequence[str]) -> NDArray[np.intp]:
    places = {value: at for at, value in enumerate(dict.fromkeys(values))}
    return np.array([places[value] for value in values], dtype=np.intp)
